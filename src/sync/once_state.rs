//! Whether a cell that is filled once is empty, being filled, or full: its word and its queues, without the value.
//!
//! ```text
//!             begin                 fill
//!   ┌───────┐ ────────► ┌─────────┐ ────► ┌──────┐
//!   │ EMPTY │           │ FILLING │──┐    │ FULL │
//!   └───────┘ ◄──────── └─────────┘◄─┘    └──────┘
//!             give_up:              give_up: the first who
//!             nobody waits          waits to fill does it now
//! ```
//!
//! 1. Who made FILLING, or was given it, has a [`Filling`], and alone touches the value, until it fills or gives up. To
//!    drop a `Filling` is to give up, so a panic or a dropped initializer does too.
//! 2. FULL is for good, and set when the value is there: from then on it is only read. (Who has `&mut` may empty it.)
//! 3. All arrows from FILLING are taken under the lock of the queues, and so does a waiter look at the word and join.
//! 4. Giving up hands over: the word stays FILLING, and the notified waiter has it, polled or not. One that is dropped
//!    after that gives up in its turn. Filling wakes all, those who wait to fill and those who only wait.
//!
//! Ordering: `fill` publishes the value by the word, and who finds FULL acquires it.

use super::wait_queue::{Left, Ticket, WaitQueue};
use super::waking_lock::{Wakes, WakingLock};
use crate::budget;
use crate::primitive::{AtomicU8, Ordering, is_broken};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// There is no value, and nobody makes one.
const EMPTY: u8 = 0;

/// Somebody makes a value.
const FILLING: u8 = 1;

/// There is a value.
const FULL: u8 = 2;

/// A cell that is filled once, with nothing in it.
#[derive(Debug)]
pub(crate) struct OnceState {
    /// EMPTY, FILLING or FULL.
    word: AtomicU8,
    /// Who waits; the lock also guards the arrows from FILLING.
    waiters: WakingLock<OnceWaiters>,
}

/// Who waits for a cell.
#[derive(Debug)]
struct OnceWaiters {
    /// To fill it, or to find it full.
    fillers: WaitQueue,
    /// To find it full.
    watchers: WaitQueue,
}

impl OnceWaiters {
    const fn new() -> OnceWaiters {
        OnceWaiters {
            fillers: WaitQueue::new(),
            watchers: WaitQueue::new(),
        }
    }
}

impl OnceState {
    #[cfg(not(parklet_loom))]
    pub(crate) const fn new(is_full: bool) -> OnceState {
        OnceState {
            word: AtomicU8::new(if is_full { FULL } else { EMPTY }),
            waiters: WakingLock::new(OnceWaiters::new()),
        }
    }

    /// Loom's atomics have no const constructors.
    #[cfg(parklet_loom)]
    pub(crate) fn new(is_full: bool) -> OnceState {
        OnceState {
            word: AtomicU8::new(if is_full { FULL } else { EMPTY }),
            waiters: WakingLock::new(OnceWaiters::new()),
        }
    }

    /// Whether there is a value, which the caller may read then.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.word.load(Ordering::Acquire) == FULL
    }

    /// The value has been taken out by who has the cell alone.
    pub(crate) fn empty(&mut self) {
        self.word.store(EMPTY, Ordering::Relaxed);
    }

    /// Lets the caller fill, if it is empty and nobody does.
    pub(crate) fn try_begin(&self) -> Option<Filling<'_>> {
        let begun =
            self.word
                .compare_exchange(EMPTY, FILLING, Ordering::Acquire, Ordering::Relaxed);
        // Not `then_some`: one that is made in vain would give up in another's name.
        begun.is_ok().then(|| Filling { state: Some(self) })
    }

    /// Waits until the caller may fill (`Some`), or finds it full (`None`).
    pub(crate) fn begin(&self) -> Begin<'_> {
        Begin {
            state: self,
            ticket: None,
        }
    }

    /// Waits until it is full.
    pub(crate) fn watch(&self) -> Watch<'_> {
        Watch {
            state: self,
            ticket: None,
        }
    }

    /// Under the lock of the queues.
    fn give_up(&self, waiters: &mut OnceWaiters, wakes: &mut Wakes) {
        if is_broken("once_gives_up_to_nobody") || !waiters.fillers.notify_one(wakes) {
            self.word.store(EMPTY, Ordering::Release);
        }
    }
}

/// The right to fill a cell. Dropped, it gives up.
#[derive(Debug)]
#[must_use = "dropped, it gives up"]
pub(crate) struct Filling<'a> {
    /// What is being filled; `None` once it is.
    state: Option<&'a OnceState>,
}

impl Filling<'_> {
    /// The value is there.
    pub(crate) fn fill(mut self) {
        let Some(state) = self.state.take() else {
            return;
        };
        let order = if is_broken("once_fills_relaxed") {
            Ordering::Relaxed
        } else {
            Ordering::Release
        };
        state.waiters.with(|waiters, wakes| {
            state.word.store(FULL, order);
            if is_broken("once_fills_quietly") {
                return;
            }
            waiters.fillers.notify_all(wakes);
            waiters.watchers.notify_all(wakes);
        });
    }
}

impl Drop for Filling<'_> {
    fn drop(&mut self) {
        if let Some(state) = self.state
            && !is_broken("once_dropped_filler_keeps_it")
        {
            state
                .waiters
                .with(|waiters, wakes| state.give_up(waiters, wakes));
        }
    }
}

/// Waits to fill a cell or to find it full. Dropped before it is ready, it gives up its place, and the right to fill if
/// it has that by then.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited or polled"]
pub(crate) struct Begin<'a> {
    /// The cell.
    state: &'a OnceState,
    /// The place in the queue, once somebody else was filling.
    ticket: Option<Ticket>,
}

impl<'a> Future for Begin<'a> {
    type Output = Option<Filling<'a>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Filling<'a>>> {
        let Begin { state, ticket } = &mut *self;
        let state: &'a OnceState = state;
        // Only what can be had is charged: whoever has to wait lets others run anyway.
        if ticket.is_none() && state.word.load(Ordering::Relaxed) == EMPTY {
            ready!(budget::charge(cx));
        }
        state.waiters.with(|waiters, wakes| {
            let fillers = &mut waiters.fillers;
            let is_handed_over = ticket
                .as_ref()
                .is_some_and(|ticket| !fillers.is_waiting(ticket));
            let begun = if state.is_full() {
                None
            } else if is_handed_over {
                Some(Filling { state: Some(state) })
            } else if let Some(filling) = state.try_begin() {
                // Only without a ticket: the word is not EMPTY while somebody waits to fill.
                Some(filling)
            } else {
                fillers.wait(ticket, cx.waker(), wakes);
                return Poll::Pending;
            };
            fillers.served(ticket, wakes);
            Poll::Ready(begun)
        })
    }
}

impl Drop for Begin<'_> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket.take() else {
            return;
        };
        let state = self.state;
        state.waiters.with(|waiters, wakes| {
            let is_handed_over = match waiters.fillers.leave(ticket, wakes) {
                Left::Waiting => false,
                Left::Notified => !state.is_full(),
            };
            if is_handed_over && !is_broken("once_dropped_waiter_keeps_it") {
                state.give_up(waiters, wakes);
            }
        });
    }
}

/// Waits until a cell is full.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited or polled"]
pub(crate) struct Watch<'a> {
    /// The cell.
    state: &'a OnceState,
    /// The place in the queue, once it was not.
    ticket: Option<Ticket>,
}

impl Future for Watch<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Watch { state, ticket } = &mut *self;
        if state.is_full() {
            // Who filled it has taken the place out of the queue.
            *ticket = None;
            return Poll::Ready(());
        }
        state.waiters.with(|waiters, wakes| {
            if state.is_full() {
                waiters.watchers.served(ticket, wakes);
                return Poll::Ready(());
            }
            waiters.watchers.wait(ticket, cx.waker(), wakes);
            Poll::Pending
        })
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            // Everybody is notified at once, so there is no turn to pass on.
            let (Left::Waiting | Left::Notified) = self
                .state
                .waiters
                .with(|waiters, wakes| waiters.watchers.leave(ticket, wakes));
        }
    }
}
