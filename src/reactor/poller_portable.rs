//! The kernel's side over [`polling`] alone, for systems other than Linux: kqueue, event ports, poll.
//!
//! Not every system has edge-triggered events, and where polling offers them it does not say that a peer has closed.
//! So here an event disarms its descriptor, and whoever stores a waker arms it again, for the directions that somebody
//! waits for. What is there at that moment counts as an event, so nothing is lost, also not after a short read. It
//! costs one system call more for each wait.
//!
//! The methods are those of `poller.rs`, which says more about each.
#![allow(
    unsafe_code,
    reason = "polling asks for a promise about the descriptors it is given"
)]

use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::Mutex;
use std::time::Duration;

use polling::{Event, Events, PollMode};

use super::lock;
use super::source::{Key, Readiness};

#[cfg(not(target_pointer_width = "64"))]
compile_error!("polling's keys have as many bits as a pointer, and parklet's have 64");

/// Whether an event disarms its descriptor, so that a waiter has to arm it again.
pub(super) const ONESHOT: bool = true;

/// Events taken from the kernel in one wait.
const BATCH: NonZeroUsize = NonZeroUsize::new(256).unwrap();

/// The set of descriptors that the driver waits for.
#[derive(Debug)]
pub(super) struct Poller {
    /// The set.
    set: polling::Poller,
    /// Room for the events of one wait. A lock for the compiler: the driver token lets in one thread at a time.
    events: Mutex<Events>,
}

impl Poller {
    /// An empty set.
    pub(super) fn new() -> io::Result<Poller> {
        Ok(Poller {
            set: polling::Poller::new()?,
            events: Mutex::new(Events::with_capacity(BATCH)),
        })
    }

    /// Adds `fd`, disarmed.
    pub(super) fn add(&self, fd: BorrowedFd<'_>, key: Key) -> io::Result<()> {
        let (set, disarmed) = (&self.set, event(key, Readiness::NONE));
        // SAFETY: the rule of `registration.rs`: the descriptor stays open until it has been deregistered.
        unsafe { set.add_with_mode(fd.as_raw_fd(), disarmed, PollMode::Oneshot) }
    }

    /// Arms `fd` for the directions in `wanted`.
    pub(super) fn rearm(&self, fd: BorrowedFd<'_>, key: Key, wanted: Readiness) -> io::Result<()> {
        self.set
            .modify_with_mode(fd, event(key, wanted), PollMode::Oneshot)
    }

    /// Removes `fd`.
    pub(super) fn delete(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        self.set.delete(fd)
    }

    /// Waits until something happens, at most for `timeout`, and reports each event.
    pub(super) fn wait(
        &self,
        timeout: Option<Duration>,
        mut report: impl FnMut(Key, Readiness),
    ) -> io::Result<()> {
        let mut events = lock(&self.events);
        events.clear();
        match self.set.wait(&mut events, timeout) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(error),
        }
        for event in events.iter() {
            let mut readiness = Readiness::NONE;
            if event.readable {
                readiness = readiness.and(Readiness::READ);
            }
            if event.writable {
                readiness = readiness.and(Readiness::WRITE);
            }
            report(event.key as Key, readiness);
        }
        Ok(())
    }

    /// Ends the present wait or, if nobody waits, the next. A burst is one: polling sees to that.
    pub(super) fn notify(&self) {
        // Fails only if the set is broken, which the next wait will report.
        let _ = self.set.notify();
    }
}

/// What polling is asked for.
#[expect(clippy::cast_possible_truncation, reason = "64 bits, checked above")]
fn event(key: Key, wanted: Readiness) -> Event {
    Event::new(
        key as usize,
        wanted.contains(Readiness::READ),
        wanted.contains(Readiness::WRITE),
    )
}
