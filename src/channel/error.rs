//! Why a message was not sent or not received; the names are async-channel's.

use std::error::Error;
use std::fmt;

/// From [`Sender::send`](super::Sender::send): the channel is closed; the message comes back.
///
/// # Examples
///
/// ```
/// use parklet::channel::{self, SendError};
///
/// let (sender, receiver) = channel::unbounded();
/// drop(receiver);
/// assert_eq!(sender.send_blocking(7), Err(SendError(7)));
/// ```
#[derive(PartialEq, Eq, Clone, Copy)]
pub struct SendError<T>(pub T);

/// From [`Sender::try_send`](super::Sender::try_send); the message comes back.
///
/// # Examples
///
/// ```
/// use parklet::channel::{self, TrySendError};
///
/// let (sender, receiver) = channel::bounded(1);
/// assert_eq!(sender.try_send(1), Ok(()));
/// assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
/// receiver.close();
/// assert_eq!(sender.try_send(3), Err(TrySendError::Closed(3)));
/// ```
#[derive(PartialEq, Eq, Clone, Copy)]
pub enum TrySendError<T> {
    /// There is no room at present.
    Full(T),
    /// The channel is closed.
    Closed(T),
}

/// From [`Receiver::recv`](super::Receiver::recv): the channel is closed, and everything was received.
///
/// # Examples
///
/// ```
/// use parklet::channel::{self, RecvError};
///
/// let (sender, receiver) = channel::unbounded::<u32>();
/// drop(sender);
/// assert_eq!(receiver.recv_blocking(), Err(RecvError));
/// ```
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub struct RecvError;

/// From [`Receiver::try_recv`](super::Receiver::try_recv).
///
/// # Examples
///
/// ```
/// use parklet::channel::{self, TryRecvError};
///
/// let (sender, receiver) = channel::unbounded::<u32>();
/// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
/// drop(sender);
/// assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
/// ```
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum TryRecvError {
    /// There is no message at present.
    Empty,
    /// The channel is closed, and everything was received.
    Closed,
}

impl<T> SendError<T> {
    /// The message that was not sent.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> TrySendError<T> {
    /// The message that was not sent.
    pub fn into_inner(self) -> T {
        match self {
            TrySendError::Full(message) | TrySendError::Closed(message) => message,
        }
    }

    /// Whether it was for want of room.
    pub fn is_full(&self) -> bool {
        matches!(self, TrySendError::Full(_))
    }

    /// Whether it was because the channel is closed.
    pub fn is_closed(&self) -> bool {
        matches!(self, TrySendError::Closed(_))
    }
}

impl TryRecvError {
    /// Whether there may be a message later.
    pub fn is_empty(&self) -> bool {
        *self == TryRecvError::Empty
    }

    /// Whether there will be no message any more.
    pub fn is_closed(&self) -> bool {
        *self == TryRecvError::Closed
    }
}

impl<T> Error for SendError<T> {}
impl<T> Error for TrySendError<T> {}
impl Error for RecvError {}
impl Error for TryRecvError {}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SendError").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.is_full() { "Full" } else { "Closed" };
        f.debug_tuple(name).finish_non_exhaustive()
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot send: the channel is closed")
    }
}

impl<T> fmt::Display for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TrySendError::Full(_) => "cannot send at once: the channel is full",
            TrySendError::Closed(_) => "cannot send: the channel is closed",
        })
    }
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing left to receive: the channel is empty and closed")
    }
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TryRecvError::Empty => f.write_str("nothing to receive yet: the channel is empty"),
            TryRecvError::Closed => RecvError.fmt(f),
        }
    }
}
