//! Sockets: what async-std says of them, and the ways to std's and back.

#![allow(unsafe_code, reason = "a socket from a descriptor is one of the ways")]

use async_std::io::prelude::*;
use async_std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use async_std::os::unix::io::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use async_std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use async_std::path::PathBuf;
use async_std::prelude::*;
use async_std::task::{self, block_on};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Gives back what comes in, until the end.
async fn echo(mut stream: TcpStream) {
    let mut reader = stream.clone();
    async_std::io::copy(&mut reader, &mut stream).await.unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
}

/// A server that echoes, and its address.
async fn echo_server() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    task::spawn(async move {
        let mut incoming = listener.incoming();
        while let Some(stream) = incoming.next().await {
            task::spawn(echo(stream.unwrap()));
        }
    });
    address
}

/// Sends a word to an echo, and hears it.
async fn hears_its_echo(mut stream: TcpStream) {
    stream.write_all(b"hello").await.unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut heard = String::new();
    stream.read_to_string(&mut heard).await.unwrap();
    assert_eq!(heard, "hello");
}

#[test]
fn what_was_said_comes_back() {
    block_on(async {
        let address = echo_server().await;
        hears_its_echo(TcpStream::connect(address).await.unwrap()).await;
        hears_its_echo(TcpStream::connect(address.to_string()).await.unwrap()).await;
    });
}

#[test]
fn a_stream_goes_to_std_and_back() {
    block_on(async {
        let stream = TcpStream::connect(echo_server().await).await.unwrap();
        let clone = stream.clone();
        assert!(
            std::net::TcpStream::try_from(clone).is_err(),
            "it has clones"
        );
        let std_stream = std::net::TcpStream::try_from(stream).unwrap();
        std_stream.set_nodelay(true).unwrap();
        let stream = TcpStream::from(std_stream);
        assert!(stream.nodelay().unwrap());
        let stream = TcpStream::from(OwnedFd::from(stream));
        // SAFETY: the descriptor was the stream's and is nobody's now.
        let stream = unsafe { TcpStream::from_raw_fd(stream.into_raw_fd()) };
        assert_eq!(stream.as_fd().as_raw_fd(), stream.as_raw_fd());
        hears_its_echo(stream).await;
    });
}

/// Whether calls on a descriptor wait, as the system tells.
fn is_blocking(descriptor: &impl std::os::fd::AsFd) -> bool {
    const O_NONBLOCK: u32 = 0o4000;
    let number = descriptor.as_fd().as_raw_fd();
    let told = std::fs::read_to_string(format!("/proc/self/fdinfo/{number}")).unwrap();
    let flags = told.lines().find_map(|line| line.strip_prefix("flags:"));
    u32::from_str_radix(flags.unwrap().trim(), 8).unwrap() & O_NONBLOCK == 0
}

#[test]
fn a_socket_that_goes_to_std_blocks_again() {
    let listener = block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    assert!(!is_blocking(&listener));
    let listener = std::net::TcpListener::try_from(listener).unwrap();
    assert!(is_blocking(&listener));
    assert!(!is_blocking(&TcpListener::from(listener)));
}

#[test]
#[allow(
    clippy::unnecessary_fallible_conversions,
    reason = "trillium does it so"
)]
fn a_listener_made_of_stds_can_be_owned_by_its_stream() {
    block_on(async {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let listener: TcpListener = listener.try_into().unwrap();
        let mut incoming = Box::pin(listener.into_incoming());
        let accepted = task::spawn(async move { incoming.next().await.unwrap().unwrap() });
        let stream = TcpStream::connect(address).await.unwrap();
        assert_eq!(
            accepted.await.peer_addr().unwrap(),
            stream.local_addr().unwrap()
        );
    });
}

#[test]
fn everything_that_names_addresses_is_one() {
    async fn first(addresses: impl ToSocketAddrs) -> SocketAddr {
        addresses.to_socket_addrs().await.unwrap().next().unwrap()
    }
    fn is_unpin<T: Unpin>(value: T) -> T {
        value
    }
    let address: SocketAddr = "127.0.0.1:80".parse().unwrap();
    block_on(async {
        assert_eq!(first("127.0.0.1:80").await, address);
        assert_eq!(first(String::from("127.0.0.1:80")).await, address);
        assert_eq!(first(&String::from("127.0.0.1:80")).await, address);
        assert_eq!(first(("127.0.0.1", 80)).await, address);
        assert_eq!(first((IpAddr::from([127, 0, 0, 1]), 80)).await, address);
        assert_eq!(first((Ipv4Addr::LOCALHOST, 80)).await, address);
        assert_eq!(
            first((Ipv6Addr::LOCALHOST, 80)).await,
            "[::1]:80".parse().unwrap()
        );
        assert_eq!(first(&[address][..]).await, address);
        assert_eq!(first(&&address).await, address);
        assert_eq!(
            is_unpin("127.0.0.1:80".to_socket_addrs())
                .await
                .unwrap()
                .count(),
            1
        );
        assert!(first("localhost:80").await.ip().is_loopback());
    });
}

#[test]
fn no_address_is_an_error_that_says_so() {
    block_on(async {
        let none: &[SocketAddr] = &[];
        let error = TcpStream::connect(none).await.unwrap_err();
        assert_eq!(error.kind(), async_std::io::ErrorKind::InvalidInput);
        assert!(error.to_string().contains("address"), "{error}");
        assert!(TcpListener::bind(none).await.is_err() && UdpSocket::bind(none).await.is_err());
    });
}

#[test]
fn connect_tries_one_address_after_the_other_and_tells_the_last_error() {
    block_on(async {
        let refused = {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            listener.local_addr().unwrap()
        };
        let addresses = [refused, echo_server().await];
        hears_its_echo(TcpStream::connect(&addresses[..]).await.unwrap()).await;
        let error = TcpStream::connect(&[refused, refused][..])
            .await
            .unwrap_err();
        assert_eq!(error.kind(), async_std::io::ErrorKind::ConnectionRefused);
    });
}

#[test]
fn datagrams_keep_their_bounds() {
    block_on(async {
        let (one, two) = (
            UdpSocket::bind("127.0.0.1:0").await.unwrap(),
            UdpSocket::bind("127.0.0.1:0").await.unwrap(),
        );
        let (from, to) = (one.local_addr().unwrap(), two.local_addr().unwrap());
        one.send_to(b"first", to).await.unwrap();
        one.send_to(b"second", to.to_string()).await.unwrap();
        let mut room = [0; 16];
        assert_eq!(two.peek_from(&mut room).await.unwrap(), (5, from));
        assert_eq!(two.recv_from(&mut room).await.unwrap(), (5, from));
        two.connect(from).await.unwrap();
        assert_eq!(two.recv(&mut room).await.unwrap(), 6);
        assert_eq!(&room[..6], b"second");
        two.send(b"back").await.unwrap();
        assert_eq!(one.recv_from(&mut room).await.unwrap(), (4, to));
        one.set_ttl(3).unwrap();
        assert_eq!(
            std::net::UdpSocket::try_from(one).unwrap().ttl().unwrap(),
            3
        );
    });
}

#[test]
fn unix_sockets_go_by_paths_of_ours_and_of_stds() {
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let path = PathBuf::from(directory.path().join("socket"));
        let listener = UnixListener::bind(&path).await.unwrap();
        let address: async_std::os::unix::net::SocketAddr = listener.local_addr().unwrap();
        assert_eq!(address.as_pathname(), Some(path.as_ref()));
        let accepted =
            task::spawn(async move { listener.incoming().next().await.unwrap().unwrap() });
        let mut stream = UnixStream::connect(directory.path().join("socket"))
            .await
            .unwrap();
        stream.write_all(b"hello").await.unwrap();
        drop(stream);
        let mut heard = String::new();
        (&accepted.await).read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "hello");

        let (mut one, two) = UnixStream::pair().unwrap();
        one.clone().write_all(b"x").await.unwrap();
        let two = std::os::unix::net::UnixStream::try_from(two).unwrap();
        (&UnixStream::from(two)).write_all(b"y").await.unwrap();
        one.read_exact(&mut [0]).await.unwrap();

        let (one, two) = UnixDatagram::pair().unwrap();
        one.send(b"datagram").await.unwrap();
        assert_eq!(two.recv(&mut [0; 16]).await.unwrap(), 8);
        let bound = UnixDatagram::bind(path.with_extension("datagram"))
            .await
            .unwrap();
        UnixDatagram::unbound()
            .unwrap()
            .send_to(b"x", path.with_extension("datagram"))
            .await
            .unwrap();
        assert_eq!(bound.recv_from(&mut [0; 16]).await.unwrap().0, 1);
    });
}
