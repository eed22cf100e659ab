//! The loop: find, run, turn the driver, park.
//!
//! A thread of the pool that has a seat (`queue.rs`) runs this loop. Where it looks for a task, in order:
//!
//! 1. its own slot and deque;
//! 2. the injector;
//! 3. the deques of the others, from a random one on;
//!
//! and every 61st time the injector and the reactor first, so that neither waits behind tasks that never end. Tasks of
//! `spawn_local` that live on this thread have every other turn. With nothing found it parks, which is how the reactor
//! comes to be driven (`parker.rs`).
//!
//! A worker that enters `block_on` inside a task is lost to its queue for as long: it steps aside, and a spare thread
//! takes the seat.

use super::block_on::ROUNDS_PER_GLANCE;
use super::parker::{Duty, Parker};
use super::pool::Pool;
use super::queue::LocalQueue;
use super::spares::Errand;
use super::task::{Place, Runnable, wake_all};
use super::{local, pool};
use crate::reactor;
use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::task::Waker;

/// So many tasks may wait for the end of the poll that pushed them before help is called: as many as a thief takes in two
/// goes, so that whoever comes has something to do for a while (bench `chat_fan_out/single_server_cpu`).
const MOST_UNANNOUNCED: u32 = 64;

thread_local! {
    /// What this thread is to the pool, if it is one of its threads.
    static WORKER: OnceCell<Worker> = const { OnceCell::new() };
}

/// One thread of the pool.
pub(crate) struct Worker {
    /// The pool.
    pool: &'static Pool,
    /// Sleeps.
    parker: Rc<Parker>,
    /// The seat, while this thread has one.
    queue: RefCell<Option<LocalQueue>>,
    /// Whether this thread counts as searching.
    is_searching: Cell<bool>,
    /// Whether the driver's batch is being woken: then a push rouses nobody.
    is_dispatching: Cell<bool>,
    /// How many tasks the one that runs has made visible to thieves without calling anybody.
    unannounced: Cell<u32>,
    /// Picks the first victim of a search; a plain linear congruence will do.
    random: Cell<u64>,
    /// Wakers of what became ready; kept for its memory.
    ready: RefCell<Vec<Waker>>,
}

/// Puts a task of the pool where it is run soonest.
pub(crate) fn schedule(runnable: Runnable, place: Place) {
    let mut runnable = Some(runnable);
    // A thread-local may be gone when another one's destructor wakes a task.
    let _ = WORKER.try_with(|worker| {
        if let Some(worker) = worker.get() {
            worker.push(&mut runnable, place);
        }
    });
    if let Some(runnable) = runnable {
        let pool =
            pool::started().expect("a task of the pool was spawned after the pool was started");
        pool.injector.push(runnable);
        pool.call_help();
    }
}

/// Runs the calling thread as a worker of the pool from one errand to the next; returns when it is not needed any more.
pub(super) fn run(pool: &'static Pool, first: Errand) {
    let _crew = reactor::join_crew();
    WORKER.with(|worker| {
        let worker = worker.get_or_init(|| Worker::new(pool));
        let mut errand = Some(first);
        while let Some(next) = errand {
            match next {
                Errand::Sit(seat) => worker.sit(seat),
                Errand::HelpOut => worker.help_out(),
            }
            errand = pool.spares.wait(&worker.parker);
        }
    });
}

/// Called by a `block_on` that is about to park: if this thread has a seat, a spare thread takes it over. False: there is
/// none to be had, and this thread has to serve its queue meanwhile, with [`serve_once`].
pub(super) fn step_aside() -> bool {
    WORKER
        .try_with(|worker| worker.get().is_none_or(Worker::step_aside))
        .unwrap_or(true)
}

/// Runs one task of the queue from within a `block_on`, or parks as the worker's loop would.
pub(super) fn serve_once() {
    let _ = WORKER.try_with(|worker| worker.get().map(Worker::serve_once));
}

impl Worker {
    fn new(pool: &'static Pool) -> Worker {
        let parker = Parker::current();
        let seed = std::ptr::from_ref(&*parker).addr() as u64;
        Worker {
            pool,
            parker,
            queue: RefCell::new(None),
            is_searching: Cell::new(false),
            is_dispatching: Cell::new(false),
            unannounced: Cell::new(0),
            random: Cell::new(seed),
            ready: RefCell::default(),
        }
    }

    /// Works at a seat until it is taken over by another thread.
    fn sit(&self, seat: usize) {
        *self.queue.borrow_mut() = self.pool.seats[seat].take(seat);
        while self.queue.borrow().is_some() {
            let found = self.find();
            let ran_one = found.map(Runnable::run).is_some();
            self.announce();
            if local::is_ready() {
                self.end_search();
                local::run_one();
                self.announce();
            } else if !ran_one {
                self.park();
            }
        }
    }

    /// Runs tasks without a seat, since all who have one stand still; until one of them moves, or there is nothing to do.
    fn help_out(&self) {
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

    fn step_aside(&self) -> bool {
        self.end_search();
        self.announce();
        let Some(queue) = self.queue.borrow_mut().take() else {
            return true;
        };
        let seat = queue.vacate();
        if self.pool.spares.send(self.pool, Errand::Sit(seat)).is_ok() {
            return true;
        }
        *self.queue.borrow_mut() = self.pool.seats[seat].take(seat);
        false
    }

    fn serve_once(&self) {
        match self.find() {
            Some(runnable) => runnable.run(),
            None => self.park(),
        }
        self.announce();
    }

    /// Takes a task that was spawned or woken on this thread, if the thread has a seat.
    fn push(&self, runnable: &mut Option<Runnable>, place: Place) {
        let queue = self.queue.borrow();
        let Some(queue) = &*queue else { return };
        let Some(runnable) = runnable.take() else {
            return;
        };
        if self.is_dispatching.get() {
            return queue.push_last(runnable);
        }
        match place {
            Place::Last => queue.push_last(runnable),
            // The slot is this thread's own, so there is nobody to call; the watcher looks after it should the task
            // that runs now never return.
            Place::Next if !queue.push_next(runnable) => return self.pool.watcher.arm(self.pool),
            Place::Next => {}
        }
        // Not at once: a worker roused for the first of a hundred would often be there before the second, take the one
        // there is, go back to sleep, and be roused again. The watcher sees to a poll that does not end.
        self.unannounced.set(self.unannounced.get() + 1);
        if self.unannounced.get() >= MOST_UNANNOUNCED {
            self.announce();
        } else {
            self.pool.watcher.arm(self.pool);
        }
    }

    /// Calls help for what the task that ran has made visible to thieves.
    fn announce(&self) {
        if self.unannounced.take() > 0 {
            self.pool.call_help();
        }
    }

    /// The next task to run.
    fn find(&self) -> Option<Runnable> {
        let found = self.find_own().or_else(|| self.search());
        if found.is_some() {
            self.end_search();
        }
        found
    }

    /// The next task of this seat.
    fn find_own(&self) -> Option<Runnable> {
        let ticks = self.queue.borrow().as_ref()?.tick();
        let is_injectors_turn = ticks % u64::from(ROUNDS_PER_GLANCE) == 0;
        if is_injectors_turn {
            self.parker.glance(&mut self.ready.borrow_mut());
            self.dispatch();
        }
        // Borrowed only now: what `dispatch` wakes is somebody's code, and may enter a `block_on`.
        let queue = self.queue.borrow();
        let queue = queue.as_ref()?;
        let share = if is_injectors_turn {
            self.take_share(queue)
        } else {
            None
        };
        share.or_else(|| queue.pop())
    }

    /// A share of the injector.
    fn take_share(&self, queue: &LocalQueue) -> Option<Runnable> {
        queue.take_share(&self.pool.injector, self.pool.seats.len())
    }

    /// A task from elsewhere.
    fn search(&self) -> Option<Runnable> {
        let queue = self.queue.borrow();
        let queue = queue.as_ref()?;
        let pool = self.pool;
        if let Some(runnable) = self.take_share(queue) {
            return Some(runnable);
        }
        if !self.is_searching.get() {
            if pool.idle.is_crowded(pool.seats.len()) {
                return None;
            }
            self.begin_search();
        }
        let seats = pool.seats.len();
        let first = self.random_below(seats);
        let others = (first..first + seats)
            .map(|index| index % seats)
            .filter(|&index| index != queue.index());
        others
            .map(|victim| &pool.seats[victim])
            .find_map(|victim| queue.steal_from(victim))
    }

    fn begin_search(&self) {
        self.is_searching.set(true);
        self.pool.idle.begin_search();
    }

    /// Ends the search, if there is one.
    fn end_search(&self) {
        if self.is_searching.take() && self.pool.idle.end_search() {
            // The last searcher passes the call on: there may be more where its task came from.
            self.pool.call_help();
        }
    }

    /// Sleeps until there is something to do.
    fn park(&self) {
        let Some(seat) = self.queue.borrow().as_ref().map(LocalQueue::index) else {
            return;
        };
        let idle = &self.pool.idle;
        idle.enter(seat, self.parker.unparker());
        if self.is_searching.take() {
            let _ = idle.end_search();
        }
        // Rule 1 of `idle.rs`: the last look comes after the list.
        let is_needed = self.pool.is_stealable();
        if !is_needed && !local::is_ready() {
            self.parker
                .park(Duty::Crew, None, &mut self.ready.borrow_mut());
        }
        let was_roused = !idle.leave(seat);
        if was_roused {
            self.is_searching.set(true);
        } else if is_needed {
            self.begin_search();
        }
        self.dispatch();
    }

    /// Wakes what became ready. The tasks go to this worker's deque, and nobody else is roused for them: most batches are
    /// small, and done before another core would be awake. The watcher calls help for those that are not.
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
        self.is_dispatching.set(true);
        wake_all(&mut ready);
        self.is_dispatching.set(false);
        self.ready.replace(ready);
        // Once more: it may have found nothing and gone to sleep while the wakers ran.
        self.pool.watcher.arm(self.pool);
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
