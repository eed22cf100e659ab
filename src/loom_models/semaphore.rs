//! Models of `sync/semaphore_state.rs`.
//!
//! Each rule has a variant that breaks it; with it the model beside its name has to fail:
//!
//! ```text
//! broken: semaphore_joins_without_a_mark     a_waiter_that_joins_during_add_is_woken
//! broken: semaphore_add_is_relaxed           only_who_has_the_permit_touches_the_value
//! broken: semaphore_forgets_who_waits        nobody_gets_in_between
//! broken: semaphore_burst_serves_one         a_burst_of_permits_reaches_everyone
//! broken: semaphore_dropped_waiter_keeps_it  a_dropped_waiter_hands_its_permit_on
//! ```

use super::bounded;
use super::wait_queue::{block_on, poll};
use crate::primitive::Arc;
use crate::sync::semaphore_state::SemaphoreState;
use loom::cell::UnsafeCell;
use loom::thread;

/// A semaphore, and a value that loom watches: with one permit, nobody else may touch it.
struct Watched {
    state: SemaphoreState,
    value: UnsafeCell<()>,
}

impl Watched {
    fn new(permits: usize) -> Arc<Watched> {
        Arc::new(Watched {
            state: SemaphoreState::new(permits),
            value: UnsafeCell::new(()),
        })
    }

    fn touch_and_return(&self) {
        self.value.with_mut(|_| ());
        self.state.add(1);
    }

    fn acquire_and_touch(&self) {
        block_on(self.state.acquire());
        self.touch_and_return();
    }
}

#[test]
fn only_who_has_the_permit_touches_the_value() {
    loom::model(|| {
        let semaphore = Watched::new(1);
        let other = thread::spawn({
            let semaphore = Arc::clone(&semaphore);
            move || semaphore.acquire_and_touch()
        });
        semaphore.acquire_and_touch();
        other.join().unwrap();
        assert_eq!(semaphore.state.free(), 1);
    });
}

#[test]
fn a_waiter_that_joins_during_add_is_woken() {
    loom::model(|| {
        let semaphore = Watched::new(0);
        let waiter = thread::spawn({
            let semaphore = Arc::clone(&semaphore);
            move || block_on(semaphore.state.acquire())
        });
        semaphore.state.add(1);
        waiter.join().unwrap();
        assert_eq!(semaphore.state.free(), 0);
    });
}

#[test]
fn nobody_gets_in_between() {
    loom::model(|| {
        let semaphore = Watched::new(0);
        let mut first = semaphore.state.acquire();
        let mut second = semaphore.state.acquire();
        assert!(poll(&mut first).is_pending());
        assert!(poll(&mut second).is_pending());
        let adder = thread::spawn({
            let semaphore = Arc::clone(&semaphore);
            move || semaphore.state.add(1)
        });
        adder.join().unwrap();
        // The second one waits still, so this is for it, whoever asks.
        semaphore.state.add(1);
        assert!(!semaphore.state.try_acquire());
        assert!(poll(&mut second).is_ready());
        assert!(poll(&mut first).is_ready());
    });
}

#[test]
fn a_burst_of_permits_reaches_everyone() {
    bounded(|| {
        let semaphore = Watched::new(0);
        let waiters = [0, 1].map(|_| {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || block_on(semaphore.state.acquire()))
        });
        semaphore.state.add(3);
        for waiter in waiters {
            waiter.join().unwrap();
        }
        assert_eq!(semaphore.state.free(), 1);
    });
}

#[test]
fn permits_that_come_back_at_once_are_all_counted() {
    bounded(|| {
        let semaphore = Watched::new(0);
        let mut waiter = semaphore.state.acquire();
        assert!(poll(&mut waiter).is_pending());
        let adders = [0, 1].map(|_| {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || semaphore.state.add(1))
        });
        block_on(waiter);
        for adder in adders {
            adder.join().unwrap();
        }
        assert_eq!(semaphore.state.free(), 1);
    });
}

#[test]
fn a_dropped_waiter_hands_its_permit_on() {
    bounded(|| {
        let semaphore = Watched::new(0);
        let mut dropped = semaphore.state.acquire();
        assert!(poll(&mut dropped).is_pending());
        let adder = thread::spawn({
            let semaphore = Arc::clone(&semaphore);
            move || semaphore.state.add(1)
        });
        let waiter = thread::spawn({
            let semaphore = Arc::clone(&semaphore);
            move || semaphore.acquire_and_touch()
        });
        drop(dropped);
        adder.join().unwrap();
        waiter.join().unwrap();
        assert_eq!(semaphore.state.free(), 1);
    });
}
