//! Connecting without blocking: the one socket call that std lacks.
//!
//! std can only connect a blocking socket. So here: a non-blocking socket, `connect`, and a wait for writability after
//! `EINPROGRESS`. The socket is registered only after the call: the kernel reports a socket that has not begun
//! to connect as closed, and that report would stick.

use crate::reactor::Async;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

/// A TCP connection to one address.
///
/// Dropping the future closes the socket and gives the attempt up.
pub(crate) async fn connect_tcp(address: SocketAddr) -> io::Result<Async<std::net::TcpStream>> {
    let socket = nonblocking_socket(family(address))?;
    match rustix::net::connect(&socket, &address) {
        Ok(()) | Err(Errno::INPROGRESS) => {}
        Err(error) => return Err(error.into()),
    }
    let stream = Async::of_socket(std::net::TcpStream::from(socket))?;
    stream.write_with(is_connected).await?;
    Ok(stream)
}

/// Whether a socket that was told to connect has done so; `WouldBlock` if it has not yet. A socket that is writable need
/// not be connected, but one that knows its peer is. What failed meanwhile is in the socket's error, to be asked for last:
/// a connect that ends between the two questions leaves a fresh event behind.
fn is_connected(stream: &std::net::TcpStream) -> io::Result<()> {
    match stream.peer_addr() {
        Err(error) if error.kind() == io::ErrorKind::NotConnected => match stream.take_error()? {
            Some(failure) => Err(failure),
            None => Err(io::ErrorKind::WouldBlock.into()),
        },
        known => known.map(drop),
    }
}

/// The kind of socket an address is for.
pub(crate) fn family(address: SocketAddr) -> AddressFamily {
    match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    }
}

/// A stream socket that is non-blocking and closed on exec from its first moment.
pub(crate) fn nonblocking_socket(family: AddressFamily) -> io::Result<OwnedFd> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    Ok(rustix::net::socket_with(
        family,
        SocketType::STREAM,
        flags,
        None,
    )?)
}
