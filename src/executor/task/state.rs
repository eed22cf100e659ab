//! The state word of one task: who may touch the future, and when.
//!
//! ```text
//!              spawn
//!                │
//!                ▼
//!          ┌───────────┐  begin_run  ┌─────────┐   finish   ┌──────┐
//!    ┌────►│ SCHEDULED ├────────────►│ RUNNING ├───────────►│ DONE │
//!    │     └───────────┘    claim    └┬───┬────┘            └──────┘
//!    │           ▲                    │   │   ▲
//!    │           └────────────────────┘   │   │
//!    │             end_run (WOKEN)        │   │
//!    │ wake                       end_run │   │ claim
//!    │ abort                              ▼   │
//!    │                                 ┌──────┴┐
//!    └─────────────────────────────────┤ IDLE  │
//!                                      └───────┘
//! ```
//!
//! The phase is IDLE when none of the three phase bits is set. Beside it the word holds marks and the reference count:
//!
//! ```text
//!   63 ............. 8 │   7   │   6    │   5    │    4    │   3   │  2   │    1    │     0
//!    references        │ NAMED │ JOINER │ HANDLE │ ABORTED │ WOKEN │ DONE │ RUNNING │ SCHEDULED
//! ```
//!
//! 1. Only the thread that made `begin_run` or `claim` succeed touches the future, until its `end_run` or `finish`.
//! 2. A task is in at most one queue: only an arrow into SCHEDULED pushes it, and `begin_run` follows its pop. (A task
//!    that `claim` took out of SCHEDULED is never pushed again; its queue entry finds it over and is dropped.)
//! 3. `wake` during RUNNING is no arrow. It leaves the mark WOKEN, since rule 1 bars the future and rule 2 the queue;
//!    `end_run` reads the mark and reschedules. So no wake is lost and no two threads poll at once.
//! 4. The output belongs to the thread that finishes until DONE is set; from then on to the handle while HANDLE is set.
//!    Whichever of `finish` and `drop_handle` comes second drops an output that nobody took.
//! 5. The joiner's waker is written by the handle alone, and only while JOINER is clear. While JOINER is set both sides
//!    may read it. A `finish` that saw JOINER wakes it by reference; it is dropped by the handle where that cleared
//!    JOINER before DONE, otherwise with the cell.
//! 6. The cell is freed by whoever drops the last reference. A queue entry, a waker, a handle and an owner's list hold
//!    one each; the queue's passes to the thread that runs the task and is given up by `end_run` into IDLE.
//!
//! Ordering: `wake` writes the word with release even when it is SCHEDULED already, and `begin_run` acquires: a poll sees
//! all that was written before any wake it answers. Every arrow is one `AcqRel` compare-and-swap on this word.
//!
//! The models are in `loom_models/task_state.rs`; rules 1 to 4 have a broken variant each, which must fail there.

use crate::primitive::{AtomicUsize, Ordering};

const SCHEDULED: usize = 1;
const RUNNING: usize = 1 << 1;
const DONE: usize = 1 << 2;
const WOKEN: usize = 1 << 3;
const ABORTED: usize = 1 << 4;
const HANDLE: usize = 1 << 5;
const JOINER: usize = 1 << 6;
const NAMED: usize = 1 << 7;
/// One reference.
const REFERENCE: usize = 1 << 8;
/// A word past this is a leak of wakers without end: the process stops before the count can wrap and free a live task.
const TOO_MANY: usize = isize::MAX as usize;

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
    /// It was woken while it ran and is SCHEDULED again: push it, with the runner's reference.
    Push,
    /// It was aborted while it ran, and is still RUNNING: drop the future and `finish`.
    Abort,
}

/// What `finish` leaves to its caller, beside its own reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) struct Finish {
    /// A joiner's waker is stored: wake it.
    pub(crate) wake_joiner: bool,
    /// No handle is left to take the output: drop it.
    pub(crate) drop_output: bool,
}

/// What a dropped handle leaves to its caller, beside its own reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) struct DropHandle {
    /// The joiner's waker is the handle's again: drop it.
    pub(crate) drop_joiner: bool,
    /// The task is done: drop the output, if it was not taken.
    pub(crate) drop_output: bool,
}

/// The word itself. Its methods are the arrows of the drawing.
#[derive(Debug)]
pub(crate) struct State(AtomicUsize);

impl State {
    /// A task that is about to be pushed: SCHEDULED, with a handle, and `references` holders in all.
    pub(crate) fn new(references: usize) -> State {
        State(AtomicUsize::new(
            SCHEDULED | HANDLE | (references * REFERENCE),
        ))
    }

    /// Repeats `step` until its new word could be stored over the one it was computed from.
    fn update<T>(&self, mut step: impl FnMut(usize) -> (usize, T)) -> T {
        let mut word = self.0.load(Ordering::Acquire);
        loop {
            let (next, outcome) = step(word);
            match self
                .0
                .compare_exchange(word, next, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => return outcome,
                Err(now) => word = now,
            }
        }
    }

    /// The arrow from IDLE to SCHEDULED, by a waker that gives up its reference to the queue.
    pub(crate) fn wake(&self) -> Wake {
        self.update(|word| match after_wake(word) {
            (next, true) => (next, Wake::Push),
            (next, false) if next / REFERENCE == 1 => (next - REFERENCE, Wake::Free),
            (next, false) => (next - REFERENCE, Wake::Nothing),
        })
    }

    /// The same by a waker that is kept: the queue gets a reference of its own.
    pub(crate) fn wake_by_ref(&self) -> Wake {
        self.update(|word| match after_wake(word) {
            (next, true) => (with_reference(next), Wake::Push),
            (next, false) => (next, Wake::Nothing),
        })
    }

    /// Marks the task so that its future is dropped instead of polled; an idle task gets a place in the queue for that.
    pub(crate) fn abort(&self) -> Wake {
        self.update(|word| {
            if word & (DONE | ABORTED) != 0 {
                (word, Wake::Nothing)
            } else if word & (RUNNING | SCHEDULED) != 0 {
                (word | ABORTED, Wake::Nothing)
            } else {
                (with_reference(word | ABORTED | SCHEDULED), Wake::Push)
            }
        })
    }

    /// The arrow from SCHEDULED to RUNNING, by the thread that popped the task.
    pub(crate) fn begin_run(&self) -> BeginRun {
        if cfg!(parklet_loom_broken = "state_rule_1") {
            // A look and a store instead of one step: the owner's `claim` may come between.
            let word = self.0.load(Ordering::Acquire);
            if word & (DONE | RUNNING) != 0 {
                return BeginRun::Over;
            }
            self.0
                .store((word & !SCHEDULED) | RUNNING, Ordering::Release);
            return BeginRun::Poll;
        }
        self.update(|word| {
            if word & (DONE | RUNNING) != 0 {
                return (word, BeginRun::Over);
            }
            let next = (word & !SCHEDULED) | RUNNING;
            (
                next,
                if word & ABORTED != 0 {
                    BeginRun::Abort
                } else {
                    BeginRun::Poll
                },
            )
        })
    }

    /// The arrows out of RUNNING after a poll that returned `Pending`.
    pub(crate) fn end_run(&self) -> EndRun {
        self.update(|word| {
            if word & ABORTED != 0 {
                (word, EndRun::Abort)
            } else if word & WOKEN != 0 {
                ((word & !(RUNNING | WOKEN)) | SCHEDULED, EndRun::Push)
            } else {
                let next = (word & !RUNNING) - REFERENCE;
                (
                    next,
                    if next / REFERENCE == 0 {
                        EndRun::Free
                    } else {
                        EndRun::Idle
                    },
                )
            }
        })
    }

    /// The owner's arrow: takes the future from a task that does not run, wherever it waits, so that it can be dropped.
    ///
    /// False if the task is over or is being polled; the latter is then marked as aborted.
    pub(crate) fn claim(&self) -> bool {
        self.update(|word| {
            if word & DONE != 0 {
                (word, false)
            } else if word & RUNNING != 0 {
                (word | ABORTED, false)
            } else {
                ((word & !SCHEDULED) | RUNNING, true)
            }
        })
    }

    /// The arrow from RUNNING to DONE; the output is in its place.
    pub(crate) fn finish(&self) -> Finish {
        self.update(|word| {
            let next = (word & !(RUNNING | WOKEN)) | DONE;
            (
                next,
                Finish {
                    wake_joiner: word & JOINER != 0,
                    drop_output: word & HANDLE == 0,
                },
            )
        })
    }

    /// The handle has written its waker. False: the task is done, and the waker still the handle's.
    #[must_use]
    pub(crate) fn set_joiner(&self) -> bool {
        self.update(|word| {
            if word & DONE != 0 {
                (word, false)
            } else {
                (word | JOINER, true)
            }
        })
    }

    /// The handle wants the waker back to replace it. False: the task is done.
    #[must_use]
    pub(crate) fn clear_joiner(&self) -> bool {
        self.update(|word| {
            if word & DONE != 0 {
                (word, false)
            } else {
                (word & !JOINER, true)
            }
        })
    }

    /// The handle goes. Its reference is still counted and is dropped after what this asks for.
    pub(crate) fn drop_handle(&self) -> DropHandle {
        if cfg!(parklet_loom_broken = "state_rule_4") {
            // The mark goes in one step and DONE is looked at in another: both sides may leave the output to the other.
            let done = self.is_done();
            self.update(|word| (word & !HANDLE, ()));
            return DropHandle {
                drop_joiner: false,
                drop_output: done,
            };
        }
        self.update(|word| {
            if word & DONE != 0 {
                (
                    word & !HANDLE,
                    DropHandle {
                        drop_joiner: false,
                        drop_output: true,
                    },
                )
            } else {
                let drop_joiner = word & JOINER != 0;
                (
                    word & !(HANDLE | JOINER),
                    DropHandle {
                        drop_joiner,
                        drop_output: false,
                    },
                )
            }
        })
    }

    /// One more holder.
    pub(crate) fn add_reference(&self) {
        // Relaxed: the new holder got the reference from an old one, which keeps the cell alive meanwhile.
        let before = self.0.fetch_add(REFERENCE, Ordering::Relaxed);
        if before > TOO_MANY {
            std::process::abort();
        }
    }

    /// One holder less. True: it was the last, and the cell is the caller's to free.
    #[must_use]
    pub(crate) fn drop_reference(&self) -> bool {
        self.0.fetch_sub(REFERENCE, Ordering::AcqRel) / REFERENCE == 1
    }

    /// Says that the table of names and task-locals (`current.rs`) knows this task.
    pub(crate) fn set_named(&self) {
        self.0.fetch_or(NAMED, Ordering::Relaxed);
    }

    /// Whether that table knows this task.
    pub(crate) fn is_named(&self) -> bool {
        self.0.load(Ordering::Relaxed) & NAMED != 0
    }

    /// Whether the task is over, its output in place.
    pub(crate) fn is_done(&self) -> bool {
        self.0.load(Ordering::Acquire) & DONE != 0
    }

    /// Whether the handle's waker is stored.
    pub(crate) fn has_joiner(&self) -> bool {
        self.0.load(Ordering::Acquire) & JOINER != 0
    }
}

/// The word after a wake, and whether that gave the task a place in a queue.
fn after_wake(word: usize) -> (usize, bool) {
    if word & (DONE | SCHEDULED) != 0 {
        (word, false)
    } else if word & RUNNING == 0 || cfg!(parklet_loom_broken = "state_rule_2") {
        (word | SCHEDULED, true)
    } else if cfg!(parklet_loom_broken = "state_rule_3") {
        (word, false)
    } else {
        (word | WOKEN, false)
    }
}

/// The word with one reference more, taken in the same step as an arrow.
fn with_reference(word: usize) -> usize {
    if word > TOO_MANY {
        std::process::abort();
    }
    word + REFERENCE
}

#[cfg(all(test, not(parklet_loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_word_is_laid_out_as_drawn() {
        let state = State::new(2);
        assert_eq!(state.0.load(Ordering::Relaxed), (2 << 8) | (1 << 5) | 1);
        assert_eq!([SCHEDULED, RUNNING, DONE, WOKEN], [1, 2, 4, 8]);
        assert_eq!(
            [ABORTED, HANDLE, JOINER, NAMED, REFERENCE],
            [16, 32, 64, 128, 256]
        );
    }

    #[test]
    fn a_wake_during_a_run_schedules_the_task_again() {
        let state = State::new(2);
        assert_eq!(state.begin_run(), BeginRun::Poll);
        assert_eq!(state.wake_by_ref(), Wake::Nothing);
        assert_eq!(state.wake_by_ref(), Wake::Nothing);
        assert_eq!(state.end_run(), EndRun::Push);
        assert_eq!(state.begin_run(), BeginRun::Poll);
        assert_eq!(state.end_run(), EndRun::Idle);
    }

    #[test]
    fn an_abort_is_seen_by_the_next_run_or_by_the_end_of_this_one() {
        let queued = State::new(2);
        assert_eq!(queued.abort(), Wake::Nothing);
        assert_eq!(queued.begin_run(), BeginRun::Abort);

        let running = State::new(2);
        assert_eq!(running.begin_run(), BeginRun::Poll);
        assert_eq!(running.abort(), Wake::Nothing);
        assert_eq!(running.end_run(), EndRun::Abort);

        let idle = State::new(2);
        assert_eq!(idle.begin_run(), BeginRun::Poll);
        assert_eq!(idle.end_run(), EndRun::Idle);
        assert_eq!(idle.abort(), Wake::Push);
        assert_eq!(idle.begin_run(), BeginRun::Abort);
    }

    #[test]
    fn the_second_of_handle_and_finish_drops_the_output() {
        let detached = State::new(2);
        assert_eq!(detached.begin_run(), BeginRun::Poll);
        assert!(!detached.drop_handle().drop_output);
        assert!(detached.finish().drop_output);

        let joined = State::new(2);
        assert_eq!(joined.begin_run(), BeginRun::Poll);
        assert!(!joined.finish().drop_output);
        assert!(joined.drop_handle().drop_output);
    }
}
