//! `Executor` and `LocalExecutor`: who runs their tasks, and what becomes of those that are left.

mod common;

use common::{CountWakes, Drops, Event, Log, OnDrop, own_waker, pend_once, poll_once, watchdog};
use parklet::executor::{Executor, LocalExecutor};
use parklet::task;
use std::cell::{Cell, RefCell};
use std::future::{pending, ready};
use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::task::Waker;
use std::thread;

#[test]
fn an_executor_may_be_shared_by_threads_and_a_handle_sent_to_them() {
    fn shared<T: Send + Sync + UnwindSafe + RefUnwindSafe + std::fmt::Debug>() {}
    shared::<Executor<'static>>();
    shared::<task::JoinHandle<Vec<u8>>>();
    shared::<task::AbortHandle>();
}

#[test]
fn tasks_run_in_the_order_in_which_they_were_spawned_and_woken() {
    let _watchdog = watchdog();
    let log = Log::default();
    let executor = LocalExecutor::new();
    for name in ["a", "b"] {
        let log = log.clone();
        executor
            .spawn(async move {
                log.add(format!("{name} begins"));
                task::yield_now().await;
                log.add(format!("{name} ends"));
            })
            .detach();
    }
    let nothing: [&str; 0] = [];
    log.expect(nothing);
    while executor.try_tick() {
        log.add("tick");
    }
    log.expect([
        "a begins", "tick", "b begins", "tick", "a ends", "tick", "b ends", "tick",
    ]);
    assert!(executor.is_empty());
}

#[test]
fn try_tick_runs_one_poll_and_says_whether() {
    let executor = LocalExecutor::new();
    assert!(!executor.try_tick());
    let polls = Rc::new(Cell::new(0));
    let handle = executor.spawn({
        let polls = Rc::clone(&polls);
        async move {
            polls.set(1);
            pend_once().await;
            polls.set(2);
        }
    });
    assert!(executor.try_tick());
    assert_eq!(polls.get(), 1);
    assert!(!executor.try_tick(), "nobody woke it");
    assert!(!executor.is_empty());
    drop(handle);
}

#[test]
fn tick_waits_until_a_task_is_ready_and_runs_one() {
    let executor = Executor::new();
    let (wakes, waker) = CountWakes::new();
    let mut tick = pin!(executor.tick());
    assert!(poll_once(tick.as_mut(), &waker).is_pending());
    assert_eq!(wakes.count(), 0);
    let one = executor.spawn(ready(1));
    let two = executor.spawn(ready(2));
    assert_eq!(wakes.count(), 1);
    assert!(poll_once(tick, &waker).is_ready());
    assert!(one.is_finished() && !two.is_finished());
}

#[test]
fn run_ends_with_its_future_and_leaves_the_tasks() {
    let _watchdog = watchdog();
    let executor = Executor::new();
    let handle = executor.spawn(pending::<()>());
    assert_eq!(task::block_on(executor.run(ready(7))), 7);
    assert!(!executor.is_empty());
    handle.abort();
    let join = task::block_on(executor.run(handle.join()));
    assert!(join.unwrap_err().is_aborted());
    assert!(executor.is_empty());
}

#[test]
fn run_lets_its_future_and_its_neighbours_live_beside_endless_tasks() {
    let _watchdog = watchdog();
    let executor = LocalExecutor::new();
    for _ in 0..3 {
        executor
            .spawn(async {
                loop {
                    task::yield_now().await;
                }
            })
            .detach();
    }
    let beside = async {
        for _ in 0..100 {
            task::yield_now().await;
        }
    };
    let inside = async {
        for _ in 0..100 {
            task::yield_now().await;
        }
        task::sleep(std::time::Duration::from_millis(1)).await;
    };
    task::block_on(async {
        futures_lite::future::or(
            async {
                executor.run(pending::<()>()).await;
            },
            beside,
        )
        .await;
        executor.run(inside).await;
    });
}

#[test]
fn futures_may_borrow_what_outlives_the_executor() {
    let _watchdog = watchdog();
    let words = [String::from("borrowed"), String::from("words")];
    let counter = AtomicUsize::new(0);
    let executor = Executor::new();
    let mut handles = Vec::new();
    executor.spawn_many(
        words.iter().map(|word| async {
            task::yield_now().await;
            counter.fetch_add(word.len(), Ordering::Relaxed);
            word.as_str()
        }),
        &mut handles,
    );
    let returned = task::block_on(executor.run(async {
        let mut returned = Vec::new();
        for handle in handles {
            returned.push(handle.await);
        }
        returned
    }));
    assert_eq!(returned, ["borrowed", "words"]);
    assert_eq!(counter.load(Ordering::Relaxed), 13);
}

#[test]
fn several_threads_run_the_tasks_of_one_executor() {
    const THREADS: usize = 3;
    let _watchdog = watchdog();
    // Passed only by three tasks at the same time.
    let all_there = Barrier::new(THREADS);
    let executor = Executor::new();
    let stop = Event::default();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| task::block_on(executor.run(stop.wait())));
        }
        for _ in 0..50 {
            let tasks: Vec<_> = (0..THREADS)
                .map(|_| executor.spawn(async { all_there.wait().is_leader() }))
                .collect();
            let leaders = task::block_on(async {
                let mut leaders = 0;
                for task in tasks {
                    leaders += usize::from(task.await);
                }
                leaders
            });
            assert_eq!(leaders, 1);
        }
        stop.set();
    });
}

#[test]
fn another_executor_runs_it_as_well() {
    let _watchdog = watchdog();
    let executor = Executor::new();
    let (sender, receiver) = parklet::channel::bounded(1);
    executor
        .spawn(async move { sender.send("sent").await.unwrap() })
        .detach();
    let received = futures_lite::future::block_on(executor.run(receiver.recv()));
    assert_eq!(received, Ok("sent"));
}

#[test]
fn a_tick_that_is_dropped_after_it_was_woken_passes_its_turn_on() {
    let executor = Executor::new();
    let (first_wakes, first_waker) = CountWakes::new();
    let (second_wakes, second_waker) = CountWakes::new();
    let mut first = Box::pin(executor.tick());
    let mut second = pin!(executor.tick());
    assert!(poll_once(first.as_mut(), &first_waker).is_pending());
    assert!(poll_once(second.as_mut(), &second_waker).is_pending());
    let handle = executor.spawn(ready(()));
    assert_eq!([first_wakes.count(), second_wakes.count()], [1, 0]);
    drop(first);
    assert_eq!([first_wakes.count(), second_wakes.count()], [1, 1]);
    assert!(poll_once(second, &second_waker).is_ready());
    assert!(handle.is_finished());
}

#[test]
fn a_run_whose_future_ends_after_it_was_woken_passes_its_turn_on() {
    let executor = Executor::new();
    let (_, first_waker) = CountWakes::new();
    let (second_wakes, second_waker) = CountWakes::new();
    let end = Event::default();
    let mut first = Box::pin(executor.run(end.wait()));
    let mut second = pin!(executor.run(pending::<()>()));
    assert!(poll_once(first.as_mut(), &first_waker).is_pending());
    assert!(poll_once(second.as_mut(), &second_waker).is_pending());
    let handle = executor.spawn(ready(()));
    end.set();
    assert!(poll_once(first.as_mut(), &first_waker).is_ready());
    assert!(!handle.is_finished());
    drop(first);
    assert_eq!(second_wakes.count(), 1);
}

#[test]
fn a_waiting_tick_that_is_dropped_is_not_woken() {
    let executor = Executor::new();
    let (first_wakes, first_waker) = CountWakes::new();
    let (second_wakes, second_waker) = CountWakes::new();
    let mut first = Box::pin(executor.tick());
    let mut second = pin!(executor.tick());
    assert!(poll_once(first.as_mut(), &first_waker).is_pending());
    assert!(poll_once(second.as_mut(), &second_waker).is_pending());
    drop(first);
    assert_eq!(Arc::strong_count(&first_wakes), 2, "its waker is gone");
    let _handle = executor.spawn(ready(()));
    assert_eq!([first_wakes.count(), second_wakes.count()], [0, 1]);
}

#[test]
fn a_runner_that_is_busy_is_not_the_one_that_is_woken() {
    let executor: Rc<LocalExecutor<'static>> = Rc::default();
    let runner = || {
        let executor = Rc::clone(&executor);
        Box::pin(async move { executor.run(pending::<()>()).await })
    };
    let (idle_wakes, idle_waker) = CountWakes::new();
    let (busy_wakes, busy_waker) = CountWakes::new();
    let (idle, mut busy) = (Rc::new(RefCell::new(runner())), runner());
    assert!(poll_once(idle.borrow_mut().as_mut(), &idle_waker).is_pending());
    assert!(poll_once(busy.as_mut(), &busy_waker).is_pending());
    executor
        .spawn({
            let (executor, idle) = (Rc::clone(&executor), Rc::clone(&idle));
            let idle_waker = idle_waker.clone();
            async move {
                // The idle runner finds nothing, since the task it was woken for is running here.
                assert!(poll_once(idle.borrow_mut().as_mut(), &idle_waker).is_pending());
                executor.spawn(async {}).detach();
            }
        })
        .detach();
    assert_eq!([idle_wakes.count(), busy_wakes.count()], [1, 0]);
    // The other runner is polled for a reason of its own, and takes the task.
    assert!(poll_once(busy.as_mut(), &busy_waker).is_pending());
    assert_eq!([idle_wakes.count(), busy_wakes.count()], [2, 0]);
}

#[test]
fn dropping_an_executor_drops_its_futures_and_tells_the_joiners() {
    let _watchdog = watchdog();
    let drops = Drops::default();
    let executor = Executor::new();
    let waiting = executor.spawn({
        let guard = drops.guard();
        async move {
            let _guard = guard;
            pending::<()>().await;
        }
    });
    let finished = executor.spawn(ready(drops.guard()));
    assert!(executor.try_tick() && executor.try_tick());
    let queued = executor.spawn({
        let guard = drops.guard();
        async move { drop(guard) }
    });
    let (wakes, waker) = CountWakes::new();
    let mut join = pin!(waiting.join());
    assert!(poll_once(join.as_mut(), &waker).is_pending());
    assert_eq!([drops.count(), wakes.count()], [0, 0]);
    drop(executor);
    assert_eq!([drops.count(), wakes.count()], [2, 1]);
    assert!(task::block_on(join).unwrap_err().is_aborted());
    assert!(task::block_on(queued.join()).unwrap_err().is_aborted());
    assert!(task::block_on(finished.join()).is_ok());
    assert_eq!(drops.count(), 3);
}

#[test]
fn dropping_an_executor_drops_the_futures_of_tasks_that_yielded_and_tells_the_joiners() {
    let _watchdog = watchdog();
    let drops = Drops::default();
    let executor = Executor::new();
    let yielding = executor.spawn({
        let guard = drops.guard();
        async move {
            let _guard = guard;
            loop {
                task::yield_now().await;
            }
        }
    });
    assert!(executor.try_tick() && executor.try_tick());
    let (wakes, waker) = CountWakes::new();
    let mut join = pin!(yielding.join());
    assert!(poll_once(join.as_mut(), &waker).is_pending());
    drop(executor);
    assert_eq!([drops.count(), wakes.count()], [1, 1]);
    assert!(task::block_on(join).unwrap_err().is_aborted());
}

#[test]
fn an_output_survives_its_executor() {
    let _watchdog = watchdog();
    let executor = Executor::new();
    let handle = executor.spawn(ready(7));
    assert!(executor.try_tick());
    drop(executor);
    assert_eq!(task::block_on(handle), 7);
}

#[test]
fn a_waker_that_outlives_its_executor_is_harmless() {
    let (executor, drops) = (Executor::new(), Drops::default());
    let kept: Arc<std::sync::Mutex<Option<Waker>>> = Arc::default();
    executor
        .spawn({
            let (kept, guard) = (Arc::clone(&kept), drops.guard());
            async move {
                *kept.lock().unwrap() = Some(own_waker().await);
                pend_once().await;
                drop(guard);
            }
        })
        .detach();
    assert!(executor.try_tick());
    drop(executor);
    assert_eq!(drops.count(), 1);
    let waker = kept.lock().unwrap().take().unwrap();
    waker.wake_by_ref();
    drop(waker.clone());
    thread::spawn(move || waker.wake()).join().unwrap();
    assert_eq!(drops.count(), 1);
}

/// A future may borrow what is gone once the executor has been leaked, so nothing may run its destructor then.
#[test]
fn the_futures_of_a_leaked_executor_are_never_dropped() {
    let (sender, receiver) = mpsc::channel();
    let dropped = Arc::new(AtomicUsize::new(0));
    let handles = {
        let borrowed = String::from("gone soon");
        let executor = Executor::new();
        let mut handles = Vec::new();
        for _ in 0..4 {
            let (sender, dropped, borrowed) = (sender.clone(), Arc::clone(&dropped), &borrowed);
            let handle = executor.spawn(async move {
                let _guard = OnDrop(|| {
                    dropped.fetch_add(borrowed.len(), Ordering::SeqCst);
                });
                sender.send(own_waker().await).unwrap();
                pend_once().await;
            });
            handles.push(handle);
            assert!(executor.try_tick());
        }
        std::mem::forget(executor);
        handles
    };
    let mut wakers = receiver.try_iter();
    let mut handles = handles.into_iter();
    // Aborted, woken, and twice let go of: by the handle and then the waker, and the other way round.
    handles.next().unwrap().abort();
    drop(wakers.next().unwrap());
    wakers.next().unwrap().wake();
    drop(handles.next().unwrap());
    drop(handles.next().unwrap());
    let last = wakers.next().unwrap();
    thread::spawn(move || drop(last)).join().unwrap();
    drop(wakers.next().unwrap());
    drop(handles.next().unwrap());
    assert!(wakers.next().is_none());
    assert_eq!(dropped.load(Ordering::SeqCst), 0);
}

#[test]
fn a_local_executor_keeps_its_tasks_on_its_thread_whoever_wakes_them() {
    let _watchdog = watchdog();
    let home = thread::current().id();
    let executor = LocalExecutor::new();
    let (sender, receiver) = mpsc::channel::<Waker>();
    let foreign = thread::spawn(move || {
        for waker in receiver {
            waker.wake();
        }
    });
    let not_send = Rc::new(Cell::new(0));
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let (not_send, sender) = (Rc::clone(&not_send), sender.clone());
            executor.spawn(async move {
                for _ in 0..100 {
                    assert_eq!(thread::current().id(), home);
                    sender.send(own_waker().await).unwrap();
                    pend_once().await;
                    not_send.set(not_send.get() + 1);
                }
            })
        })
        .collect();
    task::block_on(executor.run(async {
        for task in tasks {
            task.await;
        }
    }));
    assert_eq!(not_send.get(), 1000);
    drop(executor);
    drop(sender);
    foreign.join().unwrap();
}

#[test]
fn a_panic_in_a_task_leaves_the_executor_running() {
    let _watchdog = watchdog();
    let executor = Executor::new();
    let panics = executor.spawn(async { panic!("out of cheese") });
    let after = executor.spawn(ready(7));
    assert_eq!(task::block_on(executor.run(after)), 7);
    let error = task::block_on(panics.join()).unwrap_err();
    assert!(error.to_string().ends_with("panicked: out of cheese"));
}

#[test]
fn a_panic_in_the_future_of_run_leaves_the_executor_usable() {
    let _watchdog = watchdog();
    let executor = Executor::new();
    let result = catch_unwind(AssertUnwindSafe(|| {
        task::block_on(executor.run(async { panic!("out of cheese") }))
    }));
    assert!(result.is_err());
    let handle = executor.spawn(ready(7));
    assert_eq!(task::block_on(executor.run(handle)), 7);
}

#[test]
fn tasks_spawned_woken_and_run_by_many_threads_all_end() {
    const TASKS: usize = 200;
    let _watchdog = watchdog();
    let ended = AtomicUsize::new(0);
    let executor = Executor::new();
    let stop = Event::default();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| task::block_on(executor.run(stop.wait())));
        }
        let (sender, receiver) = mpsc::channel::<Waker>();
        scope.spawn(move || {
            for waker in receiver {
                waker.wake();
            }
        });
        for _ in 0..TASKS {
            let (sender, ended) = (sender.clone(), &ended);
            executor
                .spawn(async move {
                    for _ in 0..20 {
                        sender.send(own_waker().await).unwrap();
                        pend_once().await;
                        task::yield_now().await;
                    }
                    ended.fetch_add(1, Ordering::SeqCst);
                })
                .detach();
        }
        drop(sender);
        while !executor.is_empty() {
            thread::yield_now();
        }
        stop.set();
    });
    assert_eq!(ended.load(Ordering::SeqCst), TASKS);
}
