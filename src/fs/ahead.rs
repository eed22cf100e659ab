//! Where an open file is read and written next, and the bytes that were read ahead.
//!
//! ```text
//!   buffer   │ taken │ read ahead │
//!            0     start         end
//!                    ▲             ▲
//!               our cursor    the kernel's
//! ```
//!
//! The kernel's cursor is ahead of ours by what was read ahead. Before anything but a read it goes back there
//! ([`Ahead::unread`]). What cannot go back, a pipe or a terminal, keeps those bytes for the next read.
//!
//! A duplicate of the descriptor, std's `try_clone` say, moves the kernel's cursor and ours with it. Where ours would be
//! before the beginning of the file, what was read ahead is forgotten, and ours is the kernel's.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::mem;

/// Reads begin to run ahead with this much, once one has followed another: a page or two cost less than the way to the
/// pool.
const FIRST_WINDOW: usize = 8 * 1024;

/// And never run further ahead than this: the way to the pool is then a small part of the time it takes to copy them,
/// and of a file that is being read no more memory is held.
const LARGEST_WINDOW: usize = 128 * 1024;

/// The bytes read ahead.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// What was read; all of it has been initialized.
    buffer: Vec<u8>,
    /// Where the bytes that nobody has taken yet begin.
    start: usize,
    /// Where they end. What stands before `start` is as it is in the file, too.
    end: usize,
    /// How much the next read asks for at least. It doubles with each read that follows another, so that those who jump
    /// about read what they want and no more.
    window: usize,
    /// The end of the file or an error behind those bytes, until a reader has been told.
    then: Option<io::Result<()>>,
}

/// One read, on its way to the pool and back.
#[derive(Debug)]
pub(super) struct ReadJob {
    buffer: Vec<u8>,
    /// How much of the buffer is to be read into.
    length: usize,
}

impl ReadJob {
    /// Reads once.
    pub(super) fn run(&mut self, file: &File) -> io::Result<usize> {
        uninterrupted(|| (&*file).read(&mut self.buffer[..self.length]))
    }
}

/// Makes a call again that a signal has interrupted.
pub(super) fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

impl Ahead {
    /// Moves what is there, as much as fits, to `buf`. `None`: nothing is known of what comes next.
    pub(super) fn take(&mut self, buf: &mut [u8]) -> Option<io::Result<usize>> {
        let there = &self.buffer[self.start..self.end];
        if there.is_empty() {
            return self.then.take().map(|then| then.map(|()| 0));
        }
        let taken = buf.len().min(there.len());
        buf[..taken].copy_from_slice(&there[..taken]);
        self.start += taken;
        Some(Ok(taken))
    }

    /// A read of `wanted` bytes, or more. Nothing is left to be taken.
    pub(super) fn read_on(&mut self, wanted: usize) -> ReadJob {
        let length = wanted.max(self.window);
        self.window = (2 * self.window).clamp(FIRST_WINDOW, LARGEST_WINDOW);
        let mut buffer = self.memory();
        if buffer.len() < length {
            buffer.resize(length, 0);
        }
        ReadJob { buffer, length }
    }

    /// What that read gave.
    pub(super) fn put(&mut self, job: ReadJob, result: io::Result<usize>) {
        match result {
            Ok(read) if read > 0 => {
                self.buffer = job.buffer;
                (self.start, self.end) = (0, read);
            }
            // Nothing follows for now, so the memory goes.
            end => {
                self.window = 0;
                self.then = Some(end.map(drop));
            }
        }
    }

    /// Brings the kernel's cursor back to ours and forgets what was read ahead, if the file can be read twice.
    pub(super) fn unread(&mut self, file: &File) {
        let left = self.end - self.start;
        if left > 0
            && let Err(error) = (&*file).seek(SeekFrom::Current(-(left as i64)))
            && error.kind() == io::ErrorKind::NotSeekable
        {
            return;
        }
        (self.start, self.end, self.window, self.then) = (0, 0, 0, None);
    }

    /// Moves the cursor, within what was read where that is possible, and says where it is then.
    pub(super) fn seek(&mut self, mut file: &File, to: SeekFrom) -> io::Result<u64> {
        if let SeekFrom::Current(by) = to
            && let Ok(by) = isize::try_from(by)
            && let Some(start) = self.start.checked_add_signed(by)
            && start <= self.end
        {
            let kernels = file.stream_position()?;
            if let Some(ours) = kernels.checked_sub((self.end - start) as u64) {
                (self.start, self.then) = (start, None);
                return Ok(ours);
            }
        }
        self.unread(file);
        file.seek(to)
    }

    /// Lends the memory of the buffer, if there is nothing in it.
    pub(super) fn memory(&mut self) -> Vec<u8> {
        if self.start < self.end {
            return Vec::new();
        }
        (self.start, self.end) = (0, 0);
        mem::take(&mut self.buffer)
    }

    /// Takes it back.
    pub(super) fn give_back(&mut self, memory: Vec<u8>) {
        if self.start == self.end && self.buffer.capacity() < memory.capacity() {
            (self.start, self.end) = (0, 0);
            self.buffer = memory;
        }
    }
}
