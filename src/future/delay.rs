//! A future that starts later.

use crate::reactor::Timer;
use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

pin_project! {
    /// The future of [`FutureExt::delay`](super::FutureExt::delay).
    #[derive(Debug)]
    #[must_use = "futures do nothing unless awaited or polled"]
    pub struct Delay<F> {
        // What is not polled before the time is over.
        #[pin]
        future: F,
        // How long that is.
        duration: Duration,
        // Where in time this is.
        wait: Wait,
    }
}

/// Where in time a [`Delay`] is.
#[derive(Debug)]
enum Wait {
    /// Not polled yet.
    NotStarted,
    /// Until this fires.
    Until(Timer),
    /// The time is over.
    Over,
}

impl<F> Delay<F> {
    pub(super) fn new(duration: Duration, future: F) -> Delay<F> {
        Delay {
            future,
            duration,
            wait: Wait::NotStarted,
        }
    }
}

impl<F: Future> Future for Delay<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        if let Wait::NotStarted = this.wait {
            *this.wait = Wait::Until(Timer::after(*this.duration));
        }
        if let Wait::Until(timer) = this.wait {
            ready!(Pin::new(timer).poll(cx));
            *this.wait = Wait::Over;
        }
        this.future.poll(cx)
    }
}
