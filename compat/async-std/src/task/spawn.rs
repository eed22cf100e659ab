//! Starting tasks.

use super::{Builder, JoinHandle};
use std::future::Future;

/// Runs a future on the calling thread until it ends, as a task of its own.
///
/// It may be nested, also inside tasks.
pub fn block_on<F, T>(future: F) -> T
where
    F: Future<Output = T>,
{
    Builder::new().blocking(future)
}

/// Runs a future on the worker threads.
///
/// # Panics
///
/// If no worker thread can be started, or `ASYNC_STD_THREAD_COUNT` is no number of threads.
pub fn spawn<F, T>(future: F) -> JoinHandle<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    Builder::new().spawn(future).expect("cannot spawn task")
}

/// Runs a future on the calling thread, while that is in a [`block_on`] or runs tasks.
#[cfg(feature = "unstable")]
pub fn spawn_local<F, T>(future: F) -> JoinHandle<T>
where
    F: Future<Output = T> + 'static,
    T: 'static,
{
    Builder::new().local(future).expect("cannot spawn task")
}

/// Runs a closure on a thread that may block.
pub fn spawn_blocking<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    JoinHandle::of_job(parklet::task::spawn_blocking(f))
}
