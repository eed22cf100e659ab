//! The public `Timer`: a deadline, a series of them, or none.
//!
//! A timer costs nothing until it is polled before its time: only then is the waker stored in the wheel. So a timeout
//! around something that is ready at once takes no lock.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use futures_core::Stream;

use super::driver::Reactor;
use super::last_resort;
use super::wheel::Entry;
use crate::budget;

/// A moment to wait for, or a series of them.
///
/// As a `Future` it is done at its deadline; as a `Stream` it yields one item for every deadline and never ends. Both
/// yield the [`Instant`] it was *set* to, so that a reader can tell how late it is.
///
/// **Never early, any duration.** A deadline is kept to the nanosecond and no timer fires before it. What is too far away
/// for the clock, such as [`Duration::MAX`], never fires. How late it fires is up to the system; some 50 microseconds
/// are usual on an idle Linux.
///
/// **An interval that is late catches up.** Its deadlines stand a period apart from the first one on, however late the
/// items are taken: those that have passed meanwhile are yielded one after the other without waiting. Where a pause
/// between two items matters more than their number, use [`Timer::after`] and [`set_after`](Timer::set_after) instead, or
/// [`stream::interval`](crate::stream::interval).
///
/// After it has fired, a timer that is no interval stays silent until it is set again. Dropping a timer cancels it.
/// It works on every executor; the idea and the names are async-io's.
///
/// # Panics
///
/// When it is polled before its time and the reactor cannot be started, since the process has no descriptors left.
///
/// # Cancel safety
///
/// Cancel safe: a timer may be polled, left alone and polled again, by another task too; the last one is woken.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, Instant};
///
/// use parklet::{reactor::Timer, task};
///
/// task::block_on(async {
///     let start = Instant::now();
///     Timer::after(Duration::from_millis(10)).await;
///     assert!(start.elapsed() >= Duration::from_millis(10));
/// });
/// ```
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
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use parklet::{reactor::Timer, task};
    ///
    /// task::block_on(Timer::after(Duration::from_millis(1)));
    /// assert!(!Timer::after(Duration::MAX).will_fire());
    /// ```
    pub fn after(duration: Duration) -> Timer {
        Timer::new(Instant::now().checked_add(duration), None)
    }

    /// Fires once, at `instant`; at once if that has passed.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// use parklet::{reactor::Timer, task};
    ///
    /// let deadline = Instant::now() + Duration::from_millis(1);
    /// assert_eq!(task::block_on(Timer::at(deadline)), deadline);
    /// ```
    pub fn at(instant: Instant) -> Timer {
        Timer::new(Some(instant), None)
    }

    /// Does not fire, unless it is set.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::reactor::Timer;
    ///
    /// assert!(!Timer::never().will_fire());
    /// ```
    pub fn never() -> Timer {
        Timer::new(None, None)
    }

    /// Fires again and again, the first time one `period` from now. A period of zero is always ready.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use parklet::prelude::*;
    /// use parklet::{reactor::Timer, task};
    ///
    /// task::block_on(async {
    ///     let period = Duration::from_millis(1);
    ///     let mut ticks = Timer::interval(period);
    ///     let first = ticks.next().await.unwrap();
    ///     let second = ticks.next().await.unwrap();
    ///     assert_eq!(second - first, period);
    /// });
    /// ```
    pub fn interval(period: Duration) -> Timer {
        Timer::new(Instant::now().checked_add(period), Some(period))
    }

    /// Fires again and again, the first time at `start`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// use parklet::prelude::*;
    /// use parklet::{reactor::Timer, task};
    ///
    /// let start = Instant::now();
    /// let mut ticks = Timer::interval_at(start, Duration::from_millis(1));
    /// assert_eq!(task::block_on(ticks.next()), Some(start));
    /// ```
    pub fn interval_at(start: Instant, period: Duration) -> Timer {
        Timer::new(Some(start), Some(period))
    }

    /// Whether it will ever fire.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use parklet::{reactor::Timer, task};
    ///
    /// let mut timer = Timer::after(Duration::ZERO);
    /// assert!(timer.will_fire());
    /// task::block_on(&mut timer);
    /// assert!(!timer.will_fire());
    /// ```
    pub fn will_fire(&self) -> bool {
        self.deadline.is_some()
    }

    /// Makes it fire once, `duration` from now, whatever it was set to before. A task that waits for it goes on waiting.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use parklet::{reactor::Timer, task};
    ///
    /// let mut timer = Timer::never();
    /// timer.set_after(Duration::from_millis(1));
    /// task::block_on(&mut timer);
    /// ```
    pub fn set_after(&mut self, duration: Duration) {
        self.set(Instant::now().checked_add(duration), None);
    }

    /// Makes it fire once, at `instant`; otherwise like [`set_after`](Timer::set_after).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// use parklet::{reactor::Timer, task};
    ///
    /// let mut timer = Timer::after(Duration::from_secs(3600));
    /// let now = Instant::now();
    /// timer.set_at(now);
    /// assert_eq!(task::block_on(&mut timer), now);
    /// ```
    pub fn set_at(&mut self, instant: Instant) {
        self.set(Some(instant), None);
    }

    /// Makes it fire again and again, the first time one `period` from now; otherwise like
    /// [`set_after`](Timer::set_after).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use parklet::prelude::*;
    /// use parklet::{reactor::Timer, task};
    ///
    /// let mut ticks = Timer::never();
    /// ticks.set_interval(Duration::from_millis(1));
    /// task::block_on(ticks.next());
    /// assert!(ticks.will_fire());
    /// ```
    pub fn set_interval(&mut self, period: Duration) {
        self.set(Instant::now().checked_add(period), Some(period));
    }

    /// Makes it fire again and again, the first time at `start`; otherwise like [`set_after`](Timer::set_after).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// use parklet::prelude::*;
    /// use parklet::{reactor::Timer, task};
    ///
    /// let start = Instant::now();
    /// let mut ticks = Timer::never();
    /// ticks.set_interval_at(start, Duration::from_millis(1));
    /// assert_eq!(task::block_on(ticks.next()), Some(start));
    /// ```
    pub fn set_interval_at(&mut self, start: Instant, period: Duration) {
        self.set(Some(start), Some(period));
    }

    /// Polls a timer that fires `duration` after its first poll, and makes it in that poll. The clock, which costs more than
    /// all the rest, is read once.
    pub(crate) fn poll_after(
        timer: &mut Option<Timer>,
        duration: Duration,
        cx: &Context<'_>,
    ) -> Poll<Instant> {
        let now = Instant::now();
        Timer::begun(timer, duration, now).poll_at(now, cx)
    }

    /// Like [`poll_after`](Timer::poll_after) for who will be polled again in any case: nobody is woken at the deadline.
    pub(crate) fn is_over_after(timer: &mut Option<Timer>, duration: Duration) -> bool {
        let now = Instant::now();
        let timer = Timer::begun(timer, duration, now);
        timer.deadline.is_some_and(|deadline| deadline <= now)
    }

    /// The timer, which starts now if it has not done so before.
    fn begun(timer: &mut Option<Timer>, duration: Duration, now: Instant) -> &mut Timer {
        timer.get_or_insert_with(|| Timer::new(now.checked_add(duration), None))
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
        // Without a waker it has been woken for the old deadline, and will poll.
        if let Some(waker) = self.cancel() {
            self.store(waker);
        }
    }

    /// Polls, where it is `now`.
    fn poll_at(&mut self, now: Instant, cx: &Context<'_>) -> Poll<Instant> {
        match self.deadline {
            Some(deadline) if deadline <= now => {
                ready!(budget::charge(cx));
                if self.entry.is_some() && Reactor::started().deadlines.has_taken(deadline) {
                    self.entry = None;
                }
                drop(self.cancel());
                self.deadline = self.period.and_then(|period| deadline.checked_add(period));
                Poll::Ready(deadline)
            }
            _ => {
                self.wait(cx);
                Poll::Pending
            }
        }
    }

    /// Has this task woken at the deadline.
    fn wait(&mut self, cx: &Context<'_>) {
        if let Some(entry) = self.entry {
            let deadlines = &Reactor::started().deadlines;
            if deadlines.will_wake(entry, cx.waker()) == Some(true) {
                return;
            }
            drop(self.cancel());
        }
        self.store(cx.waker().clone());
        last_resort::waiter_stored(cx);
    }

    /// Hands a waker to the reactor.
    fn store(&mut self, waker: Waker) {
        let reactor = Reactor::start();
        let (entry, too_early) = reactor.deadlines.insert(self.deadline, waker);
        self.entry = Some(entry);
        if too_early {
            reactor.notify();
        }
    }

    /// Takes the waker back, if it is there still.
    fn cancel(&mut self) -> Option<Waker> {
        let entry = self.entry.take()?;
        Reactor::started().deadlines.remove(entry)
    }
}

impl Future for Timer {
    type Output = Instant;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Instant> {
        self.poll_at(Instant::now(), cx)
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
        drop(self.cancel());
    }
}
