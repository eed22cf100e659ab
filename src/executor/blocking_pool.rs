//! Threads for calls that block: they come when jobs wait, and go when none come.
//!
//! ```text
//!   start                    a job
//!  ───────► ON ITS WAY ────────────────► RUNNING ───┐ no job, nobody on its way:
//!           ▲   │   ▲                    ▲   │  │   │ look around
//!     rouse │   │   └────────────────────┼───┼──┼───┘
//!           │   │ no job        next job └───┘  │ no job, another is on its way
//!           │   ▼                               │
//!           IDLE ◄──────────────────────────────┘
//!            │ idle for too long
//!            ▼
//!          (ends)
//! ```
//!
//! 1. A job waits in the queue only while a thread is *on its way* to it, or all the threads allowed are running jobs,
//!    or creating one has just failed and is tried again soon. So no job waits unseen behind a call that blocks.
//! 2. At most one thread is on its way. Arriving, it takes a job and, if more are waiting, calls the next before it
//!    runs its own: short jobs are done by few threads, long ones get a thread each as fast as threads start.
//! 3. Jobs start in the order in which they came. Of the idle threads the one that went idle last is called first: its
//!    cache is warm, and the others come of age and leave.
//! 4. A job is never run by the thread that submits it or by a worker: a task that must not block would.
//! 5. A value is delivered only when its thread counts as free: an awaiter that submits its next call at once finds that
//!    thread on its way to it, and no other is started.
//!
//! A thread that has finished a job looks around for [`LOOK_AROUND`] before it parks, and counts as on its way: a task
//! that awaits one blocking call after the other then pays for no thread switch in the kernel.
//!
//! When a thread cannot be created ("Resource temporarily unavailable"), the job stays, and the attempt is repeated when
//! a reactor timer fires, by whoever drives the reactor (a worker, a `block_on`): there is no thread to be had for it.
//! A job submitted after that time is an attempt, too.
//!
//! The threads are detached: the process exits when `main` returns, whatever they are stuck in.

use std::collections::VecDeque;
use std::fmt;
use std::hint;
use std::io;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::{Duration, Instant};

use crate::primitive::{
    AtomicU64, Mutex, MutexGuard, Ordering, ThreadParker, ThreadUnparker, is_broken,
};

#[cfg(not(parklet_loom))]
use self::retry::Retry;

#[cfg(not(parklet_loom))]
mod retry;

/// Threads of the global pool, at most: tokio's number. Each is a stack of 2 MiB, of which a few pages are touched.
const MAX_THREADS: usize = 512;

/// How long a thread of the global pool stays without work: long enough for a burst to find the last one's threads.
const IDLE_TIME: Duration = Duration::from_secs(10);

/// How long a thread that has finished a job watches for the next before it parks. Parking and being roused costs
/// 5 to 20 us, so giving up after that long costs at most twice the best choice (bench `spawn_blocking/one_by_one`).
#[cfg(not(parklet_loom))]
const LOOK_AROUND: Duration = Duration::from_micros(10);
/// In a model one look is as good as many.
#[cfg(parklet_loom)]
const LOOK_AROUND: Duration = Duration::ZERO;

/// Pause before another attempt to create a thread: a wait that a caller barely notices, 100 attempts a second.
const RETRY_AFTER: Duration = Duration::from_millis(10);

/// A blocking call, in the two steps that rule 5 asks for.
pub(crate) trait Job: Send {
    /// Makes the call and keeps its value, unseen. A panic of the call is a value too.
    fn run(&mut self);

    /// Hands the value to the awaiter and wakes it; if it is gone, drops the value.
    fn deliver(self: Box<Self>);
}

/// What a pool is doing.
#[derive(Debug)]
pub(crate) struct BlockingCounts {
    /// Threads that live or are being started.
    pub(crate) threads: usize,
    /// Those that are parked.
    pub(crate) idle: usize,
    /// Jobs that no thread has taken.
    pub(crate) queued: usize,
}

/// A job's number in order of submission: where to find it in the queue.
pub(crate) type Ticket = u64;

/// Creates a thread of that name that runs that body: a seam, so that a test can refuse.
pub(crate) type ThreadStarter =
    Box<dyn Fn(String, Box<dyn FnOnce() + Send>) -> io::Result<()> + Send + Sync>;

/// Threads for blocking calls, and the calls that wait for one.
pub(crate) struct BlockingPool {
    /// A lock, since jobs and idle threads must change together: else a job comes while the last thread goes idle.
    /// No code but ours runs under it, and none that panics.
    queue: Mutex<JobQueue>,
    /// The newest job's ticket. Written under the lock; outside it, a thread that looks around watches it change.
    newest: AtomicU64,
    /// Never more threads than this.
    max_threads: usize,
    /// A thread without work for this long ends.
    idle_time: Duration,
    /// std's thread builder, or a test's.
    start_thread: ThreadStarter,
}

/// What a [`BlockingPool`] knows under its lock.
#[derive(Default)]
struct JobQueue {
    /// Jobs that no thread has taken, by ticket, the oldest in front.
    jobs: VecDeque<(Ticket, Box<dyn Job>)>,
    /// Parked threads, the one that parked last at the end.
    idle: Vec<IdleThread>,
    /// Threads that live or are being started.
    threads: usize,
    /// Threads ever started: the next one's number.
    started: usize,
    /// Whether some thread is on its way (rule 2): being started, being roused, or looking around.
    on_its_way: bool,
    /// Creating a thread failed: no other attempt before this, or every job that comes would cost one.
    refused_until: Option<Instant>,
}

/// A parked thread.
struct IdleThread {
    /// The N of `parklet-blocking-N`.
    number: usize,
    /// Rouses it.
    unparker: ThreadUnparker,
}

/// Whom to call to the queue, decided under the lock and done after it.
#[must_use]
enum Call {
    Nobody,
    Rouse(ThreadUnparker),
    Start { number: usize },
}

/// Where a thread comes from when it asks for its next job.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ComesFrom {
    /// It was started or roused.
    Call,
    /// It has finished a job.
    Job,
    /// It has looked around for a moment.
    LookingAround,
}

/// What a thread does next.
enum Next {
    Run(Box<dyn Job>),
    /// Watch for a job newer than this.
    LookAround(Ticket),
    Park,
}

impl BlockingPool {
    /// A pool of at most `max_threads` threads (at least one), each of which ends after `idle_time` without a job.
    pub(crate) fn new(
        max_threads: usize,
        idle_time: Duration,
        start_thread: ThreadStarter,
    ) -> Arc<BlockingPool> {
        assert!(max_threads > 0, "a blocking pool needs a thread");
        Arc::new(BlockingPool {
            queue: Mutex::default(),
            newest: AtomicU64::new(0),
            max_threads,
            idle_time,
            start_thread,
        })
    }

    /// The pool of `task::spawn_blocking`; it has no thread before the first job.
    pub(crate) fn global() -> &'static Arc<BlockingPool> {
        static GLOBAL: LazyLock<Arc<BlockingPool>> = LazyLock::new(|| {
            BlockingPool::new(
                MAX_THREADS,
                IDLE_TIME,
                Box::new(|name, body| thread::Builder::new().name(name).spawn(body).map(drop)),
            )
        });
        &GLOBAL
    }

    /// What the pool is doing now.
    #[cfg_attr(parklet_loom, allow(dead_code, reason = "only counted for show"))]
    pub(crate) fn counts(&self) -> BlockingCounts {
        let queue = self.lock();
        BlockingCounts {
            threads: queue.threads,
            idle: queue.idle.len(),
            queued: queue.jobs.len(),
        }
    }

    /// Queues a job and sees to it that a thread comes for it.
    pub(crate) fn submit(self: &Arc<Self>, job: Box<dyn Job>) -> Ticket {
        let mut queue = self.lock();
        let ticket = self.newest.load(Ordering::Relaxed) + 1;
        queue.jobs.push_back((ticket, job));
        self.newest.store(ticket, Ordering::Relaxed);
        let call = queue.call(self.max_threads);
        drop(queue);
        self.carry_out(call);
        ticket
    }

    /// Takes a job out of the queue, if no thread has taken it.
    pub(crate) fn take_back(&self, ticket: Ticket) -> Option<Box<dyn Job>> {
        let mut queue = self.lock();
        let place = queue.jobs.binary_search_by_key(&ticket, |job| job.0).ok()?;
        queue.jobs.remove(place).map(|(_, job)| job)
    }

    /// How many threads there are, for the models.
    #[cfg(parklet_loom)]
    pub(crate) fn threads(&self) -> usize {
        self.lock().threads
    }

    fn lock(&self) -> MutexGuard<'_, JobQueue> {
        self.queue.lock().unwrap()
    }

    /// Does what was decided under the lock: both calls are system calls, and the one who comes needs the lock.
    fn carry_out(self: &Arc<Self>, call: Call) {
        match call {
            Call::Nobody => {}
            Call::Rouse(unparker) => unparker.unpark(),
            Call::Start { number } => {
                let pool = Arc::clone(self);
                let body = Box::new(move || pool.serve(number));
                if (self.start_thread)(format!("parklet-blocking-{number}"), body).is_err() {
                    self.starting_failed();
                }
            }
        }
    }

    /// The job for which the thread was wanted stays in the queue. A thread that went idle meanwhile, relying on the
    /// one that did not come, is called; and in a while creation is tried again, since those alive may be stuck.
    fn starting_failed(self: &Arc<Self>) {
        let mut queue = self.lock();
        queue.threads -= 1;
        queue.on_its_way = false;
        let due = Instant::now() + RETRY_AFTER;
        queue.refused_until = Some(due);
        let call = queue.call(self.max_threads);
        drop(queue);
        self.carry_out(call);
        #[cfg(not(parklet_loom))]
        Retry::begin(Arc::clone(self), due);
    }

    /// The life of thread `number`, from its start until it has been idle for too long.
    fn serve(self: Arc<Self>, number: usize) {
        let parker = ThreadParker::new();
        let mut comes_from = ComesFrom::Call;
        let mut done: Option<Box<dyn Job>> = None;
        loop {
            let mut queue = self.lock();
            let next = queue.next(comes_from, self.newest.load(Ordering::Relaxed));
            let call = queue.call(self.max_threads);
            if is_broken("blocking_pool_goes_idle_in_two_steps") {
                drop(queue);
                queue = self.lock();
            }
            if matches!(next, Next::Park) {
                queue.idle.push(IdleThread {
                    number,
                    unparker: parker.unparker().clone(),
                });
            }
            drop(queue);
            // Only now (rule 5). The awaiter's waker is trusted not to block, here as anywhere.
            if let Some(job) = done.take() {
                survive(|| job.deliver());
            }
            self.carry_out(call);

            comes_from = match next {
                Next::Run(mut job) => {
                    job.run();
                    if is_broken("blocking_pool_delivers_too_early") {
                        job.deliver();
                    } else {
                        done = Some(job);
                    }
                    ComesFrom::Job
                }
                Next::LookAround(newest) => {
                    self.look_around(newest);
                    ComesFrom::LookingAround
                }
                Next::Park if self.is_called_in_time(number, &parker) => ComesFrom::Call,
                Next::Park => return,
            };
        }
    }

    /// Watches for a job newer than `seen`, without lock or system call, for [`LOOK_AROUND`].
    fn look_around(&self, seen: Ticket) {
        let until = Instant::now() + LOOK_AROUND;
        while self.newest.load(Ordering::Relaxed) == seen && Instant::now() < until {
            hint::spin_loop();
        }
    }

    /// Parks idle thread `number`. True: it was called, and is no longer among the idle. False: its time is over, and
    /// it no longer counts as a thread.
    fn is_called_in_time(&self, number: usize, parker: &ThreadParker) -> bool {
        // A time beyond what the clock can say means: for ever.
        let deadline = Instant::now().checked_add(self.idle_time);
        loop {
            match deadline {
                Some(deadline) => parker.park_deadline(deadline),
                None => parker.park(),
            }
            let mut queue = self.lock();
            // Being called means having been taken off the list: that alone decides, for the time may run out and
            // the call come at once.
            let Some(place) = queue.idle.iter().position(|idle| idle.number == number) else {
                return !is_broken("blocking_pool_leaves_when_called");
            };
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                queue.idle.remove(place);
                queue.threads -= 1;
                return false;
            }
        }
    }
}

impl JobQueue {
    /// Calls a thread if rule 1 wants one. Harmless at any time, so it follows every change.
    fn call(&mut self, max_threads: usize) -> Call {
        if self.jobs.is_empty() || self.on_its_way {
            return Call::Nobody;
        }
        let call = if let Some(idle) = self.idle.pop() {
            Call::Rouse(idle.unparker)
        } else if self.threads < max_threads && !self.is_refused() {
            self.refused_until = None;
            self.threads += 1;
            self.started += 1;
            Call::Start {
                number: self.started,
            }
        } else {
            return Call::Nobody;
        };
        self.on_its_way = true;
        call
    }

    /// Whether creating a thread has just failed.
    fn is_refused(&self) -> bool {
        self.refused_until
            .is_some_and(|until| Instant::now() < until)
    }

    /// The next step of a thread that is free; `newest` is the ticket of the newest job.
    fn next(&mut self, comes_from: ComesFrom, newest: Ticket) -> Next {
        if comes_from != ComesFrom::Job {
            self.on_its_way = false;
        }
        if let Some((_, job)) = self.jobs.pop_front() {
            Next::Run(job)
        } else if comes_from == ComesFrom::Job && !self.on_its_way {
            self.on_its_way = true;
            Next::LookAround(newest)
        } else {
            Next::Park
        }
    }
}

/// Runs what others wrote; the thread outlives its panic. The closure's own panic is caught in the job and is the
/// awaiter's; what is left to panic is a foreign waker, or the drop of a value that nobody awaits.
fn survive(code: impl FnOnce()) {
    if let Err(payload) = panic::catch_unwind(AssertUnwindSafe(code)) {
        // Nobody wants it, and its drop could panic once more.
        mem::forget(payload);
    }
}

impl fmt::Debug for BlockingPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let queue = self.lock();
        f.debug_struct("BlockingPool")
            .field("threads", &queue.threads)
            .field("idle", &queue.idle.len())
            .field("jobs", &queue.jobs.len())
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(parklet_loom)))]
mod tests;
