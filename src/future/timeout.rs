//! A future with a deadline.

use crate::budget;
use crate::reactor::Timer;
use pin_project_lite::pin_project;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// Gives a future so long to become ready. The time counts from the first poll that finds it pending.
///
/// The future is asked first and the clock after it, so a future that is ready wins, also with a duration of zero, and
/// one that is ready at once never reads the clock. Any duration will do; `Duration::MAX` never runs out.
///
/// As in async-std, but that there the time counts from the call.
///
/// # Errors
///
/// [`TimeoutError`] if the time is over and the future is not ready. The future is dropped with the `Timeout`; to go
/// on with it, pass it by reference (`timeout(duration, &mut future)`, or pinned, `future.as_mut()`).
///
/// # Cancel safety
///
/// As cancel safe as the future itself: running out of time drops it, exactly as dropping this does.
///
/// # Examples
///
/// ```
/// use parklet::{future, task};
/// use std::time::Duration;
///
/// task::block_on(async {
///     assert_eq!(future::timeout(Duration::ZERO, future::ready(7)).await, Ok(7));
///
///     let never = future::pending::<()>();
///     assert!(future::timeout(Duration::from_millis(5), never).await.is_err());
/// });
/// ```
pub fn timeout<F: Future>(duration: Duration, future: F) -> Timeout<F> {
    Timeout {
        future,
        duration,
        timer: None,
    }
}

pin_project! {
    /// The future of [`timeout`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless awaited or polled"]
    pub struct Timeout<F> {
        // What has to be ready in time.
        #[pin]
        future: F,
        // How long that may take.
        duration: Duration,
        // Runs since the future was first pending.
        timer: Option<Timer>,
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, TimeoutError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let was_asked = budget::will_poll_again(cx);
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        if !was_asked && budget::will_poll_again(cx) {
            // The future itself has asked for another poll, and gets it through here: until it waits for something, a
            // look at the clock will do.
            return if Timer::is_over_after(this.timer, *this.duration) {
                Poll::Ready(Err(TimeoutError { _private: () }))
            } else {
                Poll::Pending
            };
        }
        // A future that spends the whole budget in every poll would never let the timer fire.
        let _budget = budget::refill();
        Timer::poll_after(this.timer, *this.duration, cx)
            .map(|_| Err(TimeoutError { _private: () }))
    }
}

/// From [`timeout`]: the future was not ready in time.
///
/// # Examples
///
/// ```
/// use parklet::{future, task};
/// use std::time::Duration;
///
/// let error = task::block_on(future::timeout(Duration::ZERO, future::pending::<()>())).unwrap_err();
/// assert_eq!(error.to_string(), "the future was not ready in time");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeoutError {
    /// More may be said here one day.
    _private: (),
}

impl Error for TimeoutError {}

impl fmt::Display for TimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the future was not ready in time")
    }
}
