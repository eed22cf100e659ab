//! A lock that wakes after it unlocks.
//!
//! Everything that waits is a state and its wait queues under one lock. Who changes the state finds out *under* the
//! lock whom to wake, but may do it only *after* the unlock: `Waker::wake` runs code of some executor, and dropping a
//! waker may drop a whole task, whose destructor may come back to this very lock. So [`WakingLock::with`] lends out,
//! beside the state, a [`Wakes`] to collect wakers in; it works when the lock is free again.

use crate::primitive::{Mutex, is_broken};
use std::cell::Cell;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::PoisonError;
use std::task::Waker;
use std::thread;

/// A state, and the wait queues that belong to it, under one lock.
#[derive(Debug)]
pub(crate) struct WakingLock<S> {
    /// Guards all of `S`. A std lock, since it is never held across an await, and never while foreign code runs but
    /// for `T::clone` in a broadcast.
    state: Mutex<S>,
}

impl<S> WakingLock<S> {
    #[cfg(not(parklet_loom))]
    pub(crate) const fn new(state: S) -> WakingLock<S> {
        WakingLock {
            state: Mutex::new(state),
        }
    }

    /// Loom's lock has no const constructor.
    #[cfg(parklet_loom)]
    pub(crate) fn new(state: S) -> WakingLock<S> {
        WakingLock {
            state: Mutex::new(state),
        }
    }

    /// Runs `change` under the lock, and after the unlock wakes whom it put into the `Wakes`.
    ///
    /// A panic in `change` does not poison the lock: whoever runs foreign code here does it before it changes anything.
    #[inline]
    pub(crate) fn with<R>(&self, change: impl FnOnce(&mut S, &mut Wakes) -> R) -> R {
        // Declared before the guard, so dropped after it, also when `change` panics.
        let mut wakes = Wakes::default();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut state, &mut wakes);
        if is_broken("waking_lock_wakes_before_unlock") {
            mem::take(&mut wakes).work();
        }
        drop(state);
        wakes.work();
        result
    }
}

/// Wakers on their way out of a lock: to be woken, or, if retired, only dropped. Both happen at the latest when this is
/// dropped.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    /// To be woken first.
    first: Option<Waker>,
    /// To be dropped first.
    retired: Option<Waker>,
    /// The others. Hardly ever there are any, so they stand aside.
    more: Option<Box<More>>,
}

/// Wakers beyond the first.
#[derive(Debug, Default)]
struct More {
    /// To be woken, in this order.
    wake: Vec<Waker>,
    /// Only to be dropped.
    retired: Vec<Waker>,
}

thread_local! {
    /// What was used last, empty, so that waking many costs no allocation.
    static SPARE: Cell<Option<Box<More>>> = const { Cell::new(None) };
}

/// A [`SPARE`] may have room for so many (16 KiB a thread).
const MOST_SPARE: usize = 1024;

impl Wakes {
    /// Wakes this one after the unlock.
    #[inline]
    pub(crate) fn wake(&mut self, waker: Option<Waker>) {
        if self.first.is_none() {
            self.first = waker;
        } else {
            self.more().wake.extend(waker);
        }
    }

    /// Drops this one after the unlock.
    #[inline]
    pub(crate) fn retire(&mut self, waker: Option<Waker>) {
        if self.retired.is_none() {
            self.retired = waker;
        } else {
            self.more().retired.extend(waker);
        }
    }

    /// Makes room for so many to wake at once.
    pub(crate) fn reserve(&mut self, count: usize) {
        if count > 1 {
            self.more().wake.reserve_exact(count - 1);
        }
    }

    /// Room for the others.
    fn more(&mut self) -> &mut More {
        // There is no spare one while the thread ends.
        self.more.get_or_insert_with(|| {
            SPARE
                .try_with(Cell::take)
                .ok()
                .flatten()
                .unwrap_or_default()
        })
    }

    /// Wakes and drops them, as dropping this does, but inline where there is one or none.
    #[inline]
    fn work(mut self) {
        if self.more.is_some() {
            return;
        }
        if let Some(first) = self.first.take() {
            first.wake();
        }
        drop(self.retired.take());
        // Nothing is left; to find that out once more would be a third of what the whole lock costs.
        mem::forget(self);
    }
}

impl Drop for Wakes {
    #[cold]
    fn drop(&mut self) {
        let mut more = self.more.take().unwrap_or_default();
        let mut panic = None;
        for waker in self.first.take().into_iter().chain(more.wake.drain(..)) {
            // The panic of one keeps no other from being woken.
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
                panic.get_or_insert(payload);
            }
        }
        more.retired.clear();
        if more.wake.capacity() <= MOST_SPARE {
            let _ends = SPARE.try_with(|spare| spare.set(Some(more)));
        }
        if let Some(payload) = panic
            && !thread::panicking()
        {
            resume_unwind(payload);
        }
    }
}

#[cfg(test)]
#[cfg(not(parklet_loom))]
mod tests {
    use super::{MOST_SPARE, SPARE, WakingLock};
    use crate::sync::wait_queue::WaitQueue;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};

    /// Counts itself when it is woken, and panics if it is that number.
    struct PanicsAs {
        number: usize,
        woken: Arc<AtomicUsize>,
    }

    impl Wake for PanicsAs {
        fn wake(self: Arc<Self>) {
            if self.woken.fetch_add(1, Ordering::SeqCst) == self.number {
                panic!("woken on purpose");
            }
        }
    }

    fn wait(queue: &WakingLock<WaitQueue>, waker: &Waker) {
        queue.with(|queue, wakes| queue.wait(&mut None, waker, wakes));
    }

    #[test]
    fn a_waker_that_panics_keeps_no_other_from_being_woken() {
        for number in 0..3 {
            let queue = WakingLock::new(WaitQueue::new());
            let woken = Arc::default();
            let waker = Waker::from(Arc::new(PanicsAs {
                number,
                woken: Arc::clone(&woken),
            }));
            for _ in 0..3 {
                wait(&queue, &waker);
            }
            let result = catch_unwind(AssertUnwindSafe(|| queue.with(WaitQueue::notify_all)));
            assert!(result.is_err());
            assert_eq!(woken.load(Ordering::SeqCst), 3);
        }
    }

    #[test]
    fn the_room_for_many_wakers_is_used_again_and_a_huge_one_is_given_back() {
        let room = || {
            let spare = SPARE.take();
            let room = spare.as_ref().map_or(0, |spare| spare.wake.capacity());
            SPARE.set(spare);
            room
        };
        let queue = WakingLock::new(WaitQueue::new());
        let wake = |count| {
            for _ in 0..count {
                wait(&queue, Waker::noop());
            }
            queue.with(WaitQueue::notify_all);
            room()
        };
        let before = wake(100);
        assert!(before >= 99);
        assert_eq!(wake(50), before);
        assert!(wake(2 * MOST_SPARE) <= MOST_SPARE);
    }
}
