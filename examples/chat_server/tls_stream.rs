//! A TLS connection as the chat has its connections: in two halves, and ended in one direction. Server and client share
//! this file.
//!
//! The server's handshake is not waited for where clients are accepted, or one that is slow with it would hold up the
//! next. It is done by whoever first reads or writes, which is the connection's own task.

use std::io::{self, ErrorKind, IoSlice};
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_rustls::{Accept, TlsStream};
use parklet::chat::server::ChatStream;
use parklet::io::{Read, Write};
use parklet::net::TcpStream;
use parklet::reactor::Timer;

/// How long a handshake may take: some round trips over any network.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A connection, or half of one.
pub(crate) struct Encrypted(Arc<Mutex<Phase>>);

/// How far a connection has come.
enum Phase {
    /// The socket is there to be shut down, and the timer to end what takes too long.
    Handshake {
        accept: Accept<TcpStream>,
        socket: TcpStream,
        limit: Timer,
    },
    Talk(TlsStream<TcpStream>),
    /// The handshake has failed, or never came to its end.
    Over,
}

impl Encrypted {
    /// A connection whose handshake is still to come.
    #[allow(dead_code, reason = "the client waits for its handshake")]
    pub(crate) fn accept(accept: Accept<TcpStream>, socket: TcpStream) -> Self {
        Self::new(Phase::Handshake {
            accept,
            socket,
            limit: Timer::after(HANDSHAKE),
        })
    }

    /// A connection whose handshake is done.
    #[allow(dead_code, reason = "the server does not wait for it")]
    pub(crate) fn talk(stream: TlsStream<TcpStream>) -> Self {
        Self::new(Phase::Talk(stream))
    }

    fn new(phase: Phase) -> Self {
        Self(Arc::new(Mutex::new(phase)))
    }

    fn lock(&self) -> MutexGuard<'_, Phase> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Phase {
    /// Waits until the handshake is done.
    fn poll_talk(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Pin<&mut TlsStream<TcpStream>>>> {
        if let Self::Handshake { accept, limit, .. } = self {
            let done = match Pin::new(accept).poll(cx) {
                Poll::Ready(done) => done,
                Poll::Pending => {
                    ready!(Pin::new(limit).poll(cx));
                    let text = format!("it took longer than {} s", HANDSHAKE.as_secs());
                    Err(io::Error::new(ErrorKind::TimedOut, text))
                }
            };
            match done {
                Ok(stream) => *self = Self::Talk(stream.into()),
                Err(error) => {
                    *self = Self::Over;
                    let text = format!("TLS handshake failed: {error}");
                    return Poll::Ready(Err(io::Error::new(error.kind(), text)));
                }
            }
        }
        Poll::Ready(match self {
            Self::Talk(stream) => Ok(Pin::new(stream)),
            _ => Err(ErrorKind::NotConnected.into()),
        })
    }

    /// Says that nothing more comes: to TLS, then to TCP.
    fn poll_shutdown_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Talk(stream) => {
                ready!(Pin::new(&mut *stream).poll_close(cx))?;
                Poll::Ready(stream.get_ref().0.shutdown(Shutdown::Write))
            }
            Self::Handshake { socket, .. } => Poll::Ready(socket.shutdown(Shutdown::Write)),
            Self::Over => Poll::Ready(Ok(())),
        }
    }
}

impl ChatStream for Encrypted {
    type Reader = Self;
    type Writer = Self;

    fn split(self) -> (Self, Self) {
        (Self(self.0.clone()), self)
    }

    fn poll_shutdown_write(writer: &mut Self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        writer.lock().poll_shutdown_write(cx)
    }
}

impl Read for Encrypted {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut phase = self.lock();
        ready!(phase.poll_talk(cx))?.poll_read(cx, buffer)
    }
}

impl Write for Encrypted {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut phase = self.lock();
        ready!(phase.poll_talk(cx))?.poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut phase = self.lock();
        ready!(phase.poll_talk(cx))?.poll_write_vectored(cx, slices)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut phase = self.lock();
        ready!(phase.poll_talk(cx))?.poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.lock().poll_shutdown_write(cx)
    }
}
