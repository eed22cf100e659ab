//! Threads of the pool without a seat.
//!
//! The pool must not be short of a worker because one is held up in a nested `block_on`, nor may a task wait for ever because
//! all threads with seats are held up in calls that block. In both cases a spare thread is sent on an errand: one that
//! waits, or else a new one. Those that are not needed any more wait here for the next errand, the latest to come is the
//! first to be sent, and after a while all but one end.

use super::local;
use super::parker::{Duty, Parker, Unparker};
use super::pool::Pool;
use super::worker;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A spare thread that has had no errand for so long ends, if it is not the last one. As the blocking pool's threads.
const KEEP: Duration = Duration::from_secs(10);

/// What a thread of the pool is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Errand {
    /// Be a worker.
    Work,
    /// Run what the threads that have seats do not get to.
    HelpOut,
}

/// The threads that wait for an errand.
#[derive(Debug)]
pub(crate) struct Spares {
    /// What each of them is called; without it they have numbers.
    thread_name: Option<String>,
    /// The latest to come last. The lock also makes "take it off the list" and "give it an errand" one step.
    waiting: Mutex<Vec<Arc<Spare>>>,
    /// How many threads were ever started, to name them.
    started: AtomicUsize,
}

/// One that waits.
#[derive(Debug)]
struct Spare {
    /// What it is to do. Written when it is taken off the list.
    errand: Mutex<Option<Errand>>,
    /// Rouses it.
    unparker: Arc<Unparker>,
}

impl Spares {
    pub(crate) fn new(thread_name: Option<String>) -> Spares {
        Spares {
            thread_name,
            waiting: Mutex::default(),
            started: AtomicUsize::new(0),
        }
    }

    /// Sends a thread on an errand.
    ///
    /// # Errors
    ///
    /// If none waits and none can be started.
    pub(crate) fn send(&self, pool: &'static Pool, errand: Errand) -> io::Result<()> {
        let spare = self.lock().pop();
        let Some(spare) = spare else {
            return self.start(pool, errand);
        };
        *spare.errand() = Some(errand);
        spare.unparker.unpark();
        Ok(())
    }

    /// Starts a thread.
    fn start(&self, pool: &'static Pool, errand: Errand) -> io::Result<()> {
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let name = match &self.thread_name {
            Some(name) => name.clone(),
            None => format!("parklet-{number}"),
        };
        let started = std::thread::Builder::new()
            .name(name.clone())
            .spawn(move || {
                super::pool::sharpen_timers();
                worker::run(pool, errand);
            });
        started.map(drop).map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("cannot start worker thread {name}: {error}"),
            )
        })
    }

    /// Waits for an errand; meanwhile the local tasks whose home is this thread are run. `None`: the thread is to end.
    pub(crate) fn wait(&self, parker: &Parker) -> Option<Errand> {
        let spare = Arc::new(Spare {
            errand: Mutex::new(None),
            unparker: Arc::clone(parker.unparker()),
        });
        self.lock().push(Arc::clone(&spare));
        let since = Instant::now();
        loop {
            if let Some(errand) = spare.errand().take() {
                return Some(errand);
            }
            if local::is_ready() {
                // Off the list meanwhile: a local task may hold the thread up, and an errand with it.
                if self.leave(&spare) {
                    local::run_one();
                    self.lock().push(Arc::clone(&spare));
                }
                continue;
            }
            let may_end = !local::is_home() && !self.is_first(&spare);
            if may_end && since.elapsed() >= KEEP && self.leave(&spare) {
                return None;
            }
            // As a guest: others drive, and there is nothing to wake here.
            parker.park(
                Duty::Guest,
                may_end.then(|| KEEP.saturating_sub(since.elapsed())),
                &mut Vec::new(),
            );
        }
    }

    /// Whether the thread is the one that would be sent last: it stays.
    fn is_first(&self, spare: &Arc<Spare>) -> bool {
        self.lock()
            .first()
            .is_some_and(|first| Arc::ptr_eq(first, spare))
    }

    /// Takes a thread off the list. False: it has been sent on an errand.
    fn leave(&self, spare: &Arc<Spare>) -> bool {
        let mut waiting = self.lock();
        let place = waiting.iter().position(|other| Arc::ptr_eq(other, spare));
        place.map(|place| waiting.remove(place)).is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Spare>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Spare {
    fn errand(&self) -> MutexGuard<'_, Option<Errand>> {
        self.errand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
