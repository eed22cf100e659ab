//! async-std: its pool's size is set by `ASYNC_STD_THREAD_COUNT`. It has no semaphore.

use std::time::Duration;

pub(crate) use async_std::channel::{Receiver, bounded};
pub(crate) use async_std::fs;
pub(crate) use async_std::io::{ReadExt, WriteExt, copy};
pub(crate) use async_std::net::{TcpListener, TcpStream};
pub(crate) use async_std::sync::{Mutex, RwLock};
pub(crate) use async_std::task::{block_on, sleep, spawn, spawn_blocking, yield_now};

with_send_tasks!();

/// Starts a task that nobody waits for.
pub(crate) fn detach(future: impl Future<Output = ()> + Send + 'static) {
    drop(spawn(future));
}

/// None if the time is up first.
pub(crate) async fn timeout<F: Future>(duration: Duration, future: F) -> Option<F::Output> {
    async_std::future::timeout(duration, future).await.ok()
}
