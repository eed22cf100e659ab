//! The receiving side of a channel.

use super::both_sides::impl_both_sides;
use super::channel_state::{Channel, ChannelState, ReceiveAs};
use super::error::{RecvError, TryRecvError};
use super::weak::WeakReceiver;
use crate::sync::park_until::park_until;
use crate::sync::wait_queue::Ticket;
use futures_core::stream::{FusedStream, Stream};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Receives messages; clones share them: each message goes to one of the receivers.
///
/// It is a `Stream` too, and `Unpin`: `receiver.next().await`. When the last receiver is dropped, the channel is
/// closed, and the messages that nobody received are dropped with it.
///
/// Several receivers that wait as streams are all woken by one message, and the first gets it; those that wait in
/// [`recv`](Receiver::recv) are woken one a message.
pub struct Receiver<T> {
    /// What all senders and receivers share.
    channel: Arc<Channel<T>>,
    /// The place in the queue, while the stream waits.
    ticket: Option<Ticket>,
}

impl<T> Receiver<T> {
    /// A receiver that has been counted.
    pub(super) fn new(channel: Arc<Channel<T>>) -> Receiver<T> {
        Receiver {
            channel,
            ticket: None,
        }
    }

    /// Waits for a message.
    ///
    /// # Errors
    ///
    /// [`RecvError`] if the channel is closed, or is closed while this waits, and has no message left.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a `recv` that is dropped has taken no message; if it had been woken for one, the next waiter is
    /// woken in its place. A future that is kept but no longer polled keeps its turn: drop it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::channel;
    /// # parklet::task::block_on(async {
    /// let (sender, receiver) = channel::unbounded();
    /// sender.send("hello").await.unwrap();
    /// assert_eq!(receiver.recv().await, Ok("hello"));
    /// # });
    /// ```
    pub fn recv(&self) -> Recv<'_, T> {
        Recv {
            channel: &self.channel,
            ticket: None,
        }
    }

    /// A message, if there is one already.
    ///
    /// # Errors
    ///
    /// [`TryRecvError`] that says whether there may be one later.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::channel;
    /// let (sender, receiver) = channel::unbounded();
    /// assert!(receiver.try_recv().unwrap_err().is_empty());
    /// sender.try_send(1).unwrap();
    /// assert_eq!(receiver.try_recv(), Ok(1));
    /// drop(sender);
    /// assert!(receiver.try_recv().unwrap_err().is_closed());
    /// ```
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.channel
            .with(|channel, wakes| match channel.pop(wakes) {
                Some(message) => Ok(message),
                None if channel.is_closed() => Err(TryRecvError::Closed),
                None => Err(TryRecvError::Empty),
            })
    }

    /// Waits for a message on a plain thread, blocking it. Needs no executor, and in a task it would stop a worker
    /// thread: use [`recv`](Receiver::recv) there.
    ///
    /// # Errors
    ///
    /// [`RecvError`] if the channel is closed, or is closed while this waits, and has no message left.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::channel::{self, RecvError};
    /// let (sender, receiver) = channel::unbounded();
    /// std::thread::spawn(move || sender.send_blocking(1));
    /// assert_eq!(receiver.recv_blocking(), Ok(1));
    /// assert_eq!(receiver.recv_blocking(), Err(RecvError));
    /// ```
    pub fn recv_blocking(&self) -> Result<T, RecvError> {
        park_until(self.recv())
    }

    /// A handle to the same channel that does not keep it open.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::channel;
    /// let (sender, receiver) = channel::unbounded::<u32>();
    /// let weak = receiver.downgrade();
    /// drop(receiver);
    /// assert!(weak.upgrade().is_none());
    /// assert!(sender.is_closed());
    /// ```
    pub fn downgrade(&self) -> WeakReceiver<T> {
        WeakReceiver::new(Arc::downgrade(&self.channel))
    }
}

impl_both_sides!(Receiver);

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Receiver<T> {
        self.channel.with(|channel, _| channel.clone_receiver());
        Receiver::new(Arc::clone(&self.channel))
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let Receiver { channel, ticket } = self;
        let unreceived = channel.with(|channel, wakes| {
            channel.withdraw_recv(ReceiveAs::Stream, ticket, wakes);
            channel.remove_receiver(wakes)
        });
        drop(unreceived);
    }
}

impl<T> Stream for Receiver<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let Receiver { channel, ticket } = &mut *self;
        channel.with(|channel, wakes| channel.poll_recv(ReceiveAs::Stream, ticket, cx, wakes))
    }
}

impl<T> FusedStream for Receiver<T> {
    fn is_terminated(&self) -> bool {
        self.channel
            .with(|channel, _| channel.is_closed() && channel.len() == 0)
    }
}

/// The future of [`Receiver::recv`].
#[must_use = "futures do nothing unless awaited or polled"]
pub struct Recv<'a, T> {
    /// Where from.
    channel: &'a Channel<T>,
    /// The place in the queue.
    ticket: Option<Ticket>,
}

impl<T> Future for Recv<'_, T> {
    type Output = Result<T, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Recv { channel, ticket } = &mut *self;
        channel
            .with(|channel, wakes| channel.poll_recv(ReceiveAs::Recv, ticket, cx, wakes))
            .map(|message| message.ok_or(RecvError))
    }
}

impl<T> Drop for Recv<'_, T> {
    fn drop(&mut self) {
        let Recv { channel, ticket } = self;
        if ticket.is_some() {
            channel.with(|channel, wakes| channel.withdraw_recv(ReceiveAs::Recv, ticket, wakes));
        }
    }
}

impl<T> fmt::Debug for Recv<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recv").finish_non_exhaustive()
    }
}
