//! A panic reaches whoever awaits the task, and stops nobody else.

mod common;

use common::{
    CountWakes, Drops, Event, Log, OnDrop, own_waker, panic_message, pend_once, poll_once,
    thread_names, watchdog, with_workers,
};
use parklet::executor::LocalExecutor;
use parklet::reactor::Async;
use parklet::task::{self, JoinHandle};
use std::future::{Future, pending, poll_fn, ready};
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use waker_fn::waker_fn;

/// A payload that is no text.
#[derive(Debug, PartialEq)]
struct Cheese(u32);

/// Panics when it is dropped.
struct Bomb(&'static str);

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("{}", self.0);
    }
}

/// Awaits a handle that panics, and returns the payload.
async fn payload_of<T>(mut handle: JoinHandle<T>) -> Box<dyn std::any::Any + Send> {
    poll_fn(
        |cx| match catch_unwind(AssertUnwindSafe(|| Pin::new(&mut handle).poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(_)) => panic!("the task did not panic"),
            Err(payload) => Poll::Ready(payload),
        },
    )
    .await
}

#[test]
fn the_payload_reaches_who_awaits_the_task() {
    let _watchdog = watchdog();
    task::block_on(async {
        for panics in [
            task::spawn(async { panic_any(Cheese(1)) }),
            task::spawn_local(async { panic_any(Cheese(1)) }),
        ] {
            let payload = payload_of(panics).await;
            assert_eq!(payload.downcast_ref(), Some(&Cheese(1)));
        }
        let text = payload_of(task::spawn(async { panic!("number {}", 7) })).await;
        assert_eq!(panic_message(&*text), "number 7");
        let later = task::spawn(async {
            task::yield_now().await;
            panic!("later")
        });
        assert_eq!(panic_message(&*payload_of(later).await), "later");
    });
}

#[test]
fn the_payload_reaches_who_cancels_the_task() {
    let _watchdog = watchdog();
    let payload = catch_unwind(|| {
        task::block_on(async {
            let panics = task::spawn(async { panic_any(Cheese(2)) });
            while !panics.is_finished() {
                task::yield_now().await;
            }
            panics.cancel().await
        })
    });
    assert_eq!(
        payload.unwrap_err().downcast_ref::<Cheese>(),
        Some(&Cheese(2))
    );
}

#[test]
fn join_returns_the_panic_as_an_error() {
    let _watchdog = watchdog();
    task::block_on(async {
        let panics = task::spawn(async { panic!("out of cheese") });
        let id = panics.task().id();
        let error = panics.join().await.unwrap_err();
        assert!(error.is_panic() && !error.is_aborted());
        assert_eq!(
            error.to_string(),
            format!("task {id} panicked: out of cheese")
        );
        assert_eq!(
            format!("{error:?}"),
            format!("JoinError(task {id} panicked: out of cheese)")
        );
        assert_eq!(panic_message(&*error.into_panic()), "out of cheese");

        let panics = task::spawn(async { panic_any(Cheese(3)) });
        let id = panics.task().id();
        let error = panics.join().await.unwrap_err();
        assert_eq!(error.to_string(), format!("task {id} panicked"));
        assert_eq!(error.into_panic().downcast_ref(), Some(&Cheese(3)));

        let aborted = task::spawn(pending::<()>());
        let id = aborted.task().id();
        aborted.abort();
        let error = aborted.join().await.unwrap_err();
        assert!(error.is_aborted() && !error.is_panic());
        assert_eq!(error.to_string(), format!("task {id} was aborted"));
        let payload = catch_unwind(AssertUnwindSafe(|| error.into_panic())).unwrap_err();
        assert_eq!(
            panic_message(&*payload),
            format!("JoinError::into_panic() of task {id} was aborted; is_panic() is false there")
        );
    });
}

/// Runs `body` with one and with two workers, and looks whether they still live and work.
fn with_lasting_workers(body: impl Fn()) {
    with_workers([1, 2], || {
        let workers: usize = std::env::var("PARKLET_THREADS").unwrap().parse().unwrap();
        let are_there = || {
            let threads = thread_names();
            (0..workers).all(|number| threads.contains(&format!("parklet-{number}")))
        };
        assert_eq!(task::block_on(task::spawn(ready(7))), 7);
        while !are_there() {
            // A thread gives itself its name.
            thread::yield_now();
        }
        body();
        assert_eq!(task::block_on(task::spawn(ready(8))), 8);
        // A spare thread would have run that as well.
        assert!(are_there(), "{:?}", thread_names());
    });
}

#[test]
fn a_worker_outlives_the_panics_of_its_tasks() {
    with_lasting_workers(|| {
        for _ in 0..50 {
            let error = task::block_on(task::spawn(async { panic!("again") }).join());
            assert!(error.is_err());
            // Nobody awaits this one.
            task::spawn(async { panic!("unseen") }).detach();
        }
    });
}

#[test]
fn a_panic_leaves_block_on_and_a_later_one_works() {
    let _watchdog = watchdog();
    let log = Log::default();
    let local = |name: &'static str| {
        let log = log.clone();
        task::spawn_local(async move {
            task::yield_now().await;
            log.add(name);
        })
    };
    let before = Mutex::new(Some(local("spawned before")));
    for _ in 0..3 {
        let payload = catch_unwind(AssertUnwindSafe(|| {
            task::block_on(async {
                task::block_on(async { panic_any(Cheese(4)) });
            });
        }));
        assert_eq!(payload.unwrap_err().downcast_ref(), Some(&Cheese(4)));
        assert!(task::try_current().is_none());
    }
    task::block_on(async {
        let before = before.lock().unwrap().take().unwrap();
        before.await;
        local("spawned after").await;
        task::spawn(ready(())).await;
        task::sleep(std::time::Duration::from_millis(1)).await;
    });
    log.expect(["spawned before", "spawned after"]);
}

#[test]
fn a_panic_in_a_local_task_reaches_its_awaiter_and_its_neighbours_run_on() {
    let _watchdog = watchdog();
    task::block_on(async {
        let not_send = Rc::new(1);
        let neighbour = task::spawn_local(async move {
            task::yield_now().await;
            *not_send
        });
        let nobody_awaits = task::spawn_local(async { panic!("unseen") });
        drop(nobody_awaits);
        let panics = task::spawn_local(async { panic!("out of cheese") });
        assert_eq!(
            panic_message(&*payload_of::<()>(panics).await),
            "out of cheese"
        );
        assert_eq!(neighbour.await, 1);
    });
}

/// Ready with its output at once; panics when it is dropped.
struct ReadyBomb<T>(Option<T>, #[allow(dead_code, reason = "dropped")] Bomb);

impl<T: Unpin> Future for ReadyBomb<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        Poll::Ready(self.0.take().expect("polled once"))
    }
}

#[test]
fn a_panic_while_a_future_is_dropped_becomes_its_outcome() {
    let _watchdog = watchdog();
    task::block_on(async {
        // It had its output already, which goes the same way.
        let drops = Drops::default();
        let error = task::spawn(ReadyBomb(Some(drops.guard()), Bomb("as it ended")))
            .join()
            .await
            .map(drop)
            .unwrap_err();
        assert_eq!(panic_message(&*error.into_panic()), "as it ended");
        assert_eq!(drops.count(), 1);

        // It was aborted.
        let started = Event::default();
        let aborted = task::spawn({
            let started = started.clone();
            async move {
                let _bomb = Bomb("as it was aborted");
                started.set();
                pending::<()>().await;
            }
        });
        started.wait().await;
        aborted.abort();
        let error = aborted.join().await.unwrap_err();
        assert_eq!(panic_message(&*error.into_panic()), "as it was aborted");

        // It had panicked already: that is what is told.
        let error = task::spawn(PanicsTwice(Bomb("second")))
            .join()
            .await
            .unwrap_err();
        assert_eq!(panic_message(&*error.into_panic()), "first");
    });
}

/// Panics when it is polled, and when it is dropped.
struct PanicsTwice<T>(#[allow(dead_code, reason = "dropped")] T);

impl<T> Future for PanicsTwice<T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        panic!("first");
    }
}

#[test]
fn payloads_that_panic_when_they_are_dropped_stop_nobody() {
    with_lasting_workers(|| {
        // The second panic's payload is dropped on the worker.
        let second = OnDrop(|| panic_any(Bomb("the payload")));
        let twice = task::spawn(PanicsTwice(second));
        let error = task::block_on(twice.join()).unwrap_err();
        assert_eq!(panic_message(&*error.into_panic()), "first");
        // So is the first one's, where nobody awaits it.
        let (detached, drops) = (Event::default(), Drops::default());
        task::spawn({
            let (detached, guard) = (detached.clone(), drops.guard());
            async move {
                detached.wait().await;
                panic_any((Bomb("unseen"), guard));
            }
        })
        .detach();
        detached.set();
        while drops.count() == 0 {
            thread::yield_now();
        }
        let output_and_future = ReadyBomb(Some(Bomb("the output")), Bomb("the future"));
        assert!(task::block_on(task::spawn(output_and_future).join()).is_err());
    });
}

#[test]
fn a_panic_while_an_output_is_dropped_stops_nobody() {
    with_lasting_workers(|| {
        // On the worker, since nobody awaits it.
        let (detached, drops) = (Event::default(), Drops::default());
        task::spawn({
            let (detached, guard) = (detached.clone(), drops.guard());
            async move {
                detached.wait().await;
                (Bomb("the output"), guard)
            }
        })
        .detach();
        detached.set();
        while drops.count() == 0 {
            thread::yield_now();
        }
        // Here, where the handle goes.
        let handle = task::spawn(async { Bomb("the output") });
        while !handle.is_finished() {
            thread::yield_now();
        }
        let payload = catch_unwind(AssertUnwindSafe(|| drop(handle))).unwrap_err();
        assert_eq!(panic_message(&*payload), "the output");
    });
}

#[test]
fn a_panic_while_a_task_is_dropped_for_want_of_wakers_stops_nobody() {
    with_lasting_workers(|| {
        let drops = Drops::default();
        let (sender, receiver) = mpsc::channel();
        // Its poll leaves no waker.
        let (guard, started) = (drops.guard(), sender.clone());
        task::spawn(async move {
            let _guard = guard;
            let _bomb = Bomb("at the end of its poll");
            started.send(None).unwrap();
            pend_once().await;
        })
        .detach();
        // It leaves one, which is dropped here.
        let guard = drops.guard();
        task::spawn(async move {
            let _guard = guard;
            let _bomb = Bomb("with its waker");
            sender.send(Some(own_waker().await)).unwrap();
            pend_once().await;
        })
        .detach();
        for waker in receiver {
            drop(waker);
        }
        while drops.count() < 2 {
            thread::yield_now();
        }
    });
}

#[test]
fn a_panic_in_a_joiners_waker_stops_nobody() {
    with_lasting_workers(|| {
        let go = Event::default();
        let mut handle = task::spawn({
            let go = go.clone();
            async move { go.wait().await }
        });
        let panics = waker_fn(|| panic!("the waker"));
        assert!(poll_once(Pin::new(&mut handle), &panics).is_pending());
        go.set();
        while !handle.is_finished() {
            thread::yield_now();
        }
        let (_, waker) = CountWakes::new();
        assert!(poll_once(Pin::new(&mut handle), &waker).is_ready());
    });
}

#[test]
fn a_panic_in_one_waker_of_a_batch_does_not_lose_the_others() {
    with_lasting_workers(|| {
        let (socket, mut peer) = UnixStream::pair().unwrap();
        let socket = Arc::new(Async::new(socket).unwrap());
        let panics = waker_fn(|| panic!("the waker"));
        let mut first = pin!(socket.readable());
        task::block_on(async { assert!(poll_once(first.as_mut(), &panics).is_pending()) });
        let (sender, waiting) = mpsc::channel();
        let others: Vec<_> = (0..10)
            .map(|_| {
                let (socket, sender) = (Arc::clone(&socket), sender.clone());
                task::spawn(async move {
                    let mut readable = pin!(socket.readable());
                    poll_fn(|cx| {
                        let polled = readable.as_mut().poll(cx);
                        sender.send(()).unwrap();
                        polled
                    })
                    .await
                })
            })
            .collect();
        assert_eq!(waiting.iter().take(10).count(), 10);
        peer.write_all(b"x").unwrap();
        task::block_on(async {
            for other in others {
                other.await.unwrap();
            }
        });
    });
}

#[test]
fn a_panic_of_the_destructor_of_a_task_local_value_stops_nobody() {
    type Calls = OnDrop<Box<dyn FnMut() + Send>>;
    task::task_local! {
        static FIRST: Mutex<Option<Calls>> = Mutex::new(None);
        static BOMB: Mutex<Option<Bomb>> = Mutex::new(None);
    }
    with_lasting_workers(|| {
        let log = Log::default();
        let output = task::block_on(task::spawn({
            let log = log.clone();
            async move {
                let dropped: Calls = OnDrop(Box::new(move || log.add("first")));
                FIRST.with(|first| *first.lock().unwrap() = Some(dropped));
                BOMB.with(|bomb| *bomb.lock().unwrap() = Some(Bomb("a value")));
                7
            }
        }));
        assert_eq!(output, 7);
        log.expect(["first"]);
    });
}

#[test]
fn panics_of_dropped_futures_do_not_leave_the_drop_of_their_owner() {
    let _watchdog = watchdog();
    let drops = Drops::default();
    let executor = LocalExecutor::new();
    for _ in 0..3 {
        let guard = drops.guard();
        executor
            .spawn(async move {
                let _guard = guard;
                let _bomb = Bomb("an executor's");
                pending::<()>().await;
            })
            .detach();
        executor.try_tick();
    }
    drop(executor);
    assert_eq!(drops.count(), 3);

    let drops = Drops::default();
    thread::spawn({
        let drops = drops.clone();
        move || {
            for _ in 0..3 {
                let guard = drops.guard();
                task::spawn_local(async move {
                    let _guard = guard;
                    let _bomb = Bomb("a thread's");
                    pending::<()>().await;
                })
                .detach();
            }
            task::block_on(async {
                for _ in 0..3 {
                    task::yield_now().await;
                }
            });
        }
    })
    .join()
    .unwrap();
    assert_eq!(drops.count(), 3);
}

#[test]
fn a_panicking_waker_of_a_block_on_is_nobody_elses() {
    let _watchdog = watchdog();
    // A waker of a block_on that has long returned.
    let kept: Arc<Mutex<Option<Waker>>> = Arc::default();
    task::block_on(async { *kept.lock().unwrap() = Some(own_waker().await) });
    let waker = kept.lock().unwrap().take().unwrap();
    waker.wake_by_ref();
    thread::spawn(move || waker.wake()).join().unwrap();
    assert_eq!(task::block_on(ready(7)), 7);
}
