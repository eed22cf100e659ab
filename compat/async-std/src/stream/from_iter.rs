//! An iterator as a stream, which can be read from both ends.

use futures_core::Stream;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A stream of an iterator's items.
pub fn from_iter<I: IntoIterator>(iter: I) -> FromIter<I::IntoIter> {
    FromIter {
        iter: iter.into_iter(),
    }
}

/// The stream of [`from_iter`].
#[derive(Clone, Debug)]
pub struct FromIter<I> {
    /// Where the items come from.
    pub(super) iter: I,
}

/// No item is ever pinned.
impl<I> Unpin for FromIter<I> {}

impl<I: Iterator> Stream for FromIter<I> {
    type Item = I::Item;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<I::Item>> {
        Poll::Ready(self.iter.next())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.iter.size_hint()
    }
}
