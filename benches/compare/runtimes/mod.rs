//! What each runtime calls the things that the workloads ask for: one file each, with the same names in all.
//!
//! The wrappers are what a user writes: `handle.await.unwrap()` on tokio, a race with a timer on smol. The number of
//! workers is set by the environment, or here where a runtime asks its builder for it.

/// What is written alike for every runtime whose sockets and timers may move between threads, with the names that it
/// has already.
macro_rules! with_send_tasks {
    () => {
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

        /// What a listener accepts.
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
    };
}

pub(crate) mod async_std;
pub(crate) mod nio;
pub(crate) mod parklet;
pub(crate) mod smol;
pub(crate) mod tokio;

/// Worker threads of every runtime but the control, parklet with one.
pub(crate) const WORKERS: usize = 2;
