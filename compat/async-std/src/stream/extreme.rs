//! The least and the greatest item; of several, the first.

use futures_core::Stream;
use pin_project_lite::pin_project;
use std::cmp::Ordering;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// How items compare by themselves.
pub(super) type Compare<T> = fn(&T, &T) -> Ordering;

pin_project! {
    /// The future of [`StreamExt::min`](super::StreamExt::min), `max`, `min_by` and `max_by`.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Extreme<S, F, T> {
        #[pin]
        stream: S,
        // How a new item has to stand to the best one to take its place.
        better: Ordering,
        compare: F,
        best: Option<T>,
    }
}

impl<S: Stream, F> Extreme<S, F, S::Item> {
    pub(super) fn new(stream: S, better: Ordering, compare: F) -> Extreme<S, F, S::Item> {
        Extreme {
            stream,
            better,
            compare,
            best: None,
        }
    }
}

impl<S, F> Future for Extreme<S, F, S::Item>
where
    S: Stream,
    F: FnMut(&S::Item, &S::Item) -> Ordering,
{
    type Output = Option<S::Item>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        while let Some(item) = ready!(this.stream.as_mut().poll_next(cx)) {
            let compare = &mut *this.compare;
            let best = this.best.as_ref();
            if best.is_none_or(|best| compare(&item, best) == *this.better) {
                *this.best = Some(item);
            }
        }
        Poll::Ready(this.best.take())
    }
}

pin_project! {
    /// The future of [`StreamExt::min_by_key`](super::StreamExt::min_by_key) and `max_by_key`.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct ByKey<S: Stream, F, K> {
        #[pin]
        stream: S,
        // How a new key has to stand to the best one to take its place.
        better: Ordering,
        key_of: F,
        best: Option<(K, S::Item)>,
    }
}

impl<S: Stream, F, K> ByKey<S, F, K> {
    pub(super) fn new(stream: S, better: Ordering, key_of: F) -> ByKey<S, F, K> {
        ByKey {
            stream,
            better,
            key_of,
            best: None,
        }
    }
}

impl<S: Stream + fmt::Debug, F, K> fmt::Debug for ByKey<S, F, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByKey")
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}

impl<S, F, K> Future for ByKey<S, F, K>
where
    S: Stream,
    F: FnMut(&S::Item) -> K,
    K: Ord,
{
    type Output = Option<S::Item>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        while let Some(item) = ready!(this.stream.as_mut().poll_next(cx)) {
            let key = (this.key_of)(&item);
            let best = this.best.as_ref();
            if best.is_none_or(|(best, _)| key.cmp(best) == *this.better) {
                *this.best = Some((key, item));
            }
        }
        Poll::Ready(this.best.take().map(|(_, item)| item))
    }
}
