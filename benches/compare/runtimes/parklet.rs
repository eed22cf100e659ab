//! parklet: its pool's size is set by `PARKLET_THREADS`.

use std::time::Duration;

pub(crate) use parklet::channel::{Receiver, bounded};
pub(crate) use parklet::io::{ReadExt, WriteExt};
pub(crate) use parklet::net::{TcpListener, TcpStream};
pub(crate) use parklet::sync::{Mutex, broadcast};
pub(crate) use parklet::task::{block_on, sleep, spawn, spawn_blocking, yield_now};

/// Starts a task that nobody waits for.
pub(crate) fn detach(future: impl Future<Output = ()> + Send + 'static) {
    drop(spawn(future));
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

/// None if the time is up first.
pub(crate) async fn timeout<F: Future>(duration: Duration, future: F) -> Option<F::Output> {
    parklet::future::timeout(duration, future).await.ok()
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
