//! The timers that somebody waits for, and how long the driver may sleep.
//!
//! The driver sleeps until the earliest deadline. A timer that is set for an earlier one while it sleeps has to rouse
//! it; one that is set before it goes to sleep, or that comes later, need not.
//!
//! 1. Under one lock the driver looks at the wheel and writes down until when it sleeps, and a setter stores its timer and
//!    looks at what is written. So either the driver finds the timer, or the setter finds the driver asleep.
//! 2. A waker leaves the wheel once: with the driver when it is due, or with whoever cancels. After that its entry means
//!    nothing, also when another timer has taken the place.
//!
//! The model is `loom_models/deadlines.rs`; either rule has a broken variant, which must fail there.

use std::task::Waker;
use std::time::{Duration, Instant};

use super::lock;
use super::wheel::{Entry, NEVER, Wheel};
use crate::primitive::{AtomicU64, Mutex, Ordering, is_broken};

/// What stands for "the driver is awake": it looks at the wheel before it sleeps, so no timer has to rouse it.
const AWAKE: u64 = 0;

/// All timers of the process.
#[derive(Debug)]
pub(crate) struct Deadlines {
    /// Where the count of nanoseconds begins. 64 bits of them last for 584 years.
    epoch: Instant,
    /// One lock for all, held for some ten nanoseconds; its fields must change together.
    sorted: Mutex<Sorted>,
    /// All that was due by then has been taken out. Written under the lock, read without.
    taken_until: AtomicU64,
}

/// What the lock guards.
#[derive(Debug)]
struct Sorted {
    /// The timers, by deadline.
    wheel: Wheel,
    /// When the driver will look at the wheel without being told: a timer that is earlier has to tell it.
    driver_sleeps_until: u64,
}

impl Deadlines {
    /// No timers.
    pub(crate) fn new() -> Deadlines {
        Deadlines {
            epoch: Instant::now(),
            sorted: Mutex::new(Sorted {
                wheel: Wheel::new(),
                driver_sleeps_until: AWAKE,
            }),
            taken_until: AtomicU64::new(0),
        }
    }

    /// Stores a waker to be woken at `deadline`; `None`: never, until it is removed and stored anew. True in the second
    /// place: the driver sleeps for longer and has to be notified.
    pub(crate) fn insert(&self, deadline: Option<Instant>, waker: Waker) -> (Entry, bool) {
        let deadline = self.since_epoch(deadline);
        let mut sorted = lock(&self.sorted);
        let entry = sorted.wheel.insert(deadline, waker);
        (entry, sorted.is_too_early(deadline))
    }

    /// Whether `entry` will wake the same task as `waker`; `None`: it has been woken and is no longer here.
    pub(crate) fn will_wake(&self, entry: Entry, waker: &Waker) -> Option<bool> {
        let sorted = lock(&self.sorted);
        let stored = sorted.wheel.waker(entry)?;
        Some(stored.will_wake(waker))
    }

    /// Takes an entry's waker out, if it has not been woken.
    pub(crate) fn remove(&self, entry: Entry) -> Option<Waker> {
        lock(&self.sorted).wheel.remove(entry)
    }

    /// Whether an entry with this deadline has been taken out and woken: then there is nothing to remove, and a timer that
    /// fired saves the lock.
    ///
    /// It may be wrong about one that was stored after its deadline had passed: that one is due, and leaves with the next
    /// turn.
    pub(crate) fn has_taken(&self, deadline: Instant) -> bool {
        self.since_epoch(Some(deadline)) <= self.taken_until.load(Ordering::Relaxed)
    }

    /// How long the driver may sleep, given that it wants to sleep for `timeout`. From here on, timers that are earlier
    /// notify.
    pub(crate) fn begin_sleep(&self, timeout: Option<Duration>) -> Option<Duration> {
        if timeout == Some(Duration::ZERO) {
            return timeout;
        }
        let mut sorted = lock(&self.sorted);
        let next = sorted.wheel.next_deadline();
        if is_broken("deadlines_rule_1") {
            drop(sorted);
            sorted = lock(&self.sorted);
        }
        if next.is_none() && timeout.is_none() {
            sorted.driver_sleeps_until = NEVER;
            return None;
        }
        let now = self.now();
        let until = timeout.map_or(NEVER, |timeout| now.saturating_add(nanoseconds(timeout)));
        let until = until.min(next.unwrap_or(NEVER));
        sorted.driver_sleeps_until = until;
        Some(Duration::from_nanos(until.saturating_sub(now)))
    }

    /// The driver is awake: moves the wakers of all timers that are due to `woken`, in the order of their deadlines.
    pub(crate) fn end_sleep(&self, woken: &mut Vec<Waker>) {
        let mut sorted = lock(&self.sorted);
        sorted.driver_sleeps_until = AWAKE;
        if sorted.wheel.next_deadline().is_some() {
            let now = self.now();
            sorted.wheel.take_due(now, woken);
            self.taken_until.store(now, Ordering::Relaxed);
        }
    }

    /// The time.
    fn now(&self) -> u64 {
        nanoseconds(self.epoch.elapsed())
    }

    /// A moment as the wheel counts; what lies before the epoch is due.
    fn since_epoch(&self, moment: Option<Instant>) -> u64 {
        moment.map_or(NEVER, |moment| {
            nanoseconds(moment.saturating_duration_since(self.epoch))
        })
    }
}

impl Sorted {
    /// Whether the driver would sleep past `deadline`. It is notified once: until it has looked, later ones need not.
    fn is_too_early(&mut self, deadline: u64) -> bool {
        let too_early = deadline < self.driver_sleeps_until;
        if too_early {
            self.driver_sleeps_until = deadline;
        }
        too_early
    }
}

/// A span in nanoseconds; after 584 years it stands still.
fn nanoseconds(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(NEVER)
}

#[cfg(all(test, not(parklet_loom)))]
mod tests {
    use super::*;

    /// A moment that far from now.
    fn after(seconds: u64) -> Option<Instant> {
        Some(Instant::now() + Duration::from_secs(seconds))
    }

    #[test]
    fn only_a_timer_that_the_driver_would_sleep_past_has_to_tell_it() {
        let deadlines = Deadlines::new();
        let insert = |seconds| deadlines.insert(after(seconds), Waker::noop().clone()).1;

        assert!(!insert(50), "the driver is awake");
        let sleep = deadlines.begin_sleep(None).expect("there is a timer");
        assert!(sleep <= Duration::from_secs(50));
        assert!(!insert(60), "later than the one it sleeps for");
        assert!(insert(40), "earlier");
        assert!(!insert(45), "it has been told, and will look");
        assert!(insert(30), "earlier still");

        deadlines.end_sleep(&mut Vec::new());
        assert!(!insert(20), "awake again");
        deadlines.begin_sleep(Some(Duration::from_secs(10)));
        assert!(!insert(15), "later than its timeout");
        assert!(insert(5));
    }

    #[test]
    fn an_endless_sleep_ends_for_any_timer() {
        let deadlines = Deadlines::new();
        assert_eq!(deadlines.begin_sleep(None), None);
        let insert = |deadline| deadlines.insert(deadline, Waker::noop().clone()).1;
        assert!(!insert(None), "it never comes due");
        assert!(insert(after(1_000_000)));
    }

    #[test]
    fn a_timer_that_was_woken_is_known_to_be_gone() {
        let deadlines = Deadlines::new();
        let (soon, later) = (Instant::now(), after(100).unwrap());
        for deadline in [soon, later] {
            deadlines.insert(Some(deadline), Waker::noop().clone());
        }
        assert!(!deadlines.has_taken(soon), "nobody has looked yet");
        let mut woken = Vec::new();
        deadlines.end_sleep(&mut woken);
        assert_eq!(woken.len(), 1);
        assert!(deadlines.has_taken(soon) && !deadlines.has_taken(later));
    }

    #[test]
    fn a_look_without_sleep_leaves_nothing_to_tell() {
        let deadlines = Deadlines::new();
        let zero = Some(Duration::ZERO);
        assert_eq!(deadlines.begin_sleep(zero), zero);
        let (_, tell) = deadlines.insert(after(1), Waker::noop().clone());
        assert!(!tell);
    }

    #[test]
    fn any_timeout_is_a_sleep() {
        let deadlines = Deadlines::new();
        deadlines.insert(after(100), Waker::noop().clone());
        let sleep = deadlines.begin_sleep(Some(Duration::MAX)).unwrap();
        assert!(sleep <= Duration::from_secs(100) && sleep > Duration::from_secs(90));
    }
}
