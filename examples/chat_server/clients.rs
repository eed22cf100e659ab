//! Where clients come in: a TCP listener that says who has come, counts them, and sees to it that the lost are missed.

use std::sync::Arc;
use std::time::Duration;

use parklet::chat::server::Accept;
use parklet::io;
use parklet::net::{SocketAddr, TcpListener, TcpStream};
use rustix::net::sockopt::{set_socket_keepalive, set_tcp_keepidle};

use crate::traffic::{Counted, Traffic};

/// How long a client may be silent before it is asked. One whose machine lost its power or its network never says so,
/// and would stay a member for ever.
const SILENCE: Duration = Duration::from_secs(120);

/// The clients that connect to an address.
pub(crate) struct Clients {
    listener: TcpListener,
    traffic: Arc<Traffic>,
}

impl Clients {
    /// Listens on `address`.
    pub(crate) async fn at(address: &str, traffic: Arc<Traffic>) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        // The sockets of clients inherit this: the kernel asks a silent one whether it is still there.
        set_socket_keepalive(&listener, true)?;
        set_tcp_keepidle(&listener, SILENCE)?;
        Ok(Self { listener, traffic })
    }

    /// Waits for the next client.
    pub(crate) async fn next(&self) -> io::Result<(TcpStream, String)> {
        let (socket, peer) = Accept::accept(&self.listener).await?;
        tracing::debug!("connection from {peer}");
        Ok((socket, peer))
    }

    /// Counts a client and what goes over its stream.
    pub(crate) fn count<S>(&self, stream: S) -> Counted<S> {
        Counted::new(stream, self.traffic.clone())
    }

    /// The address it is.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Accept for Clients {
    type Stream = Counted<TcpStream>;

    async fn accept(&self) -> io::Result<(Self::Stream, String)> {
        let (socket, peer) = self.next().await?;
        Ok((self.count(socket), peer))
    }
}
