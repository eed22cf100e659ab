//! The least that can be done by hand: no runtime, but a queue and a call, two threads, a loop around `epoll_wait`.
//!
//! What a runtime takes beyond this is the price of its promises: tasks that move between threads, are cancelled,
//! caught when they panic, and woken from anywhere. A runtime may still be below it, since the floor takes memory
//! from the allocator as anybody would.

pub(crate) mod executor;
pub(crate) mod memory;
pub(crate) mod queue;
pub(crate) mod tcp;
pub(crate) mod threads;
pub(crate) mod timers;
