//! The servers, which plain clients measure.

use std::net::SocketAddr;
use std::sync::mpsc;

use super::runtime;
use crate::arena::server::Server;
use crate::tcp::chunk;
use runtime::{ReadExt as _, TcpListener, TcpStream, WriteExt as _};

pub(crate) const SERVERS: &[Server] = &[
    Server::new("echo", |announce| {
        serve(announce, |connection| runtime::connected(connection, echo));
    }),
    Server::new("echo_small", |announce| {
        serve(announce, |connection| {
            runtime::connected(connection, echo_small);
        });
    }),
    Server::new("stream", |announce| {
        serve(announce, |connection| {
            runtime::connected(connection, stream);
        });
    }),
];

/// Starts a task for each connection.
fn serve(announce: mpsc::Sender<SocketAddr>, connected: fn(runtime::Connection)) {
    runtime::block_on(async {
        let mut listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        announce.send(listener.local_addr().unwrap()).unwrap();
        loop {
            connected(runtime::accept(&mut listener).await);
        }
    });
}

/// Sends back what it receives, until the end.
async fn echo(mut stream: TcpStream) {
    let mut buffer = vec![0; 4_096];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        stream.write_all(&buffer[..length]).await.unwrap();
    }
}

/// The same with a small buffer, in the task itself.
async fn echo_small(mut stream: TcpStream) {
    let mut buffer = [0; 64];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        stream.write_all(&buffer[..length]).await.unwrap();
    }
}

/// Reads a number, and writes that many chunks.
async fn stream(mut stream: TcpStream) {
    let chunk = chunk();
    let mut number = [0; 8];
    while stream.read_exact(&mut number).await.is_ok() {
        for _ in 0..u64::from_le_bytes(number) {
            stream.write_all(&chunk).await.unwrap();
        }
    }
}
