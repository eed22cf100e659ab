//! Two streams compared: item by item, and where all are equal, by length.
//!
//! One comparison serves all: [`Pairs`] gives the pairs of items, until one of the streams ends; each of the futures looks at
//! them until it knows.

use futures_core::Stream;
use pin_project_lite::pin_project;
use std::cmp::Ordering;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// Two streams side by side.
    struct Pairs<L: Stream, R> {
        // The item of the left one, while the right one's is waited for; `Some(None)` is its end.
        waiting: Option<Option<L::Item>>,
        #[pin]
        left: L,
        #[pin]
        right: R,
    }
}

/// What comes next of two streams.
enum Next<L, R> {
    /// An item of each.
    Pair(L, R),
    /// One of them has ended: how their lengths stand to each other.
    End(Ordering),
}

impl<L: Stream, R: Stream> Pairs<L, R> {
    fn new(left: L, right: R) -> Pairs<L, R> {
        Pairs {
            waiting: None,
            left,
            right,
        }
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Next<L::Item, R::Item>> {
        let this = self.project();
        if this.waiting.is_none() {
            *this.waiting = Some(ready!(this.left.poll_next(cx)));
        }
        let right = ready!(this.right.poll_next(cx));
        Poll::Ready(match (this.waiting.take().flatten(), right) {
            (Some(left), Some(right)) => Next::Pair(left, right),
            (Some(_), None) => Next::End(Ordering::Greater),
            (None, Some(_)) => Next::End(Ordering::Less),
            (None, None) => Next::End(Ordering::Equal),
        })
    }
}

/// A future that compares: its name, what an item of each must be able to, what it gives, and what it says of a pair (if it
/// can say something then) and of the end.
macro_rules! comparisons {
    ($(
        #[doc = $what:literal]
        $name:ident: [$($bounds:tt)*] -> $output:ty, $pair:expr, $end:expr;
    )*) => {$(
        pin_project! {
            #[doc = $what]
            #[must_use = "futures do nothing unless you `.await` or poll them"]
            pub struct $name<L: Stream, R> {
                #[pin]
                pairs: Pairs<L, R>,
            }
        }

        impl<L: Stream, R: Stream> $name<L, R> {
            pub(super) fn new(left: L, right: R) -> $name<L, R> {
                $name { pairs: Pairs::new(left, right) }
            }
        }

        impl<L: Stream + fmt::Debug, R: fmt::Debug> fmt::Debug for $name<L, R> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let (left, right) = (&self.pairs.left, &self.pairs.right);
                f.debug_tuple(stringify!($name)).field(left).field(right).finish()
            }
        }

        impl<L: Stream, R: Stream> Future for $name<L, R>
        where
            $($bounds)*
        {
            type Output = $output;

            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<$output> {
                let mut pairs = self.project().pairs;
                let of_pair: fn(&L::Item, &R::Item) -> Option<$output> = $pair;
                loop {
                    match ready!(pairs.as_mut().poll_next(cx)) {
                        Next::Pair(left, right) => {
                            if let Some(known) = of_pair(&left, &right) {
                                return Poll::Ready(known);
                            }
                        }
                        Next::End(lengths) => return Poll::Ready($end(lengths)),
                    }
                }
            }
        }
    )*};
}

comparisons! {
    /// The future of [`StreamExt::cmp`](super::StreamExt::cmp).
    Cmp: [R: Stream<Item = L::Item>, L::Item: Ord] -> Ordering,
        |left, right| Some(left.cmp(right)).filter(|order| order.is_ne()),
        |lengths| lengths;
    /// The future of [`StreamExt::partial_cmp`](super::StreamExt::partial_cmp).
    PartialCmp: [L::Item: PartialOrd<R::Item>] -> Option<Ordering>,
        |left, right| Some(left.partial_cmp(right)).filter(|order| *order != Some(Ordering::Equal)),
        Some;
    /// The future of [`StreamExt::eq`](super::StreamExt::eq).
    Eq: [L::Item: PartialEq<R::Item>] -> bool,
        |left, right| (left != right).then_some(false),
        Ordering::is_eq;
    /// The future of [`StreamExt::ne`](super::StreamExt::ne).
    Ne: [L::Item: PartialEq<R::Item>] -> bool,
        |left, right| (left != right).then_some(true),
        Ordering::is_ne;
}

pin_project! {
    /// The future of [`StreamExt::lt`](super::StreamExt::lt) and its like.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Holds<L: Stream, R> {
        #[pin]
        comparison: PartialCmp<L, R>,
        holds: fn(Ordering) -> bool,
    }
}

impl<L: Stream, R: Stream> Holds<L, R> {
    pub(super) fn new(left: L, right: R, holds: fn(Ordering) -> bool) -> Holds<L, R> {
        Holds {
            comparison: PartialCmp::new(left, right),
            holds,
        }
    }
}

impl<L: Stream + fmt::Debug, R: fmt::Debug> fmt::Debug for Holds<L, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.comparison.fmt(f)
    }
}

impl<L: Stream, R: Stream> Future for Holds<L, R>
where
    L::Item: PartialOrd<R::Item>,
{
    type Output = bool;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<bool> {
        let this = self.project();
        let order = ready!(this.comparison.poll(cx));
        Poll::Ready(order.is_some_and(*this.holds))
    }
}
