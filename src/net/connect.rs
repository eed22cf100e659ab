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
use std::time::{Duration, Instant};

/// What one address may take at least while there is as much: the time after which the system asks a silent one again.
const LEAST_SHARE: Duration = Duration::from_secs(1);

/// The time that several addresses have together.
#[derive(Debug)]
pub(crate) struct SharedTime {
    /// How much there was.
    all: Duration,
    /// When it is over; `None` for never.
    deadline: Option<Instant>,
}

impl SharedTime {
    /// Begins now.
    pub(crate) fn begin(all: Duration) -> SharedTime {
        SharedTime {
            all,
            deadline: Instant::now().checked_add(all),
        }
    }

    /// How long the next one may take, of so many that are still to come.
    pub(crate) fn share(&self, waiting: usize) -> Duration {
        match self.deadline {
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                whole_milliseconds(share(left, waiting)).min(self.all)
            }
            None => Duration::MAX,
        }
    }
}

/// The time rounded up, since errors name it: 5s rather than 4.999982s.
fn whole_milliseconds(time: Duration) -> Duration {
    let rest = time.subsec_nanos() % 1_000_000;
    let missing = (1_000_000 - rest) % 1_000_000;
    time.saturating_add(Duration::from_nanos(missing.into()))
}

/// The next one's share of what is left.
fn share(left: Duration, waiting: usize) -> Duration {
    let waiting = u32::try_from(waiting).unwrap_or(u32::MAX).max(1);
    (left / waiting).max(LEAST_SHARE).min(left)
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_share_the_time_and_what_one_leaves_goes_to_the_next() {
        let seconds = Duration::from_secs;
        assert_eq!(share(seconds(12), 4), seconds(3));
        // The first one took 1 of its 3.
        assert_eq!(share(seconds(11), 3), seconds(11) / 3);
        assert_eq!(share(seconds(5), 1), seconds(5));
        // Less than a second helps nobody.
        assert_eq!(share(seconds(3), 8), seconds(1));
        assert_eq!(share(seconds(1) / 2, 8), seconds(1) / 2);
        assert_eq!(share(Duration::ZERO, 2), Duration::ZERO);
        let almost = Duration::from_nanos(4_999_000_001);
        assert_eq!(whole_milliseconds(almost), seconds(5));
        assert_eq!(whole_milliseconds(seconds(5)), seconds(5));
        let little = Duration::from_micros(1);
        assert!(SharedTime::begin(little).share(1) <= little);
        assert_eq!(SharedTime::begin(Duration::MAX).share(2), Duration::MAX);
    }
}
