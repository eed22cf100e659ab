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
//! when nobody is waiting. "Too many open files" therefore counts only if a connection is there; else it is case 1.

use crate::reactor::{Async, Timer};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::net::{SocketAddrAny, SocketFlags};
use std::future::Future;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
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
    /// Set while this task waits for the end of a pause: that end, and its timer.
    timer: Option<(Instant, Timer)>,
}

impl Turn {
    /// Ready when no pause is left.
    fn poll_end(&mut self, cx: &mut Context<'_>, pause: Option<Pause>) -> Poll<()> {
        if let Some(Pause { end, .. }) = pause {
            let (_, timer) = match &mut self.timer {
                Some(timer) if timer.0 == end => timer,
                other => other.insert((end, Timer::at(end))),
            };
            ready!(Pin::new(timer).poll(cx));
        }
        self.timer = None;
        Poll::Ready(())
    }
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
        ready!(turn.poll_end(cx, pause));
        loop {
            match ready!(self.socket.poll_read_with(cx, &accept)) {
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
        self.pause.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection, or `WouldBlock` where nobody is waiting; the new descriptor is non-blocking and closed on exec from
/// its first moment.
pub(crate) fn accept_nonblocking(
    listener: impl AsFd,
) -> io::Result<(OwnedFd, Option<SocketAddrAny>)> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    match rustix::net::acceptfrom_with(&listener, flags) {
        Ok(accepted) => Ok(accepted),
        Err(error) if is_exhaustion(error) && !is_connection_waiting(&listener)? => {
            Err(io::ErrorKind::WouldBlock.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether the system has no room for another socket.
fn is_exhaustion(error: Errno) -> bool {
    matches!(
        error,
        Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM
    )
}

/// Asks the kernel, without waiting, whether an accept would find a connection, or a listener that is broken.
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::net::TcpListener;
    use std::task::Waker;

    /// What an accept found, one after the other; then nobody.
    struct Door(RefCell<Vec<Result<u32, Errno>>>);

    impl Door {
        fn new(mut finds: Vec<Result<u32, Errno>>) -> Door {
            finds.reverse();
            Door(RefCell::new(finds))
        }

        fn accept(&self) -> io::Result<u32> {
            Ok(self.0.borrow_mut().pop().unwrap_or(Err(Errno::AGAIN))?)
        }
    }

    /// A listener whose socket is real and whose accepts are a [`Door`]'s.
    fn acceptor() -> Acceptor<TcpListener> {
        Acceptor::new(Async::new(TcpListener::bind("127.0.0.1:0").unwrap()).unwrap())
    }

    fn poll(
        acceptor: &Acceptor<TcpListener>,
        turn: &mut Turn,
        door: &Door,
    ) -> Poll<io::Result<u32>> {
        let mut cx = Context::from_waker(Waker::noop());
        acceptor.poll_accept(&mut cx, turn, |_| door.accept())
    }

    /// Ends the pause at once and gives its length, or nothing if there is none.
    fn end_pause(acceptor: &Acceptor<TcpListener>) -> Option<Duration> {
        let mut pause = acceptor.lock_pause();
        let pause = pause.as_mut()?;
        pause.end = Instant::now();
        Some(pause.length)
    }

    #[test]
    fn connections_that_were_lost_are_passed_over_without_a_pause() {
        let acceptor = acceptor();
        let lost = [
            Errno::CONNABORTED,
            Errno::PROTO,
            Errno::HOSTUNREACH,
            Errno::NETDOWN,
        ];
        let mut finds: Vec<_> = lost.into_iter().map(Err).collect();
        finds.push(Ok(7));
        let accepted = poll(&acceptor, &mut Turn::default(), &Door::new(finds));
        assert!(matches!(accepted, Poll::Ready(Ok(7))), "{accepted:?}");
        assert_eq!(end_pause(&acceptor), None);
    }

    #[test]
    fn each_error_in_a_row_doubles_the_pause_and_a_success_ends_it() {
        let acceptor = acceptor();
        let mut turn = Turn::default();
        let mut finds = vec![Err(Errno::MFILE); 9];
        finds.extend([Ok(1), Err(Errno::MFILE), Ok(2)]);
        let door = Door::new(finds);

        for length in [10, 20, 40, 80, 160, 320, 640, 1000, 1000] {
            let failed = poll(&acceptor, &mut turn, &door);
            assert!(matches!(failed, Poll::Ready(Err(_))), "{failed:?}");
            let paused = end_pause(&acceptor);
            assert_eq!(paused, Some(Duration::from_millis(length)));
        }
        assert!(matches!(
            poll(&acceptor, &mut turn, &door),
            Poll::Ready(Ok(1))
        ));
        assert_eq!(end_pause(&acceptor), None);
        assert!(poll(&acceptor, &mut turn, &door).is_ready());
        assert_eq!(end_pause(&acceptor), Some(FIRST_PAUSE));
        assert!(matches!(
            poll(&acceptor, &mut turn, &door),
            Poll::Ready(Ok(2))
        ));
    }

    #[test]
    fn nobody_calls_accept_during_a_pause_and_others_errors_do_not_lengthen_it() {
        let acceptor = acceptor();
        let door = Door::new(vec![Err(Errno::NFILE), Ok(1)]);
        assert!(poll(&acceptor, &mut Turn::default(), &door).is_ready());
        acceptor.lock_pause().as_mut().unwrap().end += Duration::from_secs(3600);

        // A second task meets the same trouble: the pause that runs is its pause too.
        acceptor.pause_longer();
        let (mut one, mut other) = (Turn::default(), Turn::default());
        for _ in 0..3 {
            assert!(poll(&acceptor, &mut one, &door).is_pending());
            assert!(poll(&acceptor, &mut other, &door).is_pending());
        }
        assert_eq!(door.0.borrow().len(), 1);
        assert_eq!(end_pause(&acceptor), Some(FIRST_PAUSE));
    }

    #[test]
    fn a_timer_from_an_earlier_pause_does_not_shorten_a_later_one() {
        let mut cx = Context::from_waker(Waker::noop());
        let mut turn = Turn::default();
        let length = FIRST_PAUSE;
        let end = Instant::now() + length;
        let _ = turn.poll_end(&mut cx, Some(Pause { length, end }));

        // The first pause is over, but this task has not looked; meanwhile there was an accept, and another error.
        std::thread::sleep(end.saturating_duration_since(Instant::now()));
        let end = end + Duration::from_secs(3600);
        let later = turn.poll_end(&mut cx, Some(Pause { length, end }));
        assert!(later.is_pending());
        assert!(turn.poll_end(&mut cx, None).is_ready());
    }
}
