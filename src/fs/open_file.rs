//! An open file with its one cursor, shared by all handles to it and by the thread of the pool that works for them.
//!
//! ```text
//!   a task                                     a thread of the blocking pool
//!   poll_write: copy the bytes, begin a job ─► write(2), once
//!   poll_read:  nothing read ahead, begin one ► read(2), once, more than was asked for
//!                 wait in `waiting`              │
//!   poll again: take in what it did ◄─── wakes all who wait
//! ```
//!
//! 1. At most one job at a time moves the kernel's cursor; whoever comes meanwhile waits for its end.
//! 2. A job belongs to the file and not to the future that began it. Dropped, the future leaves behind what was read,
//!    for the next read, or the result of the write (`finished_writes.rs`).
//! 3. A write that has begun ends: the last handle to a file on a disk waits for it when it is dropped.
//!
//! async-std's `File` has the same cursor, but holds written bytes back until the next flush. Here `poll_write` is ready
//! when the kernel has them, as DESIGN's sixth promise wants it.

use super::ahead::{Ahead, ReadJob, uninterrupted};
use super::finished_writes::{Caller, FinishedWrite, FinishedWrites, Unreported, Writer};
use crate::budget;
use crate::io::{Explain, SeekFrom};
use crate::sync::park_until::park_until;
use crate::sync::waking_lock::{Wakes, WakingLock};
use crate::task::{self, SpawnBlocking};
use std::fmt::Display;
use std::fs::File;
use std::future::{Future, poll_fn};
use std::io::{self, Write as _};
use std::mem;
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker, ready};

/// The most that one job writes or reads: its bytes are copied, and the copy should stay in a processor's cache.
const MOST_A_JOB: usize = 512 * 1024;

/// What all handles to a file share.
#[derive(Debug)]
pub(super) struct OpenFile {
    /// Guards what changes; held for moments only. Dropped before the file is closed, so that a failure is said before.
    state: WakingLock<FileState>,
    /// What a job is to do, with its number, until somebody begins with it. A lock of its own, since a thread of the pool
    /// takes it while the other one may be held.
    work: Mutex<Option<(u64, Work)>>,
    /// std's.
    pub(super) file: File,
    /// How it was opened, for error messages.
    path: Option<PathBuf>,
}

/// What changes while a file is open.
#[derive(Debug, Default)]
struct FileState {
    /// The job under way (rule 1).
    job: Option<FileJob>,
    /// What was read and not taken.
    ahead: Ahead,
    /// What was written and not reported.
    writes: FinishedWrites,
    /// Who waits for the end of the job.
    waiting: Vec<Waker>,
    /// How many handles there have been.
    handles: u64,
    /// How many jobs.
    jobs: u64,
    /// The file was cut while a read was under way, which may have read what is no more.
    read_is_outdated: bool,
}

/// A job on the pool.
#[derive(Debug)]
struct FileJob {
    /// Its number.
    number: u64,
    /// Which.
    kind: JobKind,
    /// What it did; nothing, if another thread took the work.
    done: SpawnBlocking<Option<Done>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum JobKind {
    Read,
    Write,
}

/// What a job is to do.
#[derive(Debug)]
enum Work {
    Read(ReadJob),
    Write { writer: Writer, bytes: Vec<u8> },
}

/// What it did.
#[derive(Debug)]
enum Done {
    Read(ReadJob, io::Result<usize>),
    Write(FinishedWrite),
}

/// What wakes those who wait for the end of a job, whichever of them polled it last.
impl Wake for OpenFile {
    fn wake(self: Arc<Self>) {
        self.state.with(FileState::wake_waiting);
    }
}

impl OpenFile {
    pub(super) fn new(file: File, path: Option<PathBuf>) -> Arc<OpenFile> {
        Arc::new(OpenFile {
            state: WakingLock::new(FileState::default()),
            work: Mutex::default(),
            file,
            path,
        })
    }

    /// A number for another handle.
    pub(super) fn number_handle(&self) -> u64 {
        self.state.with(|state, _| {
            state.handles += 1;
            state.handles
        })
    }

    /// What was attempted with this file, for an error.
    pub(super) fn attempt(&self, deed: &str) -> impl Display + use<> {
        match &self.path {
            Some(path) => format!("cannot {deed} {path:?}"),
            None => {
                format!("cannot {deed} descriptor {}", self.file.as_raw_fd())
            }
        }
    }

    /// Reads at the cursor: what is there already, or what a job reads.
    pub(super) fn poll_read(
        self: &Arc<Self>,
        cx: &mut Context<'_>,
        caller: Caller<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        // What was read ahead may be taken without a wait.
        ready!(budget::charge(cx));
        self.state.with(|state, wakes| {
            loop {
                ready!(state.poll_job(self, cx, wakes));
                state.begin_other(caller, wakes)?;
                if let Some(result) = state.ahead.take(buf) {
                    return Poll::Ready(result.explain(|| self.attempt("read")));
                }
                let read = state.ahead.read_on(buf.len().min(MOST_A_JOB));
                state.begin_job(self, JobKind::Read, Work::Read(read));
            }
        })
    }

    /// Writes at the cursor; ready when the kernel has the bytes.
    pub(super) fn poll_write(
        self: &Arc<Self>,
        cx: &mut Context<'_>,
        caller: Caller<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let buf = &buf[..buf.len().min(MOST_A_JOB)];
        self.state.with(|state, wakes| {
            loop {
                ready!(state.poll_job(self, cx, wakes));
                state.take_error(wakes)?;
                if let Some((written, memory)) = state.writes.claim(caller, buf, wakes) {
                    state.ahead.give_back(memory);
                    return Poll::Ready(Ok(written));
                }
                state.ahead.unread(&self.file);
                let mut bytes = state.ahead.memory();
                bytes.clear();
                bytes.extend_from_slice(buf);
                let writer = caller.into();
                state.begin_job(self, JobKind::Write, Work::Write { writer, bytes });
            }
        })
    }

    /// Waits for the write under way, if there is one.
    pub(super) fn poll_flush(
        self: &Arc<Self>,
        cx: &mut Context<'_>,
        caller: Caller<'_>,
    ) -> Poll<io::Result<()>> {
        self.state.with(|state, wakes| {
            if state.is_doing(JobKind::Write) {
                ready!(state.poll_job(self, cx, wakes));
            }
            Poll::Ready(state.begin_other(caller, wakes))
        })
    }

    /// Moves the cursor, when no job does. That is not the pool's work: it changes a number in the kernel.
    pub(super) fn poll_seek(
        self: &Arc<Self>,
        cx: &mut Context<'_>,
        caller: Caller<'_>,
        to: SeekFrom,
    ) -> Poll<io::Result<u64>> {
        ready!(budget::charge(cx));
        self.state.with(|state, wakes| {
            ready!(state.poll_job(self, cx, wakes));
            state.begin_other(caller, wakes)?;
            let place = state.ahead.seek(&self.file, to);
            Poll::Ready(place.explain(|| self.attempt("seek in")))
        })
    }

    /// Cuts or lengthens the file: the blocking call. What was read ahead may be no more, and is forgotten.
    pub(super) fn set_len(&self, length: u64) -> io::Result<()> {
        let result = uninterrupted(|| self.file.set_len(length));
        self.state.with(|state, _| {
            state.read_is_outdated = state.is_doing(JobKind::Read);
            if state.job.is_none() {
                state.ahead.unread(&self.file);
            }
        });
        result.explain(|| self.attempt("set the length of"))
    }

    /// Waits on this thread for the job under way, and brings the kernel's cursor to ours. What may take for ever, as a
    /// pipe does, is not waited for.
    pub(super) fn come_to_rest(self: &Arc<Self>) -> io::Result<()> {
        let poll = |cx: &mut Context<'_>| {
            self.state
                .with(|state, wakes| state.poll_job(self, cx, wakes))
        };
        let mut is_idle = poll(&mut Context::from_waker(Waker::noop())).is_ready();
        if !is_idle && self.file.metadata().is_ok_and(|file| file.is_file()) {
            self.do_what_nobody_began();
            park_until(poll_fn(poll));
            is_idle = true;
        }
        self.state.with(|state, wakes| {
            if is_idle {
                state.ahead.unread(&self.file);
            }
            state.take_error(wakes)
        })
    }

    /// The write that is under way ends before this returns, if it may be waited for (rule 3).
    pub(super) fn finish_write(self: &Arc<Self>) {
        if self.state.with(|state, _| state.is_doing(JobKind::Write))
            && let Err(error) = self.come_to_rest()
        {
            drop(Unreported::new(error));
        }
    }

    /// Does the job on this thread if none of the pool has begun with it: if all of those waited for something that
    /// this one is to do next, waiting for them would never end. For once the lock is held for as long as that takes.
    fn do_what_nobody_began(self: &Arc<Self>) {
        self.state.with(|state, wakes| {
            let number = state.job.as_ref().map(|job| job.number);
            if let Some(done) = number.and_then(|number| self.run_work(number)) {
                state.job = None;
                state.take_in(self, done, wakes);
                state.wake_waiting(wakes);
            }
        });
    }

    fn lock_work(&self) -> MutexGuard<'_, Option<(u64, Work)>> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does the work of that job, unless another thread has begun with it.
    fn run_work(&self, job: u64) -> Option<Done> {
        let take = |work: &mut Option<(u64, Work)>| work.take_if(|(number, _)| *number == job);
        let work = take(&mut self.lock_work());
        Some(match work?.1 {
            Work::Read(mut read) => {
                let result = read.run(&self.file);
                Done::Read(read, result)
            }
            Work::Write { writer, bytes } => {
                let result = uninterrupted(|| (&self.file).write(&bytes))
                    .explain(|| self.attempt("write to"))
                    .map_err(Unreported::new);
                Done::Write(FinishedWrite {
                    writer,
                    bytes,
                    result,
                })
            }
        })
    }
}

impl FileState {
    fn is_doing(&self, kind: JobKind) -> bool {
        self.job.as_ref().is_some_and(|job| job.kind == kind)
    }

    /// Gives the pool something to do. No job is under way.
    fn begin_job(&mut self, open: &Arc<OpenFile>, kind: JobKind, work: Work) {
        self.jobs += 1;
        let number = self.jobs;
        *open.lock_work() = Some((number, work));
        let worker = Arc::clone(open);
        let done = task::spawn_blocking(move || worker.run_work(number));
        self.job = Some(FileJob { number, kind, done });
    }

    fn wake_waiting(&mut self, wakes: &mut Wakes) {
        wakes.reserve(self.waiting.len());
        for waiting in self.waiting.drain(..) {
            wakes.wake(Some(waiting));
        }
    }

    /// Ready when no job is under way, and what the last one did is taken in.
    fn poll_job(
        &mut self,
        open: &Arc<OpenFile>,
        cx: &mut Context<'_>,
        wakes: &mut Wakes,
    ) -> Poll<()> {
        let Some(job) = &mut self.job else {
            return Poll::Ready(());
        };
        let all = Waker::from(Arc::clone(open));
        match Pin::new(&mut job.done).poll(&mut Context::from_waker(&all)) {
            Poll::Ready(done) => {
                self.job = None;
                if let Some(done) = done {
                    self.take_in(open, done, wakes);
                }
                Poll::Ready(())
            }
            Poll::Pending => {
                let mut waiting = self.waiting.iter();
                if !waiting.any(|waker| waker.will_wake(cx.waker())) {
                    self.waiting.push(cx.waker().clone());
                }
                Poll::Pending
            }
        }
    }

    /// What a job did.
    fn take_in(&mut self, open: &OpenFile, done: Done, wakes: &mut Wakes) {
        match done {
            Done::Write(write) => self.writes.keep(write, wakes),
            Done::Read(read, result) => {
                self.ahead.put(read, result);
                if mem::take(&mut self.read_is_outdated) {
                    self.ahead.unread(&open.file);
                }
            }
        }
    }

    /// Before anything but a write: a failed one is reported, and one that the caller dropped counts as done.
    fn begin_other(&mut self, caller: Caller<'_>, wakes: &mut Wakes) -> io::Result<()> {
        self.take_error(wakes)?;
        self.writes.settle(caller, wakes);
        Ok(())
    }

    fn take_error(&mut self, wakes: &mut Wakes) -> io::Result<()> {
        self.writes.take_error(wakes).map_or(Ok(()), Err)
    }
}
