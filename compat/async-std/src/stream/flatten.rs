//! Streams one after the other. futures-lite's takes streams, async-std's also what can be turned into one.

use super::IntoStream;
use futures_core::Stream;
use pin_project_lite::pin_project;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// The stream of [`StreamExt::flatten`](super::StreamExt::flatten).
    pub struct Flatten<S>
    where
        S: Stream,
        S::Item: IntoStream,
    {
        #[pin]
        outer: S,
        #[pin]
        inner: Option<<S::Item as IntoStream>::IntoStream>,
    }
}

impl<S> Flatten<S>
where
    S: Stream,
    S::Item: IntoStream,
{
    pub(super) fn new(outer: S) -> Flatten<S> {
        Flatten { outer, inner: None }
    }
}

impl<S> Stream for Flatten<S>
where
    S: Stream,
    S::Item: IntoStream,
{
    type Item = <S::Item as IntoStream>::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        loop {
            if let Some(inner) = this.inner.as_mut().as_pin_mut() {
                if let Some(item) = ready!(inner.poll_next(cx)) {
                    return Poll::Ready(Some(item));
                }
                this.inner.set(None);
            }
            let Some(next) = ready!(this.outer.as_mut().poll_next(cx)) else {
                return Poll::Ready(None);
            };
            this.inner.set(Some(next.into_stream()));
        }
    }
}

impl<S> fmt::Debug for Flatten<S>
where
    S: Stream + fmt::Debug,
    S::Item: IntoStream,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flatten")
            .field("outer", &self.outer)
            .finish()
    }
}
