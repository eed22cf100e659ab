//! Who drives for tasks that run on threads which never do.
//!
//! parklet's own threads drive the reactor when they have nothing else to do: they are its **crew**. But a socket or a
//! timer of parklet may be polled anywhere, by `futures_lite::future::block_on`, by another runtime's worker, and such a
//! thread sleeps in its own way. So when somebody outside the crew waits and the crew is empty, a thread named
//! `parklet-driver` is started, which drives while the crew is empty and sleeps otherwise. A program that uses
//! parklet's executor alone never has it.
//!
//! A member of the crew promises to drive whenever it would sleep. Who joins and then blocks in some other way, with
//! nobody else in the crew, breaks that promise, and everybody outside waits with it.
//!
//! If the thread cannot be started, the waiting task is its own driver: its poll takes a turn of the reactor that does
//! not sleep and asks to be polled again. That is right, but it keeps a core busy; each such poll tries to start the
//! thread anew.
//!
//! Why no wait is overlooked: a member that leaves takes itself off [`CREW`] and then looks at [`OUTSIDERS`]; an
//! outsider stores its waker, raises [`OUTSIDERS`] and then looks at [`CREW`]. All of it is sequentially consistent, so
//! one of the two sees the other and rouses the driver.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::task::Context;
use std::thread::{self, Thread};
use std::time::Duration;
use std::{fmt, io};

use super::driver::Reactor;
use super::{lock, wake_all};

/// How many threads promise to drive.
static CREW: AtomicUsize = AtomicUsize::new(0);

/// Whether a thread outside the crew has ever waited. It is not lowered: whether it still waits is not known.
static OUTSIDERS: AtomicBool = AtomicBool::new(false);

/// Whether the last resort is at work, or about to be: it need not be roused, but it must be told of a crew.
static AT_WORK: AtomicBool = AtomicBool::new(false);

/// The thread, once started. A lock, so that it is started once.
static LAST_RESORT: Mutex<Option<Thread>> = Mutex::new(None);

/// Called when the last resort has given the token back for good.
static SUCCESSION: OnceLock<fn()> = OnceLock::new();

/// How long the last resort waits where it finds the token taken though the crew is empty: somebody is about to give it
/// back, or to join.
const TOKEN_TAKEN: Duration = Duration::from_millis(1);

thread_local! {
    /// How often this thread has joined the crew.
    static JOINED: Cell<usize> = const { Cell::new(0) };
}

/// Makes this thread a member of the crew: until the guard is dropped it promises to drive whenever it would sleep.
///
/// One atomic operation, and one to leave; none where the thread is a member already.
pub(crate) fn join_crew() -> CrewGuard {
    let joined = JOINED.get();
    JOINED.set(joined + 1);
    if joined == 0 && CREW.fetch_add(1, Ordering::SeqCst) == 0 && AT_WORK.load(Ordering::SeqCst) {
        // It sleeps with the token in its hands. Let it go, so that the crew can drive.
        Reactor::started().notify();
    }
    CrewGuard {
        this_thread: PhantomData,
    }
}

/// A thread's membership, from [`join_crew`].
#[must_use = "the thread leaves the crew when this is dropped"]
pub(crate) struct CrewGuard {
    /// Membership is the thread's own.
    this_thread: PhantomData<*const ()>,
}

impl Drop for CrewGuard {
    fn drop(&mut self) {
        let joined = JOINED.get() - 1;
        JOINED.set(joined);
        if joined == 0
            && CREW.fetch_sub(1, Ordering::SeqCst) == 1
            && OUTSIDERS.load(Ordering::SeqCst)
        {
            // On failure the outsiders that wait now are served by whoever drives next; the next wait tries again.
            let _ = rouse();
        }
    }
}

impl fmt::Debug for CrewGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CrewGuard").finish_non_exhaustive()
    }
}

/// Names whom to call when the last resort has given the token back for good, because there is a crew: a member that
/// found the token taken may be asleep and has to be roused. The first name stays.
pub(crate) fn when_last_resort_retires(succeed: fn()) {
    let _ = SUCCESSION.set(succeed);
}

/// A task on this thread has stored its waker: sees to it that somebody drives.
pub(super) fn waiter_stored(cx: &Context<'_>) {
    if JOINED.get() > 0 {
        return;
    }
    if !OUTSIDERS.load(Ordering::SeqCst) {
        OUTSIDERS.store(true, Ordering::SeqCst);
    }
    if CREW.load(Ordering::SeqCst) == 0 && rouse().is_err() {
        let mut woken = Vec::new();
        if let Some(mut driver) = Reactor::started().try_drive() {
            driver.turn(Some(Duration::ZERO), &mut woken);
        }
        wake_all(&mut woken);
        cx.waker().wake_by_ref();
    }
}

/// Gets the last resort to work; starts it the first time.
fn rouse() -> io::Result<()> {
    if AT_WORK.load(Ordering::SeqCst) {
        return Ok(());
    }
    let mut last_resort = lock(&LAST_RESORT);
    match &*last_resort {
        Some(thread) => thread.unpark(),
        None => {
            let name = "parklet-driver".to_owned();
            let started = thread::Builder::new().name(name).spawn(run)?;
            *last_resort = Some(started.thread().clone());
        }
    }
    Ok(())
}

/// The life of the last resort.
fn run() {
    let reactor = Reactor::start();
    let mut woken = Vec::new();
    loop {
        AT_WORK.store(true, Ordering::SeqCst);
        while CREW.load(Ordering::SeqCst) == 0 {
            let Some(mut driver) = reactor.try_drive() else {
                thread::park_timeout(TOKEN_TAKEN);
                continue;
            };
            driver.turn(None, &mut woken);
            drop(driver);
            wake_all(&mut woken);
        }
        if let Some(succeed) = SUCCESSION.get() {
            succeed();
        }
        AT_WORK.store(false, Ordering::SeqCst);
        // The crew may have left before it could see that nobody is at work.
        while CREW.load(Ordering::SeqCst) != 0 {
            thread::park();
        }
    }
}
