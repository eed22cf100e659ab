//! The kernel's side: register descriptors, wait for their events. This is the form for Linux.
//!
//! [`polling::Poller`] owns the epoll set; registering and waiting are our own calls on that set, for two reasons that
//! a system call trace shows:
//!
//! - `Poller::wait` costs up to five system calls, because it sets a timer descriptor and re-arms its notifier each
//!   time. Ours is one `epoll_pwait2`, which takes nanoseconds; where the kernel or a sandbox has none, one `epoll_wait`,
//!   which takes milliseconds.
//! - polling never asks for `EPOLLRDHUP`. Without it, data and the end of the stream that arrive together look like
//!   data alone, and whoever trusts a short read to mean "drained" sleeps for ever.
//!
//! A descriptor is registered once, for both directions, edge-triggered: the kernel reports a change once, and the
//! source remembers it until a call said `WouldBlock`. `poller_portable.rs` has the same methods over polling alone, for
//! other systems; the seam is the one `cfg_attr` in `mod.rs`. `--cfg parklet_portable_poller` takes it on Linux too, so
//! that it can be tested there.
#![allow(
    unsafe_code,
    reason = "rustix has either of the two waits, never both; the other one is called here"
)]

use std::ffi::c_int;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::epoll::{self, Event, EventData, EventFlags};
use rustix::event::{EventfdFlags, Timespec, eventfd};
use rustix::io::Errno;

use super::source::{Key, Readiness};

/// Whether an event disarms its descriptor, so that a waiter has to arm it again. Edge-triggered sets need not.
pub(super) const ONESHOT: bool = false;

/// Events taken from the kernel in one wait. More of them feed several workers at once, fewer keep the first from
/// waiting for the last; what does not fit comes with the next wait.
const BATCH: usize = 256;

/// The notifier's key: no source has it, since no source has so large an index.
const NOTIFIER: Key = Key::MAX;

/// The set of descriptors that the driver waits for.
#[derive(Debug)]
pub(super) struct Poller {
    /// Owner of the epoll descriptor.
    set: polling::Poller,
    /// An eventfd, edge-triggered and never read: each write to it is a new edge, which ends a wait.
    notifier: OwnedFd,
    /// Whether the notifier has been written to since a wait last reported it; a burst of notifications writes once.
    notified: AtomicBool,
    /// Whether there is an `epoll_pwait2`: Linux has it since 5.11.
    counts_nanoseconds: bool,
}

impl Poller {
    /// An empty set.
    pub(super) fn new() -> io::Result<Poller> {
        let set = polling::Poller::new()?;
        // Asked once, of an empty set. `PERM` is what sandboxes say that do not know the call.
        let mut buffer = [MaybeUninit::uninit(); 1];
        let probe = epoll::wait(&set, &mut buffer, Some(&Timespec::default()));
        let counts_nanoseconds = !matches!(probe, Err(Errno::NOSYS | Errno::PERM));
        let notifier = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        epoll::add(
            &set,
            &notifier,
            EventData::new_u64(NOTIFIER),
            EventFlags::IN | EventFlags::ET,
        )?;
        Ok(Poller {
            set,
            notifier,
            notified: AtomicBool::new(false),
            counts_nanoseconds,
        })
    }

    /// Adds `fd`, for both directions. What is ready already counts as an event.
    pub(super) fn add(&self, fd: BorrowedFd<'_>, key: Key) -> io::Result<()> {
        Ok(epoll::add(
            &self.set,
            fd,
            EventData::new_u64(key),
            interest(),
        )?)
    }

    /// Asks for a fresh report: what is ready now becomes an event, though it was reported before.
    ///
    /// `_wanted` is for systems where arming names a direction; here both are always armed.
    pub(super) fn rearm(&self, fd: BorrowedFd<'_>, key: Key, _wanted: Readiness) -> io::Result<()> {
        Ok(epoll::modify(
            &self.set,
            fd,
            EventData::new_u64(key),
            interest(),
        )?)
    }

    /// Removes `fd`. Events that the driver took from the kernel before this may still arrive: their key is stale.
    pub(super) fn delete(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        Ok(epoll::delete(&self.set, fd)?)
    }

    /// Waits until something happens, at most for `timeout` (`None`: as long as it takes), and reports each event.
    ///
    /// A signal ends the wait early and is no error. The driver token sees to it that one thread waits at a time.
    pub(super) fn wait(
        &self,
        timeout: Option<Duration>,
        mut report: impl FnMut(Key, Readiness),
    ) -> io::Result<()> {
        let mut buffer = [MaybeUninit::uninit(); BATCH];
        let waited = if self.counts_nanoseconds {
            // Longer than the kernel can count is for ever.
            let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
            epoll::wait(&self.set, &mut buffer, timeout.as_ref()).map(|(events, _)| &*events)
        } else {
            wait_for_milliseconds(self.set.as_fd(), &mut buffer, timeout)
        };
        let events = match waited {
            Ok(events) => events,
            Err(Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        for event in events {
            match event.data.u64() {
                // Read and write in one: what a notifier published before it found the flag set is visible to this
                // thread from here on, when it looks for work.
                NOTIFIER => drop(self.notified.swap(false, Ordering::SeqCst)),
                key => report(key, readiness(event.flags)),
            }
        }
        Ok(())
    }

    /// Ends the present wait or, if nobody waits, the next.
    pub(super) fn notify(&self) {
        if !self.notified.swap(true, Ordering::SeqCst) {
            // Fails only when the counter is full, after 2^64 - 2 notifications.
            let _ = rustix::io::write(&self.notifier, &1_u64.to_ne_bytes());
        }
    }
}

/// `epoll_wait`, of the C library that std brings along. It counts milliseconds, which are rounded up: the driver must not
/// come back before a timer is due and find nothing to do. After as many as fit, 24 days, it may.
fn wait_for_milliseconds<'a>(
    set: BorrowedFd<'_>,
    buffer: &'a mut [MaybeUninit<Event>; BATCH],
    timeout: Option<Duration>,
) -> Result<&'a [Event], Errno> {
    unsafe extern "C" {
        fn epoll_wait(set: RawFd, events: *mut Event, most: c_int, milliseconds: c_int) -> c_int;
    }

    let milliseconds = timeout.map_or(-1, |timeout| {
        c_int::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(c_int::MAX)
    });
    let room = buffer.as_mut_ptr().cast::<Event>();
    // SAFETY: `set` is open, and `room` has place for `BATCH` events, which rustix lays out as the kernel does.
    let count = unsafe { epoll_wait(set.as_raw_fd(), room, BATCH as c_int, milliseconds) };
    let count = usize::try_from(count).map_err(|_| {
        let error = io::Error::last_os_error();
        Errno::from_io_error(&error).expect("the system's last error has a number")
    })?;
    // SAFETY: the call has written so many events.
    Ok(unsafe { std::slice::from_raw_parts(room, count) })
}

/// What we ask of every descriptor. HUP and ERR are reported unasked.
fn interest() -> EventFlags {
    EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::PRI | EventFlags::ET
}

/// What an event says about each direction. Hang-up and error concern both: the next call will tell which it is.
fn readiness(flags: EventFlags) -> Readiness {
    let mut readiness = Readiness::NONE;
    for (reported, meaning) in [
        (EventFlags::IN, Readiness::READ),
        (EventFlags::OUT, Readiness::WRITE),
        (EventFlags::PRI, Readiness::READ.and(Readiness::PRIORITY)),
        (
            EventFlags::RDHUP,
            Readiness::READ.and(Readiness::READ_CLOSED),
        ),
        (EventFlags::HUP, Readiness::BOTH.and(Readiness::READ_CLOSED)),
        (EventFlags::ERR, Readiness::BOTH),
    ] {
        if flags.contains(reported) {
            readiness = readiness.and(meaning);
        }
    }
    readiness
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    /// One that waits as it is best, and one with `epoll_wait`.
    fn pollers() -> [Poller; 2] {
        let mut older = Poller::new().unwrap();
        older.counts_nanoseconds = false;
        [Poller::new().unwrap(), older]
    }

    /// Waits without sleeping and says how many events of sources came.
    fn poll(poller: &Poller) -> usize {
        let mut events = 0;
        poller
            .wait(Some(Duration::ZERO), |_, _| events += 1)
            .unwrap();
        events
    }

    #[test]
    fn an_edge_is_reported_once_and_again_after_rearm() {
        for poller in pollers() {
            let (reader, writer) = rustix::pipe::pipe().unwrap();
            let key = 7;
            poller.add(reader.as_fd(), key).unwrap();
            assert_eq!(poll(&poller), 0);

            rustix::io::write(&writer, b"x").unwrap();
            let mut events = Vec::new();
            let note = |key, readiness| events.push((key, readiness));
            poller.wait(None, note).unwrap();
            assert_eq!(events, [(key, Readiness::READ)]);
            assert_eq!(poll(&poller), 0, "nothing changed since");

            poller.rearm(reader.as_fd(), key, Readiness::READ).unwrap();
            assert_eq!(poll(&poller), 1, "the byte is still there");
            poller.delete(reader.as_fd()).unwrap();
            rustix::io::write(&writer, b"y").unwrap();
            assert_eq!(poll(&poller), 0);
        }
    }

    /// Also where it counts in milliseconds: else the driver would come back again and again and find nothing to do.
    #[test]
    fn a_wait_is_never_too_short() {
        for poller in pollers() {
            for microseconds in [1, 600, 999, 1_000, 1_001, 2_900] {
                let (start, timeout) = (Instant::now(), Duration::from_micros(microseconds));
                poller.wait(Some(timeout), |_, _| unreachable!()).unwrap();
                assert!(start.elapsed() >= timeout, "{timeout:?}, {poller:?}");
            }
        }
    }

    #[test]
    fn hang_up_and_error_concern_both_directions() {
        for flags in [EventFlags::HUP, EventFlags::ERR] {
            assert!(readiness(flags).contains(Readiness::BOTH), "{flags:?}");
        }
        let half_closed = readiness(EventFlags::IN | EventFlags::RDHUP);
        assert!(half_closed.contains(Readiness::READ.and(Readiness::READ_CLOSED)));
        assert!(!half_closed.contains(Readiness::WRITE));
    }

    #[test]
    fn a_notification_is_kept_for_the_next_wait_and_a_burst_writes_once() {
        for poller in pollers() {
            for _ in 0..5 {
                poller.notify();
            }
            let mut counter = [0; 8];
            // With a notification pending an endless wait returns; the second one has to run into its timeout.
            poller.wait(None, |_, _| unreachable!()).unwrap();
            poller
                .wait(Some(Duration::from_millis(1)), |_, _| unreachable!())
                .unwrap();
            rustix::io::read(&poller.notifier, &mut counter).unwrap();
            assert_eq!(u64::from_ne_bytes(counter), 1, "writes to the notifier");

            poller.notify();
            poller
                .wait(Some(Duration::MAX), |_, _| unreachable!())
                .unwrap();
        }
    }
}
