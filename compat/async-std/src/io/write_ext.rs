//! async-std's methods on writers.
//!
//! futures-lite's trait has more of them, which would clash with those of other crates. parklet's `write!` leaves the
//! flushing to the caller, as std's does; async-std's flushes.

use super::{ErrorKind, IoSlice, Result, Write};
use futures_lite::io::{
    AsyncWriteExt, FlushFuture, WriteAllFuture, WriteFuture, WriteVectoredFuture,
};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Methods on writers.
///
/// # Examples
///
/// ```
/// use async_std::io::prelude::*;
///
/// # async_std::task::block_on(async {
/// let mut output = Vec::new();
/// output.write_all(b"one, ").await.unwrap();
/// write!(output, "{}", 2).await.unwrap();
/// assert_eq!(output, b"one, 2");
/// # });
/// ```
pub trait WriteExt: Write {
    /// Writes some of the bytes, and gives their number.
    fn write<'a>(&'a mut self, buf: &'a [u8]) -> WriteFuture<'a, Self>
    where
        Self: Unpin,
    {
        AsyncWriteExt::write(self, buf)
    }

    /// Sees to it that what was written has left the buffers.
    fn flush(&mut self) -> FlushFuture<'_, Self>
    where
        Self: Unpin,
    {
        AsyncWriteExt::flush(self)
    }

    /// Writes some of the bytes of several buffers, one after the other.
    fn write_vectored<'a>(&'a mut self, bufs: &'a [IoSlice<'a>]) -> WriteVectoredFuture<'a, Self>
    where
        Self: Unpin,
    {
        AsyncWriteExt::write_vectored(self, bufs)
    }

    /// Writes all of the bytes.
    fn write_all<'a>(&'a mut self, buf: &'a [u8]) -> WriteAllFuture<'a, Self>
    where
        Self: Unpin,
    {
        AsyncWriteExt::write_all(self, buf)
    }

    /// Writes formatted text and flushes: what `write!(writer, ..)` calls.
    fn write_fmt<'a>(&'a mut self, fmt: fmt::Arguments<'_>) -> WriteFmt<'a, Self>
    where
        Self: Unpin,
    {
        WriteFmt {
            writer: self,
            text: fmt::format(fmt),
            written: 0,
        }
    }
}

impl<W: Write + ?Sized> WriteExt for W {}

/// The future of [`WriteExt::write_fmt`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct WriteFmt<'a, W: ?Sized> {
    /// Where the text goes.
    writer: &'a mut W,
    /// The whole of it.
    text: String,
    /// How many of its bytes are written.
    written: usize,
}

impl<W: Write + Unpin + ?Sized> Future for WriteFmt<'_, W> {
    type Output = Result<()>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let this = self.get_mut();
        let mut writer = Pin::new(&mut *this.writer);
        while this.written < this.text.len() {
            let left = &this.text.as_bytes()[this.written..];
            match ready!(writer.as_mut().poll_write(cx, left))? {
                0 => return Poll::Ready(Err(ErrorKind::WriteZero.into())),
                written => this.written += written,
            }
        }
        writer.poll_flush(cx)
    }
}
