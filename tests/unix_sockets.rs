//! Unix sockets in a folder of their own.

mod own_process;

use futures_lite::StreamExt;
use futures_lite::future::{poll_once, try_zip, zip};
use own_process::{again, finish, processor_ticks};
use parklet::io::{ErrorKind, IoSlice, IoSliceMut, prelude::*};
use parklet::net::Shutdown;
use parklet::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use parklet::task::{JoinHandle, block_on, sleep, spawn, yield_now};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use std::error::Error as _;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::linux::net::SocketAddrExt;
use std::path::PathBuf;
use std::time::Duration;

/// A path where nothing is yet, in a folder that goes with the first value.
fn door() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("door");
    (folder, path)
}

#[test]
fn a_connection_has_the_names_of_its_ends() {
    block_on(async {
        let (_folder, path) = door();
        let listener = UnixListener::bind(&path).await.unwrap();
        assert_eq!(listener.local_addr().unwrap().as_pathname(), Some(&*path));
        let both = try_zip(UnixStream::connect(&path), listener.accept());
        let (client, (server, peer)) = both.await.unwrap();
        assert!(peer.is_unnamed());
        assert!(client.local_addr().unwrap().is_unnamed());
        assert_eq!(client.peer_addr().unwrap().as_pathname(), Some(&*path));
        assert_eq!(server.local_addr().unwrap().as_pathname(), Some(&*path));
    });
}

#[test]
fn names_of_linux_without_a_file_are_kept() {
    block_on(async {
        let name = format!("parklet-test-{}", std::process::id());
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
        let listener = std::os::unix::net::UnixListener::bind_addr(&address).unwrap();
        let listener = UnixListener::from(listener);
        let _client = std::os::unix::net::UnixStream::connect_addr(&address).unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let local = stream.local_addr().unwrap();
        assert_eq!(local.as_abstract_name(), Some(name.as_bytes()));
    });
}

#[test]
fn errors_name_the_path() {
    block_on(async {
        let (_folder, path) = door();
        // In quotes, so that what would command a terminal stands there as text.
        let path = path.with_file_name("\x1b[2J");
        let shown = format!("{path:?}");
        assert!(shown.ends_with(r#"/\u{1b}[2J""#), "{shown}");
        let error = UnixStream::connect(&path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let message = format!("cannot connect to {shown}: No such file or directory (os error 2)");
        assert_eq!(error.to_string(), message);
        assert!(error.source().is_some());

        let listener = UnixListener::bind(&path).await.unwrap();
        let message = format!("cannot bind {shown}: Address already in use (os error 98)");
        let error = UnixListener::bind(&path).await.unwrap_err();
        assert_eq!(error.to_string(), message);
        let error = UnixDatagram::bind(&path).await.unwrap_err();
        assert_eq!(error.to_string(), message);

        // The file stays, and nobody is behind it.
        drop(listener);
        let error = UnixStream::connect(&path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);

        let datagram = UnixDatagram::unbound().unwrap();
        let error = datagram.send_to(b"hello", &path).await.unwrap_err();
        let start = format!("cannot send a datagram to {shown}: ");
        assert!(error.to_string().starts_with(&start), "{error}");
        let error = datagram.connect(&path).await.unwrap_err();
        let start = format!("cannot connect to {shown}: ");
        assert!(error.to_string().starts_with(&start), "{error}");

        let long = "a".repeat(200);
        let error = UnixStream::connect(&long).await.unwrap_err();
        let start = format!("cannot connect to {long:?}: ");
        assert!(error.to_string().starts_with(&start), "{error}");
    });
}

#[test]
fn data_and_the_end_that_arrive_together_are_both_seen() {
    block_on(async {
        for size in [1, 4096, 5000] {
            for _ in 0..50 {
                let (one, mut other) = UnixStream::pair().unwrap();
                let mut received = Vec::new();
                let read = other.read_to_end(&mut received);
                let write = async {
                    (&one).write_all(&vec![b'a'; size]).await.unwrap();
                    one.shutdown(Shutdown::Write).unwrap();
                };
                let (read, ()) = zip(read, write).await;
                assert_eq!(read.unwrap(), size);
            }
        }
    });
}

#[test]
fn clones_share_the_socket_and_pieces_go_and_come_together() {
    block_on(async {
        let (one, other) = UnixStream::pair().unwrap();
        let mut clone = one.clone();
        drop(one);
        let pieces = [IoSlice::new(b"one "), IoSlice::new(b"two")];
        assert_eq!(clone.write_vectored(&pieces).await.unwrap(), 7);
        let (mut first, mut second) = ([0; 3], [0; 9]);
        let mut bufs = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
        assert_eq!((&other).read_vectored(&mut bufs).await.unwrap(), 7);
        assert_eq!((&first[..], &second[..4]), (&b"one"[..], &b" two"[..]));

        let mut other = other;
        let mut buf = [0; 8];
        assert!(poll_once(other.read(&mut buf)).await.is_none());
        clone.close().await.unwrap();
        assert!(poll_once(other.read(&mut buf)).await.is_none());
        clone.write_all(b"more").await.unwrap();
        assert_eq!(other.read(&mut buf).await.unwrap(), 4);
        drop(clone);
        assert_eq!(other.read(&mut buf).await.unwrap(), 0);
    });
}

#[test]
fn a_read_that_stops_at_a_descriptor_does_not_hide_what_comes_after_it() {
    block_on(async {
        let (one, mut other) = UnixStream::pair().unwrap();
        // The reader has seen its socket empty; then come two messages, of which the first carries a descriptor.
        assert!(poll_once(other.read(&mut [0])).await.is_none());
        let carried = [one.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        assert!(ancillary.push(SendAncillaryMessage::ScmRights(&carried)));
        let first = [IoSlice::new(b"first")];
        let flags = SendFlags::empty();
        sendmsg(one.as_fd(), &first, &mut ancillary, flags).unwrap();
        (&one).write_all(b"second").await.unwrap();

        let mut buf = [0; 16];
        assert_eq!(other.read(&mut buf).await.unwrap(), 5);
        let more = poll_once(other.read(&mut buf)).await;
        assert_eq!(more.expect("it is there").unwrap(), 6);
        assert_eq!(&buf[..6], b"second");
    });
}

#[test]
fn much_data_in_both_directions_at_once_arrives_whole() {
    const PIECES: usize = 2000;
    let numbers = |seed: usize| (0..PIECES).map(move |i| [(i * seed) as u8; 1009]);
    let send = |mut stream: UnixStream, seed: usize| async move {
        for piece in numbers(seed) {
            stream.write_all(&piece).await.unwrap();
        }
        stream.shutdown(Shutdown::Write).unwrap();
    };
    let receive = |mut stream: UnixStream, seed: usize| async move {
        for piece in numbers(seed) {
            let mut received = [0; 1009];
            stream.read_exact(&mut received).await.unwrap();
            assert_eq!(received, piece);
        }
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    };
    block_on(async {
        let (one, other) = UnixStream::pair().unwrap();
        let tasks = [spawn(send(one.clone(), 3)), spawn(send(other.clone(), 7))];
        let receivers = [spawn(receive(other, 3)), spawn(receive(one, 7))];
        for task in tasks.into_iter() {
            task.await;
        }
        for task in receivers.into_iter() {
            task.await;
        }
    });
}

#[test]
fn connect_waits_while_the_listener_s_queue_is_full_and_can_be_given_up() {
    block_on(async {
        let (_folder, path) = door();
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let listener = UnixListener::from(listener);

        // Whoever does not get in is dropped midway, and does not get in later either.
        let mut clients = Vec::new();
        while let Some(client) = poll_once(UnixStream::connect(&path)).await {
            clients.push(client.unwrap());
            assert!(clients.len() < 10, "the queue does not get full");
        }
        let waiting = spawn(UnixStream::connect(path.clone()));
        for _ in 0..100 {
            yield_now().await;
        }
        assert!(!waiting.is_finished());

        let mut incoming = listener.incoming();
        for client in &mut clients {
            let mut server = incoming.next().await.unwrap().unwrap();
            server.write_all(b"x").await.unwrap();
            client.read_exact(&mut [0]).await.unwrap();
        }
        let client = waiting.await.unwrap();
        let server = incoming.next().await.unwrap().unwrap();
        drop(server);
        assert_eq!((&client).read(&mut [0]).await.unwrap(), 0);
        assert!(poll_once(incoming.next()).await.is_none());
    });
}

#[test]
fn an_accept_that_is_dropped_midway_loses_no_connection() {
    block_on(async {
        let (_folder, path) = door();
        let listener = UnixListener::bind(&path).await.unwrap();
        assert!(poll_once(listener.accept()).await.is_none());
        let mut incoming = listener.into_incoming();
        assert!(poll_once(incoming.next()).await.is_none());
        let mut client = UnixStream::connect(&path).await.unwrap();
        let server = incoming.next().await.unwrap().unwrap();
        drop(server);
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
    });
}

/// Receives so many numbered datagrams, the first only when the sender is waiting for room.
async fn receive_numbers(other: &UnixDatagram, sender: JoinHandle<()>, count: u32) {
    for _ in 0..100 {
        yield_now().await;
    }
    assert!(!sender.is_finished());
    for number in 0..count {
        let mut buf = [0; 16];
        assert_eq!(other.recv(&mut buf).await.unwrap(), 4);
        assert_eq!(buf[..4], number.to_le_bytes());
    }
    sender.await;
}

#[test]
fn datagrams_come_whole_and_in_order_and_wait_for_room() {
    const DATAGRAMS: u32 = 5000;
    block_on(async {
        let (one, other) = UnixDatagram::pair().unwrap();
        let sender = spawn(async move {
            for number in 0..DATAGRAMS {
                one.send(&number.to_le_bytes()).await.unwrap();
            }
        });
        receive_numbers(&other, sender, DATAGRAMS).await;
    });
}

#[test]
fn a_datagram_waits_for_room_without_spinning_though_the_kernel_reports_none() {
    let name = "a_datagram_waits_for_room_without_spinning_though_the_kernel_reports_none";
    if let Some(mut test) = again(name) {
        finish(test.spawn().unwrap());
        return;
    }
    block_on(async {
        let (_folder, path) = door();
        let other = UnixDatagram::bind(&path).await.unwrap();
        let rival = UnixDatagram::unbound().unwrap();
        while poll_once(rival.send_to(b"rival", &path)).await.is_some() {}

        // It has nothing of its own in the queue, so nothing that is taken out there is an event for it.
        let one = UnixDatagram::unbound().unwrap();
        let send = one.send_to(b"one", &path);
        let receive = async {
            let before = processor_ticks();
            sleep(Duration::from_secs(1)).await;
            let spent = processor_ticks() - before;
            assert!(spent < 5, "{spent} of 100 ticks were spent waiting");
            while other.recv(&mut [0; 16]).await.unwrap() != 3 {}
        };
        let (sent, ()) = zip(send, receive).await;
        assert_eq!(sent.unwrap(), 3);
    });
}

#[test]
fn a_send_that_is_dropped_while_it_waits_for_room_sends_nothing() {
    block_on(async {
        let (_folder, path) = door();
        let other = UnixDatagram::bind(&path).await.unwrap();
        let one = UnixDatagram::unbound().unwrap();
        let mut sent = 0;
        while poll_once(one.send_to(b"to", &path)).await.is_some() {
            sent += 1;
        }
        one.connect(&path).await.unwrap();
        assert!(poll_once(one.send(b"connected")).await.is_none());

        for _ in 0..sent {
            assert_eq!(other.recv(&mut [0; 16]).await.unwrap(), 2);
        }
        assert!(poll_once(other.recv(&mut [0; 16])).await.is_none());
    });
}

#[test]
fn datagrams_go_to_a_path_and_tell_where_they_come_from() {
    block_on(async {
        let (folder, path) = door();
        let receiver = UnixDatagram::bind(&path).await.unwrap();
        let from = folder.path().join("from");
        let sender = UnixDatagram::bind(&from).await.unwrap();
        let mut buf = [0; 16];
        assert!(poll_once(receiver.recv_from(&mut buf)).await.is_none());
        assert!(poll_once(receiver.recv(&mut buf)).await.is_none());

        assert_eq!(sender.send_to(b"hello", &path).await.unwrap(), 5);
        let (length, peer) = receiver.recv_from(&mut buf).await.unwrap();
        assert_eq!((length, peer.as_pathname()), (5, Some(&*from)));

        sender.connect(&path).await.unwrap();
        assert_eq!(sender.peer_addr().unwrap().as_pathname(), Some(&*path));
        assert_eq!(sender.local_addr().unwrap().as_pathname(), Some(&*from));
        sender.send(b"again").await.unwrap();
        assert_eq!(receiver.recv(&mut buf).await.unwrap(), 5);
        sender.shutdown(Shutdown::Write).unwrap();
        let error = sender.send(b"no more").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn sockets_and_their_futures_can_go_between_threads() {
    fn check<T: Send + Sync + Unpin + std::fmt::Debug + 'static>() {}
    fn is_send(_: impl Send) {}
    check::<UnixStream>();
    check::<UnixListener>();
    check::<UnixDatagram>();
    is_send(UnixStream::connect("nowhere"));
    is_send(UnixListener::bind("nowhere"));
    let (one, _) = block_on(async { UnixDatagram::pair() }).unwrap();
    is_send(one.send_to(b"hello", "nowhere"));
}
