//! A beat as a stream.

use super::Stream;
use crate::reactor::Timer;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// A stream that yields once every `period`, for the first time after one period; it never ends.
///
/// From one item to the next it is one period or more, never less: the next period begins when an item is taken. So
/// if the taker is late, the beat moves; nothing is made up for. For a beat that stays where it is, and catches up
/// when late, take [`Timer::interval`]. Any period will do; one too long for the clock never ends.
///
/// The name and the meaning are async-std's.
///
/// # Examples
///
/// ```
/// use parklet::{stream::{self, StreamExt}, task};
/// use std::time::{Duration, Instant};
///
/// task::block_on(async {
///     let start = Instant::now();
///     let mut beat = stream::interval(Duration::from_millis(2));
///     beat.next().await;
///     beat.next().await;
///     assert!(start.elapsed() >= Duration::from_millis(4));
/// });
/// ```
pub fn interval(period: Duration) -> Interval {
    Interval {
        timer: Timer::after(period),
        period,
    }
}

/// The stream of [`interval`].
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Interval {
    /// Fires at the end of this period.
    timer: Timer,
    /// From an item to the next.
    period: Duration,
}

impl Stream for Interval {
    type Item = ();

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<()>> {
        ready!(Pin::new(&mut self.timer).poll(cx));
        let period = self.period;
        self.timer.set_after(period);
        Poll::Ready(Some(()))
    }
}
