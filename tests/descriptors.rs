//! From our sockets and files to std's and to descriptors and back, and what is left when they are dropped.

#![allow(
    unsafe_code,
    reason = "`from_raw_fd` is unsafe to call, and it is tested here"
)]

mod own_process;

use futures_lite::future::{poll_once, try_zip};
use own_process::{again, finish};
use parklet::fs::File;
use parklet::io::prelude::*;
use parklet::net::{TcpListener, TcpStream, UdpSocket};
use parklet::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use parklet::task::block_on;
use rustix::fs::{OFlags, fcntl_getfl};
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::path::PathBuf;
use std::thread;

const LOOPBACK: &str = "127.0.0.1:0";

/// A connection: the side that connected and the side that accepted.
async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(LOOPBACK).await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap());
    let (client, (server, _)) = try_zip(client, listener.accept()).await.unwrap();
    (client, server)
}

async fn two_udp() -> (UdpSocket, UdpSocket) {
    let one = UdpSocket::bind(LOOPBACK).await.unwrap();
    let other = UdpSocket::bind(LOOPBACK).await.unwrap();
    (one, other)
}

async fn connected_udp() -> (UdpSocket, UdpSocket) {
    let (one, other) = two_udp().await;
    one.connect(other.local_addr().unwrap()).await.unwrap();
    other.connect(one.local_addr().unwrap()).await.unwrap();
    (one, other)
}

/// A path where nothing is yet, in a folder that goes with the first value.
fn door() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("door");
    (folder, path)
}

fn is_nonblocking(socket: impl AsFd) -> bool {
    fcntl_getfl(socket).unwrap().contains(OFlags::NONBLOCK)
}

#[test]
fn a_tcp_socket_goes_to_std_and_back_but_not_while_it_has_clones() {
    block_on(async {
        let (client, mut server) = pair().await;
        let clone = client.clone();
        let error = std::net::TcpStream::try_from(client).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot turn a TcpStream into std's: it has clones"
        );

        // The clone is the last one now.
        let mut blocking = std::net::TcpStream::try_from(clone).unwrap();
        assert!(!is_nonblocking(&blocking));
        let answer = thread::spawn(move || {
            let mut buf = [0; 4];
            blocking.read_exact(&mut buf).unwrap();
            blocking.write_all(&buf).unwrap();
            blocking
        });
        server.write_all(b"ping").await.unwrap();
        let mut buf = [0; 4];
        server.read_exact(&mut buf).await.unwrap();
        assert_eq!(&buf, b"ping");

        let mut client = TcpStream::from(answer.join().unwrap());
        assert!(is_nonblocking(&client));
        client.write_all(b"back").await.unwrap();
        server.read_exact(&mut buf).await.unwrap();
        assert_eq!(&buf, b"back");

        let listener = TcpListener::bind(LOOPBACK).await.unwrap();
        let listener: std::net::TcpListener = listener.try_into().unwrap();
        assert!(!is_nonblocking(&listener));
        let listener: TcpListener = listener.into();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        try_zip(client, listener.accept()).await.unwrap();
    });
}

#[test]
fn a_tcp_socket_goes_to_a_descriptor_and_back() {
    block_on(async {
        let (client, mut server) = pair().await;
        let mut buf = [0; 3];

        let number = client.as_raw_fd();
        assert_eq!(client.as_fd().as_raw_fd(), number);
        let raw = client.into_raw_fd();
        assert_eq!(raw, number);
        // SAFETY: `into_raw_fd` has just given it away.
        let client = unsafe { TcpStream::from_raw_fd(raw) };
        (&client).write_all(b"raw").await.unwrap();
        server.read_exact(&mut buf).await.unwrap();

        // While there are clones, it is a duplicate that goes.
        let clone = client.clone();
        let owned = OwnedFd::from(client);
        assert_ne!(owned.as_raw_fd(), clone.as_raw_fd());
        let mut client = TcpStream::from(owned);
        client.write_all(b"dup").await.unwrap();
        server.read_exact(&mut buf).await.unwrap();
        drop(clone);
        client.write_all(b"two").await.unwrap();
        server.read_exact(&mut buf).await.unwrap();
        assert_eq!(&buf, b"two");
        drop(client);
        assert_eq!(server.read(&mut buf).await.unwrap(), 0);
    });
}

#[test]
fn a_udp_socket_goes_to_std_and_to_a_descriptor_and_back() {
    block_on(async {
        let (one, other) = connected_udp().await;
        let std = std::net::UdpSocket::try_from(one).unwrap();
        assert!(!is_nonblocking(&std));
        let one = UdpSocket::from(std);
        assert!(is_nonblocking(&one));
        let number = one.as_raw_fd();
        let raw = one.into_raw_fd();
        assert_eq!(raw, number);
        // SAFETY: `into_raw_fd` has just given it away.
        let one = unsafe { UdpSocket::from_raw_fd(raw) };
        let one = UdpSocket::from(OwnedFd::from(one));
        one.send(b"hello").await.unwrap();
        assert_eq!(other.recv(&mut [0; 16]).await.unwrap(), 5);
    });
}

#[test]
fn unix_sockets_go_to_std_and_to_descriptors_and_back() {
    block_on(async {
        let (one, mut other) = UnixStream::pair().unwrap();
        let clone = one.clone();
        let error = std::os::unix::net::UnixStream::try_from(one).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot turn a UnixStream into std's: it has clones"
        );
        let mut blocking = std::os::unix::net::UnixStream::try_from(clone).unwrap();
        assert!(!is_nonblocking(&blocking));
        let answer = thread::spawn(move || {
            let mut buf = [0; 4];
            blocking.read_exact(&mut buf).unwrap();
            blocking.write_all(&buf).unwrap();
            blocking
        });
        let mut buf = [0; 4];
        other.write_all(b"ping").await.unwrap();
        other.read_exact(&mut buf).await.unwrap();
        assert_eq!(&buf, b"ping");

        let one = UnixStream::from(answer.join().unwrap());
        assert!(is_nonblocking(&one));
        let number = one.as_raw_fd();
        let raw = one.into_raw_fd();
        assert_eq!(raw, number);
        // SAFETY: `into_raw_fd` has just given it away.
        let one = unsafe { UnixStream::from_raw_fd(raw) };
        let mut one = UnixStream::from(OwnedFd::from(one));
        one.write_all(b"back").await.unwrap();
        other.read_exact(&mut buf).await.unwrap();

        let (_folder, path) = door();
        let listener = UnixListener::bind(&path).await.unwrap();
        let listener: std::os::unix::net::UnixListener = listener.try_into().unwrap();
        assert!(!is_nonblocking(&listener));
        let listener = UnixListener::from(listener);
        try_zip(UnixStream::connect(&path), listener.accept())
            .await
            .unwrap();

        let datagram = UnixDatagram::unbound().unwrap();
        let datagram: std::os::unix::net::UnixDatagram = datagram.try_into().unwrap();
        assert!(!is_nonblocking(&datagram));
        assert!(is_nonblocking(UnixDatagram::from(datagram)));
    });
}

#[test]
fn a_file_goes_to_a_descriptor_and_back_with_its_cursor() {
    block_on(async {
        let (_folder, path) = door();
        fs::write(&path, "one two three").unwrap();
        let mut file = File::open(&path).await.unwrap();
        let mut word = [0; 4];
        for expected in ["one ", "two "] {
            file.read_exact(&mut word).await.unwrap();
            assert_eq!(&word, expected.as_bytes());
            let raw = file.into_raw_fd();
            // SAFETY: `into_raw_fd` has just given the open descriptor to us alone.
            file = unsafe { File::from_raw_fd(raw) };
            assert_eq!(file.as_raw_fd(), raw);
        }
        let mut rest = String::new();
        file.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "three");
    });
}

#[test]
fn dropped_sockets_leave_no_descriptor_behind() {
    if let Some(mut test) = again("dropped_sockets_leave_no_descriptor_behind") {
        finish(test.spawn().unwrap());
        return;
    }
    let open = || fs::read_dir("/proc/self/fd").unwrap().count();
    block_on(async {
        drop(pair().await);
        let before = open();
        for _ in 0..10 {
            let (client, server) = pair().await;
            let clones = (client.clone(), server.clone());
            assert!(poll_once((&client).read(&mut [0])).await.is_none());
            assert_eq!(open(), before + 2);
            drop((clones, client, server));
        }
        assert_eq!(open(), before);
    });
}
