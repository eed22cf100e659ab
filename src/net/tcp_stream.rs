//! A TCP connection.

use crate::io::explained;
use crate::net::connect::{SharedTime, connect_tcp};
use crate::net::to_socket_addrs::{try_each, try_each_of};
use crate::net::{Shutdown, SocketAddr, ToSocketAddrs, impl_stream_io};
use crate::reactor::{Async, Shared};
use std::time::Duration;
use std::{fmt, io};

/// A TCP connection, closed when the last clone is dropped.
///
/// Reads and writes go through [`io::Read`](crate::io::Read) and [`io::Write`](crate::io::Write), also on a
/// `&TcpStream`: one task may read while another writes, with a clone or a reference each. Every write goes straight
/// to the kernel. `close` only flushes: it is [`shutdown`](TcpStream::shutdown) that tells the peer that nothing more
/// will come.
///
/// Its reads and writes are cancel safe one by one; the [`io`](crate::io) module says which of the longer ones are.
///
/// async-std's and std's type; `From` makes it of a [`std::net::TcpStream`], and `TryFrom`, once there are no clones,
/// one of those of it.
///
/// # Examples
///
/// ```
/// use parklet::io::prelude::*;
/// use parklet::net::{TcpListener, TcpStream};
///
/// parklet::task::block_on(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let mut client = TcpStream::connect(listener.local_addr()?).await?;
///     let (server, _) = listener.accept().await?;
///
///     client.write_all(b"hello").await?;
///     drop(client);
///     let mut received = String::new();
///     (&server).read_to_string(&mut received).await?;
///     assert_eq!(received, "hello");
///     # std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone)]
pub struct TcpStream {
    /// The socket and its place in the reactor, shared by all clones.
    pub(super) socket: Shared<std::net::TcpStream>,
}

impl TcpStream {
    /// Around a connected socket.
    pub(super) fn new(socket: Async<std::net::TcpStream>) -> TcpStream {
        TcpStream {
            socket: Shared::new(socket),
        }
    }

    /// Connects to the first of `addresses` that accepts. No thread is blocked while it waits; a name is looked up on
    /// the blocking pool.
    ///
    /// How long the system keeps trying one address (minutes, if nothing answers) is its own affair:
    /// [`connect_timeout`](TcpStream::connect_timeout) and [`io::timeout`](crate::io::timeout) set a limit.
    ///
    /// # Errors
    ///
    /// That of [`ToSocketAddrs`]; else that of the last address: `cannot connect to 127.0.0.1:1: Connection refused
    /// (os error 111)`.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the attempt is given up.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::net::{TcpListener, TcpStream};
    ///
    /// parklet::task::block_on(async {
    ///     let listener = TcpListener::bind("127.0.0.1:0").await?;
    ///     let address = listener.local_addr()?;
    ///     let stream = TcpStream::connect(address).await?;
    ///     assert_eq!(stream.peer_addr()?, address);
    ///
    ///     drop(listener);
    ///     let error = TcpStream::connect(address).await.unwrap_err();
    ///     assert!(error.to_string().starts_with(&format!("cannot connect to {address}: ")));
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn connect<A: ToSocketAddrs>(addresses: A) -> io::Result<TcpStream> {
        let socket = try_each(addresses, "connect to", connect_tcp).await?;
        Ok(TcpStream::new(socket))
    }

    /// Connects as [`connect`](TcpStream::connect) does, within `timeout`: for looking the name up and for all its
    /// addresses together.
    ///
    /// No address that stays silent uses up the time of those behind it: each may take an equal part of what is left
    /// when its turn comes, so that what one has not used goes to the next ones. Only where that would be less than a
    /// second, the time after which the system asks again, it may take a second, and the last ones may get nothing.
    /// The time counts from the first poll. Any duration will do; with `Duration::ZERO` only what is there at once counts.
    ///
    /// std's function, made async, and for more than one address.
    ///
    /// # Errors
    ///
    /// As [`connect`](TcpStream::connect), and `TimedOut` when the time is over: `cannot connect to 192.0.2.1:80: timed
    /// out after 5s`, where the time is that of the last address, or `cannot connect: no address was found: timed out
    /// after 5s`.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the attempt is given up.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::net::{TcpListener, TcpStream};
    /// use std::time::Duration;
    ///
    /// parklet::task::block_on(async {
    ///     let listener = TcpListener::bind("127.0.0.1:0").await?;
    ///     let port = listener.local_addr()?.port();
    ///     let stream = TcpStream::connect_timeout(("localhost", port), Duration::from_secs(5)).await?;
    ///     assert_eq!(stream.peer_addr()?.port(), port);
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn connect_timeout<A: ToSocketAddrs>(
        addresses: A,
        timeout: Duration,
    ) -> io::Result<TcpStream> {
        let time = SharedTime::begin(timeout);
        let found = crate::io::timeout(timeout, addresses.to_socket_addrs()).await;
        let found: Vec<_> = match found {
            Ok(found) => found.collect(),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                let attempt = "cannot connect: no address was found";
                return Err(explained(error, attempt));
            }
            Err(error) => return Err(error),
        };
        let mut waiting = found.len();
        let socket = try_each_of(found, "connect to", |address| {
            let share = time.share(waiting);
            waiting -= 1;
            crate::io::timeout(share, connect_tcp(address))
        });
        Ok(TcpStream::new(socket.await?))
    }

    /// Reads without removing: the next read, or `peek`, gives the same bytes again.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is removed.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::io::prelude::*;
    /// use parklet::net::{TcpListener, TcpStream};
    ///
    /// parklet::task::block_on(async {
    ///     let listener = TcpListener::bind("127.0.0.1:0").await?;
    ///     let mut client = TcpStream::connect(listener.local_addr()?).await?;
    ///     let (mut server, _) = listener.accept().await?;
    ///
    ///     client.write_all(b"hello").await?;
    ///     let mut first = [0; 1];
    ///     server.peek(&mut first).await?;
    ///     assert_eq!(&first, b"h");
    ///     server.read_exact(&mut first).await?;
    ///     assert_eq!(&first, b"h");
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket
            .lend()
            .read_with(|socket| socket.peek(buf))
            .await
    }

    /// Ends the connection in one direction or both, for all clones: after `Write` the peer reads the end once it has
    /// read everything, after `Read` this side does.
    ///
    /// # Errors
    ///
    /// The system's, such as `NotConnected` when the peer has broken the connection.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::io::prelude::*;
    /// use parklet::net::{Shutdown, TcpListener, TcpStream};
    ///
    /// parklet::task::block_on(async {
    ///     let listener = TcpListener::bind("127.0.0.1:0").await?;
    ///     let client = TcpStream::connect(listener.local_addr()?).await?;
    ///     let (mut server, _) = listener.accept().await?;
    ///
    ///     client.shutdown(Shutdown::Write)?;
    ///     assert_eq!(server.read(&mut [0; 8]).await?, 0);
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.socket.lend().get_ref().shutdown(how)
    }

    /// The address of this side.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::net::{TcpListener, TcpStream};
    ///
    /// parklet::task::block_on(async {
    ///     let listener = TcpListener::bind("127.0.0.1:0").await?;
    ///     let stream = TcpStream::connect(listener.local_addr()?).await?;
    ///     let (_server, peer) = listener.accept().await?;
    ///     assert_eq!(stream.local_addr()?, peer);
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.lend().get_ref().local_addr()
    }

    /// The address of the other side.
    ///
    /// # Errors
    ///
    /// The system's: `NotConnected` when the connection is broken.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::net::{TcpListener, TcpStream};
    ///
    /// parklet::task::block_on(async {
    ///     let listener = TcpListener::bind("127.0.0.1:0").await?;
    ///     let stream = TcpStream::connect(listener.local_addr()?).await?;
    ///     assert_eq!(stream.peer_addr()?, listener.local_addr()?);
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.lend().get_ref().peer_addr()
    }

    /// Whether small writes are sent at once; see [`set_nodelay`](TcpStream::set_nodelay).
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::net::{TcpListener, TcpStream};
    ///
    /// parklet::task::block_on(async {
    ///     let listener = TcpListener::bind("127.0.0.1:0").await?;
    ///     let stream = TcpStream::connect(listener.local_addr()?).await?;
    ///     assert!(!stream.nodelay()?);
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn nodelay(&self) -> io::Result<bool> {
        self.socket.lend().get_ref().nodelay()
    }

    /// Whether small writes are to be sent at once (`TCP_NODELAY`) instead of waiting, up to 40 ms and more, for the
    /// peer's acknowledgement of the ones before. Off at first, as everywhere; a dialogue wants it on.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::net::{TcpListener, TcpStream};
    ///
    /// parklet::task::block_on(async {
    ///     let listener = TcpListener::bind("127.0.0.1:0").await?;
    ///     let stream = TcpStream::connect(listener.local_addr()?).await?;
    ///     stream.set_nodelay(true)?;
    ///     assert!(stream.nodelay()?);
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn set_nodelay(&self, on: bool) -> io::Result<()> {
        self.socket.lend().get_ref().set_nodelay(on)
    }

    /// How many routers a packet may pass (`IP_TTL`).
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::net::{TcpListener, TcpStream};
    ///
    /// parklet::task::block_on(async {
    ///     let listener = TcpListener::bind("127.0.0.1:0").await?;
    ///     let stream = TcpStream::connect(listener.local_addr()?).await?;
    ///     assert!(stream.ttl()? > 0);
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn ttl(&self) -> io::Result<u32> {
        self.socket.lend().get_ref().ttl()
    }

    /// Sets how many routers a packet may pass (`IP_TTL`).
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::net::{TcpListener, TcpStream};
    ///
    /// parklet::task::block_on(async {
    ///     let listener = TcpListener::bind("127.0.0.1:0").await?;
    ///     let stream = TcpStream::connect(listener.local_addr()?).await?;
    ///     stream.set_ttl(1)?;
    ///     assert_eq!(stream.ttl()?, 1);
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.socket.lend().get_ref().set_ttl(ttl)
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket.fmt(f)
    }
}

impl_stream_io!(TcpStream, Async::poll_short);
