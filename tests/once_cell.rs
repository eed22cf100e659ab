//! The cell that is filled once: who makes the value, who waits, and what happens when making it fails.

mod common;

use common::{Drops, Event, Log, Waiter, pend_once, poll, watchdog, with_workers};
use parklet::future::race;
use parklet::sync::OnceCell;
use parklet::task;
use std::convert::Infallible;
use std::future::{Future, pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

/// Makes the value after one poll that is pending.
async fn slowly(value: u32) -> u32 {
    pend_once().await;
    value
}

#[test]
fn the_value_is_made_once() {
    let cell = OnceCell::new();
    assert_eq!((cell.get(), cell.is_initialized()), (None, false));
    assert_eq!(task::block_on(cell.get_or_init(|| ready(1))), &1);
    assert_eq!((cell.get(), cell.is_initialized()), (Some(&1), true));
    let never = || -> std::future::Ready<u32> { panic!("there is a value") };
    assert_eq!(task::block_on(cell.get_or_init(never)), &1);
    assert_eq!(poll(pin!(cell.wait())), Poll::Ready(&1));
}

#[test]
fn who_asks_meanwhile_waits_for_the_same_value() {
    let cell = OnceCell::new();
    let mut makes = Waiter::new(cell.get_or_init(|| slowly(1)));
    let mut asks: Vec<_> = (2..5)
        .map(|value| Waiter::new(cell.get_or_init(move || slowly(value))))
        .collect();
    let mut sets = Waiter::new(cell.set(7));
    let mut watches = Waiter::new(cell.wait());
    assert_eq!(cell.try_set(8), Err(8));
    assert_eq!(cell.get(), None);

    assert_eq!(makes.poll(), Poll::Ready(&1));
    for waiter in &mut asks {
        assert_eq!(waiter.wakes.count(), 1);
        assert_eq!(waiter.get(), &1);
    }
    assert_eq!(sets.get(), Err(7));
    assert_eq!(watches.get(), &1);
}

#[test]
fn when_it_fails_the_next_in_line_makes_it() {
    let cell = OnceCell::new();
    let mut fails = Waiter::new(cell.get_or_try_init(async || {
        slowly(1).await;
        Err::<u32, _>("not now")
    }));
    let mut watches = Waiter::new(cell.wait());
    let mut next = Waiter::new(cell.get_or_try_init(async || Ok::<_, &str>(slowly(2).await)));
    let mut last = Waiter::new(cell.get_or_init(|| slowly(3)));

    assert_eq!(fails.poll(), Poll::Ready(Err("not now")));
    assert_eq!((next.wakes.count(), last.wakes.count()), (1, 0));
    // It is the next one's, polled or not.
    assert_eq!(cell.try_set(9), Err(9));
    assert!(next.poll().is_pending());
    assert_eq!(next.poll(), Poll::Ready(Ok(&2)));
    assert_eq!(last.get(), &2);
    assert_eq!(watches.get(), &2);
}

#[test]
fn a_cell_in_which_nobody_succeeded_is_empty() {
    let cell = OnceCell::new();
    let fails = cell.get_or_try_init(async || Err::<u32, _>("not now"));
    assert_eq!(task::block_on(fails), Err("not now"));
    assert_eq!(cell.get(), None);
    assert_eq!(cell.try_set(1), Ok(()));
    assert_eq!(cell.get(), Some(&1));
}

#[test]
fn a_panic_leaves_it_to_the_next_in_line() {
    let cell = OnceCell::new();
    for panics_at_once in [true, false] {
        let mut panics = Box::pin(cell.get_or_init(|| async move {
            if !panics_at_once {
                pend_once().await;
            }
            panic!("while it makes the value")
        }));
        if !panics_at_once {
            assert!(poll(panics.as_mut()).is_pending());
        }
        let next = (!panics_at_once).then(|| Waiter::new(cell.get_or_init(|| slowly(2))));
        let panicked = catch_unwind(AssertUnwindSafe(|| poll(panics.as_mut()).is_ready()));
        assert!(panicked.is_err());
        assert_eq!(cell.get(), None);
        if let Some(mut next) = next {
            assert_eq!(next.wakes.count(), 1);
            assert!(next.poll().is_pending());
            assert_eq!(next.poll(), Poll::Ready(&2));
        }
    }
    // Also a panic before there is a future.
    let cell = OnceCell::new();
    let panics = || -> std::future::Ready<u32> { panic!("before it makes the value") };
    assert!(
        catch_unwind(AssertUnwindSafe(|| task::block_on(
            cell.get_or_init(panics)
        )))
        .is_err()
    );
    assert_eq!(cell.try_set(1), Ok(()));
}

#[test]
fn an_initializer_that_is_dropped_midway_leaves_it_to_the_next_in_line() {
    let cell = OnceCell::new();
    let drops = Drops::default();
    let guard = drops.guard();
    let midway = Waiter::new(cell.get_or_init(|| async move {
        let _guard = guard;
        pending().await
    }));
    let mut next = Waiter::new(cell.get_or_init(|| slowly(2)));
    assert_eq!(drops.count(), 0);
    drop(midway);
    assert_eq!((drops.count(), next.wakes.count()), (1, 1));
    assert!(next.poll().is_pending());
    assert_eq!(next.poll(), Poll::Ready(&2));
}

#[test]
fn a_waiter_that_is_dropped_before_its_turn_and_one_after_it_are_passed_over() {
    let cell = OnceCell::<u32>::new();
    let makes = Waiter::new(cell.get_or_init(pending));
    let before = Waiter::new(cell.get_or_init(pending));
    let after = Waiter::new(cell.get_or_init(pending));
    let mut next = Waiter::new(cell.set(3));
    drop(before);
    drop(makes);
    assert_eq!((after.wakes.count(), next.wakes.count()), (1, 0));
    drop(after);
    assert_eq!(next.get(), Ok(&3));
}

#[test]
fn it_is_empty_when_all_who_waited_have_gone() {
    let cell = OnceCell::<u32>::new();
    let makes = Waiter::new(cell.get_or_init(pending));
    let waits = Waiter::new(cell.get_or_init(pending));
    let watches = Waiter::new(cell.wait());
    drop(makes);
    drop(waits);
    assert_eq!(watches.wakes.count(), 0);
    drop(watches);
    assert_eq!(cell.try_set(1), Ok(()));
}

#[test]
fn waiters_that_are_dropped_when_it_is_full_change_nothing() {
    let cell = OnceCell::new();
    let mut makes = Waiter::new(cell.get_or_init(|| slowly(1)));
    let waits = Waiter::new(cell.get_or_init(pending));
    let watches = Waiter::new(cell.wait());
    assert!(makes.poll().is_ready());
    drop((waits, watches));
    assert_eq!(cell.get(), Some(&1));
}

#[test]
fn a_dropped_waiter_leaves_no_waker_behind() {
    let cell = OnceCell::<u32>::new();
    let _makes = Waiter::new(cell.get_or_init(pending));
    let waiters: [Waiter<Pin<Box<dyn Future<Output = ()> + '_>>>; 3] = [
        Waiter::new(Box::pin(async { _ = cell.get_or_init(pending).await })),
        Waiter::new(Box::pin(async { _ = cell.set(1).await })),
        Waiter::new(Box::pin(async { _ = cell.wait().await })),
    ];
    for Waiter { future, wakes } in waiters {
        assert_eq!(Arc::strong_count(&wakes), 2);
        drop(future);
        assert_eq!(Arc::strong_count(&wakes), 1);
    }
}

#[test]
fn who_has_it_alone_may_change_it_and_take_the_value_out() {
    let mut cell = OnceCell::new();
    assert_eq!(cell.get_mut(), None);
    assert_eq!(cell.take(), None);
    assert_eq!(task::block_on(cell.set(1)), Ok(&1));
    assert_eq!(task::block_on(cell.set(2)), Err(2));
    *cell.get_mut().unwrap() += 1;
    assert_eq!(cell.take(), Some(2));
    assert_eq!(cell.get(), None);
    assert_eq!(task::block_on(cell.set(3)), Ok(&3));
    assert_eq!(cell.into_inner(), Some(3));
    assert_eq!(OnceCell::<u32>::new().into_inner(), None);
}

#[test]
fn a_value_is_dropped_once_with_its_cell() {
    let drops = Drops::default();
    let mut cell = OnceCell::from(drops.guard());
    drop(cell.take());
    assert_eq!(drops.count(), 1);
    assert!(cell.try_set(drops.guard()).is_ok());
    drop(cell);
    assert_eq!(drops.count(), 2);
}

#[test]
fn cells_are_compared_cloned_and_shown_by_their_values() {
    let (empty, full) = (OnceCell::new(), OnceCell::from(7));
    assert_eq!(empty, OnceCell::default());
    assert_ne!(empty, full);
    assert_eq!(full.clone(), full);
    assert_eq!(empty.clone(), empty);
    assert_eq!(
        format!("{empty:?} {full:?}"),
        "OnceCell(<empty>) OnceCell(7)"
    );
}

#[test]
fn a_cell_goes_where_its_value_may_go() {
    fn is_send_and_sync<T: Send + Sync>(_: &T) {}
    fn is_send<T: Send>(_: &T) {}
    let cell = OnceCell::new();
    is_send_and_sync(&cell);
    is_send_and_sync(&cell.wait());
    is_send_and_sync(&cell.set(1));
    is_send_and_sync(&cell.get_or_init(|| ready(1)));
    is_send_and_sync(&cell.get_or_try_init(|| ready(Ok::<_, Infallible>(1))));
    // A Cell may be sent, but not shared: so may be what holds it.
    is_send(&OnceCell::from(std::cell::Cell::new(1)));
}

#[test]
fn who_fails_again_and_again_lets_others_run() {
    let cell = OnceCell::<u32>::new();
    let fails = async { while cell.get_or_try_init(|| ready(Err(()))).await.is_err() {} };
    let _watchdog = watchdog();
    task::block_on(race(task::yield_now(), fails));
    assert_eq!(cell.get(), None);
}

#[test]
fn of_many_tasks_one_makes_the_value() {
    const TASKS: usize = 50;
    with_workers([1, 2, 8], || {
        for _ in 0..20 {
            let cell = Arc::new(OnceCell::new());
            let made = Arc::new(AtomicUsize::new(0));
            let tasks: Vec<_> = (0..TASKS)
                .map(|number| {
                    let (cell, made) = (Arc::clone(&cell), Arc::clone(&made));
                    task::spawn(async move {
                        let make = async || {
                            task::yield_now().await;
                            made.fetch_add(1, Ordering::SeqCst);
                            number
                        };
                        match number % 3 {
                            0 => *cell.wait().await,
                            _ => *cell.get_or_init(make).await,
                        }
                    })
                })
                .collect();
            let values: Vec<_> = task::block_on(async {
                let mut values = Vec::new();
                for task in tasks {
                    values.push(task.await);
                }
                values
            });
            assert_eq!(made.load(Ordering::SeqCst), 1);
            assert!(values.iter().all(|value| *value == values[0]));
        }
    });
}

#[test]
fn each_of_many_tasks_has_its_turn_when_all_fail() {
    const TASKS: usize = 30;
    with_workers([1, 2, 8], || {
        for _ in 0..5 {
            let cell = Arc::new(OnceCell::new());
            let tries = Arc::new(AtomicUsize::new(0));
            let tasks: Vec<_> = (0..TASKS)
                .map(|number| {
                    let (cell, tries) = (Arc::clone(&cell), Arc::clone(&tries));
                    task::spawn(async move {
                        let has_begun = Event::default();
                        let fail = async || {
                            tries.fetch_add(1, Ordering::SeqCst);
                            has_begun.set();
                            task::yield_now().await;
                            match number % 3 {
                                0 => pending().await,
                                1 => panic!("while it makes the value"),
                                _ => Err::<usize, _>("not now"),
                            }
                        };
                        let makes = async { _ = cell.get_or_try_init(fail).await };
                        match number % 3 {
                            // Dropped midway.
                            0 => race(makes, has_begun.wait()).await,
                            _ => makes.await,
                        }
                    })
                })
                .collect();
            task::block_on(async {
                for (number, task) in tasks.into_iter().enumerate() {
                    assert_eq!(task.join().await.is_err(), number % 3 == 1);
                }
            });
            assert_eq!(tries.load(Ordering::SeqCst), TASKS);
            assert_eq!(cell.try_set(7), Ok(()));
        }
    });
}

#[test]
fn who_waits_is_woken_by_another_thread() {
    let _watchdog = watchdog();
    let cell = Arc::new(OnceCell::new());
    let (log, is_waiting) = (Log::default(), Event::default());
    let waits = task::spawn({
        let (cell, log, is_waiting) = (Arc::clone(&cell), log.clone(), is_waiting.clone());
        async move {
            let mut wait = pin!(cell.wait());
            assert!(poll(wait.as_mut()).is_pending());
            is_waiting.set();
            log.add(format!("found {}", wait.await));
        }
    });
    is_waiting.block();
    assert!(log.is_empty());
    assert_eq!(cell.try_set(7), Ok(()));
    task::block_on(waits);
    log.expect(["found 7"]);
}
