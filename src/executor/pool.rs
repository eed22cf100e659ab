//! Starting the worker threads and naming them; what they share.

use super::asymmetric;
use super::idle::Idle;
use super::injector::Injector;
use super::parker::DriverSeat;
use super::queue::{self, LocalQueue, Seat};
use super::seated;
use super::spares::{Errand, Spares};
use super::task::{self, JoinHandle, Place, Runnable, Schedule};
use super::watcher::Watcher;
use crate::reactor::Reactor;
use std::env;
use std::future::Future;
use std::io;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::available_parallelism;

/// Overrides the number of worker threads.
const THREADS_VARIABLE: &str = "PARKLET_THREADS";

/// More workers than any machine has cores: a larger number is a mistake, and would be paid for in stacks.
const MOST_WORKERS: usize = 1024;

/// Without a lock: `spawn` and every wake from outside look here.
static POOL: OnceLock<&Pool> = OnceLock::new();

/// What the program decides before the pool is started.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// How many workers; `None`: as `PARKLET_THREADS` says, or one a core.
    pub(crate) workers: Option<usize>,
    /// What all threads of the pool are called.
    pub(crate) thread_name: Option<String>,
}

/// The process's pool of worker threads; it is never torn down.
#[derive(Debug)]
pub(crate) struct Pool {
    /// Tasks spawned and woken outside the pool.
    pub(super) injector: Injector,
    /// One a worker.
    pub(super) seats: &'static [Seat],
    /// Workers with nothing to do, and the seats at which nobody sits.
    pub(super) idle: Idle<&'static mut LocalQueue>,
    /// Threads beside the workers.
    pub(super) spares: Spares,
    /// Sees to it that nothing waits for a thread that stands still.
    pub(super) watcher: Watcher,
    /// Counts the tasks that threads without a seat have run.
    help_ticks: AtomicU64,
    /// Counts how often workers went to sleep.
    parks: AtomicU64,
}

/// What the pool is doing, and has done: see [`runtime::Metrics`](crate::runtime::Metrics).
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) workers: usize,
    pub(crate) busy_workers: usize,
    pub(crate) queued_tasks: usize,
    pub(crate) polls: u64,
    pub(crate) steals: u64,
    pub(crate) parks: u64,
}

/// The pool, started if need be.
///
/// # Errors
///
/// If `PARKLET_THREADS` is no number of threads, or not one thread can be started.
#[inline]
fn global() -> io::Result<&'static Pool> {
    /// Apart, so that a spawn is little code.
    #[cold]
    fn start_as_usual() -> io::Result<&'static Pool> {
        Pool::start(Settings::default()).map(|(pool, _)| pool)
    }
    started().map_or_else(start_as_usual, Ok)
}

/// Starts the pool with these settings.
///
/// # Errors
///
/// If it has been started already, a setting is none that can be, or not one thread can be started.
pub(crate) fn start(settings: Settings) -> io::Result<()> {
    match Pool::start(settings)? {
        (_, Started::Now) => Ok(()),
        (_, Started::Before) => Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "cannot set up the worker threads: they have been started already; set them up before the first task is spawned",
        )),
    }
}

/// The pool, if it has been started.
#[inline]
pub(crate) fn started() -> Option<&'static Pool> {
    POOL.get().copied()
}

/// Whether there is a pool, so that others drive the reactor.
pub(crate) fn is_running() -> bool {
    POOL.get().is_some()
}

/// Spawns a future onto the pool, with a name if it has one.
///
/// # Errors
///
/// If the pool cannot be started; the future is dropped.
#[inline]
pub(crate) fn try_spawn<F>(future: F, name: Option<String>) -> io::Result<JoinHandle<F::Output>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    global()?;
    let (runnable, handle) = task::spawn(future, PoolSchedule);
    if let Some(name) = name {
        handle.set_name(name);
    }
    seated::schedule(runnable, Place::Next);
    Ok(handle)
}

/// Brings a task to the pool. Of no size, so that a task of the pool carries nothing for it.
#[derive(Clone, Copy)]
struct PoolSchedule;

impl Schedule for PoolSchedule {
    fn schedule(&self, runnable: Runnable, place: Place) {
        seated::schedule(runnable, place);
    }
}

/// Who started the pool.
enum Started {
    Now,
    Before,
}

impl Pool {
    /// Starts the pool, or finds it started before.
    fn start(settings: Settings) -> io::Result<(&'static Pool, Started)> {
        /// Two threads must not start two pools.
        static STARTING: Mutex<()> = Mutex::new(());
        let _starting = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = POOL.get() {
            return Ok((pool, Started::Before));
        }
        let workers = match settings.workers {
            Some(count) => checked(count)?,
            None => worker_count(env::var_os(THREADS_VARIABLE))?,
        };
        let pool: &'static Pool = Box::leak(Box::new(Pool::new(workers, settings.thread_name)));
        asymmetric::register();
        // Before the workers, who drive from now on, for good.
        Reactor::start();
        let mut started = 0;
        let mut failure = None;
        for _ in 0..workers {
            match pool.spares.send(pool, Errand::Work) {
                Ok(()) => started += 1,
                Err(error) => failure = Some(error),
            }
        }
        // Some workers are enough; a seat that stands empty has an empty queue.
        match failure {
            Some(error) if started == 0 => return Err(error),
            _ => {}
        }
        POOL.get_or_init(|| pool);
        // A `block_on` that drives at this moment is asked to leave.
        DriverSeat::global().notify_driver();
        Ok((pool, Started::Now))
    }

    fn new(workers: usize, thread_name: Option<String>) -> Pool {
        let (seats, vacant) = queue::seats(workers);
        Pool {
            injector: Injector::default(),
            seats,
            idle: Idle::new(vacant),
            spares: Spares::new(thread_name),
            watcher: Watcher::default(),
            help_ticks: AtomicU64::new(0),
            parks: AtomicU64::new(0),
        }
    }

    /// Called after a task has become visible to all: rouses a worker that sleeps, or asks the watcher to see that the
    /// busy ones come round to it.
    pub(super) fn call_help(&'static self) {
        if !self.idle.rouse() {
            self.watcher.arm(self);
        }
    }

    /// Whether there is a task that a searcher would find.
    pub(super) fn is_stealable(&self) -> bool {
        !self.injector.is_empty() || self.seats.iter().any(Seat::is_stealable)
    }

    /// Whether a task waits anywhere, the slots included.
    pub(super) fn has_work(&self) -> bool {
        !self.injector.is_empty() || self.seats.iter().any(Seat::has_work)
    }

    /// One task from anywhere but the slots.
    pub(super) fn steal_one(&self) -> Option<Runnable> {
        self.injector
            .take()
            .or_else(|| self.seats.iter().find_map(Seat::steal))
    }

    /// How many turns the workers have taken in all: tasks run, and looks in vain.
    pub(super) fn seat_ticks(&self) -> u64 {
        self.seats
            .iter()
            .fold(0, |sum, seat| sum.wrapping_add(seat.ticks()))
    }

    /// How many tasks were run without a seat.
    pub(super) fn help_ticks(&self) -> u64 {
        self.help_ticks.load(Ordering::Relaxed)
    }

    /// Counts a worker that goes to sleep, which costs a thousand times more than to count it.
    pub(super) fn count_park(&self) {
        self.parks.fetch_add(1, Ordering::Relaxed);
    }

    /// All that is counted.
    pub(crate) fn counts(&self) -> Counts {
        let workers = self.seats.len();
        let at_seats: usize = self.seats.iter().map(Seat::queued).sum();
        Counts {
            workers,
            busy_workers: workers.saturating_sub(self.idle.vacant()),
            queued_tasks: self.injector.len() + at_seats,
            polls: self.seats.iter().map(Seat::polls).sum::<u64>() + self.help_ticks(),
            steals: self.seats.iter().map(Seat::steals).sum(),
            parks: self.parks.load(Ordering::Relaxed),
        }
    }

    /// Counts a task that is run without a seat.
    pub(super) fn count_help(&self) {
        self.help_ticks.fetch_add(1, Ordering::Relaxed);
    }
}

/// A number of workers that was given in code.
fn checked(count: usize) -> io::Result<usize> {
    if (1..=MOST_WORKERS).contains(&count) {
        return Ok(count);
    }
    let message = format!(
        "cannot start the worker threads: expected a number from 1 to {MOST_WORKERS}, got {count}"
    );
    Err(io::Error::new(io::ErrorKind::InvalidInput, message))
}

/// How many workers to start, given what `PARKLET_THREADS` says.
fn worker_count(variable: Option<std::ffi::OsString>) -> io::Result<usize> {
    let Some(text) = variable else {
        // A system that cannot tell has at least one core.
        return Ok(available_parallelism()
            .map_or(1, std::num::NonZero::get)
            .min(MOST_WORKERS));
    };
    let count = text
        .to_str()
        .and_then(|text| text.parse().ok())
        .filter(|count| (1..=MOST_WORKERS).contains(count));
    count.ok_or_else(|| {
        let message = format!(
            "cannot start the worker threads: {THREADS_VARIABLE} is {text:?}: expected a whole number from 1 to {MOST_WORKERS}"
        );
        io::Error::new(io::ErrorKind::InvalidInput, message)
    })
}

/// Makes timed waits of the calling thread, one of the pool's, end when they should: Linux lets a thread oversleep by 50 us
/// by default, to gather wake-ups.
pub(super) fn sharpen_timers() {
    #[cfg(target_os = "linux")]
    {
        // Refused only where the sandbox forbids it; the timers are a little late there.
        let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_thread_count_is_refused_with_a_message_that_quotes_it() {
        for bad in ["0", "-1", "two", "", "1025", "1.5"] {
            let message = worker_count(Some(bad.into())).unwrap_err().to_string();
            assert!(
                message.contains(&format!("PARKLET_THREADS is {bad:?}: expected")),
                "{message}"
            );
        }
    }

    #[test]
    fn a_thread_count_is_taken_as_it_stands() {
        assert_eq!(worker_count(Some("3".into())).unwrap(), 3);
        assert!(worker_count(None).unwrap() >= 1);
    }
}
