//! Poll one future on the calling thread.
//!
//! The form of the lectures: a parker, a waker that unparks it, a pinned future; poll, and park until woken. The idea of
//! `block_on` as a loop around park is std's, from the documentation of `std::task::Wake`. What stands beside it:
//!
//! - The first poll comes before all else: a future that is ready pays for its poll, and for no more.
//! - What the future spawns or wakes is handed over to the pool in one piece after each poll (`caller.rs`).
//! - While the future waits, the thread runs its own `spawn_local` tasks, and its parking drives the reactor where nobody
//!   else does (`parker.rs`), so that a program which spawns nothing has one thread.

use super::current::{self, TaskId};
use super::parker::Duty;
use super::task::wake_all;
use super::wakeup::Wakeup;
use super::{caller, local, pool, worker};
use crate::budget;
use crate::reactor::{self, CrewGuard};
use std::future::Future;
use std::mem;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// A thread that is never idle looks for events this often; tokio's number, a prime so as not to beat with loops of users.
pub(super) const ROUNDS_PER_GLANCE: u32 = 61;

/// Runs a future to its end on the calling thread and returns its output.
///
/// The future may borrow, and need not be `Send`. While it waits, the thread sleeps; meanwhile it runs the tasks that
/// [`spawn_local`](crate::task::spawn_local) gave to this thread, and, if no other thread does, it drives the reactor. A
/// program that never spawns has one thread.
///
/// `block_on` may be nested to any depth: inside another `block_on`, inside a local task, and inside a spawned task, where
/// the worker's other tasks are handed to another thread for as long. It counts as a task:
/// [`current`](crate::task::current) works inside.
///
/// The name and the meaning are async-std's; the form is that of *Programming Rust*, chapter 20.
///
/// # Panics
///
/// If the future panics.
///
/// # Examples
///
/// ```
/// use parklet::task;
///
/// let name = String::from("parklet");
/// let length = task::block_on(async { name.len() });
/// assert_eq!(length, 7);
/// ```
pub fn block_on<F: Future>(future: F) -> F::Output {
    let crew = reactor::join_crew();
    let _stay = caller::enter();
    let wakeup = Wakeup::new();
    let output = {
        let mut future = pin!(future);
        let mut cx = Context::from_waker(wakeup.waker());
        let mut task = BlockedTask::new();
        loop {
            match task.poll(wakeup.waker(), || future.as_mut().poll(&mut cx)) {
                (Poll::Ready(output), _) => break output,
                (Poll::Pending, again) => task.wait(&crew, &wakeup, again),
            }
        }
    };
    // The future and its clones of the waker are gone.
    wakeup.keep();
    output
}

/// The future in a `block_on`: it counts as a task, but has no cell.
struct BlockedTask {
    /// Its id.
    id: TaskId,
    /// Whether the table of `current.rs` knows it.
    is_named: bool,
    /// Counts the rounds of the loop around it.
    rounds: u32,
}

impl BlockedTask {
    #[inline]
    fn new() -> BlockedTask {
        BlockedTask {
            id: TaskId::next(),
            is_named: false,
            rounds: 0,
        }
    }

    /// Runs one poll as this task, with this waker. Says whether it asked for another one.
    #[inline]
    fn poll<T>(&mut self, waker: &Waker, poll: impl FnOnce() -> T) -> (T, bool) {
        let turn = budget::begin_turn(waker);
        // It may be known by the time it panics.
        let was_named = mem::replace(&mut self.is_named, true);
        let (polled, is_named) = current::run_as(self.id, was_named, poll);
        self.is_named = is_named;
        (polled, turn.end())
    }

    /// Runs what else this thread has to run, and sleeps, until the future is to be polled again.
    fn wait(&mut self, crew: &CrewGuard, wakeup: &Wakeup, again: bool) {
        loop {
            caller::hand_over(wakeup, again);
            self.rounds += 1;
            if self.rounds == ROUNDS_PER_GLANCE {
                self.rounds = 0;
                crew.report();
                glance(wakeup);
            }
            let ran_one = local::run_one();
            if wakeup.lower() || again {
                return;
            }
            if !ran_one {
                crew.report();
                sleep(wakeup);
            }
        }
    }
}

/// Looks for events.
#[cold]
fn glance(wakeup: &Wakeup) {
    let (parker, mut ready) = (wakeup.parker(), wakeup.ready());
    parker.glance(&mut ready);
    parker.settle();
    // Before this thread parks: one of them may be its own, and then the flag says so.
    wake_all(&mut ready);
}

/// Sleeps until something happens here.
#[inline(never)]
fn sleep(wakeup: &Wakeup) {
    if !caller::step_aside() {
        return worker::serve_once(wakeup);
    }
    let duty = if pool::is_running() {
        Duty::Guest
    } else {
        Duty::Crew
    };
    let (parker, mut ready) = (wakeup.parker(), wakeup.ready());
    parker.park(duty, None, &mut ready);
    parker.settle();
    wake_all(&mut ready);
}

impl Drop for BlockedTask {
    #[inline]
    fn drop(&mut self) {
        if self.is_named {
            current::forget(self.id);
        }
    }
}

#[cfg(all(test, not(parklet_loom)))]
mod tests {
    use super::*;
    use crate::reactor::Async;
    use std::future::poll_fn;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    #[test]
    fn an_event_found_in_passing_wakes_the_future_of_this_thread() {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let theirs = Async::new(theirs).unwrap();
        let mut polls = 0;
        // Each poll leaves its waker and then makes the event itself; so the glance of some round finds it.
        block_on(poll_fn(|cx| {
            polls += 1;
            if polls > 2 * ROUNDS_PER_GLANCE {
                return Poll::Ready(());
            }
            let read = |mut socket: &UnixStream| socket.read(&mut [0]);
            while let Poll::Ready(result) = theirs.poll_read_with(cx, read) {
                result.unwrap();
            }
            ours.write_all(&[1]).unwrap();
            Poll::Pending
        }));
    }
}
