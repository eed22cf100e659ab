//! The barrier: who passes together, who leads, and what happens when one goes away.

mod common;

use common::{CountWakes, poll_with, watchdog, with_workers};
use parklet::future::{race, timeout};
use parklet::sync::{Barrier, BarrierWaitResult};
use parklet::task;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

/// Somebody who waits, polled once, and who counts its wakes.
struct Waiter<'a> {
    future: Pin<Box<dyn Future<Output = BarrierWaitResult> + 'a>>,
    wakes: Arc<CountWakes>,
}

impl Waiter<'_> {
    #[track_caller]
    fn at(barrier: &Barrier) -> Waiter<'_> {
        let mut waiter = Waiter {
            future: Box::pin(barrier.wait()),
            wakes: Arc::default(),
        };
        assert!(waiter.poll().is_pending());
        waiter
    }

    fn poll(&mut self) -> Poll<BarrierWaitResult> {
        poll_with(Pin::new(&mut self.future), &self.wakes)
    }

    /// Whether it has passed, and does not lead.
    fn follows(&mut self) -> bool {
        self.wakes.count() == 1 && matches!(self.poll(), Poll::Ready(result) if !result.is_leader())
    }
}

/// Whether the one who comes now completes the group.
fn completes(barrier: &Barrier) -> bool {
    let mut wait = Box::pin(barrier.wait());
    matches!(poll_with(wait.as_mut(), &Arc::default()), Poll::Ready(result) if result.is_leader())
}

#[test]
fn nobody_passes_before_the_last_one_has_come() {
    let barrier = Barrier::new(3);
    let (mut first, mut second) = (Waiter::at(&barrier), Waiter::at(&barrier));
    assert!(first.poll().is_pending());
    assert!(completes(&barrier));
    assert!(first.follows());
    assert!(second.follows());
}

#[test]
fn the_next_to_come_are_a_new_group() {
    let barrier = Barrier::new(2);
    let mut first = Waiter::at(&barrier);
    assert!(completes(&barrier));
    // The first one has not looked yet; that is no concern of the second group.
    let mut second = Waiter::at(&barrier);
    assert!(first.follows());
    assert!(second.poll().is_pending());
    assert!(completes(&barrier));
    assert!(second.follows());
}

#[test]
fn with_groups_of_none_or_one_nobody_waits() {
    for size in [0, 1] {
        let barrier = Barrier::new(size);
        assert!((0..3).all(|_| completes(&barrier)));
    }
}

#[test]
fn a_huge_group_is_never_complete() {
    let barrier = Barrier::new(usize::MAX);
    let _waiters: Vec<_> = (0..100).map(|_| Waiter::at(&barrier)).collect();
    assert!(!completes(&barrier));
    let waited = task::block_on(timeout(Duration::from_millis(1), barrier.wait()));
    assert!(waited.is_err());
}

#[test]
fn who_goes_away_while_it_waits_is_not_counted() {
    let barrier = Barrier::new(3);
    let mut first = Waiter::at(&barrier);
    let gone = Waiter::at(&barrier);
    assert_eq!(Arc::strong_count(&gone.wakes), 2);
    let Waiter { future, wakes } = gone;
    drop(future);
    assert_eq!(Arc::strong_count(&wakes), 1);

    let mut third = Waiter::at(&barrier);
    assert!(first.poll().is_pending());
    assert!(completes(&barrier));
    assert!(first.follows());
    assert!(third.follows());
}

#[test]
fn who_goes_away_after_the_group_was_complete_has_passed() {
    let barrier = Barrier::new(3);
    let gone = Waiter::at(&barrier);
    let mut other = Waiter::at(&barrier);
    assert!(completes(&barrier));
    let mut next = Waiter::at(&barrier);
    drop(gone);
    assert!(other.follows());
    let mut last = Waiter::at(&barrier);
    assert!(next.poll().is_pending());
    assert!(completes(&barrier));
    assert!(next.follows());
    assert!(last.follows());
}

#[test]
fn it_may_be_sent_and_shared() {
    fn is_send_and_sync<T: Send + Sync>(_: &T) {}
    let barrier = Barrier::new(1);
    is_send_and_sync(&barrier);
    is_send_and_sync(&barrier.wait());
    assert_eq!(format!("{barrier:?}"), "Barrier { .. }");
}

#[test]
fn who_never_has_to_wait_lets_others_run() {
    let _watchdog = watchdog();
    let barrier = Barrier::new(1);
    let passes = async {
        loop {
            barrier.wait().await;
        }
    };
    task::block_on(race(task::yield_now(), passes));
}

#[test]
fn each_round_has_one_leader_and_no_task_is_a_round_ahead() {
    const TASKS: usize = 10;
    const ROUNDS: usize = 100;
    with_workers([1, 2, 8], || {
        let barrier = Arc::new(Barrier::new(TASKS));
        let (arrived, leaders) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| {
                let barrier = Arc::clone(&barrier);
                let (arrived, leaders) = (Arc::clone(&arrived), Arc::clone(&leaders));
                task::spawn(async move {
                    for round in 1..=ROUNDS {
                        arrived.fetch_add(1, Ordering::SeqCst);
                        if barrier.wait().await.is_leader() {
                            leaders.fetch_add(1, Ordering::SeqCst);
                        }
                        assert!(arrived.load(Ordering::SeqCst) >= round * TASKS);
                        barrier.wait().await;
                        assert_eq!(leaders.load(Ordering::SeqCst), round);
                        barrier.wait().await;
                    }
                })
            })
            .collect();
        task::block_on(async {
            for task in tasks {
                task.await;
            }
        });
        assert_eq!(arrived.load(Ordering::SeqCst), TASKS * ROUNDS);
        assert_eq!(leaders.load(Ordering::SeqCst), ROUNDS);
    });
}

#[test]
fn tasks_that_come_and_go_keep_no_group_from_passing() {
    const ROUNDS: usize = 200;
    // In groups of five the four tasks never pass, so all of them go away.
    let come_and_go = |size| {
        let barrier = Arc::new(Barrier::new(size));
        let passed = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let (barrier, passed) = (Arc::clone(&barrier), Arc::clone(&passed));
                task::spawn(async move {
                    for _ in 0..ROUNDS {
                        // Waits a moment and goes away, unless somebody comes.
                        let went_away = async {
                            task::yield_now().await;
                            false
                        };
                        let has_passed = async {
                            barrier.wait().await;
                            true
                        };
                        if race(has_passed, went_away).await {
                            passed.fetch_add(1, Ordering::SeqCst);
                        }
                    }
                })
            })
            .collect();
        task::block_on(async {
            for task in tasks {
                task.await;
            }
            // Nobody is counted who has gone.
            let mut group: Vec<_> = (1..size).map(|_| Waiter::at(&barrier)).collect();
            assert!(completes(&barrier));
            assert!(group.iter_mut().all(Waiter::follows));
        });
        assert!(size < 5 || passed.load(Ordering::SeqCst) == 0);
    };
    with_workers([1, 2, 8], || [2, 3, 5].into_iter().for_each(come_and_go));
}
