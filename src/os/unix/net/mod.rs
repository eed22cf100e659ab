//! Sockets between processes of one machine, named by paths.
//!
//! They share their code with TCP: [`UnixStream`] reads and writes by `net/stream_io.rs`, [`UnixListener`] accepts by
//! `net/accept.rs`. A name is std's [`SocketAddr`], abstract ones of Linux included.

mod datagram;
mod listener;
mod room;
mod stream;

#[doc(no_inline)]
pub use std::os::unix::net::SocketAddr;

pub use datagram::UnixDatagram;
pub use listener::{Incoming, IntoIncoming, UnixListener};
pub use stream::UnixStream;
