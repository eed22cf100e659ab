//! `write!` into an async writer.

use super::{ErrorKind, Result, Write};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// `write!(writer, "..").await`, for every writer; futures-lite has no such method, async-std has.
///
/// # Examples
///
/// ```
/// use parklet::io::prelude::*;
///
/// let mut greeting = Vec::new();
/// parklet::task::block_on(async { write!(greeting, "{}, {}", "hello", "world").await })?;
/// assert_eq!(greeting, b"hello, world");
/// # std::io::Result::Ok(())
/// ```
pub trait WriteFmtExt: Write {
    /// Writes the whole formatted text; usually called by `write!` and `writeln!`.
    ///
    /// The text is made at once, before anything is written.
    ///
    /// # Errors
    ///
    /// The writer's own; `WriteZero` if it takes no more.
    ///
    /// # Panics
    ///
    /// When a value's own formatting fails, as `format!` does.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: how much was written is forgotten.
    fn write_fmt<'a>(&'a mut self, text: fmt::Arguments<'_>) -> WriteFmt<'a, Self>
    where
        Self: Unpin,
    {
        WriteFmt {
            writer: self,
            text: text.to_string(),
            written: 0,
        }
    }
}

impl<W: Write + ?Sized> WriteFmtExt for W {}

/// The future of `write!`.
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
        while this.written < this.text.len() {
            let left = &this.text.as_bytes()[this.written..];
            match ready!(Pin::new(&mut *this.writer).poll_write(cx, left))? {
                0 => return Poll::Ready(Err(ErrorKind::WriteZero.into())),
                written => this.written += written,
            }
        }
        Poll::Ready(Ok(()))
    }
}
