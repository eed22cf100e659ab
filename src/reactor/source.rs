//! One registered descriptor: what its events said, and who waits for more.
//!
//! ```text
//!  63        32 31    16 15            0
//! ┌────────────┬────────┬───────────────┐
//! │ generation │  tick  │   readiness   │   the state, one atomic word
//! └────────────┴────────┴───────────────┘
//! ```
//!
//! 1. Readiness is a *guess that errs towards ready*: a direction is marked until a call in it said `WouldBlock`. So the
//!    common call needs no atomic write, and none is made in vain more than once.
//! 2. Every event adds one to the tick. [`Source::clear`] takes a mark back only if the tick is the one seen before the
//!    call: an event that came in between is newer than the call's answer, and an edge is reported only once. (It would
//!    take 65,536 events between a call and its clear to be fooled.)
//! 3. A waiter is stored under the lock and only if its direction is not marked; an event marks first and then looks
//!    for waiters under the same lock. So one of the two sees the other.
//! 4. A life begins with `open`, which one at a time succeeds with, and ends with `release`. Between the two `close` changes
//!    the generation: an event for an earlier one changes nothing and wakes nobody.
//! 5. A short write clears WRITE, and a short read READ, but not once the peer has closed: then there may be no further
//!    event, though the next read would say "end". `READ_CLOSED` keeps that, and `PRIORITY` that a read may have ended at an
//!    urgent byte. Only `WouldBlock`, the kernel's own word, clears these two.
//!
//! The model is `loom_models/source.rs`; rules 2 to 4 have broken variants, which must fail there.

use std::io;
use std::task::Waker;

use super::waiters::{Place, Waiters};
use super::{lock, poller};
use crate::primitive::{AtomicU32, AtomicU64, Mutex, Ordering, is_broken};

/// Which source an event is for, and which of its lives: `generation << 32 | index`. The kernel keeps it with the descriptor.
pub(crate) type Key = u64;

/// The two ways to wait for a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// For data, the end of the stream, or a connection to accept.
    Read,
    /// For room, or a connection that is established.
    Write,
}

/// A set of marks; the low 16 bits of the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Readiness(u16);

impl Readiness {
    /// No mark.
    pub(crate) const NONE: Readiness = Readiness(0);
    /// A read may succeed.
    pub(crate) const READ: Readiness = Readiness(1);
    /// A write may succeed.
    pub(crate) const WRITE: Readiness = Readiness(1 << 1);
    /// Both.
    pub(crate) const BOTH: Readiness = Readiness(0b11);
    /// The peer will send no more (rule 5).
    pub(crate) const READ_CLOSED: Readiness = Readiness(1 << 2);
    /// An urgent byte came (rule 5).
    pub(crate) const PRIORITY: Readiness = Readiness(1 << 3);
    /// `poll_readable` has asked for a fresh report: READ, where it is set, is the answer.
    const READ_ASKED: Readiness = Readiness(1 << 4);
    /// The same for `poll_writable`.
    const WRITE_ASKED: Readiness = Readiness(1 << 5);
    /// The kernel has been told of the descriptor; set at most once in a life.
    const REGISTERED: Readiness = Readiness(1 << 6);
    /// Somebody has the descriptor here (rule 4).
    const OPEN: Readiness = Readiness(1 << 7);

    /// The marks of both sets.
    pub(crate) const fn and(self, other: Readiness) -> Readiness {
        Readiness(self.0 | other.0)
    }

    /// Whether all marks of `other` are here.
    pub(crate) const fn contains(self, other: Readiness) -> bool {
        self.0 & other.0 == other.0
    }
}

impl Direction {
    /// One after the other.
    pub(crate) const BOTH: [Direction; 2] = [Direction::Read, Direction::Write];

    /// The mark that says: try.
    pub(crate) const fn ready(self) -> Readiness {
        match self {
            Direction::Read => Readiness::READ,
            Direction::Write => Readiness::WRITE,
        }
    }

    /// The mark of a question under way.
    const fn asked(self) -> Readiness {
        match self {
            Direction::Read => Readiness::READ_ASKED,
            Direction::Write => Readiness::WRITE_ASKED,
        }
    }

    /// What `WouldBlock` takes back.
    const fn spent(self) -> Readiness {
        match self {
            Direction::Read => Readiness::READ
                .and(Readiness::READ_CLOSED)
                .and(Readiness::PRIORITY),
            Direction::Write => Readiness::WRITE,
        }
    }
}

/// A value of the state word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State(u64);

impl State {
    /// One tick.
    const TICK: u64 = 1 << 16;

    /// A source's first state in a life: ready for everything, since nobody has tried yet.
    const fn fresh(generation: u32) -> State {
        let marks = Readiness::BOTH.and(Readiness::OPEN);
        State((generation as u64) << 32 | marks.0 as u64)
    }

    /// How often the source was closed.
    const fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The marks.
    #[expect(clippy::cast_possible_truncation, reason = "the low bits of the word")]
    const fn readiness(self) -> Readiness {
        Readiness(self.0 as u16)
    }

    /// Whether all of these marks are set.
    const fn has(self, marks: Readiness) -> bool {
        self.readiness().contains(marks)
    }

    /// The same with these marks too.
    const fn with(self, marks: Readiness) -> State {
        State(self.0 | marks.0 as u64)
    }

    /// The same without these marks.
    const fn without(self, marks: Readiness) -> State {
        State(self.0 & !(marks.0 as u64))
    }

    /// The same one tick later; the tick wraps and leaves the generation alone.
    const fn ticked(self) -> State {
        State(self.0 & !(0xffff << 16) | self.0.wrapping_add(State::TICK) & (0xffff << 16))
    }

    /// Whether no event came and the source was not closed between the two.
    const fn same_tick(self, other: State) -> bool {
        self.0 & !0xffff == other.0 & !0xffff
    }

    /// Whether a call in `direction` is worth making.
    pub(crate) const fn is_ready(self, direction: Direction) -> bool {
        self.has(direction.ready())
    }

    /// Whether a call that moved fewer bytes than it wanted proves that the next would block (rule 5).
    pub(crate) const fn short_is_last(self, direction: Direction) -> bool {
        match direction {
            Direction::Read => !self.has(Readiness::READ_CLOSED) && !self.has(Readiness::PRIORITY),
            Direction::Write => true,
        }
    }
}

/// How [`Source::wait`] ended.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Wait {
    /// The waker is stored: the task will be woken.
    Stored,
    /// The direction is marked: try instead.
    Ready,
}

/// One registered descriptor.
#[derive(Debug)]
pub(crate) struct Source {
    /// Generation, tick and readiness, as drawn above.
    state: AtomicU64,
    /// Who waits. A lock and no lock-free list: it is taken once for an event and once for a wait, 10 ns beside a system
    /// call and a task switch.
    waiters: Mutex<Waiters>,
    /// This source's place in the table, which is its descriptor's number.
    index: u32,
    /// How many handles share the descriptor (`shared.rs`).
    owners: AtomicU32,
}

impl Source {
    /// A source that nobody has.
    pub(crate) fn new(index: u32) -> Source {
        Source {
            state: AtomicU64::new(0),
            waiters: Mutex::default(),
            index,
            owners: AtomicU32::new(0),
        }
    }

    /// How many handles share the descriptor.
    pub(crate) fn owners(&self) -> &AtomicU32 {
        &self.owners
    }

    /// This source's place in the table.
    pub(crate) fn index(&self) -> u32 {
        self.index
    }

    /// How often it was closed.
    pub(crate) fn generation(&self) -> u32 {
        self.state().generation()
    }

    /// The key of this life.
    pub(crate) fn key(&self) -> Key {
        Key::from(self.generation()) << 32 | Key::from(self.index)
    }

    /// Begins a life, in which everything is ready, as nobody has tried anything yet. False: somebody has it.
    #[must_use]
    pub(crate) fn open(&self) -> bool {
        self.change(|state| {
            let is_free = !state.has(Readiness::OPEN);
            is_free.then(|| State::fresh(state.generation()))
        })
        .is_some()
    }

    /// Lets the next one have it. The kernel no longer knows the descriptor.
    pub(crate) fn release(&self) {
        self.change(|state| Some(state.without(Readiness::OPEN)));
    }

    /// Makes the events of this life stale (rule 4) and hands out those who still waited; the caller wakes them.
    pub(crate) fn close(&self) -> Waiters {
        let mut waiters = lock(&self.waiters);
        self.state.fetch_add(1 << 32, Ordering::AcqRel);
        std::mem::take(&mut *waiters)
    }

    /// Whether the kernel knows the descriptor. To be asked by who closes, or within `arm` of [`wait`](Source::wait): elsewhere
    /// the answer may be old.
    pub(crate) fn is_registered(&self) -> bool {
        self.state().has(Readiness::REGISTERED)
    }

    /// The kernel knows the descriptor from now on.
    pub(crate) fn set_registered(&self) {
        self.change(|state| Some(state.with(Readiness::REGISTERED)));
    }

    /// What is known now. Read it before a call whose answer is handed to [`clear`](Source::clear).
    pub(crate) fn state(&self) -> State {
        State(self.state.load(Ordering::Acquire))
    }

    /// Takes in an event, and moves the wakers of those who waited for it to `woken`.
    pub(crate) fn report(&self, generation: u32, readiness: Readiness, woken: &mut Vec<Waker>) {
        let marked = self.change(|state| {
            (state.generation() == generation || is_broken("source_marks_a_later_life"))
                .then(|| state.ticked().with(readiness))
        });
        if marked.is_none() {
            return;
        }
        // A one-shot event has disarmed both directions; who waits for the other has to come and arm it again.
        let whom = if poller::ONESHOT {
            Readiness::BOTH
        } else {
            readiness
        };
        let mut waiters = lock(&self.waiters);
        // Closed and opened again since the mark: these waiters wait for another descriptor.
        if self.generation() == generation || is_broken("source_wakes_a_later_life") {
            waiters.take(whom, woken);
        }
    }

    /// After `WouldBlock`: the direction is not ready, unless an event came since `seen` (rule 2).
    pub(crate) fn clear(&self, direction: Direction, seen: State) {
        self.change(|state| {
            (state.same_tick(seen) || is_broken("source_clears_what_is_newer"))
                .then(|| state.without(direction.spent()))
        });
    }

    /// Before waiting for a fresh report: whatever is known of the direction is forgotten. True if there was something,
    /// so that the kernel has to be asked; else the next edge is due anyway.
    pub(crate) fn forget(&self, direction: Direction) -> bool {
        self.change(|state| Some(state.without(direction.ready())))
            .is_some_and(|before| before.is_ready(direction))
    }

    /// [`forget`](Source::forget) for callers that have no memory of their own: the mark ASKED remembers the question
    /// from one poll to the next.
    pub(crate) fn forget_once(&self, direction: Direction) -> bool {
        self.change(|state| {
            let asked = state.without(direction.ready()).with(direction.asked());
            (!state.has(direction.asked())).then_some(asked)
        })
        .is_some_and(|before| before.is_ready(direction))
    }

    /// The question has been answered: the next [`forget_once`](Source::forget_once) is a new one.
    pub(crate) fn answered(&self, direction: Direction) {
        self.change(|state| Some(state.without(direction.asked())));
    }

    /// Stores a waker, unless the direction has been marked meanwhile. `arm` is called under the lock, with all who
    /// wait: where an event disarms the descriptor, the last call must be the one that knows of all.
    ///
    /// # Errors
    ///
    /// What `arm` says.
    pub(crate) fn wait(
        &self,
        direction: Direction,
        place: &mut Place,
        waker: &Waker,
        arm: impl FnOnce(&Waiters) -> io::Result<()>,
    ) -> io::Result<Wait> {
        // Cloning is foreign code, so it is done before the lock, as dropping what was replaced is done after it.
        let waker = waker.clone();
        let looked_early =
            is_broken("source_looks_before_it_locks").then(|| self.state().is_ready(direction));
        let mut waiters = lock(&self.waiters);
        if looked_early.unwrap_or_else(|| self.state().is_ready(direction)) {
            return Ok(Wait::Ready);
        }
        let replaced = waiters.store(direction, place, waker);
        let crowded_out = waiters.crowd_out(direction);
        let armed = arm(&waiters);
        drop(waiters);
        drop(replaced);
        if let Some(waker) = crowded_out {
            waker.wake();
        }
        armed.map(|()| Wait::Stored)
    }

    /// Removes the waker of a future that is dropped while it waits.
    pub(crate) fn leave(&self, place: &Place) {
        let waker = lock(&self.waiters).remove(place);
        drop(waker);
    }

    /// Replaces the state as `change` says, until it wants no change; what stood before, if it was changed.
    fn change(&self, mut change: impl FnMut(State) -> Option<State>) -> Option<State> {
        self.state
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |state| {
                change(State(state)).map(|state| state.0)
            })
            .ok()
            .map(State)
    }
}

#[cfg(all(test, not(parklet_loom)))]
mod tests {
    use super::*;

    /// An open source, whose readiness is as after `WouldBlock` in both directions.
    fn drained() -> Source {
        let source = Source::new(0);
        assert!(source.open());
        source.clear(Direction::Read, source.state());
        source.clear(Direction::Write, source.state());
        source
    }

    /// Stores `waker` as a `poll_` function does.
    fn wait(source: &Source, direction: Direction, waker: &Waker) -> Wait {
        let mut nobody = Place::NOBODY;
        source
            .wait(direction, &mut nobody, waker, |_| Ok(()))
            .unwrap()
    }

    /// How many wakers an event takes out.
    fn report(source: &Source, readiness: Readiness) -> usize {
        let mut woken = Vec::new();
        source.report(source.generation(), readiness, &mut woken);
        woken.len()
    }

    #[test]
    fn the_state_is_laid_out_as_drawn() {
        let state = State(0x0123_4567_89ab_0005);
        assert_eq!(state.generation(), 0x0123_4567);
        assert_eq!(
            state.readiness(),
            Readiness::READ.and(Readiness::READ_CLOSED)
        );
        assert_eq!(state.ticked(), State(0x0123_4567_89ac_0005));
        let last_tick = State(0x0123_4567_ffff_0003);
        assert_eq!(last_tick.ticked(), State(0x0123_4567_0000_0003));
        assert_eq!(State::fresh(7), State(0x0000_0007_0000_0083));
    }

    #[test]
    fn an_idle_descriptor_costs_little() {
        assert_eq!(size_of::<Source>(), 48);
    }

    #[test]
    fn a_fresh_source_is_ready_for_the_first_try() {
        let source = Source::new(0);
        assert!(source.open());
        assert_eq!(wait(&source, Direction::Read, Waker::noop()), Wait::Ready);
        assert_eq!(wait(&source, Direction::Write, Waker::noop()), Wait::Ready);
    }

    #[test]
    fn an_event_during_the_call_outlives_its_would_block() {
        let source = drained();
        let seen = source.state();
        report(&source, Readiness::READ);
        source.clear(Direction::Read, seen);
        assert!(source.state().is_ready(Direction::Read));

        let seen = source.state();
        source.clear(Direction::Read, seen);
        assert!(!source.state().is_ready(Direction::Read));
    }

    #[test]
    fn a_clear_of_one_direction_leaves_the_other() {
        let source = Source::new(0);
        assert!(source.open());
        let seen = source.state();
        source.clear(Direction::Write, seen);
        source.clear(Direction::Read, seen);
        let state = source.state();
        assert!(!state.has(Readiness::READ) && !state.has(Readiness::WRITE));
        report(&source, Readiness::BOTH);
        source.clear(Direction::Read, source.state());
        assert!(source.state().is_ready(Direction::Write));
    }

    #[test]
    fn would_block_clears_what_a_short_read_must_not_trust() {
        for mark in [Readiness::READ_CLOSED, Readiness::PRIORITY] {
            let source = drained();
            assert!(source.state().short_is_last(Direction::Read));
            report(&source, Readiness::READ.and(mark));
            assert!(!source.state().short_is_last(Direction::Read));
            source.clear(Direction::Read, source.state());
            assert!(source.state().short_is_last(Direction::Read), "{mark:?}");
        }
    }

    #[test]
    fn an_event_wakes_those_who_wait_for_it() {
        let source = drained();
        assert_eq!(wait(&source, Direction::Read, Waker::noop()), Wait::Stored);
        // One-shot, it has to come back to arm for reading again.
        assert_eq!(report(&source, Readiness::WRITE) == 1, poller::ONESHOT);
        assert_eq!(report(&source, Readiness::READ) == 1, !poller::ONESHOT);
        assert_eq!(report(&source, Readiness::READ), 0, "woken once");
    }

    #[test]
    fn an_event_for_an_earlier_life_wakes_nobody() {
        let source = drained();
        let stale = source.generation();
        source.close();
        assert!(!source.open(), "somebody has it still");
        source.release();
        assert!(source.open());
        source.clear(Direction::Read, source.state());
        assert_eq!(wait(&source, Direction::Read, Waker::noop()), Wait::Stored);

        let before = source.state();
        let mut woken = Vec::new();
        source.report(stale, Readiness::BOTH, &mut woken);
        assert!(woken.is_empty());
        assert_eq!(source.state(), before);
    }

    #[test]
    fn closing_hands_out_all_who_wait() {
        let source = drained();
        assert_eq!(wait(&source, Direction::Read, Waker::noop()), Wait::Stored);
        assert_eq!(wait(&source, Direction::Write, Waker::noop()), Wait::Stored);
        let mut woken = Vec::new();
        source.close().take(Readiness::BOTH, &mut woken);
        assert_eq!(woken.len(), 2);
    }

    #[test]
    fn a_question_is_asked_once_until_it_is_answered() {
        let source = drained();
        report(&source, Readiness::READ);
        assert!(source.forget_once(Direction::Read), "what was known is old");
        assert!(!source.forget_once(Direction::Read));
        report(&source, Readiness::READ);
        assert!(!source.forget_once(Direction::Read));
        assert!(source.state().is_ready(Direction::Read), "the answer");
        source.answered(Direction::Read);
        assert!(source.forget_once(Direction::Read), "a new question");
    }
}
