//! A lock that wakes after it unlocks.
//!
//! Everything that waits is a state and its wait queues under one lock. Who changes the state finds out *under* the
//! lock whom to wake, but may do it only *after* the unlock: `Waker::wake` runs code of some executor, and dropping a
//! waker may drop a whole task, whose destructor may come back to this very lock. So [`WakingLock::with`] lends out,
//! beside the state, a [`Wakes`] to collect wakers in; it works when the lock is free again.

use crate::primitive::Mutex;
use std::sync::PoisonError;
use std::task::Waker;

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
    pub(crate) fn with<R>(&self, change: impl FnOnce(&mut S, &mut Wakes) -> R) -> R {
        // Declared before the guard, so dropped after it.
        let mut wakes = Wakes::default();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut state, &mut wakes);
        if cfg!(parklet_loom_broken = "waking_lock_wakes_before_unlock") {
            wakes = Wakes::default();
        }
        drop(state);
        drop(wakes);
        result
    }
}

/// Wakers on their way out of a lock: to be woken, or, if retired, only dropped. Both happen when this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    /// To be woken, in this order.
    wake: FewWakers,
    /// Replaced by a newer waker, or of a waiter that went away.
    retired: FewWakers,
}

/// Wakers, the first of them without an allocation: mostly there is one.
#[derive(Debug, Default)]
struct FewWakers {
    /// The first one.
    first: Option<Waker>,
    /// The others.
    more: Vec<Waker>,
}

impl Wakes {
    /// Wakes this one after the unlock.
    pub(crate) fn wake(&mut self, waker: Option<Waker>) {
        self.wake.add(waker);
    }

    /// Drops this one after the unlock.
    pub(crate) fn retire(&mut self, waker: Option<Waker>) {
        self.retired.add(waker);
    }

    /// Makes room for so many to wake at once.
    pub(crate) fn reserve(&mut self, count: usize) {
        if count > 1 {
            self.wake.more.reserve_exact(count);
        }
    }
}

impl FewWakers {
    fn add(&mut self, waker: Option<Waker>) {
        if self.first.is_none() {
            self.first = waker;
        } else {
            self.more.extend(waker);
        }
    }
}

impl Drop for Wakes {
    fn drop(&mut self) {
        if let Some(first) = self.wake.first.take() {
            first.wake();
        }
        for waker in self.wake.more.drain(..) {
            waker.wake();
        }
    }
}
