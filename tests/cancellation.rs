//! Ending a task from outside: abort, cancel, and who is told what.

mod common;

use common::{
    CountWakes, Drops, Event, Log, panic_message, pend_once, poll_once, watchdog, with_workers,
};
use parklet::executor::LocalExecutor;
use parklet::task::{self, AbortHandle};
use std::future::{Future, pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::thread;

#[test]
fn an_idle_task_is_dropped_without_another_poll() {
    let log = Log::default();
    let executor = LocalExecutor::new();
    let handle = executor.spawn({
        let (log, guard) = (log.clone(), Guard(log.clone()));
        async move {
            let _guard = guard;
            log.add("first poll");
            pend_once().await;
            log.add("second poll");
        }
    });
    assert!(executor.try_tick());
    handle.abort();
    handle.abort();
    log.add("aborted");
    assert!(!handle.is_finished(), "its executor drops the future");
    while executor.try_tick() {
        log.add("tick");
    }
    assert!(handle.is_finished());
    log.expect(["first poll", "aborted", "dropped", "tick"]);
    assert!(executor.is_empty());
}

/// Says when it is dropped.
struct Guard(Log);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.add("dropped");
    }
}

#[test]
fn a_queued_task_is_never_polled() {
    let log = Log::default();
    let executor = LocalExecutor::new();
    let handle = executor.spawn({
        let (log, guard) = (log.clone(), Guard(log.clone()));
        async move {
            log.add("polled");
            drop(guard);
        }
    });
    handle.abort();
    log.add("aborted");
    assert!(executor.try_tick());
    assert!(!executor.try_tick());
    log.expect(["aborted", "dropped"]);
    assert!(task::block_on(handle.join()).unwrap_err().is_aborted());
}

#[test]
fn a_running_task_ends_when_its_poll_returns() {
    with_workers([1, 2, 8], || {
        let drops = Drops::default();
        let (started, goes_on) = mpsc::channel();
        let (go, may_go_on) = mpsc::channel::<()>();
        let guard = drops.guard();
        let handle = task::spawn(async move {
            let _guard = guard;
            started.send(()).unwrap();
            may_go_on.recv().unwrap();
            pending::<()>().await;
        });
        goes_on.recv().unwrap();
        handle.abort();
        assert_eq!(drops.count(), 0);
        assert!(!handle.is_finished());
        go.send(()).unwrap();
        assert!(task::block_on(handle.join()).unwrap_err().is_aborted());
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn a_running_task_that_returns_has_its_output_though_it_was_aborted() {
    with_workers([1, 2], || {
        let (started, goes_on) = mpsc::channel();
        let (go, may_go_on) = mpsc::channel::<()>();
        let handle = task::spawn(async move {
            started.send(()).unwrap();
            may_go_on.recv().unwrap();
            7
        });
        goes_on.recv().unwrap();
        handle.abort();
        go.send(()).unwrap();
        assert_eq!(task::block_on(handle.cancel()), Some(7));
    });
}

#[test]
fn a_finished_task_keeps_its_output() {
    let _watchdog = watchdog();
    let handle = task::spawn(ready(7));
    while !handle.is_finished() {
        thread::yield_now();
    }
    handle.abort();
    handle.abort_handle().abort();
    assert_eq!(task::block_on(handle.join()).unwrap(), 7);
}

#[test]
fn a_task_may_abort_itself() {
    let _watchdog = watchdog();
    task::block_on(async {
        let (sender, receiver) = parklet::channel::bounded::<AbortHandle>(1);
        let log = Log::default();
        let handle = task::spawn({
            let (log, guard) = (log.clone(), Guard(log.clone()));
            async move {
                let _guard = guard;
                receiver.recv().await.unwrap().abort();
                log.add("still here");
                task::yield_now().await;
                log.add("not any more");
            }
        });
        sender.send(handle.abort_handle()).await.unwrap();
        assert!(handle.join().await.unwrap_err().is_aborted());
        log.expect(["still here", "dropped"]);
    });
}

#[test]
fn cancel_returns_after_the_future_was_dropped() {
    with_workers([1, 2, 8], || {
        task::block_on(async {
            for round in 0..300 {
                let drops = Drops::default();
                let guard = drops.guard();
                let busy = async move {
                    let _guard = guard;
                    loop {
                        task::yield_now().await;
                    }
                };
                let handle = if round % 2 == 0 {
                    task::spawn(busy)
                } else {
                    task::spawn_local(busy)
                };
                for _ in 0..round % 3 {
                    task::yield_now().await;
                }
                assert_eq!(handle.cancel().await, None::<()>);
                assert_eq!(drops.count(), 1, "round {round}");
            }
        });
    });
}

#[test]
fn cancel_gives_the_output_of_a_task_that_had_finished() {
    let _watchdog = watchdog();
    task::block_on(async {
        let handle = task::spawn(async { String::from("output") });
        while !handle.is_finished() {
            task::yield_now().await;
        }
        assert_eq!(handle.cancel().await.as_deref(), Some("output"));
        let local = task::spawn_local(async { Rc::new(7) });
        task::yield_now().await;
        assert!(local.is_finished());
        assert_eq!(local.cancel().await.as_deref(), Some(&7));
    });
}

#[test]
fn cancel_does_nothing_before_its_first_poll_and_holds_after_it() {
    let _watchdog = watchdog();
    let drops = Drops::default();
    let spawn = || {
        let guard = drops.guard();
        task::spawn(async move {
            let _guard = guard;
            pending::<()>().await;
        })
    };
    let handle = spawn();
    let switch = handle.abort_handle();
    drop(handle.cancel());
    task::block_on(task::yield_now());
    assert!(!switch.is_finished());
    assert_eq!(drops.count(), 0);
    switch.abort();

    let handle = spawn();
    let other = handle.abort_handle();
    task::block_on(async {
        let mut cancel = Box::pin(handle.cancel());
        let _ = futures_lite::future::poll_once(&mut cancel).await;
    });
    while !(switch.is_finished() && other.is_finished()) {
        thread::yield_now();
    }
    assert_eq!(drops.count(), 2);
}

#[test]
fn awaiting_an_aborted_task_panics_and_names_it() {
    let _watchdog = watchdog();
    let handle = task::spawn(pending::<()>());
    let id = handle.task().id();
    handle.abort();
    let payload = catch_unwind(AssertUnwindSafe(|| task::block_on(handle))).unwrap_err();
    assert_eq!(panic_message(&*payload), format!("task {id} was aborted"));
}

#[test]
fn an_abort_handle_outlives_the_handle_and_the_task() {
    let _watchdog = watchdog();
    let drops = Drops::default();
    let guard = drops.guard();
    let handle = task::spawn(async move {
        let _guard = guard;
        pending::<()>().await;
    });
    let switch = handle.abort_handle();
    drop(handle);
    let another = switch.clone();
    assert!(!another.is_finished());
    thread::spawn(move || another.abort()).join().unwrap();
    while !switch.is_finished() {
        thread::yield_now();
    }
    assert_eq!(drops.count(), 1);
    switch.abort();
    assert!(format!("{switch:?}").ends_with("finished: true }"));
}

#[test]
fn a_local_task_is_aborted_from_another_thread_and_dropped_at_home() {
    let _watchdog = watchdog();
    let home = thread::current().id();
    let log = Log::default();
    task::block_on(async {
        let started = Event::default();
        let handle = task::spawn_local({
            let (log, started, not_send) = (log.clone(), started.clone(), Rc::new(()));
            async move {
                let _at_home = common::OnDrop(move || {
                    assert_eq!(thread::current().id(), home);
                    log.add("dropped at home");
                    let _ = &not_send;
                });
                started.set();
                pending::<()>().await;
            }
        });
        started.wait().await;
        // The handle itself, since its output is `Send`.
        let cancelled = task::spawn(async move { handle.cancel().await });
        assert_eq!(cancelled.await, None);
    });
    log.expect(["dropped at home"]);
}

#[test]
fn a_task_whose_thread_is_blocked_is_cancelled_when_it_comes_back() {
    with_workers([1, 2], || {
        let (started, goes_on) = mpsc::channel();
        let (go, may_go_on) = mpsc::channel::<()>();
        let handle = task::spawn(async move {
            started.send(()).unwrap();
            may_go_on.recv().unwrap();
            pending::<()>().await;
        });
        goes_on.recv().unwrap();
        let (wakes, waker) = CountWakes::new();
        let mut cancel = pin!(handle.cancel());
        assert!(poll_once(cancel.as_mut(), &waker).is_pending());
        assert_eq!(wakes.count(), 0);
        // What waits in line behind the blocked one is cancelled meanwhile.
        let behind = task::spawn(pending::<()>());
        assert_eq!(task::block_on(behind.cancel()), None);
        go.send(()).unwrap();
        assert_eq!(task::block_on(cancel), None);
    });
}

/// Abort, the end of the task and the end of the handle, all at once: each future and each output goes exactly once.
#[test]
fn racing_ends_drop_everything_exactly_once() {
    with_workers([1, 2, 8], || {
        const ROUNDS: usize = 400;
        let (futures, outputs) = (Drops::default(), Drops::default());
        let finished = Arc::new(AtomicUsize::new(0));
        for round in 0..ROUNDS {
            let (future, output) = (futures.guard(), outputs.guard());
            let finished = Arc::clone(&finished);
            let mut handle = task::spawn(async move {
                let _future = future;
                for _ in 0..round % 4 {
                    task::yield_now().await;
                }
                finished.fetch_add(1, Ordering::SeqCst);
                output
            });
            let switch = handle.abort_handle();
            let (_, waker) = CountWakes::new();
            thread::scope(|scope| {
                scope.spawn(|| switch.abort());
                scope.spawn(|| match round % 3 {
                    0 => drop(handle),
                    1 => {
                        if poll_once(Pin::new(&mut Joined(&mut handle)), &waker) == Poll::Ready(())
                        {
                            return;
                        }
                        drop(handle);
                    }
                    _ => drop(task::block_on(handle.join())),
                });
            });
            while !switch.is_finished() {
                thread::yield_now();
            }
        }
        // The thread that finishes a task drops an output that nobody wants after it has said that it is finished.
        while outputs.count() < ROUNDS {
            thread::yield_now();
        }
        assert_eq!([futures.count(), outputs.count()], [ROUNDS, ROUNDS]);
        assert!(finished.load(Ordering::SeqCst) <= ROUNDS);
    });
}

/// Awaits a handle, whatever comes out.
struct Joined<'h, T>(&'h mut task::JoinHandle<T>);

impl<T> Future for Joined<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<()> {
        match catch_unwind(AssertUnwindSafe(|| Pin::new(&mut *self.0).poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(_)) | Err(_) => Poll::Ready(()),
        }
    }
}
