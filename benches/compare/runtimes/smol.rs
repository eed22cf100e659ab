//! smol: its pool's size is set by `SMOL_THREADS`.

use std::time::Duration;

pub(crate) use smol::channel::{Receiver, bounded};
pub(crate) use smol::fs;
pub(crate) use smol::future::yield_now;
pub(crate) use smol::io::{AsyncReadExt as ReadExt, AsyncWriteExt as WriteExt, copy};
pub(crate) use smol::lock::{Mutex, RwLock, Semaphore, SemaphoreGuard};
pub(crate) use smol::net::{TcpListener, TcpStream};
pub(crate) use smol::{block_on, spawn, unblock as spawn_blocking};

with_send_tasks!();

/// Starts a task that nobody waits for.
pub(crate) fn detach(future: impl Future<Output = ()> + Send + 'static) {
    spawn(future).detach();
}

pub(crate) async fn acquire(semaphore: &Semaphore) -> SemaphoreGuard<'_> {
    semaphore.acquire().await
}

pub(crate) async fn sleep(duration: Duration) {
    smol::Timer::after(duration).await;
}

/// None if the time is up first. smol has no such function: its users race with a timer.
pub(crate) async fn timeout<F: Future>(duration: Duration, future: F) -> Option<F::Output> {
    smol::future::or(async { Some(future.await) }, async {
        smol::Timer::after(duration).await;
        None
    })
    .await
}
