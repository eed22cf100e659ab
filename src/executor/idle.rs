//! Who sleeps, who searches, whom to unpark; and which seats are free.
//!
//! ```text
//!               take_seat
//!   VACANT ──────────────────► HELD, by a thread that is awake
//!    ▲  │ rouse                 ▲  │
//!    │  └────────► GRANTED ─────┘  │
//!    │                     leave   │
//!    └─────────────────────────────┘
//!             vacate, enter
//! ```
//!
//! A seat (`queue.rs`) is held by a thread that is awake, or else stands here, vacant. A worker that goes to sleep leaves
//! its seat here; so does a caller of `block_on` (`caller.rs`), which fills a seat during a poll of its future. There are
//! as many seats as workers, hence never more busy threads than the pool is to have.
//!
//! Go's rule (the head comment of its `proc.go`) says whom to rouse: a push rouses a sleeper only if nobody is searching;
//! a searcher that finds work and was the last one passes the call on, if there is more. So a burst of pushes wakes one worker, and as many
//! follow as there is work for. Only together with a vacant seat is a sleeper of use: both are counted in `rousable`.
//!
//! 1. A pusher pushes, then looks at the counters. Whoever makes `rousable` grow (it goes to sleep, or it leaves its
//!    seat), and whoever stops searching, changes the counters, then looks into the queues. With a `SeqCst` fence between
//!    the two steps on both sides, one of them sees the other.
//!    Who pushes to the seat that it holds may look without a fence, which would cost more than the push: what it misses, the
//!    watcher sees at its second look, by rule 3.
//! 2. A sleeper that is roused leaves the list, is granted a seat and is counted as searching in one step, so a second
//!    push before it has woken up rouses nobody else, and nobody takes its seat meanwhile.
//! 3. Who pushes to the seat that it holds looks whether the watcher is awake, and else wakes it. The fence between the two is
//!    the watcher's to pay (`asymmetric.rs`); on a system that has none of that kind, it goes to sleep only when all seats
//!    are vacant, and decides so under the lock under which seats are taken.
//!
//! The model is `loom_models/idle.rs`; the rules have a broken variant each, which must fail there.

use super::parker::Unparker;
use crate::primitive::{Arc, AtomicUsize, Mutex, MutexGuard, Ordering, fence, is_broken};
use std::sync::PoisonError;

/// The threads of one pool that have nothing to run, and the seats at which nobody sits. What a seat is, is of no concern
/// here.
#[derive(Debug)]
pub(crate) struct Idle<S> {
    /// Workers that look for work elsewhere.
    searching: AtomicUsize,
    /// How many sleepers could be roused now: as many as there are, or as there are vacant seats.
    rousable: AtomicUsize,
    /// How many seats are vacant.
    vacant: AtomicUsize,
    /// How many there are.
    seats: usize,
    /// The lock makes rule 2 one step.
    lists: Mutex<Lists<S>>,
}

/// What the lock guards.
#[derive(Debug)]
struct Lists<S> {
    /// Workers that sleep, the latest last: its caches are warm, and the first to sleep is the one that drives.
    sleepers: Vec<Arc<Unparker>>,
    /// Seats without a thread, the one that was left last at the end.
    vacant: Vec<S>,
    /// Seats of those that have been roused and have not woken up yet.
    granted: Vec<(Arc<Unparker>, S)>,
}

/// What a worker that has slept finds.
#[derive(Debug)]
#[must_use]
pub(crate) enum Wake<S> {
    /// It was roused: here is its seat, and it counts as searching already.
    Roused(S),
    /// It woke up by itself, and there was a vacant seat for it.
    Seated(S),
    /// It woke up by itself, and all seats are taken.
    Standing,
}

impl<S> Idle<S> {
    /// Nobody sleeps, and these seats are vacant.
    pub(crate) fn new(vacant: Vec<S>) -> Idle<S> {
        Idle {
            searching: AtomicUsize::new(0),
            rousable: AtomicUsize::new(0),
            vacant: AtomicUsize::new(vacant.len()),
            seats: vacant.len(),
            lists: Mutex::new(Lists {
                sleepers: Vec::new(),
                vacant,
                granted: Vec::new(),
            }),
        }
    }

    /// Whether it looks as if [`rouse`](Idle::rouse) would rouse somebody: a look without a fence (rule 1).
    pub(crate) fn is_rousable(&self) -> bool {
        self.rousable.load(Ordering::Relaxed) > 0 && self.searching.load(Ordering::Relaxed) == 0
    }

    /// Rouses a sleeper if that would help. False: everybody is busy, and nobody searches.
    pub(crate) fn rouse(&self) -> bool {
        fence(Ordering::SeqCst);
        if self.searching.load(Ordering::SeqCst) > 0 {
            return true;
        }
        if self.rousable.load(Ordering::SeqCst) == 0 {
            return false;
        }
        let mut lists = self.lock();
        if lists.sleepers.is_empty() || lists.vacant.is_empty() {
            return false;
        }
        let (sleeper, seat) = (lists.sleepers.pop(), lists.vacant.pop());
        let (sleeper, seat) = sleeper.zip(seat).expect("neither list is empty");
        lists.granted.push((Arc::clone(&sleeper), seat));
        self.count(&lists);
        if !is_broken("idle_rule_2") {
            self.searching.fetch_add(1, Ordering::SeqCst);
        }
        drop(lists);
        sleeper.unpark();
        true
    }

    /// Puts a worker among the sleepers and its seat among the vacant ones. It has to look into the queues after that, and
    /// if there is something, `rouse`: most likely itself.
    pub(crate) fn enter(&self, seat: Option<S>, sleeper: &Arc<Unparker>, was_searching: bool) {
        let mut lists = self.lock();
        lists.sleepers.push(Arc::clone(sleeper));
        lists.vacant.extend(seat);
        self.count(&lists);
        drop(lists);
        if was_searching {
            self.searching.fetch_sub(1, Ordering::SeqCst);
        }
        if !is_broken("idle_rule_1_sleep") {
            fence(Ordering::SeqCst);
        }
    }

    /// Takes a worker off the list again, and finds a seat for it.
    pub(crate) fn leave(&self, sleeper: &Arc<Unparker>) -> Wake<S> {
        let mut lists = self.lock();
        let is_own = |other: &Arc<Unparker>| Arc::ptr_eq(other, sleeper);
        if let Some(place) = lists.granted.iter().position(|(to, _)| is_own(to)) {
            return Wake::Roused(lists.granted.swap_remove(place).1);
        }
        let place = lists.sleepers.iter().position(is_own);
        lists
            .sleepers
            .remove(place.expect("it sleeps until it is roused or leaves"));
        let seat = lists.vacant.pop();
        self.count(&lists);
        seat.map_or(Wake::Standing, Wake::Seated)
    }

    /// How many seats nobody has.
    #[cfg_attr(parklet_loom, allow(dead_code, reason = "only counted for show"))]
    pub(crate) fn vacant(&self) -> usize {
        self.vacant.load(Ordering::Relaxed)
    }

    /// Takes a vacant seat, if there is one.
    pub(crate) fn take_seat(&self) -> Option<S> {
        // A look first: a caller asks for each of its tasks as long as it has no seat. If it is out of date, the task goes
        // another way, which is right too.
        if self.vacant.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let mut lists = self.lock();
        let seat = lists.vacant.pop();
        self.count(&lists);
        seat
    }

    /// Leaves a seat. Whoever does so has to look into the queues after that, and if there is something, `rouse`.
    pub(crate) fn vacate(&self, seat: S) {
        let mut lists = self.lock();
        lists.vacant.push(seat);
        self.count(&lists);
        drop(lists);
        if !is_broken("idle_rule_1_seat") {
            fence(Ordering::SeqCst);
        }
    }

    /// Does this if all seats are vacant, before one can be taken (rule 3).
    pub(crate) fn if_all_are_vacant(&self, then: impl FnOnce()) {
        let lists = self.lock();
        if lists.vacant.len() == self.seats {
            if is_broken("idle_rule_3") {
                drop(lists);
            }
            then();
        }
    }

    /// Counts a worker that begins to search.
    pub(crate) fn begin_search(&self) {
        self.searching.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether another searcher would only be in the way: half of the workers is enough.
    pub(crate) fn is_crowded(&self, workers: usize) -> bool {
        2 * self.searching.load(Ordering::Relaxed) >= workers
    }

    /// The worker has found something. True: it was the last searcher. It has to look into the queues after that, and if there
    /// is something, `rouse`: it passes the call on.
    #[must_use]
    pub(crate) fn end_search(&self) -> bool {
        let was_last = self.searching.fetch_sub(1, Ordering::SeqCst) == 1;
        if was_last && !is_broken("idle_rule_1_search") {
            fence(Ordering::SeqCst);
        }
        was_last
    }

    /// Brings the counters up to date.
    fn count(&self, lists: &Lists<S>) {
        let vacant = lists.vacant.len();
        self.vacant.store(vacant, Ordering::Relaxed);
        let rousable = lists.sleepers.len().min(vacant);
        self.rousable.store(rousable, Ordering::SeqCst);
    }

    fn lock(&self) -> MutexGuard<'_, Lists<S>> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
