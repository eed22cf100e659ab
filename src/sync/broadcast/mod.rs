//! A channel whose every receiver gets every value; the slow ones lose the oldest and are told how many.
//!
//! ```text
//! sender.rs ──► ring.rs ◄── ahead.rs ◄── receiver.rs      channel.rs: the ring, who is there and who waits
//! ```
//!
//! Sending never waits. The channel keeps at most `capacity` values; one more, and the oldest falls out. A receiver
//! that had not read it gets [`RecvError::Lagged`] with the exact number of values it missed, and goes on with the
//! oldest one kept. So a slow receiver costs nobody but itself, and the memory is bounded.
//!
//! Surface and meaning are those of tokio's `sync::broadcast`, with these differences: the capacity is exact, where
//! tokio rounds up to a power of two; nothing is allocated ahead; a [`Receiver`] can be cloned and then stands where
//! the original stood; a receiver is a `Stream` too. As there, a value is dropped as soon as every receiver has read
//! it, and the last of them gets it without a clone.
//!
//! Values are cloned under the channel's lock, so they should be cheap to clone: put big ones into an `Arc`. A receiver
//! that is behind clones several at once and keeps them for its next calls, so the lock costs each of them little.
//!
//! # Examples
//!
//! ```
//! use parklet::sync::broadcast::{self, error::RecvError};
//!
//! # parklet::task::block_on(async {
//! let (sender, mut fast) = broadcast::channel(2);
//! let mut slow = sender.subscribe();
//!
//! for number in 1..=3 {
//!     assert_eq!(sender.send(number), Ok(2));
//!     assert_eq!(fast.recv().await, Ok(number));
//! }
//! assert_eq!(slow.recv().await, Err(RecvError::Lagged(1)));
//! assert_eq!(slow.recv().await, Ok(2));
//! assert_eq!(slow.recv().await, Ok(3));
//!
//! drop(sender);
//! assert_eq!(slow.recv().await, Err(RecvError::Closed));
//! # });
//! ```

mod ahead;
mod channel;
pub mod error;
mod receiver;
mod ring;
mod sender;

pub use self::error::{RecvError, SendError, TryRecvError};
pub use self::receiver::{Receiver, Recv};
pub use self::sender::{Closed, Sender, WeakSender};

/// A new channel that keeps at most `capacity` values, with its first sender and receiver.
///
/// # Panics
///
/// If `capacity` is 0: nothing could ever be received.
///
/// # Examples
///
/// ```
/// use parklet::sync::broadcast;
///
/// let (sender, mut receiver) = broadcast::channel(16);
/// sender.send("hello").unwrap();
/// assert_eq!(receiver.try_recv(), Ok("hello"));
/// ```
#[track_caller]
pub fn channel<T: Clone>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let sender = Sender::new(capacity);
    let receiver = sender.subscribe();
    (sender, receiver)
}
