//! smol: its pool's size is set by `SMOL_THREADS`.

use std::time::Duration;

pub(crate) use smol::channel::{Receiver, bounded};
pub(crate) use smol::future::yield_now;
pub(crate) use smol::io::{AsyncReadExt as ReadExt, AsyncWriteExt as WriteExt};
pub(crate) use smol::lock::Mutex;
pub(crate) use smol::net::{TcpListener, TcpStream};
pub(crate) use smol::{block_on, spawn, unblock as spawn_blocking};

/// Starts a task that nobody waits for.
pub(crate) fn detach(future: impl Future<Output = ()> + Send + 'static) {
    spawn(future).detach();
}

/// Starts a task that uses timers or sockets.
pub(crate) fn spawn_with<F>(start: impl FnOnce() -> F) -> impl Future<Output = F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    spawn(start())
}

/// The next value, which is still to come.
pub(crate) async fn receive(receiver: &mut Receiver<u64>) -> u64 {
    receiver.recv().await.unwrap()
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

pub(crate) type Connection = TcpStream;

pub(crate) async fn accept(listener: &mut TcpListener) -> Connection {
    let (stream, _) = listener.accept().await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Starts a connection's task.
pub(crate) fn connected<F>(stream: Connection, handle: fn(TcpStream) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    detach(handle(stream));
}
