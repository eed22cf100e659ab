//! Accepting connections: the one loop behind every listener.
//!
//! What an accept may meet besides a connection, and what becomes of it:
//!
//! 1. Nobody is waiting: the caller waits.
//! 2. The connection is gone before it was accepted (`ECONNABORTED` and its like; Linux hands on what happened to the
//!    new socket): not the listener's trouble, the next one is taken.
//! 3. Anything else, above all "too many open files": the error goes to the caller, *and the accept after it pauses
//!    first*: 10 ms, doubled by each further error up to a second, back to nothing after a success. The usual loop,
//!    which reports an error and goes on, then neither spins nor dies: it resumes within a second of there being
//!    descriptors again. Go's `net/http` pauses in the same way.
//!
//! Linux takes the new descriptor *before* it looks for a connection, so without one to spare an accept fails even
//! when nobody is waiting. An error therefore counts only if a connection is there; else it is case 1.

use crate::reactor::{Async, Timer};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::net::{SocketAddrAny, SocketFlags};
use std::future::Future;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

/// The pause after a first error: long against an accept, so that a failing listener costs next to nothing, and short
/// against what a client waits for.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// The longest pause: what a client in the backlog waits at most after there are descriptors again.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A listening socket, and how its last accepts went.
pub(crate) struct Acceptor<L> {
    /// The listener.
    socket: Async<L>,
    /// Set by an error, cleared by a success; under a lock because several tasks may accept.
    pause: Mutex<Option<Pause>>,
}

/// The time after an error in which nobody accepts.
#[derive(Debug, Clone, Copy)]
struct Pause {
    /// How long it is; the next one is twice as long.
    length: Duration,
    /// When it is over.
    end: Instant,
}

/// One task's place before a listener: what it waits with during a pause.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    /// Set while this task waits for the end of a pause.
    timer: Option<Timer>,
}

impl<L: AsFd> Acceptor<L> {
    /// For a socket that listens.
    pub(crate) fn new(socket: Async<L>) -> Acceptor<L> {
        Acceptor {
            socket,
            pause: Mutex::new(None),
        }
    }

    /// The listener itself.
    pub(crate) fn socket(&self) -> &Async<L> {
        &self.socket
    }

    /// The listener itself, for good.
    pub(crate) fn into_socket(self) -> Async<L> {
        self.socket
    }

    /// The next connection, by `accept`; the module's header says what becomes of errors.
    pub(crate) fn poll_accept<S>(
        &self,
        cx: &mut Context<'_>,
        turn: &mut Turn,
        accept: impl Fn(&L) -> io::Result<S>,
    ) -> Poll<io::Result<S>> {
        let pause = *self.lock_pause();
        if let Some(pause) = pause {
            let timer = turn.timer.get_or_insert_with(|| Timer::at(pause.end));
            ready!(Pin::new(timer).poll(cx));
            turn.timer = None;
        }
        loop {
            let accepted = self.socket.poll_read_with(cx, |listener| {
                accept(listener).or_else(|error| {
                    if is_connection_waiting(listener)? {
                        Err(error)
                    } else {
                        Err(io::ErrorKind::WouldBlock.into())
                    }
                })
            });
            match ready!(accepted) {
                Ok(connection) => {
                    if pause.is_some() {
                        *self.lock_pause() = None;
                    }
                    return Poll::Ready(Ok(connection));
                }
                Err(error) if was_connection_lost(&error) => {}
                Err(error) => {
                    self.pause_longer();
                    return Poll::Ready(Err(error));
                }
            }
        }
    }

    /// Begins the pause after an error. Several tasks may have met the same one: only the first of them counts.
    fn pause_longer(&self) {
        let now = Instant::now();
        let mut pause = self.lock_pause();
        let length = match *pause {
            Some(pause) if now < pause.end => return,
            Some(pause) => (pause.length * 2).min(LONGEST_PAUSE),
            None => FIRST_PAUSE,
        };
        *pause = Some(Pause {
            length,
            end: now + length,
        });
    }

    /// The pause, which is whole at every unlock.
    fn lock_pause(&self) -> MutexGuard<'_, Option<Pause>> {
        self.pause
            .lock()
            .unwrap_or_else(|poison| poison.into_inner())
    }
}

/// The accept call in one piece: the new descriptor is non-blocking and closed on exec from its first moment.
pub(crate) fn accept_nonblocking(
    listener: impl AsFd,
) -> io::Result<(OwnedFd, Option<SocketAddrAny>)> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    Ok(rustix::net::acceptfrom_with(listener, flags)?)
}

/// Asks the kernel, without waiting, whether an accept would find a connection (or the listener is broken).
fn is_connection_waiting(listener: &impl AsFd) -> io::Result<bool> {
    let mut listener = [PollFd::new(listener, PollFlags::IN)];
    Ok(rustix::event::poll(&mut listener, Some(&Timespec::default()))? > 0)
}

/// Whether an error of accept tells of the connection and not of the listener: the list in accept(2), without those
/// that a broken listener gives as well.
fn was_connection_lost(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(
            Errno::CONNABORTED
                | Errno::CONNRESET
                | Errno::HOSTDOWN
                | Errno::HOSTUNREACH
                | Errno::NETDOWN
                | Errno::NETUNREACH
                | Errno::NONET
                | Errno::NOPROTOOPT
                | Errno::PROTO
                | Errno::TIMEDOUT
        )
    )
}
