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
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::task::{Context, Poll};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use super::registration::Registration;
use super::source::Direction;

/// A descriptor whose calls wait without blocking the thread.
///
/// `T` is anything that owns a descriptor the kernel can wait for: a socket of std, a pipe, an `eventfd`, a terminal, the
/// handle of some C library. For TCP, UDP and unix sockets [`net`](crate::net) has done the wrapping already.
///
/// Where `&T` is [`Read`](io::Read) or [`Write`](io::Write), `Async<T>` and `&Async<T>` are `AsyncRead` or `AsyncWrite`. Any other call goes
/// through [`read_with`](Async::read_with) and [`write_with`](Async::write_with), which try it and wait as long as it says
/// [`WouldBlock`](io::ErrorKind::WouldBlock).
///
/// Any number of tasks may wait at once, also in the same direction: an event wakes all of them. It works on every
/// executor. On parklet's own threads no thread is added to the program; elsewhere one is started to wait for events.
///
/// The idea and the name are async-io's. Other than there `T` is not handed out mutably while it is registered, and
/// `&T` must be able to read, not only `T`.
///
/// # Examples
///
/// ```
/// use std::os::unix::net::UnixStream;
///
/// use parklet::io::{ReadExt, WriteExt};
/// use parklet::reactor::Async;
/// use parklet::task;
///
/// task::block_on(async {
///     let (left, right) = UnixStream::pair()?;
///     let (left, right) = (Async::new(left)?, Async::new(right)?);
///
///     (&left).write_all(b"hello").await?;
///     let mut greeting = [0; 5];
///     (&right).read_exact(&mut greeting).await?;
///     assert_eq!(&greeting, b"hello");
///     Ok::<(), std::io::Error>(())
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Async<T> {
    /// The stay with the reactor. The first field, since it has to end before the descriptor is closed.
    registration: Registration,
    /// The descriptor's owner.
    io: T,
}

impl<T: AsFd + 'static> Async<T> {
    /// Makes the descriptor non-blocking and registers it.
    ///
    /// Non-blocking is a property of what is open, not of the number: a terminal that is shared with other processes, or
    /// the other half of a `try_clone`, becomes non-blocking too.
    ///
    /// # Errors
    ///
    /// - [`PermissionDenied`](io::ErrorKind::PermissionDenied): the kernel does not wait for such descriptors. Regular files
    ///   are the common case; calls on them belong into [`task::spawn_blocking`](crate::task::spawn_blocking).
    /// - [`AlreadyExists`](io::ErrorKind::AlreadyExists): the descriptor is registered already.
    /// - Whatever else the system says, such as having no descriptors left for the reactor's own.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::reactor::Async;
    ///
    /// let listener = Async::new(std::net::TcpListener::bind("127.0.0.1:0")?)?;
    /// assert!(listener.get_ref().local_addr()?.port() != 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(io: T) -> io::Result<Async<T>> {
        let flags = fcntl_getfl(&io)?;
        if !flags.contains(OFlags::NONBLOCK) {
            fcntl_setfl(&io, flags | OFlags::NONBLOCK)?;
        }
        let registration = Registration::new(io.as_fd())?;
        Ok(Async::from_parts(registration, io))
    }

    /// [`new`](Async::new) for a socket that is non-blocking already. It is registered when it first has to wait, which one
    /// that was just accepted, and whose first bytes are there, often need not.
    pub(crate) fn of_socket(io: T) -> io::Result<Async<T>> {
        let registration = Registration::lazy(io.as_fd())?;
        Ok(Async::from_parts(registration, io))
    }
}

impl<T> Async<T> {
    /// Of a registration and what is registered.
    pub(super) fn from_parts(registration: Registration, io: T) -> Async<T> {
        Async { registration, io }
    }

    /// The registration and what is registered; the first has to be dropped before the second.
    pub(super) fn into_parts(self) -> (Registration, T) {
        (self.registration, self.io)
    }

    /// The descriptor's owner.
    ///
    /// There is no `get_mut`: with it one could exchange the descriptor and leave the reactor with the old one. Take it
    /// out with [`into_inner`](Async::into_inner) instead, and register again.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::reactor::Async;
    ///
    /// let socket = Async::new(std::net::UdpSocket::bind("127.0.0.1:0")?)?;
    /// socket.get_ref().set_broadcast(true)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn get_ref(&self) -> &T {
        &self.io
    }

    /// Deregisters and returns the descriptor, which stays non-blocking.
    ///
    /// # Errors
    ///
    /// If the kernel refuses to deregister it, which then closes it. It has no reason to.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::reactor::Async;
    ///
    /// let listener = Async::new(std::net::TcpListener::bind("127.0.0.1:0")?)?;
    /// let listener = listener.into_inner()?;
    /// listener.set_nonblocking(false)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_inner(self) -> io::Result<T> {
        let (registration, io) = self.into_parts();
        registration.close()?;
        Ok(io)
    }

    /// Waits until a call that reads would not block: there is data, the end, an error, or a connection to accept.
    ///
    /// What the kernel said earlier does not count, as the caller reads behind the reactor's back: it is asked again.
    /// Somebody else may be faster all the same, so the call that follows must be non-blocking.
    ///
    /// # Errors
    ///
    /// If the kernel cannot be asked.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is read, and a dropped wait takes its waker with it.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io::{Read, Write};
    /// use std::os::unix::net::UnixStream;
    ///
    /// use parklet::{reactor::Async, task};
    ///
    /// task::block_on(async {
    ///     let (left, mut right) = UnixStream::pair()?;
    ///     let left = Async::new(left)?;
    ///     right.write_all(b"x")?;
    ///
    ///     left.readable().await?;
    ///     assert_eq!(left.get_ref().read(&mut [0; 8])?, 1);
    ///     Ok::<(), std::io::Error>(())
    /// })?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn readable(&self) -> io::Result<()> {
        let mut waiting = self.registration.future(Direction::Read);
        poll_fn(|cx| waiting.poll_event(cx)).await
    }

    /// Waits until a call that writes would not block: there is room, an error, or a connection that has been
    /// established.
    ///
    /// As with [`readable`](Async::readable) the kernel is asked anew.
    ///
    /// # Errors
    ///
    /// If the kernel cannot be asked.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is written, and a dropped wait takes its waker with it.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::os::unix::net::UnixStream;
    ///
    /// use parklet::{reactor::Async, task};
    ///
    /// let (left, _right) = UnixStream::pair()?;
    /// let left = Async::new(left)?;
    /// task::block_on(left.writable())?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn writable(&self) -> io::Result<()> {
        let mut waiting = self.registration.future(Direction::Write);
        poll_fn(|cx| waiting.poll_event(cx)).await
    }

    /// Polls what [`readable`](Async::readable) awaits.
    ///
    /// The question to the kernel is remembered from one poll to the next until it is answered, whoever asked. So after
    /// a task has given up, the next may be told of readiness that somebody has used up meanwhile.
    ///
    /// # Errors
    ///
    /// If the kernel cannot be asked.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{future::poll_fn, io::Write, os::unix::net::UnixStream};
    ///
    /// use parklet::{reactor::Async, task};
    ///
    /// let (left, mut right) = UnixStream::pair()?;
    /// let left = Async::new(left)?;
    /// right.write_all(b"x")?;
    /// task::block_on(poll_fn(|cx| left.poll_readable(cx)))?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.registration.poll(Direction::Read).poll_event(cx)
    }

    /// Polls what [`writable`](Async::writable) awaits; otherwise like [`poll_readable`](Async::poll_readable).
    ///
    /// # Errors
    ///
    /// If the kernel cannot be asked.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{future::poll_fn, os::unix::net::UnixStream};
    ///
    /// use parklet::{reactor::Async, task};
    ///
    /// let (left, _right) = UnixStream::pair()?;
    /// let left = Async::new(left)?;
    /// task::block_on(poll_fn(|cx| left.poll_writable(cx)))?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.registration.poll(Direction::Write).poll_event(cx)
    }

    /// Calls `op` and, as long as it says [`WouldBlock`](io::ErrorKind::WouldBlock), waits for the descriptor to become
    /// readable and calls it again.
    ///
    /// `op` must say `WouldBlock` only when the kernel did. It is called at once: often there is something to read.
    ///
    /// # Errors
    ///
    /// Those of `op`, but for `WouldBlock` and [`Interrupted`](io::ErrorKind::Interrupted), after which it is called again.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it is only dropped between two calls of `op`, neither of which had a result.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::net::UdpSocket;
    ///
    /// use parklet::{reactor::Async, task};
    ///
    /// let socket = Async::new(UdpSocket::bind("127.0.0.1:0")?)?;
    /// socket.get_ref().send_to(b"hello", socket.get_ref().local_addr()?)?;
    ///
    /// let mut buffer = [0; 16];
    /// let (length, _) = task::block_on(socket.read_with(|socket| socket.recv_from(&mut buffer)))?;
    /// assert_eq!(&buffer[..length], b"hello");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn read_with<R>(&self, mut op: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        let mut waiting = self.registration.future(Direction::Read);
        poll_fn(|cx| waiting.poll_with(cx, || op(&self.io))).await
    }

    /// Calls `op` and, as long as it says [`WouldBlock`](io::ErrorKind::WouldBlock), waits for the descriptor to become
    /// writable and calls it again. Otherwise like [`read_with`](Async::read_with).
    ///
    /// # Errors
    ///
    /// Those of `op`, but for `WouldBlock` and [`Interrupted`](io::ErrorKind::Interrupted), after which it is called again.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it is only dropped between two calls of `op`, neither of which had a result.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::net::UdpSocket;
    ///
    /// use parklet::{reactor::Async, task};
    ///
    /// let socket = Async::new(UdpSocket::bind("127.0.0.1:0")?)?;
    /// let address = socket.get_ref().local_addr()?;
    /// let sent = task::block_on(socket.write_with(|socket| socket.send_to(b"hello", address)))?;
    /// assert_eq!(sent, 5);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn write_with<R>(&self, mut op: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        let mut waiting = self.registration.future(Direction::Write);
        poll_fn(|cx| waiting.poll_with(cx, || op(&self.io))).await
    }

    /// Polls what [`read_with`](Async::read_with) awaits: calls `op`, and on `WouldBlock` has the task woken when the
    /// descriptor is readable.
    ///
    /// A task that is gone for good leaves its waker behind until the next event; [`read_with`](Async::read_with) does not.
    ///
    /// # Errors
    ///
    /// Those of `op`, but for `WouldBlock` and [`Interrupted`](io::ErrorKind::Interrupted), after which it is called again.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{future::poll_fn, io::{Read, Write}, os::unix::net::UnixStream};
    ///
    /// use parklet::{reactor::Async, task};
    ///
    /// let (left, mut right) = UnixStream::pair()?;
    /// let left = Async::new(left)?;
    /// right.write_all(b"hello")?;
    ///
    /// let mut buffer = [0; 16];
    /// let read = poll_fn(|cx| left.poll_read_with(cx, |mut stream| stream.read(&mut buffer)));
    /// assert_eq!(task::block_on(read)?, 5);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_read_with<R>(
        &self,
        cx: &mut Context<'_>,
        op: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.poll_with(cx, Direction::Read, op)
    }

    /// Polls what [`write_with`](Async::write_with) awaits; otherwise like [`poll_read_with`](Async::poll_read_with).
    ///
    /// # Errors
    ///
    /// Those of `op`, but for `WouldBlock` and [`Interrupted`](io::ErrorKind::Interrupted), after which it is called again.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{future::poll_fn, io::Write, os::unix::net::UnixStream};
    ///
    /// use parklet::{reactor::Async, task};
    ///
    /// let (left, _right) = UnixStream::pair()?;
    /// let left = Async::new(left)?;
    /// let write = poll_fn(|cx| left.poll_write_with(cx, |mut stream| stream.write(b"hello")));
    /// assert_eq!(task::block_on(write)?, 5);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_write_with<R>(
        &self,
        cx: &mut Context<'_>,
        op: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.poll_with(cx, Direction::Write, op)
    }

    /// [`poll_read_with`](Async::poll_read_with) or [`poll_write_with`](Async::poll_write_with).
    pub(crate) fn poll_with<R>(
        &self,
        cx: &Context<'_>,
        direction: Direction,
        mut op: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        let mut waiting = self.registration.poll(direction);
        waiting.poll_with(cx, || op(&self.io))
    }

    /// The same for a stream of bytes: `op` reads into, or writes from, a buffer of `wanted` bytes, and where it moved
    /// fewer, the next call waits for an event without asking the kernel first.
    ///
    /// Only for TCP. Elsewhere a read may stop short of what is there: at the end of a datagram, before a message that
    /// carries descriptors, at the end of a packet of a pipe.
    pub(crate) fn poll_short(
        &self,
        cx: &Context<'_>,
        direction: Direction,
        wanted: usize,
        mut op: impl FnMut(&T) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let mut waiting = self.registration.poll(direction);
        waiting.poll_short(cx, wanted, || op(&self.io))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::block_on;
    use rustix::net::{SendFlags, send};
    use std::cell::Cell;
    use std::io::{Read, Write};
    use std::net::{Shutdown, TcpListener, TcpStream};
    use std::task::Waker;

    /// A stream that is known to be empty, and its peer.
    fn drained_pair() -> (Async<TcpStream>, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let theirs = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        theirs.set_nodelay(true).unwrap();
        let ours = Async::new(listener.accept().unwrap().0).unwrap();
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(
            ours.poll_short(cx, Direction::Read, 64, |io| { io }.read(&mut [0; 64]))
                .is_pending()
        );
        (ours, theirs)
    }

    /// Reads once as `TcpStream` does, and counts the calls.
    fn read(io: &Async<TcpStream>, wanted: usize, calls: &Cell<usize>) -> Vec<u8> {
        let mut buffer = vec![0; wanted];
        let read = block_on(poll_fn(|cx| {
            io.poll_short(cx, Direction::Read, wanted, |mut io| {
                calls.set(calls.get() + 1);
                io.read(&mut buffer)
            })
        }));
        buffer.truncate(read.unwrap());
        buffer
    }

    /// A call that finds nothing, and is counted.
    fn in_vain<T>(calls: &Cell<usize>) -> io::Result<T> {
        calls.set(calls.get() + 1);
        Err(io::ErrorKind::WouldBlock.into())
    }

    /// Once in a while a call is made in vain all the same: another thread drives, and what it was told before the short
    /// call it writes down after.
    const NOW_AND_THEN: usize = 5;

    #[test]
    fn a_short_read_saves_the_call_that_would_say_would_block() {
        let (ours, theirs) = drained_pair();
        let (calls, in_vain_calls) = (Cell::new(0), Cell::new(0));
        for _ in 0..100 {
            (&theirs).write_all(b"hello").unwrap();
            assert_eq!(read(&ours, 64, &calls), b"hello");
            let cx = &mut Context::from_waker(Waker::noop());
            let nothing = ours.poll_short(cx, Direction::Read, 64, |_| {
                in_vain::<usize>(&in_vain_calls)
            });
            assert!(nothing.is_pending());
        }
        assert!(calls.get() <= 100 + NOW_AND_THEN, "{calls:?}");
        assert!(in_vain_calls.get() <= NOW_AND_THEN, "{in_vain_calls:?}");
    }

    #[test]
    fn a_short_write_saves_the_call_that_would_say_would_block() {
        let (ours, mut theirs) = drained_pair();
        let chunk = vec![0; 1 << 20];
        let cx = &mut Context::from_waker(Waker::noop());
        let (mut short_writes, in_vain_calls) = (0, Cell::new(0));
        // A real call: the kernel reports room to those who found none.
        let write = |mut io: &TcpStream, bytes: &[u8]| {
            let written = io.write(bytes);
            in_vain_calls.set(in_vain_calls.get() + u32::from(written.is_err()));
            written
        };
        for _ in 0..20 {
            let mut sent = 0;
            while let Poll::Ready(written) =
                ours.poll_short(cx, Direction::Write, chunk.len(), |io| write(io, &chunk))
            {
                let written = written.unwrap();
                short_writes += u32::from(written < chunk.len());
                sent += written;
            }
            // Room is reported all the same.
            theirs.read_exact(&mut vec![0; sent]).unwrap();
            block_on(ours.writable()).unwrap();
        }
        assert!(
            in_vain_calls.get() <= short_writes / 2,
            "{in_vain_calls:?} of {short_writes}"
        );
    }

    #[test]
    fn the_end_is_seen_though_it_came_with_the_data() {
        for _ in 0..50 {
            let (ours, theirs) = drained_pair();
            (&theirs).write_all(b"hello").unwrap();
            theirs.shutdown(Shutdown::Write).unwrap();
            assert_eq!(read(&ours, 64, &Cell::default()), b"hello");
            assert_eq!(read(&ours, 64, &Cell::default()), b"", "the end");
            assert_eq!(read(&ours, 64, &Cell::default()), b"", "for good");
        }
    }

    #[test]
    fn a_read_that_stops_at_an_urgent_byte_is_not_taken_for_the_last() {
        for _ in 0..50 {
            let (ours, theirs) = drained_pair();
            (&theirs).write_all(b"before").unwrap();
            send(&theirs, b"!", SendFlags::OOB).unwrap();
            (&theirs).write_all(b"after").unwrap();
            assert_eq!(read(&ours, 64, &Cell::default()), b"before");
            assert_eq!(read(&ours, 64, &Cell::default()), b"after");
        }
    }

    #[test]
    fn reading_nothing_is_not_a_short_read() {
        let (ours, theirs) = drained_pair();
        (&theirs).write_all(b"hello").unwrap();
        block_on(ours.readable()).unwrap();
        assert_eq!(read(&ours, 0, &Cell::default()), b"");
        assert_eq!(read(&ours, 64, &Cell::default()), b"hello");
    }
}
