//! `block_on` inside `block_on`, inside tasks, and deeper than there are workers.

mod common;

use common::{Event, Log, own_waker, thread_names, watchdog, with_workers};
use parklet::executor::LocalExecutor;
use parklet::task;
use std::future::{Future, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::mpsc;
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

/// Waits for another task, and for time to pass: what needs workers and the reactor.
async fn wait_for_others() -> u32 {
    let (sender, receiver) = parklet::channel::bounded(1);
    task::spawn(async move {
        task::yield_now().await;
        task::sleep(Duration::from_millis(1)).await;
        sender.send(7).await.unwrap();
    })
    .detach();
    receiver.recv().await.unwrap()
}

/// That, below so many `block_on`s of one thread.
fn nest(depth: u32) -> u32 {
    task::block_on(async {
        task::yield_now().await;
        match depth {
            0 => wait_for_others().await,
            _ => nest(depth - 1),
        }
    })
}

/// That, below so many `block_on`s, each in a task of the pool.
fn nest_in_tasks(depth: u32) -> u32 {
    task::block_on(task::spawn(async move {
        task::yield_now().await;
        match depth {
            0 => wait_for_others().await,
            _ => nest_in_tasks(depth - 1),
        }
    }))
}

/// That, below so many `block_on`s, each in a local task.
fn nest_in_local_tasks(depth: u32) -> u32 {
    task::block_on(async move {
        task::spawn_local(async move {
            task::yield_now().await;
            match depth {
                0 => wait_for_others().await,
                _ => nest_in_local_tasks(depth - 1),
            }
        })
        .await
    })
}

#[test]
fn block_on_works_inside_block_on() {
    with_workers([1, 2, 8], || assert_eq!(nest(20), 7));
}

#[test]
fn block_on_works_inside_tasks_deeper_than_there_are_workers() {
    with_workers([1, 2, 8], || {
        assert_eq!(nest_in_tasks(20), 7);
        // The threads that were needed for that are put to use again.
        let threads = thread_names().len();
        for _ in 0..5 {
            assert_eq!(nest_in_tasks(20), 7);
        }
        assert!(thread_names().len() <= threads + 20, "{threads}");
    });
}

#[test]
fn block_on_works_inside_local_tasks() {
    with_workers([1, 2, 8], || {
        assert_eq!(nest_in_local_tasks(20), 7);
        // On a worker too.
        let on_worker = task::spawn(async { nest_in_local_tasks(5) + nest(5) });
        assert_eq!(task::block_on(on_worker), 14);
    });
}

#[test]
fn many_tasks_block_on_at_once_and_all_end() {
    with_workers([1, 2, 8], || {
        let tasks: Vec<_> = (0..30)
            .map(|depth| task::spawn(async move { nest_in_tasks(depth % 4) }))
            .collect();
        task::block_on(async {
            for task in tasks {
                assert_eq!(task.await, 7);
            }
        });
    });
}

#[test]
fn a_program_that_never_spawns_nests_on_one_thread() {
    common::in_own_process(&[], || {
        let before = thread_names();
        task::block_on(async {
            task::block_on(task::sleep(Duration::from_millis(1)));
            task::spawn_local(async {
                task::block_on(task::sleep(Duration::from_millis(1)));
                task::block_on(async { task::block_on(task::yield_now()) });
            })
            .await;
            assert_eq!(thread_names(), before);
        });
    });
}

#[test]
fn an_outer_wake_that_comes_while_the_inner_one_sleeps_is_not_lost() {
    let _watchdog = watchdog();
    for _ in 0..100 {
        let log = Log::default();
        let (sender, receiver) = mpsc::channel::<(Waker, Event)>();
        let foreign = thread::spawn({
            let log = log.clone();
            move || {
                let (outer, inner) = receiver.recv().unwrap();
                log.add("outer woken");
                outer.wake();
                log.add("inner woken");
                inner.set();
            }
        });
        let mut polls = 0;
        task::block_on(poll_fn(|cx| {
            polls += 1;
            log.add(format!("outer poll {polls}"));
            if polls == 2 {
                return Poll::Ready(());
            }
            let inner = Event::default();
            sender.send((cx.waker().clone(), inner.clone())).unwrap();
            task::block_on(inner.wait());
            log.add("inner ends");
            Poll::Pending
        }));
        foreign.join().unwrap();
        log.expect([
            "outer poll 1",
            "outer woken",
            "inner woken",
            "inner ends",
            "outer poll 2",
        ]);
    }
}

#[test]
fn a_tasks_wake_that_comes_while_it_blocks_on_another_future_is_not_lost() {
    with_workers([1, 2], || {
        let (sender, receiver) = mpsc::channel::<(Waker, Event)>();
        let task = task::spawn(async move {
            let mut polls = 0;
            let inner = Event::default();
            poll_fn(move |cx| {
                polls += 1;
                if polls == 2 {
                    return Poll::Ready(());
                }
                sender.send((cx.waker().clone(), inner.clone())).unwrap();
                task::block_on(inner.wait());
                Poll::Pending
            })
            .await;
        });
        let (outer, inner) = receiver.recv().unwrap();
        outer.wake();
        inner.set();
        task::block_on(task);
    });
}

#[test]
fn local_tasks_run_in_whichever_block_on_is_innermost() {
    let _watchdog = watchdog();
    task::block_on(async {
        let not_send = Rc::new(7);
        let outside = task::spawn_local(async move {
            task::yield_now().await;
            *not_send
        });
        // Only the local task, which was spawned outside, can end this.
        assert_eq!(task::block_on(outside), 7);
    });
}

#[test]
fn the_tasks_of_a_worker_go_on_while_it_blocks_on() {
    with_workers([1, 2], || {
        let sum = task::block_on(task::spawn(async {
            // In the worker's own slot and deque when it enters `block_on`.
            let queued: Vec<_> = (0..10).map(|number| task::spawn(ready(number))).collect();
            let sum = task::spawn(async {
                let mut sum = 0;
                for task in queued {
                    sum += task.await;
                }
                sum
            });
            task::block_on(sum)
        }));
        assert_eq!(sum, 45);
    });
}

#[test]
fn a_future_goes_on_while_a_task_blocks_on_it() {
    with_workers([1, 2, 8], || {
        for _ in 0..50 {
            let seven = task::block_on(async {
                let (sender, receiver) = parklet::channel::bounded(1);
                let task = task::spawn(async move { task::block_on(receiver.recv()) });
                task::yield_now().await;
                task::sleep(Duration::from_micros(100)).await;
                sender.send(7).await.unwrap();
                task.await
            });
            assert_eq!(seven, Ok(7));
        }
    });
}

#[test]
fn block_on_works_beside_other_executors() {
    let _watchdog = watchdog();
    futures_lite::future::block_on(async {
        assert_eq!(nest(3), 7);
    });
    let executor = LocalExecutor::new();
    let handle = executor.spawn(async { task::block_on(wait_for_others()) });
    assert_eq!(task::block_on(executor.run(handle)), 7);
    task::block_on(async {
        // Another executor's `block_on` in here knows nothing of parklet, and needs the workers to drive.
        assert_eq!(futures_lite::future::block_on(wait_for_others()), 7);
    });
}

#[test]
fn a_panic_passes_through_any_depth_and_leaves_everything_usable() {
    with_workers([1, 2], || {
        for _ in 0..3 {
            let here = catch_unwind(AssertUnwindSafe(|| {
                task::block_on(async {
                    task::block_on(async {
                        task::yield_now().await;
                        panic!("deep down")
                    })
                })
            }));
            assert!(here.is_err());
            let there = task::spawn(async {
                task::block_on(async {
                    task::sleep(Duration::from_millis(1)).await;
                    panic!("deep down")
                })
            });
            assert!(task::block_on(there.join()).is_err());
        }
        assert_eq!(nest(2) + nest_in_tasks(2) + nest_in_local_tasks(2), 21);
    });
}

#[test]
fn block_on_may_be_entered_by_a_destructor() {
    with_workers([1, 2], || {
        let ended = Event::default();
        let blocks = || {
            let ended = ended.clone();
            common::OnDrop(move || {
                assert_eq!(task::block_on(wait_for_others()), 7);
                ended.set();
            })
        };
        let guard = blocks();
        let handle = task::spawn(async move {
            let _guard = guard;
            std::future::pending::<()>().await;
        });
        assert_eq!(task::block_on(handle.cancel()), None);
        assert!(ended.is_set());
    });
}

#[test]
fn a_waker_that_enters_block_on_harms_nobody() {
    with_workers([1, 2], || {
        let (go, ended) = (Event::default(), Event::default());
        let waker = waker_fn::waker_fn({
            let ended = ended.clone();
            move || {
                assert_eq!(task::block_on(wait_for_others()), 7);
                ended.set();
            }
        });
        let mut handle = task::spawn({
            let go = go.clone();
            async move { go.wait().await }
        });
        assert!(common::poll_once(std::pin::Pin::new(&mut handle), &waker).is_pending());
        go.set();
        ended.block();
        task::block_on(handle);
    });
}

#[test]
fn a_waker_of_an_inner_block_on_is_harmless_to_the_outer_one() {
    let _watchdog = watchdog();
    task::block_on(async {
        let inner = task::block_on(own_waker());
        let mut polls = 0;
        let event = Event::default();
        let foreign = thread::spawn({
            let event = event.clone();
            move || {
                inner.wake_by_ref();
                inner.wake();
                event.set();
            }
        });
        let mut wait = std::pin::pin!(event.wait());
        poll_fn(|cx| {
            polls += 1;
            wait.as_mut().poll(cx)
        })
        .await;
        foreign.join().unwrap();
        assert!(polls <= 2, "{polls} polls for one wake");
    });
}
