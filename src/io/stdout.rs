//! The process's standard output and error, written off the workers.
//!
//! A terminal or a full pipe may block whoever writes, so each write is one job on the blocking pool, through std's own
//! handle: what `println!` wrote before comes out before. Unlike std's, what was written is in the kernel and not in a
//! buffer: the job flushes, and nothing is lost at the exit of the program.

use super::{Result, Write};
use crate::task::{self, SpawnBlocking};
use std::fmt;
use std::future::Future;
use std::io::Write as _;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// The most that one job writes, so that the copy it gets stays small; a pipe holds no more than this anyway.
const MAX_JOB: usize = 64 * 1024;

/// A handle to the process's standard output.
///
/// When `write` has returned, the bytes are in the kernel; `flush` has nothing left to do. What goes through one handle
/// keeps its order; writes through two handles at the same time come out in either order, each whole up to 64 KiB.
///
/// # Cancel safety
///
/// A write that is dropped midway goes on by itself. If the next write on this handle begins with the same bytes it is
/// taken for the same write and not written twice; before other bytes, the first ones come out in full. So repeating
/// a dropped write is safe, and a different one may find that both were written.
///
/// # Examples
///
/// ```
/// use parklet::io::{self, prelude::*};
///
/// parklet::task::block_on(async {
///     io::stdout().write_all(b"hello\n").await
/// })?;
/// # std::io::Result::Ok(())
/// ```
pub fn stdout() -> Stdout {
    Stdout {
        writer: BlockingWriter::new(|bytes| {
            let mut stdout = std::io::stdout().lock();
            stdout.write_all(bytes)?;
            stdout.flush()
        }),
    }
}

/// A handle to the process's standard error; everything that [`stdout`] says holds here.
///
/// # Examples
///
/// ```
/// use parklet::io::{self, prelude::*};
///
/// parklet::task::block_on(async {
///     io::stderr().write_all(b"something is wrong\n").await
/// })?;
/// # std::io::Result::Ok(())
/// ```
pub fn stderr() -> Stderr {
    Stderr {
        writer: BlockingWriter::new(|bytes| std::io::stderr().lock().write_all(bytes)),
    }
}

/// The standard output; [`stdout`] makes it.
#[derive(Debug)]
pub struct Stdout {
    /// Does the writing.
    writer: BlockingWriter,
}

/// The standard error; [`stderr`] makes it.
#[derive(Debug)]
pub struct Stderr {
    /// Does the writing.
    writer: BlockingWriter,
}

/// Implements the traits by passing on to `BlockingWriter`: the two handles differ in name and descriptor.
macro_rules! impl_handle {
    ($handle:ident, $descriptor:path) => {
        impl Write for $handle {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<Result<usize>> {
                self.get_mut().writer.poll_write(cx, buf)
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
                self.get_mut().writer.poll_flush(cx)
            }

            fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
                self.poll_flush(cx)
            }
        }

        impl AsFd for $handle {
            fn as_fd(&self) -> BorrowedFd<'_> {
                $descriptor()
            }
        }

        impl AsRawFd for $handle {
            fn as_raw_fd(&self) -> RawFd {
                self.as_fd().as_raw_fd()
            }
        }
    };
}

impl_handle!(Stdout, rustix::stdio::stdout);
impl_handle!(Stderr, rustix::stdio::stderr);

/// Writes through a function that blocks, one job at a time.
struct BlockingWriter {
    /// Writes all it is given and flushes.
    write: fn(&[u8]) -> Result<()>,
    /// The job under way; it stays when the future that waited for it is dropped.
    job: Option<Job>,
}

/// One write on the pool.
struct Job {
    /// What it writes.
    bytes: Arc<[u8]>,
    /// Its result.
    result: SpawnBlocking<Result<()>>,
}

impl BlockingWriter {
    /// Nothing runs until something is written.
    fn new(write: fn(&[u8]) -> Result<()>) -> BlockingWriter {
        BlockingWriter { write, job: None }
    }

    /// Ready when the bytes are in the kernel.
    fn poll_write(&mut self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        loop {
            if let Some(job) = &mut self.job {
                let result = ready!(Pin::new(&mut job.result).poll(cx));
                let written = self.job.take().map_or(0, |job| {
                    if buf.starts_with(&job.bytes) {
                        job.bytes.len()
                    } else {
                        0
                    }
                });
                result?;
                if written > 0 {
                    return Poll::Ready(Ok(written));
                }
            }
            if buf.is_empty() {
                return Poll::Ready(Ok(0));
            }
            let bytes: Arc<[u8]> = buf[..buf.len().min(MAX_JOB)].into();
            let (write, job_bytes) = (self.write, Arc::clone(&bytes));
            let result = task::spawn_blocking(move || write(&job_bytes));
            self.job = Some(Job { bytes, result });
        }
    }

    /// Ready when no job is under way.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let Some(job) = &mut self.job else {
            return Poll::Ready(Ok(()));
        };
        let result = ready!(Pin::new(&mut job.result).poll(cx));
        self.job = None;
        Poll::Ready(result)
    }
}

impl fmt::Debug for BlockingWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingWriter")
            .field("busy", &self.job.is_some())
            .finish_non_exhaustive()
    }
}
