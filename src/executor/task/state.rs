//! The state word of one task: who may touch the future, and when.
//!
//! ```text
//!              spawn
//!                │
//!                ▼
//!          ┌───────────┐  begin_run  ┌─────────┐   finish   ┌──────┐
//!    ┌────►│ SCHEDULED ├────────────►│ RUNNING ├───────────►│ DONE │
//!    │     └───────────┘    claim    └─┬──┬──▲─┘            └──────┘
//!    │                         end_run │  │  │ begin_run
//!    │                                 │  │ ┌┴────────┐
//!    │ wake                            │  └►│ put off │ RUNNING still, but in a queue
//!    │ abort                           ▼    └─────────┘
//!    │                             ┌──────┐ claim
//!    └─────────────────────────────┤ IDLE ├───────► RUNNING
//!                                  └──────┘
//! ```
//!
//! The phase is IDLE when none of the three phase bits is set. Beside it the word holds marks and the reference count, and
//! lodges a part of the task's id, which never changes:
//!
//! ```text
//!   63 ... 32  │ 31 ... 8 │   7   │   6    │   5    │    4    │   3   │  2   │    1    │     0
//!   references │  id_high │ NAMED │ JOINER │ HANDLE │ ABORTED │ WOKEN │ DONE │ RUNNING │ SCHEDULED
//! ```
//!
//! 1. Only who has the *run* touches the future: the thread that made `begin_run` or `claim` succeed, until its `finish` or
//!    its `end_run`. A run that is put off travels with the queue entry, to the next `begin_run`.
//! 2. A task is in at most one queue: it is pushed by an arrow into SCHEDULED, or with its run by the thread that has the
//!    run, and `begin_run` follows its pop. (`claim` leaves SCHEDULED set beside RUNNING while there is an entry, which is
//!    thereby void: whoever pops it finds that the run is not his.)
//! 3. `wake` during RUNNING is no arrow. It leaves the mark WOKEN, since rule 1 bars the future and rule 2 the queue;
//!    `end_run` finds the mark and puts the run off, and the next `begin_run` clears it. So no wake is lost, and no two
//!    threads poll at once.
//! 4. The output belongs to who has the run until DONE is set, and from then on to the handle. HANDLE means before DONE that
//!    there is a handle, and after it that the output is there. A task that loses its handle before `finish` drops the
//!    output itself, before DONE.
//! 5. The joiner's slot is written by the handle alone, and only while JOINER is clear; while it is set, the handle may read
//!    the slot. Whoever ends the time of JOINER has the waker: `finish`, which sets DONE beside it, or the handle, by
//!    clearing it before. Where JOINER and DONE are both set, the slot stays as it is for ever, a copy without an owner.
//! 6. The cell is freed by whoever drops the last reference. A queue entry, a waker, a handle and an owner's list hold
//!    one each; the queue's passes to the thread that runs the task and is given up by `end_run` into IDLE or by `finish`.
//!
//! Ordering: `wake` writes the word with release even when it is SCHEDULED or WOKEN already, and `begin_run` acquires: a
//! poll sees all that was written before any wake it answers. Every other arrow is one `AcqRel` compare-and-swap, too, but
//! what changes nothing is a load: to put a run off, to take one up again that nobody marked meanwhile, to find the task
//! over. A count of one is its holder's: who could make it two? So the last holder needs no more than a load, which
//! acquires what the others did before they let go; and to begin the run of a task of which nobody else knows, a store.
//!
//! The models are in `loom_models/task_state.rs`; each rule has a broken variant, which must fail there.

use crate::primitive::{AtomicU64, Ordering, is_broken};

const SCHEDULED: u64 = 1;
const RUNNING: u64 = 1 << 1;
const DONE: u64 = 1 << 2;
const WOKEN: u64 = 1 << 3;
const ABORTED: u64 = 1 << 4;
const HANDLE: u64 = 1 << 5;
const JOINER: u64 = 1 << 6;
const NAMED: u64 = 1 << 7;
/// Where the part of the id begins; it has 24 bits.
const ID_SHIFT: u32 = 8;
/// One reference.
const REFERENCE: u64 = 1 << 32;
/// More is a leak of wakers without end (they would fill 32 GiB): the process stops before the count can overflow and free
/// a live task.
const MOST_REFERENCES: u64 = 1 << 31;

/// What a caller of `wake`, `wake_by_ref` or `abort` has to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Wake {
    /// The task is now SCHEDULED: push it. The queue's reference is counted already.
    Push,
    /// Somebody else sees to it.
    Nothing,
    /// Nothing to wake, and the caller's reference was the last one: free the cell.
    Free,
}

/// What `begin_run` found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum BeginRun {
    /// Poll the future.
    Poll,
    /// Drop the future unpolled and `finish`: the task was aborted.
    Abort,
    /// The task is over, or its owner is dropping it; the queue's reference is to be dropped.
    Over,
}

/// What `end_run` found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum EndRun {
    /// The task sleeps; the runner's reference is gone.
    Idle,
    /// The task sleeps and nothing can ever wake it: free the cell.
    Free,
    /// It is to be polled again: the run is put off. Push it, with the runner's reference.
    PutOff,
    /// It was aborted while it ran, and is still RUNNING: drop the future and `finish`.
    Abort,
}

/// What `finish` did or left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Finish {
    /// The task is DONE and the output the handle's; the runner's reference is gone.
    Published,
    /// The task is DONE. Wake the joiner, whose waker is the runner's now, then drop the runner's reference.
    WakeJoiner,
    /// Nothing is done yet, since there is no handle: drop the output, then `finish_detached`.
    Detached,
}

/// What a handle that goes has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum DropHandle {
    /// Nothing: its reference is gone.
    Nothing,
    /// Free the cell: its reference was the last, and nothing can ever wake the task.
    Free,
    /// Drop the joiner's waker, which is its own again, then its reference.
    DropJoiner,
    /// Drop the output, then its reference.
    DropOutput,
    /// Drop its reference: the output has been taken.
    DropReference,
}

/// What an arrow makes of the word that it finds.
enum Step<T> {
    /// This, in one step.
    To(u64, T),
    /// Nothing: a look was enough.
    Stay(T),
}

/// The word itself. Its methods are the arrows of the drawing.
#[derive(Debug)]
pub(crate) struct State(AtomicU64);

impl State {
    /// A task that is about to be pushed: SCHEDULED, with a handle, and `references` holders in all. Of `id_high` there is
    /// room for 24 bits.
    pub(crate) fn new(references: u32, id_high: u32) -> State {
        let id_high = u64::from(id_high) << ID_SHIFT;
        State(AtomicU64::new(
            id_high | SCHEDULED | HANDLE | (u64::from(references) * REFERENCE),
        ))
    }

    /// The part of the id that the word was given.
    #[inline]
    pub(crate) fn id_high(&self) -> u32 {
        // Relaxed: it never changes.
        self.0.load(Ordering::Relaxed) as u32 >> ID_SHIFT
    }

    /// Repeats `step` until what it makes of the word could be stored over the word that it was made from.
    #[inline(always)]
    fn update<T>(&self, mut step: impl FnMut(u64) -> Step<T>) -> T {
        let order = if is_broken("state_ordering") {
            Ordering::Relaxed
        } else {
            Ordering::AcqRel
        };
        let mut word = self.0.load(Ordering::Acquire);
        loop {
            let (next, outcome) = match step(word) {
                Step::To(next, outcome) => (next, outcome),
                Step::Stay(outcome) => return outcome,
            };
            match self
                .0
                .compare_exchange(word, next, order, Ordering::Acquire)
            {
                Ok(_) => return outcome,
                Err(now) => word = now,
            }
        }
    }

    /// The arrow from IDLE to SCHEDULED, by a waker that gives up its reference to the queue.
    pub(crate) fn wake(&self) -> Wake {
        self.update(|word| match after_wake(word) {
            (next, true) => Step::To(next, Wake::Push),
            (next, false) if references(next) == 1 => Step::To(next - REFERENCE, Wake::Free),
            (next, false) => Step::To(next - REFERENCE, Wake::Nothing),
        })
    }

    /// The same by a waker that is kept: the queue gets a reference of its own.
    pub(crate) fn wake_by_ref(&self) -> Wake {
        self.update(|word| match after_wake(word) {
            (next, true) => Step::To(with_reference(next), Wake::Push),
            (next, false) => Step::To(next, Wake::Nothing),
        })
    }

    /// Marks the task so that its future is dropped instead of polled; an idle task gets a place in the queue for that.
    pub(crate) fn abort(&self) -> Wake {
        self.update(|word| {
            if word & (DONE | ABORTED) != 0 {
                Step::Stay(Wake::Nothing)
            } else if word & (RUNNING | SCHEDULED) != 0 {
                Step::To(word | ABORTED, Wake::Nothing)
            } else {
                Step::To(with_reference(word | ABORTED | SCHEDULED), Wake::Push)
            }
        })
    }

    /// The arrows into RUNNING from SCHEDULED and from where a run was put off, by the thread that popped the task.
    #[inline]
    pub(crate) fn begin_run(&self) -> BeginRun {
        self.update(|word| {
            if word & DONE != 0 || is_claimed(word) {
                return Step::Stay(BeginRun::Over);
            }
            let next = (word & !(SCHEDULED | WOKEN)) | RUNNING;
            let begun = if word & ABORTED != 0 {
                BeginRun::Abort
            } else {
                BeginRun::Poll
            };
            if next == word {
                // A run that was put off, and no mark since: it is ours already. A wake that comes only now finds RUNNING.
                return Step::Stay(begun);
            }
            // The queue's reference is the only one, so nobody comes between the look and the store; nor waits for it.
            if references(word) == 1 || is_broken("state_rule_1") {
                self.0.store(next, Ordering::Relaxed);
                return Step::Stay(begun);
            }
            Step::To(next, begun)
        })
    }

    /// The arrows out of RUNNING after a poll that returned `Pending`, and that may have asked to be polled `again`.
    #[inline]
    pub(crate) fn end_run(&self, again: bool) -> EndRun {
        self.update(|word| {
            if word & ABORTED != 0 {
                return Step::Stay(EndRun::Abort);
            }
            if again || word & WOKEN != 0 {
                if is_broken("state_rule_2_put_off") {
                    // As if the run ended: a wake then finds the task IDLE and pushes it too.
                    self.update(|word| Step::To(word & !RUNNING, ()));
                }
                return Step::Stay(EndRun::PutOff);
            }
            let next = (word & !RUNNING) - REFERENCE;
            match references(next) {
                0 => Step::To(next, EndRun::Free),
                _ => Step::To(next, EndRun::Idle),
            }
        })
    }

    /// Whether a queue entry that is dropped without being run has a run with it, which then is the dropper's.
    pub(crate) fn is_put_off(&self) -> bool {
        let word = self.0.load(Ordering::Acquire);
        word & RUNNING != 0 && !is_claimed(word)
    }

    /// The owner's arrow: takes the future from a task that does not run, wherever it waits, so that it can be dropped.
    ///
    /// False if the task is over, or is marked as aborted because somebody else has the run.
    pub(crate) fn claim(&self) -> bool {
        self.update(|word| {
            if word & DONE != 0 {
                Step::Stay(false)
            } else if word & RUNNING != 0 {
                Step::To(word | ABORTED, false)
            } else {
                Step::To(word | RUNNING, true)
            }
        })
    }

    /// The arrow from RUNNING to DONE, if there is a handle; the output is in its place.
    #[inline]
    pub(crate) fn finish(&self) -> Finish {
        self.update(|word| {
            if word & HANDLE == 0 {
                return Step::Stay(Finish::Detached);
            }
            let (gives_up, outcome) = match word & JOINER {
                0 => (REFERENCE, Finish::Published),
                _ => (0, Finish::WakeJoiner),
            };
            if is_broken("state_rule_4") {
                // A look and then a step: the handle may go between the two.
                self.update(|word| Step::To(done(word) - gives_up, ()));
                return Step::Stay(outcome);
            }
            Step::To(done(word) - gives_up, outcome)
        })
    }

    /// The same if there is no handle; the output has been dropped. True: nobody else is left, and the cell is the
    /// caller's to free.
    #[must_use]
    #[inline]
    pub(crate) fn finish_detached(&self) -> bool {
        self.is_last()
            || self.update(|word| {
                let next = done(word) - REFERENCE;
                Step::To(next, references(next) == 0)
            })
    }

    /// The handle has written its waker. False: the task is done, and the waker still the handle's.
    #[must_use]
    pub(crate) fn set_joiner(&self) -> bool {
        self.update(|word| {
            if word & DONE != 0 && !is_broken("state_rule_5") {
                Step::Stay(false)
            } else {
                Step::To(word | JOINER, true)
            }
        })
    }

    /// The handle wants the waker back to replace it. False: the task is done.
    #[must_use]
    pub(crate) fn clear_joiner(&self) -> bool {
        self.update(|word| match word & DONE {
            0 => Step::To(word & !JOINER, true),
            _ => Step::Stay(false),
        })
    }

    /// The handle takes the output of a task that is DONE. False: it did so before.
    #[must_use]
    #[inline]
    pub(crate) fn take_output(&self) -> bool {
        let word = self.0.load(Ordering::Acquire);
        if word & HANDLE == 0 {
            return false;
        }
        // Relaxed: HANDLE is nobody else's business after DONE. Nobody waits for the store to be seen, and what others did
        // before they let go has been acquired.
        if references(word) == 1 {
            self.0.store(word & !HANDLE, Ordering::Relaxed);
        } else {
            self.0.fetch_and(!HANDLE, Ordering::Relaxed);
        }
        true
    }

    /// The handle goes.
    #[inline]
    pub(crate) fn drop_handle(&self) -> DropHandle {
        self.update(|word| {
            if word & (DONE | HANDLE) == DONE | HANDLE {
                Step::Stay(DropHandle::DropOutput)
            } else if word & DONE != 0 {
                Step::Stay(DropHandle::DropReference)
            } else if word & JOINER != 0 {
                Step::To(word & !(HANDLE | JOINER), DropHandle::DropJoiner)
            } else {
                let next = (word & !HANDLE) - REFERENCE;
                match references(next) {
                    0 => Step::To(next, DropHandle::Free),
                    _ => Step::To(next, DropHandle::Nothing),
                }
            }
        })
    }

    /// One more holder.
    #[inline]
    pub(crate) fn add_reference(&self) {
        // Relaxed: the new holder got the reference from an old one, which keeps the cell alive meanwhile.
        let before = self.0.fetch_add(REFERENCE, Ordering::Relaxed);
        if references(before) > MOST_REFERENCES {
            std::process::abort();
        }
    }

    /// One holder less. True: it was the last, and the cell is the caller's to free.
    #[must_use]
    #[inline]
    pub(crate) fn drop_reference(&self) -> bool {
        if is_broken("state_rule_6") {
            // A look and a store instead of one step: one of two who let go at once is forgotten.
            let word = self.0.load(Ordering::Acquire);
            self.0.store(word - REFERENCE, Ordering::Release);
            return references(word) == 1;
        }
        self.is_last() || references(self.0.fetch_sub(REFERENCE, Ordering::AcqRel)) == 1
    }

    /// Whether the caller's is the only reference.
    #[inline]
    fn is_last(&self) -> bool {
        references(self.0.load(Ordering::Acquire)) == 1
    }

    /// Says that the table of names and task-locals (`current.rs`) knows this task.
    pub(crate) fn set_named(&self) {
        self.0.fetch_or(NAMED, Ordering::Relaxed);
    }

    /// Whether that table knows this task.
    #[inline]
    pub(crate) fn is_named(&self) -> bool {
        self.0.load(Ordering::Relaxed) & NAMED != 0
    }

    /// Whether the task is over, its output in place or gone.
    #[inline]
    pub(crate) fn is_done(&self) -> bool {
        self.0.load(Ordering::Acquire) & DONE != 0
    }

    /// Whether the handle's waker is stored.
    #[inline]
    pub(crate) fn has_joiner(&self) -> bool {
        self.0.load(Ordering::Acquire) & JOINER != 0
    }
}

/// The word after a wake, and whether that gave the task a place in a queue.
fn after_wake(word: u64) -> (u64, bool) {
    if word & (DONE | SCHEDULED) != 0 {
        (word, false)
    } else if word & RUNNING == 0 || is_broken("state_rule_2") {
        (word | SCHEDULED, true)
    } else if is_broken("state_rule_3") {
        (word, false)
    } else {
        (word | WOKEN, false)
    }
}

/// How many hold the cell.
fn references(word: u64) -> u64 {
    word / REFERENCE
}

/// The word of a task that is over.
fn done(word: u64) -> u64 {
    (word & !(SCHEDULED | RUNNING | WOKEN)) | DONE
}

/// Whether an owner has the run of a task that stands in a queue (rule 2).
fn is_claimed(word: u64) -> bool {
    word & (SCHEDULED | RUNNING) == SCHEDULED | RUNNING
}

/// The word with one reference more, taken in the same step as an arrow.
fn with_reference(word: u64) -> u64 {
    if references(word) > MOST_REFERENCES {
        std::process::abort();
    }
    word + REFERENCE
}

#[cfg(all(test, not(parklet_loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_word_is_laid_out_as_drawn() {
        let state = State::new(2, 3);
        assert_eq!(
            state.0.load(Ordering::Relaxed),
            (2 << 32) | (3 << 8) | (1 << 5) | 1
        );
        let all = State::new(2, (1 << 24) - 1);
        all.add_reference();
        assert_eq!(all.id_high(), (1 << 24) - 1);
        assert_eq!([SCHEDULED, RUNNING, DONE, WOKEN], [1, 2, 4, 8]);
        assert_eq!(
            [ABORTED, HANDLE, JOINER, NAMED, REFERENCE],
            [16, 32, 64, 128, 1 << 32]
        );
    }

    #[test]
    fn a_wake_during_a_run_puts_the_run_off() {
        let state = State::new(2, 0);
        assert_eq!(state.begin_run(), BeginRun::Poll);
        assert_eq!(state.wake_by_ref(), Wake::Nothing);
        assert_eq!(state.wake_by_ref(), Wake::Nothing);
        assert_eq!(state.end_run(false), EndRun::PutOff);
        assert!(state.is_put_off());
        assert_eq!(state.begin_run(), BeginRun::Poll);
        assert_eq!(state.end_run(false), EndRun::Idle);
    }

    #[test]
    fn a_task_that_asked_for_another_poll_stands_in_the_queue_once() {
        let state = State::new(2, 0);
        assert_eq!(state.begin_run(), BeginRun::Poll);
        assert_eq!(state.end_run(true), EndRun::PutOff);
        assert_eq!(state.wake_by_ref(), Wake::Nothing, "it is in the queue");
        assert_eq!(state.begin_run(), BeginRun::Poll);
        assert_eq!(state.end_run(false), EndRun::Idle, "that wake was answered");
    }

    #[test]
    fn an_abort_is_seen_by_the_next_run_or_by_the_end_of_this_one() {
        let queued = State::new(2, 0);
        assert_eq!(queued.abort(), Wake::Nothing);
        assert_eq!(queued.begin_run(), BeginRun::Abort);

        let running = State::new(2, 0);
        assert_eq!(running.begin_run(), BeginRun::Poll);
        assert_eq!(running.abort(), Wake::Nothing);
        assert_eq!(running.end_run(true), EndRun::Abort);

        let put_off = State::new(2, 0);
        assert_eq!(put_off.begin_run(), BeginRun::Poll);
        assert_eq!(put_off.end_run(true), EndRun::PutOff);
        assert_eq!(put_off.abort(), Wake::Nothing);
        assert_eq!(put_off.begin_run(), BeginRun::Abort);

        let idle = State::new(2, 0);
        assert_eq!(idle.begin_run(), BeginRun::Poll);
        assert_eq!(idle.end_run(false), EndRun::Idle);
        assert_eq!(idle.abort(), Wake::Push);
        assert_eq!(idle.begin_run(), BeginRun::Abort);
    }

    #[test]
    fn an_owner_makes_a_queue_entry_void_but_not_a_run_that_was_put_off() {
        let queued = State::new(3, 0);
        assert!(queued.claim());
        assert_eq!(queued.begin_run(), BeginRun::Over);
        assert!(!queued.is_put_off());

        let put_off = State::new(3, 0);
        assert_eq!(put_off.begin_run(), BeginRun::Poll);
        assert_eq!(put_off.end_run(true), EndRun::PutOff);
        assert!(!put_off.claim());
        assert!(put_off.is_put_off());
        assert_eq!(put_off.begin_run(), BeginRun::Abort);
    }

    #[test]
    fn the_output_is_dropped_by_the_task_without_a_handle_or_by_the_handle() {
        let detached = State::new(2, 0);
        assert_eq!(detached.begin_run(), BeginRun::Poll);
        assert_eq!(detached.drop_handle(), DropHandle::Nothing);
        assert_eq!(detached.finish(), Finish::Detached);
        assert!(detached.finish_detached(), "nobody else is left");

        let left = State::new(2, 0);
        assert_eq!(left.begin_run(), BeginRun::Poll);
        assert_eq!(left.finish(), Finish::Published);
        assert_eq!(left.drop_handle(), DropHandle::DropOutput);

        let taken = State::new(2, 0);
        assert_eq!(taken.begin_run(), BeginRun::Poll);
        assert_eq!(taken.finish(), Finish::Published);
        assert!(taken.take_output());
        assert!(!taken.take_output());
        assert_eq!(taken.drop_handle(), DropHandle::DropReference);
    }
}
