//! The state word against every order in which wakers, runners, the owner and the handle can meet.
//!
//! Broken variants, and the model that each must make fail:
//!
//! ```text
//! broken: state_rule_1          the_owner_and_the_runner_never_touch_the_future_at_once
//! broken: state_rule_2          two_workers_never_poll_at_once
//! broken: state_rule_2_put_off  a_task_that_yields_stands_in_one_queue
//! broken: state_rule_3          every_wake_is_answered_by_a_poll_that_sees_what_was_sent
//! broken: state_rule_4          the_output_is_dropped_once
//! broken: state_rule_5          the_joiner_is_woken_or_sees_the_output
//! broken: state_rule_6          the_last_of_many_frees_the_cell
//! broken: state_ordering        every_wake_is_answered_by_a_poll_that_sees_what_was_sent
//! ```

use super::bounded;
use crate::executor::task::state::{BeginRun, DropHandle, EndRun, Finish, State, Wake};
use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::sync::{Arc, Mutex};
use loom::thread;

/// A task cell without a heap: what the word guards is a `loom` cell, which reports two threads that touch it at once.
struct Cell {
    state: State,
    /// What a poll touches: only that, since loom's cell knows who touches it when. Guarded by rule 1.
    future: UnsafeCell<()>,
    /// Written by wakers before they wake, read by polls; relaxed, so only the word can order the two.
    messages: AtomicUsize,
    /// Entries of the run queue. Rule 2 allows one at a time.
    queue: Mutex<usize>,
    /// How many more polls ask to be polled again.
    yields: AtomicUsize,
    /// The joiner's slot, guarded by rule 5, and which waker is there; relaxed, so only the word can order the two sides.
    joiner: UnsafeCell<()>,
    joiner_is: AtomicUsize,
    /// Which waker was woken, and how many were woken or dropped.
    woken: AtomicUsize,
    wakers_gone: AtomicUsize,
    /// How often the output was dropped by the task and by the handle.
    outputs_dropped: AtomicUsize,
    /// How often the cell was freed.
    freed: AtomicUsize,
}

impl Cell {
    /// A task that stands in the queue, with a handle and so many wakers.
    fn new(wakers: usize) -> Arc<Cell> {
        Cell::yielding(wakers, 0)
    }

    /// The same, and its first polls ask to be polled again.
    fn yielding(wakers: usize, yields: usize) -> Arc<Cell> {
        let state = State::new(2, 0);
        (0..wakers).for_each(|_| state.add_reference());
        Arc::new(Cell {
            state,
            future: UnsafeCell::new(()),
            messages: AtomicUsize::new(0),
            queue: Mutex::new(1),
            yields: AtomicUsize::new(yields),
            joiner: UnsafeCell::new(()),
            joiner_is: AtomicUsize::new(0),
            woken: AtomicUsize::new(0),
            wakers_gone: AtomicUsize::new(0),
            outputs_dropped: AtomicUsize::new(0),
            freed: AtomicUsize::new(0),
        })
    }

    fn push(&self) {
        let mut queue = self.queue.lock().unwrap();
        assert_eq!(*queue, 0, "rule 2: a task is in at most one queue");
        *queue += 1;
    }

    fn pop(&self) -> bool {
        std::mem::replace(&mut *self.queue.lock().unwrap(), 0) > 0
    }

    fn free(&self) {
        // Rule 6: whatever the others did with the cell came before.
        self.future.with_mut(|_| ());
        assert_eq!(
            self.freed.fetch_add(1, Ordering::SeqCst),
            0,
            "rule 6: a cell is freed once"
        );
    }

    fn drop_reference(&self) {
        if self.state.drop_reference() {
            self.free();
        }
    }

    fn drop_output(&self) {
        self.outputs_dropped.fetch_add(1, Ordering::SeqCst);
    }

    fn drop_handle(&self) {
        match self.state.drop_handle() {
            DropHandle::Nothing => return,
            DropHandle::Free => return self.free(),
            DropHandle::DropJoiner => self.drop_joiner(),
            DropHandle::DropOutput => self.drop_output(),
            DropHandle::DropReference => {}
        }
        self.drop_reference();
    }

    fn drop_joiner(&self) {
        self.joiner.with_mut(|_| ());
        self.wakers_gone.fetch_add(1, Ordering::SeqCst);
    }

    fn send_and_wake(&self) {
        self.messages.fetch_add(1, Ordering::Relaxed);
        match self.state.wake() {
            Wake::Push => self.push(),
            Wake::Nothing => {}
            Wake::Free => self.free(),
        }
    }

    fn send_and_wake_by_ref(&self) {
        self.messages.fetch_add(1, Ordering::Relaxed);
        match self.state.wake_by_ref() {
            Wake::Push => self.push(),
            Wake::Nothing => {}
            Wake::Free => panic!("a waker that is kept cannot be the last reference"),
        }
        self.drop_reference();
    }

    fn finish(&self) {
        match self.state.finish() {
            Finish::Published => {}
            Finish::WakeJoiner => {
                // Rule 5: a shared read, which is all that taking the waker out is.
                let stored = self.joiner.with(|_| self.joiner_is.load(Ordering::Relaxed));
                self.woken.store(stored, Ordering::SeqCst);
                self.wakers_gone.fetch_add(1, Ordering::SeqCst);
                self.drop_reference();
            }
            Finish::Detached => {
                self.drop_output();
                if self.state.finish_detached() {
                    self.free();
                }
            }
        }
    }

    fn finish_aborted(&self) {
        self.future.with_mut(|_| ());
        self.finish();
    }

    /// What a thread does that popped the task; a poll is ready once it has seen `until` messages.
    fn run_one(&self, until: usize) {
        match self.state.begin_run() {
            BeginRun::Over => return self.drop_reference(),
            BeginRun::Abort => return self.finish_aborted(),
            BeginRun::Poll => {}
        }
        // Rule 1, which is what the model checks: loom reports another access at the same time.
        let (seen, again) = self.future.with_mut(|_| {
            let yields = self.yields.load(Ordering::Relaxed);
            self.yields
                .store(yields.saturating_sub(1), Ordering::Relaxed);
            (self.messages.load(Ordering::Relaxed), yields > 0)
        });
        if seen >= until {
            return self.finish();
        }
        match self.state.end_run(again) {
            EndRun::Idle => {}
            EndRun::Free => self.free(),
            EndRun::PutOff => self.push(),
            EndRun::Abort => self.finish_aborted(),
        }
    }

    /// Pops and runs until the queue is empty.
    fn run_all(&self, until: usize) {
        while self.pop() {
            self.run_one(until);
        }
    }

    /// What an owner does that is dropped: takes the future, then the queue.
    fn close(&self) {
        if self.state.claim() {
            self.state.add_reference();
            self.finish_aborted();
        }
        if self.pop() {
            if self.state.is_put_off() {
                self.finish_aborted();
            } else {
                self.drop_reference();
            }
        }
    }
}

/// A wake is never lost: whatever was sent before a wake is seen by a poll after it; and the task is freed once.
#[test]
fn every_wake_is_answered_by_a_poll_that_sees_what_was_sent() {
    bounded(|| {
        let cell = Cell::new(2);
        let by_value = thread::spawn({
            let cell = cell.clone();
            move || cell.send_and_wake()
        });
        let by_ref = thread::spawn({
            let cell = cell.clone();
            move || cell.send_and_wake_by_ref()
        });
        cell.run_all(2);
        by_value.join().unwrap();
        by_ref.join().unwrap();
        cell.run_all(2);
        assert!(
            cell.state.is_done(),
            "rule 3: a poll after the last wake sees both messages"
        );
        cell.drop_handle();
        assert_eq!(cell.freed.load(Ordering::SeqCst), 1);
        assert_eq!(cell.outputs_dropped.load(Ordering::SeqCst), 1);
    });
}

/// Two workers, one of which may pop what the other has just pushed.
#[test]
fn two_workers_never_poll_at_once() {
    bounded(|| {
        let cell = Cell::new(1);
        let worker = thread::spawn({
            let cell = cell.clone();
            move || cell.run_all(1)
        });
        let waker = thread::spawn({
            let cell = cell.clone();
            move || cell.send_and_wake()
        });
        cell.run_all(1);
        worker.join().unwrap();
        waker.join().unwrap();
        cell.run_all(1);
        assert!(cell.state.is_done());
        cell.drop_handle();
        assert_eq!(cell.freed.load(Ordering::SeqCst), 1);
    });
}

/// A task asks for another poll while it is woken, and another worker takes it up: one queue entry, and the wake counts.
#[test]
fn a_task_that_yields_stands_in_one_queue() {
    bounded(|| {
        let cell = Cell::yielding(1, 1);
        let worker = thread::spawn({
            let cell = cell.clone();
            move || cell.run_all(1)
        });
        let waker = thread::spawn({
            let cell = cell.clone();
            move || cell.send_and_wake_by_ref()
        });
        cell.run_all(1);
        worker.join().unwrap();
        waker.join().unwrap();
        cell.run_all(1);
        assert!(
            cell.state.is_done(),
            "rule 3: a poll after the wake sees the message"
        );
        cell.drop_handle();
        assert_eq!(cell.freed.load(Ordering::SeqCst), 1);
    });
}

/// Abort against a wake and a run that may be put off: the task ends, the future is touched by one thread at a time, and
/// freed once.
#[test]
fn an_abort_ends_the_task_wherever_it_is() {
    for yields in [0, 1] {
        bounded(move || {
            let cell = Cell::yielding(2, yields);
            let aborter = thread::spawn({
                let cell = cell.clone();
                move || {
                    if cell.state.abort() == Wake::Push {
                        cell.push();
                    }
                    cell.drop_reference();
                }
            });
            let waker = thread::spawn({
                let cell = cell.clone();
                move || cell.send_and_wake()
            });
            cell.run_all(9);
            aborter.join().unwrap();
            waker.join().unwrap();
            cell.run_all(9);
            assert!(cell.state.is_done());
            cell.drop_handle();
            assert_eq!(cell.freed.load(Ordering::SeqCst), 1);
        });
    }
}

/// The owner drops its tasks and its queue while another thread is about to run one, or has put it off.
#[test]
fn the_owner_and_the_runner_never_touch_the_future_at_once() {
    for yields in [0, 1] {
        loom::model(move || {
            let cell = Cell::yielding(1, yields);
            let owner = thread::spawn({
                let cell = cell.clone();
                move || {
                    cell.close();
                    cell.drop_reference();
                }
            });
            if cell.pop() {
                cell.run_one(9);
            }
            owner.join().unwrap();
            // What the runner put back after the owner had looked.
            cell.close();
            assert!(cell.state.is_done());
            cell.drop_handle();
            assert_eq!(cell.freed.load(Ordering::SeqCst), 1);
        });
    }
}

/// The handle goes while the task finishes: one of the two drops the output, and never both.
#[test]
fn the_output_is_dropped_once() {
    loom::model(|| {
        let cell = Cell::new(0);
        let handle = thread::spawn({
            let cell = cell.clone();
            move || cell.drop_handle()
        });
        cell.run_all(0);
        handle.join().unwrap();
        assert_eq!(cell.outputs_dropped.load(Ordering::SeqCst), 1, "rule 4");
        assert_eq!(cell.freed.load(Ordering::SeqCst), 1);
    });
}

/// The handle registers and replaces its waker while the task finishes: it is woken, or it sees the output. Each waker is
/// woken or dropped once.
#[test]
fn the_joiner_is_woken_or_sees_the_output() {
    loom::model(|| {
        let cell = Cell::new(0);
        let runner = thread::spawn({
            let cell = cell.clone();
            move || cell.run_all(0)
        });
        let mut wakers_made = 0;
        let mut sees_output = false;
        for waker in [1, 2] {
            sees_output = cell.state.is_done();
            if sees_output {
                break;
            }
            if cell.state.has_joiner() {
                // Rule 5: it may be compared whatever the other side does meanwhile.
                cell.joiner.with(|_| ());
                sees_output = !cell.state.clear_joiner();
                if sees_output {
                    break;
                }
                cell.drop_joiner();
            }
            // Rule 5: JOINER is clear, so the slot is the handle's.
            cell.joiner
                .with_mut(|_| cell.joiner_is.store(waker, Ordering::Relaxed));
            wakers_made += 1;
            sees_output = !cell.state.set_joiner();
            if sees_output {
                cell.drop_joiner();
                break;
            }
        }
        let takes_output = sees_output && cell.state.take_output();
        runner.join().unwrap();
        assert!(
            sees_output || cell.woken.load(Ordering::SeqCst) == 2,
            "the waker stored last is the one that is woken"
        );
        cell.drop_handle();
        assert_eq!(
            cell.wakers_gone.load(Ordering::SeqCst),
            wakers_made,
            "rule 5: each waker is somebody's"
        );
        let dropped = cell.outputs_dropped.load(Ordering::SeqCst);
        assert_eq!(dropped + usize::from(takes_output), 1, "rule 4");
        assert_eq!(cell.freed.load(Ordering::SeqCst), 1);
    });
}

/// Two wakers and the handle let go of a task that sleeps: the last of them frees it, after what the others did.
#[test]
fn the_last_of_many_frees_the_cell() {
    bounded(|| {
        let cell = Cell::new(2);
        cell.run_all(1);
        let waker = thread::spawn({
            let cell = cell.clone();
            move || cell.drop_reference()
        });
        let other = thread::spawn({
            let cell = cell.clone();
            move || cell.drop_reference()
        });
        cell.drop_handle();
        waker.join().unwrap();
        other.join().unwrap();
        assert_eq!(cell.freed.load(Ordering::SeqCst), 1, "rule 6");
    });
}
