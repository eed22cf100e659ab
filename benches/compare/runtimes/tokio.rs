//! tokio, multi-threaded.

use std::sync::LazyLock;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use super::WORKERS;

pub(crate) use tokio::fs;
pub(crate) use tokio::io::{AsyncReadExt as ReadExt, AsyncWriteExt as WriteExt, copy};
pub(crate) use tokio::net::{TcpListener, TcpStream};
pub(crate) use tokio::sync::mpsc::{Receiver, channel as bounded};
pub(crate) use tokio::sync::{Mutex, RwLock, Semaphore, SemaphorePermit, broadcast};
pub(crate) use tokio::task::yield_now;
pub(crate) use tokio::time::sleep;

with_send_tasks!();

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .unwrap()
});

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    RUNTIME.block_on(future)
}

pub(crate) fn spawn<F>(future: F) -> impl Future<Output = F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let handle = tokio::spawn(future);
    async { handle.await.unwrap() }
}

/// Starts a task that nobody waits for.
pub(crate) fn detach(future: impl Future<Output = ()> + Send + 'static) {
    drop(tokio::spawn(future));
}

pub(crate) fn spawn_blocking<T: Send + 'static>(
    job: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = T> {
    let handle = tokio::task::spawn_blocking(job);
    async { handle.await.unwrap() }
}

/// It may be closed, and says so.
pub(crate) async fn acquire(semaphore: &Semaphore) -> SemaphorePermit<'_> {
    semaphore.acquire().await.unwrap()
}

/// None if the time is up first.
pub(crate) async fn timeout<F: Future>(duration: Duration, future: F) -> Option<F::Output> {
    tokio::time::timeout(duration, future).await.ok()
}
