//! What a task asks of its executor.

use super::runnable::Runnable;
use crate::executor::current::TaskId;

/// Where a woken task goes to be polled: what an executor gives to each task that it spawns.
pub(crate) trait Schedule: Clone + Send + Sync + 'static {
    /// Puts the task into the executor's queue and sees to it that somebody comes to run it.
    fn schedule(&self, runnable: Runnable, place: Place);

    /// The future is gone and the output about to be published: an owner takes the task off its list.
    fn finished(&self, _task: TaskId) {}
}

/// Where in its executor's queue a task wants to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// It was spawned or woken: what it waits with is warm, so sooner is better.
    Next,
    /// It yields, or was woken while it ran, or joins a task that has ended: everybody else comes first.
    Last,
}
