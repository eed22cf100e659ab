//! Awaiting a task: by whom, where, how often, and not at all.

mod common;

use common::{CountWakes, Drops, Event, panic_message, poll_once, watchdog};
use parklet::task::{self, JoinHandle};
use std::future::{pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

#[test]
fn a_handle_is_eight_bytes_and_so_is_an_optional_one() {
    assert_eq!(size_of::<JoinHandle<[u64; 100]>>(), 8);
    assert_eq!(size_of::<Option<JoinHandle<String>>>(), 8);
    assert_eq!(size_of::<task::AbortHandle>(), 8);
}

#[test]
fn a_handle_goes_where_its_output_may_go() {
    fn send_and_sync<T: Send + Sync + Unpin>() {}
    send_and_sync::<JoinHandle<Vec<u8>>>();
    send_and_sync::<task::AbortHandle>();
    send_and_sync::<task::JoinError>();
    fn unpin<T: Unpin>() {}
    unpin::<JoinHandle<(Rc<u8>, std::marker::PhantomPinned)>>();
}

#[test]
fn dropping_and_detaching_let_the_task_go_on() {
    let _watchdog = watchdog();
    let (sender, receiver) = mpsc::channel();
    let go = Event::default();
    for number in 0..2 {
        let (go, sender) = (go.clone(), sender.clone());
        let handle = task::spawn(async move {
            go.wait().await;
            sender.send(number).unwrap();
        });
        match number {
            0 => drop(handle),
            _ => handle.detach(),
        }
    }
    go.set();
    let mut received = [receiver.recv().unwrap(), receiver.recv().unwrap()];
    received.sort_unstable();
    assert_eq!(received, [0, 1]);
}

#[test]
fn an_output_that_nobody_takes_is_dropped_once() {
    let _watchdog = watchdog();
    // Detached before the end, and after it.
    let (go, drops) = (Event::default(), Drops::default());
    let spawn = || {
        let (go, guard) = (go.clone(), drops.guard());
        task::spawn(async move {
            go.wait().await;
            guard
        })
    };
    drop(spawn());
    let second = spawn();
    assert_eq!(drops.count(), 0);
    go.set();
    while !second.is_finished() || drops.count() < 1 {
        thread::yield_now();
    }
    assert_eq!(drops.count(), 1);
    drop(second);
    assert_eq!(drops.count(), 2);

    // Awaited, but only until it was there.
    let drops = Drops::default();
    let mut handle = task::spawn(ready(drops.guard()));
    drop(task::block_on(&mut handle));
    assert_eq!(drops.count(), 1);
    drop(handle);
    assert_eq!(drops.count(), 1);
}

#[test]
fn an_output_that_comes_while_its_handle_goes_is_dropped_once() {
    const ROUNDS: usize = 5000;
    let _watchdog = watchdog();
    let drops = Drops::default();
    // They keep the cells, so that the outputs are dropped by those who should, or not at all.
    let mut switches = Vec::new();
    for round in 0..ROUNDS {
        let go = Arc::new(AtomicBool::new(false));
        let (started, guard) = (Arc::new(AtomicBool::new(false)), drops.guard());
        let handle = task::spawn({
            let (go, started) = (Arc::clone(&go), Arc::clone(&started));
            async move {
                started.store(true, Ordering::Release);
                while !go.load(Ordering::Acquire) {
                    thread::yield_now();
                }
                guard
            }
        });
        while !started.load(Ordering::Acquire) {
            thread::yield_now();
        }
        switches.push(handle.abort_handle());
        go.store(true, Ordering::Release);
        // The task ends about now.
        for _ in 0..round % 256 {
            std::hint::spin_loop();
        }
        drop(handle);
    }
    while drops.count() < ROUNDS {
        thread::yield_now();
    }
    assert_eq!(drops.count(), ROUNDS);
}

#[test]
fn the_joiner_that_polled_last_is_the_one_that_is_woken() {
    let _watchdog = watchdog();
    let go = Event::default();
    let mut handle = task::spawn({
        let go = go.clone();
        async move { go.wait().await }
    });
    let (first_wakes, first) = CountWakes::new();
    let (second_wakes, second) = CountWakes::new();
    for _ in 0..3 {
        assert!(poll_once(Pin::new(&mut handle), &first).is_pending());
    }
    assert!(poll_once(Pin::new(&mut handle), &second).is_pending());
    drop(first);
    assert_eq!(Arc::strong_count(&first_wakes), 1, "it is let go of");
    go.set();
    while second_wakes.count() == 0 {
        thread::yield_now();
    }
    assert_eq!([first_wakes.count(), second_wakes.count()], [0, 1]);
    assert!(poll_once(Pin::new(&mut handle), &second).is_ready());
}

#[test]
fn a_dropped_handle_lets_go_of_its_waker() {
    let _watchdog = watchdog();
    let (wakes, waker) = CountWakes::new();
    let mut handle = task::spawn(pending::<()>());
    assert!(poll_once(Pin::new(&mut handle), &waker).is_pending());
    drop(waker);
    let switch = handle.abort_handle();
    drop(handle);
    assert_eq!(Arc::strong_count(&wakes), 1);
    switch.abort();
    while !switch.is_finished() {
        thread::yield_now();
    }
    assert_eq!(wakes.count(), 0);
}

#[test]
fn a_handle_moves_from_task_to_task() {
    let _watchdog = watchdog();
    task::block_on(async {
        for round in 0..200 {
            let go = Event::default();
            let mut handle = task::spawn({
                let go = go.clone();
                async move {
                    go.wait().await;
                    round
                }
            });
            // Polled here, and then awaited there while it ends.
            let (_, waker) = CountWakes::new();
            assert!(poll_once(Pin::new(&mut handle), &waker).is_pending());
            let there = task::spawn(handle);
            go.set();
            assert_eq!(there.await, round);
        }
    });
}

#[test]
fn a_handle_is_awaited_on_any_thread_and_by_any_executor() {
    let _watchdog = watchdog();
    let handle = task::spawn(async {
        task::yield_now().await;
        1
    });
    let one = thread::spawn(move || task::block_on(handle))
        .join()
        .unwrap();
    let two = futures_lite::future::block_on(task::spawn(async { 2 }));
    assert_eq!((one, two), (1, 2));
    // A local task's handle too, if its output may go there.
    let three = task::block_on(async {
        let not_send = Rc::new(3);
        let handle = task::spawn_local(async move { *not_send });
        task::spawn(handle).await
    });
    assert_eq!(three, 3);
}

#[test]
fn a_handle_that_has_returned_its_output_says_so_when_polled_again() {
    let _watchdog = watchdog();
    let mut handle = task::spawn(ready(7));
    assert_eq!(task::block_on(&mut handle), 7);
    assert!(handle.is_finished());
    let (_, waker) = CountWakes::new();
    let payload = catch_unwind(AssertUnwindSafe(|| {
        poll_once(Pin::new(&mut handle), &waker).is_ready()
    }));
    assert_eq!(
        panic_message(&*payload.unwrap_err()),
        "JoinHandle polled after it returned its output"
    );
}

#[test]
fn two_tasks_may_await_each_other_as_far_as_they_live() {
    let _watchdog = watchdog();
    let drops = Drops::default();
    task::block_on(async {
        let (to_first, first_has) = parklet::channel::bounded::<JoinHandle<()>>(1);
        let (to_second, second_has) = parklet::channel::bounded::<JoinHandle<()>>(1);
        let await_other = |has: parklet::channel::Receiver<JoinHandle<()>>| {
            let guard = drops.guard();
            task::spawn(async move {
                let _guard = guard;
                has.recv().await.unwrap().await;
            })
        };
        let first = await_other(first_has);
        let second = await_other(second_has);
        let switch = first.abort_handle();
        to_first.send(second).await.unwrap();
        to_second.send(first).await.unwrap();
        for _ in 0..10 {
            task::yield_now().await;
        }
        assert_eq!(drops.count(), 0);
        switch.abort();
    });
    // The second one panics, since what it awaited was aborted.
    while drops.count() < 2 {
        thread::yield_now();
    }
}

#[test]
fn a_handle_shows_who_and_whether_it_has_finished() {
    let _watchdog = watchdog();
    let go = Event::default();
    let handle = task::Builder::new().name("bee".into()).spawn({
        let go = go.clone();
        async move { go.wait().await }
    });
    let handle = handle.unwrap();
    let id = handle.task().id();
    assert_eq!(
        format!("{handle:?}"),
        format!(
            "JoinHandle {{ task: Task {{ id: TaskId({id}), name: Some(\"bee\") }}, finished: false }}"
        )
    );
    go.set();
    while !handle.is_finished() {
        thread::yield_now();
    }
    assert!(format!("{handle:?}").ends_with("finished: true }"));
}

#[test]
fn many_tasks_are_awaited_by_many() {
    let _watchdog = watchdog();
    let sum = task::block_on(async {
        let mut level: Vec<JoinHandle<u64>> = (0..256).map(|n| task::spawn(ready(n))).collect();
        while level.len() > 1 {
            let mut below = level.into_iter();
            level = std::iter::from_fn(|| Some((below.next()?, below.next()?)))
                .map(|(left, right)| task::spawn(async { left.await + right.await }))
                .collect();
        }
        level.pop().unwrap().await
    });
    assert_eq!(sum, 255 * 256 / 2);
}
