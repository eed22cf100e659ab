//! The shared queue for wakes and spawns from outside a worker.

use super::queue::insist;
use super::task::Runnable;
use crossbeam::deque::{Injector as Fifo, Worker as Deque};

/// At most so many tasks are taken at a time: enough to make the shared queue's cost small beside the tasks', few enough
/// that the other workers find some too.
const LARGEST_SHARE: usize = 32;

/// First in, first out; crossbeam's.
#[derive(Debug, Default)]
pub(crate) struct Injector(Fifo<Runnable>);

impl Injector {
    /// Adds a task.
    pub(crate) fn push(&self, runnable: Runnable) {
        self.0.push(runnable);
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes one task.
    pub(crate) fn take(&self) -> Option<Runnable> {
        insist(|| self.0.steal())
    }

    /// Takes one task to run and moves some more to a worker's deque: its share, were all workers to come now.
    pub(super) fn take_share(&self, deque: &Deque<Runnable>, workers: usize) -> Option<Runnable> {
        if self.0.is_empty() {
            return None;
        }
        let share = (self.0.len() / workers + 1).min(LARGEST_SHARE);
        insist(|| self.0.steal_batch_with_limit_and_pop(deque, share))
    }
}
