//! Streams that are ours: beats and the plain constructors.

use parklet::prelude::*;
use parklet::stream;
use parklet::task;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// Short enough to wait for, long enough to be seen on the clock.
const A_MOMENT: Duration = Duration::from_millis(10);

/// A waker that counts how often it is woken.
#[derive(Default)]
struct CountWakes(AtomicUsize);

impl Wake for CountWakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn poll_next<S: Stream + Unpin>(stream: &mut S) -> Poll<Option<S::Item>> {
    Pin::new(stream).poll_next(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn the_first_beat_comes_after_one_period() {
    let mut beat = stream::interval(Duration::from_secs(60));
    assert!(poll_next(&mut beat).is_pending());

    let start = Instant::now();
    let mut beat = stream::interval(A_MOMENT);
    task::block_on(async {
        for count in 1..=3 {
            assert_eq!(beat.next().await, Some(()));
            assert!(start.elapsed() >= count * A_MOMENT);
        }
    });
}

#[test]
fn a_late_taker_gets_one_beat_and_not_all_he_missed() {
    let period = 10 * A_MOMENT;
    let mut beat = stream::interval(period);
    thread::sleep(3 * period);
    let taken = Instant::now();
    assert_eq!(poll_next(&mut beat), Poll::Ready(Some(())));
    assert_eq!(task::block_on(beat.next()), Some(()));
    assert!(taken.elapsed() >= period);
}

#[test]
fn a_beat_of_any_length_will_do() {
    let mut never = stream::interval(Duration::MAX);
    assert!(poll_next(&mut never).is_pending());
    let mut always = stream::interval(Duration::ZERO);
    for _ in 0..10 {
        assert_eq!(poll_next(&mut always), Poll::Ready(Some(())));
    }
}

#[test]
fn a_beat_that_is_dropped_midway_leaves_no_waker_behind() {
    let wakes = Arc::new(CountWakes::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let mut beat = stream::interval(Duration::from_secs(60));
    let pending = Pin::new(&mut beat).poll_next(&mut Context::from_waker(&waker));
    assert!(pending.is_pending());
    assert_eq!(Arc::strong_count(&wakes), 3);
    drop(beat);
    assert_eq!(Arc::strong_count(&wakes), 2);
    assert_eq!(wakes.0.load(Ordering::SeqCst), 0);
}

#[test]
fn a_next_that_is_dropped_midway_loses_no_beat() {
    let mut beat = stream::interval(10 * A_MOMENT);
    let start = Instant::now();
    // Pending, unless this thread has slept for all of the period.
    let is_taken = poll_next(&mut beat).is_ready();
    assert_eq!(task::block_on(beat.next()), Some(()));
    assert!(
        is_taken || start.elapsed() < Duration::from_secs(60),
        "nobody was woken"
    );
}

#[test]
fn constructors_have_the_names_of_async_std() {
    task::block_on(async {
        assert_eq!(stream::from_iter([1, 2]).collect::<Vec<_>>().await, [1, 2]);
        assert_eq!(stream::once(1).collect::<Vec<_>>().await, [1]);
        assert_eq!(stream::empty::<u32>().next().await, None);
        assert_eq!(stream::repeat(1).take(2).collect::<Vec<_>>().await, [1, 1]);
        let mut next = 0;
        let counts = stream::repeat_with(|| {
            next += 1;
            next
        });
        assert_eq!(counts.take(2).collect::<Vec<_>>().await, [1, 2]);
        assert!(
            stream::pending::<()>()
                .next()
                .timeout(Duration::ZERO)
                .await
                .is_err()
        );
        let halves = stream::successors(Some(8), |n| (n % 2 == 0).then_some(n / 2));
        assert_eq!(halves.collect::<Vec<_>>().await, [8, 4, 2, 1]);
        let none = stream::successors(None, |_: &u32| unreachable!());
        assert!(none.collect::<Vec<_>>().await.is_empty());
    });
}

#[test]
fn a_closure_makes_a_stream_until_it_returns_none() {
    let mut left = 3;
    let countdown = stream::from_fn(|| {
        left -= 1;
        (left > 0).then_some(left)
    });
    assert_eq!(task::block_on(countdown.collect::<Vec<_>>()), [2, 1]);
}
