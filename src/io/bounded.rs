//! Lines with a maximum length.
//!
//! `read_line` and `lines` keep on buffering until a newline comes, so a peer that never sends one fills the memory. The
//! forms here take a maximum and fail past it with [`LineTooLong`]. async-std and futures have none; tokio-util's
//! `LinesCodec` has the same idea.
//!
//! What counts: the bytes of the line *before* its delimiter. With a maximum of 5, `hello\n` is a line and `hello!\n` is
//! one byte too long; a carriage return is a byte of the line like any other, so `hello\r\n` is too long as well. A line
//! of exactly the maximum that ends with the input instead of a newline is a line.
//!
//! All four forms are one function, `poll_until`, and never hold more of a line than the maximum and its delimiter.

use super::{BufRead, Error, ErrorKind, Result};
use futures_core::Stream;
use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::{error, fmt, mem};

/// The bounded forms of `read_until`, `read_line`, `split` and `lines`, for every buffered reader.
///
/// The module's header says what counts towards the maximum; in short, the bytes before the delimiter.
///
/// # Examples
///
/// ```
/// use parklet::io::{BufReader, ErrorKind, prelude::*};
///
/// parklet::task::block_on(async {
///     let mut input = BufReader::new(&b"short\nmuch too long\n"[..]);
///     let mut line = String::new();
///     assert_eq!(input.read_line_bounded(&mut line, 5).await?, 6);
///     assert_eq!(line, "short\n");
///
///     let error = input.read_line_bounded(&mut line, 5).await.unwrap_err();
///     assert_eq!(error.kind(), ErrorKind::InvalidData);
///     assert_eq!(error.to_string(), "line is longer than 5 bytes");
///     # std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
pub trait BufReadBoundedExt: BufRead {
    /// Appends to `buf` what comes up to and including the next `delimiter`, and returns how many bytes that were; 0 is
    /// the end of the input.
    ///
    /// `max` counts the bytes that this call appends, without the delimiter.
    ///
    /// # Errors
    ///
    /// Past `max` bytes an error of kind `InvalidData` that carries [`LineTooLong`]. The first `max` bytes of the line
    /// are in `buf` then, and the reader stands right behind them, in the middle of the line. The reader's own errors
    /// are passed on; what was read before is in `buf`.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what was read is in `buf`, and calling again with the same `buf` goes on with the line. The count
    /// towards `max` starts anew; [`split_bounded`](Self::split_bounded) goes on counting.
    fn read_until_bounded<'a>(
        &'a mut self,
        delimiter: u8,
        buf: &'a mut Vec<u8>,
        max: usize,
    ) -> ReadUntilBounded<'a, Self>
    where
        Self: Unpin,
    {
        ReadUntilBounded {
            reader: self,
            delimiter,
            buf,
            line: Bounded::new(max),
        }
    }

    /// Appends the next line, with its newline, to `buf`, and returns its length; 0 is the end of the input.
    ///
    /// # Errors
    ///
    /// Past `max` bytes an error of kind `InvalidData` that carries [`LineTooLong`]; the reader stands behind the
    /// first `max` bytes of the line. A line that is not UTF-8 is an error of the same kind; the reader stands behind
    /// it. In both cases `buf` is as it was and those bytes are gone: who needs them reads bytes, with
    /// [`read_until_bounded`](Self::read_until_bounded). The reader's own errors are passed on.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the part of the line that was read is lost. `next` on
    /// [`lines_bounded`](Self::lines_bounded) is.
    fn read_line_bounded<'a>(
        &'a mut self,
        buf: &'a mut String,
        max: usize,
    ) -> ReadLineBounded<'a, Self>
    where
        Self: Unpin,
    {
        ReadLineBounded {
            reader: self,
            buf,
            bytes: Vec::new(),
            line: Bounded::new(max),
        }
    }

    /// A stream of the pieces between `delimiter`s, each without it: lines as bytes, for `b'\n'`.
    ///
    /// A piece longer than `max` bytes is one error in the stream, of kind `InvalidData` with [`LineTooLong`] in it;
    /// the next item is the next piece: what is left of the long one is skipped, however long, in no memory. `next` is
    /// cancel safe: a piece that has come in part stays in the stream.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::StreamExt;
    /// use parklet::io::prelude::*;
    ///
    /// parklet::task::block_on(async {
    ///     let mut pieces = (&b"one;much too long;two"[..]).split_bounded(b';', 3);
    ///     assert_eq!(pieces.next().await.unwrap()?, b"one");
    ///     assert!(pieces.next().await.unwrap().is_err());
    ///     assert_eq!(pieces.next().await.unwrap()?, b"two");
    ///     assert!(pieces.next().await.is_none());
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    fn split_bounded(self, delimiter: u8, max: usize) -> SplitBounded<Self>
    where
        Self: Sized,
    {
        SplitBounded {
            reader: self,
            delimiter,
            buf: Vec::new(),
            line: Bounded::new(max),
            rest: Rest::Wanted,
        }
    }

    /// A stream of lines, each without its `\n` or `\r\n`.
    ///
    /// A line longer than `max` bytes and a line that is not UTF-8 are one error of kind `InvalidData` each, the first
    /// with [`LineTooLong`] in it; the next item is the next line. `next` is cancel safe: a line that has come in part
    /// stays in the stream.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_lite::StreamExt;
    /// use parklet::io::prelude::*;
    ///
    /// parklet::task::block_on(async {
    ///     let mut lines = (&b"one\r\nmuch too long\ntwo"[..]).lines_bounded(4);
    ///     assert_eq!(lines.next().await.unwrap()?, "one");
    ///     assert!(lines.next().await.unwrap().is_err());
    ///     assert_eq!(lines.next().await.unwrap()?, "two");
    ///     assert!(lines.next().await.is_none());
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    fn lines_bounded(self, max: usize) -> LinesBounded<Self>
    where
        Self: Sized,
    {
        LinesBounded {
            lines: self.split_bounded(b'\n', max),
        }
    }
}

impl<R: BufRead + ?Sized> BufReadBoundedExt for R {}

/// What an error past the maximum carries.
///
/// # Examples
///
/// ```
/// use parklet::io::{LineTooLong, prelude::*};
///
/// let mut line = Vec::new();
/// let error = parklet::task::block_on((&b"hello\n"[..]).read_until_bounded(b'\n', &mut line, 4));
/// let too_long = error.unwrap_err().downcast::<LineTooLong>().unwrap();
/// assert_eq!(too_long.max(), 4);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineTooLong {
    /// The maximum, in bytes.
    max: usize,
}

impl LineTooLong {
    /// The maximum that the line exceeds, in bytes without the delimiter.
    pub fn max(&self) -> usize {
        self.max
    }
}

impl fmt::Display for LineTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line is longer than {} bytes", self.max)
    }
}

impl error::Error for LineTooLong {}

/// The future of [`read_until_bounded`](BufReadBoundedExt::read_until_bounded).
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

impl<R: BufRead + Unpin + ?Sized> Future for ReadUntilBounded<'_, R> {
    type Output = Result<usize>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<usize>> {
        let this = self.get_mut();
        let reader = Pin::new(&mut *this.reader);
        let end = poll_until(reader, cx, this.delimiter, this.buf, &mut this.line);
        Poll::Ready(ready!(end)?.length())
    }
}

/// The future of [`read_line_bounded`](BufReadBoundedExt::read_line_bounded).
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

pin_project! {
    /// The stream of [`split_bounded`](BufReadBoundedExt::split_bounded).
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
    /// The stream of [`lines_bounded`](BufReadBoundedExt::lines_bounded).
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct LinesBounded<R> {
        // The same lines as bytes.
        #[pin]
        lines: SplitBounded<R>,
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

/// How much of a line there may be, and how much there is.
#[derive(Debug)]
struct Bounded {
    /// The maximum, in bytes without the delimiter.
    max: usize,
    /// What this line has taken from the reader so far.
    taken: usize,
}

impl Bounded {
    /// A line of which nothing has come.
    fn new(max: usize) -> Bounded {
        Bounded { max, taken: 0 }
    }
}

/// How a line ended.
#[derive(Debug)]
enum LineEnd {
    /// With its delimiter or with the input, after so many bytes, the delimiter counted.
    Found(usize),
    /// Not within the maximum.
    TooLong(LineTooLong),
}

impl LineEnd {
    /// The whole line's length, or the error of one that is too long.
    fn length(self) -> Result<usize> {
        match self {
            LineEnd::Found(length) => Ok(length),
            LineEnd::TooLong(too_long) => Err(Error::new(ErrorKind::InvalidData, too_long)),
        }
    }
}

/// Moves bytes from `reader` to `buf` until the line has ended, one way or the other; `line` is as new then.
fn poll_until<R: BufRead + ?Sized>(
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
fn poll_skip<R: BufRead>(
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
fn not_utf8(error: std::str::Utf8Error) -> Error {
    Error::new(
        ErrorKind::InvalidData,
        format!("line is not valid UTF-8 after byte {}", error.valid_up_to()),
    )
}
