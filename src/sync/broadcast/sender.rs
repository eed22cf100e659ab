//! The sending side of a broadcast channel.

use super::channel::Channel;
use super::error::SendError;
use super::receiver::Receiver;
use crate::primitive::is_broken;
use crate::sync::wait_queue::Ticket;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

/// Sends values to every receiver; clones send into the same channel.
///
/// The channel is closed when the last sender is dropped: receivers read what is left, then get `Closed`.
pub struct Sender<T> {
    /// What all senders and receivers share.
    channel: Arc<Channel<T>>,
}

impl<T> Sender<T> {
    /// A new channel that keeps at most `capacity` values, without a receiver yet.
    ///
    /// # Panics
    ///
    /// If `capacity` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::sync::broadcast::Sender;
    ///
    /// let sender = Sender::new(4);
    /// assert!(sender.send(1).is_err());
    /// let mut receiver = sender.subscribe();
    /// assert_eq!(sender.send(2), Ok(1));
    /// assert_eq!(receiver.try_recv(), Ok(2));
    /// ```
    #[track_caller]
    pub fn new(capacity: usize) -> Sender<T> {
        assert!(
            capacity > 0,
            "a broadcast channel of capacity 0 keeps nothing to receive; use 1 or more"
        );
        Sender {
            channel: Arc::new(Channel::new(capacity)),
        }
    }

    /// Sends a value to every receiver there is now, and returns how many those are. Never waits; if the channel is
    /// full, the oldest value falls out.
    ///
    /// # Errors
    ///
    /// [`SendError`] with the value if there is no receiver. A later send may succeed, after a [`subscribe`].
    ///
    /// [`subscribe`]: Sender::subscribe
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::broadcast;
    /// let (sender, mut receiver) = broadcast::channel(1);
    /// assert_eq!(sender.send("old"), Ok(1));
    /// assert_eq!(sender.send("new"), Ok(1));
    /// assert!(receiver.try_recv().is_err());
    /// assert_eq!(receiver.try_recv(), Ok("new"));
    /// ```
    pub fn send(&self, value: T) -> Result<usize, SendError<T>> {
        self.send_with(|| value).map_err(|value| SendError(value()))
    }

    /// [`send`](Self::send) of a value that is made under the channel's lock, so that values which are numbered stand in
    /// the order of their numbers. It comes back unmade if there is no receiver.
    pub(crate) fn send_with<F: FnOnce() -> T>(&self, value: F) -> Result<usize, F> {
        let (receivers, evicted) = self.channel.with(|channel, wakes| {
            if channel.receivers == 0 {
                return Err(value);
            }
            let evicted = channel.ring.push(value(), channel.receivers);
            if !is_broken("broadcast_publishes_the_tail_late") {
                self.channel.publish_tail(channel);
            }
            if is_broken("broadcast_send_wakes_one") {
                channel.waiting_receivers.notify_one(wakes);
            } else {
                channel.waiting_receivers.notify_all(wakes);
            }
            Ok((channel.receivers, evicted))
        })?;
        if is_broken("broadcast_publishes_the_tail_late") {
            self.channel
                .with(|channel, _| self.channel.publish_tail(channel));
        }
        drop(evicted);
        Ok(receivers)
    }

    /// A new receiver, for the values sent from now on.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::broadcast;
    /// let (sender, _first) = broadcast::channel(4);
    /// sender.send(1).unwrap();
    /// let mut late = sender.subscribe();
    /// sender.send(2).unwrap();
    /// assert_eq!(late.try_recv(), Ok(2));
    /// ```
    pub fn subscribe(&self) -> Receiver<T> {
        Receiver::subscribe(&self.channel)
    }

    /// How many receivers there are.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::broadcast;
    /// let (sender, receiver) = broadcast::channel::<u32>(4);
    /// let other = receiver.clone();
    /// assert_eq!(sender.receiver_count(), 2);
    /// # drop(other);
    /// ```
    pub fn receiver_count(&self) -> usize {
        self.channel.with(|channel, _| channel.receivers)
    }

    /// How many values are kept, because some receiver has not read them.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::broadcast;
    /// let (sender, mut receiver) = broadcast::channel(4);
    /// sender.send(1).unwrap();
    /// sender.send(2).unwrap();
    /// receiver.try_recv().unwrap();
    /// assert_eq!(sender.len(), 1);
    /// ```
    pub fn len(&self) -> usize {
        usize::try_from(self.channel.unread()).unwrap_or(usize::MAX)
    }

    /// Whether every receiver has read everything.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::broadcast;
    /// let (sender, receiver) = broadcast::channel(4);
    /// sender.send(1).unwrap();
    /// assert!(!sender.is_empty());
    /// drop(receiver);
    /// assert!(sender.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether both send into the same channel.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::broadcast;
    /// let (sender, _receiver) = broadcast::channel::<u32>(4);
    /// assert!(sender.same_channel(&sender.clone()));
    /// ```
    pub fn same_channel(&self, other: &Sender<T>) -> bool {
        Arc::ptr_eq(&self.channel, &other.channel)
    }

    /// A handle to the same channel that does not keep it open.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::broadcast;
    /// let (sender, _receiver) = broadcast::channel::<u32>(4);
    /// let weak = sender.downgrade();
    /// assert!(weak.upgrade().is_some());
    /// drop(sender);
    /// assert!(weak.upgrade().is_none());
    /// ```
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender {
            channel: Arc::downgrade(&self.channel),
        }
    }

    /// Waits until there is no receiver. One may [`subscribe`](Sender::subscribe) again after that.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a dropped `closed()` was only watching.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::broadcast;
    /// # parklet::task::block_on(async {
    /// let (sender, receiver) = broadcast::channel::<u32>(4);
    /// std::thread::spawn(move || drop(receiver));
    /// sender.closed().await;
    /// assert_eq!(sender.receiver_count(), 0);
    /// # });
    /// ```
    pub fn closed(&self) -> Closed<'_, T> {
        Closed {
            channel: &self.channel,
            ticket: None,
        }
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Sender<T> {
        self.channel.with(|channel, _| channel.senders += 1);
        Sender {
            channel: Arc::clone(&self.channel),
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.channel.with(|channel, wakes| {
            channel.senders -= 1;
            let is_quiet = is_broken("broadcast_last_sender_goes_quietly");
            if channel.senders == 0 && !is_quiet {
                self.channel.publish_tail(channel);
                channel.waiting_receivers.notify_all(wakes);
            }
        });
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

/// A [`Sender`] that does not keep the channel open; from [`Sender::downgrade`].
pub struct WeakSender<T> {
    /// What all senders and receivers share, if any of them is left.
    channel: Weak<Channel<T>>,
}

impl<T> WeakSender<T> {
    /// A sender, if there is still another one; once the channel is closed it stays closed.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::broadcast;
    /// let (sender, mut receiver) = broadcast::channel(4);
    /// let weak = sender.downgrade();
    /// weak.upgrade().unwrap().send(1).unwrap();
    /// assert_eq!(receiver.try_recv(), Ok(1));
    /// ```
    pub fn upgrade(&self) -> Option<Sender<T>> {
        let channel = self.channel.upgrade()?;
        let is_open = channel.with(|channel, _| {
            let is_open = channel.senders > 0;
            channel.senders += usize::from(is_open);
            is_open
        });
        is_open.then(|| Sender { channel })
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> WeakSender<T> {
        WeakSender {
            channel: Weak::clone(&self.channel),
        }
    }
}

impl<T> fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakSender").finish_non_exhaustive()
    }
}

/// The future of [`Sender::closed`].
#[must_use = "futures do nothing unless awaited or polled"]
pub struct Closed<'a, T> {
    /// The channel whose receivers are watched.
    channel: &'a Channel<T>,
    /// The place in the queue.
    ticket: Option<Ticket>,
}

impl<T> Future for Closed<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Closed { channel, ticket } = &mut *self;
        channel.with(|channel, wakes| {
            if channel.receivers == 0 {
                channel.waiting_for_close.served(ticket, wakes);
                Poll::Ready(())
            } else {
                channel.waiting_for_close.wait(ticket, cx.waker(), wakes);
                Poll::Pending
            }
        })
    }
}

impl<T> Drop for Closed<'_, T> {
    fn drop(&mut self) {
        let Closed { channel, ticket } = self;
        if ticket.is_some() {
            channel.with(|channel, wakes| channel.waiting_for_close.served(ticket, wakes));
        }
    }
}

impl<T> fmt::Debug for Closed<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closed").finish_non_exhaustive()
    }
}
