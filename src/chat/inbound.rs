//! The receiving half of a connection: the lines of one client, numbered and bounded.
//!
//! Most clients are silent most of the time, so a connection owns no buffer to read into. All connections of a thread
//! read into the same one, and take with them what is theirs: nothing, for a client that waits.

use std::cell::RefCell;
use std::io::BufRead;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::protocol::{ChatError, ChatResult};
use crate::io::{self, Read};

/// How much is read at once. A burst of some hundred short requests costs one call; a client that floods has this much
/// taken from it before others get their turn.
const READ_AT_ONCE: usize = 16 * 1024;

/// How much is thrown away of what a client sends after it was told the end; then the connection is closed all the same.
const MAX_DRAINED_BYTES: usize = 16 * 1024 * 1024;

thread_local! {
    /// What the connections of this thread read into, one after the other.
    static READING: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_AT_ONCE].into());
}

/// Where the lines of one client come from.
pub(crate) struct Inbound<R> {
    reader: R,
    /// What has been read and not yet gone by. Without an allocation while nothing is there.
    bytes: Vec<u8>,
    /// Where in `bytes` the last line stands, without its line break.
    line: std::ops::Range<usize>,
    /// Where the next line begins.
    next: usize,
    /// Up to here no line break was found.
    searched: usize,
    /// The last line's number.
    number: u64,
    /// The longest line taken.
    max_line_length: usize,
    /// The client has said the end.
    has_ended: bool,
}

impl<R: Read + Unpin> Inbound<R> {
    pub(crate) fn new(reader: R, max_line_length: usize) -> Self {
        Self {
            reader,
            bytes: Vec::new(),
            line: 0..0,
            next: 0,
            searched: 0,
            number: 0,
            max_line_length,
            has_ended: false,
        }
    }

    /// The last line that came, and its number, counted from 1.
    pub(crate) fn line(&self) -> (u64, &[u8]) {
        (self.number, &self.bytes[self.line.clone()])
    }

    /// Waits for the next line, which [`line`](Self::line) then gives out; `None` is the end. A last line without a
    /// line break counts.
    ///
    /// # Errors
    ///
    /// Those of the reader, or that the line is too long. Neither can be recovered from.
    pub(crate) fn poll_line(&mut self, cx: &mut Context<'_>) -> Poll<Option<ChatResult<()>>> {
        loop {
            // std's search is the platform's memchr.
            let mut unsearched = &self.bytes[self.searched..];
            let length = unsearched
                .skip_until(b'\n')
                .expect("slices can always be read");
            self.searched += length;
            let has_line_break = length > 0 && self.bytes[self.searched - 1] == b'\n';
            let end = self.searched - usize::from(has_line_break);
            if end - self.next > self.max_line_length {
                return Poll::Ready(Some(Err(ChatError::LineTooLong {
                    line: self.number + 1,
                    limit: self.max_line_length,
                })));
            }
            let is_last = self.has_ended && self.next < end;
            if has_line_break || is_last {
                self.number += 1;
                self.line = self.next..end;
                self.next = self.searched;
                return Poll::Ready(Some(Ok(())));
            }
            if self.has_ended {
                return Poll::Ready(None);
            }
            self.forget_what_has_gone_by();
            match ready!(self.poll_more(cx)) {
                Ok(length) => self.has_ended = length == 0,
                Err(error) => return Poll::Ready(Some(Err(error.into()))),
            }
        }
    }

    /// Reads what comes and throws it away, until the client ends or has sent far too much.
    pub(crate) fn poll_drain(&mut self, cx: &mut Context<'_>, drained: &mut usize) -> Poll<()> {
        while !self.has_ended && *drained < MAX_DRAINED_BYTES {
            self.bytes = Vec::new();
            match ready!(self.poll_more(cx)) {
                Ok(0) | Err(_) => self.has_ended = true,
                Ok(length) => *drained += length,
            }
        }
        Poll::Ready(())
    }

    fn forget_what_has_gone_by(&mut self) {
        self.bytes.drain(..self.next);
        self.searched -= self.next;
        self.next = 0;
        self.line = 0..0;
        if self.bytes.is_empty() {
            self.bytes = Vec::new();
        }
    }

    /// Appends what comes next to `bytes`, and returns its length.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        READING.with(|buffer| match buffer.try_borrow_mut() {
            Ok(mut buffer) => self.poll_read_into(&mut buffer, cx),
            // A reader that runs other connections while it is asked. It would be a strange one, but it works.
            Err(_) => self.poll_read_into(&mut [0; 512], cx),
        })
    }

    fn poll_read_into(
        &mut self,
        buffer: &mut [u8],
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        loop {
            match ready!(Pin::new(&mut self.reader).poll_read(cx, buffer)) {
                Ok(length) => {
                    self.bytes.extend_from_slice(&buffer[..length]);
                    return Poll::Ready(Ok(length));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}
