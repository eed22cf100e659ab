//! Groups: who gets what, who has to wait for whom (nobody), and when a membership ends.

mod chat_support;

use std::collections::HashMap;
use std::fs;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use chat_support::{Client, GUARD, Server, delivery, server_program, wait_until_deserted};
use parklet::channel;
use parklet::chat::server::{Accept, Builder, ChatStream};
use parklet::chat::{FromClient, FromServer, Limits, receive_as_json, send_as_json};
use parklet::future;
use parklet::io::{self, BufReader, Read, Write};
use parklet::net::{TcpListener, TcpStream};
use parklet::stream::StreamExt;
use parklet::task;

const GROUPS: usize = 100;
const MEMBERS: usize = 10;
const POSTS: usize = 30;

#[test]
fn a_thousand_clients_in_a_hundred_groups_lose_nothing_and_keep_the_order() {
    raise_descriptor_limit();
    let server = Server::start();
    let address = server.address;
    let chat = async {
        // Nobody posts before everybody has joined: `go` is closed when all have said `joined`.
        let (joined, all_joined) = channel::unbounded();
        let (hold, go) = channel::bounded::<()>(1);
        let clients: Vec<_> = (0..GROUPS * MEMBERS)
            .map(|number| {
                let (joined, go) = (joined.clone(), go.clone());
                task::spawn(async move {
                    let group_name = format!("group {}", number % GROUPS);
                    let mut socket = TcpStream::connect(address).await.unwrap();
                    let inbound = BufReader::new(socket.clone());
                    let mut replies = receive_as_json::<_, FromServer>(inbound);
                    let join = FromClient::Join {
                        group_name: group_name.clone(),
                    };
                    let nobody = post("no such group", String::new());
                    send_as_json(&mut socket, &join).await.unwrap();
                    send_as_json(&mut socket, &nobody).await.unwrap();
                    // Requests are done in their order, so this answer means that the first one is done, too.
                    match replies.next().await {
                        Some(Ok(FromServer::Error(_))) => joined.send(()).await.unwrap(),
                        other => panic!("{other:?}"),
                    }
                    let _ = go.recv().await;

                    for count in 0..POSTS {
                        let message = format!("{number} {count}");
                        let request = post(&group_name, message);
                        send_as_json(&mut socket, &request).await.unwrap();
                    }
                    let mut received = Vec::new();
                    while received.len() < MEMBERS * POSTS {
                        match replies.next().await {
                            Some(Ok(FromServer::Message {
                                group_name: group,
                                message,
                            })) if group == group_name => received.push(message),
                            other => panic!("client {number} got {other:?}"),
                        }
                    }
                    (number, received)
                })
            })
            .collect();
        for _ in 0..clients.len() {
            all_joined.recv().await.unwrap();
        }
        drop(hold);
        for client in clients {
            let (number, received) = client.await;
            in_order_per_poster(number % GROUPS, &received);
        }
    };
    let chat = future::timeout(GUARD, chat);
    task::block_on(chat).expect("somebody still waits for messages");
    assert_eq!(server.stop(), [""; 0]);
}

/// All posts of every member of the group are there, those of one member in its order.
fn in_order_per_poster(group: usize, received: &[String]) {
    let mut next = HashMap::<usize, usize>::new();
    for message in received {
        let (poster, count) = message.split_once(' ').unwrap();
        let next = next.entry(poster.parse().unwrap()).or_default();
        assert_eq!(count.parse(), Ok(*next), "of poster {poster}");
        *next += 1;
    }
    assert_eq!(next.len(), MEMBERS);
    assert!(next.keys().all(|poster| poster % GROUPS == group));
}

fn post(group_name: &str, message: String) -> FromClient {
    FromClient::Post {
        group_name: group_name.to_string(),
        message,
    }
}

fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            ..limit
        },
    );
    let available = getrlimit(Resource::Nofile).current;
    assert!(
        available.is_none_or(|available| available >= 2100),
        "this test needs 2100 open files, and ulimit -n is {available:?}"
    );
}

#[test]
fn a_slow_member_does_not_stall_the_group() {
    const MESSAGES: usize = 3000;
    let server = Server::start();
    let mut slow = server.connect();
    slow.join("g");
    // Not the 32 MB that a kernel may give by itself.
    rustix::net::sockopt::set_socket_recv_buffer_size(&slow.socket, 128 * 1024).unwrap();
    let mut quick = server.connect();
    quick.join("g");

    // 24 MB: far more than what the kernel keeps for a socket, and the ring. The quick one is given time to read.
    let message = |number: usize| format!("{number:0>8000}");
    for round in 0..MESSAGES / 100 {
        for number in round * 100..(round + 1) * 100 {
            quick.post("g", &message(number));
        }
        for number in round * 100..(round + 1) * 100 {
            assert_eq!(quick.line(), delivery("g", &message(number)));
        }
    }

    // Now the slow one reads. Every message is there, in its place, or counted as dropped in that very place.
    let (mut next, mut dropped, mut since_notice) = (0, 0, 0);
    while next < MESSAGES {
        let line = slow.line();
        let notice = line.strip_prefix("{\"Error\":\"Dropped ");
        match notice.and_then(|rest| rest.strip_suffix(" messages from g.\"}\n")) {
            Some(count) => {
                let count: usize = count.parse().unwrap();
                next += count;
                dropped += count;
                since_notice = 0;
            }
            None => {
                assert_eq!(line, delivery("g", &message(next)));
                next += 1;
                since_notice += 1;
            }
        }
    }
    assert_eq!(next, MESSAGES);
    assert!(dropped > 0);
    // The oldest that were kept: all that fits into the ring.
    assert_eq!(since_notice, 1000);
    slow.sync();
}

#[test]
fn what_is_posted_at_once_is_passed_on_and_refused_in_its_order() {
    let server = Server::start();
    let (mut anna, mut ben) = (server.connect(), server.connect());
    anna.hello("anna", "");
    anna.send("{\"Join\":{\"group_name\":\"g\"}}\n{\"Ping\":{}}\n");
    assert_eq!(anna.line(), "{\"Pong\":{}}\n");
    ben.join("h");
    let post = |group: &str, message: &str| {
        format!("{{\"Post\":{{\"group_name\":\"{group}\",\"message\":\"{message}\"}}}}\n")
    };
    // All in one write: three to g, one to h, one nowhere, a line that is none, and two to g.
    let mut requests: String = ["1", "2", "3"].map(|message| post("g", message)).concat();
    requests += &post("h", "4");
    requests += &post("nowhere", "5");
    requests += "?\n";
    requests += &[post("g", "6"), post("g", "7")].concat();
    ben.send(requests);

    for (id, message) in [(1, "1"), (2, "2"), (3, "3"), (4, "6"), (5, "7")] {
        let line = anna.line();
        let begin =
            format!("{{\"Message\":{{\"group_name\":\"g\",\"message\":\"{message}\",\"id\":{id},");
        assert!(line.starts_with(&begin), "{line}");
    }
    // Errors do not wait for what goes through a group.
    let nowhere = "{\"Error\":\"Group 'nowhere' does not exist\"}\n";
    assert_eq!(ben.line(), nowhere);
    assert!(ben.line().starts_with("{\"Error\":\"line "));
    assert_eq!(ben.line(), delivery("h", "4"));
    server.stop();
}

#[test]
fn what_is_posted_right_before_a_client_is_disconnected_is_passed_on() {
    let server = Server::start_built(Builder::new().max_line_length(100), |listener| listener);
    let (mut anna, mut ben) = (server.connect(), server.connect());
    anna.join("g");
    let last = "{\"Post\":{\"group_name\":\"g\",\"message\":\"last words\"}}\n";
    ben.send(format!("{last}{last}{}\n", "?".repeat(101)));
    assert_eq!(anna.line(), delivery("g", "last words"));
    assert_eq!(anna.line(), delivery("g", "last words"));
    assert!(ben.line().starts_with("{\"Error\":\"line 3 is longer"));
    ben.end();
    drop(ben);
    server.stop();
}

#[test]
fn of_a_burst_that_is_longer_than_what_a_group_keeps_the_last_messages_come() {
    let mut limits = Limits::default();
    limits.outbox_messages = 10;
    let server = Server::start_built(Builder::new().limits(limits), |listener| listener);
    let mut client = server.connect();
    client.join("g");
    let posts = (0..50)
        .map(|number| format!("{{\"Post\":{{\"group_name\":\"g\",\"message\":\"{number}\"}}}}\n"));
    // One write, which the server reads at once: nothing of it is sent before all of it is posted.
    client.send(posts.collect::<String>());
    let dropped = "{\"Error\":\"Dropped 40 messages from g.\"}\n";
    assert_eq!(client.line(), dropped);
    for number in 40..50 {
        assert_eq!(client.line(), delivery("g", &number.to_string()));
    }
    client.sync();
    server.stop();
}

#[test]
fn a_member_that_leaves_is_out_at_once() {
    let server = Server::start();
    let mut member = server.connect();
    member.join("g");
    let mut outsider = server.connect();
    outsider.post("g", "there is somebody");
    outsider.sync();
    drop(member);
    wait_until_deserted(server.address, "g");

    // Who comes back finds a new group.
    let mut member = server.connect();
    member.join("g");
    outsider.post("g", "welcome back");
    assert_eq!(member.line(), delivery("g", "welcome back"));
}

#[test]
fn joining_twice_is_joining_once() {
    let server = Server::start();
    let mut client = server.connect();
    client.join("g");
    client.join("g");
    client.post("g", "once");
    client.half_close();
    // All that was posted comes before the end.
    assert_eq!(client.line(), delivery("g", "once"));
    client.end();
}

#[test]
fn groups_do_not_hear_each_other() {
    let server = Server::start();
    let (mut anna, mut ben) = (server.connect(), server.connect());
    anna.join("a");
    anna.join("both");
    ben.join("b");
    ben.join("both");
    ben.post("a", "for anna");
    ben.sync();
    assert_eq!(anna.line(), delivery("a", "for anna"));
    anna.post("both", "for both");
    assert_eq!(anna.line(), delivery("both", "for both"));
    assert_eq!(ben.line(), delivery("both", "for both"));
    for mut client in [anna, ben] {
        client.half_close();
        client.end();
    }
}

#[test]
fn a_member_that_leaves_while_it_is_behind_keeps_nobody() {
    let server = Server::start();
    let mut poster = server.connect();
    let mut stuck = server.connect();
    stuck.join("g");
    // Enough to fill the socket, so that its task waits in the middle of a line.
    let message = "x".repeat(60_000);
    for _ in 0..1000 {
        poster.post("g", &message);
    }
    poster.sync();
    drop(stuck);
    wait_until_deserted(server.address, "g");
}

/// Streams whose reader panics when it is told to.
struct Explosive(TcpListener);

impl Accept for Explosive {
    type Stream = Bomb;

    async fn accept(&self) -> io::Result<(Bomb, String)> {
        let (stream, peer) = self.0.accept().await?;
        Ok((Bomb(stream), peer.to_string()))
    }
}

struct Bomb(TcpStream);

impl Read for Bomb {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let read = Pin::new(&mut self.0).poll_read(cx, buf);
        if let Poll::Ready(Ok(length)) = &read {
            assert!(!buf[..*length].starts_with(b"boom"), "boom");
        }
        read
    }
}

impl Write for Bomb {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_close(cx)
    }
}

impl ChatStream for Bomb {
    type Reader = Bomb;
    type Writer = TcpStream;

    fn split(self) -> (Bomb, TcpStream) {
        let writer = self.0.clone();
        (self, writer)
    }

    fn poll_shutdown_write(writer: &mut TcpStream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        TcpStream::poll_shutdown_write(writer, cx)
    }
}

#[test]
fn a_panic_in_one_connection_ends_that_one_alone() {
    let server = Server::start_with(Explosive);
    let mut bystander = server.connect();
    bystander.join("g");
    let mut bomber = server.connect();
    bomber.join("g");
    bomber.join("h");
    bomber.send(b"boom\n");
    bomber.end();
    wait_until_deserted(server.address, "h");

    bystander.post("g", "what was that?");
    assert_eq!(bystander.line(), delivery("g", "what was that?"));
    drop(bystander);
    server.stop();
}

/// A listener that fails a few times before each connection.
struct Failing(TcpListener, AtomicUsize);

impl Accept for Failing {
    type Stream = TcpStream;

    fn accept(&self) -> impl Future<Output = io::Result<(TcpStream, String)>> + Send {
        let failure = self.1.fetch_add(1, Ordering::Relaxed) % 4;
        async move {
            match failure {
                0 | 1 => Err(io::ErrorKind::OutOfMemory.into()),
                2 => Err(io::ErrorKind::ConnectionAborted.into()),
                _ => Accept::accept(&self.0).await,
            }
        }
    }
}

#[test]
fn a_listener_that_fails_is_asked_again_and_named_once() {
    let server = Server::start_with(|listener| Failing(listener, AtomicUsize::new(0)));
    for _ in 0..3 {
        server.connect().join("g");
    }
    let mut log = server.stop();
    // The fourth client did not come, but its failures did.
    assert_eq!(log.len(), 4, "{log:?}");
    log.dedup();
    assert_eq!(log, ["cannot accept clients for now: out of memory"]);
}

#[test]
fn ten_thousand_connections_leave_nothing_behind() {
    let (server, address) = server_program();
    let come_and_go = |count: usize| {
        for number in 0..count {
            let mut client = Client::connect(address);
            let group = format!("group {number}");
            client.send(format!("{{\"Join\":{{\"group_name\":\"{group}\"}}}}\n"));
            client.post(&group, "anybody here?");
            match number % 3 {
                0 => drop(client),
                1 => client.reset(),
                _ => {
                    assert_eq!(client.line(), delivery(&group, "anybody here?"));
                    client.half_close();
                    client.end();
                }
            }
        }
        // All have gone when the server has as many descriptors as without them.
        let start = Instant::now();
        let files = format!("/proc/{}/fd", server.id());
        let mut witness = Client::connect(address);
        loop {
            witness.sync();
            let open = fs::read_dir(&files).unwrap().count();
            if open <= 32 {
                return;
            }
            assert!(start.elapsed() < GUARD, "{open} files are still open");
        }
    };
    come_and_go(1000);
    let memory_before = memory(server.id());
    come_and_go(9000);
    let grown = memory(server.id()).saturating_sub(memory_before);
    assert!(grown < 1024, "9000 connections left {grown} KiB behind");
}

/// The memory a program has, in KiB.
fn memory(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let resident = resident.unwrap().trim().trim_end_matches(" kB");
    resident.parse().unwrap()
}
