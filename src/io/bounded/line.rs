//! Up to the end of one line, and no further than its maximum.

use super::LineTooLong;
use crate::io::{BufRead, Error, ErrorKind, Result};
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// How much of a line there may be, and how much there is.
#[derive(Debug)]
pub(super) struct Bounded {
    /// The maximum, in bytes without the delimiter.
    max: usize,
    /// What this line has taken from the reader so far.
    taken: usize,
}

impl Bounded {
    /// A line of which nothing has come.
    pub(super) fn new(max: usize) -> Bounded {
        Bounded { max, taken: 0 }
    }
}

/// How a line ended.
#[derive(Debug)]
pub(super) enum LineEnd {
    /// With its delimiter or with the input, after so many bytes, the delimiter counted.
    Found(usize),
    /// Not within the maximum.
    TooLong(LineTooLong),
}

impl LineEnd {
    /// The whole line's length, or the error of one that is too long.
    pub(super) fn length(self) -> Result<usize> {
        match self {
            LineEnd::Found(length) => Ok(length),
            LineEnd::TooLong(too_long) => Err(Error::new(ErrorKind::InvalidData, too_long)),
        }
    }
}

/// Moves bytes from `reader` to `buf` until the line has ended, one way or the other; `line` is as new then.
pub(super) fn poll_until<R: BufRead + ?Sized>(
    mut reader: Pin<&mut R>,
    cx: &mut Context<'_>,
    delimiter: u8,
    buf: &mut Vec<u8>,
    line: &mut Bounded,
) -> Poll<Result<LineEnd>> {
    loop {
        let available = ready!(reader.as_mut().poll_fill_buf(cx))?;
        let ended = available.is_empty();

        // One byte more than may come, since the delimiter itself is not counted. std's search is the platform's memchr.
        let room = line.max - line.taken;
        let mut window = &available[..available.len().min(room.saturating_add(1))];
        let copied = std::io::BufRead::read_until(&mut window, delimiter, buf)?;
        let found = copied > 0 && buf.last() == Some(&delimiter);

        if !found && copied > room {
            buf.pop();
            reader.as_mut().consume(room);
            line.taken = 0;
            let too_long = LineTooLong { max: line.max };
            return Poll::Ready(Ok(LineEnd::TooLong(too_long)));
        }
        reader.as_mut().consume(copied);
        line.taken += copied;
        if found || ended {
            return Poll::Ready(Ok(LineEnd::Found(mem::take(&mut line.taken))));
        }
    }
}

/// Consumes what comes up to and including the delimiter, or up to the end of the input.
pub(super) fn poll_skip<R: BufRead>(
    mut reader: Pin<&mut R>,
    cx: &mut Context<'_>,
    delimiter: u8,
) -> Poll<Result<()>> {
    loop {
        let available = ready!(reader.as_mut().poll_fill_buf(cx))?;
        let skipped = std::io::BufRead::skip_until(&mut &available[..], delimiter)?;
        let done = skipped == 0 || available[skipped - 1] == delimiter;
        reader.as_mut().consume(skipped);
        if done {
            return Poll::Ready(Ok(()));
        }
    }
}

/// The error of a line that is not text, naming where it stops being so.
pub(super) fn not_utf8(error: std::str::Utf8Error) -> Error {
    Error::new(
        ErrorKind::InvalidData,
        format!("line is not valid UTF-8 after byte {}", error.valid_up_to()),
    )
}
