//! The chat server by others: each speaks the base protocol, binds a port of its own choice, announces it and serves for
//! ever.
//!
//! | file | |
//! |---|---|
//! | `book.rs` | the server of *Programming Rust*, chapter 20, in its shape, on async-std |
//! | `plain_tokio.rs` | what a good user of tokio would write |
//! | `by_hand.rs` | no runtime: one thread, one `epoll_wait`, and nothing that is not needed |

pub(crate) mod book;
pub(crate) mod by_hand;
pub(crate) mod plain_tokio;

/// Threads of those that can be told how many.
const WORKERS: usize = 2;
