//! The loop: find, run, turn the driver, park.
//!
//! A thread of the pool that has a seat (`queue.rs`) runs this loop. Where it looks for a task, in order:
//!
//! 1. its own slot and deque;
//! 2. the injector;
//! 3. the deques of the others, from a random one on;
//!
//! and every 61st time the injector and the reactor first, so that neither waits behind tasks that never end. Tasks of
//! `spawn_local` that live on this thread have every other turn. With nothing found it leaves the seat and parks, which is
//! how the reactor comes to be driven (`parker.rs`). Whoever rouses it has a seat for it; if it wakes by itself, with
//! events of the reactor, and all seats are taken, those who sit there have to run what the events woke.
//!
//! A worker that enters `block_on` inside a task is lost to the pool for as long: it steps aside (`caller.rs`), and a
//! spare thread works in its place.

use super::parker::{Duty, Parker};
use super::patience::{LOOK, Patience};
use super::pool::Pool;
use super::queue::LocalQueue;
use super::seated::{Next, Role, Seated, here};
use super::spares::Errand;
use super::task::{Runnable, wake_all};
use super::wakeup::Wakeup;
use super::{idle, local, pool};
use crate::reactor;
use std::cell::{Cell, RefCell};
use std::hint;
use std::rc::Rc;
use std::task::Waker;
use std::time::Instant;

/// A thread of the pool at work.
pub(crate) struct Worker {
    /// The pool.
    pool: &'static Pool,
    /// Sleeps.
    parker: Rc<Parker>,
    /// Whether this thread counts as searching.
    is_searching: Cell<bool>,
    /// Whether to look on before it sleeps.
    patience: Patience,
    /// Picks the first victim of a search; a plain linear congruence will do.
    random: Cell<u64>,
    /// Wakers of what became ready; kept for its memory.
    ready: RefCell<Vec<Waker>>,
}

/// Runs the calling thread as a worker of the pool from one errand to the next; returns when it is not needed any more.
pub(super) fn run(pool: &'static Pool, first: Errand) {
    let crew = reactor::join_crew();
    crew.report();
    let worker = Worker::new(pool);
    let mut errand = Some(first);
    while let Some(next) = errand {
        match next {
            Errand::Work => worker.work(),
            Errand::HelpOut => worker.help_out(),
        }
        errand = pool.spares.wait(&worker.parker);
    }
}

/// Runs one task of the worker's queue from within a `block_on`, or parks as the worker's loop would: for a worker that
/// could not step aside. What it finds in passing may be for that `block_on` or a local task: then it does not park.
pub(super) fn serve_once(wakeup: &Wakeup) {
    let pool = pool::started().expect("there are no workers without a pool");
    let worker = Worker::new(pool);
    match worker.find() {
        Some(runnable) => runnable.run(),
        None if wakeup.is_woken() || local::is_ready() => {}
        None => worker.park(),
    }
    worker.announce();
    worker.end_search();
}

impl Worker {
    fn new(pool: &'static Pool) -> Worker {
        let parker = Parker::current();
        let seed = std::ptr::from_ref(&*parker).addr() as u64;
        Worker {
            pool,
            parker,
            is_searching: Cell::new(false),
            patience: Patience::default(),
            random: Cell::new(seed),
            ready: RefCell::default(),
        }
    }

    /// Works at whatever seat there is, until another thread has taken its place.
    fn work(&self) {
        here(|here| {
            here.change_role(Role::Worker);
            here.sit(self.pool.idle.take_seat());
            while here.role() == Role::Worker {
                let ran_one = self.find().map(Runnable::run).is_some();
                here.announce(self.pool);
                if local::is_ready() {
                    self.end_search();
                    local::run_one();
                    here.announce(self.pool);
                } else if !ran_one {
                    self.park();
                }
            }
        });
    }

    /// Runs tasks without a seat, since all who have one stand still; until one of them moves, or there is nothing to do.
    fn help_out(&self) {
        here(|here| here.change_role(Role::Helper));
        let before = self.pool.seat_ticks();
        while self.pool.seat_ticks() == before
            && let Some(runnable) = self.pool.steal_one()
        {
            self.pool.count_help();
            runnable.run();
            local::run_one();
        }
        // What is left is for whoever moves now.
        if self.pool.has_work() {
            self.pool.call_help();
        }
    }

    fn announce(&self) {
        here(|here| here.announce(self.pool));
    }

    /// The next task to run.
    fn find(&self) -> Option<Runnable> {
        let found = self.find_own().or_else(|| self.search());
        if found.is_some() {
            self.end_search();
        } else {
            here(|here| here.with_queue(LocalQueue::count_vain_tick));
        }
        found
    }

    /// The next task of this seat.
    fn find_own(&self) -> Option<Runnable> {
        match here(Seated::next)? {
            Next::Run(runnable) => Some(runnable),
            Next::Nothing => None,
            Next::InjectorsTurn => {
                self.parker.glance(&mut self.ready.borrow_mut());
                self.dispatch();
                // Only now: what was woken is somebody's code, which may have entered a `block_on` and left the seat.
                here(|here| {
                    here.take_share(self.pool)
                        .or_else(|| here.with_queue(LocalQueue::pop).flatten())
                })
            }
        }
    }

    /// A task from elsewhere.
    fn search(&self) -> Option<Runnable> {
        let pool = self.pool;
        here(|here| {
            if let Some(runnable) = here.take_share(pool) {
                self.patience.answered();
                return Some(runnable);
            }
            here.with_queue(|queue| {
                let seats = pool.seats.len();
                if !self.is_searching.get() {
                    if pool.idle.is_crowded(seats) {
                        return None;
                    }
                    self.is_searching.set(true);
                    pool.idle.begin_search();
                }
                let first = self.random_below(seats);
                let others = (first..first + seats)
                    .map(|index| index % seats)
                    .filter(|&index| index != queue.index());
                others
                    .map(|victim| &pool.seats[victim])
                    .find_map(|victim| queue.steal_from(victim))
            })
            .flatten()
        })
    }

    /// Ends the search, if there is one.
    fn end_search(&self) {
        // The last searcher passes the call on, if there is more: those who pushed it may have called nobody.
        if self.is_searching.take() && self.pool.idle.end_search() && self.pool.is_stealable() {
            self.pool.call_help();
        }
    }

    /// Looks on for a while, where that promises something (`patience.rs`). True: there is something to do.
    fn looks_on(&self) -> bool {
        if !self.is_searching.get() || !self.patience.is_left() {
            return false;
        }
        let begin = Instant::now();
        let has_found = loop {
            // If nobody drives, since this thread should.
            self.parker.glance(&mut self.ready.borrow_mut());
            if !self.ready.borrow().is_empty() || self.pool.is_stealable() || local::is_ready() {
                self.dispatch();
                break true;
            }
            if begin.elapsed() > LOOK {
                break false;
            }
            hint::spin_loop();
        };
        self.patience.learn(begin.elapsed());
        has_found
    }

    /// Leaves the seat, sleeps until there is something to do, and takes a seat again.
    fn park(&self) {
        if self.looks_on() {
            return;
        }
        let (idle, unparker) = (&self.pool.idle, self.parker.unparker());
        self.pool.count_park();
        let seat = here(Seated::rise);
        idle.enter(seat, unparker, self.is_searching.take());
        // Rule 1 of `idle.rs`: the last look comes after the list.
        if self.pool.is_stealable() {
            idle.rouse();
        }
        self.parker
            .park(Duty::Crew, None, &mut self.ready.borrow_mut());
        let seat = match idle.leave(unparker) {
            idle::Wake::Roused(seat) => {
                self.is_searching.set(true);
                Some(seat)
            }
            idle::Wake::Seated(seat) => Some(seat),
            idle::Wake::Standing => None,
        };
        here(|here| here.sit(seat));
        self.dispatch();
    }

    /// Wakes what became ready. The tasks go to this worker's deque, and nobody else is roused for them unless there are very
    /// many: most batches are small, and done before another core would be awake. The watcher calls help for those that are
    /// not.
    fn dispatch(&self) {
        if self.parker.take_debt() {
            self.pool.watcher.arm(self.pool);
        }
        if self.ready.borrow().is_empty() {
            return;
        }
        // Who has something to do is no searcher, however long the wakers take.
        self.end_search();
        // Taken out, since a waker is somebody's code and may come back here.
        let mut ready = self.ready.take();
        here(|here| here.dispatch(|| wake_all(&mut ready)));
        self.ready.replace(ready);
    }

    /// A number from 0 to `limit` - 1.
    fn random_below(&self, limit: usize) -> usize {
        let next = self
            .random
            .get()
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.random.set(next);
        // The upper half: the lower bits of a linear congruence repeat soon.
        usize::try_from((next >> 33) % limit as u64).expect("less than a usize")
    }
}
