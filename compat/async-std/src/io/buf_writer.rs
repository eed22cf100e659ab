//! futures-lite's buffered writer, but that `into_inner` flushes.

use super::{Error, Result, Seek, SeekFrom, Write, WriteExt};
use pin_project_lite::pin_project;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    /// A buffer before a writer: many small writes become few.
    ///
    /// What is in the buffer when it is dropped is lost: flush it.
    pub struct BufWriter<W> {
        // The buffer and the writer.
        #[pin]
        buffered: futures_lite::io::BufWriter<W>,
    }
}

impl<W: Write> BufWriter<W> {
    /// A buffer of 8 KiB.
    pub fn new(inner: W) -> BufWriter<W> {
        BufWriter {
            buffered: futures_lite::io::BufWriter::new(inner),
        }
    }

    /// A buffer of `capacity` bytes.
    pub fn with_capacity(capacity: usize, inner: W) -> BufWriter<W> {
        BufWriter {
            buffered: futures_lite::io::BufWriter::with_capacity(capacity, inner),
        }
    }

    /// The writer. What is written to it directly overtakes the buffer.
    pub fn get_ref(&self) -> &W {
        self.buffered.get_ref()
    }

    /// The writer. What is written to it directly overtakes the buffer.
    pub fn get_mut(&mut self) -> &mut W {
        self.buffered.get_mut()
    }

    /// Flushes, and gives the writer.
    ///
    /// # Errors
    ///
    /// The writer's, with the buffered writer.
    pub async fn into_inner(mut self) -> std::result::Result<W, IntoInnerError<BufWriter<W>>>
    where
        Self: Unpin,
    {
        match self.flush().await {
            Ok(()) => Ok(self.buffered.into_inner()),
            Err(error) => Err(IntoInnerError(self, error)),
        }
    }

    /// What is in the buffer.
    pub fn buffer(&self) -> &[u8] {
        self.buffered.buffer()
    }
}

impl<W: Write> Write for BufWriter<W> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        self.project().buffered.poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.project().buffered.poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.project().buffered.poll_close(cx)
    }
}

impl<W: Write + Seek> Seek for BufWriter<W> {
    fn poll_seek(self: Pin<&mut Self>, cx: &mut Context<'_>, pos: SeekFrom) -> Poll<Result<u64>> {
        self.project().buffered.poll_seek(cx, pos)
    }
}

impl<W: fmt::Debug> fmt::Debug for BufWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.buffered.fmt(f)
    }
}

/// From [`BufWriter::into_inner`]: the buffered writer, and why it could not be flushed.
#[derive(Debug)]
pub struct IntoInnerError<W>(
    W,
    #[allow(
        dead_code,
        reason = "async-std gives no access to it either, but for `Debug`"
    )]
    Error,
);
