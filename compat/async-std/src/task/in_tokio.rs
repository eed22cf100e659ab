//! Tasks that find a tokio runtime when they look for one: the feature `tokio1`.
//!
//! tokio's sockets and timers want to be made inside of its runtime. One of tokio's own threads drives them, started with
//! the first task; the tasks themselves run where all others do.

use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};
use tokio::runtime::{Builder, Runtime};

/// A future that is polled inside of the runtime.
pub(super) fn in_tokio<F>(future: F) -> InTokio<F> {
    InTokio { future }
}

/// The runtime, started if need be.
///
/// # Panics
///
/// If its thread cannot be started.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).thread_name("async-std/tokio");
        let built = builder.enable_all().build();
        built.unwrap_or_else(|error| panic!("cannot start a tokio runtime: {error}"))
    })
}

pin_project! {
    /// The future of [`in_tokio`].
    pub(super) struct InTokio<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for InTokio<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let _inside = runtime().enter();
        self.project().future.poll(cx)
    }
}
