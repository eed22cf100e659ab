//! Combinators of futures: deadlines, aborts, joins and races.

mod common;

use common::{poll, poll_with, watchdog};
use parklet::future::{self, AbortHandle, Aborted, FutureExt};
use parklet::{channel, task};
use std::future::{pending, ready};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

/// Short enough to wait for, long enough to be seen on the clock.
const A_MOMENT: Duration = Duration::from_millis(10);

/// Says when it is dropped.
struct SaysWhenDropped<'a>(&'a AtomicBool);

impl Drop for SaysWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_ready_future_wins_against_a_timeout_of_zero() {
    task::block_on(async {
        assert_eq!(future::timeout(Duration::ZERO, ready(7)).await, Ok(7));
        assert_eq!(ready(7).timeout(Duration::ZERO).await, Ok(7));
        assert!(
            future::timeout(Duration::ZERO, pending::<()>())
                .await
                .is_err()
        );
    });
}

#[test]
fn a_future_that_is_ready_when_the_time_is_over_still_wins() {
    let (sender, receiver) = channel::bounded(1);
    let mut timeout = pin!(future::timeout(A_MOMENT, receiver.recv()));
    assert!(poll(timeout.as_mut()).is_pending());
    thread::sleep(2 * A_MOMENT);
    sender.try_send(7).unwrap();
    assert_eq!(poll(timeout), Poll::Ready(Ok(Ok(7))));
}

#[test]
fn a_timeout_without_end_waits_for_its_future() {
    let (sender, receiver) = channel::bounded(1);
    task::block_on(async {
        let waits = future::timeout(Duration::MAX, receiver.recv());
        let answers = async { sender.send(7).await };
        assert_eq!(future::join(waits, answers).await, (Ok(Ok(7)), Ok(())));
    });
}

#[test]
fn a_timeout_comes_not_before_its_time() {
    let start = Instant::now();
    let result = task::block_on(future::timeout(A_MOMENT, pending::<()>()));
    assert!(start.elapsed() >= A_MOMENT);
    assert_eq!(
        result.unwrap_err().to_string(),
        "the future was not ready in time"
    );
}

#[test]
fn the_time_counts_from_the_first_poll() {
    // Long enough that this thread is not off its core for so long between two lines.
    const LONG: Duration = Duration::from_millis(500);
    let mut timeout = pin!(future::timeout(LONG, pending::<()>()));
    thread::sleep(LONG);
    // Had it counted from the call, its time would be over.
    assert!(poll(timeout.as_mut()).is_pending());
    assert!(task::block_on(timeout).is_err());
}

#[test]
fn a_future_passed_by_reference_outlives_its_timeout() {
    let (sender, receiver) = channel::bounded(1);
    task::block_on(async {
        let mut recv = receiver.recv();
        assert!(future::timeout(Duration::ZERO, &mut recv).await.is_err());
        sender.send(7).await.unwrap();
        assert_eq!(recv.await, Ok(7));
    });
}

#[test]
fn a_timeout_that_is_dropped_midway_drops_its_future() {
    let is_dropped = AtomicBool::new(false);
    let says = SaysWhenDropped(&is_dropped);
    let wakes = Arc::default();
    let mut timeout = Box::pin(future::timeout(Duration::from_secs(60), async move {
        let _says = says;
        pending::<()>().await;
    }));
    assert!(poll_with(timeout.as_mut(), &wakes).is_pending());
    assert!(!is_dropped.load(Ordering::SeqCst));
    drop(timeout);
    assert!(is_dropped.load(Ordering::SeqCst));
    assert_eq!(Arc::strong_count(&wakes), 1, "the timer keeps no waker");
}

#[test]
fn a_future_that_yields_is_not_forgotten_by_its_timeout() {
    let _watchdog = watchdog();
    task::block_on(async {
        let yields_for_ever = task::spawn(future::timeout(A_MOMENT, async {
            loop {
                task::yield_now().await;
            }
        }));
        let yields_and_waits = task::spawn(future::timeout(A_MOMENT, async {
            task::yield_now().await;
            pending::<()>().await;
        }));
        let beside_one_that_yields = task::spawn(future::join(
            task::yield_now(),
            future::timeout(A_MOMENT, pending::<()>()),
        ));
        assert!(yields_for_ever.await.is_err());
        assert!(yields_and_waits.await.is_err());
        assert!(beside_one_that_yields.await.1.is_err());
    });
}

#[test]
fn many_timeouts_end_at_their_own_times() {
    let start = Instant::now();
    let tasks: Vec<_> = (1..=20)
        .map(|step| {
            let duration = Duration::from_millis(step);
            task::spawn(async move {
                assert!(future::timeout(duration, pending::<()>()).await.is_err());
                assert!(start.elapsed() >= duration);
            })
        })
        .collect();
    task::block_on(async {
        for task in tasks {
            task.await;
        }
    });
}

#[test]
fn a_delayed_future_is_not_touched_before_its_time() {
    let polls = AtomicUsize::new(0);
    let counts = std::future::poll_fn(|_| {
        polls.fetch_add(1, Ordering::SeqCst);
        Poll::Ready(7)
    });
    let mut delayed = pin!(counts.delay(Duration::from_secs(60)));
    assert!(poll(delayed.as_mut()).is_pending());
    assert!(poll(delayed).is_pending());
    assert_eq!(polls.load(Ordering::SeqCst), 0);

    let start = Instant::now();
    let (sender, receiver) = channel::bounded(1);
    task::block_on(async {
        // Pends after its delay too, and is polled on from there.
        let late = receiver.recv().delay(A_MOMENT);
        let answers = async {
            task::sleep(2 * A_MOMENT).await;
            sender.send(7).await
        };
        assert_eq!(late.join(answers).await, (Ok(7), Ok(())));
    });
    assert!(start.elapsed() >= 2 * A_MOMENT);
}

#[test]
fn an_aborted_future_is_dropped_and_says_so() {
    let is_dropped = AtomicBool::new(false);
    let says = SaysWhenDropped(&is_dropped);
    let (future, handle) = future::abortable(async move {
        let _says = says;
        pending::<()>().await;
    });
    let wakes = Arc::default();
    let mut future = pin!(future);
    assert!(poll_with(future.as_mut(), &wakes).is_pending());
    assert!(!handle.is_aborted());
    handle.clone().abort();
    assert_eq!((wakes.count(), handle.is_aborted()), (1, true));
    assert_eq!(poll(future.as_mut()), Poll::Ready(Err(Aborted)));
    assert!(
        is_dropped.load(Ordering::SeqCst),
        "with the poll, not with the Abortable"
    );
    handle.abort();
    assert_eq!(wakes.count(), 1);
}

#[test]
fn a_future_aborted_before_its_first_poll_is_never_polled() {
    let (future, handle) = future::abortable(async { unreachable!() });
    handle.abort();
    assert_eq!(task::block_on(future), Err::<(), _>(Aborted));
}

#[test]
fn a_future_that_was_ready_is_not_aborted_any_more() {
    let (future, handle) = future::abortable(ready(7));
    let wakes = Arc::default();
    let mut future = pin!(future);
    assert_eq!(poll_with(future.as_mut(), &wakes), Poll::Ready(Ok(7)));
    assert_eq!(Arc::strong_count(&wakes), 1, "the handle keeps no waker");
    handle.abort();
    assert_eq!(wakes.count(), 0);
}

#[test]
fn an_abort_during_the_poll_takes_effect() {
    let (sender, receiver) = channel::bounded::<AbortHandle>(1);
    let (future, handle) = future::abortable(async move {
        receiver.recv().await.unwrap().abort();
        pending::<()>().await;
    });
    sender.try_send(handle).unwrap();
    assert_eq!(task::block_on(future), Err(Aborted));
}

#[test]
fn an_abortable_that_is_dropped_midway_leaves_no_waker_with_its_handle() {
    let (future, handle) = future::abortable(pending::<()>());
    let wakes = Arc::default();
    let mut future = Box::pin(future);
    assert!(poll_with(future.as_mut(), &wakes).is_pending());
    drop(future);
    assert_eq!(Arc::strong_count(&wakes), 1);
    handle.abort();
    assert_eq!(wakes.count(), 0);
}

#[test]
fn an_abort_races_with_the_end_of_the_future() {
    for _ in 0..200 {
        let (sender, receiver) = channel::bounded(1);
        let (future, handle) = future::abortable(async move { receiver.recv().await });
        thread::scope(|scope| {
            scope.spawn(|| handle.abort());
            scope.spawn(|| sender.try_send(7));
            let result = task::block_on(future);
            assert!(matches!(result, Ok(Ok(7)) | Err(Aborted)), "{result:?}");
        });
    }
}

#[test]
fn a_join_waits_for_both_in_any_order() {
    let (sender, receiver) = channel::bounded(1);
    task::block_on(async {
        let both = future::join(receiver.recv(), sender.send(7)).await;
        assert_eq!(both, (Ok(7), Ok(())));
        let both = sender.send(8).join(receiver.recv()).await;
        assert_eq!(both, (Ok(()), Ok(8)));
    });
}

#[test]
fn a_try_join_ends_with_the_first_error() {
    task::block_on(async {
        let (good, bad) = (|n: u32| ready(Ok::<_, &str>(n)), || ready(Err("bad")));
        assert_eq!(good(1).try_join(good(2)).await, Ok((1, 2)));
        assert_eq!(
            future::try_join(pending::<Result<u32, _>>(), bad()).await,
            Err::<(_, u32), _>("bad")
        );
        assert_eq!(
            bad().try_join(pending::<Result<u32, _>>()).await,
            Err::<(u32, _), _>("bad")
        );
    });
}

#[test]
fn a_race_is_won_by_who_is_ready_first() {
    task::block_on(async {
        assert_eq!(pending().race(ready(2)).await, 2);
        assert_eq!(future::or(ready(1), pending()).await, 1);
        assert_eq!(
            ready(1).race(ready(2)).race(ready(3)).await,
            1,
            "left first"
        );
        let mut wins = [0; 2];
        for _ in 0..200 {
            wins[future::race(ready(0), ready(1)).await] += 1;
        }
        assert!(
            wins[0] > 20 && wins[1] > 20,
            "neither is preferred: {wins:?}"
        );
    });
}

#[test]
fn a_try_race_is_won_by_the_first_success() {
    task::block_on(async {
        let (good, bad) = (|n: u32| ready(Ok(n)), |error| ready(Err(error)));
        let never = pending::<Result<u32, &str>>;
        assert_eq!(good(1).try_race(never()).await, Ok(1));
        assert_eq!(never().try_race(good(2)).await, Ok(2));
        assert_eq!(bad("left").try_race(good(2)).await, Ok(2));
        assert_eq!(good(1).try_race(bad("right")).await, Ok(1));
        assert_eq!(bad("left").try_race(bad("right")).await, Err("right"));

        // The loser is not asked again, the other one is waited for.
        let (sender, receiver) = channel::bounded(1);
        let late = async { receiver.recv().await.map_err(|_| "closed") };
        let race = future::join(bad("left").try_race(late), sender.send(7));
        assert_eq!(race.await.0, Ok(7));
    });
}

#[test]
#[allow(clippy::async_yields_async, reason = "that is what flatten is for")]
fn a_future_of_a_future_is_one() {
    let (sender, receiver) = channel::bounded(1);
    task::block_on(async {
        let outer = async {
            receiver.recv().await.unwrap();
            async { receiver.recv().await.unwrap() }
        };
        let answers = async {
            sender.send(1).await.unwrap();
            sender.send(2).await.unwrap();
        };
        assert_eq!(outer.flatten().join(answers).await.0, 2);
    });
}

#[test]
fn futures_beside_a_greedy_one_get_on() {
    /// Spends all a task may do in one poll, every time it is polled.
    async fn greedy<T>() -> T {
        let (sender, receiver) = channel::bounded(1);
        loop {
            sender.send(()).await.unwrap();
            receiver.recv().await.unwrap();
        }
    }
    let (sender, receiver) = channel::bounded(1);
    thread::spawn(move || (0..2).for_each(|n| sender.send_blocking(n).unwrap()));
    task::block_on(async {
        assert_eq!(greedy().race(receiver.recv()).await, Ok(0));
        let fails = async { Err::<(), _>(receiver.recv().await) };
        let failed = greedy::<Result<(), _>>().try_join(fails);
        assert_eq!(failed.await, Err(Ok(1)));
        assert!(greedy::<()>().timeout(A_MOMENT).await.is_err());
        let (future, handle) = future::abortable(greedy::<()>());
        let aborter = task::spawn(async move { handle.abort() });
        assert_eq!(future.await, Err(Aborted));
        aborter.await;
    });
}
