//! Giving a future to the runtime.

use crate::executor::{local, pool};
use crate::task::JoinHandle;
use std::future::Future;

/// Spawns a task onto the pool of worker threads.
///
/// The task starts at once, whether or not anybody awaits the handle, and within milliseconds even if the thread that
/// spawned it blocks. The first call starts the pool: as many threads as the machine has cores, or as many as the
/// environment variable `PARKLET_THREADS` or a [`runtime::Builder`](crate::runtime::Builder) says. A task that a [`block_on`](crate::task::block_on) awaits, and nothing else,
/// may run on the thread that waits for it, which saves two changes of thread.
///
/// Dropping the [`JoinHandle`] detaches the task. The process does not wait for tasks that run when `main` returns.
///
/// # Panics
///
/// If `PARKLET_THREADS` is not a whole number from 1 to 1024, or if not one worker thread can be started; the message says
/// which.
///
/// # Examples
///
/// ```
/// use parklet::task;
///
/// task::block_on(async {
///     let handle = task::spawn(async { 6 * 7 });
///     assert_eq!(handle.await, 42);
/// });
/// ```
#[inline]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    pool::try_spawn(future, None).unwrap_or_else(|error| panic!("{error}"))
}

/// Spawns a task that stays on the calling thread, so that its future need not be `Send`.
///
/// It runs while the thread is in some [`block_on`](crate::task::block_on), this one or a later one. Called inside a task
/// of [`spawn`], the thread is the one that polls it at that moment: a worker, where the local task runs beside the others,
/// or a thread that awaits the task in a `block_on`, and then the first sentence holds. Unfinished local tasks are dropped
/// when their thread ends.
///
/// # Panics
///
/// If it is called from the destructor of a thread-local while the thread is ending.
///
/// # Examples
///
/// ```
/// use parklet::task;
/// use std::cell::Cell;
/// use std::rc::Rc;
///
/// let counter = Rc::new(Cell::new(0));
/// task::block_on({
///     let counter = counter.clone();
///     async move {
///         let other = counter.clone();
///         task::spawn_local(async move { other.set(other.get() + 1) }).await;
///     }
/// });
/// assert_eq!(counter.get(), 1);
/// ```
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    local::spawn_local(future, None)
}
