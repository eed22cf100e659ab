//! A stream whose items each come from the one before.

use super::Stream;
use std::fmt;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A stream of a first item and what a closure makes of each, until it returns `None`; always ready. As
/// `std::iter::successors`.
///
/// # Examples
///
/// ```
/// use parklet::stream::{self, StreamExt};
///
/// # parklet::task::block_on(async {
/// let powers = stream::successors(Some(1_u8), |n| n.checked_mul(10));
/// assert_eq!(powers.collect::<Vec<_>>().await, [1, 10, 100]);
/// # });
/// ```
pub fn successors<T, F: FnMut(&T) -> Option<T>>(first: Option<T>, next: F) -> Successors<T, F> {
    Successors { item: first, next }
}

/// The stream of [`successors`].
#[must_use = "streams do nothing unless polled"]
pub struct Successors<T, F> {
    /// The item to yield next.
    item: Option<T>,
    /// Makes the one after it.
    next: F,
}

/// Items and closure are only moved and called, never pinned.
impl<T, F> Unpin for Successors<T, F> {}

impl<T, F: FnMut(&T) -> Option<T>> Stream for Successors<T, F> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<T>> {
        let Successors { item, next } = &mut *self;
        let after = item.as_ref().and_then(next);
        Poll::Ready(mem::replace(item, after))
    }
}

impl<T, F> fmt::Debug for Successors<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Successors").finish_non_exhaustive()
    }
}
