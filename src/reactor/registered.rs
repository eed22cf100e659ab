//! `Async<T>`: a descriptor whose calls wait without blocking the thread.
//!
//! Every operation is the same three steps: try the call; on `WouldBlock` leave the waker; when it is woken, try again.
//!
//! # Why `T` cannot change its descriptor behind the reactor's back
//!
//! `registration.rs` needs the descriptor it registered to stay open until it is deregistered. async-io asks the
//! implementor for that promise (its trait `IoSafe` is `unsafe`); here it follows from what the API does not give away:
//!
//! - Nobody gets a `&mut T` while it is registered: there is no `get_mut`, and reading and writing go through `&T`.
//! - Through a `&T` the descriptor cannot be closed. `as_fd(&self)` lends it for as long as the `&self` lasts, and safe
//!   code may hold both for as long as it likes, so a `T` that closed it on a shared call would break
//!   `BorrowedFd`'s own rule.
//! - `T: 'static`, so that the same holds when an `Async<T>` is forgotten: what could be lent for ever stays open for
//!   ever.
//! - The registration is dropped before `T` is, and before `into_inner` returns it.

use std::fmt;
use std::future::poll_fn;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use super::registration::Registration;
use super::source::Direction;
use super::waiters::Place;

/// A non-blocking descriptor, registered with the reactor.
///
/// `T` is anything that owns a descriptor the kernel can wait for: sockets, pipes, an `eventfd`, a terminal, an
/// `inotify` handle of some library. Regular files are not among them; they are always ready.
pub struct Async<T> {
    /// The stay with the reactor. The first field, since it has to end before the descriptor is closed.
    registration: Registration,
    /// The descriptor's owner.
    io: T,
}

impl<T: AsFd + 'static> Async<T> {
    /// Makes the descriptor non-blocking and registers it.
    pub fn new(io: T) -> io::Result<Async<T>> {
        let flags = fcntl_getfl(&io)?;
        if !flags.contains(OFlags::NONBLOCK) {
            fcntl_setfl(&io, flags | OFlags::NONBLOCK)?;
        }
        Async::new_nonblocking(io)
    }

    /// [`new`](Async::new) for a descriptor that is non-blocking already, which saves the calls that make it so.
    pub(crate) fn new_nonblocking(io: T) -> io::Result<Async<T>> {
        let registration = Registration::new(io.as_fd())?;
        Ok(Async { registration, io })
    }
}

impl<T> Async<T> {
    /// The descriptor's owner. There is no `get_mut`: it would allow to exchange the descriptor.
    pub fn get_ref(&self) -> &T {
        &self.io
    }

    /// Deregisters and returns the descriptor, which stays non-blocking.
    pub fn into_inner(self) -> io::Result<T> {
        let Async { registration, io } = self;
        registration.close()?;
        Ok(io)
    }

    /// Waits until the descriptor is readable.
    pub async fn readable(&self) -> io::Result<()> {
        let mut waiting = self.registration.waiting(Direction::Read);
        poll_fn(|cx| waiting.poll_event(cx)).await
    }

    /// Waits until the descriptor is writable.
    pub async fn writable(&self) -> io::Result<()> {
        let mut waiting = self.registration.waiting(Direction::Write);
        poll_fn(|cx| waiting.poll_event(cx)).await
    }

    /// Polls whether the descriptor is readable.
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.registration
            .poll_event(cx, Direction::Read, &mut { Place::NOBODY })
    }

    /// Polls whether the descriptor is writable.
    pub fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.registration
            .poll_event(cx, Direction::Write, &mut { Place::NOBODY })
    }

    /// Calls `op` until it does not say `WouldBlock`, and waits for the descriptor to be readable in between.
    pub async fn read_with<R>(&self, mut op: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        let mut waiting = self.registration.waiting(Direction::Read);
        poll_fn(|cx| waiting.poll_with(cx, || op(&self.io))).await
    }

    /// Calls `op` until it does not say `WouldBlock`, and waits for the descriptor to be writable in between.
    pub async fn write_with<R>(&self, mut op: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        let mut waiting = self.registration.waiting(Direction::Write);
        poll_fn(|cx| waiting.poll_with(cx, || op(&self.io))).await
    }

    /// Tries `op`, and on `WouldBlock` stores the waker until the descriptor is readable.
    pub fn poll_read_with<R>(
        &self,
        cx: &mut Context<'_>,
        mut op: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        let mut nobody = Place::NOBODY;
        self.registration
            .poll_with(cx, Direction::Read, &mut nobody, || op(&self.io))
    }

    /// Tries `op`, and on `WouldBlock` stores the waker until the descriptor is writable.
    pub fn poll_write_with<R>(
        &self,
        cx: &mut Context<'_>,
        mut op: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        let mut nobody = Place::NOBODY;
        self.registration
            .poll_with(cx, Direction::Write, &mut nobody, || op(&self.io))
    }

    /// [`poll_read_with`](Async::poll_read_with) for a stream of bytes: `op` reads into a buffer of `wanted` bytes, and
    /// where it got fewer, the next read waits for an event without asking the kernel first.
    ///
    /// Only for TCP. Elsewhere a read may stop short of what is there: at the end of a datagram, before a message that
    /// carries descriptors, at the end of a packet of a pipe.
    pub(crate) fn poll_read_short(
        &self,
        cx: &mut Context<'_>,
        wanted: usize,
        mut op: impl FnMut(&T) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        self.registration
            .poll_read_short(cx, wanted, || op(&self.io))
    }
}

impl<T: AsFd> AsFd for Async<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.io.as_fd()
    }
}

impl<T: AsRawFd> AsRawFd for Async<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.io.as_raw_fd()
    }
}

impl<T: fmt::Debug> fmt::Debug for Async<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Async").field(&self.io).finish()
    }
}

impl<T> AsyncRead for &Async<T>
where
    for<'a> &'a T: Read,
{
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_read_with(cx, |mut io| io.read(buf))
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_read_with(cx, |mut io| io.read_vectored(bufs))
    }
}

impl<T> AsyncRead for Async<T>
where
    for<'a> &'a T: Read,
{
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_read_with(cx, |mut io| io.read(buf))
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_read_with(cx, |mut io| io.read_vectored(bufs))
    }
}

impl<T> AsyncWrite for &Async<T>
where
    for<'a> &'a T: Write,
{
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_with(cx, |mut io| io.write(buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_with(cx, |mut io| io.write_vectored(bufs))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_write_with(cx, |mut io| io.flush())
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

impl<T> AsyncWrite for Async<T>
where
    for<'a> &'a T: Write,
{
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_with(cx, |mut io| io.write(buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_with(cx, |mut io| io.write_vectored(bufs))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_write_with(cx, |mut io| io.flush())
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}
