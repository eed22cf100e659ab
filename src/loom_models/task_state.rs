//! The state word against every order in which wakers, runners, the owner and the handle can meet.
//!
//! Broken variants, and the model that each must make fail:
//!
//! ```text
//! broken: state_rule_1  the_owner_and_the_runner_never_touch_the_future_at_once
//! broken: state_rule_2  two_workers_never_poll_at_once
//! broken: state_rule_3  every_wake_is_answered_by_a_poll_that_sees_what_was_sent
//! broken: state_rule_4  the_output_is_dropped_once
//! ```

use super::bounded;
use crate::executor::task::state::{BeginRun, EndRun, State, Wake};
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
    /// How often the output was dropped by `finish` and by the handle.
    outputs_dropped: AtomicUsize,
    /// How often the cell was freed.
    freed: AtomicUsize,
}

impl Cell {
    /// A task that stands in the queue, with a handle and so many wakers.
    fn new(wakers: usize) -> Arc<Cell> {
        let state = State::new(2);
        (0..wakers).for_each(|_| state.add_reference());
        Arc::new(Cell {
            state,
            future: UnsafeCell::new(()),
            messages: AtomicUsize::new(0),
            queue: Mutex::new(1),
            outputs_dropped: AtomicUsize::new(0),
            freed: AtomicUsize::new(0),
        })
    }

    fn push(&self) {
        let mut queue = self.queue.lock().unwrap();
        assert_eq!(*queue, 0, "rule 2: a task is in at most one queue");
        *queue += 1;
    }

    fn free(&self) {
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

    fn drop_handle(&self) {
        if self.state.drop_handle().drop_output {
            self.outputs_dropped.fetch_add(1, Ordering::SeqCst);
        }
        self.drop_reference();
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
        if self.state.finish().drop_output {
            self.outputs_dropped.fetch_add(1, Ordering::SeqCst);
        }
        self.drop_reference();
    }

    /// Pops and runs until the queue is empty; a poll is ready once it has seen `until` messages.
    fn run_all(&self, until: usize) {
        loop {
            let popped = std::mem::replace(&mut *self.queue.lock().unwrap(), 0);
            if popped == 0 {
                return;
            }
            match self.state.begin_run() {
                BeginRun::Over => {
                    self.drop_reference();
                    continue;
                }
                BeginRun::Abort => {
                    self.future.with_mut(|_| ());
                    self.finish();
                    continue;
                }
                BeginRun::Poll => {}
            }
            // Rule 1, which is what the model checks: loom reports another access at the same time.
            let seen = self
                .future
                .with_mut(|_| self.messages.load(Ordering::Relaxed));
            if seen >= until {
                self.finish();
                continue;
            }
            match self.state.end_run() {
                EndRun::Idle => {}
                EndRun::Free => self.free(),
                EndRun::Push => self.push(),
                EndRun::Abort => {
                    self.future.with_mut(|_| ());
                    self.finish();
                }
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

/// Abort against a wake and a run: the task ends, the future is touched by one thread at a time, and freed once.
#[test]
fn an_abort_ends_the_task_wherever_it_is() {
    bounded(|| {
        let cell = Cell::new(2);
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

/// The owner drops its tasks while another thread is about to run one.
#[test]
fn the_owner_and_the_runner_never_touch_the_future_at_once() {
    loom::model(|| {
        let cell = Cell::new(1);
        let owner = thread::spawn({
            let cell = cell.clone();
            move || {
                if cell.state.claim() {
                    cell.future.with_mut(|_| ());
                    let _ = cell.state.finish();
                }
                cell.drop_reference();
            }
        });
        cell.run_all(9);
        owner.join().unwrap();
        cell.run_all(9);
        cell.drop_handle();
        // A task that ran to IDLE before it was claimed, or was claimed first, is over either way; one that was claimed
        // while it ran was aborted by its runner.
        assert!(cell.state.is_done());
        assert_eq!(cell.freed.load(Ordering::SeqCst), 1);
    });
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

/// The handle registers and replaces its waker while the task finishes: it is woken, or it sees the output.
#[test]
fn the_joiner_is_woken_or_sees_the_output() {
    loom::model(|| {
        let cell = Cell::new(0);
        // Which waker is stored; relaxed, so only the word can order the two sides.
        let joiner = Arc::new((UnsafeCell::new(()), AtomicUsize::new(0)));
        let woken = Arc::new(AtomicUsize::new(0));
        let runner = thread::spawn({
            let (cell, joiner, woken) = (cell.clone(), joiner.clone(), woken.clone());
            move || {
                assert_eq!(cell.state.begin_run(), BeginRun::Poll);
                if cell.state.finish().wake_joiner {
                    // Rule 5: a shared read.
                    let stored = joiner.0.with(|_| joiner.1.load(Ordering::Relaxed));
                    woken.store(stored, Ordering::SeqCst);
                }
                cell.drop_reference();
            }
        });
        let mut sees_output = false;
        for waker in [1, 2] {
            if cell.state.is_done() || (cell.state.has_joiner() && !cell.state.clear_joiner()) {
                sees_output = true;
                break;
            }
            // Rule 5: JOINER is clear, so the slot is the handle's.
            joiner
                .0
                .with_mut(|_| joiner.1.store(waker, Ordering::Relaxed));
            if !cell.state.set_joiner() {
                sees_output = true;
                break;
            }
        }
        runner.join().unwrap();
        assert!(
            sees_output || woken.load(Ordering::SeqCst) == 2,
            "the waker stored last is the one that is woken"
        );
        cell.drop_handle();
        assert_eq!(cell.freed.load(Ordering::SeqCst), 1);
    });
}
