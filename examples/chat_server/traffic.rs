//! What goes over the wire, counted: a stream that does what the one within does, and tells the counters.

use std::io::IoSlice;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use parklet::chat::server::ChatStream;
use parklet::io::{self, Read, Write};

/// The counters of all connections.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    accepted: AtomicU64,
    closed: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
}

impl Traffic {
    /// Connections that were accepted so far.
    pub(crate) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Connections that are open.
    pub(crate) fn open(&self) -> u64 {
        // What was closed was accepted before, and is read first.
        let closed = self.closed.load(Ordering::Acquire);
        self.accepted() - closed
    }

    /// Bytes that came from clients.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Bytes that went to clients.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

/// A connection that is counted.
pub(crate) struct Counted<S> {
    stream: S,
    /// The two halves of a connection share it.
    connection: Arc<Connection>,
}

/// One connection, from its acceptance until both of its halves are closed.
struct Connection(Arc<Traffic>);

impl<S> Counted<S> {
    pub(crate) fn new(stream: S, traffic: Arc<Traffic>) -> Self {
        traffic.accepted.fetch_add(1, Ordering::Relaxed);
        Self {
            stream,
            connection: Arc::new(Connection(traffic)),
        }
    }

    fn count(&self, counter: fn(&Traffic) -> &AtomicU64, length: usize) {
        counter(&self.connection.0).fetch_add(length as u64, Ordering::Relaxed);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.closed.fetch_add(1, Ordering::Release);
    }
}

impl<S: ChatStream + Unpin> ChatStream for Counted<S> {
    type Reader = Counted<S::Reader>;
    type Writer = Counted<S::Writer>;

    fn split(self) -> (Self::Reader, Self::Writer) {
        let Self { stream, connection } = self;
        let (reader, writer) = stream.split();
        let reader = Counted {
            stream: reader,
            connection: connection.clone(),
        };
        let writer = Counted {
            stream: writer,
            connection,
        };
        (reader, writer)
    }

    fn poll_shutdown_write(
        writer: &mut Self::Writer,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        S::poll_shutdown_write(&mut writer.stream, cx)
    }
}

impl<R: Read + Unpin> Read for Counted<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let length = ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.count(|traffic| &traffic.received, length);
        Poll::Ready(Ok(length))
    }
}

impl<W: Write + Unpin> Write for Counted<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let length = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        self.count(|traffic| &traffic.sent, length);
        Poll::Ready(Ok(length))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, slices))?;
        self.count(|traffic| &traffic.sent, length);
        Poll::Ready(Ok(length))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}
