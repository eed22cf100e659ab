//! The semaphore: how many at a time, in which order, and what becomes of the permits of those who go away.

mod common;

use common::{Waiter, poll, watchdog, with_workers};
use parklet::sync::{Barrier, Semaphore};
use parklet::task;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::thread;

#[test]
fn there_are_as_many_permits_as_were_asked_for() {
    let semaphore = Semaphore::new(3);
    let permits: Vec<_> = (0..3).map(|_| semaphore.try_acquire().unwrap()).collect();
    assert!(semaphore.try_acquire().is_none());
    assert!(poll(pin!(semaphore.acquire())).is_pending());
    assert_eq!(semaphore.available_permits(), 0);
    drop(permits);
    assert_eq!(semaphore.available_permits(), 3);
    assert!(poll(pin!(semaphore.acquire())).is_ready());
    assert_eq!(
        format!("{semaphore:?}"),
        "Semaphore { available_permits: 3 }"
    );
}

#[test]
fn permits_are_handed_over_in_the_order_of_asking() {
    let semaphore = Semaphore::new(1);
    let mut held = semaphore.try_acquire();
    let mut waiters: Vec<_> = (0..5).map(|_| Waiter::new(semaphore.acquire())).collect();
    for turn in 0..5 {
        drop(held.take());
        let woken: Vec<_> = waiters.iter().map(|waiter| waiter.wakes.count()).collect();
        let expected: Vec<_> = (0..5).map(|waiter| usize::from(waiter <= turn)).collect();
        assert_eq!(woken, expected, "after {} returns", turn + 1);
        // Nobody gets in between, and of the others nobody gets it, though they ask first.
        assert!(semaphore.try_acquire().is_none());
        assert!(
            waiters[turn + 1..]
                .iter_mut()
                .all(|later| later.poll().is_pending())
        );
        let Poll::Ready(permit) = waiters[turn].poll() else {
            panic!("it is waiter {turn}'s");
        };
        held = Some(permit);
    }
    drop(held);
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn a_waiter_that_is_dropped_after_being_notified_hands_its_permit_on() {
    let semaphore = Semaphore::new(0);
    let dropped = Waiter::new(semaphore.acquire());
    let mut waits = Waiter::new(semaphore.acquire());
    semaphore.add_permits(1);
    assert_eq!((dropped.wakes.count(), waits.wakes.count()), (1, 0));
    drop(dropped);
    assert_eq!(waits.wakes.count(), 1);
    assert!(waits.poll().is_ready());
}

#[test]
fn an_owned_waiter_that_is_dropped_after_being_notified_hands_its_permit_on() {
    let semaphore = Arc::new(Semaphore::new(0));
    let dropped = Waiter::new(semaphore.acquire_arc());
    let mut waits = Waiter::new(semaphore.acquire_arc());
    semaphore.add_permits(1);
    drop(dropped);
    assert_eq!(waits.wakes.count(), 1);
    assert!(waits.poll().is_ready());
    drop(waits);
    assert_eq!(Arc::strong_count(&semaphore), 1);
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn permits_are_free_when_all_who_waited_have_gone() {
    let semaphore = Semaphore::new(0);
    let mut waiters: Vec<_> = (0..3).map(|_| Waiter::new(semaphore.acquire())).collect();
    // The one in the middle before there are permits, the first one with one, the last one after that.
    drop(waiters.remove(1));
    semaphore.add_permits(1);
    drop(waiters.remove(0));
    assert_eq!(semaphore.available_permits(), 0);
    drop(waiters);
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn a_dropped_waiter_leaves_no_waker_behind() {
    let semaphore = Semaphore::new(0);
    let waiter = Waiter::new(semaphore.acquire());
    assert_eq!(Arc::strong_count(&waiter.wakes), 2);
    let Waiter { future, wakes } = waiter;
    drop(future);
    assert_eq!(Arc::strong_count(&wakes), 1);
}

#[test]
fn a_burst_of_permits_goes_to_the_first_and_the_rest_is_free() {
    let semaphore = Semaphore::new(0);
    let mut waiters: Vec<_> = (0..5).map(|_| Waiter::new(semaphore.acquire())).collect();
    semaphore.add_permits(3);
    let woken: Vec<_> = waiters.iter().map(|waiter| waiter.wakes.count()).collect();
    assert_eq!(woken, [1, 1, 1, 0, 0]);
    assert_eq!(semaphore.available_permits(), 0);
    semaphore.add_permits(3);
    assert_eq!(semaphore.available_permits(), 1);
    for waiter in &mut waiters {
        let Poll::Ready(permit) = waiter.poll() else {
            panic!("there are enough for all");
        };
        permit.forget();
    }
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn forgotten_permits_do_not_come_back() {
    let semaphore = Arc::new(Semaphore::new(4));
    semaphore.try_acquire().unwrap().forget();
    semaphore.try_acquire_arc().unwrap().forget();
    assert_eq!(Arc::strong_count(&semaphore), 1);
    assert_eq!(semaphore.available_permits(), 2);
    assert_eq!(semaphore.forget_permits(usize::MAX), 2);
    let mut waiter = Waiter::new(semaphore.acquire());
    assert_eq!(
        semaphore.forget_permits(1),
        0,
        "none is free while somebody waits"
    );
    semaphore.add_permits(1);
    assert!(waiter.poll().is_ready());
}

#[test]
fn too_many_permits_are_refused_and_nothing_is_added() {
    let refused = |add: &dyn Fn()| {
        let panic = catch_unwind(AssertUnwindSafe(add)).unwrap_err();
        common::panic_message(&*panic).to_owned()
    };
    assert_eq!(
        refused(&|| drop(Semaphore::new(usize::MAX))),
        "a semaphore can have at most Semaphore::MAX_PERMITS permits"
    );
    let semaphore = Semaphore::new(Semaphore::MAX_PERMITS);
    let said = refused(&|| semaphore.add_permits(1));
    let max = Semaphore::MAX_PERMITS;
    assert_eq!(
        said,
        format!("cannot add 1 permits to {max} free ones: a semaphore can have at most {max}")
    );
    assert_eq!(semaphore.available_permits(), max);
    semaphore.add_permits(0);

    let semaphore = Semaphore::new(0);
    let waiter = Waiter::new(semaphore.acquire());
    refused(&|| semaphore.add_permits(usize::MAX));
    assert_eq!(waiter.wakes.count(), 0);
}

#[test]
fn a_panic_returns_the_permit() {
    let semaphore = Semaphore::new(1);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _permit = semaphore.try_acquire();
        panic!("with a permit");
    }));
    assert!(panicked.is_err());
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn permits_may_be_sent_and_shared() {
    fn is_send_and_sync<T: Send + Sync>(_: &T) {}
    let semaphore = Arc::new(Semaphore::new(2));
    is_send_and_sync(&semaphore);
    is_send_and_sync(&semaphore.try_acquire().unwrap());
    is_send_and_sync(&semaphore.try_acquire_arc().unwrap());
    is_send_and_sync(&semaphore.acquire());
    is_send_and_sync(&semaphore.acquire_arc());
}

#[test]
fn a_task_that_never_has_to_wait_lets_others_run() {
    let semaphore = Semaphore::new(1);
    let mut endless = pin!(async {
        loop {
            drop(semaphore.acquire().await);
        }
    });
    // Outside a task nobody counts, so this has to be one for the poll to come back.
    let _watchdog = watchdog();
    task::block_on(async {
        let ended = std::future::poll_fn(|cx| Poll::Ready(endless.as_mut().poll(cx).is_ready()));
        let ended: bool = ended.await;
        assert!(!ended);
    });
}

/// Counts those who are inside, and the most there ever were.
#[derive(Default)]
struct Inside {
    now: AtomicUsize,
    most: AtomicUsize,
    entries: AtomicUsize,
}

impl Inside {
    fn enter(&self) {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        self.entries.fetch_add(1, Ordering::SeqCst);
    }

    fn leave(&self) {
        self.now.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn never_more_tasks_than_permits_are_inside() {
    const TASKS: usize = 60;
    const ROUNDS: usize = 20;
    with_workers([1, 2, 8], || {
        for permits in [1, 2, 5] {
            let semaphore = Arc::new(Semaphore::new(permits));
            let inside = Arc::new(Inside::default());
            // The first time each task stays until there are as many inside as there may be.
            let full = Arc::new(Barrier::new(permits));
            let tasks: Vec<_> = (0..TASKS)
                .map(|_| {
                    let (semaphore, inside) = (Arc::clone(&semaphore), Arc::clone(&inside));
                    let full = Arc::clone(&full);
                    task::spawn(async move {
                        for round in 0..ROUNDS {
                            let _permit = semaphore.acquire().await;
                            inside.enter();
                            match round {
                                0 => _ = full.wait().await,
                                _ => task::yield_now().await,
                            }
                            inside.leave();
                        }
                    })
                })
                .collect();
            task::block_on(async {
                for task in tasks {
                    task.await;
                }
            });
            assert_eq!(inside.entries.load(Ordering::SeqCst), TASKS * ROUNDS);
            assert_eq!(inside.most.load(Ordering::SeqCst), permits);
            assert_eq!(semaphore.available_permits(), permits);
        }
    });
}

#[test]
fn no_permit_is_lost_when_waiters_come_and_go() {
    const THREADS: usize = 4;
    const ROUNDS: usize = 500;
    let _watchdog = watchdog();
    let semaphore = Semaphore::new(2);
    let inside = Inside::default();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (semaphore, inside) = (&semaphore, &inside);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    // Some wait a moment and go away, with a permit or without one.
                    let mut impatient = Box::pin(semaphore.acquire());
                    let _maybe_a_permit = poll(impatient.as_mut());
                    if (thread + round) % 2 == 0 {
                        thread::yield_now();
                    }
                    drop(impatient);
                    drop(_maybe_a_permit);
                    let permit = task::block_on(semaphore.acquire());
                    inside.enter();
                    inside.leave();
                    drop(permit);
                }
            });
        }
    });
    assert_eq!(inside.entries.load(Ordering::SeqCst), THREADS * ROUNDS);
    assert!(inside.most.load(Ordering::SeqCst) <= 2);
    assert_eq!(semaphore.available_permits(), 2);
}
