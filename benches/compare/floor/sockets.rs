//! One thread and one loop around `epoll_wait`.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

use rustix::buffer::spare_capacity;
use rustix::event::epoll;
use rustix::io::Errno;
use rustix::net::{SocketFlags, accept_with};

use crate::arena::server::Server;
use crate::tcp::chunk;

pub(crate) const SERVERS: &[Server] = &[
    Server::new("echo", echo),
    Server::new("echo_small", echo),
    Server::new("stream", stream),
];

/// The number of the listener; connections have their place in the list.
const LISTENER: u64 = u64::MAX;

fn echo(announce: mpsc::Sender<SocketAddr>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    announce.send(listener.local_addr().unwrap()).unwrap();
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
    let add = |source: &dyn std::os::fd::AsFd, number| {
        let data = epoll::EventData::new_u64(number);
        epoll::add(&epoll, source.as_fd(), data, epoll::EventFlags::IN).unwrap();
    };
    add(&listener, LISTENER);
    let mut streams: Vec<Option<TcpStream>> = Vec::new();
    let mut free = Vec::new();
    let mut buffer = vec![0; 4_096];
    let mut events = Vec::with_capacity(1_024);
    loop {
        events.clear();
        match epoll::wait(&epoll, spare_capacity(&mut events), None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => panic!("epoll_wait failed: {error}"),
        }
        for event in &events {
            let number = event.data.u64();
            if number == LISTENER {
                let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
                let stream = TcpStream::from(accept_with(&listener, flags).unwrap());
                stream.set_nodelay(true).unwrap();
                let place = free.pop().unwrap_or_else(|| {
                    streams.push(None);
                    streams.len() - 1
                });
                add(&stream, place as u64);
                streams[place] = Some(stream);
                continue;
            }
            let place = number as usize;
            let stream = streams[place].as_mut().expect("an open connection");
            match stream.read(&mut buffer) {
                // A message has room: the client waits for it.
                Ok(length @ 1..) => stream.write_all(&buffer[..length]).unwrap(),
                _ => {
                    streams[place] = None;
                    free.push(place);
                }
            }
        }
    }
}

/// A thread for each connection, which blocks.
fn stream(announce: mpsc::Sender<SocketAddr>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    announce.send(listener.local_addr().unwrap()).unwrap();
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        thread::spawn(move || {
            let chunk = chunk();
            let mut number = [0; 8];
            while stream.read_exact(&mut number).is_ok() {
                for _ in 0..u64::from_le_bytes(number) {
                    stream.write_all(&chunk).unwrap();
                }
            }
        });
    }
}
