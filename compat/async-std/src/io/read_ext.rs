//! async-std's methods on readers.
//!
//! futures-lite's trait has more of them, which would clash with those of other crates, and its `read_to_string` replaces
//! the text where async-std's appends to it.

use super::{Bytes, Chain, Error, ErrorKind, IoSliceMut, Read, Result, Take};
use futures_lite::io::{
    AsyncReadExt, ReadExactFuture, ReadFuture, ReadToEndFuture, ReadVectoredFuture,
};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// How far the buffer of [`ReadToString`] grows at least.
const MORE: usize = 32;

/// Methods on readers.
///
/// # Examples
///
/// ```
/// use async_std::io::prelude::*;
///
/// # async_std::task::block_on(async {
/// let mut text = String::from("first ");
/// (&b"second"[..]).take(3).read_to_string(&mut text).await.unwrap();
/// assert_eq!(text, "first sec");
/// # });
/// ```
pub trait ReadExt: Read {
    /// Reads some bytes, and gives their number; none is the end.
    fn read<'a>(&'a mut self, buf: &'a mut [u8]) -> ReadFuture<'a, Self>
    where
        Self: Unpin,
    {
        AsyncReadExt::read(self, buf)
    }

    /// Reads some bytes into several buffers, one after the other.
    fn read_vectored<'a>(
        &'a mut self,
        bufs: &'a mut [IoSliceMut<'a>],
    ) -> ReadVectoredFuture<'a, Self>
    where
        Self: Unpin,
    {
        AsyncReadExt::read_vectored(self, bufs)
    }

    /// Appends everything until the end.
    fn read_to_end<'a>(&'a mut self, buf: &'a mut Vec<u8>) -> ReadToEndFuture<'a, Self>
    where
        Self: Unpin,
    {
        AsyncReadExt::read_to_end(self, buf)
    }

    /// Appends everything until the end, as text.
    fn read_to_string<'a>(&'a mut self, buf: &'a mut String) -> ReadToString<'a, Self>
    where
        Self: Unpin,
    {
        ReadToString {
            reader: self,
            text: buf,
            bytes: Vec::new(),
            filled: 0,
        }
    }

    /// Fills the buffer, or fails with `UnexpectedEof`.
    fn read_exact<'a>(&'a mut self, buf: &'a mut [u8]) -> ReadExactFuture<'a, Self>
    where
        Self: Unpin,
    {
        AsyncReadExt::read_exact(self, buf)
    }

    /// A reader of the first `limit` bytes.
    fn take(self, limit: u64) -> Take<Self>
    where
        Self: Sized,
    {
        AsyncReadExt::take(self, limit)
    }

    /// The reader by reference, to use it again after an adapter.
    fn by_ref(&mut self) -> &mut Self
    where
        Self: Sized,
    {
        self
    }

    /// A stream of the bytes.
    fn bytes(self) -> Bytes<Self>
    where
        Self: Sized,
    {
        AsyncReadExt::bytes(self)
    }

    /// A reader of this one's bytes and then of the other's.
    fn chain<R: Read>(self, next: R) -> Chain<Self, R>
    where
        Self: Sized,
    {
        AsyncReadExt::chain(self, next)
    }
}

impl<R: Read + ?Sized> ReadExt for R {}

/// The future of [`ReadExt::read_to_string`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct ReadToString<'a, R: ?Sized> {
    /// Where the bytes come from.
    reader: &'a mut R,
    /// Where they go, once they have turned out to be text.
    text: &'a mut String,
    /// Room for bytes.
    bytes: Vec<u8>,
    /// How much of the room is taken.
    filled: usize,
}

impl<R: Read + Unpin + ?Sized> Future for ReadToString<'_, R> {
    type Output = Result<usize>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<usize>> {
        let this = self.get_mut();
        let result = loop {
            if this.filled == this.bytes.len() {
                let room = this.bytes.len() * 2 + MORE;
                this.bytes.resize(room, 0);
            }
            let room = &mut this.bytes[this.filled..];
            match ready!(Pin::new(&mut *this.reader).poll_read(cx, room)) {
                Ok(0) => break Ok(this.filled),
                Ok(read) => this.filled += read,
                Err(error) => break Err(error),
            }
        };
        this.bytes.truncate(this.filled);
        Poll::Ready(append_text(this.text, &this.bytes, result))
    }
}

/// Appends what was read, if it is text, also before an error of the reader, which it gives.
pub(super) fn append_text(text: &mut String, bytes: &[u8], read: Result<usize>) -> Result<usize> {
    match std::str::from_utf8(bytes) {
        Ok(new) => text.push_str(new),
        Err(_) => {
            read?;
            return Err(Error::new(
                ErrorKind::InvalidData,
                "stream did not contain valid UTF-8",
            ));
        }
    }
    read
}
