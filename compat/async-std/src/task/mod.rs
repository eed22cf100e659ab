//! Tasks: parklet's, behind async-std's handle and builder.
//!
//! # Examples
//!
//! ```
//! use async_std::task;
//!
//! let answer = task::block_on(async { task::spawn(async { 6 * 7 }).await });
//! assert_eq!(answer, 42);
//! ```

#[cfg(feature = "default")]
mod builder;
#[cfg(all(feature = "default", feature = "tokio1"))]
mod in_tokio;
#[cfg(feature = "default")]
mod join_handle;
#[cfg(feature = "default")]
mod spawn;
#[cfg(feature = "default")]
mod workers;
#[cfg(feature = "std")]
mod yield_now;

#[cfg(feature = "default")]
pub use builder::Builder;
#[cfg(feature = "default")]
pub use join_handle::JoinHandle;
#[cfg(all(feature = "default", feature = "unstable"))]
pub use spawn::spawn_local;
#[cfg(feature = "default")]
pub use spawn::{block_on, spawn, spawn_blocking};

#[cfg(feature = "default")]
pub use parklet::task::{AccessError, LocalKey, Task, TaskId, current, sleep, try_current};
pub use std::task::{Context, Poll, Waker, ready};
#[cfg(feature = "std")]
pub use yield_now::yield_now;
