//! The public `Timer`.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use futures_core::Stream;

use super::driver::Reactor;
use super::last_resort;
use super::wheel::Entry;
use crate::budget;

/// A moment to wait for, or a series of them.
#[derive(Debug)]
#[must_use = "a timer does nothing unless it is awaited or polled"]
pub struct Timer {
    /// When it fires next; `None`: never.
    deadline: Option<Instant>,
    /// How long after that it fires again.
    period: Option<Duration>,
    /// Where the reactor keeps the waker of the task that polled last.
    entry: Option<Entry>,
}

impl Timer {
    /// Fires once, `duration` from now.
    pub fn after(duration: Duration) -> Timer {
        Timer::new(Instant::now().checked_add(duration), None)
    }

    /// Fires once, at `instant`.
    pub fn at(instant: Instant) -> Timer {
        Timer::new(Some(instant), None)
    }

    /// Does not fire.
    pub fn never() -> Timer {
        Timer::new(None, None)
    }

    /// Fires again and again, first after one `period` from now.
    pub fn interval(period: Duration) -> Timer {
        Timer::new(Instant::now().checked_add(period), Some(period))
    }

    /// Fires again and again, first at `start`.
    pub fn interval_at(start: Instant, period: Duration) -> Timer {
        Timer::new(Some(start), Some(period))
    }

    /// Whether it will ever fire.
    pub fn will_fire(&self) -> bool {
        self.deadline.is_some()
    }

    /// Makes it fire once, `duration` from now.
    pub fn set_after(&mut self, duration: Duration) {
        self.set(Instant::now().checked_add(duration), None);
    }

    /// Makes it fire once, at `instant`.
    pub fn set_at(&mut self, instant: Instant) {
        self.set(Some(instant), None);
    }

    /// Makes it fire again and again, first after one `period` from now.
    pub fn set_interval(&mut self, period: Duration) {
        self.set(Instant::now().checked_add(period), Some(period));
    }

    /// Makes it fire again and again, first at `start`.
    pub fn set_interval_at(&mut self, start: Instant, period: Duration) {
        self.set(Some(start), Some(period));
    }

    /// A timer that nobody has polled.
    fn new(deadline: Option<Instant>, period: Option<Duration>) -> Timer {
        Timer {
            deadline,
            period,
            entry: None,
        }
    }

    /// Changes what it waits for; a task that waits already will be woken then.
    fn set(&mut self, deadline: Option<Instant>, period: Option<Duration>) {
        (self.deadline, self.period) = (deadline, period);
        let Some(entry) = self.entry else { return };
        let reactor = Reactor::started();
        match reactor.deadlines.set(entry, deadline) {
            Some(true) => reactor.notify(),
            Some(false) => {}
            // It has been woken for the old deadline and will poll.
            None => self.entry = None,
        }
    }

    /// Has this task woken at the deadline.
    fn wait(&mut self, cx: &Context<'_>) {
        let reactor = Reactor::start();
        if let Some(entry) = self.entry {
            if reactor.deadlines.will_wake(entry, cx.waker()) == Some(true) {
                return;
            }
            self.cancel();
        }
        let (entry, too_early) = reactor.deadlines.insert(self.deadline, cx.waker().clone());
        self.entry = Some(entry);
        if too_early {
            reactor.notify();
        }
        last_resort::waiter_stored(cx);
    }

    /// Takes the waker back.
    fn cancel(&mut self) {
        if let Some(entry) = self.entry.take() {
            let waker = Reactor::started().deadlines.remove(entry);
            drop(waker);
        }
    }
}

impl Future for Timer {
    type Output = Instant;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Instant> {
        let timer = &mut *self;
        match timer.deadline {
            Some(deadline) if deadline <= Instant::now() => {
                ready!(budget::charge(cx));
                timer.cancel();
                timer.deadline = timer.period.and_then(|period| deadline.checked_add(period));
                Poll::Ready(deadline)
            }
            _ => {
                timer.wait(cx);
                Poll::Pending
            }
        }
    }
}

impl Stream for Timer {
    type Item = Instant;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Instant>> {
        self.poll(cx).map(Some)
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.cancel();
    }
}
