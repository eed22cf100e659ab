//! What the server asks of a listener and of its streams, so that it runs over TCP, unix sockets or anything else.

use std::future::Future;
use std::net::{IpAddr, Shutdown, SocketAddr};
use std::task::{Context, Poll};

use crate::io::{self, Read, Write};
use crate::net::{TcpListener, TcpStream};
#[cfg(unix)]
use crate::os::unix::net::{UnixListener, UnixStream};

/// Where clients come from.
///
/// The server calls `accept` again and again, also after an error: see [`run`](super::server::run).
///
/// ```
/// use parklet::chat::server::Accept;
/// use parklet::io;
/// use parklet::net::{TcpListener, TcpStream};
///
/// /// Takes only clients of this machine.
/// struct Local(TcpListener);
///
/// impl Accept for Local {
///     type Stream = TcpStream;
///
///     async fn accept(&self) -> io::Result<(TcpStream, String)> {
///         loop {
///             let (stream, peer) = self.0.accept().await?;
///             if peer.ip().is_loopback() {
///                 return Ok((stream, peer.to_string()));
///             }
///         }
///     }
/// }
/// ```
pub trait Accept {
    /// A connection to one client.
    type Stream: ChatStream;

    /// Waits for the next client: its stream, and what to call it in the log.
    ///
    /// # Errors
    ///
    /// A kind that speaks of one connection only (aborted, reset, interrupted) is passed over. Any other is taken to
    /// mean that nobody can be accepted for now.
    ///
    /// # Cancel safety
    ///
    /// Has to be cancel safe: when the server is stopped, the future is dropped.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Stream, String)>> + Send;

    /// Whose connection this is, of those that came with the name `peer`: what
    /// [`clients_per_address`](crate::chat::Limits::clients_per_address) counts. Nobody's are not counted.
    ///
    /// By default it is the address in the name, if the name is one with a port.
    ///
    /// ```
    /// use parklet::chat::server::Accept;
    /// use parklet::net::TcpListener;
    ///
    /// # parklet::task::block_on(async {
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// assert_eq!(listener.address_of("10.1.2.3:4567"), Some([10, 1, 2, 3].into()));
    /// assert_eq!(listener.address_of("a unix socket"), None);
    /// # Ok::<(), std::io::Error>(())
    /// # })
    /// # .unwrap();
    /// ```
    fn address_of(&self, peer: &str) -> Option<IpAddr> {
        let address: SocketAddr = peer.parse().ok()?;
        Some(address.ip())
    }
}

/// A connection to one client, which can be taken apart into its two directions and ended in one of them.
///
/// That it ends in one direction matters: closing a socket in which bytes of the client lie unread also throws away
/// what the client has not read yet. So the server ends its own direction, reads on for a moment, and then closes.
///
/// `TcpStream` and `UnixStream` are such streams; their halves are two handles to one socket. For TLS, the end of the
/// writing direction is `close_notify` and then that of the socket.
///
/// ```
/// use parklet::chat::server::ChatStream;
/// use parklet::net::TcpStream;
///
/// async fn say_goodbye(stream: TcpStream) -> std::io::Result<()> {
///     let (_reader, mut writer) = stream.split();
///     std::future::poll_fn(|cx| TcpStream::poll_shutdown_write(&mut writer, cx)).await
/// }
/// ```
pub trait ChatStream: Read + Write + Send + Sized + 'static {
    /// The half that receives.
    type Reader: Read + Send + Unpin + 'static;
    /// The half that sends.
    type Writer: Write + Send + Unpin + 'static;

    /// Takes the stream apart. The connection is closed when both halves are dropped.
    fn split(self) -> (Self::Reader, Self::Writer);

    /// Sends what `writer` has buffered, and tells the client that nothing more will come.
    ///
    /// # Errors
    ///
    /// Those of the stream, also that the client has gone.
    fn poll_shutdown_write(writer: &mut Self::Writer, cx: &mut Context<'_>)
    -> Poll<io::Result<()>>;
}

impl Accept for TcpListener {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<(TcpStream, String)> {
        let (stream, peer) = TcpListener::accept(self).await?;
        // Lines are written as a whole, so there is nothing to wait for. This fails if the client has gone already,
        // which reading will tell.
        let _ = stream.set_nodelay(true);
        Ok((stream, peer.to_string()))
    }
}

impl ChatStream for TcpStream {
    type Reader = TcpStream;
    type Writer = TcpStream;

    fn split(self) -> (TcpStream, TcpStream) {
        (self.clone(), self)
    }

    fn poll_shutdown_write(writer: &mut TcpStream, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(writer.shutdown(Shutdown::Write))
    }
}

#[cfg(unix)]
impl Accept for UnixListener {
    type Stream = UnixStream;

    async fn accept(&self) -> io::Result<(UnixStream, String)> {
        let (stream, _) = UnixListener::accept(self).await?;
        Ok((stream, "a unix socket".to_string()))
    }
}

#[cfg(unix)]
impl ChatStream for UnixStream {
    type Reader = UnixStream;
    type Writer = UnixStream;

    fn split(self) -> (UnixStream, UnixStream) {
        (self.clone(), self)
    }

    fn poll_shutdown_write(writer: &mut UnixStream, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(writer.shutdown(Shutdown::Write))
    }
}
