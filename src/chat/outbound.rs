//! The sending half of a connection: what waits to be written to one client, and the writing.
//!
//! Only the connection's own task writes, so lines never mix. It takes frames out of its groups' rings only while there
//! is room here: what has been taken can no longer fall out of a ring, so this bounds what a client that does not read
//! keeps in memory.

use std::collections::VecDeque;
use std::ops::{Deref, Range};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::accept::ChatStream;
use super::protocol::Frame;
use crate::io::{self, IoSlice, Write};

/// How many frames, or parts of frames, are written with one system call. Enough to make the call's own cost vanish, and well under the 1024
/// slices that Linux takes at once.
const MAX_BATCH_PIECES: usize = 64;

/// So many may wait without a larger allocation; a longer queue is given back once it is empty, since most
/// clients are idle most of the time.
const FEW_PIECES: usize = 4;

/// A frame, or a part of one.
struct Piece {
    frame: Frame,
    part: Range<usize>,
}

impl Deref for Piece {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.frame[self.part.clone()]
    }
}

/// What one client is still to get.
pub(crate) struct Outbound<S: ChatStream> {
    /// The socket's sending half; nothing more is written after an error.
    writer: S::Writer,
    /// What waits, oldest first; none of them is empty.
    pieces: VecDeque<Piece>,
    /// How much of the first piece has been written.
    sent: usize,
    /// How many bytes wait.
    bytes: usize,
    /// With so many bytes there is no room for more.
    max_bytes: usize,
    /// Something was written since the last flush.
    is_unflushed: bool,
    /// Something was written since this was last asked.
    has_moved: bool,
}

impl<S: ChatStream> Outbound<S> {
    pub(crate) fn new(writer: S::Writer, max_bytes: usize) -> Self {
        Self {
            writer,
            pieces: VecDeque::new(),
            sent: 0,
            bytes: 0,
            // With nothing waiting there is always room for one.
            max_bytes: max_bytes.max(1),
            is_unflushed: false,
            has_moved: false,
        }
    }

    /// Whether one more frame may be added. A single one may be longer than all there is room for.
    pub(crate) fn has_room(&self) -> bool {
        self.pieces.len() < MAX_BATCH_PIECES && self.bytes < self.max_bytes
    }

    /// Whether one more frame may be added that leaves room for others. There is when nothing waits.
    pub(crate) fn has_half_its_room(&self) -> bool {
        self.pieces.len() < MAX_BATCH_PIECES / 2 && self.bytes < self.max_bytes.div_ceil(2)
    }

    /// Whether the client has taken anything since this was last asked.
    pub(crate) fn has_moved(&mut self) -> bool {
        std::mem::take(&mut self.has_moved)
    }

    /// Adds a frame to be sent after the others.
    pub(crate) fn push(&mut self, frame: Frame) {
        let all = 0..frame.len();
        self.push_part(frame, all);
    }

    /// Adds a part of a frame; nothing if it is empty.
    pub(crate) fn push_part(&mut self, frame: Frame, part: Range<usize>) {
        if !part.is_empty() {
            self.bytes += part.len();
            self.pieces.push_back(Piece { frame, part });
        }
    }

    /// Sends what waits, in as few system calls as the socket allows. Ready when nothing waits any more.
    pub(crate) fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.pieces.is_empty() {
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
        let first = &self.pieces[0][self.sent..];
        if self.pieces.len() == 1 {
            return writer.poll_write(cx, first);
        }
        let mut slices = [IoSlice::new(first); MAX_BATCH_PIECES];
        let count = self.pieces.len().min(MAX_BATCH_PIECES);
        for (slice, piece) in slices[1..].iter_mut().zip(self.pieces.range(1..)) {
            *slice = IoSlice::new(piece);
        }
        writer.poll_write_vectored(cx, &slices[..count])
    }

    /// Forgets what has been written.
    fn advance(&mut self, length: usize) {
        self.is_unflushed = true;
        self.has_moved = true;
        self.bytes -= length;
        self.sent += length;
        while let Some(piece) = self.pieces.front()
            && self.sent >= piece.len()
        {
            self.sent -= piece.len();
            self.pieces.pop_front();
        }
        if self.pieces.is_empty() && self.pieces.capacity() > FEW_PIECES {
            self.pieces = VecDeque::new();
        }
    }
}
