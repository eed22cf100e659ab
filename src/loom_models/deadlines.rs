//! Models of `reactor/deadlines.rs`: tasks that set and cancel timers, against the driver that goes to sleep and fires them.
//!
//! Deadlines here are due at once or never, since a model has no time.
//!
//! Each rule has a variant that breaks it; with it the model beside its name has to fail:
//!
//! ```text
//! broken: deadlines_rule_1  a_timer_and_a_driver_that_goes_to_sleep_do_not_miss_each_other
//! broken: deadlines_rule_2  a_timer_that_is_cancelled_late_takes_nobody_elses_place
//! ```

use super::bounded;
use crate::reactor::deadlines::Deadlines;
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;
use std::sync::Arc as StdArc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

/// Counts its wakes. std's counter, since it is no part of what is modelled.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: StdArc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Count {
    fn new() -> (StdArc<Count>, Waker) {
        let count = StdArc::new(Count::default());
        (StdArc::clone(&count), Waker::from(count))
    }

    fn wakes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// The timers, and the kernel in which the driver sleeps.
struct Clock {
    deadlines: Deadlines,
    /// Whether somebody has notified the driver; kept for its next wait.
    notified: Mutex<bool>,
    changed: Condvar,
}

impl Clock {
    fn new() -> Arc<Clock> {
        Arc::new(Clock {
            deadlines: Deadlines::new(),
            notified: Mutex::new(false),
            changed: Condvar::new(),
        })
    }

    fn notify(&self) {
        *self.notified.lock().unwrap() = true;
        self.changed.notify_one();
    }

    /// One turn of the driver: a sleep that only a notification ends, unless a timer is due.
    fn turn(&self) {
        let timeout = self.deadlines.begin_sleep(None);
        let mut notified = self.notified.lock().unwrap();
        while timeout != Some(Duration::ZERO) && !*notified {
            notified = self.changed.wait(notified).unwrap();
        }
        *notified = false;
        drop(notified);
        self.fire();
    }

    /// Wakes what is due.
    fn fire(&self) {
        let mut woken = Vec::new();
        self.deadlines.end_sleep(&mut woken);
        woken.into_iter().for_each(Waker::wake);
    }
}

#[test]
fn a_timer_and_a_driver_that_goes_to_sleep_do_not_miss_each_other() {
    bounded(|| {
        let clock = Clock::new();
        let (count, waker) = Count::new();
        // Two set their timers: for the one that is later the driver may have been told of the earlier one.
        let setters = [Some(Instant::now()), None].map(|deadline| {
            let (clock, waker) = (Arc::clone(&clock), waker.clone());
            thread::spawn(move || {
                let later = Instant::now() + Duration::from_secs(1_000_000);
                let deadline = Some(deadline.unwrap_or(later));
                let (_, driver_sleeps_for_longer) = clock.deadlines.insert(deadline, waker);
                if driver_sleeps_for_longer {
                    clock.notify();
                }
            })
        });
        while count.wakes() == 0 {
            clock.turn();
        }
        setters
            .into_iter()
            .for_each(|setter| setter.join().unwrap());
    });
}

/// A timer is polled when it is due: the driver may have fired it already, and another task may have set its own timer in the
/// same place since.
#[test]
fn a_timer_that_is_cancelled_late_takes_nobody_elses_place() {
    bounded(|| {
        let clock = Clock::new();
        let (ours, waker) = Count::new();
        let due = Instant::now();
        let (entry, _) = clock.deadlines.insert(Some(due), waker);
        let driver = thread::spawn({
            let clock = Arc::clone(&clock);
            move || clock.fire()
        });
        let (_theirs, waker) = Count::new();
        let neighbour = thread::spawn({
            let (clock, waker) = (Arc::clone(&clock), waker.clone());
            move || clock.deadlines.insert(None, waker).0
        });
        let cancelled = if clock.deadlines.has_taken(due) {
            None
        } else {
            clock.deadlines.remove(entry)
        };
        driver.join().unwrap();
        let theirs = neighbour.join().unwrap();
        assert_eq!(
            clock.deadlines.will_wake(theirs, &waker),
            Some(true),
            "the neighbour's timer was cancelled"
        );
        assert_eq!(
            ours.wakes() + usize::from(cancelled.is_some()),
            1,
            "the waker left the wheel twice, or not at all"
        );
        drop(cancelled);
        assert_eq!(StdArc::strong_count(&ours), 1, "a waker was left behind");
    });
}
