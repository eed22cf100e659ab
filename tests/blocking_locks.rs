//! The `_blocking` methods: plain threads and tasks that wait for the same locks.

mod common;

use common::{Event, watchdog};
use parklet::sync::{
    Barrier, Mutex, OnceCell, RwLock, RwLockUpgradableReadGuard, RwLockUpgradableReadGuardArc,
    Semaphore,
};
use parklet::task;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// How many threads there are, and how many tasks.
const EACH: usize = 4;

/// How often each of them does its part.
const ROUNDS: usize = 200;

/// Runs the closure on threads and, wrapped into tasks by the other, in tasks; returns when all have ended.
fn beside_each_other<F>(
    on_threads: impl Fn() + Send + Sync + 'static,
    in_tasks: impl Fn() -> F + Send + Sync + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let on_threads = Arc::new(on_threads);
    let threads: Vec<_> = (0..EACH)
        .map(|_| {
            let work = Arc::clone(&on_threads);
            thread::spawn(move || (0..ROUNDS).for_each(|_| work()))
        })
        .collect();
    let in_tasks = Arc::new(in_tasks);
    let tasks: Vec<_> = (0..EACH)
        .map(|_| {
            let work = Arc::clone(&in_tasks);
            task::spawn(async move {
                for _ in 0..ROUNDS {
                    work().await;
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    task::block_on(async {
        for task in tasks {
            task.await;
        }
    });
}

#[test]
fn threads_and_tasks_take_turns_at_a_mutex() {
    let _watchdog = watchdog();
    let total = Arc::new(Mutex::new(0));
    let (by_threads, by_tasks) = (Arc::clone(&total), Arc::clone(&total));
    beside_each_other(
        move || {
            *by_threads.lock_blocking() += 1;
            *by_threads.lock_arc_blocking() += 1;
        },
        move || {
            let total = Arc::clone(&by_tasks);
            async move {
                let mut total = total.lock().await;
                let before = *total;
                task::yield_now().await;
                *total = before + 2;
            }
        },
    );
    assert_eq!(*total.lock_blocking(), 2 * EACH * ROUNDS * 2);
}

#[test]
fn threads_and_tasks_read_and_write_in_turn() {
    let _watchdog = watchdog();
    // Both are always the same, unless somebody reads while somebody writes.
    let pair = Arc::new(RwLock::new((0, 0)));
    let (by_threads, by_tasks) = (Arc::clone(&pair), Arc::clone(&pair));
    beside_each_other(
        move || {
            let mut writes = by_threads.write_blocking();
            writes.0 += 1;
            writes.1 += 1;
            drop(writes);
            let mut writes = by_threads.write_arc_blocking();
            writes.0 += 1;
            writes.1 += 1;
            drop(writes);
            let reads = by_threads.read_blocking();
            assert_eq!(reads.0, reads.1);
            drop(reads);
            let reads = by_threads.read_arc_blocking();
            assert_eq!(reads.0, reads.1);
            drop(reads);

            let reads = by_threads.upgradable_read_blocking();
            let before = reads.0;
            let mut writes = RwLockUpgradableReadGuard::upgrade_blocking(reads);
            assert_eq!(*writes, (before, before));
            writes.0 += 1;
            writes.1 += 1;
            drop(writes);
            let reads = by_threads.upgradable_read_arc_blocking();
            let before = reads.0;
            let mut writes = RwLockUpgradableReadGuardArc::upgrade_blocking(reads);
            assert_eq!(*writes, (before, before));
            writes.0 += 1;
            writes.1 += 1;
        },
        move || {
            let pair = Arc::clone(&by_tasks);
            async move {
                let mut writes = pair.write().await;
                writes.0 += 4;
                task::yield_now().await;
                writes.1 += 4;
                drop(writes);
                let reads = pair.read().await;
                task::yield_now().await;
                assert_eq!(reads.0, reads.1);
            }
        },
    );
    assert_eq!(pair.read_blocking().0, 2 * EACH * ROUNDS * 4);
}

#[test]
fn no_more_threads_and_tasks_than_permits_are_inside() {
    let _watchdog = watchdog();
    const PERMITS: usize = 2;
    let semaphore = Arc::new(Semaphore::new(PERMITS));
    let inside = Arc::new(AtomicUsize::new(0));
    let enter = |inside: &AtomicUsize| {
        assert!(inside.fetch_add(1, Ordering::SeqCst) < PERMITS);
    };
    let leave = |inside: &AtomicUsize| {
        inside.fetch_sub(1, Ordering::SeqCst);
    };
    let on_threads = (Arc::clone(&semaphore), Arc::clone(&inside));
    let in_tasks = (Arc::clone(&semaphore), Arc::clone(&inside));
    beside_each_other(
        move || {
            let (semaphore, inside) = &on_threads;
            let permit = semaphore.acquire_blocking();
            enter(inside);
            leave(inside);
            drop(permit);
            let permit = semaphore.acquire_arc_blocking();
            enter(inside);
            leave(inside);
            drop(permit);
        },
        move || {
            let (semaphore, inside) = in_tasks.clone();
            async move {
                let _permit = semaphore.acquire().await;
                enter(&inside);
                task::yield_now().await;
                leave(&inside);
            }
        },
    );
    assert_eq!(semaphore.available_permits(), PERMITS);
}

#[test]
fn threads_and_tasks_pass_a_barrier_together() {
    let _watchdog = watchdog();
    let barrier = Arc::new(Barrier::new(2 * EACH));
    let leaders = Arc::new(AtomicUsize::new(0));
    let on_threads = (Arc::clone(&barrier), Arc::clone(&leaders));
    let in_tasks = (Arc::clone(&barrier), Arc::clone(&leaders));
    beside_each_other(
        move || {
            let is_leader = on_threads.0.wait_blocking().is_leader();
            on_threads.1.fetch_add(is_leader.into(), Ordering::SeqCst);
        },
        move || {
            let (barrier, leaders) = in_tasks.clone();
            async move {
                let is_leader = barrier.wait().await.is_leader();
                leaders.fetch_add(is_leader.into(), Ordering::SeqCst);
            }
        },
    );
    assert_eq!(leaders.load(Ordering::SeqCst), ROUNDS);
}

#[test]
fn a_thread_waits_for_the_value_that_a_task_makes() {
    let _watchdog = watchdog();
    let cell = Arc::new(OnceCell::new());
    let (begun, go_on) = (Event::default(), Event::default());
    let making = task::spawn({
        let (cell, begun, go_on) = (Arc::clone(&cell), begun.clone(), go_on.clone());
        async move {
            let made = cell.get_or_init(async || {
                begun.set();
                go_on.wait().await;
                "the task's"
            });
            made.await;
        }
    });
    begun.block();
    let threads: Vec<_> = (0..EACH)
        .map(|thread| {
            let cell = Arc::clone(&cell);
            thread::spawn(move || match thread {
                0 => *cell.wait_blocking(),
                1 => cell.get_or_init_blocking(|| "a thread's"),
                2 => cell
                    .get_or_try_init_blocking(|| Ok::<_, ()>("a thread's"))
                    .unwrap(),
                _ => {
                    assert_eq!(cell.set_blocking("a thread's"), Err("a thread's"));
                    cell.get().unwrap()
                }
            })
        })
        .collect();
    go_on.set();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), "the task's");
    }
    task::block_on(making);
}

#[test]
fn a_blocking_call_in_a_task_whose_budget_is_spent_comes_through() {
    let _watchdog = watchdog();
    task::block_on(async {
        let mutex = Mutex::new(0);
        // More often than one poll may act: a budget that is not lent anew would stand still here.
        for _ in 0..10_000 {
            *mutex.lock_blocking() += 1;
        }
        assert_eq!(mutex.into_inner(), 10_000);
    });
}
