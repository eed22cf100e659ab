//! Two streams' items as they come. futures-lite's `race` is like it, but has no end.

use super::Fuse;
use futures_core::Stream;
use futures_lite::StreamExt;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    /// The stream of [`StreamExt::merge`](super::StreamExt::merge).
    #[derive(Debug)]
    pub struct Merge<L, R> {
        #[pin]
        left: Fuse<L>,
        #[pin]
        right: Fuse<R>,
        // Who is asked first; they take turns, so that neither keeps the other waiting.
        right_first: bool,
    }
}

impl<L: Stream, R: Stream> Merge<L, R> {
    pub(super) fn new(left: L, right: R) -> Merge<L, R> {
        Merge {
            left: left.fuse(),
            right: right.fuse(),
            right_first: false,
        }
    }
}

impl<L, R> Stream for Merge<L, R>
where
    L: Stream,
    R: Stream<Item = L::Item>,
{
    type Item = L::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<L::Item>> {
        let this = self.project();
        let right_first = *this.right_first;
        *this.right_first = !right_first;
        if right_first {
            first_of(this.right, this.left, cx)
        } else {
            first_of(this.left, this.right, cx)
        }
    }
}

/// An item of the first, or else of the second; the end if both have ended.
fn first_of<F, S>(
    first: Pin<&mut F>,
    second: Pin<&mut S>,
    cx: &mut Context<'_>,
) -> Poll<Option<F::Item>>
where
    F: Stream,
    S: Stream<Item = F::Item>,
{
    match first.poll_next(cx) {
        Poll::Ready(None) => second.poll_next(cx),
        Poll::Pending => match second.poll_next(cx) {
            Poll::Ready(None) => Poll::Pending,
            polled => polled,
        },
        polled => polled,
    }
}
