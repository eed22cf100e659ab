//! Datagrams over UDP.

use crate::io::Explain;
use crate::net::to_socket_addrs::try_each;
use crate::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use crate::reactor::Async;
use std::future::ready;
use std::{fmt, io};

/// A UDP socket: sends and receives datagrams, to and from anybody or, once connected, one peer.
///
/// async-std's and std's type; `From` makes it of a [`std::net::UdpSocket`], and `TryFrom` one of those of it. Share
/// it by reference or in an `Arc`: all methods take `&self`.
///
/// A datagram that does not fit the buffer it is received into loses its rest. A send may report what an earlier one
/// met, such as `ConnectionRefused` on a connected socket.
///
/// # Examples
///
/// ```
/// use parklet::net::UdpSocket;
///
/// parklet::task::block_on(async {
///     let one = UdpSocket::bind("127.0.0.1:0").await?;
///     let other = UdpSocket::bind("127.0.0.1:0").await?;
///     one.send_to(b"hello", other.local_addr()?).await?;
///
///     let mut buf = [0; 16];
///     let (length, sender) = other.recv_from(&mut buf).await?;
///     assert_eq!((&buf[..length], sender), (&b"hello"[..], one.local_addr()?));
///     # std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
pub struct UdpSocket {
    /// The socket and its place in the reactor.
    pub(super) socket: Async<std::net::UdpSocket>,
}

impl UdpSocket {
    /// Binds a socket to the first of `addresses` that can be bound; port 0 asks for any free port.
    ///
    /// # Errors
    ///
    /// That of [`ToSocketAddrs`]; else that of the last address, naming it.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing stays bound.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::net::UdpSocket;
    ///
    /// parklet::task::block_on(async {
    ///     let socket = UdpSocket::bind("127.0.0.1:0").await?;
    ///     assert_ne!(socket.local_addr()?.port(), 0);
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn bind<A: ToSocketAddrs>(addresses: A) -> io::Result<UdpSocket> {
        let socket = try_each(addresses, "bind", |address| {
            ready(std::net::UdpSocket::bind(address).and_then(Async::new))
        });
        Ok(UdpSocket {
            socket: socket.await?,
        })
    }

    /// Takes the first of `addresses` that will do for the one peer: `send` and `recv` are for it alone, and datagrams
    /// from others are dropped. Nothing is sent.
    ///
    /// # Errors
    ///
    /// That of [`ToSocketAddrs`]; else that of the last address, naming it.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the socket stays as it was.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::net::UdpSocket;
    ///
    /// parklet::task::block_on(async {
    ///     let one = UdpSocket::bind("127.0.0.1:0").await?;
    ///     let other = UdpSocket::bind("127.0.0.1:0").await?;
    ///     one.connect(other.local_addr()?).await?;
    ///     other.connect(one.local_addr()?).await?;
    ///     one.send(b"hello").await?;
    ///     let mut buf = [0; 16];
    ///     assert_eq!(other.recv(&mut buf).await?, 5);
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn connect<A: ToSocketAddrs>(&self, addresses: A) -> io::Result<()> {
        // No packet is sent and nothing waited for, so std's call does not block.
        let connect = |address| ready(self.socket.get_ref().connect(address));
        try_each(addresses, "connect to", connect).await
    }

    /// Sends `buf` as one datagram to the first of `addresses`; the length that was sent is that of `buf`.
    ///
    /// # Errors
    ///
    /// That of [`ToSocketAddrs`]; `InvalidInput` without an address; the system's, naming the address.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: sent whole or not at all.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::net::UdpSocket;
    ///
    /// parklet::task::block_on(async {
    ///     let one = UdpSocket::bind("127.0.0.1:0").await?;
    ///     let other = UdpSocket::bind("127.0.0.1:0").await?;
    ///     assert_eq!(one.send_to(b"hello", other.local_addr()?).await?, 5);
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn send_to<A: ToSocketAddrs>(&self, buf: &[u8], addresses: A) -> io::Result<usize> {
        let Some(address) = addresses.to_socket_addrs().await?.next() else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "cannot send a datagram to any address: none was given",
            ));
        };
        let sent = self
            .socket
            .write_with(|socket| socket.send_to(buf, address))
            .await;
        sent.explain(|| format!("cannot send a datagram to {address}"))
    }

    /// Receives a datagram: its length and its sender.
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
    /// use parklet::net::UdpSocket;
    ///
    /// parklet::task::block_on(async {
    ///     let one = UdpSocket::bind("127.0.0.1:0").await?;
    ///     let other = UdpSocket::bind("127.0.0.1:0").await?;
    ///     one.send_to(b"hello", other.local_addr()?).await?;
    ///     let mut buf = [0; 16];
    ///     let (length, sender) = other.recv_from(&mut buf).await?;
    ///     assert_eq!((length, sender), (5, one.local_addr()?));
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.read_with(|socket| socket.recv_from(buf)).await
    }

    /// As [`recv_from`](UdpSocket::recv_from), and leaves the datagram where it is.
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
    /// use parklet::net::UdpSocket;
    ///
    /// parklet::task::block_on(async {
    ///     let one = UdpSocket::bind("127.0.0.1:0").await?;
    ///     let other = UdpSocket::bind("127.0.0.1:0").await?;
    ///     one.send_to(b"hello", other.local_addr()?).await?;
    ///     let mut buf = [0; 16];
    ///     let peeked = other.peek_from(&mut buf).await?;
    ///     assert_eq!(other.recv_from(&mut buf).await?, peeked);
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.read_with(|socket| socket.peek_from(buf)).await
    }

    /// Sends `buf` as one datagram to the connected peer.
    ///
    /// # Errors
    ///
    /// The system's, such as `NotConnected`, or `ConnectionRefused` for an earlier datagram.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: sent whole or not at all.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::net::UdpSocket;
    ///
    /// parklet::task::block_on(async {
    ///     let one = UdpSocket::bind("127.0.0.1:0").await?;
    ///     let other = UdpSocket::bind("127.0.0.1:0").await?;
    ///     one.connect(other.local_addr()?).await?;
    ///     other.connect(one.local_addr()?).await?;
    ///     assert_eq!(one.send(b"hello").await?, 5);
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.socket.write_with(|socket| socket.send(buf)).await
    }

    /// Receives a datagram from the connected peer: its length.
    ///
    /// # Errors
    ///
    /// The system's, such as `ConnectionRefused` for an earlier datagram.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a datagram not given is still there.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::net::UdpSocket;
    ///
    /// parklet::task::block_on(async {
    ///     let one = UdpSocket::bind("127.0.0.1:0").await?;
    ///     let other = UdpSocket::bind("127.0.0.1:0").await?;
    ///     one.connect(other.local_addr()?).await?;
    ///     other.connect(one.local_addr()?).await?;
    ///     one.send(b"hello").await?;
    ///     let mut buf = [0; 16];
    ///     assert_eq!(other.recv(&mut buf).await?, 5);
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.read_with(|socket| socket.recv(buf)).await
    }

    /// As [`recv`](UdpSocket::recv), and leaves the datagram where it is.
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
    /// use parklet::net::UdpSocket;
    ///
    /// parklet::task::block_on(async {
    ///     let one = UdpSocket::bind("127.0.0.1:0").await?;
    ///     let other = UdpSocket::bind("127.0.0.1:0").await?;
    ///     one.connect(other.local_addr()?).await?;
    ///     other.connect(one.local_addr()?).await?;
    ///     one.send(b"hello").await?;
    ///     let mut buf = [0; 16];
    ///     assert_eq!(other.peek(&mut buf).await?, 5);
    ///     assert_eq!(other.recv(&mut buf).await?, 5);
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.read_with(|socket| socket.peek(buf)).await
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
    /// use parklet::net::UdpSocket;
    ///
    /// parklet::task::block_on(async {
    ///     let socket = UdpSocket::bind("127.0.0.1:0").await?;
    ///     assert!(socket.local_addr()?.ip().is_loopback());
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.get_ref().local_addr()
    }

    /// The address of the connected peer.
    ///
    /// # Errors
    ///
    /// `NotConnected` without one.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::net::UdpSocket;
    ///
    /// parklet::task::block_on(async {
    ///     let one = UdpSocket::bind("127.0.0.1:0").await?;
    ///     let other = UdpSocket::bind("127.0.0.1:0").await?;
    ///     one.connect(other.local_addr()?).await?;
    ///     assert_eq!(one.peer_addr()?, other.local_addr()?);
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.get_ref().peer_addr()
    }
}

/// The options: each is the system's own, read and set through std's socket.
macro_rules! options {
    ($($(#[$doc:meta])* $get:ident, $set:ident: $value:ty, $example:expr;)*) => {
        impl UdpSocket {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                ///
                /// The system's.
                ///
                /// # Examples
                ///
                /// ```no_run
                /// use parklet::net::UdpSocket;
                ///
                /// parklet::task::block_on(async {
                ///     let socket = UdpSocket::bind("[::]:0").await?;
                #[doc = concat!("    println!(\"{:?}\", socket.", stringify!($get), "()?);")]
                ///     # std::io::Result::Ok(())
                /// })?;
                /// # std::io::Result::Ok(())
                /// ```
                pub fn $get(&self) -> io::Result<$value> {
                    self.socket.get_ref().$get()
                }

                #[doc = concat!("Sets what [`", stringify!($get), "`](UdpSocket::", stringify!($get), ") tells.")]
                ///
                /// # Errors
                ///
                /// The system's.
                ///
                /// # Examples
                ///
                /// ```no_run
                /// use parklet::net::UdpSocket;
                ///
                /// parklet::task::block_on(async {
                ///     let socket = UdpSocket::bind("[::]:0").await?;
                #[doc = concat!("    socket.", stringify!($set), "(", stringify!($example), ")?;")]
                ///     # std::io::Result::Ok(())
                /// })?;
                /// # std::io::Result::Ok(())
                /// ```
                pub fn $set(&self, value: $value) -> io::Result<()> {
                    self.socket.get_ref().$set(value)
                }
            )*
        }
    };
}

options! {
    /// Whether it may send to broadcast addresses (`SO_BROADCAST`).
    broadcast, set_broadcast: bool, true;
    /// How many routers a packet may pass (`IP_TTL`).
    ttl, set_ttl: u32, 1;
    /// Whether IPv4 multicast datagrams come back to this host (`IP_MULTICAST_LOOP`).
    multicast_loop_v4, set_multicast_loop_v4: bool, true;
    /// How many routers an IPv4 multicast packet may pass (`IP_MULTICAST_TTL`).
    multicast_ttl_v4, set_multicast_ttl_v4: u32, 1;
    /// Whether IPv6 multicast datagrams come back to this host (`IPV6_MULTICAST_LOOP`).
    multicast_loop_v6, set_multicast_loop_v6: bool, true;
}

impl UdpSocket {
    /// Joins the IPv4 multicast group at `group` on the interface that has the address `interface`
    /// (`0.0.0.0`: any).
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::net::{Ipv4Addr, UdpSocket};
    ///
    /// parklet::task::block_on(async {
    ///     let socket = UdpSocket::bind("0.0.0.0:0").await?;
    ///     let group = Ipv4Addr::new(224, 0, 0, 251);
    ///     socket.join_multicast_v4(group, Ipv4Addr::LOCALHOST)?;
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn join_multicast_v4(&self, group: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        let socket = self.socket.get_ref();
        socket.join_multicast_v4(&group, &interface)
    }

    /// Joins the IPv6 multicast group at `group` on the interface with the number `interface` (0: any).
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use parklet::net::{Ipv6Addr, UdpSocket};
    ///
    /// parklet::task::block_on(async {
    ///     let socket = UdpSocket::bind("[::]:0").await?;
    ///     let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);
    ///     socket.join_multicast_v6(&group, 0)?;
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn join_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.socket.get_ref().join_multicast_v6(group, interface)
    }

    /// Leaves a group that [`join_multicast_v4`](UdpSocket::join_multicast_v4) joined.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::net::{Ipv4Addr, UdpSocket};
    ///
    /// parklet::task::block_on(async {
    ///     let socket = UdpSocket::bind("0.0.0.0:0").await?;
    ///     let group = Ipv4Addr::new(224, 0, 0, 251);
    ///     socket.join_multicast_v4(group, Ipv4Addr::LOCALHOST)?;
    ///     socket.leave_multicast_v4(group, Ipv4Addr::LOCALHOST)?;
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn leave_multicast_v4(&self, group: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        let socket = self.socket.get_ref();
        socket.leave_multicast_v4(&group, &interface)
    }

    /// Leaves a group that [`join_multicast_v6`](UdpSocket::join_multicast_v6) joined.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use parklet::net::{Ipv6Addr, UdpSocket};
    ///
    /// parklet::task::block_on(async {
    ///     let socket = UdpSocket::bind("[::]:0").await?;
    ///     let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);
    ///     socket.join_multicast_v6(&group, 0)?;
    ///     socket.leave_multicast_v6(&group, 0)?;
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn leave_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.socket.get_ref().leave_multicast_v6(group, interface)
    }
}

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket.get_ref().fmt(f)
    }
}
