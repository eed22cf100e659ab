//! The sending side of a channel.

use super::both_sides::impl_both_sides;
use super::channel_state::{Channel, ChannelState, Refusal};
use super::error::{SendError, TrySendError};
use super::weak::WeakSender;
use crate::sync::park_until::park_until;
use crate::sync::wait_queue::Ticket;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// The panic of a future that is polled after it was ready.
pub(super) const POLLED_AGAIN: &str = "send() polled again after it was ready";

/// Sends messages; clones send into the same channel. It is a [`Sink`](futures_sink::Sink) too.
///
/// When the last sender is dropped, the channel is closed: receivers get what is left, then an error.
pub struct Sender<T> {
    /// What all senders and receivers share.
    pub(super) channel: Arc<Channel<T>>,
    /// The place in the queue, while the sink waits.
    pub(super) ticket: Option<Ticket>,
}

impl<T> Sender<T> {
    /// A sender that has been counted.
    pub(super) fn new(channel: Arc<Channel<T>>) -> Sender<T> {
        Sender {
            channel,
            ticket: None,
        }
    }

    /// Sends a message; waits while the channel is full.
    ///
    /// # Errors
    ///
    /// [`SendError`] with the message if the channel is closed, or is closed while this waits.
    ///
    /// # Cancel safety
    ///
    /// A `send` that is dropped before it was ready has not sent its message: the message is dropped with it, and the
    /// place in the queue goes to the next. To keep the message, poll the future by reference until it is ready, or
    /// use [`try_send`](Sender::try_send).
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::channel::{self, SendError};
    /// # parklet::task::block_on(async {
    /// let (sender, receiver) = channel::bounded(1);
    /// assert_eq!(sender.send(1).await, Ok(()));
    /// drop(receiver);
    /// assert_eq!(sender.send(2).await, Err(SendError(2)));
    /// # });
    /// ```
    pub fn send(&self, message: T) -> Send<'_, T> {
        Send {
            channel: &self.channel,
            message: Some(message),
            ticket: None,
        }
    }

    /// Sends a message if there is room, without waiting.
    ///
    /// # Errors
    ///
    /// [`TrySendError`] with the message if the channel is full or closed.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::channel::{self, TrySendError};
    /// let (sender, _receiver) = channel::bounded(1);
    /// assert_eq!(sender.try_send(1), Ok(()));
    /// assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
    /// ```
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        self.channel.with(|channel, wakes| {
            match channel.check_room() {
                Ok(()) => channel.push(message, wakes),
                Err(Refusal::Full) => return Err(TrySendError::Full(message)),
                Err(Refusal::Closed) => return Err(TrySendError::Closed(message)),
            }
            Ok(())
        })
    }

    /// Sends a message from a plain thread: blocks it while the channel is full. Needs no executor, and in a task it
    /// would stop a worker thread: use [`send`](Sender::send) there.
    ///
    /// # Errors
    ///
    /// [`SendError`] with the message if the channel is closed, or is closed while this waits.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::channel;
    /// let (sender, receiver) = channel::bounded(1);
    /// let thread = std::thread::spawn(move || (1..=3).try_for_each(|n| sender.send_blocking(n)));
    /// assert_eq!(receiver.recv_blocking(), Ok(1));
    /// assert_eq!(receiver.recv_blocking(), Ok(2));
    /// assert_eq!(receiver.recv_blocking(), Ok(3));
    /// assert_eq!(thread.join().unwrap(), Ok(()));
    /// ```
    pub fn send_blocking(&self, message: T) -> Result<(), SendError<T>> {
        park_until(self.send(message))
    }

    /// Sends a message without waiting: if the channel is full, the oldest message makes room and is returned.
    ///
    /// # Errors
    ///
    /// [`SendError`] with the message if the channel is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::channel;
    /// let (sender, receiver) = channel::bounded(1);
    /// assert_eq!(sender.force_send(1), Ok(None));
    /// assert_eq!(sender.force_send(2), Ok(Some(1)));
    /// assert_eq!(receiver.try_recv(), Ok(2));
    /// ```
    pub fn force_send(&self, message: T) -> Result<Option<T>, SendError<T>> {
        self.channel.with(|channel, wakes| {
            if channel.is_closed() {
                Err(SendError(message))
            } else {
                Ok(channel.force_push(message, wakes))
            }
        })
    }

    /// Waits until the channel is closed; all receivers being gone closes it too.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a dropped `closed()` was only watching.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::channel;
    /// # parklet::task::block_on(async {
    /// let (sender, receiver) = channel::unbounded::<u32>();
    /// std::thread::spawn(move || drop(receiver));
    /// sender.closed().await;
    /// assert!(sender.is_closed());
    /// # });
    /// ```
    pub fn closed(&self) -> Closed<'_, T> {
        Closed {
            channel: &self.channel,
            ticket: None,
        }
    }

    /// A handle to the same channel that does not keep it open.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::channel;
    /// let (sender, receiver) = channel::unbounded::<u32>();
    /// let weak = sender.downgrade();
    /// drop(sender);
    /// assert!(weak.upgrade().is_none());
    /// assert!(receiver.is_closed());
    /// ```
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender::new(Arc::downgrade(&self.channel))
    }
}

impl_both_sides!(Sender);

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Sender<T> {
        self.channel.with(|channel, _| channel.clone_sender());
        Sender::new(Arc::clone(&self.channel))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let Sender { channel, ticket } = self;
        channel.with(|channel, wakes| {
            channel.withdraw_sink(ticket, wakes);
            channel.remove_sender(wakes);
        });
    }
}

/// The future of [`Sender::send`].
#[must_use = "futures do nothing unless awaited or polled"]
pub struct Send<'a, T> {
    /// Where to.
    channel: &'a Channel<T>,
    /// The message, until the channel takes it in.
    message: Option<T>,
    /// The place in the queue.
    ticket: Option<Ticket>,
}

/// The message is only moved, never pinned.
impl<T> Unpin for Send<'_, T> {}

impl<T> Future for Send<'_, T> {
    type Output = Result<(), SendError<T>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Send {
            channel,
            message,
            ticket,
        } = &mut *self;
        let sent = channel.with(|channel, wakes| channel.poll_send(message, ticket, cx, wakes));
        Poll::Ready(match ready!(sent) {
            Ok(()) => Ok(()),
            Err(_closed) => Err(SendError(message.take().expect(POLLED_AGAIN))),
        })
    }
}

impl<T> Drop for Send<'_, T> {
    fn drop(&mut self) {
        let Send {
            channel, ticket, ..
        } = self;
        if ticket.is_some() {
            channel.with(|channel, wakes| channel.withdraw_send(ticket, wakes));
        }
    }
}

impl<T> fmt::Debug for Send<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Send").finish_non_exhaustive()
    }
}

/// The future of [`Sender::closed`].
#[must_use = "futures do nothing unless awaited or polled"]
pub struct Closed<'a, T> {
    /// The channel that is watched.
    channel: &'a Channel<T>,
    /// The place in the queue.
    ticket: Option<Ticket>,
}

impl<T> Future for Closed<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Closed { channel, ticket } = &mut *self;
        channel.with(|channel, wakes| channel.poll_closed(ticket, cx, wakes))
    }
}

impl<T> Drop for Closed<'_, T> {
    fn drop(&mut self) {
        let Closed { channel, ticket } = self;
        if ticket.is_some() {
            channel.with(|channel, wakes| channel.withdraw_closed(ticket, wakes));
        }
    }
}

impl<T> fmt::Debug for Closed<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closed").finish_non_exhaustive()
    }
}
