//! Two futures, the first success of which is waited for.

use super::OwnBudget;
use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    /// The future of [`FutureExt::try_race`](super::FutureExt::try_race).
    #[derive(Debug)]
    #[must_use = "futures do nothing unless awaited or polled"]
    pub struct TryRace<A, B> {
        // One of them, until it has failed.
        #[pin]
        left: Option<A>,
        // The other, until it has failed.
        #[pin]
        right: Option<OwnBudget<B>>,
    }
}

impl<A, B> TryRace<A, B> {
    pub(super) fn new(left: A, right: B) -> TryRace<A, B> {
        TryRace {
            left: Some(left),
            right: Some(OwnBudget::new(right)),
        }
    }
}

impl<A, B, T, E> Future for TryRace<A, B>
where
    A: Future<Output = Result<T, E>>,
    B: Future<Output = Result<T, E>>,
{
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        let mut this = self.project();
        if let Some(left) = this.left.as_mut().as_pin_mut()
            && let Poll::Ready(output) = left.poll(cx)
        {
            if output.is_ok() || this.right.is_none() {
                return Poll::Ready(output);
            }
            this.left.set(None);
        }
        if let Some(right) = this.right.as_mut().as_pin_mut()
            && let Poll::Ready(output) = right.poll(cx)
        {
            if output.is_ok() || this.left.is_none() {
                return Poll::Ready(output);
            }
            this.right.set(None);
        }
        Poll::Pending
    }
}
