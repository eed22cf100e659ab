//! The async mutex: who gets it, in which order, and what happens to those who go away.

mod common;

use common::{poll, poll_with};
use parklet::sync::{Mutex, MutexGuard, MutexGuardArc};
use parklet::task;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::thread;

#[test]
fn a_free_mutex_is_locked_by_the_first_poll() {
    let mutex = Mutex::new(1);
    let Poll::Ready(guard) = poll(pin!(mutex.lock())) else {
        panic!("nobody holds it");
    };
    assert_eq!(*guard, 1);
    assert!(mutex.try_lock().is_none());
    drop(guard);
    assert!(mutex.try_lock().is_some());
}

#[test]
fn the_lock_is_handed_over_in_the_order_of_asking() {
    let mutex = Mutex::new(());
    let mut held = mutex.try_lock();
    let mut waiters: Vec<_> = (0..5).map(|_| (mutex.lock(), Arc::default())).collect();
    for (lock, wakes) in &mut waiters {
        assert!(poll_with(Pin::new(lock), wakes).is_pending());
    }
    for turn in 0..5 {
        drop(held.take());
        let woken: Vec<_> = waiters.iter().map(|(_, wakes)| wakes.count()).collect();
        let expected: Vec<_> = (0..5).map(|waiter| usize::from(waiter <= turn)).collect();
        assert_eq!(woken, expected, "after {} unlocks", turn + 1);
        // Nobody gets in between, and of the others nobody gets it, though they ask first.
        assert!(mutex.try_lock().is_none());
        for (later, wakes) in &mut waiters[turn + 1..] {
            assert!(poll_with(Pin::new(later), wakes).is_pending());
        }
        let (lock, wakes) = &mut waiters[turn];
        let Poll::Ready(guard) = poll_with(Pin::new(lock), wakes) else {
            panic!("it is waiter {turn}'s");
        };
        held = Some(guard);
    }
    drop(held);
    assert!(mutex.try_lock().is_some());
}

#[test]
fn a_waiter_that_is_dropped_after_being_notified_hands_the_lock_on() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock();
    let (first, second) = (Arc::default(), Arc::default());
    let mut dropped = Box::pin(mutex.lock());
    let mut waits = Box::pin(mutex.lock());
    assert!(poll_with(dropped.as_mut(), &first).is_pending());
    assert!(poll_with(waits.as_mut(), &second).is_pending());

    drop(guard);
    assert_eq!((first.count(), second.count()), (1, 0));
    drop(dropped);
    assert_eq!((first.count(), second.count()), (1, 1));
    assert!(poll_with(waits.as_mut(), &second).is_ready());
}

#[test]
fn an_owned_lock_that_is_dropped_after_being_notified_hands_the_lock_on() {
    let mutex = Arc::new(Mutex::new(()));
    let guard = mutex.try_lock_arc();
    let wakes = Arc::default();
    let mut dropped = Box::pin(mutex.lock_arc());
    let mut waits = Box::pin(mutex.lock_arc());
    assert!(poll(dropped.as_mut()).is_pending());
    assert!(poll_with(waits.as_mut(), &wakes).is_pending());

    drop(guard);
    drop(dropped);
    assert_eq!(wakes.count(), 1);
    let Poll::Ready(guard) = poll(waits.as_mut()) else {
        panic!("the lock was handed on");
    };
    drop(waits);
    assert!(Arc::ptr_eq(MutexGuardArc::source(&guard), &mutex));
    assert!(mutex.try_lock().is_none());
}

#[test]
fn the_lock_is_free_when_all_who_waited_have_gone() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock();
    let mut waiters: Vec<_> = (0..3).map(|_| Box::pin(mutex.lock())).collect();
    for waiter in &mut waiters {
        assert!(poll(waiter.as_mut()).is_pending());
    }
    // The one in the middle before the lock is free, the first one with the lock, the last one after that.
    drop(waiters.remove(1));
    drop(guard);
    drop(waiters.remove(0));
    assert!(mutex.try_lock().is_none());
    drop(waiters);
    assert!(mutex.try_lock().is_some());
}

#[test]
fn a_lock_that_is_dropped_midway_changes_nothing() {
    let mutex = Mutex::new(7);
    let guard = mutex.try_lock();
    {
        let lock = pin!(mutex.lock());
        assert!(poll(lock).is_pending());
    }
    drop(guard);
    assert_eq!(mutex.try_lock().as_deref(), Some(&7));
}

#[test]
fn the_task_that_polled_last_is_woken() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock();
    let (before, after) = (Arc::default(), Arc::default());
    let mut lock = pin!(mutex.lock());
    assert!(poll_with(lock.as_mut(), &before).is_pending());
    assert!(poll_with(lock.as_mut(), &after).is_pending());
    assert_eq!(Arc::strong_count(&before), 1, "a replaced waker is dropped");
    drop(guard);
    assert_eq!((before.count(), after.count()), (0, 1));
}

#[test]
fn a_dropped_waiter_leaves_no_waker_behind() {
    let mutex = Mutex::new(());
    let _guard = mutex.try_lock();
    let wakes = Arc::default();
    let mut lock = Box::pin(mutex.lock());
    assert!(poll_with(lock.as_mut(), &wakes).is_pending());
    assert_eq!(Arc::strong_count(&wakes), 2);
    drop(lock);
    assert_eq!(Arc::strong_count(&wakes), 1);
}

#[test]
fn a_panic_while_it_is_locked_unlocks_it() {
    let mutex = Mutex::new(vec![1]);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        mutex.try_lock().unwrap().push(2);
        let _guard = mutex.try_lock();
        panic!("while locked");
    }));
    assert!(panicked.is_err());
    assert_eq!(mutex.into_inner(), [1, 2]);
}

#[test]
fn guards_go_where_their_value_may_go() {
    fn is_send<T: Send>(_: &T) {}
    fn is_sync<T: Sync>(_: &T) {}
    // A Cell may be sent, but not shared: so may its guard be sent, and its mutex be sent and shared.
    let mutex = Arc::new(Mutex::new(std::cell::Cell::new(1)));
    is_send(&mutex);
    is_sync(&mutex);
    is_send(&mutex.try_lock().unwrap());
    is_send(&mutex.try_lock_arc().unwrap());
    is_send(&mutex.lock());
    is_send(&mutex.lock_arc());
    let mutex = Arc::new(Mutex::new(1));
    is_sync(&mutex.try_lock().unwrap());
    is_sync(&mutex.try_lock_arc().unwrap());
}

#[test]
fn unsized_values_can_be_locked() {
    let mutex: Arc<Mutex<[u8]>> = Arc::new(Mutex::new([1, 2, 3]));
    mutex.try_lock().unwrap()[0] = 9;
    assert_eq!(**mutex.try_lock_arc().as_ref().unwrap(), [9, 2, 3]);
}

#[test]
fn it_says_what_is_in_it_or_that_it_is_locked() {
    let mutex = Mutex::from(7);
    assert_eq!(format!("{mutex:?}"), "Mutex { value: 7 }");
    let guard = mutex.try_lock().unwrap();
    assert_eq!(format!("{mutex:?}"), "Mutex { value: <locked> }");
    assert_eq!(format!("{guard:?} {guard}"), "7 7");
    assert!(std::ptr::eq(MutexGuard::source(&guard), &raw const mutex));
    drop(guard);
    assert_eq!(Mutex::<u32>::default().into_inner(), 0);
}

/// Counts up under the lock, and notices if somebody else is there.
struct Counter {
    mutex: Mutex<u64>,
    is_inside: AtomicBool,
}

impl Counter {
    fn new() -> Arc<Counter> {
        Arc::new(Counter {
            mutex: Mutex::new(0),
            is_inside: AtomicBool::new(false),
        })
    }

    fn count(&self, mut guard: MutexGuard<'_, u64>) {
        assert!(!self.is_inside.swap(true, Ordering::SeqCst), "two at once");
        *guard += 1;
        assert!(self.is_inside.swap(false, Ordering::SeqCst));
    }
}

#[test]
fn no_two_threads_hold_it_at_once() {
    const THREADS: u64 = 4;
    const ROUNDS: u64 = 500;
    let counter = Counter::new();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    let guard = task::block_on(counter.mutex.lock());
                    counter.count(guard);
                }
            });
        }
    });
    assert_eq!(*counter.mutex.try_lock().unwrap(), THREADS * ROUNDS);
}

#[test]
fn no_turn_is_lost_when_waiters_come_and_go() {
    const THREADS: u64 = 4;
    const ROUNDS: u64 = 500;
    let counter = Counter::new();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let counter = &counter;
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    // Some wait a moment and go away, with the lock or without it.
                    let mut impatient = Box::pin(counter.mutex.lock());
                    let _maybe_locked = poll(impatient.as_mut()).is_ready();
                    if (thread + round) % 2 == 0 {
                        thread::yield_now();
                    }
                    drop(impatient);
                    let guard = task::block_on(counter.mutex.lock());
                    counter.count(guard);
                }
            });
        }
    });
    assert_eq!(*counter.mutex.try_lock().unwrap(), THREADS * ROUNDS);
}

#[test]
fn tasks_hold_it_across_an_await_and_move_between_threads() {
    const TASKS: u64 = 50;
    const ROUNDS: u64 = 20;
    let mutex = Arc::new(Mutex::new(0));
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let mutex = Arc::clone(&mutex);
            task::spawn(async move {
                for _ in 0..ROUNDS {
                    let mut guard = mutex.lock().await;
                    let seen = *guard;
                    task::yield_now().await;
                    *guard = seen + 1;
                }
            })
        })
        .collect();
    task::block_on(async {
        for task in tasks {
            task.await;
        }
    });
    assert_eq!(*mutex.try_lock().unwrap(), TASKS * ROUNDS);
}
