//! Our ends of the pipes to and from a child.

use crate::io::{Read, Write};
use crate::reactor::Async;
use std::io::{self, IoSlice, IoSliceMut, PipeReader, PipeWriter};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll};

/// What a child reads: whatever is written here is its standard input.
///
/// The child reads the end when this is closed or dropped; `close` closes it, for a pipe has no other way to say that
/// nothing more will come. Writing to a child that has ended fails with `BrokenPipe`.
///
/// Its writes are cancel safe one by one; the [`io`](crate::io) module says which of the longer ones are.
///
/// # Examples
///
/// ```
/// use parklet::io::prelude::*;
/// use parklet::process::{Command, Stdio};
///
/// # parklet::task::block_on(async {
/// let mut child = Command::new("wc").arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
/// let mut stdin = child.stdin.take().unwrap();
/// stdin.write_all(b"hello").await?;
/// stdin.close().await?;
/// assert_eq!(child.output().await?.stdout, b"5\n");
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct ChildStdin {
    /// `None` once it is closed.
    pipe: Option<Async<PipeWriter>>,
}

impl ChildStdin {
    pub(super) fn new(pipe: std::process::ChildStdin) -> io::Result<ChildStdin> {
        let pipe = Async::new(PipeWriter::from(OwnedFd::from(pipe)))?;
        Ok(ChildStdin { pipe: Some(pipe) })
    }

    /// The pipe, if it is open.
    fn open(&self) -> io::Result<&Async<PipeWriter>> {
        self.pipe.as_ref().ok_or_else(|| {
            let closed = "cannot write to the child: its standard input was closed";
            io::Error::new(io::ErrorKind::BrokenPipe, closed)
        })
    }
}

impl Write for ChildStdin {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.open()?).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.open()?).poll_write_vectored(cx, bufs)
    }

    /// Nothing to do: what was written is in the pipe.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Closes the pipe: the child reads the end. Once more does nothing.
    fn poll_close(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pipe = None;
        Poll::Ready(Ok(()))
    }
}

impl TryFrom<ChildStdin> for Stdio {
    type Error = io::Error;

    /// For another child, which writes into this one. Fails if the pipe was closed.
    fn try_from(stdin: ChildStdin) -> io::Result<Stdio> {
        stdin.open()?;
        match stdin.pipe {
            Some(pipe) => Ok(blocking(pipe.into_inner()?.into())?.into()),
            None => Ok(Stdio::null()),
        }
    }
}

/// Makes the two that are read.
macro_rules! readers {
    ($($(#[$doc:meta])* $name:ident: $std:ty;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name {
            /// The end of the pipe.
            pipe: Async<PipeReader>,
        }

        impl $name {
            pub(super) fn new(pipe: $std) -> io::Result<$name> {
                let pipe = Async::new(PipeReader::from(OwnedFd::from(pipe)))?;
                Ok($name { pipe })
            }
        }

        impl Read for $name {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                Pin::new(&mut &self.pipe).poll_read(cx, buf)
            }

            fn poll_read_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &mut [IoSliceMut<'_>],
            ) -> Poll<io::Result<usize>> {
                Pin::new(&mut &self.pipe).poll_read_vectored(cx, bufs)
            }
        }

        impl TryFrom<$name> for Stdio {
            type Error = io::Error;

            /// For another child, which reads what this one writes.
            fn try_from(output: $name) -> io::Result<Stdio> {
                Ok(blocking(output.pipe.into_inner()?.into())?.into())
            }
        }

        impl AsFd for $name {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.pipe.get_ref().as_fd()
            }
        }

        impl AsRawFd for $name {
            fn as_raw_fd(&self) -> RawFd {
                self.as_fd().as_raw_fd()
            }
        }
    )*};
}

readers! {
    /// What a child writes to its standard output. It ends when the child, and whoever shares the pipe with it, has closed
    /// it.
    ///
    /// Its reads are cancel safe one by one; the [`io`](crate::io) module says which of the longer ones are.
    ///
    /// # Examples
    ///
    /// One child's output as another's input:
    ///
    /// ```
    /// use parklet::process::{Command, Stdio};
    ///
    /// # parklet::task::block_on(async {
    /// let mut echo = Command::new("echo").arg("hello").stdout(Stdio::piped()).spawn()?;
    /// let words: Stdio = echo.stdout.take().unwrap().try_into()?;
    /// let output = Command::new("tr").args(["a-z", "A-Z"]).stdin(words).output().await?;
    /// assert_eq!(output.stdout, b"HELLO\n");
    /// assert!(echo.status().await?.success());
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    ChildStdout: std::process::ChildStdout;

    /// What a child writes to its standard error; otherwise as [`ChildStdout`].
    ChildStderr: std::process::ChildStderr;
}

/// A descriptor for a child, which expects that its calls block. Non-blocking is a property of this end of the pipe, which
/// the child is to share.
fn blocking(descriptor: OwnedFd) -> io::Result<OwnedFd> {
    let flags = rustix::fs::fcntl_getfl(&descriptor)?;
    rustix::fs::fcntl_setfl(&descriptor, flags - rustix::fs::OFlags::NONBLOCK)?;
    Ok(descriptor)
}
