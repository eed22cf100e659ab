//! A socket in the file system that waits for connections.

use super::{SocketAddr, UnixStream};
use crate::io::Explain;
use crate::net::{Acceptor, Turn, accept_nonblocking, impl_incoming};
use crate::reactor::Async;
use std::future::poll_fn;
use std::path::Path;
use std::task::{Context, Poll};
use std::{fmt, io};

/// A socket at a path that waits for connections.
///
/// Dropping it closes the socket; the file stays, and must be removed before the path can be bound again.
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
///     let client = UnixStream::connect(&path).await?;
///     let (_stream, peer) = listener.accept().await?;
///     assert!(peer.is_unnamed());
///     assert_eq!(client.peer_addr()?.as_pathname(), Some(path.as_path()));
///     # std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
pub struct UnixListener {
    /// The socket and its back-off.
    pub(crate) acceptor: Acceptor<std::os::unix::net::UnixListener>,
}

impl UnixListener {
    /// Makes a socket at `path`, which must not exist, and listens.
    ///
    /// # Errors
    ///
    /// The system's, naming the path: `cannot bind "/run/chat": Address already in use (os error 98)`.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it never waits; it is async because async-std's is.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::os::unix::net::UnixListener;
    ///
    /// parklet::task::block_on(async {
    ///     let folder = tempfile::tempdir()?;
    ///     let path = folder.path().join("door");
    ///     let listener = UnixListener::bind(&path).await?;
    ///     // The path is taken now.
    ///     assert!(UnixListener::bind(&path).await.is_err());
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixListener> {
        let path = path.as_ref();
        let socket = std::os::unix::net::UnixListener::bind(path).and_then(Async::new);
        let socket = socket.explain(|| format!("cannot bind {path:?}"))?;
        Ok(UnixListener {
            acceptor: Acceptor::new(socket),
        })
    }

    /// Waits for a connection; gives it with the peer's name, which most peers do not have.
    ///
    /// # Errors
    ///
    /// As [`TcpListener::accept`](crate::net::TcpListener::accept), with the same pauses after errors.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a connection not given stays in the backlog.
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
    ///     let _client = UnixStream::connect(&path).await?;
    ///     let (_stream, peer) = listener.accept().await?;
    ///     assert!(peer.is_unnamed());
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let mut turn = Turn::default();
        let stream = poll_fn(|cx| self.poll_connection(cx, &mut turn)).await?;
        let peer = stream.peer_addr()?;
        Ok((stream, peer))
    }

    /// The connections as a stream without end. `next` is cancel safe.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::StreamExt;
    /// use parklet::os::unix::net::{UnixListener, UnixStream};
    ///
    /// parklet::task::block_on(async {
    ///     let folder = tempfile::tempdir()?;
    ///     let listener = UnixListener::bind(folder.path().join("door")).await?;
    ///     let _client = UnixStream::connect(folder.path().join("door")).await?;
    ///     let _stream = listener.incoming().next().await.unwrap()?;
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming {
            listener: self,
            turn: Turn::default(),
        }
    }

    /// The same stream, owning the listener.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::StreamExt;
    /// use parklet::os::unix::net::{UnixListener, UnixStream};
    ///
    /// parklet::task::block_on(async {
    ///     let folder = tempfile::tempdir()?;
    ///     let path = folder.path().join("door");
    ///     let listener = UnixListener::bind(&path).await?;
    ///     let _client = UnixStream::connect(&path).await?;
    ///     let mut incoming = listener.into_incoming();
    ///     let _stream = incoming.next().await.unwrap()?;
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn into_incoming(self) -> IntoIncoming {
        IntoIncoming {
            listener: self,
            turn: Turn::default(),
        }
    }

    /// The path it is bound to.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::os::unix::net::UnixListener;
    ///
    /// parklet::task::block_on(async {
    ///     let folder = tempfile::tempdir()?;
    ///     let path = folder.path().join("door");
    ///     let listener = UnixListener::bind(&path).await?;
    ///     assert_eq!(listener.local_addr()?.as_pathname(), Some(path.as_path()));
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.acceptor.socket().get_ref().local_addr()
    }

    /// One accept, as the task that has `turn` sees it.
    fn poll_connection(
        &self,
        cx: &mut Context<'_>,
        turn: &mut Turn,
    ) -> Poll<io::Result<UnixStream>> {
        self.acceptor.poll_accept(cx, turn, |listener| {
            let (socket, _) = accept_nonblocking(listener)?;
            let socket = std::os::unix::net::UnixStream::from(socket);
            Ok(UnixStream::new(Async::of_socket(socket)?))
        })
    }
}

impl fmt::Debug for UnixListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.acceptor.socket().get_ref().fmt(f)
    }
}

impl_incoming!(UnixListener, UnixStream);
