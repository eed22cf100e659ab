//! deadpool: a pool of connections, with timeouts by async-std.

use async_std::io::prelude::*;
use async_std::net::{SocketAddr, TcpListener, TcpStream};
use async_std::{io, task};
use deadpool::Runtime;
use deadpool::managed::{self, Metrics, Pool, PoolError, RecycleResult};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Makes connections, and counts them.
#[derive(Debug)]
struct Connections {
    address: SocketAddr,
    made: Arc<AtomicUsize>,
}

impl managed::Manager for Connections {
    type Type = TcpStream;
    type Error = io::Error;

    async fn create(&self) -> io::Result<TcpStream> {
        self.made.fetch_add(1, Ordering::Relaxed);
        TcpStream::connect(self.address).await
    }

    async fn recycle(&self, stream: &mut TcpStream, _: &Metrics) -> RecycleResult<io::Error> {
        stream.peer_addr()?;
        Ok(())
    }
}

/// A pool of at most three connections to a server that echoes byte by byte.
async fn pool(made: &Arc<AtomicUsize>) -> Pool<Connections> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    task::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            task::spawn(async move { io::copy(stream.clone(), stream).await });
        }
    });
    let made = Arc::clone(made);
    let builder = Pool::builder(Connections { address, made }).max_size(3);
    let builder = builder.wait_timeout(Some(Duration::from_millis(10)));
    builder.runtime(Runtime::AsyncStd1).build().unwrap()
}

#[async_std::test]
async fn many_tasks_share_a_few_connections() {
    let made = Arc::new(AtomicUsize::new(0));
    let pool = pool(&made).await;
    let working = (0..30_u8).map(|number| {
        let pool = pool.clone();
        task::spawn(async move {
            let mut connection = loop {
                match pool.get().await {
                    Ok(connection) => break connection,
                    Err(PoolError::Timeout(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            };
            connection.write_all(&[number]).await.unwrap();
            let mut echo = [0];
            connection.read_exact(&mut echo).await.unwrap();
            assert_eq!(echo, [number]);
        })
    });
    for task in working.collect::<Vec<_>>() {
        task.await;
    }
    assert!((1..=3).contains(&made.load(Ordering::Relaxed)));
}

#[async_std::test]
async fn waiting_for_a_connection_ends_with_the_timeout() {
    let pool = pool(&Arc::default()).await;
    let _all = (
        pool.get().await.unwrap(),
        pool.get().await.unwrap(),
        pool.get().await.unwrap(),
    );
    assert!(matches!(pool.get().await, Err(PoolError::Timeout(_))));
}
