//! Connecting to and binding TCP addresses, and what the errors say.

mod own_process;

use futures_lite::StreamExt;
use futures_lite::future::{poll_once, try_zip};
use own_process::{PATIENCE, again, finish};
use parklet::io::{self, ErrorKind, prelude::*};
use parklet::net::{SocketAddr, TcpListener, TcpStream};
use parklet::task::{block_on, spawn_blocking};
use std::error::Error as _;
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const LOOPBACK: &str = "127.0.0.1:0";

/// How many threads the blocking pool has at most.
const THREADS_AT_MOST: usize = 512;

/// What an address among several gets at least.
const PATIENCE_OF_ONE: Duration = Duration::from_secs(1);

/// An address where nobody listens, and a socket that keeps it from everybody else.
fn refusing() -> (std::net::TcpListener, SocketAddr) {
    let socket = rustix::net::socket(
        rustix::net::AddressFamily::INET,
        rustix::net::SocketType::STREAM,
        None,
    )
    .unwrap();
    let any: SocketAddr = LOOPBACK.parse().unwrap();
    rustix::net::bind(&socket, &any).unwrap();
    // For its `local_addr`: it was never told to listen.
    let socket = std::net::TcpListener::from(socket);
    let address = socket.local_addr().unwrap();
    (socket, address)
}

#[test]
fn a_refused_connection_names_the_address_and_keeps_the_cause() {
    block_on(async {
        let (_holder, address) = refusing();
        let error = TcpStream::connect(address).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        assert_eq!(
            error.to_string(),
            format!("cannot connect to {address}: Connection refused (os error 111)")
        );
        let cause = error.source().unwrap().downcast_ref::<io::Error>().unwrap();
        assert_eq!(cause.raw_os_error(), Some(111));
    });
}

#[test]
fn connect_tries_every_address_and_reports_the_last() {
    block_on(async {
        let listener = TcpListener::bind(LOOPBACK).await.unwrap();
        let good = listener.local_addr().unwrap();
        let (_holder, refused) = refusing();
        let (_holder, refused_too) = refusing();

        let stream = TcpStream::connect(&[refused, good][..]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), good);

        let error = TcpStream::connect(&[refused, refused_too][..])
            .await
            .unwrap_err();
        assert!(
            error
                .to_string()
                .contains(&format!("connect to {refused_too}: ")),
            "{error}"
        );

        let none: &[SocketAddr] = &[];
        let error = TcpStream::connect(none).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(
            error.to_string(),
            "cannot connect to any address: none was given"
        );
    });
}

#[test]
fn bind_tries_every_address_and_names_the_one_that_is_taken() {
    block_on(async {
        let listener = TcpListener::bind(LOOPBACK).await.unwrap();
        let taken = listener.local_addr().unwrap();
        let free = LOOPBACK.parse().unwrap();

        let other = TcpListener::bind(&[taken, free][..]).await.unwrap();
        assert_ne!(other.local_addr().unwrap(), taken);

        let error = TcpListener::bind(taken).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        let message = format!("cannot bind {taken}: Address already in use (os error 98)");
        assert_eq!(error.to_string(), message);
    });
}

#[test]
fn a_listener_s_address_is_free_again_at_once() {
    block_on(async {
        let listener = TcpListener::bind(LOOPBACK).await.unwrap();
        let address = listener.local_addr().unwrap();
        let client = TcpStream::connect(address);
        let (mut client, (server, _)) = try_zip(client, listener.accept()).await.unwrap();
        // The server closes first, so its side of the connection lingers in TIME_WAIT.
        drop((server, listener));
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
        drop(client);
        TcpListener::bind(address).await.unwrap();
    });
}

#[test]
fn a_connect_that_nobody_answers_times_out_or_is_given_up_without_a_trace() {
    let name = "a_connect_that_nobody_answers_times_out_or_is_given_up_without_a_trace";
    if let Some(mut test) = again(name) {
        finish(test.spawn().unwrap());
        return;
    }
    block_on(async {
        // A full backlog drops what asks to connect, without a word.
        let listener = std::net::TcpListener::bind(LOOPBACK).unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let address = listener.local_addr().unwrap();
        let mut connected = Vec::new();
        let error = loop {
            match TcpStream::connect_timeout(address, Duration::from_millis(100)).await {
                Ok(stream) => connected.push(stream),
                Err(error) => break error,
            }
            assert!(connected.len() < 10, "the backlog does not get full");
        };
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        let message = format!("cannot connect to {address}: timed out after 100ms");
        assert_eq!(error.to_string(), message);

        // The silent address has its share of the time, not all of it.
        let other = TcpListener::bind(LOOPBACK).await.unwrap();
        let good = other.local_addr().unwrap();
        let both = [address, good];
        let stream = TcpStream::connect_timeout(&both[..], 2 * PATIENCE_OF_ONE);
        assert_eq!(stream.await.unwrap().peer_addr().unwrap(), good);

        let open = || fs::read_dir("/proc/self/fd").unwrap().count();
        let before = open();
        let mut connect = Box::pin(TcpStream::connect(address));
        assert!(poll_once(&mut connect).await.is_none());
        assert_eq!(open(), before + 1);
        drop(connect);
        assert_eq!(open(), before);
    });
}

#[test]
fn a_connect_with_a_limit_tries_every_address_and_covers_the_lookup() {
    let name = "a_connect_with_a_limit_tries_every_address_and_covers_the_lookup";
    if let Some(mut test) = again(name) {
        finish(test.spawn().unwrap());
        return;
    }
    block_on(async {
        let listener = TcpListener::bind(LOOPBACK).await.unwrap();
        let good = listener.local_addr().unwrap();
        let (_holder, refused) = refusing();
        let (_holder, refused_too) = refusing();
        let both = [refused, good];
        let stream = TcpStream::connect_timeout(&both[..], Duration::MAX);
        assert_eq!(stream.await.unwrap().peer_addr().unwrap(), good);

        let error = TcpStream::connect_timeout(&[refused, refused_too][..], PATIENCE)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        let message = format!("cannot connect to {refused_too}: Connection refused (os error 111)");
        assert_eq!(error.to_string(), message);

        let none: &[SocketAddr] = &[];
        let error = TcpStream::connect_timeout(none, PATIENCE)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let error = TcpStream::connect_timeout("no port", PATIENCE)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);

        // While all threads of the blocking pool are taken, no name is looked up.
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let ended = Arc::new(Mutex::new(ended));
        let holding: Vec<_> = (0..THREADS_AT_MOST)
            .map(|_| {
                let ended = Arc::clone(&ended);
                spawn_blocking(move || ended.lock().unwrap().recv().unwrap_err())
            })
            .collect();
        let limit = Duration::from_millis(100);
        let error = TcpStream::connect_timeout(("localhost", good.port()), limit)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(
            error.to_string(),
            "cannot connect: no address was found: timed out after 100ms"
        );
        drop(end);
        for thread in holding {
            thread.await;
        }
        let stream = TcpStream::connect_timeout(("localhost", good.port()), PATIENCE);
        assert_eq!(stream.await.unwrap().peer_addr().unwrap(), good);
    });
}

#[test]
fn a_burst_of_connects_waits_in_the_backlog() {
    let limit = fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
    let burst = limit.trim().parse::<usize>().unwrap().min(300);
    block_on(async {
        let listener = TcpListener::bind(LOOPBACK).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut clients = Vec::new();
        for _ in 0..burst {
            // Past the backlog a connect would wait for an accept, and there is none.
            clients.push(TcpStream::connect_timeout(address, PATIENCE).await.unwrap());
        }
        let mut incoming = listener.into_incoming();
        for client in clients {
            let server = incoming.next().await.unwrap().unwrap();
            assert_eq!(server.peer_addr().unwrap(), client.local_addr().unwrap());
        }
    });
}
