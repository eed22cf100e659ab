//! A crossbeam Parker or a turn of the driver, behind one `park`.
//!
//! A thread with nothing to run sleeps in one of two ways. If nobody drives the reactor, it takes the driver token and
//! sleeps in the kernel's wait, so that events have somebody to arrive at; otherwise it sleeps on its crossbeam
//! Parker. Whoever unparks it need not know which: the word tells.
//!
//! ```text
//!             park, token free                 park, token taken
//!   DRIVING ◄────────────────── EMPTY ──────────────────────────► PARKED
//!      │                        ▲   │ unpark                         │
//!      │ unpark                 │   ▼                        unpark  │
//!      └──► reactor.notify() ─► NOTIFIED ◄── thread.unpark() ◄───────┘
//!                               (park returns at once and empties it)
//! ```
//!
//! 1. An unpark is never lost: it leaves NOTIFIED, and what it finds there says what else must be done. DRIVING is in the
//!    word before the wait begins, and the reactor's notification is sticky, so it cannot slip in between.
//! 2. While somebody waits for the kernel, somebody drives or is on the way. A driver that leaves its place to run other
//!    code *owes* a successor, and `settle`s that before it runs anything: it calls one of the threads that stand by.
//!    Whoever was called and does not take the token owes in turn.
//! 3. A thread stands by before it tries the token for the last time, and a leaving driver gives the token back before it
//!    looks who stands by. The list's lock orders the two, so one of them sees the other.
//!
//! The model is `loom_models/parker.rs`; rules 1 to 3 have a broken variant each, which must fail there.

#[cfg(parklet_loom)]
use crate::loom_models::parker::{Driver, Reactor};
use crate::primitive::{
    Arc, AtomicU8, Mutex, MutexGuard, Ordering, ThreadParker, ThreadUnparker, is_broken,
};
#[cfg(not(parklet_loom))]
use crate::reactor::Driver;
use std::cell::Cell;
use std::fmt;
use std::task::Waker;
use std::time::Duration;

/// Awake, and nobody has called since it last slept.
const EMPTY: u8 = 0;
/// Somebody has called: the next sleep ends at once.
const NOTIFIED: u8 = 1;
/// Asleep on the crossbeam Parker.
const PARKED: u8 = 2;
/// Asleep in the kernel's wait.
const DRIVING: u8 = 3;

/// The process's reactor, if anything has used it yet.
#[cfg(not(parklet_loom))]
#[derive(Debug, Default)]
struct Reactor;

#[cfg(not(parklet_loom))]
impl Reactor {
    fn try_drive(&self) -> Option<Driver<'static>> {
        crate::reactor::Reactor::get()?.try_drive()
    }

    fn notify(&self) {
        if let Some(reactor) = crate::reactor::Reactor::get() {
            reactor.notify();
        }
    }
}

/// What a thread that parks has to do with the reactor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Duty {
    /// It drives, or stands by to take over.
    Crew,
    /// It drives if nobody else can: it stands by behind all others.
    Stopgap,
    /// Others see to the reactor.
    Guest,
}

/// The driver's seat: who drives is told by the token; here is who would take over.
#[derive(Debug, Default)]
pub(crate) struct DriverSeat {
    /// What is driven.
    reactor: Reactor,
    /// Threads that sleep on their Parker because somebody else drives. The lock is what rule 3 leans on.
    standby: Mutex<Vec<Arc<Unparker>>>,
}

impl DriverSeat {
    #[cfg(parklet_loom)]
    pub(crate) fn new(reactor: Reactor) -> DriverSeat {
        DriverSeat {
            reactor,
            standby: Mutex::new(Vec::new()),
        }
    }

    /// Makes whoever drives look up.
    pub(crate) fn notify_driver(&self) {
        self.reactor.notify();
    }

    /// Rouses one thread that stands by, so that it drives; false if none does.
    pub(crate) fn call_successor(&self) -> bool {
        let successor = self.standby().pop();
        if let Some(successor) = &successor {
            successor.unpark();
        }
        successor.is_some()
    }

    /// Puts a thread on the list, whose last is called first.
    fn stand_by(&self, thread: &Arc<Unparker>, duty: Duty) {
        let mut standby = self.standby();
        let place = match duty {
            Duty::Stopgap => 0,
            _ => standby.len(),
        };
        standby.insert(place, Arc::clone(thread));
    }

    /// Takes a thread off the list. False: it is not there, since it was called.
    fn stand_down(&self, thread: &Arc<Unparker>) -> bool {
        let mut standby = self.standby();
        let place = standby.iter().position(|other| Arc::ptr_eq(other, thread));
        place.map(|place| standby.remove(place)).is_some()
    }

    fn standby(&self) -> MutexGuard<'_, Vec<Arc<Unparker>>> {
        self.standby
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Rouses one thread, wherever it sleeps.
pub(crate) struct Unparker {
    /// See the drawing.
    word: AtomicU8,
    /// Rouses it from its crossbeam Parker.
    thread: ThreadUnparker,
    /// What it drives, where it drives.
    seat: Arc<DriverSeat>,
}

impl Unparker {
    /// Ends the thread's sleep, the present one or else the next.
    pub(crate) fn unpark(&self) {
        match self.word.swap(NOTIFIED, Ordering::AcqRel) {
            PARKED => self.thread.unpark(),
            DRIVING => self.seat.notify_driver(),
            _ => {}
        }
    }
}

impl fmt::Debug for Unparker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unparker").finish_non_exhaustive()
    }
}

/// Puts one thread to sleep. It belongs to that thread; others hold its [`Unparker`].
pub(crate) struct Parker {
    /// Sleeps where this thread does not drive.
    thread: ThreadParker,
    /// What others hold.
    unparker: Arc<Unparker>,
    /// Rule 2: this thread owes the reactor a driver.
    owes: Cell<bool>,
}

impl Parker {
    /// A parker for the calling thread.
    pub(crate) fn new(seat: Arc<DriverSeat>) -> Parker {
        let thread = ThreadParker::new();
        let unparker = Unparker {
            word: AtomicU8::new(EMPTY),
            thread: thread.unparker().clone(),
            seat,
        };
        Parker {
            thread,
            unparker: Arc::new(unparker),
            owes: Cell::new(false),
        }
    }

    /// What rouses the thread.
    pub(crate) fn unparker(&self) -> &Arc<Unparker> {
        &self.unparker
    }

    /// Sleeps until unparked, or for the timeout, or until events came while this thread drove; it may also return for
    /// no reason. The wakers of what became ready are pushed to `ready`, for the caller to wake.
    pub(crate) fn park(&self, duty: Duty, timeout: Option<Duration>, ready: &mut Vec<Waker>) {
        let Unparker { word, seat, .. } = &*self.unparker;
        if word.load(Ordering::Relaxed) == NOTIFIED {
            // A swap, not a store: it acquires what was written before the unpark.
            word.swap(EMPTY, Ordering::AcqRel);
            return;
        }
        if duty == Duty::Guest {
            self.settle();
            return self.sleep(timeout);
        }
        if let Some(driver) = seat.reactor.try_drive() {
            return self.drive(driver, timeout, ready);
        }
        if !is_broken("parker_rule_3") {
            seat.stand_by(&self.unparker, duty);
            if let Some(driver) = seat.reactor.try_drive() {
                seat.stand_down(&self.unparker);
                return self.drive(driver, timeout, ready);
            }
        } else {
            seat.stand_by(&self.unparker, duty);
        }
        // Somebody drives, so a debt from before is paid.
        self.owes.set(false);
        self.sleep(timeout);
        if !seat.stand_down(&self.unparker) {
            self.owes.set(true);
        }
    }

    /// Sleeps on the crossbeam Parker.
    fn sleep(&self, timeout: Option<Duration>) {
        let word = &self.unparker.word;
        if word
            .compare_exchange(EMPTY, PARKED, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
        {
            match timeout {
                Some(timeout) => self.thread.park_timeout(timeout),
                None => self.thread.park(),
            }
        }
        word.swap(EMPTY, Ordering::AcqRel);
    }

    /// One turn of the driver.
    fn drive(&self, mut driver: Driver<'_>, timeout: Option<Duration>, ready: &mut Vec<Waker>) {
        let word = &self.unparker.word;
        if is_broken("parker_rule_1")
            || word
                .compare_exchange(EMPTY, DRIVING, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
        {
            driver.turn(timeout, ready);
        }
        word.swap(EMPTY, Ordering::AcqRel);
        drop(driver);
        self.owes.set(true);
    }

    /// Looks for events without waiting, if nobody drives.
    pub(crate) fn glance(&self, ready: &mut Vec<Waker>) {
        if let Some(mut driver) = self.unparker.seat.reactor.try_drive() {
            driver.turn(Some(Duration::ZERO), ready);
            drop(driver);
            self.owes.set(true);
        }
    }

    /// Whether rule 2 asks this thread for a successor; the debt is the caller's to pay from here on.
    pub(crate) fn take_debt(&self) -> bool {
        self.owes.replace(false)
    }

    /// Pays what rule 2 asks for, before other code is run.
    pub(crate) fn settle(&self) {
        if self.take_debt() && !is_broken("parker_rule_2") {
            self.unparker.seat.call_successor();
        }
    }
}

impl fmt::Debug for Parker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parker")
            .field("owes", &self.owes.get())
            .finish_non_exhaustive()
    }
}

#[cfg(not(parklet_loom))]
mod this_thread {
    //! One parker a thread, and one driver's seat a process.

    use super::{Arc, DriverSeat, Parker};
    use crate::reactor;
    use std::rc::Rc;
    use std::sync::LazyLock;

    /// Shared by all threads that park here.
    static SEAT: LazyLock<Arc<DriverSeat>> = LazyLock::new(|| {
        // The reactor's own thread of last resort owes a successor as any driver does.
        reactor::call_successor_by(|| SEAT.call_successor());
        Arc::default()
    });

    thread_local! {
        /// Every `block_on` of a thread, however deeply nested, and its worker's loop sleep on the same parker: whichever is
        /// innermost is the one that is awake to be roused.
        static PARKER: Rc<Parker> = Rc::new(Parker::new(Arc::clone(&SEAT)));
    }

    impl DriverSeat {
        /// The one in which the process's reactor is driven.
        pub(crate) fn global() -> &'static DriverSeat {
            &SEAT
        }
    }

    impl Parker {
        /// The calling thread's parker.
        pub(crate) fn current() -> Rc<Parker> {
            // A thread-local may be gone when another one's destructor calls `block_on`.
            PARKER
                .try_with(Rc::clone)
                .unwrap_or_else(|_| Rc::new(Parker::new(Arc::clone(&SEAT))))
        }
    }
}
