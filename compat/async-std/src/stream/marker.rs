//! Streams of which more is known.

use super::{Pending, Stream};

/// A stream whose length is known.
#[allow(
    clippy::len_without_is_empty,
    reason = "async-std's trait has none, and a stream of its own may implement this one"
)]
pub trait ExactSizeStream: Stream {
    /// How many items are left.
    ///
    /// # Panics
    ///
    /// If the two bounds of `size_hint` differ, unless the stream says its length in another way.
    fn len(&self) -> usize {
        let (lower, upper) = self.size_hint();
        assert_eq!(upper, Some(lower));
        lower
    }
}

impl<S: ExactSizeStream + ?Sized + Unpin> ExactSizeStream for &mut S {
    fn len(&self) -> usize {
        (**self).len()
    }
}

impl<T> ExactSizeStream for Pending<T> {
    fn len(&self) -> usize {
        0
    }
}

/// A stream that gives nothing more after its end.
pub trait FusedStream: Stream {}

impl<S: FusedStream + ?Sized + Unpin> FusedStream for &mut S {}

impl<T> FusedStream for Pending<T> {}
