//! TCP and UDP: parklet's sockets.

pub use parklet::net::{Incoming, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
pub use std::net::{
    AddrParseError, IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, SocketAddrV4, SocketAddrV6,
};
