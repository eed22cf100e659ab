//! Who drives for tasks that run on threads which never do.
//!
//! parklet's own threads drive the reactor when they have nothing else to do: they are its **crew**. But a socket or a
//! timer of parklet may be polled anywhere, by `futures_lite::future::block_on` or by another runtime's worker, and such
//! a thread, an **outsider**, sleeps in its own way. When the first of them waits, a thread named `parklet-driver` is
//! started, the last resort. A program that uses parklet's executor alone never has it.
//!
//! ```text
//!                          outsider waits
//!                                │
//!                                ▼     token taken
//!          a turn, and again: AT_WORK ─────────────► RESTING
//!                                ▲                     │
//!                                └─────────────────────┘
//!                               token given back, or the crew has left
//! ```
//!
//! At work, it takes the token if nobody has it. While there is a crew it first waits for [`GRACE`]: most likely one of
//! them is busy and will drive in a moment. If nobody did, they are all stuck in calls that block, perhaps waiting for
//! an outsider, and it drives all the same.
//!
//! Why no wait is overlooked: once started, the last resort is at work whenever the token is free. It rests only while
//! somebody has the token (`rest.rs`).
//!
//! If the thread cannot be started, the waiting task is its own driver: its poll takes a turn of the reactor that does
//! not sleep and asks to be polled again. That is right, but it keeps a core busy; each such poll tries to start the
//! thread anew.
//!
//! One case is left: a member of the crew that runs another executor's `block_on` inside its own poll counts as crew,
//! and if it is the only thread of the program, nobody drives. parklet's `block_on` has no such limit.

use std::cell::Cell;
use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::task::Context;
use std::thread::{self, Thread};
use std::time::Duration;

use super::driver::Reactor;
use super::{lock, rest, timer_slack, wake_all};

/// How long the crew may leave the token lying before the last resort takes it. While outsiders wait and the crew is
/// busy the last resort looks this often; 10 ms cost a thousandth of a core.
const GRACE: Duration = Duration::from_millis(10);

/// How many threads promise to drive.
static CREW: AtomicUsize = AtomicUsize::new(0);

/// Where the last resort is: see the drawing.
static LAST_RESORT: AtomicU8 = AtomicU8::new(NOT_STARTED);
/// No outsider has waited yet.
const NOT_STARTED: u8 = 0;

/// The thread, to be unparked. A lock, so that it is started once.
static THREAD: Mutex<Option<Thread>> = Mutex::new(None);

/// Rouses a member of the crew that stands by, and says whether there was one.
static SUCCESSOR: OnceLock<fn() -> bool> = OnceLock::new();

thread_local! {
    /// How often this thread has joined the crew.
    static JOINED: Cell<usize> = const { Cell::new(0) };
    /// Whether `CREW` counts this thread.
    static COUNTED: Cell<bool> = const { Cell::new(false) };
}

/// Makes this thread a member of the crew: until the guard is dropped it promises to drive whenever it would sleep. It has
/// to [report](CrewGuard::report) before it sleeps, and is no outsider from now on.
#[inline]
pub(crate) fn join_crew() -> CrewGuard {
    JOINED.set(JOINED.get() + 1);
    CrewGuard {
        this_thread: PhantomData,
    }
}

/// Names who rouses a member of the crew that found the token taken and stands by, and says whether there was one.
/// The last resort calls it after each turn it had to take while there is a crew. The first name stays.
pub(crate) fn call_successor_by(successor: fn() -> bool) {
    let _ = SUCCESSOR.set(successor);
}

/// A thread's membership, from [`join_crew`].
#[must_use = "the thread leaves the crew when this is dropped"]
pub(crate) struct CrewGuard {
    /// Membership is the thread's own.
    this_thread: PhantomData<*const ()>,
}

impl CrewGuard {
    /// Lets the last resort reckon with this thread. Apart from joining, since a `block_on` whose future is ready at once
    /// has no need of these two atomic operations.
    #[inline]
    pub(crate) fn report(&self) {
        if !COUNTED.replace(true) {
            CREW.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Drop for CrewGuard {
    #[inline]
    fn drop(&mut self) {
        let joined = JOINED.get() - 1;
        JOINED.set(joined);
        if joined == 0
            && COUNTED.take()
            && CREW.fetch_sub(1, Ordering::SeqCst) == 1
            && LAST_RESORT.load(Ordering::SeqCst) != NOT_STARTED
        {
            // It would come by itself, after its grace.
            unpark();
        }
    }
}

impl fmt::Debug for CrewGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CrewGuard").finish_non_exhaustive()
    }
}

/// A task on this thread has stored its waker: sees to it that somebody drives.
pub(super) fn waiter_stored(cx: &Context<'_>) {
    let outsider = JOINED.get() == 0;
    if outsider && LAST_RESORT.load(Ordering::SeqCst) == NOT_STARTED && start().is_err() {
        let mut woken = Vec::new();
        if let Some(mut driver) = Reactor::started().try_drive() {
            driver.turn(Some(Duration::ZERO), &mut woken);
        }
        wake_all(&mut woken);
        cx.waker().wake_by_ref();
    }
}

/// The token has been given back.
pub(super) fn token_is_free() {
    rest::call(&LAST_RESORT, unpark);
}

/// Starts the last resort.
fn start() -> io::Result<()> {
    let mut started = lock(&THREAD);
    if started.is_none() {
        let name = "parklet-driver".to_owned();
        let thread = thread::Builder::new().name(name).spawn(run)?;
        *started = Some(thread.thread().clone());
        LAST_RESORT.store(rest::AT_WORK, Ordering::SeqCst);
    }
    Ok(())
}

/// Calls the last resort, if it sleeps.
fn unpark() {
    let thread = lock(&THREAD).clone();
    if let Some(thread) = thread {
        thread.unpark();
    }
}

/// The life of the last resort.
fn run() {
    // Until the starter has written AT_WORK and let go.
    drop(lock(&THREAD));
    timer_slack::sharpen_thread();
    let reactor = Reactor::started();
    let mut woken = Vec::new();
    loop {
        let mut yields = true;
        while !reactor.is_driven() {
            if yields && has_crew() && has_driven_within_grace(reactor) {
                continue;
            }
            let Some(mut driver) = reactor.try_drive() else {
                break;
            };
            driver.turn(None, &mut woken);
            driver.give_back();
            yields = has_crew() && SUCCESSOR.get().is_some_and(|call| call());
            wake_all(&mut woken);
        }
        rest::rest(&LAST_RESORT, || reactor.is_driven(), thread::park);
    }
}

/// Whether anybody promises to drive.
fn has_crew() -> bool {
    CREW.load(Ordering::SeqCst) > 0
}

/// Waits for a while, and says whether anybody had the token meanwhile.
fn has_driven_within_grace(reactor: &Reactor) -> bool {
    let turns = reactor.turns();
    thread::park_timeout(GRACE);
    reactor.turns() != turns
}
