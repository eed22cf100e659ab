//! Where clients come in: a TCP listener that says who has come, and sees to it that the lost are missed.

use std::time::Duration;

use parklet::chat::server::Accept;
use parklet::io;
use parklet::net::{SocketAddr, TcpListener, TcpStream};
use rustix::net::sockopt::{set_socket_keepalive, set_tcp_keepidle};

/// How long a client may be silent before it is asked. One whose machine lost its power or its network never says so,
/// and would stay a member for ever.
const SILENCE: Duration = Duration::from_secs(120);

/// The clients that connect to an address.
pub(crate) struct Clients(TcpListener);

impl Clients {
    /// Listens on `address`.
    pub(crate) async fn at(address: &str) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        // The sockets of clients inherit this: the kernel asks a silent one whether it is still there.
        set_socket_keepalive(&listener, true)?;
        set_tcp_keepidle(&listener, SILENCE)?;
        Ok(Self(listener))
    }

    /// The address it is.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Accept for Clients {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<(TcpStream, String)> {
        let (stream, peer) = Accept::accept(&self.0).await?;
        tracing::debug!("connection from {peer}");
        Ok((stream, peer))
    }
}
