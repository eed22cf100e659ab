//! Unix sockets: parklet's.

pub use parklet::os::unix::net::{Incoming, UnixDatagram, UnixListener, UnixStream};
pub use std::os::unix::net::SocketAddr;
