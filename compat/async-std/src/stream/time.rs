//! Streams that keep to times.

use futures_core::Stream;
use parklet::reactor::Timer;
use pin_project_lite::pin_project;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

pin_project! {
    /// The stream of [`StreamExt::delay`](super::StreamExt::delay).
    #[derive(Debug)]
    pub struct Delay<S> {
        #[pin]
        stream: S,
        // Until it has fired.
        timer: Option<Timer>,
    }
}

impl<S> Delay<S> {
    pub(super) fn new(stream: S, duration: Duration) -> Delay<S> {
        Delay {
            stream,
            timer: Some(Timer::after(duration)),
        }
    }
}

impl<S: Stream> Stream for Delay<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        if let Some(timer) = this.timer {
            ready!(Pin::new(timer).poll(cx));
            *this.timer = None;
        }
        this.stream.poll_next(cx)
    }
}

pin_project! {
    /// The stream of [`StreamExt::throttle`](super::StreamExt::throttle).
    #[derive(Debug)]
    pub struct Throttle<S> {
        #[pin]
        stream: S,
        duration: Duration,
        // After an item, until the next one may come.
        timer: Option<Timer>,
    }
}

impl<S> Throttle<S> {
    pub(super) fn new(stream: S, duration: Duration) -> Throttle<S> {
        Throttle {
            stream,
            duration,
            timer: None,
        }
    }
}

impl<S: Stream> Stream for Throttle<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        if let Some(timer) = this.timer {
            ready!(Pin::new(timer).poll(cx));
            *this.timer = None;
        }
        let item = ready!(this.stream.poll_next(cx));
        if item.is_some() {
            *this.timer = Some(Timer::after(*this.duration));
        }
        Poll::Ready(item)
    }
}

pin_project! {
    /// The stream of [`StreamExt::timeout`](super::StreamExt::timeout).
    #[derive(Debug)]
    pub struct Timeout<S> {
        #[pin]
        stream: S,
        duration: Duration,
        timer: Timer,
    }
}

impl<S> Timeout<S> {
    pub(super) fn new(stream: S, duration: Duration) -> Timeout<S> {
        Timeout {
            stream,
            duration,
            timer: Timer::after(duration),
        }
    }
}

impl<S: Stream> Stream for Timeout<S> {
    type Item = Result<S::Item, TimeoutError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        let item = match this.stream.poll_next(cx) {
            Poll::Ready(item) => item.map(Ok),
            Poll::Pending => {
                ready!(Pin::new(&mut *this.timer).poll(cx));
                Some(Err(TimeoutError { _private: () }))
            }
        };
        *this.timer = Timer::after(*this.duration);
        Poll::Ready(item)
    }
}

/// From [`StreamExt::timeout`](super::StreamExt::timeout): no item came in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeoutError {
    /// Nobody else makes one.
    _private: (),
}

impl Error for TimeoutError {}

impl fmt::Display for TimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stream has timed out")
    }
}
