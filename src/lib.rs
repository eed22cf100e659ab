//! A hand-built, minimal async runtime in the shape of std and async-std.
//!
//! ```
//! use parklet::{channel, task};
//!
//! task::block_on(async {
//!     let (sender, receiver) = channel::unbounded();
//!     task::spawn(async move { sender.send("hello").await }).await.unwrap();
//!     assert_eq!(receiver.recv().await, Ok("hello"));
//! });
//! ```
//!
//! `ARCHITECTURE.md` in the repository leads from the kernel's event to the `poll` call, file by file.

// Loom replaces the atomics that statics need, so under `cfg(parklet_loom)` only the modelled parts are built.
mod primitive;

#[cfg(feature = "macros")]
mod attributes;
#[cfg_attr(parklet_loom, allow(dead_code, reason = "the models use a part of it"))]
mod budget;
#[cfg_attr(parklet_loom, allow(dead_code, reason = "the models use a part of it"))]
pub mod channel;
#[cfg(all(feature = "chat", not(parklet_loom)))]
pub mod chat;
pub mod executor;
#[cfg(not(parklet_loom))]
pub mod fs;
#[cfg(not(parklet_loom))]
pub mod future;
#[cfg(not(parklet_loom))]
pub mod io;
#[cfg(all(test, parklet_loom))]
mod loom_models;
#[cfg(not(parklet_loom))]
pub mod net;
#[cfg(not(parklet_loom))]
pub mod os;
#[cfg(not(parklet_loom))]
pub mod prelude;
#[cfg(all(feature = "process", not(parklet_loom)))]
pub mod process;
pub mod reactor;
#[cfg(not(parklet_loom))]
pub mod runtime;
#[cfg(all(feature = "signal", not(parklet_loom)))]
pub mod signal;
#[cfg(not(parklet_loom))]
pub mod stream;
pub mod sync;
#[cfg(not(parklet_loom))]
pub mod task;

#[cfg(feature = "macros")]
pub use attributes::{main, test};

/// Compiles and runs what the README shows.
#[cfg(all(doctest, feature = "macros"))]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
