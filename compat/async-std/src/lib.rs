//! async-std's names and meaning, on [parklet](https://docs.rs/parklet).
//!
//! async-std was discontinued. This crate has its name, its version and its face, so that one line in `Cargo.toml` moves a
//! whole dependency tree: `README.md` has that line, and what differs. Each module says where its parts come from: what
//! parklet has is re-exported, what is async-std's alone stands here.
//!
//! ```
//! use async_std::prelude::*;
//! use async_std::{net, task};
//!
//! # fn main() -> std::io::Result<()> {
//! task::block_on(async {
//!     let listener = net::TcpListener::bind("127.0.0.1:0").await?;
//!     let address = listener.local_addr()?;
//!     let server = task::spawn(async move {
//!         let (mut stream, _) = listener.accept().await?;
//!         stream.write_all(b"hello").await
//!     });
//!
//!     let mut heard = String::new();
//!     net::TcpStream::connect(address).await?.read_to_string(&mut heard).await?;
//!     assert_eq!(heard, "hello");
//!     server.await
//! })
//! # }
//! ```
//!
//! # Cancel safety
//!
//! A future is as safe to drop midway as parklet's of the same name. Of those that stand here alone, `read_line`,
//! `read_to_string` and `write!` lose what they had read or how much they had written, `BufWriter::into_inner` the writer and
//! what was in its buffer; collecting, summing up and folding a stream lose the items so far, and comparing and searching one
//! those that were looked at. Adapters, such as `Map` or `Merge`, lose nothing: what is there stays until it is taken.
//!
//! # Features
//!
//! Modules and methods stand behind the same features as in async-std 1.13.2: `alloc` has `future`, `stream` and `task`,
//! `std` adds what needs no runtime, `default` the runtime, `unstable` the rest. Inside, all of parklet is always built.

#[cfg(feature = "attributes")]
pub use async_attributes::{main, test};

#[cfg(feature = "std")]
mod context;
#[cfg(feature = "unstable")]
mod macros;

#[cfg(feature = "std")]
pub mod channel;
#[cfg(feature = "default")]
pub mod fs;
#[cfg(feature = "alloc")]
pub mod future;
#[cfg(feature = "std")]
pub mod io;
#[cfg(feature = "default")]
pub mod net;
#[cfg(feature = "std")]
pub mod os;
#[cfg(feature = "default")]
pub mod path;
#[cfg(feature = "std")]
pub mod prelude;
#[cfg(feature = "unstable")]
pub mod process;
#[cfg(feature = "alloc")]
pub mod stream;
#[cfg(feature = "std")]
pub mod sync;
#[cfg(feature = "alloc")]
pub mod task;

/// Pinned pointers: std's, by async-std's path.
#[cfg(feature = "unstable")]
pub mod pin {
    pub use std::pin::Pin;
}

#[cfg(feature = "default")]
pub use parklet::task_local;
#[cfg(all(feature = "default", feature = "unstable"))]
pub use std::{write, writeln};

/// Compiles and runs what the README shows.
#[cfg(all(doctest, feature = "unstable"))]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
