//! async-std's methods on buffered readers.
//!
//! futures-lite's `read_line` replaces the line where async-std's appends to it.

use super::read_ext::append_text;
use super::{BufRead, Lines, Result, Split};
use futures_lite::io::{AsyncBufReadExt, ReadUntilFuture};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Methods on buffered readers.
///
/// # Examples
///
/// ```
/// use async_std::io::prelude::*;
///
/// # async_std::task::block_on(async {
/// let mut input = &b"first\nsecond\n"[..];
/// let mut lines = String::new();
/// assert_eq!(input.read_line(&mut lines).await.unwrap(), 6);
/// assert_eq!(input.read_line(&mut lines).await.unwrap(), 7);
/// assert_eq!(lines, "first\nsecond\n");
/// # });
/// ```
pub trait BufReadExt: BufRead {
    /// Appends the bytes up to and with the next `byte`, or to the end.
    fn read_until<'a>(&'a mut self, byte: u8, buf: &'a mut Vec<u8>) -> ReadUntilFuture<'a, Self>
    where
        Self: Unpin,
    {
        AsyncBufReadExt::read_until(self, byte, buf)
    }

    /// Appends the next line with its line break.
    fn read_line<'a>(&'a mut self, buf: &'a mut String) -> ReadLine<'a, Self>
    where
        Self: Unpin,
    {
        ReadLine {
            reader: self,
            text: buf,
            bytes: Vec::new(),
        }
    }

    /// A stream of the lines, without their line breaks.
    fn lines(self) -> Lines<Self>
    where
        Self: Unpin + Sized,
    {
        AsyncBufReadExt::lines(self)
    }

    /// A stream of what is between the `byte`s.
    fn split(self, byte: u8) -> Split<Self>
    where
        Self: Sized,
    {
        AsyncBufReadExt::split(self, byte)
    }
}

impl<R: BufRead + ?Sized> BufReadExt for R {}

/// The future of [`BufReadExt::read_line`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct ReadLine<'a, R: ?Sized> {
    /// Where the bytes come from.
    reader: &'a mut R,
    /// Where they go, once they have turned out to be text.
    text: &'a mut String,
    /// The line so far.
    bytes: Vec<u8>,
}

impl<R: BufRead + Unpin + ?Sized> Future for ReadLine<'_, R> {
    type Output = Result<usize>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<usize>> {
        let this = self.get_mut();
        let result = loop {
            let available = match ready!(Pin::new(&mut *this.reader).poll_fill_buf(cx)) {
                Ok(available) => available,
                Err(error) => break Err(error),
            };
            let line_break = available.iter().position(|&byte| byte == b'\n');
            let used = line_break.map_or(available.len(), |at| at + 1);
            this.bytes.extend_from_slice(&available[..used]);
            Pin::new(&mut *this.reader).consume(used);
            if line_break.is_some() || used == 0 {
                break Ok(this.bytes.len());
            }
        };
        Poll::Ready(append_text(this.text, &this.bytes, result))
    }
}
