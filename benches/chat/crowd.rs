//! Many clients: what they cost while they are silent, how soon all hear of something, and how soon all are let in.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use parklet::chat::FromClient;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with};

use super::clients::{
    Clients, join_all, join_and_ask, line, name, raise_descriptor_limit, refusal,
};
use crate::arena::run::Run;
use crate::arena::server::ServerProcess;

/// Members of a group in these crowds.
const MEMBERS: usize = 100;

/// Reports the server's memory for a client that has joined a group and is silent.
pub(crate) fn idle_clients(run: Run) {
    raise_descriptor_limit();
    let mut server = ServerProcess::start(run, "chat");
    // What is taken once, with the first clients, is not theirs.
    let first = join_all(server.address, (0..200).map(|client| client / MEMBERS));
    let before = server.usage().memory;
    let count = run.pick(200, 2_000, 10_000);
    let clients = join_all(
        server.address,
        (200..200 + count).map(|client| client / MEMBERS),
    );
    let memory = server.usage().memory.saturating_sub(before);
    run.report("bytes", memory as f64 / count as f64);
    drop((first, clients));
}

/// Reports the server's memory for a group: with its one member's place in it, and without that client's connection.
pub(crate) fn idle_groups(run: Run) {
    /// Groups of one client.
    const GROUPS: usize = 99;
    let mut server = ServerProcess::start(run, "chat");
    let clients = run.pick(2, 40, 200);
    // Each is in one group, and what is taken once has been.
    let mut members = join_all(server.address, 0..clients);
    let mut join_more = |first: usize, place: usize| {
        let groups = first + place * GROUPS..first + (place + 1) * GROUPS;
        let joins = groups.flat_map(|group| {
            line(&FromClient::Join {
                group_name: name(group),
            })
        });
        let mut requests: Vec<u8> = joins.collect();
        // The same request once more, whose refusal says that all before it has been done.
        requests.extend(join_and_ask(name(place)));
        let member = &mut members[place];
        member.write_all(&requests).unwrap();
        let mut reply = vec![0; refusal().len()];
        member.read_exact(&mut reply).unwrap();
        assert_eq!(reply, refusal());
    };
    let before = server.usage().memory;
    (0..clients).for_each(|place| join_more(clients, place));
    let memory = server.usage().memory.saturating_sub(before);
    run.report("bytes", memory as f64 / (clients * GROUPS) as f64);
}

/// Reports how soon everybody has got a message, when one is posted to each group.
pub(crate) fn one_post_to_each_group(run: Run) {
    let server = ServerProcess::start(run, "chat");
    let groups = run.pick(3, 150, 150);
    let mut clients = Clients::connect(server.address, 0..groups, MEMBERS, 10);
    let begin = Instant::now();
    (0..groups).for_each(|group| clients.post(group, 1));
    let mut delivered = 0;
    while delivered < groups * MEMBERS {
        clients.read(None, |_, before, now| {
            assert_eq!((before, now), (0, 1));
            delivered += 1;
        });
    }
    run.report("all", begin.elapsed().as_nanos() as f64);
}

/// Reports how soon a thousand clients have been let in, joined and got an answer, if none waits for the others.
pub(crate) fn connects_at_once(run: Run) {
    raise_descriptor_limit();
    let server = ServerProcess::start(run, "chat");
    let count = run.pick(50, 1_000, 1_000);
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
    let begin = Instant::now();
    let mut streams: HashMap<u64, (TcpStream, bool)> = HashMap::new();
    for number in 0..count {
        let stream = begin_to_connect(server.address);
        let both = EventFlags::IN | EventFlags::OUT | EventFlags::ET;
        epoll::add(&epoll, stream.as_fd(), EventData::new_u64(number), both).unwrap();
        streams.insert(number, (stream, false));
    }
    let (requests, refusal) = (join_and_ask(name(0)), refusal());
    let mut reply = vec![0; refusal.len()];
    let mut events = Vec::with_capacity(256);
    let mut answered = 0;
    while answered < count {
        events.clear();
        match epoll::wait(&epoll, spare_capacity(&mut events), None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => panic!("epoll_wait: {error}"),
        }
        for event in &events {
            let (number, flags) = (event.data.u64(), event.flags);
            let (stream, has_asked) = streams.get_mut(&number).expect("all are kept");
            if !*has_asked && flags.contains(EventFlags::OUT) {
                assert_eq!(stream.write(&requests).unwrap(), requests.len());
                *has_asked = true;
            }
            match stream.read(&mut reply) {
                Ok(_) => {
                    assert_eq!(reply, refusal);
                    answered += 1;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == ErrorKind::NotConnected => {}
                Err(error) => panic!("client {number}: {error}"),
            }
        }
    }
    run.report("all", begin.elapsed().as_nanos() as f64);
    // What a lost request to connect costs: the kernel tries again after a second.
    assert!(begin.elapsed() < Duration::from_secs(60));
}

/// A socket that does not wait until it is connected.
fn begin_to_connect(server: SocketAddr) -> TcpStream {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None).unwrap();
    match connect(&socket, &server) {
        Ok(()) | Err(Errno::INPROGRESS) => {}
        Err(error) => panic!("connect: {error}"),
    }
    let stream = TcpStream::from(socket);
    stream.set_nodelay(true).unwrap();
    stream
}
