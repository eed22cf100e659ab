//! From a reader to a writer until the end.

use super::{BufRead, BufReader, ErrorKind, Read, Result, Write};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Poll, ready};

/// Writes everything that `reader` gives to `writer`, flushes it, and returns how many bytes that were.
///
/// Whenever the reader has nothing for now, what was written so far is flushed, so that a buffered writer never holds
/// back one side of a dialogue. The signature is async-std's (without its `unstable`): both by reference, unsized
/// ones too.
///
/// # Errors
///
/// The first error of the reader or the writer; `WriteZero` if the writer takes no more.
///
/// # Cancel safety
///
/// Not cancel safe: what was read and not yet written is lost, and how much was written is not known.
///
/// # Examples
///
/// ```
/// use parklet::io;
///
/// let mut copied = Vec::new();
/// let length = parklet::task::block_on(io::copy(&mut &b"hello"[..], &mut copied))?;
/// assert_eq!((length, &copied[..]), (5, &b"hello"[..]));
/// # std::io::Result::Ok(())
/// ```
pub async fn copy<R, W>(reader: &mut R, writer: &mut W) -> Result<u64>
where
    R: Read + Unpin + ?Sized,
    W: Write + Unpin + ?Sized,
{
    let mut reader = BufReader::new(reader);
    let mut writer = Pin::new(writer);
    let mut copied = 0;
    // A reader that has told its end is not asked again while the flush is waited for.
    let mut at_end = false;
    poll_fn(|cx| {
        loop {
            if at_end {
                ready!(writer.as_mut().poll_flush(cx))?;
                return Poll::Ready(Ok(copied));
            }
            let Poll::Ready(read) = Pin::new(&mut reader).poll_fill_buf(cx) else {
                if let Poll::Ready(flushed) = writer.as_mut().poll_flush(cx) {
                    flushed?;
                }
                return Poll::Pending;
            };
            let read = read?;
            if read.is_empty() {
                at_end = true;
                continue;
            }
            let written = ready!(writer.as_mut().poll_write(cx, read))?;
            if written == 0 {
                return Poll::Ready(Err(ErrorKind::WriteZero.into()));
            }
            Pin::new(&mut reader).consume(written);
            copied += written as u64;
        }
    })
    .await
}
