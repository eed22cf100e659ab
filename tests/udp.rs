//! UDP through real sockets on the loopback interface.

use futures_lite::future::{poll_once, zip};
use parklet::io::ErrorKind;
use parklet::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use parklet::task::{block_on, spawn};

const LOOPBACK: &str = "127.0.0.1:0";

async fn two() -> (UdpSocket, UdpSocket) {
    let one = UdpSocket::bind(LOOPBACK).await.unwrap();
    let other = UdpSocket::bind(LOOPBACK).await.unwrap();
    (one, other)
}

async fn connected() -> (UdpSocket, UdpSocket) {
    let (one, other) = two().await;
    one.connect(other.local_addr().unwrap()).await.unwrap();
    other.connect(one.local_addr().unwrap()).await.unwrap();
    (one, other)
}

#[test]
fn datagrams_come_whole_with_their_sender() {
    block_on(async {
        let (one, other) = two().await;
        let to = other.local_addr().unwrap();
        for datagram in [&b"hello"[..], b"", b"longer than the buffer"] {
            assert_eq!(one.send_to(datagram, to).await.unwrap(), datagram.len());
        }
        let from = one.local_addr().unwrap();
        let mut buf = [0; 8];
        assert_eq!(other.recv_from(&mut buf).await.unwrap(), (5, from));
        assert_eq!(&buf[..5], b"hello");
        assert_eq!(other.recv_from(&mut buf).await.unwrap(), (0, from));
        assert_eq!(other.recv_from(&mut buf).await.unwrap(), (8, from));
        assert_eq!(&buf, b"longer t");
        assert!(poll_once(other.recv_from(&mut buf)).await.is_none());
    });
}

#[test]
fn a_connected_socket_hears_its_peer_alone() {
    block_on(async {
        let (one, other) = connected().await;
        assert_eq!(one.peer_addr().unwrap(), other.local_addr().unwrap());
        let stranger = UdpSocket::bind(LOOPBACK).await.unwrap();
        let to = other.local_addr().unwrap();
        stranger.send_to(b"stranger", to).await.unwrap();
        one.send(b"peer").await.unwrap();
        let mut buf = [0; 16];
        let length = other.recv(&mut buf).await.unwrap();
        assert_eq!(&buf[..length], b"peer");
    });
}

#[test]
fn peeking_leaves_the_datagram_and_a_dropped_receive_loses_none() {
    block_on(async {
        let (one, other) = connected().await;
        let mut buf = [0; 16];
        assert!(poll_once(other.recv(&mut buf)).await.is_none());
        assert!(poll_once(other.recv_from(&mut buf)).await.is_none());
        assert!(poll_once(other.peek(&mut buf)).await.is_none());
        assert!(poll_once(other.peek_from(&mut buf)).await.is_none());

        one.send(b"hello").await.unwrap();
        one.send_to(b"again", other.local_addr().unwrap())
            .await
            .unwrap();
        for _ in 0..2 {
            assert_eq!(other.peek(&mut buf).await.unwrap(), 5);
            let peeked = other.peek_from(&mut buf).await.unwrap();
            assert_eq!(peeked, (5, one.local_addr().unwrap()));
        }
        assert_eq!(other.recv(&mut buf).await.unwrap(), 5);
        assert_eq!(&buf[..5], b"hello");
        assert_eq!(other.recv(&mut buf).await.unwrap(), 5);
        assert_eq!(&buf[..5], b"again");
    });
}

#[test]
fn every_datagram_of_a_dialogue_is_seen() {
    const DATAGRAMS: u32 = 2000;
    block_on(async {
        let (one, other) = connected().await;
        let echo = spawn(async move {
            let mut buf = [0; 4];
            for _ in 0..DATAGRAMS {
                other.recv(&mut buf).await.unwrap();
                other.send(&buf).await.unwrap();
            }
        });
        for number in 0..DATAGRAMS {
            let mut buf = [0; 4];
            let (sent, received) = zip(one.send(&number.to_le_bytes()), one.recv(&mut buf)).await;
            assert_eq!((sent.unwrap(), received.unwrap()), (4, 4));
            assert_eq!(u32::from_le_bytes(buf), number);
        }
        echo.await;
    });
}

#[test]
fn what_became_of_a_datagram_is_reported_by_the_next_call() {
    block_on(async {
        let (one, other) = connected().await;
        drop(other);
        one.send(b"into the void").await.unwrap();
        let error = one.recv(&mut [0; 4]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn errors_name_the_address() {
    block_on(async {
        let (one, other) = two().await;
        let to = other.local_addr().unwrap();
        let error = one.send_to(&vec![0; 70_000], to).await.unwrap_err();
        let message = format!("cannot send a datagram to {to}: Message too long (os error 90)");
        assert_eq!(error.to_string(), message);

        let none: &[SocketAddr] = &[];
        let error = one.send_to(b"hello", none).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let error = one.connect(none).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot connect to any address: none was given"
        );

        let error = UdpSocket::bind(to).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        let message = format!("cannot bind {to}: Address already in use (os error 98)");
        assert_eq!(error.to_string(), message);
        // The second address will do.
        let any = LOOPBACK.parse().unwrap();
        UdpSocket::bind(&[to, any][..]).await.unwrap();
    });
}

#[test]
fn options_are_the_system_s() {
    block_on(async {
        let socket = UdpSocket::bind(LOOPBACK).await.unwrap();
        socket.set_broadcast(true).unwrap();
        assert!(socket.broadcast().unwrap());
        socket.set_ttl(77).unwrap();
        assert_eq!(socket.ttl().unwrap(), 77);
        socket.set_multicast_loop_v4(false).unwrap();
        assert!(!socket.multicast_loop_v4().unwrap());
        socket.set_multicast_ttl_v4(5).unwrap();
        assert_eq!(socket.multicast_ttl_v4().unwrap(), 5);
        let group = Ipv4Addr::new(224, 0, 0, 251);
        socket
            .join_multicast_v4(group, Ipv4Addr::LOCALHOST)
            .unwrap();
        socket
            .leave_multicast_v4(group, Ipv4Addr::LOCALHOST)
            .unwrap();
        // Not in the group any more.
        socket
            .leave_multicast_v4(group, Ipv4Addr::LOCALHOST)
            .unwrap_err();

        if let Ok(socket) = UdpSocket::bind("[::1]:0").await {
            socket.set_multicast_loop_v6(false).unwrap();
            assert!(!socket.multicast_loop_v6().unwrap());
            let no_group = Ipv6Addr::LOCALHOST;
            socket.join_multicast_v6(&no_group, 0).unwrap_err();
            socket.leave_multicast_v6(&no_group, 0).unwrap_err();
        }
        assert!(format!("{socket:?}").starts_with("UdpSocket"));
    });
}

#[test]
fn sockets_and_their_futures_can_go_between_threads() {
    fn check<T: Send + Sync + Unpin + std::fmt::Debug + 'static>() {}
    fn is_send(_: impl Send) {}
    check::<UdpSocket>();
    is_send(UdpSocket::bind("localhost:1"));
    block_on(async {
        let (one, _) = two().await;
        is_send(one.send_to(b"hello", "localhost:1"));
        is_send(one.recv_from(&mut [0]));
    });
}
