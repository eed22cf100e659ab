//! TCP and UDP, in std's names.
//!
//! ```text
//!   TcpListener   accept, incoming ──► accept.rs: accept4, and the pause after "too many open files"
//!   TcpStream     connect          ──► connect.rs: socket, connect, wait; the one call std lacks
//!   UdpSocket     send_to, recv_from
//!   ToSocketAddrs names            ──► the blocking pool; literal addresses are ready at once
//!        all of them: reactor::Async<std's socket>: try the call, and on WouldBlock wait
//! ```
//!
//! A socket is std's socket, set non-blocking and registered with the reactor once; `From` and `TryFrom` lead from one
//! to the other, `raw_fd.rs` to descriptors. Unix sockets are in [`os::unix::net`](crate::os::unix::net) and go the
//! same ways.

mod accept;
mod connect;
mod incoming;
mod raw_fd;
mod stream_io;
mod tcp_listener;
mod tcp_stream;
mod to_socket_addrs;
mod udp_socket;

#[doc(no_inline)]
pub use std::net::{
    AddrParseError, IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, SocketAddrV4, SocketAddrV6,
};

pub use tcp_listener::{Incoming, IntoIncoming, TcpListener};
pub use tcp_stream::TcpStream;
pub use to_socket_addrs::{ToSocketAddrs, ToSocketAddrsFuture};
pub use udp_socket::UdpSocket;

pub(crate) use accept::{Acceptor, Turn, accept_nonblocking};
pub(crate) use connect::nonblocking_socket;
pub(crate) use incoming::impl_incoming;
pub(crate) use stream_io::{impl_stream_io, wanted};
