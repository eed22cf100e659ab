//! Bounded lines one after the other, as bytes and as text.

use super::line::{Bounded, not_utf8, poll_skip, poll_until};
use crate::io::{BufRead, Result};
use futures_core::Stream;
use pin_project_lite::pin_project;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// The stream of [`split_bounded`](super::BufReadBoundedExt::split_bounded).
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct SplitBounded<R> {
        // Where the pieces come from.
        #[pin]
        reader: R,
        // What ends one.
        delimiter: u8,
        // What has come of the present one: here and not in a future, so that `next` is cancel safe.
        buf: Vec<u8>,
        // How much that is.
        line: Bounded,
        // What becomes of the rest of the present piece.
        rest: Rest,
    }
}

/// Whether the piece that is being read will be an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// Yes.
    Wanted,
    /// No: it was too long, the error has been given, and what is left of it is skipped.
    Skipped,
}

impl<R> SplitBounded<R> {
    /// Nothing is read yet.
    pub(super) fn new(reader: R, delimiter: u8, max: usize) -> SplitBounded<R> {
        SplitBounded {
            reader,
            delimiter,
            buf: Vec::new(),
            line: Bounded::new(max),
            rest: Rest::Wanted,
        }
    }
}

impl<R: BufRead> SplitBounded<R> {
    /// The next piece, with the delimiter that ended it if one did.
    fn poll_piece(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Vec<u8>>>> {
        let mut this = self.project();
        if *this.rest == Rest::Skipped {
            ready!(poll_skip(this.reader.as_mut(), cx, *this.delimiter))?;
            *this.rest = Rest::Wanted;
        }
        let end = poll_until(this.reader, cx, *this.delimiter, this.buf, this.line);
        Poll::Ready(match ready!(end)?.length() {
            Ok(0) => None,
            Ok(_) => Some(Ok(mem::take(this.buf))),
            Err(too_long) => {
                this.buf.clear();
                *this.rest = Rest::Skipped;
                Some(Err(too_long))
            }
        })
    }
}

impl<R: BufRead> Stream for SplitBounded<R> {
    type Item = Result<Vec<u8>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Vec<u8>>>> {
        let delimiter = self.delimiter;
        let piece = ready!(self.poll_piece(cx));
        Poll::Ready(piece.map(|piece| {
            let mut piece = piece?;
            piece.pop_if(|last| *last == delimiter);
            Ok(piece)
        }))
    }
}

pin_project! {
    /// The stream of [`lines_bounded`](super::BufReadBoundedExt::lines_bounded).
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct LinesBounded<R> {
        // The same lines as bytes.
        #[pin]
        lines: SplitBounded<R>,
    }
}

impl<R> LinesBounded<R> {
    /// Nothing is read yet.
    pub(super) fn new(reader: R, max: usize) -> LinesBounded<R> {
        LinesBounded {
            lines: SplitBounded::new(reader, b'\n', max),
        }
    }
}

impl<R: BufRead> Stream for LinesBounded<R> {
    type Item = Result<String>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<String>>> {
        let line = ready!(self.project().lines.poll_piece(cx));
        Poll::Ready(line.map(|line| {
            let mut line = line?;
            // As in std, a carriage return stays where no newline follows it.
            if line.pop_if(|last| *last == b'\n').is_some() {
                line.pop_if(|last| *last == b'\r');
            }
            String::from_utf8(line).map_err(|error| not_utf8(error.utf8_error()))
        }))
    }
}
