//! A condition variable: waiting, with a mutex, until what it guards has changed.

use super::mutex::{Mutex, MutexGuard};
use super::wait_queue::{Ticket, WaitQueue};
use super::waking_lock::WakingLock;
use crate::future::timeout;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// Lets tasks that hold a [`Mutex`] wait until another one has changed the value and says so.
///
/// To wait is to join the queue, then to unlock the mutex, and to lock it again afterwards: whoever changes the value
/// under the lock and notifies then, or later, is not missed. Notifications are not kept; they go to those who wait at
/// that moment, first come, first served. As with std's, a task may be woken though the value is not as it wishes, so
/// it looks again: [`wait_until`](Condvar::wait_until) does that.
///
/// async-std's names and meaning. A [channel](crate::channel), a [`Semaphore`](super::Semaphore) or a
/// [`Barrier`](super::Barrier) often says better what is waited for.
///
/// # Examples
///
/// ```
/// use parklet::sync::{Arc, Condvar, Mutex};
/// use parklet::task;
///
/// # task::block_on(async {
/// let shared = Arc::new((Mutex::new(false), Condvar::new()));
/// task::spawn({
///     let shared = Arc::clone(&shared);
///     async move {
///         let (is_ready, changed) = &*shared;
///         *is_ready.lock().await = true;
///         changed.notify_one();
///     }
/// });
///
/// let (is_ready, changed) = &*shared;
/// let guard = changed.wait_until(is_ready.lock().await, |is_ready| *is_ready).await;
/// assert!(*guard);
/// # });
/// ```
pub struct Condvar {
    /// Those who wait to be notified.
    waiters: WakingLock<WaitQueue>,
}

impl Condvar {
    /// A new one, for which nobody waits; also in a `static`.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::sync::Condvar;
    ///
    /// static CHANGED: Condvar = Condvar::new();
    ///
    /// CHANGED.notify_all();
    /// ```
    pub const fn new() -> Condvar {
        Condvar {
            waiters: WakingLock::new(WaitQueue::new()),
        }
    }

    /// Unlocks the mutex, waits for a notification, and locks the mutex again.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe. A dropped `wait()` leaves the queue, and a notification it had by then goes to the next one. The
    /// guard is gone with it: the mutex is unlocked.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::sync::{Condvar, Mutex};
    ///
    /// # async fn pop(queue: &Mutex<Vec<u32>>, pushed: &Condvar) -> u32 {
    /// let mut guard = queue.lock().await;
    /// loop {
    ///     if let Some(number) = guard.pop() {
    ///         return number;
    ///     }
    ///     guard = pushed.wait(guard).await;
    /// }
    /// # }
    /// # let (queue, pushed) = (Mutex::new(Vec::new()), Condvar::new());
    /// # let push = async {
    /// #     queue.lock().await.push(7);
    /// #     pushed.notify_one();
    /// # };
    /// # let both = parklet::future::join(pop(&queue, &pushed), push);
    /// # assert_eq!(parklet::task::block_on(both).0, 7);
    /// ```
    pub async fn wait<'a, T: ?Sized>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        let mutex = MutexGuard::source(&guard);
        let mut notification = Notification::new(self, guard);
        (&mut notification).await;
        notification.lock(mutex).await
    }

    /// Waits, again and again, until the condition holds for the value.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, as [`wait`](Condvar::wait) is.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::future::join;
    /// use parklet::sync::{Condvar, Mutex};
    ///
    /// # parklet::task::block_on(async {
    /// let (count, changed) = (Mutex::new(0), Condvar::new());
    /// let waits = async {
    ///     let guard = count.lock().await;
    ///     let guard = changed.wait_until(guard, |count| *count >= 3).await;
    ///     assert_eq!(*guard, 3);
    /// };
    /// let counts = async {
    ///     for _ in 0..3 {
    ///         *count.lock().await += 1;
    ///         changed.notify_all();
    ///     }
    /// };
    /// join(waits, counts).await;
    /// # });
    /// ```
    pub async fn wait_until<'a, T: ?Sized>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> MutexGuard<'a, T> {
        while !condition(&mut guard) {
            guard = self.wait(guard).await;
        }
        guard
    }

    /// Unlocks the mutex, waits for a notification, but no longer than that, and locks the mutex again.
    ///
    /// The time is for the notification; to lock the mutex takes as long as it takes. Any duration will do;
    /// `Duration::MAX` never runs out.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, as [`wait`](Condvar::wait) is.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::sync::{Condvar, Mutex};
    /// use std::time::Duration;
    ///
    /// # parklet::task::block_on(async {
    /// let (mutex, changed) = (Mutex::new(1), Condvar::new());
    /// let guard = mutex.lock().await;
    /// let (guard, result) = changed.wait_timeout(guard, Duration::from_millis(5)).await;
    /// assert_eq!(*guard, 1);
    /// assert!(result.timed_out());
    /// # });
    /// ```
    pub async fn wait_timeout<'a, T: ?Sized>(
        &self,
        guard: MutexGuard<'a, T>,
        duration: Duration,
    ) -> (MutexGuard<'a, T>, WaitTimeoutResult) {
        let mutex = MutexGuard::source(&guard);
        let mut notification = Notification::new(self, guard);
        let is_over = timeout(duration, &mut notification).await.is_err();
        // It may have come after the last look at it.
        let timed_out = is_over && notification.stop_waiting();
        let guard = notification.lock(mutex).await;
        (guard, WaitTimeoutResult { timed_out })
    }

    /// Waits until the condition holds for the value, but no longer than that.
    ///
    /// The condition is looked at once more when the time is over, so it has timed out only if that does not hold still.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, as [`wait`](Condvar::wait) is.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::sync::{Condvar, Mutex};
    /// use std::time::Duration;
    ///
    /// # parklet::task::block_on(async {
    /// let (count, changed) = (Mutex::new(1), Condvar::new());
    /// let guard = count.lock().await;
    /// let soon = Duration::from_millis(5);
    /// let (guard, result) = changed.wait_timeout_until(guard, soon, |count| *count > 1).await;
    /// assert!(result.timed_out());
    ///
    /// let (_guard, result) = changed.wait_timeout_until(guard, Duration::ZERO, |_| true).await;
    /// assert!(!result.timed_out());
    /// # });
    /// ```
    pub async fn wait_timeout_until<'a, T: ?Sized>(
        &self,
        mut guard: MutexGuard<'a, T>,
        duration: Duration,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> (MutexGuard<'a, T>, WaitTimeoutResult) {
        let start = Instant::now();
        let mut timed_out = false;
        loop {
            if condition(&mut guard) {
                return (guard, WaitTimeoutResult { timed_out: false });
            }
            if timed_out {
                return (guard, WaitTimeoutResult { timed_out });
            }
            let left = duration.saturating_sub(start.elapsed());
            let result;
            (guard, result) = self.wait_timeout(guard, left).await;
            timed_out = result.timed_out();
        }
    }

    /// Notifies the one who has waited longest, if somebody waits.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::Condvar;
    /// let changed = Condvar::new();
    /// // Nobody waits, so this is lost.
    /// changed.notify_one();
    /// ```
    pub fn notify_one(&self) {
        self.waiters.with(|waiters, wakes| {
            waiters.notify_one(wakes);
        });
    }

    /// Notifies all who wait now.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::Condvar;
    /// let changed = Condvar::new();
    /// changed.notify_all();
    /// ```
    pub fn notify_all(&self) {
        self.waiters.with(WaitQueue::notify_all);
    }
}

impl Default for Condvar {
    fn default() -> Condvar {
        Condvar::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condvar").finish_non_exhaustive()
    }
}

/// Whether [`Condvar::wait_timeout`] or [`Condvar::wait_timeout_until`] ended because the time was over.
///
/// # Examples
///
/// ```
/// # use parklet::sync::{Condvar, Mutex};
/// # use std::time::Duration;
/// # parklet::task::block_on(async {
/// let mutex = Mutex::new(());
/// let (_, result) = Condvar::new().wait_timeout(mutex.lock().await, Duration::ZERO).await;
/// assert_eq!(format!("{result:?}"), "WaitTimeoutResult { timed_out: true }");
/// # });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitTimeoutResult {
    /// Whether it did.
    timed_out: bool,
}

impl WaitTimeoutResult {
    /// Whether the time was over.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::{Condvar, Mutex};
    /// # use std::time::Duration;
    /// # parklet::task::block_on(async {
    /// let mutex = Mutex::new(());
    /// let (_, result) = Condvar::new().wait_timeout(mutex.lock().await, Duration::ZERO).await;
    /// assert!(result.timed_out());
    /// # });
    /// ```
    pub fn timed_out(self) -> bool {
        self.timed_out
    }
}

/// Joins the queue, unlocks the mutex, and waits to be notified. Dropped after that, it notifies the next one instead,
/// unless the turn was used.
struct Notification<'a, 'm, T: ?Sized> {
    /// Who notifies.
    condvar: &'a Condvar,
    /// The lock that is given up when this has joined the queue.
    guard: Option<MutexGuard<'m, T>>,
    /// The place in the queue; kept when notified, until the turn is used.
    ticket: Option<Ticket>,
}

impl<'a, 'm, T: ?Sized> Notification<'a, 'm, T> {
    fn new(condvar: &'a Condvar, guard: MutexGuard<'m, T>) -> Notification<'a, 'm, T> {
        Notification {
            condvar,
            guard: Some(guard),
            ticket: None,
        }
    }

    /// Leaves the queue; false if it had been notified, whose turn it keeps then.
    fn stop_waiting(&mut self) -> bool {
        let ticket = &mut self.ticket;
        self.condvar.waiters.with(|waiters, wakes| {
            let is_waiting = ticket
                .as_ref()
                .is_some_and(|ticket| waiters.is_waiting(ticket));
            if is_waiting {
                waiters.served(ticket, wakes);
            }
            is_waiting
        })
    }

    /// Locks the mutex again: with that the turn is used.
    async fn lock(mut self, mutex: &'m Mutex<T>) -> MutexGuard<'m, T> {
        let guard = mutex.lock().await;
        self.ticket = None;
        guard
    }
}

impl<T: ?Sized> Future for Notification<'_, '_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Notification {
            condvar,
            guard,
            ticket,
        } = &mut *self;
        let is_notified = condvar.waiters.with(|waiters, wakes| {
            let is_notified = ticket
                .as_ref()
                .is_some_and(|ticket| !waiters.is_waiting(ticket));
            if !is_notified {
                waiters.wait(ticket, cx.waker(), wakes);
            }
            is_notified
        });
        // Unlocked after it has joined the queue, so whoever locks now, and notifies, finds it there.
        *guard = None;
        if is_notified {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl<T: ?Sized> Drop for Notification<'_, '_, T> {
    fn drop(&mut self) {
        let ticket = &mut self.ticket;
        if ticket.is_some() {
            self.condvar
                .waiters
                .with(|waiters, wakes| waiters.withdraw(ticket, wakes));
        }
    }
}
