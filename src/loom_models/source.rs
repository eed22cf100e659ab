//! Models of `reactor/source.rs`: a task that tries, clears and waits, against the events of a descriptor.
//!
//! Each rule has a variant that breaks it; with it the model beside its name has to fail:
//!
//! ```text
//! broken: source_clears_what_is_newer   an_event_and_a_task_that_tries_do_not_miss_each_other
//! broken: source_looks_before_it_locks  an_event_and_a_task_that_tries_do_not_miss_each_other
//! broken: source_marks_a_later_life     an_event_under_way_means_nothing_to_the_next_descriptor
//! broken: source_wakes_a_later_life     an_event_under_way_means_nothing_to_the_next_descriptor
//! ```

use crate::primitive::{Arc, Ordering};
use crate::reactor::source::{Direction, Readiness, Source, Wait};
use crate::reactor::waiters::Place;
use loom::sync::atomic::AtomicBool;
use loom::thread;
use std::sync::Arc as StdArc;
use std::sync::atomic::{AtomicUsize, Ordering as StdOrdering};
use std::task::{Wake, Waker};

/// Counts its wakes. std's counter, since it is no part of what is modelled: it is read after the threads have ended.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: StdArc<Self>) {
        self.0.fetch_add(1, StdOrdering::Relaxed);
    }
}

impl Count {
    fn new() -> (StdArc<Count>, Waker) {
        let count = StdArc::new(Count::default());
        (StdArc::clone(&count), Waker::from(count))
    }

    fn wakes(&self) -> usize {
        self.0.load(StdOrdering::Relaxed)
    }
}

/// A source that was opened and found to have nothing.
fn drained() -> Source {
    let source = Source::new(0);
    assert!(source.open());
    source.clear(Direction::Read, source.state());
    source
}

/// An event, as the driver takes it in.
fn report(source: &Source, generation: u32) {
    let mut woken = Vec::new();
    source.report(generation, Readiness::READ, &mut woken);
    woken.into_iter().for_each(Waker::wake);
}

fn wait(source: &Source, place: &mut Place, waker: &Waker) -> Wait {
    source
        .wait(Direction::Read, place, waker, |_| Ok(()))
        .unwrap()
}

/// Polls a read: true if it got what there is, false if it waits.
fn read(source: &Source, has_data: &AtomicBool, place: &mut Place, waker: &Waker) -> bool {
    loop {
        let seen = source.state();
        if seen.is_ready(Direction::Read) {
            if has_data.load(Ordering::Acquire) {
                return true;
            }
            source.clear(Direction::Read, seen);
        }
        if wait(source, place, waker) == Wait::Stored {
            return false;
        }
    }
}

#[test]
fn an_event_and_a_task_that_tries_do_not_miss_each_other() {
    loom::model(|| {
        // Marked, so that the task tries before it waits, and the event may come at any point.
        let source = Arc::new(Source::new(0));
        assert!(source.open());
        let has_data = Arc::new(AtomicBool::new(false));
        let driver = thread::spawn({
            let (source, has_data) = (Arc::clone(&source), Arc::clone(&has_data));
            move || {
                has_data.store(true, Ordering::Release);
                report(&source, 0);
            }
        });
        let (count, waker) = Count::new();
        let has_read = read(&source, &has_data, &mut { Place::NOBODY }, &waker);
        driver.join().unwrap();
        assert!(
            has_read || count.wakes() == 1,
            "it sleeps though there is data"
        );
    });
}

#[test]
fn an_event_reaches_everyone_who_waits_whoever_leaves() {
    loom::model(|| {
        let source = Arc::new(drained());
        let (stays, waker) = Count::new();
        let (leaves, other) = Count::new();
        let mut place = Place::NOT_YET;
        assert_eq!(wait(&source, &mut { Place::NOT_YET }, &waker), Wait::Stored);
        assert_eq!(wait(&source, &mut place, &other), Wait::Stored);
        drop((waker, other));

        let driver = thread::spawn({
            let source = Arc::clone(&source);
            move || report(&source, 0)
        });
        source.leave(&place);
        driver.join().unwrap();
        assert_eq!(stays.wakes(), 1);
        assert!(leaves.wakes() <= 1);
        assert_eq!(StdArc::strong_count(&leaves), 1, "a waker was left behind");
    });
}

#[test]
fn an_event_under_way_means_nothing_to_the_next_descriptor() {
    loom::model(|| {
        let source = Arc::new(drained());
        let driver = thread::spawn({
            let source = Arc::clone(&source);
            move || report(&source, 0)
        });
        drop(source.close());
        source.release();
        assert!(source.open());
        source.clear(Direction::Read, source.state());
        let (count, waker) = Count::new();
        let stored = wait(&source, &mut { Place::NOBODY }, &waker);
        driver.join().unwrap();
        assert_eq!(stored, Wait::Stored, "it was told that it is ready");
        assert_eq!(count.wakes(), 0);
        assert!(!source.state().is_ready(Direction::Read));
    });
}
