//! A barrier: tasks that go on together.

use super::wait_queue::{Left, Ticket, WaitQueue};
use super::waking_lock::WakingLock;
use crate::budget;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A point that tasks pass together: each waits until as many have come as the barrier is for.
///
/// Then all go on, and the next ones to come are a new group, so one barrier serves a loop. One of each group, the one
/// that came last, is its *leader*.
///
/// As in std and async-std, but that a task which goes away while it waits is not counted any more.
///
/// # Examples
///
/// ```
/// use parklet::sync::{Arc, Barrier};
/// use parklet::task;
///
/// # task::block_on(async {
/// let barrier = Arc::new(Barrier::new(3));
/// let tasks: Vec<_> = (0..3)
///     .map(|_| {
///         let barrier = Arc::clone(&barrier);
///         task::spawn(async move { barrier.wait().await.is_leader() })
///     })
///     .collect();
/// let mut leaders = 0;
/// for task in tasks {
///     leaders += u32::from(task.await);
/// }
/// assert_eq!(leaders, 1);
/// # });
/// ```
pub struct Barrier {
    /// How many pass together.
    size: usize,
    /// Who is there of the group that gathers now.
    group: WakingLock<BarrierGroup>,
}

/// Those who wait at a barrier. To be notified is to be in a group that has passed.
#[derive(Debug)]
struct BarrierGroup {
    /// How many there are.
    count: usize,
    /// Their wakers.
    waiters: WaitQueue,
}

impl Barrier {
    /// A barrier for groups of so many; also in a `static`. With 0 or 1 nobody ever waits, and all are leaders.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::sync::Barrier;
    ///
    /// static ALONE: Barrier = Barrier::new(1);
    ///
    /// # parklet::task::block_on(async {
    /// assert!(ALONE.wait().await.is_leader());
    /// # });
    /// ```
    pub const fn new(size: usize) -> Barrier {
        Barrier {
            size,
            group: WakingLock::new(BarrierGroup {
                count: 0,
                waiters: WaitQueue::new(),
            }),
        }
    }

    /// Waits until the group is complete.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe. Dropped while it waits, it is not counted any more, and one more has to come. Dropped after the group
    /// was complete, it has passed.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::future::join;
    /// use parklet::sync::Barrier;
    ///
    /// # parklet::task::block_on(async {
    /// let barrier = Barrier::new(2);
    /// let (first, second) = join(barrier.wait(), barrier.wait()).await;
    /// assert!(!first.is_leader());
    /// assert!(second.is_leader());
    /// # });
    /// ```
    pub async fn wait(&self) -> BarrierWaitResult {
        let arrival = Arrival {
            barrier: self,
            ticket: None,
        };
        BarrierWaitResult {
            is_leader: arrival.await,
        }
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier").finish_non_exhaustive()
    }
}

/// What [`Barrier::wait`] returns.
///
/// # Examples
///
/// ```
/// # use parklet::sync::Barrier;
/// # parklet::task::block_on(async {
/// let result = Barrier::new(1).wait().await;
/// assert_eq!(format!("{result:?}"), "BarrierWaitResult { is_leader: true }");
/// # });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BarrierWaitResult {
    /// Whether this one completed the group.
    is_leader: bool,
}

impl BarrierWaitResult {
    /// Whether this is the leader of its group: exactly one of them is.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::Barrier;
    /// # parklet::task::block_on(async {
    /// if Barrier::new(1).wait().await.is_leader() {
    ///     // What is to be done once for the group.
    /// }
    /// # });
    /// ```
    pub fn is_leader(&self) -> bool {
        self.is_leader
    }
}

/// Comes to a barrier and waits for the others; ready with whether it was the last one to come.
struct Arrival<'a> {
    /// Where.
    barrier: &'a Barrier,
    /// The place in the queue, while the group is not complete.
    ticket: Option<Ticket>,
}

impl Future for Arrival<'_> {
    type Output = bool;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<bool> {
        let Arrival { barrier, ticket } = &mut *self;
        barrier.group.with(|group, wakes| {
            match ticket {
                Some(waiting) if group.waiters.is_waiting(waiting) => {}
                Some(_notified) => {
                    *ticket = None;
                    return Poll::Ready(false);
                }
                None if group.count + 1 < barrier.size => group.count += 1,
                None if !budget::take() => {
                    wakes.wake(Some(cx.waker().clone()));
                    return Poll::Pending;
                }
                None => {
                    group.count = 0;
                    group.waiters.notify_all(wakes);
                    return Poll::Ready(true);
                }
            }
            group.waiters.wait(ticket, cx.waker(), wakes);
            Poll::Pending
        })
    }
}

impl Drop for Arrival<'_> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket.take() else {
            return;
        };
        self.barrier.group.with(|group, wakes| {
            match group.waiters.leave(ticket, wakes) {
                Left::Waiting => group.count -= 1,
                // The group was complete: it has passed.
                Left::Notified => {}
            }
        });
    }
}
