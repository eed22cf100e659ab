//! A connection between two processes of one machine.

use super::SocketAddr;
use super::room::until_room;
use crate::io::Explain;
use crate::net::{Shutdown, impl_stream_io, nonblocking_socket};
use crate::reactor::{Async, Direction, Shared};
use rustix::net::{AddressFamily, SocketAddrUnix};
use std::path::Path;
use std::task::{Context, Poll};
use std::{fmt, io};

/// A connection over a unix socket, closed when the last clone is dropped.
///
/// Everything that [`TcpStream`](crate::net::TcpStream) says about reading, writing, clones and closing holds here.
///
/// # Examples
///
/// ```
/// use parklet::io::prelude::*;
/// use parklet::os::unix::net::UnixStream;
///
/// parklet::task::block_on(async {
///     let (mut one, mut other) = UnixStream::pair()?;
///     one.write_all(b"hello").await?;
///     drop(one);
///     let mut received = String::new();
///     other.read_to_string(&mut received).await?;
///     assert_eq!(received, "hello");
///     # std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone)]
pub struct UnixStream {
    /// The socket and its place in the reactor, shared by all clones.
    pub(crate) socket: Shared<std::os::unix::net::UnixStream>,
}

impl UnixStream {
    /// Around a connected socket.
    pub(crate) fn new(socket: Async<std::os::unix::net::UnixStream>) -> UnixStream {
        UnixStream {
            socket: Shared::new(socket),
        }
    }

    /// Connects to the listener at `path`. While the listener's queue is full it tries again and again, at most 50 ms
    /// apart.
    ///
    /// # Errors
    ///
    /// The system's, naming the path: `cannot connect to "/run/chat": No such file or directory (os error 2)`.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the attempt is given up.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::os::unix::net::{UnixListener, UnixStream};
    ///
    /// parklet::task::block_on(async {
    ///     let folder = tempfile::tempdir()?;
    ///     let path = folder.path().join("door");
    ///     let listener = UnixListener::bind(&path).await?;
    ///     let stream = UnixStream::connect(&path).await?;
    ///     assert_eq!(stream.peer_addr()?.as_pathname(), Some(path.as_path()));
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn connect<P: AsRef<Path>>(path: P) -> io::Result<UnixStream> {
        let path = path.as_ref().to_owned();
        let socket = connect(&path).await;
        let socket = socket.explain(|| format!("cannot connect to {path:?}"))?;
        Ok(UnixStream::new(socket))
    }

    /// Two sockets, connected to each other.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::io::prelude::*;
    /// use parklet::os::unix::net::UnixStream;
    ///
    /// parklet::task::block_on(async {
    ///     let (mut one, mut other) = UnixStream::pair()?;
    ///     one.write_all(b"hello").await?;
    ///     assert_eq!(other.read(&mut [0; 16]).await?, 5);
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn pair() -> io::Result<(UnixStream, UnixStream)> {
        let (one, other) = std::os::unix::net::UnixStream::pair()?;
        Ok((
            UnixStream::new(Async::new(one)?),
            UnixStream::new(Async::new(other)?),
        ))
    }

    /// Ends the connection in one direction or both, for all clones.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::io::prelude::*;
    /// use parklet::net::Shutdown;
    /// use parklet::os::unix::net::UnixStream;
    ///
    /// parklet::task::block_on(async {
    ///     let (one, mut other) = UnixStream::pair()?;
    ///     one.shutdown(Shutdown::Write)?;
    ///     assert_eq!(other.read(&mut [0; 16]).await?, 0);
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.socket.lend().get_ref().shutdown(how)
    }

    /// The name of this side; most have none.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::os::unix::net::UnixStream;
    ///
    /// parklet::task::block_on(async {
    ///     let (one, _other) = UnixStream::pair()?;
    ///     assert!(one.local_addr()?.is_unnamed());
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.lend().get_ref().local_addr()
    }

    /// The name of the other side.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::os::unix::net::UnixStream;
    ///
    /// parklet::task::block_on(async {
    ///     let (one, _other) = UnixStream::pair()?;
    ///     assert!(one.peer_addr()?.is_unnamed());
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.lend().get_ref().peer_addr()
    }
}

impl fmt::Debug for UnixStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket.fmt(f)
    }
}

/// A connection to the listener at `path`.
async fn connect(path: &Path) -> io::Result<Async<std::os::unix::net::UnixStream>> {
    let address = SocketAddrUnix::new(path)?;
    let socket = nonblocking_socket(AddressFamily::UNIX)?;
    until_room(|| Ok(rustix::net::connect(&socket, &address)?)).await?;
    Async::of_socket(socket.into())
}

impl_stream_io!(UnixStream, poll);

/// A read of fewer bytes than wanted does not mean that a unix socket is empty: it also ends where descriptors were
/// sent along. So only `WouldBlock` does, whatever was `_wanted`; for writes too.
fn poll(
    socket: &Async<std::os::unix::net::UnixStream>,
    cx: &Context<'_>,
    direction: Direction,
    _wanted: usize,
    call: impl FnMut(&std::os::unix::net::UnixStream) -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    socket.poll_with(cx, direction, call)
}
