//! A descriptor's stay with the reactor: from `epoll_ctl(ADD)` to `epoll_ctl(DEL)`.
//!
//! Everything `Async<T>` does that does not depend on `T` is here.
//!
//! # Why this is sound
//!
//! The raw number is kept, in the source, because the descriptor that is deregistered must be the one that was registered,
//! whatever `T::as_fd` returns later. A raw number is only worth something while the descriptor is open:
//!
//! **Rule.** The descriptor that [`Registration::new`] was given stays open until the registration is dropped.
//!
//! `registered.rs` keeps it, and explains how.
#![allow(
    unsafe_code,
    reason = "the registered descriptor is borrowed by its number; the rule above makes that sound"
)]

use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::task::{Context, Poll, ready};

use super::driver::Reactor;
use super::source::{Direction, Readiness, Source, Wait};
use super::waiters::Place;
use super::{last_resort, poller, wake_all};
use crate::budget;
use crate::primitive::AtomicU32;

/// One registered descriptor; dropping it deregisters.
#[derive(Debug)]
pub(super) struct Registration {
    /// Its readiness and waiters, and its number.
    source: &'static Source,
}

impl Registration {
    /// Registers `fd`, which must stay open for as long as the registration lives.
    ///
    /// # Errors
    ///
    /// The kernel's: `PermissionDenied` for what cannot be waited for (a regular file), `AlreadyExists` for a descriptor
    /// that is registered already; or the reactor could not be started.
    pub(super) fn new(fd: BorrowedFd<'_>) -> io::Result<Registration> {
        let registration = Registration::lazy(fd)?;
        registration.tell_kernel()?;
        Ok(registration)
    }

    /// [`new`](Registration::new), but the kernel is told only when a call first has to wait, and a connection that never
    /// has to saves two system calls. Nothing is missed: adding a descriptor reports what is ready at that moment.
    ///
    /// # Errors
    ///
    /// If the reactor could not be started. What the kernel says of the descriptor comes with the first wait.
    pub(super) fn lazy(fd: BorrowedFd<'_>) -> io::Result<Registration> {
        let source = Reactor::try_start()?.sources.open(fd);
        let source = source.ok_or_else(|| {
            let cause = io::Error::new(io::ErrorKind::AlreadyExists, "it is registered already");
            cannot_wait_for(fd, &cause)
        })?;
        Ok(Registration { source })
    }

    /// Tells the kernel of the descriptor. The caller is the only one to do so: nobody else has the registration yet, or
    /// he has the lock of [`Source::wait`].
    fn tell_kernel(&self) -> io::Result<()> {
        let added = Reactor::started()
            .poller
            .add(self.as_fd(), self.source.key());
        added.map_err(|error| cannot_wait_for(self.as_fd(), &error))?;
        self.source.set_registered();
        Ok(())
    }

    /// The same registration again; one of the two must not be dropped (`shared.rs`).
    pub(super) fn same(&self) -> Registration {
        Registration {
            source: self.source,
        }
    }

    /// How many handles share the descriptor (`shared.rs`).
    pub(super) fn owners(&self) -> &AtomicU32 {
        self.source.owners()
    }

    /// One call of a `poll_` function, which leaves its waker behind: whoever comes from there may go without a word.
    pub(super) fn poll(&self, direction: Direction) -> Waiting<'_> {
        self.waiting(direction, Place::NOBODY)
    }

    /// A future, which takes its waker with it when it is dropped.
    pub(super) fn future(&self, direction: Direction) -> Waiting<'_> {
        self.waiting(direction, Place::NOT_YET)
    }

    /// Who comes with this place.
    fn waiting(&self, direction: Direction, place: Place) -> Waiting<'_> {
        Waiting {
            registration: self,
            direction,
            place,
        }
    }

    /// Deregisters; `Drop` does the same and forgets the error.
    pub(super) fn close(self) -> io::Result<()> {
        ManuallyDrop::new(self).deregister()
    }

    /// Generation first, so that events under way are stale; then the kernel's entry; then the source is free, so that
    /// nobody has it before. Those who waited are woken, to find the descriptor gone.
    fn deregister(&self) -> io::Result<()> {
        let reactor = Reactor::started();
        let is_registered = self.source.is_registered();
        let mut waiters = self.source.close();
        let deleted = if is_registered {
            reactor.poller.delete(self.as_fd())
        } else {
            Ok(())
        };
        self.source.release();
        let mut woken = Vec::new();
        waiters.take(Readiness::BOTH, &mut woken);
        wake_all(&mut woken);
        deleted
    }

    /// The number of the registered descriptor.
    pub(super) fn raw(&self) -> RawFd {
        RawFd::try_from(self.source.index()).expect("it was a descriptor's number")
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // Fails only if the set no longer has the descriptor, which is what was wanted.
        let _ = self.deregister();
    }
}

impl AsFd for Registration {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: by the rule above the descriptor is open while `self` exists, which the result cannot outlive.
        unsafe { BorrowedFd::borrow_raw(self.raw()) }
    }
}

/// An error that says what was attempted.
fn cannot_wait_for(fd: BorrowedFd<'_>, cause: &io::Error) -> io::Error {
    let number = fd.as_raw_fd();
    let message = format!("cannot wait for events of descriptor {number}: {cause}");
    io::Error::new(cause.kind(), message)
}

/// Who tries a call, and waits, in one direction.
#[derive(Debug)]
pub(super) struct Waiting<'a> {
    /// For what.
    registration: &'a Registration,
    /// In which direction.
    direction: Direction,
    /// Where its waker is.
    place: Place,
}

impl Waiting<'_> {
    /// Makes `attempt`, and where it would block, stores the task's waker until it is worth trying again.
    pub(super) fn poll_with<R>(
        &mut self,
        cx: &Context<'_>,
        mut attempt: impl FnMut() -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        ready!(budget::charge(cx));
        let source = self.registration.source;
        loop {
            let seen = source.state();
            if seen.is_ready(self.direction) {
                match attempt() {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        source.clear(self.direction, seen);
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    result => return Poll::Ready(result),
                }
            }
            if self.wait(cx, poller::ONESHOT)? == Wait::Stored {
                return Poll::Pending;
            }
        }
    }

    /// Like [`poll_with`](Waiting::poll_with) for a stream of bytes: a call that moved fewer than it wanted has emptied, or
    /// filled, what is on the kernel's side, and the one that would say `WouldBlock` is saved (rule 5 in `source.rs`).
    pub(super) fn poll_short(
        &mut self,
        cx: &Context<'_>,
        wanted: usize,
        mut attempt: impl FnMut() -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let (source, direction) = (self.registration.source, self.direction);
        self.poll_with(cx, || {
            let seen = source.state();
            let result = attempt();
            if let Ok(moved) = result
                && (1..wanted).contains(&moved)
                && seen.short_is_last(direction)
            {
                source.clear(direction, seen);
            }
            result
        })
    }

    /// Waits for a fresh report: what is known is forgotten once, and what is there now is reported again.
    ///
    /// The caller reads or writes behind the reactor's back, so what the source remembers is worth nothing here.
    pub(super) fn poll_event(&mut self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        ready!(budget::charge(cx));
        let source = self.registration.source;
        let arm = match self.place {
            Place::NOT_YET => source.forget(self.direction),
            Place::NOBODY => source.forget_once(self.direction),
            _ => false,
        };
        if self.wait(cx, arm || poller::ONESHOT)? == Wait::Stored {
            return Poll::Pending;
        }
        if self.place == Place::NOBODY {
            source.answered(self.direction);
        }
        Poll::Ready(Ok(()))
    }

    /// Stores the waker, unless an event came meanwhile, and asks for a report of what is there if `arm` says so.
    fn wait(&mut self, cx: &Context<'_>, arm: bool) -> io::Result<Wait> {
        let registration = self.registration;
        let source = registration.source;
        let wait = source.wait(self.direction, &mut self.place, cx.waker(), |waiters| {
            if !source.is_registered() {
                registration.tell_kernel()?;
                if !poller::ONESHOT {
                    // To be added is to be asked what is there.
                    return Ok(());
                }
            }
            if arm {
                let poller = &Reactor::started().poller;
                poller.rearm(registration.as_fd(), source.key(), waiters.wanted())?;
            }
            Ok(())
        })?;
        if wait == Wait::Stored {
            last_resort::waiter_stored(cx);
        }
        Ok(wait)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.place.is_stored() {
            self.registration.source.leave(&self.place);
        }
    }
}
