//! What the runtime is doing, in numbers.

use crate::executor::blocking_pool::BlockingPool;
use crate::executor::pool::{self, Counts};

/// What the runtime is doing and has done: of the worker threads that [`task::spawn`](crate::task::spawn) uses, and of those
/// for blocking calls.
///
/// Reading takes a look at each worker and one lock; nobody who reads is waited for. What is counted here costs a worker
/// nothing that it does not do anyway, or a plain addition to a number of its own. That is why there is no number of
/// living tasks among these: each spawn and each end would have to count, on whichever threads they are.
///
/// The numbers are read one after the other, while the threads go on: each is true, but not all at the same moment. Those
/// that only grow begin with 0 when the process does.
///
/// # Examples
///
/// ```
/// use parklet::{runtime, task};
///
/// let before = runtime::metrics();
/// task::block_on(async {
///     for _ in 0..10 {
///         task::spawn(task::yield_now()).await;
///     }
/// });
/// let metrics = runtime::metrics();
/// assert!(metrics.workers >= 1);
/// println!("{} polls since", metrics.polls - before.polls);
/// ```
pub fn metrics() -> Metrics {
    let Counts {
        workers,
        busy_workers,
        queued_tasks,
        polls,
        steals,
        parks,
    } = pool::started().map(pool::Pool::counts).unwrap_or_default();
    let blocking = BlockingPool::global().counts();
    Metrics {
        workers,
        busy_workers,
        queued_tasks,
        polls,
        steals,
        parks,
        blocking_threads: blocking.threads,
        idle_blocking_threads: blocking.idle,
        queued_blocking_calls: blocking.queued,
    }
}

/// What [`metrics`] has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Metrics {
    /// How many tasks may run at a time; 0 before the first spawn.
    pub workers: usize,
    /// How many of these places are taken now, by threads that run tasks or look for one.
    pub busy_workers: usize,
    /// Tasks that wait to be polled, at all workers together. If that stays above 0, there is more to do than threads to do it.
    pub queued_tasks: usize,
    /// How often a task was polled. Not among these: local tasks, and a task that a `block_on` awaits and polls itself.
    pub polls: u64,
    /// How often a worker had nothing to do and took some of another one's tasks.
    pub steals: u64,
    /// How often a worker went to sleep.
    pub parks: u64,
    /// Threads for blocking calls: [`task::spawn_blocking`](crate::task::spawn_blocking), files, name lookups.
    pub blocking_threads: usize,
    /// Those of them that have nothing to do.
    pub idle_blocking_threads: usize,
    /// Blocking calls that wait for a thread.
    pub queued_blocking_calls: usize,
}
