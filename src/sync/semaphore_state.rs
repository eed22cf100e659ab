//! How many permits of a semaphore are free, and who gets the next one: its word and its queue.
//!
//! ```text
//!            try_acquire              try_acquire           wait_for_turn
//!   ┌─────┐ ─────────────► ┌────────┐ ───────────► ┌──────┐ ─────────────► ┌───────────┐
//!   │ n   │                │ n-1 .. │              │ NONE │                │ CONTENDED │──┐ add: to the first
//!   └─────┘ ◄───────────── └────────┘ ◄─────────── └──────┘ ◄───────────── └───────────┘◄─┘ waiters
//!                add                      add          ▲    add: to the last  │
//!                                                      │    waiters, so nobody│waits
//!                                                      └──────────────────────┘
//! ```
//!
//! The word is the number of free permits; NONE is zero of them, and CONTENDED a number that no semaphore can have: no
//! permit is free, and somebody waits.
//!
//! 1. A permit is free or somebody's. `try_acquire` and `add` are one compare-and-swap without the queue, as long as
//!    nobody waits. All arrows from and to CONTENDED are taken under the lock of the queue.
//! 2. A waiter makes the word CONTENDED *before* it joins the queue, in the same critical section. So an `add` either
//!    comes first, and the waiter sees its permits, or finds CONTENDED, and comes to the queue, where the waiter is by
//!    then.
//! 3. Who adds permits hands them over: they do not become free while somebody waits, and the notified waiter has one
//!    from that moment, polled or not. So the order is first come, first served, and nobody starves. A waiter that is
//!    dropped after that adds its permit again (rule 4 of `wait_queue.rs`).
//!
//! Ordering: `add` publishes what was done with the permit, by the word or by the lock of the queue, and taking one
//! acquires that.
//!
//! It is `mutex_state.rs` with a count in the place of FREE and HELD.

use super::wait_queue::{Left, Ticket, WaitQueue};
use super::waking_lock::{Wakes, WakingLock};
use crate::budget;
use crate::primitive::{AtomicUsize, Ordering, is_broken};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

/// No permit is free, nobody waits.
const NONE: usize = 0;

/// No permit is free, and somebody has joined the queue since.
const CONTENDED: usize = usize::MAX;

/// A semaphore is not given more permits than that when as many are free, as in tokio. Far below CONTENDED: guards that
/// come back meanwhile, and those who add at the same moment, may exceed it.
pub(crate) const MAX_PERMITS: usize = usize::MAX >> 3;

/// Permits that tasks wait for.
#[derive(Debug)]
pub(crate) struct SemaphoreState {
    /// How many permits are free, or CONTENDED.
    word: AtomicUsize,
    /// Those who wait for a permit; its lock also guards the arrows of CONTENDED.
    waiters: WakingLock<WaitQueue>,
}

impl SemaphoreState {
    #[cfg(not(parklet_loom))]
    pub(crate) const fn new(permits: usize) -> SemaphoreState {
        SemaphoreState {
            word: AtomicUsize::new(permits),
            waiters: WakingLock::new(WaitQueue::new()),
        }
    }

    /// Loom's atomics have no const constructors.
    #[cfg(parklet_loom)]
    pub(crate) fn new(permits: usize) -> SemaphoreState {
        SemaphoreState {
            word: AtomicUsize::new(permits),
            waiters: WakingLock::new(WaitQueue::new()),
        }
    }

    /// How many permits are free just now.
    pub(crate) fn free(&self) -> usize {
        match self.word.load(Ordering::Relaxed) {
            CONTENDED => NONE,
            free => free,
        }
    }

    /// Takes a permit if one is free; one that was handed over is not.
    #[inline]
    pub(crate) fn try_acquire(&self) -> bool {
        self.update(Ordering::Acquire, |free| match free {
            NONE | CONTENDED => None,
            free => Some(free - 1),
        })
        .is_ok()
    }

    /// Waits for a permit; once this is ready, the caller has one until it calls `add`.
    #[inline]
    pub(crate) fn acquire(&self) -> Acquire<'_> {
        Acquire {
            state: self,
            ticket: None,
        }
    }

    /// Gives so many permits to those who wait, and sets free what is left.
    #[inline]
    pub(crate) fn add(&self, permits: usize) {
        let order = if is_broken("semaphore_add_is_relaxed") {
            Ordering::Relaxed
        } else {
            Ordering::Release
        };
        let free = self.update(order, |free| {
            (free != CONTENDED).then(|| free.wrapping_add(permits))
        });
        if free.is_err() {
            self.add_contended(permits);
        }
    }

    /// `add`, unless more than `MAX_PERMITS` would be free: then it fails with the number of free ones.
    pub(crate) fn try_add(&self, permits: usize) -> Result<(), usize> {
        let fits = |free: &usize| *free <= MAX_PERMITS && permits <= MAX_PERMITS - *free;
        let after = self.update(Ordering::Release, |free| {
            fits(&free).then(|| free + permits)
        });
        match after {
            Ok(_) => Ok(()),
            Err(CONTENDED) if fits(&NONE) => {
                self.add_contended(permits);
                Ok(())
            }
            Err(CONTENDED) => Err(NONE),
            Err(free) => Err(free),
        }
    }

    /// Takes up to so many of the free permits away for good, and tells how many.
    pub(crate) fn forget(&self, permits: usize) -> usize {
        let free = self.update(Ordering::Relaxed, |free| {
            (free != CONTENDED).then(|| free.saturating_sub(permits))
        });
        free.map_or(0, |free| free.min(permits))
    }

    #[cold]
    fn add_contended(&self, permits: usize) {
        self.waiters
            .with(|queue, wakes| self.hand_over(permits, queue, wakes));
    }

    /// The permits go to the first waiters. Under the lock of the queue.
    fn hand_over(&self, permits: usize, queue: &mut WaitQueue, wakes: &mut Wakes) {
        let mut left = permits;
        while left > 0 && queue.notify_one(wakes) {
            left -= 1;
            if is_broken("semaphore_burst_serves_one") {
                break;
            }
        }
        if queue.is_empty() {
            self.set_free(left);
        } else if is_broken("semaphore_forgets_who_waits") {
            self.word.store(NONE, Ordering::Relaxed);
        }
    }

    /// Nobody waits: so many permits are free, beside those that were set free since the word was last CONTENDED.
    fn set_free(&self, permits: usize) {
        let _before = self.update(Ordering::Release, |free| match free {
            CONTENDED => Some(permits),
            free => Some(free.wrapping_add(permits)),
        });
    }

    /// True when the waiter has a permit; otherwise it will be woken when it has.
    fn wait_for_turn(&self, ticket: &mut Option<Ticket>, waker: &Waker) -> bool {
        self.waiters.with(|queue, wakes| {
            let is_notified = ticket
                .as_ref()
                .is_some_and(|ticket| !queue.is_waiting(ticket));
            let is_mine = is_notified || (ticket.is_none() && self.acquire_or_contend());
            if is_mine {
                queue.served(ticket, wakes);
            } else {
                queue.wait(ticket, waker, wakes);
            }
            is_mine
        })
    }

    /// Takes a permit (true) or makes the word CONTENDED (rule 2). Under the lock of the queue.
    fn acquire_or_contend(&self) -> bool {
        if is_broken("semaphore_joins_without_a_mark") {
            return self.try_acquire();
        }
        let before = self.update(Ordering::Acquire, |free| match free {
            // By rule 1 it stays so until this lock of the queue is given up.
            CONTENDED => None,
            NONE => Some(CONTENDED),
            free => Some(free - 1),
        });
        before.is_ok_and(|free| free != NONE)
    }

    #[inline]
    fn update(
        &self,
        order: Ordering,
        change: impl FnMut(usize) -> Option<usize>,
    ) -> Result<usize, usize> {
        self.word.fetch_update(order, Ordering::Relaxed, change)
    }
}

/// Waits for a permit. Dropped before it is ready, it gives up its place, and the permit too if it has one by then.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited or polled"]
pub(crate) struct Acquire<'a> {
    /// Whose permit is wanted.
    state: &'a SemaphoreState,
    /// The place in the queue, once none was free.
    ticket: Option<Ticket>,
}

impl Future for Acquire<'_> {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Acquire { state, ticket } = &mut *self;
        // Only a free permit is charged: whoever has to wait lets others run anyway.
        if ticket.is_none() && state.free() != NONE {
            ready!(budget::charge(cx));
            if state.try_acquire() {
                return Poll::Ready(());
            }
        }
        if state.wait_for_turn(ticket, cx.waker()) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl Acquire<'_> {
    /// Goes away: with a permit, if it has been given one meanwhile, to the next.
    #[cold]
    fn withdraw(&self, ticket: Ticket) {
        let state = self.state;
        state.waiters.with(|queue, wakes| {
            let has_one = match queue.leave(ticket, wakes) {
                Left::Waiting => false,
                Left::Notified => !is_broken("semaphore_dropped_waiter_keeps_it"),
            };
            if has_one {
                state.hand_over(1, queue, wakes);
            }
        });
    }
}

impl Drop for Acquire<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.withdraw(ticket);
        }
    }
}
