//! One bounded line as a future: as bytes, or as text.

use super::line::{Bounded, not_utf8, poll_until};
use crate::io::{BufRead, Result};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// The future of [`read_until_bounded`](super::BufReadBoundedExt::read_until_bounded).
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct ReadUntilBounded<'a, R: ?Sized> {
    /// Where the line comes from.
    reader: &'a mut R,
    /// What ends it.
    delimiter: u8,
    /// Where it goes.
    buf: &'a mut Vec<u8>,
    /// How much of it has come.
    line: Bounded,
}

impl<'a, R: ?Sized> ReadUntilBounded<'a, R> {
    /// Nothing is read yet.
    pub(super) fn new(
        reader: &'a mut R,
        delimiter: u8,
        buf: &'a mut Vec<u8>,
        max: usize,
    ) -> ReadUntilBounded<'a, R> {
        ReadUntilBounded {
            reader,
            delimiter,
            buf,
            line: Bounded::new(max),
        }
    }
}

impl<R: BufRead + Unpin + ?Sized> Future for ReadUntilBounded<'_, R> {
    type Output = Result<usize>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<usize>> {
        let this = self.get_mut();
        let reader = Pin::new(&mut *this.reader);
        let end = poll_until(reader, cx, this.delimiter, this.buf, &mut this.line);
        Poll::Ready(ready!(end)?.length())
    }
}

/// The future of [`read_line_bounded`](super::BufReadBoundedExt::read_line_bounded).
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct ReadLineBounded<'a, R: ?Sized> {
    /// Where the line comes from.
    reader: &'a mut R,
    /// Where it goes, once it is known to be UTF-8.
    buf: &'a mut String,
    /// What has come of it.
    bytes: Vec<u8>,
    /// How much that is.
    line: Bounded,
}

impl<'a, R: ?Sized> ReadLineBounded<'a, R> {
    /// Nothing is read yet.
    pub(super) fn new(
        reader: &'a mut R,
        buf: &'a mut String,
        max: usize,
    ) -> ReadLineBounded<'a, R> {
        ReadLineBounded {
            reader,
            buf,
            bytes: Vec::new(),
            line: Bounded::new(max),
        }
    }
}

impl<R: BufRead + Unpin + ?Sized> Future for ReadLineBounded<'_, R> {
    type Output = Result<usize>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<usize>> {
        let this = self.get_mut();
        let reader = Pin::new(&mut *this.reader);
        let end = poll_until(reader, cx, b'\n', &mut this.bytes, &mut this.line);
        let length = ready!(end)?.length()?;
        this.buf
            .push_str(str::from_utf8(&this.bytes).map_err(not_utf8)?);
        Poll::Ready(Ok(length))
    }
}
