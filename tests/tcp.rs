//! TCP connections through real sockets on the loopback interface.

use futures_lite::future::{poll_once, try_zip, zip};
use parklet::io::{ErrorKind, IoSlice, IoSliceMut, prelude::*};
use parklet::net::{Shutdown, TcpListener, TcpStream};
use parklet::task::{block_on, spawn, yield_now};

const LOOPBACK: &str = "127.0.0.1:0";

/// A connection: the side that connected and the side that accepted.
async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(LOOPBACK).await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap());
    let (client, (server, _)) = try_zip(client, listener.accept()).await.unwrap();
    (client, server)
}

#[test]
fn data_and_the_end_that_arrive_together_are_both_seen() {
    block_on(async {
        for size in [1, 5, 4096, 5000] {
            for _ in 0..50 {
                let (client, mut server) = pair().await;
                let reader = async {
                    let mut received = Vec::new();
                    let mut buf = [0; 4096];
                    loop {
                        match server.read(&mut buf).await.unwrap() {
                            0 => break received,
                            length => received.extend_from_slice(&buf[..length]),
                        }
                    }
                };
                // The reader waits first; then data and end come in one event, for most sizes.
                let writer = async {
                    (&client).write_all(&vec![b'a'; size]).await.unwrap();
                    client.shutdown(Shutdown::Write).unwrap();
                };
                let (received, ()) = zip(reader, writer).await;
                assert_eq!(received.len(), size);
            }
        }
    });
}

#[test]
fn one_direction_can_end_while_the_other_goes_on() {
    block_on(async {
        let (mut client, mut server) = pair().await;
        client.write_all(b"question").await.unwrap();
        client.shutdown(Shutdown::Write).unwrap();

        let mut question = String::new();
        server.read_to_string(&mut question).await.unwrap();
        assert_eq!(question, "question");
        server.write_all(b"answer").await.unwrap();
        drop(server);

        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "answer");
        let error = client.write_all(b"more").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn close_only_flushes() {
    block_on(async {
        let (mut client, mut server) = pair().await;
        client.close().await.unwrap();
        client.write_all(b"still here").await.unwrap();
        let mut buf = [0; 10];
        server.read_exact(&mut buf).await.unwrap();
        assert!(poll_once(server.read(&mut buf)).await.is_none());
    });
}

#[test]
fn clones_share_the_socket_and_the_last_one_closes_it() {
    block_on(async {
        let (client, mut server) = pair().await;
        let (mut reader, mut writer) = (client.clone(), client.clone());
        drop(client);

        let answered = spawn(async move {
            let mut buf = [0; 4];
            reader.read_exact(&mut buf).await.unwrap();
            buf
        });
        writer.write_all(b"ping").await.unwrap();
        let mut buf = [0; 4];
        server.read_exact(&mut buf).await.unwrap();
        let last = writer.clone();
        drop(writer);
        assert!(poll_once(server.read(&mut buf)).await.is_none());
        server.write_all(b"pong").await.unwrap();
        assert_eq!(&answered.await, b"pong");

        drop(last);
        assert_eq!(server.read(&mut buf).await.unwrap(), 0);
    });
}

#[test]
fn several_clones_may_wait_for_the_same_event() {
    block_on(async {
        let (client, mut server) = pair().await;
        let readers: Vec<_> = (0..8)
            .map(|_| {
                let mut reader = client.clone();
                spawn(async move {
                    let mut buf = [0; 1];
                    reader.read(&mut buf).await.unwrap()
                })
            })
            .collect();
        // One byte a reader, each sent when anybody may be waiting; then the end, for whoever got none.
        for _ in 0..4 {
            server.write_all(b"x").await.unwrap();
            yield_now().await;
        }
        server.shutdown(Shutdown::Write).unwrap();
        let mut bytes = 0;
        for reader in readers {
            bytes += reader.await;
        }
        assert_eq!(bytes, 4);
    });
}

#[test]
fn reading_and_writing_work_by_reference_and_in_several_pieces() {
    block_on(async {
        let (client, server) = pair().await;
        let pieces = [
            IoSlice::new(b"one "),
            IoSlice::new(b""),
            IoSlice::new(b"two"),
        ];
        assert_eq!((&client).write_vectored(&pieces).await.unwrap(), 7);

        let (mut first, mut second) = ([0; 3], [0; 9]);
        let mut bufs = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
        let read = (&server).read_vectored(&mut bufs).await.unwrap();
        assert_eq!(read, 7);
        assert_eq!((&first[..], &second[..4]), (&b"one"[..], &b" two"[..]));

        let mut client = client;
        let mut server = server;
        assert_eq!(client.write_vectored(&pieces).await.unwrap(), 7);
        let mut bufs = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
        assert_eq!(server.read_vectored(&mut bufs).await.unwrap(), 7);
        // Both were drained by a short read; what comes now must be seen all the same.
        for _ in 0..3 {
            client.write_all(b"again").await.unwrap();
            let mut again = [0; 5];
            server.read_exact(&mut again).await.unwrap();
            assert_eq!(&again, b"again");
        }
        assert_eq!(server.read(&mut []).await.unwrap(), 0);
    });
}

#[test]
fn more_pieces_than_one_call_takes_are_no_short_call() {
    const PIECES: usize = 2500;
    block_on(async {
        let (mut client, mut server) = pair().await;
        let pieces = [IoSlice::new(b"x"); PIECES];
        let mut written = 0;
        while written < PIECES {
            written += client.write_vectored(&pieces[written..]).await.unwrap();
        }
        let mut seen = [0; PIECES];
        while server.peek(&mut seen).await.unwrap() < PIECES {}

        // All is there: whoever takes the first 1,024 bytes for the last waits for ever.
        let mut received = [0; PIECES];
        let mut read = 0;
        while read < PIECES {
            let rest = received[read..].chunks_mut(1);
            let mut pieces: Vec<_> = rest.map(IoSliceMut::new).collect();
            read += server.read_vectored(&mut pieces).await.unwrap();
        }
        assert_eq!(received, [b'x'; PIECES]);
    });
}

#[test]
fn peek_leaves_what_it_sees() {
    block_on(async {
        let (mut client, mut server) = pair().await;
        let mut buf = [0; 8];
        assert!(poll_once(server.peek(&mut buf)).await.is_none());
        client.write_all(b"hello").await.unwrap();
        for _ in 0..3 {
            assert_eq!(server.peek(&mut buf).await.unwrap(), 5);
        }
        assert_eq!(server.read(&mut buf).await.unwrap(), 5);
        assert_eq!(&buf[..5], b"hello");
    });
}

#[test]
fn reads_and_writes_that_are_dropped_midway_lose_nothing() {
    block_on(async {
        let (mut client, mut server) = pair().await;
        let mut buf = [0; 8];
        assert!(poll_once(server.read(&mut buf)).await.is_none());
        client.write_all(b"hello").await.unwrap();
        assert_eq!(server.read(&mut buf).await.unwrap(), 5);

        // A write that is dropped while it waits for room has written nothing.
        let much = vec![7; 1 << 20];
        let mut written = 0;
        while let Some(more) = poll_once(client.write(&much)).await {
            written += more.unwrap();
        }
        drop(client);
        let mut received = Vec::new();
        server.read_to_end(&mut received).await.unwrap();
        assert_eq!(received.len(), written);
    });
}

/// A stream of bytes that both sides can make: a little generator, and the sum of what it made.
struct Noise {
    state: u64,
    sum: u64,
}

impl Noise {
    fn new(seed: u64) -> Noise {
        Noise {
            state: seed,
            sum: 0,
        }
    }

    fn next(&mut self) -> u8 {
        self.state = self.state.wrapping_mul(6364136223846793005).wrapping_add(1);
        let byte = (self.state >> 56) as u8;
        self.sum = self.sum.wrapping_mul(31).wrapping_add(u64::from(byte));
        byte
    }
}

async fn send_noise(mut stream: TcpStream, length: usize, seed: u64) -> u64 {
    let mut noise = Noise::new(seed);
    let mut left = length;
    while left > 0 {
        // Pieces of all sizes, so that writes end anywhere in the buffers.
        let size = left.min(1 + usize::from(noise.state as u16));
        let piece: Vec<u8> = (0..size).map(|_| noise.next()).collect();
        stream.write_all(&piece).await.unwrap();
        left -= size;
    }
    stream.shutdown(Shutdown::Write).unwrap();
    noise.sum
}

async fn receive_noise(mut stream: TcpStream) -> (usize, u64) {
    let (mut length, mut sum) = (0, 0_u64);
    let mut buf = vec![0; 10_007];
    loop {
        let size = stream.read(&mut buf).await.unwrap();
        if size == 0 {
            return (length, sum);
        }
        length += size;
        for byte in &buf[..size] {
            sum = sum.wrapping_mul(31).wrapping_add(u64::from(*byte));
        }
    }
}

#[test]
fn much_data_in_both_directions_at_once_arrives_whole() {
    const LENGTH: usize = 8 << 20;
    block_on(async {
        let (client, server) = pair().await;
        let there = spawn(send_noise(client.clone(), LENGTH, 1));
        let back = spawn(send_noise(server.clone(), LENGTH, 2));
        let at_server = spawn(receive_noise(server));
        let at_client = spawn(receive_noise(client));
        assert_eq!(at_server.await, (LENGTH, there.await));
        assert_eq!(at_client.await, (LENGTH, back.await));
    });
}

#[test]
fn options_are_the_system_s() {
    block_on(async {
        let (client, _server) = pair().await;
        assert!(!client.nodelay().unwrap());
        client.set_nodelay(true).unwrap();
        assert!(client.nodelay().unwrap());
        client.set_ttl(77).unwrap();
        assert_eq!(client.ttl().unwrap(), 77);
        assert!(format!("{client:?}").starts_with("TcpStream"));
    });
}

#[test]
fn a_write_to_a_peer_that_is_gone_is_an_error_and_no_signal() {
    block_on(async {
        let (mut client, server) = pair().await;
        client.write_all(b"never read").await.unwrap();
        // Closing a socket with unread input resets the connection.
        drop(server);
        let error = loop {
            match client.write(&[0; 1000]).await {
                Ok(_) => yield_now().await,
                Err(error) => break error,
            }
        };
        assert!(
            [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe].contains(&error.kind()),
            "{error}"
        );
    });
}

#[test]
fn sockets_and_their_futures_can_go_between_threads() {
    fn check<T: Send + Sync + Unpin + std::fmt::Debug + 'static>() {}
    fn is_send(_: impl Send) {}
    check::<TcpStream>();
    check::<TcpListener>();
    check::<parklet::net::IntoIncoming>();
    check::<parklet::net::Incoming<'static>>();
    is_send(TcpStream::connect("localhost:1"));
    is_send(TcpStream::connect(String::from("localhost:1")));
    is_send(TcpStream::connect((String::from("localhost"), 1)));
    is_send(TcpListener::bind(&[][..]));
    block_on(async {
        let listener = TcpListener::bind(LOOPBACK).await.unwrap();
        is_send(listener.accept());
    });
}
