//! Lines with a maximum length.
//!
//! async-std and futures have none; tokio-util's `LinesCodec` has the same idea. The trait says what counts towards the
//! maximum.
//!
//! All forms are one function, `poll_until` in `line.rs`, and never hold more of a line than the maximum and its
//! delimiter; the futures in `read.rs` use it for one line, the streams in `streams.rs` again and again.

mod line;
mod read;
mod streams;

pub use read::{ReadLineBounded, ReadUntilBounded};
pub use streams::{LinesBounded, SplitBounded};

use super::BufRead;
use std::{error, fmt};

/// The bounded forms of `read_until`, `read_line`, `split` and `lines`, for every buffered reader.
///
/// `read_line` and `lines` keep on buffering until a newline comes, so a peer that never sends one fills the memory. These
/// take a maximum, hold no more than that and the delimiter, and fail past it with [`LineTooLong`].
///
/// What counts are the bytes of the line *before* its delimiter. With a maximum of 5, `hello\n` is a line and `hello!\n`
/// one byte too long; a carriage return is a byte of the line like any other, so `hello\r\n` is too long as well. A line of
/// exactly the maximum may end with the input instead of a newline.
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
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::io::prelude::*;
    ///
    /// parklet::task::block_on(async {
    ///     let mut input = &b"key=value"[..];
    ///     let mut key = Vec::new();
    ///     input.read_until_bounded(b'=', &mut key, 16).await?;
    ///     assert_eq!((&key[..], input), (&b"key="[..], &b"value"[..]));
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    fn read_until_bounded<'a>(
        &'a mut self,
        delimiter: u8,
        buf: &'a mut Vec<u8>,
        max: usize,
    ) -> ReadUntilBounded<'a, Self>
    where
        Self: Unpin,
    {
        ReadUntilBounded::new(self, delimiter, buf, max)
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
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::io::prelude::*;
    ///
    /// parklet::task::block_on(async {
    ///     let mut input = &b"hello\nworld\n"[..];
    ///     let mut line = String::new();
    ///     assert_eq!(input.read_line_bounded(&mut line, 80).await?, 6);
    ///     assert_eq!(line, "hello\n");
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    fn read_line_bounded<'a>(
        &'a mut self,
        buf: &'a mut String,
        max: usize,
    ) -> ReadLineBounded<'a, Self>
    where
        Self: Unpin,
    {
        ReadLineBounded::new(self, buf, max)
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
        SplitBounded::new(self, delimiter, max)
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
        LinesBounded::new(self, max)
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
