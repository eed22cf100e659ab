//! A closure as a stream.

use super::Stream;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A stream of what a closure returns, until it returns `None`; always ready. As `std::iter::from_fn`.
///
/// # Examples
///
/// ```
/// use parklet::stream::{self, StreamExt};
///
/// # parklet::task::block_on(async {
/// let mut left = 3;
/// let countdown = stream::from_fn(|| {
///     left -= 1;
///     (left > 0).then_some(left)
/// });
/// assert_eq!(countdown.collect::<Vec<_>>().await, [2, 1]);
/// # });
/// ```
pub fn from_fn<T, F: FnMut() -> Option<T>>(next: F) -> FromFn<F> {
    FromFn { next }
}

/// The stream of [`from_fn`].
#[must_use = "streams do nothing unless polled"]
pub struct FromFn<F> {
    /// Makes the items.
    next: F,
}

/// The closure is only called, never pinned.
impl<F> Unpin for FromFn<F> {}

impl<T, F: FnMut() -> Option<T>> Stream for FromFn<F> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<T>> {
        Poll::Ready((self.next)())
    }
}

impl<F> fmt::Debug for FromFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromFn").finish_non_exhaustive()
    }
}
