//! Folding until a step fails. futures-lite's is for streams of results.

use futures_core::Stream;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// The future of [`StreamExt::try_fold`](super::StreamExt::try_fold).
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct TryFold<'a, S, F, B> {
    /// Where the items come from.
    stream: &'a mut S,
    /// One step.
    fold: F,
    /// What has become of the items so far; `None` once it was given.
    value: Option<B>,
}

impl<'a, S, F, B> TryFold<'a, S, F, B> {
    pub(super) fn new(stream: &'a mut S, value: B, fold: F) -> TryFold<'a, S, F, B> {
        TryFold {
            stream,
            fold,
            value: Some(value),
        }
    }
}

impl<S, F, B> Unpin for TryFold<'_, S, F, B> {}

impl<S, F, B, E> Future for TryFold<'_, S, F, B>
where
    S: Stream + Unpin,
    F: FnMut(B, S::Item) -> Result<B, E>,
{
    type Output = Result<B, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<B, E>> {
        let this = &mut *self;
        loop {
            let item = ready!(Pin::new(&mut *this.stream).poll_next(cx));
            let value = this
                .value
                .take()
                .expect("a future was polled after it was ready");
            match item {
                Some(item) => this.value = Some((this.fold)(value, item)?),
                None => return Poll::Ready(Ok(value)),
            }
        }
    }
}
