//! Who holds an async mutex, and who is next: its word and its queue, without the value.
//!
//! ```text
//!              try_acquire                    wait_for_turn
//!   ┌──────┐ ────────────────► ┌──────┐ ──────────────────────► ┌───────────┐
//!   │ FREE │                   │ HELD │                         │ CONTENDED │──┐ release: the first
//!   └──────┘ ◄──────────────── └──────┘ ◄────────────────────── └───────────┘◄─┘ waiter holds it now
//!      ▲         release                 release: the first waiter    │
//!      │                                 holds it now, nobody waits   │
//!      └──────────────────────────────────────────────────────────────┘
//!                     release: those who waited have all gone away
//! ```
//!
//! 1. The lock is held from the arrow that leaves FREE until the one that comes back. In between it only changes hands.
//! 2. The arrows between FREE and HELD are one compare-and-swap without the queue: two for a lock and unlock that meet
//!    nobody. All arrows from and to CONTENDED are taken under the lock of the queue.
//! 3. A waiter makes the word CONTENDED *before* it joins the queue, in the same critical section. So a release either
//!    comes first, and the waiter sees FREE, or finds CONTENDED, and comes to the queue, where the waiter is by then.
//! 4. A release hands the lock over: the word does not become FREE, and the notified waiter holds the lock from that
//!    moment, polled or not. So the order is first come, first served, and nobody starves. A waiter that is dropped
//!    after that releases in its turn (rule 4 of `wait_queue.rs`).
//! 5. Beside the word stands the number of the ticket that the lock was handed to last. No number is given twice, so a
//!    waiter that reads its own there holds the lock, and need not ask the queue.
//!
//! Ordering: `release` publishes what was done under the lock, by the word or by the number, and taking it acquires that.
//!
//! async-lock lets a newcomer snatch the lock from under a waiter's nose, and after 500 us of that switches to a fair
//! mode. Measured here, handing over costs nothing, and it needs no clock.

use super::wait_queue::{Left, Ticket, WaitQueue};
use super::waking_lock::{Wakes, WakingLock};
use crate::budget;
use crate::primitive::{AtomicU8, AtomicU64, Ordering, is_broken};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

/// Nobody holds the lock, nobody waits.
const FREE: u8 = 0;

/// Somebody holds it, nobody waits.
const HELD: u8 = 1;

/// Somebody holds it, and somebody has joined the queue since.
const CONTENDED: u8 = 2;

/// A lock that tasks wait for, with nothing in it.
#[derive(Debug)]
pub(crate) struct MutexState {
    /// FREE, HELD or CONTENDED.
    word: AtomicU8,
    /// The number of the ticket that it was handed to last (rule 5).
    handed_to: AtomicU64,
    /// Those who wait for their turn; its lock also guards the arrows of CONTENDED.
    waiters: WakingLock<WaitQueue>,
}

impl MutexState {
    #[cfg(not(parklet_loom))]
    pub(crate) const fn new() -> MutexState {
        MutexState {
            word: AtomicU8::new(FREE),
            handed_to: AtomicU64::new(0),
            waiters: WakingLock::new(WaitQueue::new()),
        }
    }

    /// Loom's atomics have no const constructors.
    #[cfg(parklet_loom)]
    pub(crate) fn new() -> MutexState {
        MutexState {
            word: AtomicU8::new(FREE),
            handed_to: AtomicU64::new(0),
            waiters: WakingLock::new(WaitQueue::new()),
        }
    }

    /// Takes the lock if it is free; a lock that was handed over is not.
    #[inline]
    pub(crate) fn try_acquire(&self) -> bool {
        self.swap(FREE, HELD, Ordering::Acquire).is_ok()
    }

    /// Waits for the lock; once this is ready, the lock is held until `release`.
    #[inline]
    pub(crate) fn acquire(&self) -> Acquire<'_> {
        Acquire {
            state: self,
            ticket: None,
        }
    }

    /// Gives the lock up, to the first waiter if there is one. Only who holds it may call this.
    #[inline]
    pub(crate) fn release(&self) {
        let order = if is_broken("mutex_release_is_relaxed") {
            Ordering::Relaxed
        } else {
            Ordering::Release
        };
        // Looked at first: a compare-and-swap that fails costs as much as one that succeeds.
        if self.word.load(Ordering::Relaxed) == CONTENDED || self.swap(HELD, FREE, order).is_err() {
            self.release_contended();
        }
    }

    #[cold]
    fn release_contended(&self) {
        self.waiters
            .with(|queue, wakes| self.hand_over(queue, wakes));
    }

    /// The lock goes to the first waiter, or becomes free. Under the lock of the queue.
    fn hand_over(&self, queue: &mut WaitQueue, wakes: &mut Wakes) {
        let Some(next) = queue.next_number() else {
            self.word.store(FREE, Ordering::Release);
            return;
        };
        let order = if is_broken("mutex_hands_over_relaxed") {
            Ordering::Relaxed
        } else {
            Ordering::Release
        };
        self.handed_to.store(next.get(), order);
        queue.notify_one(wakes);
        if queue.is_empty() || is_broken("mutex_forgets_who_waits") {
            self.word.store(HELD, Ordering::Relaxed);
        }
    }

    /// True when the lock is the waiter's; otherwise it will be woken when it is.
    fn wait_for_turn(&self, ticket: &mut Option<Ticket>, waker: &Waker) -> bool {
        let handed_to = self.handed_to.load(Ordering::Acquire);
        if ticket
            .take_if(|ticket| ticket.number().get() == handed_to)
            .is_some()
        {
            return true;
        }
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

    /// Takes the lock (true) or makes the word CONTENDED (rule 3). Under the lock of the queue.
    fn acquire_or_contend(&self) -> bool {
        if is_broken("mutex_joins_without_a_mark") {
            return self.try_acquire();
        }
        loop {
            // By rule 2 CONTENDED stays until this lock of the queue is given up, so then nothing is left to do.
            let (is_over, is_mine) = match self.word.load(Ordering::Relaxed) {
                CONTENDED => (true, false),
                HELD => (self.swap(HELD, CONTENDED, Ordering::Relaxed).is_ok(), false),
                _free => (self.try_acquire(), true),
            };
            // Otherwise somebody took it or gave it up in between: look again.
            if is_over {
                return is_mine;
            }
        }
    }

    #[inline]
    fn swap(&self, from: u8, to: u8, order: Ordering) -> Result<u8, u8> {
        self.word
            .compare_exchange(from, to, order, Ordering::Relaxed)
    }
}

/// Waits for the lock. Dropped before it is ready, it gives up its place, and the lock too if it has it by then.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited or polled"]
pub(crate) struct Acquire<'a> {
    /// The lock that is wanted.
    state: &'a MutexState,
    /// The place in the queue, once it was not free.
    ticket: Option<Ticket>,
}

impl Future for Acquire<'_> {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Acquire { state, ticket } = &mut *self;
        // Only a free lock is charged: whoever has to wait lets others run anyway.
        if ticket.is_none() && state.word.load(Ordering::Relaxed) == FREE {
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
    /// Goes away: with the lock, if it has been handed over meanwhile, to the next.
    #[cold]
    fn withdraw(&self, ticket: Ticket) {
        let state = self.state;
        state.waiters.with(|queue, wakes| {
            let is_handed_over = match queue.leave(ticket, wakes) {
                Left::Waiting => false,
                Left::Notified => !is_broken("mutex_dropped_waiter_keeps_it"),
            };
            if is_handed_over {
                state.hand_over(queue, wakes);
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
