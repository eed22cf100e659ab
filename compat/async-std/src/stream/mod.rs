//! Streams: futures-core's trait, async-std's methods on it, and its constructors.
//!
//! The adapters are futures-lite's where that has them: their types stand here under async-std's names. What is async-std's
//! alone is in the files: comparing, the greatest and the least, time, merging, flattening, streams with two ends, and
//! collecting into all kinds of things.
//!
//! # Examples
//!
//! ```
//! use async_std::prelude::*;
//! use async_std::stream;
//!
//! # async_std::task::block_on(async {
//! let mut squares = stream::from_iter(1..).map(|n| n * n).skip_while(|n| *n < 10).take(2);
//! assert_eq!(squares.next().await, Some(16));
//! assert_eq!(squares.next().await, Some(25));
//! assert_eq!(squares.next().await, None);
//! # });
//! ```

#[cfg(feature = "unstable")]
mod collect;
#[cfg(feature = "unstable")]
mod collections;
mod compare;
#[cfg(feature = "unstable")]
mod double_ended;
mod extreme;
#[cfg(feature = "unstable")]
mod flatten;
mod from_iter;
#[cfg(feature = "unstable")]
mod marker;
#[cfg(feature = "unstable")]
mod merge;
mod stream_ext;
#[cfg(feature = "unstable")]
mod sum;
#[cfg(feature = "unstable")]
mod time;
mod try_fold;

pub use from_iter::{FromIter, from_iter};
pub use stream_ext::StreamExt;

pub use futures_core::Stream;
pub use futures_lite::stream::{
    Chain, Cloned, Copied, Empty, Filter, Fuse, Inspect, Map, Once, Repeat, RepeatWith, Scan, Skip,
    SkipWhile, StepBy, Take, TakeWhile, Zip, empty, once, repeat, repeat_with,
};
pub use parklet::stream::{FromFn, from_fn};

#[cfg(feature = "unstable")]
pub use self::{
    collect::{Extend, FromStream, IntoStream, extend},
    double_ended::DoubleEndedStream,
    flatten::Flatten,
    marker::{ExactSizeStream, FusedStream},
    merge::Merge,
    sum::{Product, Sum},
    time::{Delay, Throttle, Timeout, TimeoutError},
};
#[cfg(feature = "unstable")]
pub use futures_lite::stream::{FlatMap, Pending, pending};
#[cfg(feature = "unstable")]
pub use parklet::stream::{Interval, interval, successors};

/// The stream of [`successors`].
#[cfg(feature = "unstable")]
pub type Successors<F, T> = parklet::stream::Successors<T, F>;
