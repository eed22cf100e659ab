//! Channels: a queue of messages between tasks, each of which goes to one receiver.
//!
//! ```text
//! sender.rs ──► channel_state.rs ◄── receiver.rs      both_sides.rs: what these two do alike
//!    │ sink.rs: a sender as a `Sink`
//! weak.rs: handles that do not keep it open           error.rs
//! ```
//!
//! Any number of senders, any number of receivers. A [`bounded`] channel holds so many messages, and sending waits
//! while it is full: a slow receiver slows the senders down. An [`unbounded`] one grows. A channel is closed when all
//! senders or all receivers are gone, or by `close`; what it holds can still be received.
//!
//! Names and meaning are async-channel's, of 1.x and 2.x alike; as in 1.x, all types are `Unpin`, so a [`Receiver`] is
//! read as a stream by `receiver.next().await` without pinning it, and a [`Sender`] is a sink. Inside is one lock around a deque and its wait
//! queues: measured, that beats a lock-free queue with an event on the side, and it fits on a page. The channel needs
//! no executor; the `_blocking` methods serve plain threads.
//!
//! # Examples
//!
//! ```
//! use parklet::channel;
//!
//! # parklet::task::block_on(async {
//! let (sender, receiver) = channel::bounded(1);
//! std::thread::spawn(move || {
//!     for number in 0..3 {
//!         sender.send_blocking(number).unwrap();
//!     }
//! });
//! for number in 0..3 {
//!     assert_eq!(receiver.recv().await, Ok(number));
//! }
//! assert!(receiver.recv().await.is_err());
//! # });
//! ```

mod both_sides;
mod channel_state;
mod error;
mod receiver;
mod sender;
mod sink;
mod weak;

pub use self::error::{RecvError, SendError, TryRecvError, TrySendError};
pub use self::receiver::{Receiver, Recv};
pub use self::sender::{Closed, Send, Sender};
pub use self::weak::{WeakReceiver, WeakSender};

use self::channel_state::{Channel, ChannelState};
use std::sync::Arc;

/// A channel that holds at most `capacity` messages; sending waits while it is full.
///
/// # Panics
///
/// If `capacity` is 0: there would be no room to hand a message over in.
///
/// # Examples
///
/// ```
/// use parklet::channel;
///
/// let (sender, receiver) = channel::bounded(1);
/// assert!(sender.try_send(10).is_ok());
/// assert!(sender.try_send(20).unwrap_err().is_full());
/// assert_eq!(receiver.try_recv(), Ok(10));
/// ```
#[track_caller]
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(
        capacity > 0,
        "a channel of capacity 0 has no room to hand a message over; use bounded(1)"
    );
    pair(Some(capacity))
}

/// A channel that holds as many messages as are sent; sending never waits.
///
/// # Examples
///
/// ```
/// use parklet::channel;
///
/// let (sender, receiver) = channel::unbounded();
/// for number in 0..1000 {
///     sender.try_send(number).unwrap();
/// }
/// assert_eq!(receiver.len(), 1000);
/// ```
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    pair(None)
}

/// The first sender and receiver of a new channel.
fn pair<T>(capacity: Option<usize>) -> (Sender<T>, Receiver<T>) {
    let channel = Arc::new(Channel::new(ChannelState::new(capacity)));
    (Sender::new(Arc::clone(&channel)), Receiver::new(channel))
}
