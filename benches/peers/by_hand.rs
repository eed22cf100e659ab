//! The floor: one thread and one loop around `epoll_wait`. A message is serialised once and copied to each member's buffer;
//! what has become of the buffers in a turn is written at its end, one call a client.
//!
//! It has no notion of lag: to a client with too much in its buffer it sends nothing more.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::mpsc;

use parklet::chat::{FromClient, FromServer};
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{SocketFlags, accept_with};

/// The number of the listener; clients have their place in the list.
const LISTENER: u64 = u64::MAX;

/// Bytes that wait for one client at most.
const MAX_WAITING: usize = 1 << 20;

struct Client {
    stream: TcpStream,
    /// What has come of a line whose end has not.
    begun: Vec<u8>,
    waiting: Vec<u8>,
    /// It is in the list of those to be written to.
    is_listed: bool,
    groups: Vec<String>,
}

#[derive(Default)]
struct Chat {
    clients: Vec<Option<Client>>,
    free: Vec<usize>,
    /// The members of each group.
    groups: HashMap<String, Vec<usize>>,
    /// Clients with something to be written.
    listed: Vec<usize>,
}

pub(crate) fn serve(announce: mpsc::Sender<SocketAddr>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    rustix::net::listen(&listener, 4_096).unwrap();
    announce.send(listener.local_addr().unwrap()).unwrap();
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
    let add = |source: &dyn AsFd, number, flags| {
        epoll::add(&epoll, source.as_fd(), EventData::new_u64(number), flags).unwrap();
    };
    add(&listener, LISTENER, EventFlags::IN);
    let mut chat = Chat::default();
    let mut buffer = vec![0; 64 * 1024];
    let mut events = Vec::with_capacity(1_024);
    loop {
        events.clear();
        match epoll::wait(&epoll, spare_capacity(&mut events), None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => panic!("epoll_wait: {error}"),
        }
        for event in &events {
            if event.data.u64() == LISTENER {
                let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
                let stream = TcpStream::from(accept_with(&listener, flags).unwrap());
                stream.set_nodelay(true).unwrap();
                let place = chat.free.pop().unwrap_or(chat.clients.len());
                let both = EventFlags::IN | EventFlags::OUT | EventFlags::ET;
                add(&stream, place as u64, both);
                chat.add(place, stream);
                continue;
            }
            let (place, flags) = (event.data.u64() as usize, event.flags);
            if flags.contains(EventFlags::OUT) {
                chat.list(place);
            }
            chat.read(place, &mut buffer);
        }
        chat.write_listed();
    }
}

impl Chat {
    fn add(&mut self, place: usize, stream: TcpStream) {
        if place == self.clients.len() {
            self.clients.push(None);
        }
        self.clients[place] = Some(Client {
            stream,
            begun: Vec::new(),
            waiting: Vec::new(),
            is_listed: false,
            groups: Vec::new(),
        });
    }

    /// Takes what has come, until there is no more.
    fn read(&mut self, place: usize, buffer: &mut [u8]) {
        loop {
            let Some(client) = &mut self.clients[place] else {
                return;
            };
            match client.stream.read(buffer) {
                Ok(length @ 1..) => {
                    let mut begun = std::mem::take(&mut client.begun);
                    begun.extend_from_slice(&buffer[..length]);
                    let mut rest = &begun[..];
                    while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
                        self.answer(place, &rest[..end]);
                        rest = &rest[end + 1..];
                    }
                    let rest = rest.to_vec();
                    if let Some(client) = &mut self.clients[place] {
                        client.begun = rest;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Ok(0) | Err(_) => return self.remove(place),
            }
        }
    }

    fn answer(&mut self, place: usize, line: &[u8]) {
        let (to, reply) = match serde_json::from_slice(line) {
            Ok(FromClient::Join { group_name }) => {
                let client = self.clients[place].as_mut().expect("it has asked");
                if !client.groups.contains(&group_name) {
                    client.groups.push(group_name.clone());
                    self.groups.entry(group_name).or_default().push(place);
                }
                return;
            }
            Ok(FromClient::Post {
                group_name,
                message,
            }) => match self.groups.get(&group_name) {
                Some(members) => {
                    let message = FromServer::Message {
                        group_name,
                        message,
                    };
                    (members.clone(), message)
                }
                None => {
                    let error = format!("Group '{group_name}' does not exist");
                    (vec![place], FromServer::Error(error))
                }
            },
            Err(error) => (vec![place], FromServer::Error(error.to_string())),
        };
        let mut line = serde_json::to_vec(&reply).expect("it has no odd keys");
        line.push(b'\n');
        for place in to {
            if let Some(client) = &mut self.clients[place]
                && client.waiting.len() < MAX_WAITING
            {
                client.waiting.extend_from_slice(&line);
                self.list(place);
            }
        }
    }

    fn list(&mut self, place: usize) {
        if let Some(client) = &mut self.clients[place]
            && !client.is_listed
            && !client.waiting.is_empty()
        {
            client.is_listed = true;
            self.listed.push(place);
        }
    }

    fn write_listed(&mut self) {
        for place in std::mem::take(&mut self.listed) {
            let Some(client) = &mut self.clients[place] else {
                continue;
            };
            client.is_listed = false;
            match client.stream.write(&client.waiting) {
                Ok(length) if length == client.waiting.len() => client.waiting.clear(),
                // The rest when the socket says that there is room.
                Ok(length) => drop(client.waiting.drain(..length)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => self.remove(place),
            }
        }
    }

    fn remove(&mut self, place: usize) {
        let Some(client) = self.clients[place].take() else {
            return;
        };
        for group_name in client.groups {
            let members = self.groups.get_mut(&group_name).expect("it has members");
            members.retain(|&member| member != place);
            if members.is_empty() {
                self.groups.remove(&group_name);
            }
        }
        self.free.push(place);
    }
}
