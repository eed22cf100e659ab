//! Writes that have ended on the blocking pool, until whoever began them asks.
//!
//! A write that was dropped while it was under way ends all the same. Whether the next call repeats it or is another one
//! is told by its bytes; whose call it is, by the handle and, where several tasks may share one (`&File`), by the
//! task's waker:
//!
//! 1. A call through the same handle with the bytes of the last write gets that write's result: it is the same future,
//!    polled again, or a repetition of one that was dropped. To the one who began it the result is due also if more bytes
//!    follow; by somebody else, that is another write.
//! 2. A call by the one who began that write with other bytes, or a call to do something else, means that it was
//!    dropped. It counts as done.
//! 3. A call by somebody else says nothing about it. Its result is kept aside for the one who began it, since writing
//!    once more would write twice.
//! 4. A failed write is told to whoever calls next: nothing was written, so the one who began it may simply try again.
//!    A failure that nobody came to ask for is said on the standard error.
//!
//! Two calls at the same time by one task through one handle cannot be told from a dropped one and its successor (rule 2).
//! Hence [`File`](super::File) wants a clone for each of them.

use crate::sync::waking_lock::Wakes;
use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write as _};
use std::mem;
use std::task::Waker;

/// So many results are kept aside, the newest ones. Tasks that are alive take theirs at their next poll, so these many
/// would have to wait for that at once; the rest were dropped.
const MOST_ASIDE: usize = 4096;

/// Who makes a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller<'a> {
    /// The handle's number.
    pub(super) handle: u64,
    /// The task, where several may use the handle; `None` where the call has the handle for itself.
    pub(super) task: Option<&'a Waker>,
}

impl Caller<'_> {
    /// Whether this one began the write, as far as can be told. Who has the handle for himself is the heir of all who had
    /// it before.
    fn is(self, writer: &Writer) -> bool {
        let is_same_task = match (self.task, &writer.task) {
            (Some(task), Some(writer)) => task.will_wake(writer),
            _ => true,
        };
        self.handle == writer.handle && is_same_task
    }
}

/// Who began a write: the same, to be kept.
#[derive(Debug)]
pub(super) struct Writer {
    handle: u64,
    task: Option<Waker>,
}

impl From<Caller<'_>> for Writer {
    fn from(caller: Caller<'_>) -> Writer {
        Writer {
            handle: caller.handle,
            task: caller.task.cloned(),
        }
    }
}

/// A write that has ended.
#[derive(Debug)]
pub(super) struct FinishedWrite {
    /// Who began it.
    pub(super) writer: Writer,
    /// What it was to write.
    pub(super) bytes: Vec<u8>,
    /// How many of them it wrote.
    pub(super) result: Result<usize, Unreported>,
}

/// The same, once somebody else has written.
#[derive(Debug)]
struct Aside {
    writer: Writer,
    /// How long its bytes were, and their hash: they may be many, and their writer may be gone.
    length: usize,
    hash: u64,
    written: usize,
}

/// The writes whose results nobody has taken yet.
#[derive(Debug, Default)]
pub(super) struct FinishedWrites {
    /// The last one.
    last: Option<FinishedWrite>,
    /// Those before it that others may still come for (rule 3), the oldest in front.
    aside: VecDeque<Aside>,
    /// Hashes them.
    hasher: RandomState,
}

impl FinishedWrites {
    /// Keeps the result of the write that has just ended.
    pub(super) fn keep(&mut self, write: FinishedWrite, wakes: &mut Wakes) {
        if let Some(before) = self.last.replace(write) {
            self.set_aside(before, wakes);
        }
    }

    /// The error of a write that nobody has been told of (rule 4).
    pub(super) fn take_error(&mut self, wakes: &mut Wakes) -> Option<io::Error> {
        let failed = self.last.take_if(|last| last.result.is_err())?;
        wakes.retire(failed.writer.task);
        failed.result.err().map(Unreported::tell)
    }

    /// The result for a call whose job would be to write `buf`, if that has been written already (rule 1); with it the
    /// memory of the bytes. `None`: it is another write, and this one's turn to begin.
    pub(super) fn claim(
        &mut self,
        caller: Caller<'_>,
        buf: &[u8],
        wakes: &mut Wakes,
    ) -> Option<(usize, Vec<u8>)> {
        let is_same = |last: &mut FinishedWrite| {
            let is_whole = last.bytes.len() == buf.len();
            last.writer.handle == caller.handle
                && (is_whole || caller.is(&last.writer))
                && buf.starts_with(&last.bytes)
        };
        if let Some(last) = self.last.take_if(is_same) {
            wakes.retire(last.writer.task);
            return Some((last.result.unwrap_or(0), last.bytes));
        }
        let is_same = |aside: &Aside| {
            let begin = buf.get(..aside.length);
            caller.is(&aside.writer)
                && begin.is_some_and(|begin| self.hasher.hash_one(begin) == aside.hash)
        };
        if let Some(place) = self.aside.iter().position(is_same) {
            let aside = self.aside.remove(place)?;
            wakes.retire(aside.writer.task);
            return Some((aside.written, Vec::new()));
        }
        self.settle(caller, wakes);
        None
    }

    /// The caller does something else (rule 2).
    pub(super) fn settle(&mut self, caller: Caller<'_>, wakes: &mut Wakes) {
        if let Some(last) = self.last.take_if(|last| caller.is(&last.writer)) {
            wakes.retire(last.writer.task);
        }
        self.aside.retain_mut(|aside| {
            let is_done = caller.is(&aside.writer);
            if is_done {
                wakes.retire(aside.writer.task.take());
            }
            !is_done
        });
    }

    /// Somebody else has written since (rule 3).
    fn set_aside(&mut self, write: FinishedWrite, wakes: &mut Wakes) {
        let Ok(written) = write.result else {
            return;
        };
        if self.aside.len() == MOST_ASIDE
            && let Some(oldest) = self.aside.pop_front()
        {
            wakes.retire(oldest.writer.task);
        }
        self.aside.push_back(Aside {
            writer: write.writer,
            length: write.bytes.len(),
            hash: self.hasher.hash_one(&write.bytes[..]),
            written,
        });
    }
}

/// An error that says on the standard error what nobody came to ask for.
#[derive(Debug)]
pub(super) struct Unreported(Option<io::Error>);

impl Unreported {
    pub(super) fn new(error: io::Error) -> Unreported {
        Unreported(Some(error))
    }

    /// Now somebody knows.
    fn tell(mut self) -> io::Error {
        mem::take(&mut self.0).unwrap_or_else(|| io::ErrorKind::Other.into())
    }
}

impl Drop for Unreported {
    fn drop(&mut self) {
        if let Some(error) = &self.0 {
            // Where there is no standard error, nothing is left to do.
            let _ = writeln!(
                io::stderr(),
                "parklet: {error}, after its write was dropped"
            );
        }
    }
}
