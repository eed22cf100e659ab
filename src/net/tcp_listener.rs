//! A socket that waits for TCP connections.

use crate::net::to_socket_addrs::try_each;
use crate::net::{
    Acceptor, SocketAddr, TcpStream, ToSocketAddrs, Turn, accept_nonblocking, connect,
    impl_incoming,
};
use crate::reactor::Async;
use std::fmt;
use std::future::{poll_fn, ready};
use std::io;
use std::task::{Context, Poll};

/// How many connections may wait to be accepted. std asks for 128, and then a burst of a thousand connects takes more
/// than a second, since what finds no room is tried again a second later. This is Linux's own ceiling
/// (`net.core.somaxconn`); a place that is not taken costs nothing.
const BACKLOG: i32 = 4096;

/// A socket that waits for TCP connections.
///
/// async-std's and std's type; `From` makes it of a [`std::net::TcpListener`], and `TryFrom` one of those of it.
/// Dropping it closes the socket; who waits in its backlog is turned away.
///
/// # Examples
///
/// ```
/// use futures_lite::StreamExt;
/// use parklet::io::{self, prelude::*};
/// use parklet::net::{TcpListener, TcpStream};
///
/// parklet::task::block_on(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let address = listener.local_addr()?;
///     let echo = parklet::task::spawn(async move {
///         let stream = listener.incoming().next().await.unwrap()?;
///         io::copy(&mut &stream, &mut &stream).await
///     });
///
///     let mut stream = TcpStream::connect(address).await?;
///     stream.write_all(b"hello").await?;
///     let mut answer = [0; 5];
///     stream.read_exact(&mut answer).await?;
///     assert_eq!(&answer, b"hello");
///     drop(stream);
///     assert_eq!(echo.await?, 5);
///     # std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
pub struct TcpListener {
    /// The socket and its back-off.
    pub(super) acceptor: Acceptor<std::net::TcpListener>,
}

impl TcpListener {
    /// Binds a socket to the first of `addresses` that can be bound, and listens. Port 0 asks for any free port;
    /// [`local_addr`](TcpListener::local_addr) tells which it is.
    ///
    /// As in std, the address may be bound again at once after the listener is gone (`SO_REUSEADDR`). Up to 4,096
    /// connections, or the system's limit, wait to be accepted.
    ///
    /// # Errors
    ///
    /// That of [`ToSocketAddrs`]; else that of the last address: `cannot bind 127.0.0.1:80: Permission denied (os
    /// error 13)`.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing stays bound.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::net::TcpListener;
    ///
    /// let listener = parklet::task::block_on(TcpListener::bind("127.0.0.1:0"))?;
    /// assert_ne!(listener.local_addr()?.port(), 0);
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn bind<A: ToSocketAddrs>(addresses: A) -> io::Result<TcpListener> {
        try_each(addresses, "bind", |address| ready(bind(address))).await
    }

    /// Waits for a connection; gives it with the peer's address.
    ///
    /// Several tasks may accept from one listener; each connection goes to one of them.
    ///
    /// # Errors
    ///
    /// What the system reports, above all `too many open files`. The listener is as good as before: accept again. An
    /// accept that follows an error pauses first, 10 ms and with each further error twice as long, up to a second, so
    /// a loop that goes on after errors does not spin. Connections that were lost before they were accepted are no
    /// errors; the next one is taken.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a connection not given stays in the backlog.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::net::{TcpListener, TcpStream};
    ///
    /// parklet::task::block_on(async {
    ///     let listener = TcpListener::bind("127.0.0.1:0").await?;
    ///     let client = TcpStream::connect(listener.local_addr()?).await?;
    ///     let (_stream, peer) = listener.accept().await?;
    ///     assert_eq!(peer, client.local_addr()?);
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let mut turn = Turn::default();
        poll_fn(|cx| self.poll_accept(cx, &mut turn)).await
    }

    /// The connections as a stream without end: each item is what [`accept`](TcpListener::accept) gives, but for the
    /// address. `next` is cancel safe.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::StreamExt;
    /// use parklet::net::{TcpListener, TcpStream};
    ///
    /// parklet::task::block_on(async {
    ///     let listener = TcpListener::bind("127.0.0.1:0").await?;
    ///     let client = TcpStream::connect(listener.local_addr()?).await?;
    ///     let mut incoming = listener.incoming();
    ///     let stream = incoming.next().await.unwrap()?;
    ///     assert_eq!(stream.peer_addr()?, client.local_addr()?);
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
    /// use parklet::net::{TcpListener, TcpStream};
    ///
    /// parklet::task::block_on(async {
    ///     let listener = TcpListener::bind("127.0.0.1:0").await?;
    ///     let client = TcpStream::connect(listener.local_addr()?).await?;
    ///     let mut incoming = listener.into_incoming();
    ///     let stream = incoming.next().await.unwrap()?;
    ///     assert_eq!(stream.peer_addr()?, client.local_addr()?);
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

    /// The address it is bound to, with the port the system chose if none was asked for.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::net::TcpListener;
    ///
    /// parklet::task::block_on(async {
    ///     let listener = TcpListener::bind("127.0.0.1:0").await?;
    ///     println!("listening on {}", listener.local_addr()?);
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.acceptor.socket().get_ref().local_addr()
    }

    /// One accept, as the task that has `turn` sees it.
    fn poll_accept(
        &self,
        cx: &mut Context<'_>,
        turn: &mut Turn,
    ) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        self.acceptor.poll_accept(cx, turn, |listener| {
            let (socket, peer) = accept_nonblocking(listener)?;
            let peer = peer.ok_or(rustix::io::Errno::CONNABORTED)?.try_into()?;
            let socket = Async::of_socket(std::net::TcpStream::from(socket))?;
            Ok((TcpStream::new(socket), peer))
        })
    }

    /// The same without the address.
    fn poll_connection(
        &self,
        cx: &mut Context<'_>,
        turn: &mut Turn,
    ) -> Poll<io::Result<TcpStream>> {
        let accepted = self.poll_accept(cx, turn);
        accepted.map_ok(|(stream, _)| stream)
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.acceptor.socket().get_ref().fmt(f)
    }
}

impl_incoming!(TcpListener, TcpStream);

/// A listener on one address: std's, but for the backlog and that it is non-blocking from its first moment.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = connect::nonblocking_socket(connect::family(address))?;
    rustix::net::sockopt::set_socket_reuseaddr(&socket, true)?;
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, BACKLOG)?;
    let socket = Async::of_socket(std::net::TcpListener::from(socket))?;
    Ok(TcpListener {
        acceptor: Acceptor::new(socket),
    })
}
