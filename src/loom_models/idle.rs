//! Who is roused, and who has which seat: workers that go to sleep, a caller that borrows a seat, and pushes from outside.
//!
//! Broken variants, and the model that each must make fail:
//!
//! ```text
//! broken: idle_rule_1_sleep  a_push_finds_a_worker_that_goes_to_sleep
//! broken: idle_rule_1_search a_push_that_finds_a_searcher_is_passed_on
//! broken: idle_rule_1_seat   a_push_while_a_caller_has_the_only_seat_is_not_lost
//! broken: idle_rule_2        two_pushes_are_both_run
//! broken: idle_rule_3        the_watcher_stays_awake_while_a_seat_is_held
//! ```

use super::bounded;
use super::parker::Reactor;
use crate::executor::idle::{Idle, Wake};
use crate::executor::parker::{DriverSeat, Duty, Parker};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;

/// The injector, or the deque of a seat: how many tasks are in it. A look at it is a plain load, as crossbeam's at their
/// weakest: what orders it after the counters must be the fences of `idle.rs`.
#[derive(Debug, Default)]
struct Queue(AtomicUsize);

impl Queue {
    /// Adds a task; there is one pusher for each queue.
    fn push(&self) {
        // crossbeam stores here. Loom would let the swap below go by that store, as C++ does not.
        self.0.swap(1, Ordering::AcqRel);
    }

    fn take(&self) -> bool {
        self.0.swap(0, Ordering::AcqRel) > 0
    }

    fn is_empty(&self) -> bool {
        self.0.load(Ordering::Acquire) == 0
    }
}

/// The pool: its seats are numbers, each the place of its queue.
struct Pool {
    idle: Idle<usize>,
    queues: Vec<Queue>,
    tasks_run: AtomicUsize,
}

impl Pool {
    /// So many queues, of which the first few belong to seats that are vacant.
    fn new(queues: usize, seats: usize) -> Arc<Pool> {
        Arc::new(Pool {
            idle: Idle::new((0..seats).collect()),
            queues: (0..queues).map(|_| Queue::default()).collect(),
            tasks_run: AtomicUsize::new(0),
        })
    }

    fn is_stealable(&self) -> bool {
        self.queues.iter().any(|queue| !queue.is_empty())
    }

    fn push(&self, queue: usize) {
        self.queues[queue].push();
        self.idle.rouse();
    }

    /// What the last searcher owes the others.
    fn end_search(&self) {
        if self.idle.end_search() && self.is_stealable() {
            self.idle.rouse();
        }
    }

    /// What a worker does (`worker.rs`) until so many tasks have been run.
    fn work(&self, tasks: usize) {
        let parker = Parker::new(Arc::new(DriverSeat::new(Reactor::default())));
        let mut seat = self.idle.take_seat();
        let mut is_searching = false;
        while self.tasks_run.load(Ordering::Acquire) < tasks {
            if seat.is_some() && self.queues.iter().any(Queue::take) {
                if std::mem::take(&mut is_searching) {
                    self.end_search();
                }
                self.tasks_run.fetch_add(1, Ordering::AcqRel);
                continue;
            }
            self.idle
                .enter(seat.take(), parker.unparker(), is_searching);
            if self.is_stealable() {
                self.idle.rouse();
            }
            parker.park(Duty::Guest, None, &mut Vec::new());
            (seat, is_searching) = match self.idle.leave(parker.unparker()) {
                Wake::Roused(seat) => (Some(seat), true),
                Wake::Seated(seat) => (Some(seat), false),
                Wake::Standing => (None, false),
            };
        }
        if is_searching {
            let _ = self.idle.end_search();
        }
        if let Some(seat) = seat {
            self.idle.vacate(seat);
        }
    }

    /// What a caller of `block_on` does (`caller.rs`) that spawns a task or has run what it spawned,
    /// and returns.
    fn call(&self, queue: usize, spawn: bool) {
        let seat = self.idle.take_seat();
        if spawn && seat.is_none() {
            return self.push(queue);
        }
        if spawn {
            self.queues[queue].push();
        }
        if let Some(seat) = seat {
            self.idle.vacate(seat);
            if self.is_stealable() {
                self.idle.rouse();
            }
        }
    }
}

#[test]
fn a_push_finds_a_worker_that_goes_to_sleep() {
    loom::model(|| {
        let pool = Pool::new(1, 1);
        let worker = thread::spawn({
            let pool = Arc::clone(&pool);
            move || pool.work(1)
        });
        pool.push(0);
        worker.join().unwrap();
    });
}

/// One worker finds a task while another sleeps: what is pushed meanwhile is for the sleeper, if the former does not find it too.
#[test]
fn a_push_that_finds_a_searcher_is_passed_on() {
    loom::model(|| {
        let pool = Pool::new(1, 2);
        assert_eq!(pool.idle.take_seat(), Some(1));
        pool.idle.begin_search();
        let parker = Parker::new(Arc::new(DriverSeat::new(Reactor::default())));
        pool.idle
            .enter(pool.idle.take_seat(), parker.unparker(), false);
        let pusher = thread::spawn({
            let pool = Arc::clone(&pool);
            move || pool.push(0)
        });
        pool.end_search();
        pusher.join().unwrap();
        let wake = pool.idle.leave(parker.unparker());
        assert!(matches!(wake, Wake::Roused(_)), "the task waits for nobody");
    });
}

/// Two pushers, one worker: whoever rouses it, it comes to both tasks, and is counted as searching as often as not.
#[test]
fn two_pushes_are_both_run() {
    bounded(|| {
        let pool = Pool::new(2, 1);
        let worker = thread::spawn({
            let pool = Arc::clone(&pool);
            move || pool.work(2)
        });
        let pusher = thread::spawn({
            let pool = Arc::clone(&pool);
            move || pool.push(0)
        });
        pool.push(1);
        pusher.join().unwrap();
        worker.join().unwrap();
        assert_eq!(pool.idle.take_seat(), Some(0));
        assert!(pool.idle.take_seat().is_none());
        pool.idle.begin_search();
        assert!(pool.idle.end_search(), "somebody still counts as searching");
    });
}

/// One seat, which the caller borrows from under a worker that sleeps or is about to.
#[test]
fn a_seat_left_with_work_finds_a_worker() {
    loom::model(|| {
        let pool = Pool::new(1, 1);
        let worker = thread::spawn({
            let pool = Arc::clone(&pool);
            move || pool.work(1)
        });
        pool.call(0, true);
        worker.join().unwrap();
        assert_eq!(pool.idle.take_seat(), Some(0));
    });
}

/// While the caller has the only seat, a push from outside finds nobody to rouse: the caller has to.
#[test]
fn a_push_while_a_caller_has_the_only_seat_is_not_lost() {
    bounded(|| {
        let pool = Pool::new(1, 1);
        let worker = thread::spawn({
            let pool = Arc::clone(&pool);
            move || pool.work(1)
        });
        let caller = thread::spawn({
            let pool = Arc::clone(&pool);
            move || pool.call(0, false)
        });
        pool.push(0);
        caller.join().unwrap();
        worker.join().unwrap();
        assert_eq!(pool.idle.take_seat(), Some(0));
    });
}

/// The watcher is awake and finds nothing to watch, while a thread takes the seat and tells it to be.
#[test]
fn the_watcher_stays_awake_while_a_seat_is_held() {
    loom::model(|| {
        let pool = Pool::new(1, 1);
        let is_armed = Arc::new(AtomicBool::new(true));
        let watcher = thread::spawn({
            let (pool, is_armed) = (Arc::clone(&pool), Arc::clone(&is_armed));
            move || {
                let disarm = || is_armed.store(false, Ordering::Relaxed);
                pool.idle.if_all_are_vacant(disarm);
            }
        });
        assert_eq!(pool.idle.take_seat(), Some(0));
        is_armed.swap(true, Ordering::Relaxed);
        watcher.join().unwrap();
        assert!(is_armed.load(Ordering::Relaxed));
    });
}
