//! Accepting TCP connections, also when the system has no room for them.

mod own_process;

use futures_lite::StreamExt;
use futures_lite::future::poll_once;
use own_process::{again_under_limit, finish, listen, processor_ticks_in, say};
use parklet::io::{self, ErrorKind, prelude::*};
use parklet::net::{Incoming, TcpListener, TcpStream};
use parklet::task::{block_on, spawn};
use std::fs::File;
use std::time::{Duration, Instant};

const LOOPBACK: &str = "127.0.0.1:0";

#[test]
fn an_accept_that_is_dropped_midway_loses_no_connection() {
    block_on(async {
        let listener = TcpListener::bind(LOOPBACK).await.unwrap();
        let mut incoming = listener.incoming();
        assert!(poll_once(listener.accept()).await.is_none());
        assert!(poll_once(incoming.next()).await.is_none());
        let client = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let server = incoming.next().await.unwrap().unwrap();
        assert_eq!(server.peer_addr().unwrap(), client.local_addr().unwrap());
    });
}

#[test]
fn several_tasks_accept_from_one_listener_and_each_connection_goes_to_one() {
    block_on(async {
        let listener = std::sync::Arc::new(TcpListener::bind(LOOPBACK).await.unwrap());
        let address = listener.local_addr().unwrap();
        let acceptors: Vec<_> = (0..4)
            .map(|_| {
                let listener = listener.clone();
                spawn(async move {
                    let mut accepted = Vec::new();
                    loop {
                        let (mut stream, peer) = listener.accept().await.unwrap();
                        let mut word = [0; 4];
                        stream.read_exact(&mut word).await.unwrap();
                        if &word == b"stop" {
                            break accepted;
                        }
                        accepted.push(peer.port());
                    }
                })
            })
            .collect();

        let mut connected = Vec::new();
        for _ in 0..100 {
            let mut client = TcpStream::connect(address).await.unwrap();
            client.write_all(b"work").await.unwrap();
            connected.push((client.local_addr().unwrap().port(), client));
        }
        for _ in 0..4 {
            let mut client = TcpStream::connect(address).await.unwrap();
            client.write_all(b"stop").await.unwrap();
        }
        let mut accepted = Vec::new();
        for acceptor in acceptors {
            accepted.extend(acceptor.await);
        }
        let mut connected: Vec<_> = connected.iter().map(|(port, _)| *port).collect();
        accepted.sort_unstable();
        connected.sort_unstable();
        assert_eq!(accepted, connected);
    });
}

/// The next connection or error; there is always one more.
async fn next_of(incoming: &mut Incoming<'_>) -> io::Result<TcpStream> {
    incoming.next().await.expect("connections do not end")
}

/// Opens files until there are no more descriptors.
fn use_up_descriptors() -> Vec<File> {
    let mut files = Vec::new();
    loop {
        match File::open("/dev/null") {
            Ok(file) => files.push(file),
            Err(error) => {
                assert_eq!(error.raw_os_error(), Some(24), "{error}");
                return files;
            }
        }
    }
}

#[test]
fn accept_under_too_many_open_files_neither_spins_nor_dies() {
    let name = "accept_under_too_many_open_files_neither_spins_nor_dies";
    if let Some(mut test) = again_under_limit(name, "-n 64") {
        let said = listen(test.spawn().unwrap());
        assert_eq!(said, [r#""resumed""#]);
        return;
    }
    block_on(async {
        let listener = TcpListener::bind(LOOPBACK).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut incoming = listener.incoming();
        let mut stat = File::open("/proc/self/stat").unwrap();
        // Started before there are no descriptors to start it with.
        io::timeout(Duration::from_millis(1), next_of(&mut incoming))
            .await
            .unwrap_err();

        let clients: Vec<_> = (0..10)
            .map(|_| std::net::TcpStream::connect(address).unwrap())
            .collect();
        let mut files = use_up_descriptors();
        files.truncate(files.len() - 2);

        // Two can still be accepted; then a loop that reports errors and goes on, for a second.
        let mut servers = Vec::new();
        let ticks = processor_ticks_in(&mut stat);
        let started = Instant::now();
        let mut errors = 0;
        while started.elapsed() < Duration::from_secs(1) {
            match io::timeout(Duration::from_secs(1), next_of(&mut incoming)).await {
                Ok(stream) => servers.push(stream),
                Err(error) if error.kind() == ErrorKind::TimedOut => break,
                Err(error) => {
                    assert_eq!(error.raw_os_error(), Some(24), "{error}");
                    errors += 1;
                }
            }
        }
        assert_eq!(servers.len(), 2);
        // At 0, 10, 30, 70, 150, 310 and 630 ms.
        assert!((2..=8).contains(&errors), "{errors} errors in a second");
        let spent = processor_ticks_in(&mut stat) - ticks;
        assert!(spent < 10, "{spent} of 100 ticks were spent waiting");

        // As soon as there are descriptors again it goes on by itself, and the rest comes.
        files.clear();
        while servers.len() < clients.len() {
            match next_of(&mut incoming).await {
                Ok(stream) => servers.push(stream),
                Err(error) => assert_eq!(error.raw_os_error(), Some(24), "{error}"),
            }
        }
        for (server, client) in servers.iter().zip(&clients) {
            assert_eq!(server.peer_addr().unwrap(), client.local_addr().unwrap());
        }
        say("resumed");
    });
}

#[test]
fn without_descriptors_accept_is_silent_until_somebody_knocks() {
    let name = "without_descriptors_accept_is_silent_until_somebody_knocks";
    if let Some(mut test) = again_under_limit(name, "-n 64") {
        finish(test.spawn().unwrap());
        return;
    }
    block_on(async {
        let listener = TcpListener::bind(LOOPBACK).await.unwrap();
        let address = listener.local_addr().unwrap();
        let knocker = rustix::net::socket(
            rustix::net::AddressFamily::INET,
            rustix::net::SocketType::STREAM,
            None,
        )
        .unwrap();
        let files = use_up_descriptors();
        // The first one asks the kernel, which has no descriptor to give and says so.
        for _ in 0..3 {
            assert!(poll_once(listener.accept()).await.is_none());
        }
        rustix::net::connect(&knocker, &address).unwrap();
        let error = listener.accept().await.unwrap_err();
        assert_eq!(error.raw_os_error(), Some(24), "{error}");
        drop(files);
        listener.accept().await.unwrap();
    });
}
