//! A future of a future as one.

use pin_project_lite::pin_project;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// The future of [`FutureExt::flatten`](super::FutureExt::flatten).
    #[derive(Debug)]
    #[must_use = "futures do nothing unless awaited or polled"]
    pub struct Flatten<F, G> {
        #[pin]
        stage: Stage<F, G>,
    }
}

pin_project! {
    #[project = StageProjection]
    #[derive(Debug)]
    enum Stage<F, G> {
        // The outer future is not ready.
        Outer { #[pin] future: F },
        // It was, and this is what came out.
        Inner { #[pin] future: G },
    }
}

impl<F, G> Flatten<F, G> {
    pub(super) fn new(future: F) -> Flatten<F, G> {
        Flatten {
            stage: Stage::Outer { future },
        }
    }
}

impl<F, G> Future for Flatten<F, G>
where
    F: Future,
    F::Output: IntoFuture<IntoFuture = G, Output = G::Output>,
    G: Future,
{
    type Output = G::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<G::Output> {
        let mut stage = self.project().stage;
        loop {
            match stage.as_mut().project() {
                StageProjection::Outer { future } => {
                    let future = ready!(future.poll(cx)).into_future();
                    stage.set(Stage::Inner { future });
                }
                StageProjection::Inner { future } => return future.poll(cx),
            }
        }
    }
}
