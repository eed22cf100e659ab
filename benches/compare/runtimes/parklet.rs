//! parklet: its pool's size is set by `PARKLET_THREADS`.

use std::time::Duration;

pub(crate) use parklet::channel::{Receiver, bounded};
pub(crate) use parklet::fs;
pub(crate) use parklet::io::{ReadExt, WriteExt, copy};
pub(crate) use parklet::net::{TcpListener, TcpStream};
pub(crate) use parklet::sync::{Mutex, RwLock, Semaphore, SemaphoreGuard, broadcast};
pub(crate) use parklet::task::{block_on, sleep, spawn, spawn_blocking, yield_now};

with_send_tasks!();

/// Starts a task that nobody waits for.
pub(crate) fn detach(future: impl Future<Output = ()> + Send + 'static) {
    drop(spawn(future));
}

pub(crate) async fn acquire(semaphore: &Semaphore) -> SemaphoreGuard<'_> {
    semaphore.acquire().await
}

/// None if the time is up first.
pub(crate) async fn timeout<F: Future>(duration: Duration, future: F) -> Option<F::Output> {
    parklet::future::timeout(duration, future).await.ok()
}
