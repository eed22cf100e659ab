//! The receiving side of a broadcast channel.

use super::ahead::ReadAhead;
use super::channel::{Channel, News};
use super::error::{RecvError, TryRecvError};
use super::ring::Read;
use crate::budget;
use crate::primitive::is_broken;
use crate::sync::wait_queue::Ticket;
use futures_core::Stream;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// Receives every value sent since it subscribed, as far as they are kept.
///
/// A clone stands where the original stands: both then read the same values. [`resubscribe`](Receiver::resubscribe)
/// makes one that starts with the next value instead.
///
/// It is a `Stream` too, of `Result<T, RecvError>`: it yields the values, `Lagged(n)` where some were missed, and ends
/// where `recv` would say `Closed`.
pub struct Receiver<T> {
    /// What all senders and receivers share.
    channel: Arc<Channel<T>>,
    /// Where it stands, and what it has taken ahead.
    ahead: ReadAhead<T>,
    /// The place in the queue, while a `recv` or the stream waits.
    ticket: Option<Ticket>,
}

impl<T> Receiver<T> {
    /// A receiver of what is sent from now on.
    pub(super) fn subscribe(channel: &Arc<Channel<T>>) -> Receiver<T> {
        let is_counted_late = is_broken("broadcast_subscriber_is_counted_late");
        let ahead = channel.with(|state, _| {
            let ahead = ReadAhead::new(state.ring.end());
            if !is_counted_late {
                state.add_receiver(ahead.watch());
            }
            ahead
        });
        if is_counted_late {
            channel.with(|state, _| state.add_receiver(ahead.watch()));
        }
        Receiver {
            channel: Arc::clone(channel),
            ahead,
            ticket: None,
        }
    }

    /// A new receiver, for the values sent from now on.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::broadcast;
    /// let (sender, receiver) = broadcast::channel(4);
    /// sender.send(1).unwrap();
    /// let mut late = receiver.resubscribe();
    /// sender.send(2).unwrap();
    /// assert_eq!(late.try_recv(), Ok(2));
    /// ```
    pub fn resubscribe(&self) -> Receiver<T> {
        Receiver::subscribe(&self.channel)
    }

    /// How many values were sent that this receiver has not received, those that it has missed included.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::broadcast;
    /// let (sender, receiver) = broadcast::channel(1);
    /// sender.send(1).unwrap();
    /// sender.send(2).unwrap();
    /// assert_eq!(receiver.len(), 2);
    /// ```
    pub fn len(&self) -> usize {
        let unread = self.channel.end() - self.ahead.position();
        usize::try_from(unread).unwrap_or(usize::MAX)
    }

    /// Whether this receiver has received everything that was sent.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::broadcast;
    /// let (sender, receiver) = broadcast::channel(1);
    /// assert!(receiver.is_empty());
    /// sender.send(1).unwrap();
    /// assert!(!receiver.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether every sender is gone. There may still be values to receive.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::broadcast;
    /// let (sender, receiver) = broadcast::channel::<u32>(1);
    /// assert!(!receiver.is_closed());
    /// drop(sender);
    /// assert!(receiver.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        // Whoever has read all that ever was looks at a stream without news.
        self.channel.news(u64::MAX) == News::NoneEver
    }

    /// Whether both receive from the same channel.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::broadcast;
    /// let (_sender, receiver) = broadcast::channel::<u32>(1);
    /// assert!(receiver.same_channel(&receiver.resubscribe()));
    /// ```
    pub fn same_channel(&self, other: &Receiver<T>) -> bool {
        Arc::ptr_eq(&self.channel, &other.channel)
    }

    /// Leaves the queue, if a `recv` or the stream has joined it.
    fn stop_waiting(&mut self) {
        if self.ticket.is_some() {
            self.channel
                .with(|channel, wakes| channel.waiting_receivers.served(&mut self.ticket, wakes));
        }
    }
}

impl<T: Clone> Receiver<T> {
    /// Waits for the next value.
    ///
    /// # Errors
    ///
    /// [`RecvError::Lagged`] with the number of values that fell out before this receiver read them; the next `recv`
    /// goes on with the oldest one kept. [`RecvError::Closed`] when all senders are gone and everything was read.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a dropped `recv()` has received nothing, and the next one gets the value.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::broadcast;
    /// # parklet::task::block_on(async {
    /// let (sender, mut receiver) = broadcast::channel(4);
    /// std::thread::spawn(move || sender.send("hello"));
    /// assert_eq!(receiver.recv().await, Ok("hello"));
    /// assert!(receiver.recv().await.is_err());
    /// # });
    /// ```
    pub fn recv(&mut self) -> Recv<'_, T> {
        Recv { receiver: self }
    }

    /// The next value, if there is one already.
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`] if everything sent so far was read; otherwise as [`recv`](Receiver::recv).
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::broadcast;
    /// let (sender, mut receiver) = broadcast::channel(4);
    /// assert!(receiver.try_recv().is_err());
    /// sender.send(1).unwrap();
    /// assert_eq!(receiver.try_recv(), Ok(1));
    /// ```
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let Receiver { channel, ahead, .. } = self;
        let read = match ahead.next(channel.oldest_kept()) {
            Read::Nothing => match channel.news(ahead.position()) {
                News::Some => channel.with(|state, _| ahead.take_from(&mut state.ring)),
                News::NoneYet => return Err(TryRecvError::Empty),
                News::NoneEver => return Err(TryRecvError::Closed),
            },
            was_ahead => was_ahead,
        };
        result_of(read).map_err(TryRecvError::from)
    }

    /// The next value, or a place in the queue; for `recv` and the stream.
    fn poll_recv(&mut self, cx: &Context<'_>) -> Poll<Result<T, RecvError>> {
        if !self.ahead.is_empty() {
            ready!(budget::charge(cx));
            self.stop_waiting();
            let read = self.ahead.next(self.channel.oldest_kept());
            return Poll::Ready(result_of(read));
        }
        let Receiver {
            channel,
            ahead,
            ticket,
        } = self;
        channel.with(|state, wakes| {
            let has_news = ahead.position() < state.ring.end();
            if !has_news && state.senders > 0 {
                state.waiting_receivers.wait(ticket, cx.waker(), wakes);
                return Poll::Pending;
            }
            if has_news && !budget::take() {
                wakes.wake(Some(cx.waker().clone()));
                return Poll::Pending;
            }
            let read = ahead.take_from(&mut state.ring);
            state.waiting_receivers.served(ticket, wakes);
            Poll::Ready(result_of(read))
        })
    }
}

/// What a receiver gets that need not wait: where there is nothing, there never will be.
fn result_of<T>(read: Read<T>) -> Result<T, RecvError> {
    match read {
        Read::Value(value) => Ok(value),
        Read::Lagged(missed) => Err(RecvError::Lagged(missed)),
        Read::Nothing => Err(RecvError::Closed),
    }
}

/// What it has taken ahead is only moved, never pinned.
impl<T> Unpin for Receiver<T> {}

/// It stands where the original stands.
impl<T: Clone> Clone for Receiver<T> {
    fn clone(&self) -> Receiver<T> {
        let ahead = self.ahead.clone();
        self.channel.with(|state, _| {
            state.add_receiver(ahead.watch());
            state.ring.join(ahead.taken());
        });
        Receiver {
            channel: Arc::clone(&self.channel),
            ahead,
            ticket: None,
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let Receiver {
            channel,
            ahead,
            ticket,
        } = self;
        let freed = channel.with(|channel, wakes| {
            channel.waiting_receivers.served(ticket, wakes);
            channel.remove_receiver(wakes);
            if is_broken("broadcast_gone_receiver_is_waited_for") {
                return Vec::new();
            }
            channel.ring.leave(ahead.taken())
        });
        drop(freed);
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}

impl<T: Clone> Stream for Receiver<T> {
    type Item = Result<T, RecvError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_recv(cx).map(|result| match result {
            Err(RecvError::Closed) => None,
            value_or_lag => Some(value_or_lag),
        })
    }
}

/// The future of [`Receiver::recv`].
#[must_use = "futures do nothing unless awaited or polled"]
pub struct Recv<'a, T> {
    /// Who waits.
    receiver: &'a mut Receiver<T>,
}

impl<T: Clone> Future for Recv<'_, T> {
    type Output = Result<T, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.receiver.poll_recv(cx)
    }
}

impl<T> Drop for Recv<'_, T> {
    fn drop(&mut self) {
        self.receiver.stop_waiting();
    }
}

impl<T> fmt::Debug for Recv<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recv").finish_non_exhaustive()
    }
}
