//! Streams: iterators whose next item may have to be waited for.
//!
//! [`Stream`] is futures-core's, so that every crate's streams are ours, and the methods on it are futures-lite's
//! [`StreamExt`]: `next`, `map`, `filter`, `take`, `collect` and the rest. Constructors have async-std's names, where
//! futures-lite's differ: [`from_iter`] is its [`iter`], [`from_fn`] takes a plain closure. To merge two streams into
//! one, [`race`] (fair) or [`or`] (left first).
//!
//! A channel's [`Receiver`](crate::channel::Receiver) is a stream, and so is a
//! [broadcast receiver](crate::sync::broadcast::Receiver).
//!
//! # Examples
//!
//! ```
//! use parklet::stream::{self, StreamExt};
//!
//! # parklet::task::block_on(async {
//! let squares = stream::from_iter(1..).map(|n| n * n).take(3);
//! assert_eq!(squares.collect::<Vec<_>>().await, [1, 4, 9]);
//! # });
//! ```

mod from_fn;
mod from_iter;
mod interval;
mod successors;

pub use self::from_fn::{FromFn, from_fn};
pub use self::from_iter::from_iter;
pub use self::interval::{Interval, interval};
pub use self::successors::{Successors, successors};
pub use futures_core::Stream;
pub use futures_lite::stream::{
    Empty, Iter, Iter as FromIter, Once, Or, Pending, PollFn, Race, Repeat, RepeatWith, StreamExt,
    TryUnfold, Unfold, empty, iter, once, once_future, or, pending, poll_fn, race, repeat,
    repeat_with, try_unfold, unfold,
};
