//! TCP through real sockets on the loopback interface.

#![allow(
    unsafe_code,
    reason = "`from_raw_fd` is unsafe to call, and it is tested here"
)]

mod own_process;

use futures_lite::StreamExt;
use futures_lite::future::{poll_once, try_zip, zip};
use own_process::{PATIENCE, again, again_under_limit, finish, listen, say};
use parklet::io::{self, ErrorKind, IoSlice, IoSliceMut, prelude::*};
use parklet::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use parklet::task::block_on;
use parklet::task::spawn;
use rustix::fs::{OFlags, fcntl_getfl};
use std::error::Error as _;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::thread;
use std::time::{Duration, Instant};

const LOOPBACK: &str = "127.0.0.1:0";

/// A connection: the side that connected and the side that accepted.
async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(LOOPBACK).await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap());
    let (client, (server, _)) = try_zip(client, listener.accept()).await.unwrap();
    (client, server)
}

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

fn is_nonblocking(socket: impl AsFd) -> bool {
    fcntl_getfl(socket).unwrap().contains(OFlags::NONBLOCK)
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
            match TcpStream::connect_timeout(&address, Duration::from_millis(100)).await {
                Ok(stream) => connected.push(stream),
                Err(error) => break error,
            }
            assert!(connected.len() < 10, "the backlog does not get full");
        };
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        let message = format!("cannot connect to {address}: timed out after 100ms");
        assert_eq!(error.to_string(), message);

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
            parklet::task::yield_now().await;
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
fn reads_and_accepts_that_are_dropped_midway_lose_nothing() {
    block_on(async {
        let listener = TcpListener::bind(LOOPBACK).await.unwrap();
        let mut incoming = listener.incoming();
        assert!(poll_once(listener.accept()).await.is_none());
        assert!(poll_once(incoming.next()).await.is_none());
        let mut client = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let mut server = incoming.next().await.unwrap().unwrap();
        assert_eq!(server.peer_addr().unwrap(), client.local_addr().unwrap());

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
fn a_socket_goes_to_std_and_back_but_not_while_it_has_clones() {
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
fn a_socket_goes_to_a_descriptor_and_back() {
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
fn a_write_to_a_peer_that_is_gone_is_an_error_and_no_signal() {
    block_on(async {
        let (mut client, server) = pair().await;
        client.write_all(b"never read").await.unwrap();
        // Closing a socket with unread input resets the connection.
        drop(server);
        let error = loop {
            match client.write(&[0; 1000]).await {
                Ok(_) => parklet::task::yield_now().await,
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
fn a_burst_of_connects_waits_in_the_backlog() {
    let limit = fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
    let burst = limit.trim().parse::<usize>().unwrap().min(300);
    block_on(async {
        let listener = TcpListener::bind(LOOPBACK).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut clients = Vec::new();
        for _ in 0..burst {
            // Past the backlog a connect would wait for an accept, and there is none.
            clients.push(
                TcpStream::connect_timeout(&address, PATIENCE)
                    .await
                    .unwrap(),
            );
        }
        let mut incoming = listener.into_incoming();
        for client in clients {
            let server = incoming.next().await.unwrap().unwrap();
            assert_eq!(server.peer_addr().unwrap(), client.local_addr().unwrap());
        }
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

/// The time this process has spent on a processor, in ticks of 10 ms; the file is opened before descriptors run out.
fn processor_ticks(stat: &mut File) -> u64 {
    let mut text = String::new();
    stat.seek(SeekFrom::Start(0)).unwrap();
    stat.read_to_string(&mut text).unwrap();
    let fields: Vec<&str> = text[text.rfind(')').unwrap()..].split(' ').collect();
    fields[12].parse::<u64>().unwrap() + fields[13].parse::<u64>().unwrap()
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
        io::timeout(Duration::from_millis(1), incoming.next_connection())
            .await
            .unwrap_err();

        let clients: Vec<_> = (0..10)
            .map(|_| std::net::TcpStream::connect(address).unwrap())
            .collect();
        let mut files = use_up_descriptors();
        files.truncate(files.len() - 2);

        // Two can still be accepted; then a loop that reports errors and goes on, for a second.
        let mut servers = Vec::new();
        let ticks = processor_ticks(&mut stat);
        let started = Instant::now();
        let mut errors = 0;
        while started.elapsed() < Duration::from_secs(1) {
            match io::timeout(Duration::from_secs(1), incoming.next_connection()).await {
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
        let spent = processor_ticks(&mut stat) - ticks;
        assert!(spent < 30, "{spent} of 100 ticks were spent waiting");

        // As soon as there are descriptors again it goes on by itself, and the rest comes.
        files.clear();
        while servers.len() < clients.len() {
            match incoming.next_connection().await {
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

/// `next`, as one `io::Result`.
trait NextConnection {
    async fn next_connection(&mut self) -> io::Result<TcpStream>;
}

impl<S: futures_core::Stream<Item = io::Result<TcpStream>> + Unpin> NextConnection for S {
    async fn next_connection(&mut self) -> io::Result<TcpStream> {
        self.next().await.expect("connections do not end")
    }
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
        assert!(poll_once(listener.accept()).await.is_none());
        let files = use_up_descriptors();
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
