//! What can go wrong on a broadcast channel; the names are tokio's.

use std::error::Error;
use std::fmt;

/// From [`Sender::send`](super::Sender::send): there is no receiver; the value comes back.
///
/// # Examples
///
/// ```
/// use parklet::sync::broadcast::{self, error::SendError};
///
/// let (sender, receiver) = broadcast::channel(1);
/// drop(receiver);
/// assert_eq!(sender.send(7), Err(SendError(7)));
/// ```
#[derive(PartialEq, Eq, Clone, Copy)]
pub struct SendError<T>(pub T);

/// From [`Receiver::recv`](super::Receiver::recv).
///
/// # Examples
///
/// ```
/// use parklet::sync::broadcast::error::RecvError;
///
/// assert_eq!(RecvError::Lagged(3).to_string(), "receiver lagged behind and missed 3 values");
/// ```
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum RecvError {
    /// Every sender is gone and everything has been read.
    Closed,
    /// So many values fell out of the channel before this receiver read them. It goes on with the oldest one kept.
    Lagged(u64),
}

/// From [`Receiver::try_recv`](super::Receiver::try_recv).
///
/// # Examples
///
/// ```
/// use parklet::sync::broadcast::{self, error::TryRecvError};
///
/// let (sender, mut receiver) = broadcast::channel::<u32>(1);
/// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
/// drop(sender);
/// assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
/// ```
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum TryRecvError {
    /// Everything has been read; there may be more later.
    Empty,
    /// Every sender is gone and everything has been read.
    Closed,
    /// So many values fell out of the channel before this receiver read them. It goes on with the oldest one kept.
    Lagged(u64),
}

impl From<RecvError> for TryRecvError {
    fn from(error: RecvError) -> TryRecvError {
        match error {
            RecvError::Closed => TryRecvError::Closed,
            RecvError::Lagged(missed) => TryRecvError::Lagged(missed),
        }
    }
}

impl<T> Error for SendError<T> {}
impl Error for RecvError {}
impl Error for TryRecvError {}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SendError").finish_non_exhaustive()
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot broadcast: there is no receiver")
    }
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecvError::Closed => f.write_str("nothing left to receive: every sender is gone"),
            RecvError::Lagged(missed) => {
                write!(f, "receiver lagged behind and missed {missed} values")
            }
        }
    }
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            TryRecvError::Empty => f.write_str("nothing to receive yet"),
            TryRecvError::Closed => RecvError::Closed.fmt(f),
            TryRecvError::Lagged(missed) => RecvError::Lagged(missed).fmt(f),
        }
    }
}
