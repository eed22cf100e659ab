//! From std's sockets and from descriptors to ours and back, for all six sockets.
//!
//! ```text
//!   OwnedFd, RawFd ◄──► std's socket ◄──► ours
//! ```
//!
//! Into std a socket becomes blocking again; a descriptor taken out stays non-blocking. A stream has clones: while
//! there are any, the way into std fails, and the way to a descriptor gives a duplicate.
//!
//! One of the crate's homes of unsafe code, since implementing `FromRawFd` is unsafe.
#![allow(
    unsafe_code,
    reason = "FromRawFd cannot be implemented without; the promise is the caller's"
)]

use crate::net::{Acceptor, TcpListener, TcpStream, UdpSocket};
use crate::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use crate::reactor::Async;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

/// One of our sockets around one of std's.
trait StdSocket: Sized {
    /// std's.
    type Std: AsFd;

    /// Around a registered socket.
    fn from_async(socket: Async<Self::Std>) -> Self;

    /// Its descriptor.
    fn descriptor(&self) -> BorrowedFd<'_>;

    /// The registered socket for good, or `self` again while it has clones.
    fn into_async(self) -> Result<Async<Self::Std>, Self>;
}

/// Implements `StdSocket` for a stream, which shares its socket with its clones.
macro_rules! impl_for_stream {
    ($socket:ty, $std:ty) => {
        impl StdSocket for $socket {
            type Std = $std;

            fn from_async(socket: Async<$std>) -> $socket {
                <$socket>::new(socket)
            }

            fn descriptor(&self) -> BorrowedFd<'_> {
                self.socket.as_fd()
            }

            fn into_async(self) -> Result<Async<$std>, $socket> {
                self.socket.try_unwrap().map_err(|socket| Self { socket })
            }
        }
    };
}

/// Implements `StdSocket` for a listener.
macro_rules! impl_for_listener {
    ($socket:ty, $std:ty) => {
        impl StdSocket for $socket {
            type Std = $std;

            fn from_async(socket: Async<$std>) -> $socket {
                Self {
                    acceptor: Acceptor::new(socket),
                }
            }

            fn descriptor(&self) -> BorrowedFd<'_> {
                self.acceptor.socket().as_fd()
            }

            fn into_async(self) -> Result<Async<$std>, $socket> {
                Ok(self.acceptor.into_socket())
            }
        }
    };
}

/// Implements `StdSocket` for a socket of datagrams.
macro_rules! impl_for_datagram {
    ($socket:ty, $std:ty) => {
        impl StdSocket for $socket {
            type Std = $std;

            fn from_async(socket: Async<$std>) -> $socket {
                Self { socket }
            }

            fn descriptor(&self) -> BorrowedFd<'_> {
                self.socket.as_fd()
            }

            fn into_async(self) -> Result<Async<$std>, $socket> {
                Ok(self.socket)
            }
        }
    };
}

impl_for_stream!(TcpStream, std::net::TcpStream);
impl_for_stream!(UnixStream, std::os::unix::net::UnixStream);
impl_for_listener!(TcpListener, std::net::TcpListener);
impl_for_listener!(UnixListener, std::os::unix::net::UnixListener);
impl_for_datagram!(UdpSocket, std::net::UdpSocket);
impl_for_datagram!(UnixDatagram, std::os::unix::net::UnixDatagram);

/// Implements the conversions, which are foreign traits and so cannot be implemented for every `StdSocket` at once.
macro_rules! impl_conversions {
    ($($socket:ty, $std:ty;)*) => {$(
        impl From<$std> for $socket {
            /// Sets the socket non-blocking and registers it.
            ///
            /// # Panics
            ///
            /// When the reactor cannot register it, as when there are no more descriptors for the reactor itself.
            fn from(socket: $std) -> $socket {
                match Async::new(socket) {
                    Ok(socket) => StdSocket::from_async(socket),
                    Err(error) => panic!(
                        concat!("cannot register a ", stringify!($std), " with the reactor: {}"),
                        error
                    ),
                }
            }
        }

        impl TryFrom<$socket> for $std {
            type Error = io::Error;

            /// Deregisters the socket and sets it blocking. Fails while there are clones; this one is dropped then.
            fn try_from(socket: $socket) -> io::Result<$std> {
                let socket = socket.into_async().map_err(|_| {
                    io::Error::other(concat!(
                        "cannot turn a ", stringify!($socket), " into std's: it has clones"
                    ))
                })?;
                let socket = socket.into_inner()?;
                socket.set_nonblocking(false)?;
                Ok(socket)
            }
        }

        impl AsFd for $socket {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.descriptor()
            }
        }

        impl AsRawFd for $socket {
            fn as_raw_fd(&self) -> RawFd {
                self.as_fd().as_raw_fd()
            }
        }

        impl From<OwnedFd> for $socket {
            /// What the descriptor is, is not checked: calls on the wrong kind fail.
            ///
            /// # Panics
            ///
            /// When the reactor cannot register it, as when it is a file.
            fn from(descriptor: OwnedFd) -> $socket {
                <$std>::from(descriptor).into()
            }
        }

        impl From<$socket> for OwnedFd {
            /// The descriptor, non-blocking as it is; a duplicate while there are clones.
            ///
            /// # Panics
            ///
            /// When there are clones and no descriptor is left for the duplicate.
            fn from(socket: $socket) -> OwnedFd {
                let descriptor = match socket.into_async() {
                    Ok(socket) => socket.into_inner().map(OwnedFd::from),
                    Err(shared) => shared.as_fd().try_clone_to_owned(),
                };
                match descriptor {
                    Ok(descriptor) => descriptor,
                    Err(error) => panic!(
                        concat!("cannot take the descriptor out of a ", stringify!($socket), ": {}"),
                        error
                    ),
                }
            }
        }

        impl FromRawFd for $socket {
            unsafe fn from_raw_fd(descriptor: RawFd) -> $socket {
                // SAFETY: the caller of this function promises what `OwnedFd` asks for: the descriptor is open, and
                // nobody else closes it.
                unsafe { OwnedFd::from_raw_fd(descriptor) }.into()
            }
        }

        impl IntoRawFd for $socket {
            fn into_raw_fd(self) -> RawFd {
                OwnedFd::from(self).into_raw_fd()
            }
        }
    )*};
}

impl_conversions! {
    TcpStream, std::net::TcpStream;
    TcpListener, std::net::TcpListener;
    UdpSocket, std::net::UdpSocket;
    UnixStream, std::os::unix::net::UnixStream;
    UnixListener, std::os::unix::net::UnixListener;
    UnixDatagram, std::os::unix::net::UnixDatagram;
}
