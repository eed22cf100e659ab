//! Datagrams between processes of one machine.

use super::SocketAddr;
use super::room::until_room;
use crate::io::Explain;
use crate::net::Shutdown;
use crate::reactor::Async;
use std::path::Path;
use std::{fmt, io};

/// A unix socket of datagrams. They keep their order and are not lost: a send waits while the receiver's queue is full.
/// A connected socket's `send` learns of room from the kernel; `send_to` tries again and again, at most 50 ms apart.
///
/// # Examples
///
/// ```
/// use parklet::os::unix::net::UnixDatagram;
///
/// parklet::task::block_on(async {
///     let (one, other) = UnixDatagram::pair()?;
///     one.send(b"hello").await?;
///     let mut buf = [0; 16];
///     assert_eq!(other.recv(&mut buf).await?, 5);
///     # std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
pub struct UnixDatagram {
    /// The socket and its place in the reactor.
    pub(crate) socket: Async<std::os::unix::net::UnixDatagram>,
}

impl UnixDatagram {
    /// Around one of std's.
    fn new(socket: std::os::unix::net::UnixDatagram) -> io::Result<UnixDatagram> {
        Ok(UnixDatagram {
            socket: Async::new(socket)?,
        })
    }

    /// Makes a socket at `path`, which must not exist.
    ///
    /// # Errors
    ///
    /// The system's, naming the path.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it never waits; it is async because async-std's is.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::os::unix::net::UnixDatagram;
    ///
    /// parklet::task::block_on(async {
    ///     let folder = tempfile::tempdir()?;
    ///     let path = folder.path().join("socket");
    ///     let receiver = UnixDatagram::bind(&path).await?;
    ///     assert_eq!(receiver.local_addr()?.as_pathname(), Some(path.as_path()));
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixDatagram> {
        let path = path.as_ref();
        let socket = std::os::unix::net::UnixDatagram::bind(path).and_then(UnixDatagram::new);
        socket.explain(|| format!("cannot bind {path:?}"))
    }

    /// A socket without a name: it can send, but not be sent to.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::os::unix::net::UnixDatagram;
    ///
    /// parklet::task::block_on(async {
    ///     let folder = tempfile::tempdir()?;
    ///     let path = folder.path().join("socket");
    ///     let receiver = UnixDatagram::bind(&path).await?;
    ///     let sender = UnixDatagram::unbound()?;
    ///     sender.send_to(b"hello", &path).await?;
    ///     assert_eq!(receiver.recv(&mut [0; 16]).await?, 5);
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn unbound() -> io::Result<UnixDatagram> {
        std::os::unix::net::UnixDatagram::unbound().and_then(UnixDatagram::new)
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
    /// use parklet::os::unix::net::UnixDatagram;
    ///
    /// parklet::task::block_on(async {
    ///     let (one, other) = UnixDatagram::pair()?;
    ///     other.send(b"hello").await?;
    ///     assert_eq!(one.recv(&mut [0; 16]).await?, 5);
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn pair() -> io::Result<(UnixDatagram, UnixDatagram)> {
        let (one, other) = std::os::unix::net::UnixDatagram::pair()?;
        Ok((UnixDatagram::new(one)?, UnixDatagram::new(other)?))
    }

    /// Takes the socket at `path` for the one peer of `send` and `recv`.
    ///
    /// # Errors
    ///
    /// The system's, naming the path.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it never waits; it is async because async-std's is.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::os::unix::net::UnixDatagram;
    ///
    /// parklet::task::block_on(async {
    ///     let folder = tempfile::tempdir()?;
    ///     let path = folder.path().join("socket");
    ///     let receiver = UnixDatagram::bind(&path).await?;
    ///     let sender = UnixDatagram::unbound()?;
    ///     sender.connect(&path).await?;
    ///     sender.send(b"hello").await?;
    ///     assert_eq!(receiver.recv(&mut [0; 16]).await?, 5);
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        let path = path.as_ref();
        let connected = self.socket.get_ref().connect(path);
        connected.explain(|| format!("cannot connect to {path:?}"))
    }

    /// Sends `buf` as one datagram to the socket at `path`.
    ///
    /// # Errors
    ///
    /// The system's, naming the path.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: sent whole or not at all.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::os::unix::net::UnixDatagram;
    ///
    /// parklet::task::block_on(async {
    ///     let folder = tempfile::tempdir()?;
    ///     let path = folder.path().join("socket");
    ///     let receiver = UnixDatagram::bind(&path).await?;
    ///     let sender = UnixDatagram::unbound()?;
    ///     assert_eq!(sender.send_to(b"hello", &path).await?, 5);
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn send_to<P: AsRef<Path>>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        let path = path.as_ref().to_owned();
        let sent = until_room(|| self.socket.get_ref().send_to(buf, &path)).await;
        sent.explain(|| format!("cannot send a datagram to {path:?}"))
    }

    /// Receives a datagram: its length and its sender's name.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a datagram not given is still there.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::os::unix::net::UnixDatagram;
    ///
    /// parklet::task::block_on(async {
    ///     let folder = tempfile::tempdir()?;
    ///     let path = folder.path().join("socket");
    ///     let receiver = UnixDatagram::bind(&path).await?;
    ///     let sender = UnixDatagram::unbound()?;
    ///     sender.send_to(b"hello", &path).await?;
    ///     let (length, name) = receiver.recv_from(&mut [0; 16]).await?;
    ///     assert_eq!(length, 5);
    ///     assert!(name.is_unnamed());
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.read_with(|socket| socket.recv_from(buf)).await
    }

    /// Sends `buf` as one datagram to the connected peer.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: sent whole or not at all.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::os::unix::net::UnixDatagram;
    ///
    /// parklet::task::block_on(async {
    ///     let (one, other) = UnixDatagram::pair()?;
    ///     assert_eq!(one.send(b"hello").await?, 5);
    ///     drop(other);
    ///     assert!(one.send(b"hello").await.is_err());
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.socket.write_with(|socket| socket.send(buf)).await
    }

    /// Receives a datagram: its length.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a datagram not given is still there.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::os::unix::net::UnixDatagram;
    ///
    /// parklet::task::block_on(async {
    ///     let (one, other) = UnixDatagram::pair()?;
    ///     one.send(b"hello").await?;
    ///     let mut buf = [0; 16];
    ///     assert_eq!(other.recv(&mut buf).await?, 5);
    ///     assert_eq!(&buf[..5], b"hello");
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.read_with(|socket| socket.recv(buf)).await
    }

    /// Ends sending, receiving or both.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::net::Shutdown;
    /// use parklet::os::unix::net::UnixDatagram;
    ///
    /// parklet::task::block_on(async {
    ///     let (one, _other) = UnixDatagram::pair()?;
    ///     one.shutdown(Shutdown::Write)?;
    ///     assert!(one.send(b"hello").await.is_err());
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.socket.get_ref().shutdown(how)
    }

    /// The name of this side.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::os::unix::net::UnixDatagram;
    ///
    /// parklet::task::block_on(async {
    ///     let socket = UnixDatagram::unbound()?;
    ///     assert!(socket.local_addr()?.is_unnamed());
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.get_ref().local_addr()
    }

    /// The name of the connected peer.
    ///
    /// # Errors
    ///
    /// `NotConnected` without one.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::os::unix::net::UnixDatagram;
    ///
    /// parklet::task::block_on(async {
    ///     let socket = UnixDatagram::unbound()?;
    ///     assert!(socket.peer_addr().is_err());
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.get_ref().peer_addr()
    }
}

impl fmt::Debug for UnixDatagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket.get_ref().fmt(f)
    }
}
