//! The reactor, and one turn of it: wait, take in the events, collect the timers that are due.
//!
//! Whoever holds the driver token, a [`Driver`], waits for all. A turn wakes nobody: it returns the wakers, since to
//! wake is to run foreign code, and since the caller may want to hand the token on first.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};
use std::task::Waker;
use std::time::Duration;

use super::deadlines::Deadlines;
use super::lock;
use super::poller::Poller;
use super::source_table::SourceTable;

/// The process's reactor.
static REACTOR: OnceLock<Reactor> = OnceLock::new();

/// What all threads wait for: one in a process, made on first use.
#[derive(Debug)]
pub(crate) struct Reactor {
    /// The kernel's side.
    pub(super) poller: Poller,
    /// The registered descriptors.
    pub(super) sources: SourceTable,
    /// The timers that somebody waits for.
    pub(super) deadlines: Deadlines,
    /// Whether the driver token is taken.
    driven: AtomicBool,
}

impl Reactor {
    /// The process's reactor, if anything has used it yet.
    pub(crate) fn get() -> Option<&'static Reactor> {
        REACTOR.get()
    }

    /// The process's reactor, made on first use.
    ///
    /// # Panics
    ///
    /// If it cannot be made, since the process has no descriptors left.
    pub(crate) fn start() -> &'static Reactor {
        Reactor::try_start().unwrap_or_else(|error| panic!("{error}"))
    }

    /// [`start`](Reactor::start), for those who can report an error.
    pub(super) fn try_start() -> io::Result<&'static Reactor> {
        /// So that of two threads one makes it and the other gets it.
        static STARTING: Mutex<()> = Mutex::new(());

        if let Some(reactor) = REACTOR.get() {
            return Ok(reactor);
        }
        let _starting = lock(&STARTING);
        if let Some(reactor) = REACTOR.get() {
            return Ok(reactor);
        }
        let poller = Poller::new().map_err(|error| {
            io::Error::new(error.kind(), format!("cannot start the reactor: {error}"))
        })?;
        Ok(REACTOR.get_or_init(|| Reactor {
            poller,
            sources: SourceTable::default(),
            deadlines: Deadlines::new(),
            driven: AtomicBool::new(false),
        }))
    }

    /// The reactor, for those who hold something that is registered with it.
    pub(super) fn started() -> &'static Reactor {
        REACTOR.get().expect("a registration keeps the reactor")
    }

    /// The driver token, if nobody has it. Dropping the [`Driver`] gives it back.
    ///
    /// Taking and giving back are sequentially consistent. So between a thread that writes itself down as standing by
    /// and then tries the token, and one that gives the token back and then looks who stands by, one sees the other,
    /// provided that writing down and looking are sequentially consistent too.
    pub(crate) fn try_drive(&self) -> Option<Driver<'_>> {
        // Looking first keeps the word in every core's cache while somebody drives.
        let taken = self.driven.load(Ordering::SeqCst) || self.driven.swap(true, Ordering::SeqCst);
        (!taken).then(|| Driver { reactor: self })
    }

    /// Makes the driver's wait, the present one or the next, return at once. Several calls before that are one.
    pub(crate) fn notify(&self) {
        self.poller.notify();
    }
}

/// The driver token: the right and the duty to wait for the kernel.
#[derive(Debug)]
pub(crate) struct Driver<'a> {
    /// What is driven.
    reactor: &'a Reactor,
}

impl Driver<'_> {
    /// Waits for events, a timer, [`notify`](Reactor::notify), a signal or the timeout (`None`: never), whichever is
    /// first. The wakers of what became ready are pushed to `woken` and *not* called: the caller wakes them after it has
    /// given the token back.
    ///
    /// With a timeout of zero this is one system call and no more.
    ///
    /// # Panics
    ///
    /// If the kernel refuses to wait: somebody closed the reactor's descriptor, and no I/O will ever end.
    pub(crate) fn turn(&mut self, timeout: Option<Duration>, woken: &mut Vec<Waker>) {
        let Reactor {
            poller,
            sources,
            deadlines,
            ..
        } = self.reactor;
        let timeout = deadlines.begin_sleep(timeout);
        let waited = poller.wait(timeout, |key, readiness| {
            sources.report(key, readiness, woken);
        });
        deadlines.end_sleep(woken);
        if let Err(error) = waited {
            panic!("cannot wait for I/O events: {error}");
        }
    }
}

impl Drop for Driver<'_> {
    fn drop(&mut self) {
        self.reactor.driven.store(false, Ordering::SeqCst);
    }
}
