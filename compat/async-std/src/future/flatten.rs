//! A future that gives a future.

use super::IntoFuture;
use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// The future of [`FutureExt::flatten`](super::FutureExt::flatten).
    #[derive(Debug)]
    #[project = FlattenProjection]
    pub enum Flatten<F, G> {
        /// The outer future runs.
        Outer { #[pin] future: F },
        /// What came out of it runs.
        Inner { #[pin] future: G },
    }
}

impl<F> Future for Flatten<F, <F::Output as IntoFuture>::Future>
where
    F: Future,
    F::Output: IntoFuture,
{
    type Output = <F::Output as IntoFuture>::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            match self.as_mut().project() {
                FlattenProjection::Outer { future } => {
                    let future = ready!(future.poll(cx)).into_future();
                    self.set(Flatten::Inner { future });
                }
                FlattenProjection::Inner { future } => return future.poll(cx),
            }
        }
    }
}
