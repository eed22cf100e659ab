//! Who reads, who writes, and who is next: a read-write lock's word and queues, without the value.
//!
//! ```text
//!                    read                       claim
//!   ┌──────┐ ───────────────────► ┌─────────┐ ─────────► ┌──────────┐
//!   │ FREE │ ◄─────────────────── │ READING │            │ DRAINING │
//!   └──────┘   the last one       └─────────┘ ◄───────── └──────────┘
//!    │    ▲    stops reading           ▲       unclaim        │
//!    │    │                            │                      │ the last one stops reading
//!    │    │ unclaim: nobody            │ unclaim: all who     ▼
//!    │    │ waits to read              │ wait read now   ┌─────────┐
//!    │    └────────────────────────────┴──────────────── │ WRITING │
//!    └──────────────────────────────────────────────────►└─────────┘
//!                              claim
//! ```
//!
//! The word is the number of readers, and the marks CLAIMED (DRAINING or WRITING) and AWAITED. Beside it stands
//! the *turn*, a mutex: who wants to write waits for it in line with the others who do, and so does an upgradable
//! reader, who may want to write.
//!
//! 1. Only who has the turn claims, and unclaims before giving the turn up. So there is one writer or upgradable reader
//!    at a time, and they come in the order of asking (rule 4 of `mutex_state.rs`).
//! 2. While CLAIMED stands nobody begins to read: readers only become fewer. Once there are none, the claimer alone
//!    touches the value, until it unclaims. Who is counted, or has the turn without a claim, may read.
//! 3. Who unclaims lets in all who wait to read at that moment, in the same step: a notified reader is counted from then
//!    on, polled or not, and one that is dropped after that stops reading.
//! 4. A reader sets AWAITED in the critical section in which it joins the queue, and finds CLAIMED there; CLAIMED
//!    with AWAITED is taken away under the same lock. A claimer looks for readers and joins under it, too, and the
//!    last reader comes to it after it has stopped. So neither is missed.
//!
//! By 2 and 3 nobody starves: a claimer waits for those who read already, and a reader for one claimer at the most.
//! Brandenburg and Anderson call this phase-fair ("Spin-based reader-writer synchronization for multiprocessor real-time
//! systems", 2010). async-lock's writers have their turn in the same way; its readers race each other and the next
//! writer when one has ended.
//!
//! Ordering: who stops reading or writing publishes that by the word or by the lock of the queues, and who begins to
//! acquires it. All changes of the word are read-modify-writes, so one acquires from all who stopped before.

use super::mutex_state::{Acquire, MutexState};
use super::wait_queue::{Left, Ticket, WaitQueue};
use super::waking_lock::WakingLock;
use crate::budget;
use crate::primitive::{AtomicUsize, Ordering, is_broken};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

/// Somebody writes, or waits for the readers to stop.
const CLAIMED: usize = 0b01;

/// Somebody waits to read; only together with CLAIMED.
const AWAITED: usize = 0b10;

/// One reader.
const READER: usize = 0b100;

/// More readers are refused. Half of what the word can count, so that those who were let in without being asked (rule 3)
/// have room.
const MAX_READERS: usize = usize::MAX / READER / 2;

/// A read-write lock with nothing in it.
#[derive(Debug)]
pub(crate) struct RwLockState {
    /// How many read, and the marks.
    word: AtomicUsize,
    /// Who may claim.
    turn: MutexState,
    /// Those who wait while there is a claim; its lock also guards AWAITED.
    waiters: WakingLock<RwLockWaiters>,
}

/// Who waits, apart from those who wait for their turn.
#[derive(Debug)]
struct RwLockWaiters {
    /// To read.
    readers: WaitQueue,
    /// For the readers to stop: there is one claimer at a time. A turn in this queue is a hint to look again.
    claimer: WaitQueue,
}

impl RwLockWaiters {
    const fn new() -> RwLockWaiters {
        RwLockWaiters {
            readers: WaitQueue::new(),
            claimer: WaitQueue::new(),
        }
    }
}

/// What who unclaims does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AndThen {
    /// Reads on, counted from the moment of the unclaim.
    Read,
    /// Does not.
    Stop,
}

impl RwLockState {
    #[cfg(not(parklet_loom))]
    pub(crate) const fn new() -> RwLockState {
        RwLockState {
            word: AtomicUsize::new(0),
            turn: MutexState::new(),
            waiters: WakingLock::new(RwLockWaiters::new()),
        }
    }

    /// Loom's atomics have no const constructors.
    #[cfg(parklet_loom)]
    pub(crate) fn new() -> RwLockState {
        RwLockState {
            word: AtomicUsize::new(0),
            turn: MutexState::new(),
            waiters: WakingLock::new(RwLockWaiters::new()),
        }
    }

    /// Begins to read, if there is no claim.
    #[inline]
    pub(crate) fn try_read(&self) -> bool {
        let is_let_in = |word| word & CLAIMED == 0 || is_broken("rw_lock_claim_is_overlooked");
        self.update(Ordering::Acquire, |word| {
            is_let_in(word).then(|| with_reader(word))
        })
        .is_ok()
    }

    /// Waits to read; once this is ready, the caller is counted until `stop_reading`.
    #[inline]
    pub(crate) fn read(&self) -> Read<'_> {
        Read {
            state: self,
            ticket: None,
        }
    }

    /// Stops reading. Only who is counted may call this.
    #[inline]
    pub(crate) fn stop_reading(&self) {
        let order = if is_broken("rw_lock_reader_stops_relaxed") {
            Ordering::Relaxed
        } else {
            Ordering::Release
        };
        let before = self.word.fetch_sub(READER, order);
        if before & CLAIMED != 0 && before / READER == 1 {
            self.rouse_claimer();
        }
    }

    #[cold]
    fn rouse_claimer(&self) {
        self.waiters.with(|waiters, wakes| {
            waiters.claimer.notify_one(wakes);
        });
    }

    /// Takes the turn if nobody has it.
    #[inline]
    pub(crate) fn try_take_turn(&self) -> bool {
        self.turn.try_acquire()
    }

    /// Waits for the turn; once this is ready, it is the caller's until `pass_turn_on`.
    #[inline]
    pub(crate) fn take_turn(&self) -> Acquire<'_> {
        self.turn.acquire()
    }

    /// Gives the turn up. Only who has it, without a claim, may call this.
    #[inline]
    pub(crate) fn pass_turn_on(&self) {
        self.turn.release();
    }

    /// Claims, if nobody reads. Only who has the turn may call this.
    #[inline]
    pub(crate) fn try_claim(&self) -> bool {
        // By rule 1 there is no claim, so no mark: the word is the count.
        self.word
            .compare_exchange(0, CLAIMED, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    /// Claims, and waits until nobody reads. Only who has the turn may call this, and gives it into the future: dropped
    /// before it is ready, that unclaims and passes the turn on.
    #[inline]
    pub(crate) fn claim(&self) -> Claim<'_> {
        Claim {
            state: Some(self),
            is_claimed: false,
            ticket: None,
        }
    }

    /// Ends a claim. Only who has claimed may call this; it keeps the turn.
    #[inline]
    pub(crate) fn unclaim(&self, and_then: AndThen) {
        let order = if is_broken("rw_lock_writer_stops_relaxed") {
            Ordering::Relaxed
        } else {
            Ordering::Release
        };
        let own = match and_then {
            AndThen::Read => READER,
            AndThen::Stop => 0,
        };
        let unclaimed = self
            .word
            .compare_exchange(CLAIMED, own, order, Ordering::Relaxed);
        if unclaimed.is_err() {
            self.let_readers_in(own);
        }
    }

    /// Ends a claim, and passes the turn on. Only who has claimed may call this.
    #[inline]
    pub(crate) fn stop_writing(&self, and_then: AndThen) {
        /// Passed on also if a waker panics that `unclaim` calls.
        struct Turn<'a>(&'a RwLockState);

        impl Drop for Turn<'_> {
            fn drop(&mut self) {
                self.0.pass_turn_on();
            }
        }

        let _turn = Turn(self);
        self.unclaim(and_then);
    }

    /// Unclaims where somebody waits to read, or, if the claim is given up, where somebody reads still.
    #[cold]
    fn let_readers_in(&self, own: usize) {
        self.waiters.with(|waiters, wakes| {
            let mut let_in = own;
            while waiters.readers.notify_one(wakes) {
                let_in += READER;
                if is_broken("rw_lock_lets_one_reader_in") {
                    break;
                }
            }
            let _before = self.update(Ordering::Release, |word| {
                Some((word & !(CLAIMED | AWAITED)).wrapping_add(let_in))
            });
        });
    }

    /// True when the waiter is counted; otherwise it will be woken when it is.
    fn wait_to_read(&self, ticket: &mut Option<Ticket>, waker: &Waker) -> bool {
        self.waiters.with(|waiters, wakes| {
            let readers = &mut waiters.readers;
            let is_in = match ticket {
                Some(ticket) => !readers.is_waiting(ticket),
                None => self.read_or_mark(),
            };
            if is_in {
                readers.served(ticket, wakes);
            } else {
                readers.wait(ticket, waker, wakes);
            }
            is_in
        })
    }

    /// Begins to read (true) or sets AWAITED (rule 4). Under the lock of the queues.
    fn read_or_mark(&self) -> bool {
        if is_broken("rw_lock_reader_joins_without_a_mark") {
            return self.try_read();
        }
        let before = self.update(Ordering::Acquire, |word| {
            Some(match word & CLAIMED {
                0 => with_reader(word),
                _ => word | AWAITED,
            })
        });
        before.is_ok_and(|word| word & CLAIMED == 0)
    }

    /// True when nobody reads; otherwise the claimer will be woken when it may be so.
    fn wait_for_readers(&self, ticket: &mut Option<Ticket>, waker: &Waker) -> bool {
        let is_drained = || self.word.load(Ordering::Acquire) / READER == 0;
        let seen_before = is_broken("rw_lock_writer_looks_before_it_joins").then(is_drained);
        self.waiters.with(|waiters, wakes| {
            let is_alone = seen_before.unwrap_or_else(is_drained);
            if is_alone {
                waiters.claimer.served(ticket, wakes);
            } else {
                waiters.claimer.wait(ticket, waker, wakes);
            }
            is_alone
        })
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

/// The word with one more reader.
#[inline]
fn with_reader(word: usize) -> usize {
    assert!(
        word / READER < MAX_READERS,
        "cannot read: there are {MAX_READERS} readers; are their guards forgotten?"
    );
    word + READER
}

/// Waits to read. Dropped before it is ready, it gives up its place, and stops reading if it has been let in by then.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited or polled"]
pub(crate) struct Read<'a> {
    /// The lock that is wanted.
    state: &'a RwLockState,
    /// The place in the queue, once there was a claim.
    ticket: Option<Ticket>,
}

impl Future for Read<'_> {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Read { state, ticket } = &mut *self;
        // Only a lock that can be had is charged: whoever has to wait lets others run anyway.
        if ticket.is_none() && state.word.load(Ordering::Relaxed) & CLAIMED == 0 {
            ready!(budget::charge(cx));
            if state.try_read() {
                return Poll::Ready(());
            }
        }
        if state.wait_to_read(ticket, cx.waker()) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl Read<'_> {
    #[cold]
    fn withdraw(&self, ticket: Ticket) {
        let left = self
            .state
            .waiters
            .with(|waiters, wakes| waiters.readers.leave(ticket, wakes));
        match left {
            Left::Waiting => {}
            Left::Notified if is_broken("rw_lock_dropped_reader_stays_counted") => {}
            Left::Notified => self.state.stop_reading(),
        }
    }
}

impl Drop for Read<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.withdraw(ticket);
        }
    }
}

/// Waits, with the turn, until nobody reads. Dropped before it is ready, it unclaims and passes the turn on.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited or polled"]
pub(crate) struct Claim<'a> {
    /// The lock that is wanted; `None` once it is the caller's.
    state: Option<&'a RwLockState>,
    /// Whether CLAIMED has been set.
    is_claimed: bool,
    /// The place in the queue, once somebody was reading.
    ticket: Option<Ticket>,
}

impl Future for Claim<'_> {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Claim {
            state,
            is_claimed,
            ticket,
        } = &mut *self;
        let Some(lock) = *state else {
            return Poll::Ready(());
        };
        if !*is_claimed {
            *is_claimed = true;
            if lock.word.fetch_or(CLAIMED, Ordering::Acquire) / READER == 0 {
                *state = None;
                return Poll::Ready(());
            }
        }
        if lock.wait_for_readers(ticket, cx.waker()) {
            *state = None;
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl Drop for Claim<'_> {
    #[inline]
    fn drop(&mut self) {
        let Some(lock) = self.state else { return };
        if let Some(ticket) = self.ticket.take() {
            // Only a hint can be lost with it, and it was for this claimer.
            let (Left::Waiting | Left::Notified) = lock
                .waiters
                .with(|waiters, wakes| waiters.claimer.leave(ticket, wakes));
        }
        if self.is_claimed && !is_broken("rw_lock_dropped_claim_stays") {
            lock.stop_writing(AndThen::Stop);
        } else {
            lock.pass_turn_on();
        }
    }
}
