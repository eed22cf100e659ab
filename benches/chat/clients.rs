//! The clients of one server: groups of members, all read by one thread, and who posts to them.
//!
//! All messages have the same length, and their texts repeat after so many that they cannot be taken for another that is
//! under way. So what a member gets is known to the byte, and whatever comes is compared with that.

use std::io::{ErrorKind, Read, Write};
use std::iter::repeat_n;
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
use std::os::fd::AsFd;
use std::time::Duration;

use parklet::chat::{FromClient, FromServer};
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// How much is read at once.
const READ_AT_ONCE: usize = 256 * 1024;

/// Lets this process and the servers it starts have as many descriptors as they may: 1,024 is the usual soft limit.
pub(crate) fn raise_descriptor_limit() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let limit = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, limit).expect("up to the hard limit is allowed");
}

/// A value as it goes over the wire.
pub(crate) fn line(value: &impl serde::Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(value).unwrap();
    line.push(b'\n');
    line
}

/// The name of a group: all are equally long.
pub(crate) fn name(group: usize) -> String {
    format!("group-{group:05}")
}

/// The request to join a group, and one whose refusal says that this has been done.
pub(crate) fn join_and_ask(group_name: String) -> Vec<u8> {
    let mut requests = line(&FromClient::Join { group_name });
    requests.extend(line(&FromClient::Post {
        group_name: "nowhere".to_owned(),
        message: String::new(),
    }));
    requests
}

/// That refusal.
pub(crate) fn refusal() -> Vec<u8> {
    line(&FromServer::Error(
        "Group 'nowhere' does not exist".to_owned(),
    ))
}

/// How many connect before the first of them is waited for: less than a short backlog takes.
const AT_ONCE: usize = 64;

/// A blocking connection for each of these groups, which it has joined.
pub(crate) fn join_all(
    server: SocketAddr,
    groups: impl IntoIterator<Item = usize>,
) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    let mut answered = 0;
    let mut expect_refusal = |mut stream: &TcpStream| {
        let mut reply = vec![0; refusal().len()];
        stream.read_exact(&mut reply).unwrap();
        assert_eq!(reply, refusal());
    };
    for group in groups {
        let mut stream = TcpStream::connect(server).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.write_all(&join_and_ask(name(group))).unwrap();
        streams.push(stream);
        if streams.len() == answered + AT_ONCE {
            streams[answered..].iter().for_each(&mut expect_refusal);
            answered = streams.len();
        }
    }
    streams[answered..].iter().for_each(expect_refusal);
    streams
}

/// So many messages, and what is to come of them.
pub(crate) struct Texts {
    posts: Vec<u8>,
    messages: Vec<u8>,
    /// Bytes of a request, and of a message.
    post_length: usize,
    pub(crate) message_length: usize,
}

impl Texts {
    pub(crate) fn new(group: usize, period: usize) -> Texts {
        let text = |number: usize| format!("message {number:04}, as long as many");
        let post = |number| {
            line(&FromClient::Post {
                group_name: name(group),
                message: text(number),
            })
        };
        let message = |number| {
            line(&FromServer::Message {
                group_name: name(group),
                message: text(number),
            })
        };
        Texts {
            post_length: post(0).len(),
            message_length: message(0).len(),
            posts: (0..period).flat_map(post).collect(),
            messages: (0..period).flat_map(message).collect(),
        }
    }

    /// The requests to post so many messages from that one on; none goes around the end.
    pub(crate) fn posts(&self, from: u64, count: u64) -> &[u8] {
        let begin = from as usize * self.post_length % self.posts.len();
        &self.posts[begin..begin + count as usize * self.post_length]
    }

    /// Whether this is the message with that number.
    pub(crate) fn is_message(&self, number: u64, message: &[u8]) -> bool {
        self.is_next(number * self.message_length as u64, message)
    }

    /// Whether these bytes come where so many have come before.
    fn is_next(&self, mut received: u64, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            let begin = (received % self.messages.len() as u64) as usize;
            let length = bytes.len().min(self.messages.len() - begin);
            let (here, rest) = bytes.split_at(length);
            if here != &self.messages[begin..begin + length] {
                return false;
            }
            received += length as u64;
            bytes = rest;
        }
        true
    }
}

/// One group, and who posts to it.
pub(crate) struct Group {
    pub(crate) texts: Texts,
    poster: TcpStream,
    /// How many messages were posted.
    pub(crate) posted: u64,
}

/// One member, and how many bytes it has got.
struct Member {
    stream: TcpStream,
    group: usize,
    received: u64,
}

/// All of them.
pub(crate) struct Clients {
    pub(crate) groups: Vec<Group>,
    members: Vec<Member>,
    epoll: std::os::fd::OwnedFd,
    events: Vec<epoll::Event>,
    buffer: Vec<u8>,
}

impl Clients {
    /// Connects so many members to each of the groups with these numbers. Texts repeat after `period` messages, which is
    /// to be more than are under way.
    pub(crate) fn connect(
        server: SocketAddr,
        groups: Range<usize>,
        members: usize,
        period: usize,
    ) -> Clients {
        raise_descriptor_limit();
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
        let of_each_member = groups.clone().flat_map(|group| repeat_n(group, members));
        let streams = join_all(server, of_each_member);
        let members = streams.into_iter().enumerate().map(|(place, stream)| {
            stream.set_nonblocking(true).unwrap();
            let data = EventData::new_u64(place as u64);
            epoll::add(&epoll, stream.as_fd(), data, EventFlags::IN).unwrap();
            Member {
                stream,
                group: place / members,
                received: 0,
            }
        });
        let members = members.collect();
        let groups = groups.map(|group| {
            let poster = TcpStream::connect(server).unwrap();
            poster.set_nodelay(true).unwrap();
            Group {
                texts: Texts::new(group, period),
                poster,
                posted: 0,
            }
        });
        Clients {
            groups: groups.collect(),
            members,
            epoll,
            events: Vec::with_capacity(256),
            buffer: vec![0; READ_AT_ONCE],
        }
    }

    /// Posts so many messages to a group.
    pub(crate) fn post(&mut self, group: usize, messages: u64) {
        let group = &mut self.groups[group];
        let posts = group.texts.posts(group.posted, messages);
        group.poster.write_all(posts).unwrap();
        group.posted += messages;
    }

    /// How many members of a group have not got so many messages.
    pub(crate) fn members_below(&self, group: usize, messages: u64) -> usize {
        let bytes = messages * self.groups[group].texts.message_length as u64;
        let is_below = |member: &&Member| member.group == group && member.received < bytes;
        self.members.iter().filter(is_below).count()
    }

    /// How many messages each of the members has got, together.
    pub(crate) fn deliveries(&self) -> u64 {
        let length = self.groups[0].texts.message_length as u64;
        self.members
            .iter()
            .map(|member| member.received / length)
            .sum()
    }

    /// Waits until something comes, so long at most, and reads it. Each member that got something is reported: its group,
    /// and how many messages it had before and has now.
    pub(crate) fn read(&mut self, time: Option<Duration>, mut got: impl FnMut(usize, u64, u64)) {
        self.events.clear();
        let time = time.map(|time| Timespec {
            tv_sec: time.as_secs() as i64,
            tv_nsec: time.subsec_nanos().into(),
        });
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), time.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => panic!("epoll_wait: {error}"),
        }
        for event in &self.events {
            let member = &mut self.members[event.data.u64() as usize];
            let texts = &self.groups[member.group].texts;
            match member.stream.read(&mut self.buffer) {
                Ok(length @ 1..) => {
                    let bytes = &self.buffer[..length];
                    assert!(
                        texts.is_next(member.received, bytes),
                        "after {} bytes there came {}",
                        member.received,
                        String::from_utf8_lossy(bytes)
                    );
                    let before = member.received;
                    member.received += length as u64;
                    let message = texts.message_length as u64;
                    got(member.group, before / message, member.received / message);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                other => panic!("a member got no more: {other:?}"),
            }
        }
    }
}
