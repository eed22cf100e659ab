//! The sending half of a connection: what waits to be written to one client, and the writing.
//!
//! Only the connection's own task writes, so lines never mix. It takes frames out of its groups' rings only while there
//! is room here: what has been taken can no longer fall out of a ring, so this bounds what a client that does not read
//! keeps in memory.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::accept::ChatStream;
use super::protocol::Frame;
use crate::io::{self, IoSlice, Write};

/// How many frames are written with one system call. Enough to make the call's own cost vanish, and well under the 1024
/// slices that Linux takes at once.
const MAX_BATCH_FRAMES: usize = 64;

/// So many frames may wait without a larger allocation; a longer queue is given back once it is empty, since most
/// clients are idle most of the time.
const FEW_FRAMES: usize = 4;

/// What one client is still to get.
pub(crate) struct Outbound<S: ChatStream> {
    /// The socket's sending half; nothing more is written after an error.
    writer: S::Writer,
    /// What waits, oldest first.
    frames: VecDeque<Frame>,
    /// How much of the first frame has been written.
    sent: usize,
    /// How many bytes wait.
    bytes: usize,
    /// With so many bytes there is no room for more.
    max_bytes: usize,
    /// Something was written since the last flush.
    is_unflushed: bool,
}

impl<S: ChatStream> Outbound<S> {
    pub(crate) fn new(writer: S::Writer, max_bytes: usize) -> Self {
        Self {
            writer,
            frames: VecDeque::new(),
            sent: 0,
            bytes: 0,
            max_bytes,
            is_unflushed: false,
        }
    }

    /// Whether one more frame may be added. A single one may be longer than all there is room for.
    pub(crate) fn has_room(&self) -> bool {
        self.frames.len() < MAX_BATCH_FRAMES && self.bytes < self.max_bytes
    }

    /// Adds a frame to be sent after the others.
    pub(crate) fn push(&mut self, frame: Frame) {
        self.bytes += frame.len();
        self.frames.push_back(frame);
    }

    /// Sends what waits, in as few system calls as the socket allows. Ready when nothing waits any more.
    pub(crate) fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.frames.is_empty() {
            match ready!(self.poll_write(cx)) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(length) => self.advance(length),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        if self.is_unflushed {
            ready!(Pin::new(&mut self.writer).poll_flush(cx))?;
            self.is_unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Sends what waits, and tells the client that nothing more will come.
    pub(crate) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(cx))?;
        S::poll_shutdown_write(&mut self.writer, cx)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let writer = Pin::new(&mut self.writer);
        let first = &self.frames[0][self.sent..];
        if self.frames.len() == 1 {
            return writer.poll_write(cx, first);
        }
        let mut slices = [IoSlice::new(first); MAX_BATCH_FRAMES];
        let count = self.frames.len().min(MAX_BATCH_FRAMES);
        for (slice, frame) in slices[1..].iter_mut().zip(self.frames.range(1..)) {
            *slice = IoSlice::new(frame);
        }
        writer.poll_write_vectored(cx, &slices[..count])
    }

    /// Forgets what has been written.
    fn advance(&mut self, length: usize) {
        self.is_unflushed = true;
        self.bytes -= length;
        self.sent += length;
        while let Some(frame) = self.frames.front()
            && self.sent >= frame.len()
        {
            self.sent -= frame.len();
            self.frames.pop_front();
        }
        if self.frames.is_empty() && self.frames.capacity() > FEW_FRAMES {
            self.frames = VecDeque::new();
        }
    }
}
