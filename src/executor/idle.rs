//! Who sleeps, who searches, whom to unpark.
//!
//! Go's rule (the head comment of its `proc.go`): a push rouses a sleeper only if nobody is searching; a searcher that finds
//! work and was the last one passes the call on. So a burst of pushes wakes one worker, and as many follow as there is
//! work for.
//!
//! 1. A pusher pushes, then looks at the counters; a worker counts itself among the sleepers, then looks into the queues
//!    once more. With a `SeqCst` fence between the two steps on both sides, one of them sees the other.
//! 2. A sleeper that is roused leaves the list and is counted as searching in one step, so a second push before it has
//!    woken up rouses nobody else.

use super::parker::Unparker;
use std::sync::atomic::{AtomicUsize, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The workers of one pool that have nothing to run.
#[derive(Debug, Default)]
pub(crate) struct Idle {
    /// Workers that look for work elsewhere.
    searching: AtomicUsize,
    /// The length of `sleepers`, to be read without the lock.
    sleeping: AtomicUsize,
    /// Seats whose workers sleep, the latest last: its caches are warm, and the first to sleep is the one that drives. The
    /// lock makes rule 2 one step.
    sleepers: Mutex<Vec<(usize, Arc<Unparker>)>>,
}

impl Idle {
    /// Rouses a sleeper if that would help. False: everybody is busy, and nobody searches.
    pub(crate) fn rouse(&self) -> bool {
        fence(Ordering::SeqCst);
        if self.searching.load(Ordering::SeqCst) > 0 {
            return true;
        }
        if self.sleeping.load(Ordering::SeqCst) == 0 {
            return false;
        }
        let mut sleepers = self.lock();
        let Some((_, unparker)) = sleepers.pop() else {
            return false;
        };
        self.sleeping.store(sleepers.len(), Ordering::SeqCst);
        self.searching.fetch_add(1, Ordering::SeqCst);
        drop(sleepers);
        unparker.unpark();
        true
    }

    /// Counts the worker among the sleepers. It has to look into the queues after that, and before it sleeps.
    pub(crate) fn enter(&self, seat: usize, unparker: &Arc<Unparker>) {
        let mut sleepers = self.lock();
        sleepers.push((seat, Arc::clone(unparker)));
        self.sleeping.store(sleepers.len(), Ordering::SeqCst);
        drop(sleepers);
        fence(Ordering::SeqCst);
    }

    /// Takes the worker off the list. False: it was roused, and counts as searching already.
    #[must_use]
    pub(crate) fn leave(&self, seat: usize) -> bool {
        let mut sleepers = self.lock();
        let place = sleepers.iter().position(|&(sleeper, _)| sleeper == seat);
        if let Some(place) = place {
            sleepers.remove(place);
            self.sleeping.store(sleepers.len(), Ordering::SeqCst);
        }
        place.is_some()
    }

    /// Counts a worker that begins to search.
    pub(crate) fn begin_search(&self) {
        self.searching.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether another searcher would only be in the way: half of the workers is enough.
    pub(crate) fn is_crowded(&self, workers: usize) -> bool {
        2 * self.searching.load(Ordering::Relaxed) >= workers
    }

    /// The worker has found something or gives up. True: it was the last searcher.
    #[must_use]
    pub(crate) fn end_search(&self) -> bool {
        self.searching.fetch_sub(1, Ordering::SeqCst) == 1
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(usize, Arc<Unparker>)>> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
