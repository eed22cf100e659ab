//! Messages of 64 bytes to a server and back, over 1, 64 and 1,000 connections: the server's CPU time per message.
//!
//! Not the time per message: over loopback that is mostly the kernel's choice of a core for either side, and differs
//! twofold between two runs of one program. The server is a process of its own, so its CPU time is its alone. The
//! load is the same plain blocking code for both: it reads one connection's reply and sends that connection's next
//! message, in turn, so that all connections always have a message under way.

#[macro_use]
mod side_by_side;
mod server_process;

use std::io::{Read, Write};
use std::net::TcpStream;

use server_process::ServerProcess;
use side_by_side::{SideBySide, Work};

on_both_runtimes! {
    use std::net::SocketAddr;
    use std::sync::mpsc;

    use runtime::net::{TcpListener, TcpStream};
    use runtime::prelude::*;
    use runtime::{io, task};

    /// Sends back what it receives, on each connection until its end.
    pub(crate) fn serve(announce: mpsc::Sender<SocketAddr>) {
        task::block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            announce.send(listener.local_addr().unwrap()).unwrap();
            let mut incoming = listener.incoming();
            while let Some(stream) = incoming.next().await {
                drop(task::spawn(echo(stream.unwrap())));
            }
        });
    }

    async fn echo(mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut buffer = vec![0; 4096];
        loop {
            let length = stream.read(&mut buffer).await?;
            if length == 0 {
                return Ok(());
            }
            stream.write_all(&buffer[..length]).await?;
        }
    }
}

/// Bytes in a message.
const LENGTH: usize = 64;

/// Clients of one server.
struct Clients {
    server: ServerProcess,
    streams: Vec<TcpStream>,
    /// Messages sent so far: each carries its number.
    sent: u64,
}

impl Clients {
    fn connect(server: &str, connections: usize) -> Clients {
        let server = ServerProcess::start(server);
        let mut clients = Clients {
            server,
            streams: Vec::new(),
            sent: 0,
        };
        for _ in 0..connections {
            let stream = TcpStream::connect(clients.server.address).unwrap();
            stream.set_nodelay(true).unwrap();
            clients.streams.push(stream);
            // One reply from each before the next connects: no queue of connections overflows.
            let number = clients.send(clients.streams.len() - 1);
            clients.receive(clients.streams.len() - 1, number);
        }
        clients
    }

    /// Exchanges that many messages, and returns the server's CPU time meanwhile.
    fn exchange(&mut self, messages: u64) -> std::time::Duration {
        let before = self.server.cpu_time();
        let under_way = self.streams.len().min(messages as usize);
        let mut numbers: Vec<u64> = (0..under_way).map(|client| self.send(client)).collect();
        let mut left = messages - under_way as u64;
        for client in (0..under_way).cycle().take(messages as usize) {
            self.receive(client, numbers[client]);
            if left > 0 {
                left -= 1;
                numbers[client] = self.send(client);
            }
        }
        self.server.cpu_time() - before
    }

    fn send(&mut self, client: usize) -> u64 {
        self.sent += 1;
        self.streams[client].write_all(&message(self.sent)).unwrap();
        self.sent
    }

    fn receive(&mut self, client: usize, number: u64) {
        let mut reply = [0; LENGTH];
        self.streams[client].read_exact(&mut reply).unwrap();
        assert_eq!(reply, message(number));
    }
}

fn message(number: u64) -> [u8; LENGTH] {
    let mut message = [0; LENGTH];
    message[..8].copy_from_slice(&number.to_le_bytes());
    message
}

/// Starts server and clients when they are first wanted: with a filter on the command line, maybe never.
fn echo_over(connections: usize, server: &'static str) -> Work<'static> {
    let mut clients = None;
    Box::new(move |messages| {
        clients
            .get_or_insert_with(|| Clients::connect(server, connections))
            .exchange(messages)
    })
}

fn main() {
    server_process::run_if_child(&[
        ("parklet", on_parklet::serve),
        ("async-std", on_async_std::serve),
    ]);
    server_process::raise_descriptor_limit();
    let mut bench = SideBySide::new();
    for (id, connections) in [
        ("tcp_echo/64B_server_cpu/1_connection", 1),
        ("tcp_echo/64B_server_cpu/64_connections", 64),
        ("tcp_echo/64B_server_cpu/1000_connections", 1_000),
    ] {
        bench.compare(
            id,
            echo_over(connections, "parklet"),
            echo_over(connections, "async-std"),
        );
    }
    bench.finish();
}
