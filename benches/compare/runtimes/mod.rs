//! What each runtime calls the things that the workloads ask for: one file each, with the same names in all.
//!
//! The wrappers are what a user writes: `handle.await.unwrap()` on tokio, a race with a timer on smol. Where a runtime
//! lacks a thing, its file lacks it too, and `contenders.rs` leaves the workload out. The number of workers is set by
//! the environment, or here where a runtime asks its builder for it.

pub(crate) mod async_std;
pub(crate) mod nio;
pub(crate) mod parklet;
pub(crate) mod smol;
pub(crate) mod tokio;

/// Worker threads of every runtime but the control, parklet with one.
pub(crate) const WORKERS: usize = 2;
