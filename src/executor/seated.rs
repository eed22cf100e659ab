//! What the calling thread is to the pool, and the seat that it has.
//!
//! Every spawn and every wake comes here first. So it is a handful of plain cells, found with one look at a thread-local that has no
//! destructor and can be used as long as the thread lives; and the seat is a reference that is taken out of its cell,
//! used and put back, never while other code runs.

use super::block_on::ROUNDS_PER_GLANCE;
use super::current::TaskId;
use super::pool::{self, Pool};
use super::queue::LocalQueue;
use super::task::{Place, Runnable};
use std::cell::Cell;
use std::task::Waker;

/// So many tasks may wait for the end of the poll that pushed them before help is called: as many as a thief takes in two
/// goes, so that whoever comes has something to do for a while (bench `chat`, row `half_load/cpu`).
const MOST_UNANNOUNCED: u32 = 64;

/// So many tasks of a driver's batch may be woken before help is called: twice as many as one wait reports events, so that it
/// is for timers that are due together (bench `sleep/100k`), and never for sockets.
const MOST_DISPATCHED: u32 = 512;

thread_local! {
    /// The calling thread's.
    static HERE: Seated = const {
        Seated {
            role: Cell::new(Role::Stranger),
            queue: Cell::new(None),
            unannounced: Cell::new(0),
            is_dispatching: Cell::new(false),
            awaited: Cell::new(None),
        }
    };
}

/// What a thread is to the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Nothing.
    Stranger,
    /// It is in a `block_on`, and fills a seat now and then (`caller.rs`).
    Caller,
    /// It works at a seat, or waits for one (`worker.rs`).
    Worker,
    /// A thread of the pool that gave its place to another one, or runs what others do not get to.
    Helper,
}

/// One thread's part in the pool.
pub(super) struct Seated {
    /// What it is.
    role: Cell<Role>,
    /// The seat, while this thread has one.
    queue: Cell<Option<&'static mut LocalQueue>>,
    /// How many tasks the one that runs has made visible to thieves without calling anybody.
    unannounced: Cell<u32>,
    /// Whether the driver's batch is being woken: then a push rouses nobody, unless there are very many.
    is_dispatching: Cell<bool>,
    /// The task whose handle was polled last on this thread and is waited for, and the waker it was polled with.
    awaited: Cell<Option<(TaskId, *const ())>>,
}

/// What a seat has for its thread.
pub(super) enum Next {
    /// This one is to be run.
    Run(Runnable),
    /// Its own queue is empty.
    Nothing,
    /// Before its own tasks, it has to look elsewhere.
    InjectorsTurn,
}

/// Puts a task of the pool where it is run soonest.
pub(crate) fn schedule(runnable: Runnable, place: Place) {
    let pool = pool::started().expect("a task of the pool was spawned after the pool was started");
    here(move |here| match here.seat(pool) {
        Some(queue) => {
            let is_stealable = here.push(queue, runnable, place);
            here.queue.set(Some(queue));
            here.tell(pool, is_stealable);
        }
        None => {
            pool.injector.push(runnable);
            pool.call_help();
        }
    });
}

/// Notes that a handle waits for its task with this waker (`caller.rs`).
#[inline]
pub(super) fn note_awaited(task: TaskId, waker: &Waker) {
    here(|here| here.awaited.set(Some((task, waker.data()))));
}

/// Lends the calling thread's part in the pool.
#[inline]
pub(super) fn here<T>(then: impl FnOnce(&Seated) -> T) -> T {
    // `with` is no different, but the compiler inlines it by chance only: some 30 instructions for each spawn and wake.
    let lent = HERE.try_with(then);
    lent.expect("what has no destructor is never gone")
}

/// A number that no other living thread has.
pub(super) fn thread_address() -> usize {
    here(|here| std::ptr::from_ref(here).addr())
}

impl Seated {
    /// What this thread is.
    #[inline]
    pub(super) fn role(&self) -> Role {
        self.role.get()
    }

    /// Changes what this thread is, and says what it was.
    #[inline]
    pub(super) fn change_role(&self, role: Role) -> Role {
        self.role.replace(role)
    }

    /// The task that was last waited for with this waker, unless another was since.
    pub(super) fn take_awaited(&self, waker: &Waker) -> Option<TaskId> {
        let (task, with) = self.awaited.take()?;
        (with == waker.data()).then_some(task)
    }

    /// Forgets which task was last waited for.
    #[inline]
    pub(super) fn forget_awaited(&self) {
        self.awaited.set(None);
    }

    /// Gives the thread a seat.
    pub(super) fn sit(&self, queue: Option<&'static mut LocalQueue>) {
        self.queue.set(queue);
    }

    /// Takes the seat from the thread, which has to leave it to others now.
    #[inline]
    pub(super) fn rise(&self) -> Option<&'static mut LocalQueue> {
        self.queue.take()
    }

    /// Uses the seat, if there is one. `then` must not run foreign code.
    pub(super) fn with_queue<T>(&self, then: impl FnOnce(&LocalQueue) -> T) -> Option<T> {
        let queue = self.queue.take()?;
        let result = then(queue);
        self.queue.set(Some(queue));
        Some(result)
    }

    /// Takes the seat out of its cell. A caller that has something to put there and no seat takes one.
    fn seat(&self, pool: &'static Pool) -> Option<&'static mut LocalQueue> {
        match self.queue.take() {
            None if self.role.get() == Role::Caller => pool.idle.take_seat(),
            queue => queue,
        }
    }

    /// Takes a task that was spawned or woken on this thread. True: thieves are to be called for it.
    fn push(&self, queue: &LocalQueue, runnable: Runnable, place: Place) -> bool {
        if self.is_dispatching.get() {
            queue.push_last(runnable);
            return true;
        }
        // The slot is for who works here: a caller leaves the seat, and nobody is to wait for the slot meanwhile.
        if place == Place::Last || self.role.get() == Role::Caller {
            // A task that yields alone is run next, and here: help, if it came, would carry it away from all that is warm.
            // Other tasks that stand alone are worth a call: without it the second worker is asleep when the next thousand
            // are spawned (`spawn/task` 167 ns, then 237).
            let is_next = queue.is_empty() && runnable.is_put_off();
            queue.push_last(runnable);
            return !is_next;
        }
        queue.push_next(runnable)
    }

    /// Tells of a push whom it concerns.
    fn tell(&self, pool: &'static Pool, is_stealable: bool) {
        // Should the task that runs now never return, or the batch that is being woken be long.
        pool.watcher.arm_for_own_seat(pool);
        if is_stealable {
            // Not at once: a worker roused for the first of a hundred would often be there before the second, take the one
            // there is, go back to sleep, and be roused again. The watcher sees to a poll that does not end.
            self.unannounced.set(self.unannounced.get() + 1);
            let most = if self.is_dispatching.get() {
                MOST_DISPATCHED
            } else {
                MOST_UNANNOUNCED
            };
            if self.unannounced.get() >= most {
                self.announce(pool);
            }
        }
    }

    /// Calls help for what the task that ran has made visible to thieves.
    pub(super) fn announce(&self, pool: &'static Pool) {
        if self.unannounced.take() > 0 && pool.idle.is_rousable() {
            pool.idle.rouse();
        }
    }

    /// What the seat has for its thread; `None` without a seat.
    pub(super) fn next(&self) -> Option<Next> {
        self.with_queue(|queue| {
            if queue.tick() % u64::from(ROUNDS_PER_GLANCE) == 0 {
                return Next::InjectorsTurn;
            }
            queue.pop().map_or(Next::Nothing, Next::Run)
        })
    }

    /// A share of the injector.
    pub(super) fn take_share(&self, pool: &'static Pool) -> Option<Runnable> {
        let taken = self.with_queue(|queue| queue.take_share(&pool.injector, pool.seats.len()));
        let next = taken.flatten();
        if next.is_some() {
            // The rest is here now, and whoever was called for it may have looked while it was in neither place.
            pool.watcher.arm_for_own_seat(pool);
        }
        next
    }

    /// Wakes what the driver brought: each push of that goes to this thread's deque, and rouses nobody, unless there are very
    /// many.
    pub(super) fn dispatch(&self, wake_all: impl FnOnce()) {
        self.is_dispatching.set(true);
        wake_all();
        self.is_dispatching.set(false);
        self.unannounced.set(0);
    }
}
