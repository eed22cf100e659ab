//! nio, as its `main` attribute starts it: the caller is a worker. Timers and sockets belong to one worker each; what
//! uses them is a pinned task. It has no channel, mutex or broadcast of its own.

use std::cell::RefCell;

use nio::{LocalRuntime, RuntimeBuilder};

use super::WORKERS;

pub(crate) use nio::net::{TcpListener, TcpStream};
pub(crate) use nio::{sleep, timeout};
/// It has no `yield_now` either; this one just wakes its own task.
pub(crate) use smol::future::yield_now;
/// It has the traits of `futures-io`, whose methods come from elsewhere.
pub(crate) use smol::io::{AsyncReadExt as ReadExt, AsyncWriteExt as WriteExt};

thread_local! {
    static RUNTIME: RefCell<LocalRuntime> =
        RefCell::new(RuntimeBuilder::new().worker_threads(WORKERS as u8).build().unwrap());
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    RUNTIME.with_borrow_mut(|runtime| runtime.block_on(future))
}

pub(crate) fn spawn<F>(future: F) -> impl Future<Output = F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let handle = nio::spawn(future);
    async { handle.await.unwrap() }
}

/// Starts a task that nobody waits for.
pub(crate) fn detach(future: impl Future<Output = ()> + Send + 'static) {
    drop(nio::spawn(future));
}

/// Starts a task that uses timers or sockets.
pub(crate) fn spawn_with<F>(start: impl FnOnce() -> F + Send) -> impl Future<Output = F::Output>
where
    F: Future<Output: Send> + 'static,
{
    let handle = nio::spawn_pinned(start);
    async { handle.await.unwrap() }
}

pub(crate) fn spawn_blocking<T: Send + 'static>(
    job: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = T> {
    let handle = nio::spawn_blocking(job);
    async { handle.await.unwrap() }
}

pub(crate) type Connection = nio::net::TcpConnection;

pub(crate) async fn accept(listener: &mut TcpListener) -> Connection {
    let connection = listener.accept().await.unwrap();
    connection.set_nodelay(true).unwrap();
    connection
}

/// Starts a connection's task, on the worker with the least to do.
pub(crate) fn connected<F>(connection: Connection, handle: fn(TcpStream) -> F)
where
    F: Future<Output = ()> + 'static,
{
    drop(nio::spawn_pinned(move || {
        // It waits for nothing: the connection is registered with the worker.
        let stream = smol::future::block_on(connection.connect());
        handle(stream.unwrap())
    }));
}
