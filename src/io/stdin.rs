//! The process's standard input, read off the workers.
//!
//! A read of a terminal or a pipe blocks its thread, and epoll does not take every kind of file, so one job on the
//! blocking pool reads whatever there is into a buffer that all handles share, as std's share one:
//!
//! ```text
//!   Stdin, read_line, StdinLines ──► INPUT: bytes read ahead ◄── one job at a time ── std::io::stdin()
//!            └── waits in INPUT.waiting until the job has put something there
//! ```
//!
//! No job runs until somebody waits for input. A reader that goes away leaves the job running and loses nothing: what
//! it reads stays in the buffer for whoever reads next. A pending job does not hold up the exit of the program.

use super::{Error, ErrorKind, Read, Result};
use crate::task;
use futures_core::Stream;
use std::future::poll_fn;
use std::io::BufRead as _;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::{fmt, mem};

/// A handle to the process's standard input; as many as you like.
///
/// All handles read from one buffer, and that one reads through [`std::io::stdin`]: what std has buffered is seen here,
/// but what was read ahead here is not seen there. Two tasks that read at the same time share the input piece by
/// piece, in no particular order.
///
/// Works alike for terminals, pipes and files. At the end of a terminal's input (ctrl-D) a read gives 0 once, and the
/// next one waits for more, as in std.
///
/// # Examples
///
/// ```no_run
/// use parklet::io;
///
/// parklet::task::block_on(async {
///     let mut name = String::new();
///     io::stdin().read_line(&mut name).await?;
///     println!("hello, {}", name.trim_end());
///     # std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
pub fn stdin() -> Stdin {
    Stdin {
        place: Place::default(),
    }
}

/// The standard input; [`stdin`] makes it.
#[derive(Debug)]
pub struct Stdin {
    /// Where this handle waits in `poll_read`.
    place: Place,
}

impl Stdin {
    /// Appends the next line, with its newline, to `line`, and returns its length; 0 is the end of the input.
    ///
    /// The line may be as long as it likes; `BufReader::new(stdin())` has the bounded forms.
    ///
    /// # Errors
    ///
    /// The system's, and `InvalidData` for a line that is not UTF-8: that line is skipped.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a line is taken from the shared buffer whole or not at all.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use parklet::io;
    ///
    /// parklet::task::block_on(async {
    ///     let mut answer = String::new();
    ///     if io::stdin().read_line(&mut answer).await? == 0 {
    ///         println!("no answer");
    ///     }
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn read_line(&self, line: &mut String) -> Result<usize> {
        let mut place = Place::default();
        let next = poll_fn(|cx| poll_line(cx, &mut place)).await?;
        line.push_str(&next);
        Ok(next.len())
    }

    /// A stream of lines, each without its `\n` or `\r\n`, until the end of the input.
    ///
    /// `next` is cancel safe, and dropping the stream loses nothing either.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use futures_lite::StreamExt;
    /// use parklet::io;
    ///
    /// parklet::task::block_on(async {
    ///     let mut lines = io::stdin().lines();
    ///     while let Some(line) = lines.next().await {
    ///         println!("you said: {}", line?);
    ///     }
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn lines(self) -> StdinLines {
        StdinLines { place: self.place }
    }
}

impl Read for Stdin {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<Result<usize>> {
        let place = &mut self.get_mut().place;
        loop {
            let mut input = Input::lock();
            let taken = input.take_bytes(buf);
            if taken > 0 || buf.is_empty() {
                return Poll::Ready(Ok(taken));
            }
            if let Some(end) = input.end.take() {
                return Poll::Ready(end.map(|()| 0));
            }
            ready!(place.wait(cx, input));
        }
    }
}

impl AsFd for Stdin {
    fn as_fd(&self) -> BorrowedFd<'_> {
        rustix::stdio::stdin()
    }
}

impl AsRawFd for Stdin {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

/// The stream of [`Stdin::lines`].
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct StdinLines {
    /// Where this stream waits.
    place: Place,
}

impl Stream for StdinLines {
    type Item = Result<String>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<String>>> {
        let line = ready!(poll_line(cx, &mut self.get_mut().place));
        Poll::Ready(match line {
            Ok(line) if line.is_empty() => None,
            Ok(mut line) => {
                if line.ends_with('\n') {
                    line.pop();
                    if line.ends_with('\r') {
                        line.pop();
                    }
                }
                Some(Ok(line))
            }
            Err(error) => Some(Err(error)),
        })
    }
}

/// The next line with its newline; empty at the end of the input.
fn poll_line(cx: &mut Context<'_>, place: &mut Place) -> Poll<Result<String>> {
    loop {
        let mut input = Input::lock();
        let line = match (input.take_line(), input.end.is_some()) {
            (Some(line), _) => line,
            (None, true) => match input.end.take() {
                Some(Err(error)) => return Poll::Ready(Err(error)),
                _ => mem::take(&mut input.ahead),
            },
            (None, false) => {
                ready!(place.wait(cx, input));
                continue;
            }
        };
        return Poll::Ready(String::from_utf8(line).map_err(|_| {
            Error::new(
                ErrorKind::InvalidData,
                "a line of standard input is not valid UTF-8",
            )
        }));
    }
}

/// What all handles share; the lock is held for moments only, never while the job reads.
static INPUT: Mutex<Input> = Mutex::new(Input {
    ahead: Vec::new(),
    end: None,
    job: Job::None,
    waiting: Vec::new(),
    next_place: 0,
});

/// The bytes read ahead, and who wants more.
struct Input {
    /// What was read and not taken yet.
    ahead: Vec<u8>,
    /// The end of the input or an error behind those bytes, until one reader has been told.
    end: Option<Result<()>>,
    /// Whether somebody is reading.
    job: Job,
    /// Readers that wait for the job, one waker each.
    waiting: Vec<(u64, Waker)>,
    /// Numbers the readers.
    next_place: u64,
}

/// What the blocking pool is doing for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Job {
    /// Nothing.
    None,
    /// One thread is in a read, or about to be.
    Reading,
}

impl Input {
    /// The process's one.
    fn lock() -> MutexGuard<'static, Input> {
        INPUT.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves what is there, as much as fits, to `buf`.
    fn take_bytes(&mut self, buf: &mut [u8]) -> usize {
        let taken = buf.len().min(self.ahead.len());
        buf[..taken].copy_from_slice(&self.ahead[..taken]);
        self.ahead.drain(..taken);
        taken
    }

    /// The first line, if all of it is there.
    fn take_line(&mut self) -> Option<Vec<u8>> {
        let mut line = Vec::new();
        std::io::BufRead::read_until(&mut &self.ahead[..], b'\n', &mut line).ok()?;
        if line.last() != Some(&b'\n') {
            return None;
        }
        self.ahead.drain(..line.len());
        Some(line)
    }
}

/// A reader's entry among those that wait; leaves with the reader.
#[derive(Default)]
struct Place {
    /// Its number, once it has waited.
    number: Option<u64>,
}

impl Place {
    /// Waits until a job has put something into `input`, starting one if there is none. The lock is passed in because
    /// what the caller saw under it must still be true when the waker is stored.
    fn wait(&mut self, cx: &mut Context<'_>, mut input: MutexGuard<'static, Input>) -> Poll<()> {
        let number = *self.number.get_or_insert_with(|| {
            input.next_place += 1;
            input.next_place
        });
        let waker = cx.waker().clone();
        let replaced = match input.waiting.iter_mut().find(|(place, _)| *place == number) {
            Some((_, stored)) => Some(mem::replace(stored, waker)),
            None => {
                input.waiting.push((number, waker));
                None
            }
        };
        let job = mem::replace(&mut input.job, Job::Reading);
        drop(input);
        drop(replaced);
        if job == Job::None {
            drop(task::spawn_blocking(read_ahead));
        }
        Poll::Pending
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            let mut input = Input::lock();
            let index = input.waiting.iter().position(|(place, _)| *place == number);
            let waker = index.map(|index| input.waiting.swap_remove(index));
            drop(input);
            drop(waker);
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place")
    }
}

/// The job: reads what there is, once, blocking, and tells everybody who waits.
fn read_ahead() {
    let mut read = Vec::new();
    let end = match read_some(&mut read) {
        Ok(()) if read.is_empty() => Some(Ok(())),
        Ok(()) => None,
        Err(error) => Some(Err(error)),
    };

    let mut input = Input::lock();
    input.ahead.append(&mut read);
    input.end = end;
    input.job = Job::None;
    let waiting = mem::take(&mut input.waiting);
    drop(input);
    for (_, waker) in waiting {
        waker.wake();
    }
}

/// One read through std's buffer, so that nothing std has read ahead is passed over.
fn read_some(read: &mut Vec<u8>) -> Result<()> {
    let mut stdin = std::io::stdin().lock();
    loop {
        match stdin.fill_buf() {
            Ok(bytes) => {
                read.extend_from_slice(bytes);
                let length = bytes.len();
                stdin.consume(length);
                return Ok(());
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
