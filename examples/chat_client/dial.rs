//! From an address to a connection: TCP, and TLS over it, as a reader and a writer that look the same.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_rustls::TlsConnector;
use parklet::chat::server::ChatStream;
use parklet::future;
use parklet::io::{self, BufReader, Read, Write};
use parklet::net::TcpStream;

use crate::tls;

/// How long it may take until a connection is there: a few round trips over any network.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the server sends.
pub(crate) type Inbound = BufReader<Box<dyn Read + Unpin>>;

/// What is sent to it. To close it is to say that nothing more comes.
pub(crate) type Outbound = Box<dyn Write + Unpin>;

/// Where the server is, and how it is spoken to.
pub(crate) struct Dialer {
    /// HOST:PORT.
    pub(crate) address: String,
    /// What makes connections to it secure, if they are.
    pub(crate) connector: Option<TlsConnector>,
}

impl Dialer {
    /// Connects.
    ///
    /// # Errors
    ///
    /// Why it could not.
    pub(crate) async fn dial(&self) -> Result<(Inbound, Outbound), String> {
        let connected = future::timeout(PATIENCE, self.connect()).await;
        connected.unwrap_or_else(|_| {
            let seconds = PATIENCE.as_secs();
            Err(format!(
                "cannot connect to {}: no answer in {seconds} s",
                self.address
            ))
        })
    }

    async fn connect(&self) -> Result<(Inbound, Outbound), String> {
        let socket = TcpStream::connect(self.address.as_str()).await;
        let socket = socket.map_err(|error| error.to_string())?;
        let _ = socket.set_nodelay(true);
        match &self.connector {
            None => Ok(halves(socket)),
            Some(connector) => tls::encrypt(connector, &self.address, socket)
                .await
                .map(halves),
        }
    }
}

fn halves<S: ChatStream + 'static>(stream: S) -> (Inbound, Outbound) {
    let (reader, writer) = stream.split();
    (
        BufReader::new(Box::new(reader)),
        Box::new(Closing::<S>(writer)),
    )
}

/// A writer that, when it is closed, ends this direction.
struct Closing<S: ChatStream>(S::Writer);

impl<S: ChatStream> Write for Closing<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        S::poll_shutdown_write(&mut self.0, cx)
    }
}
