//! Messages to a server and back: each connection has one under way, always.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::event::epoll;

use super::clients::{LENGTH, connect, message, raise_descriptor_limit};
use crate::arena::run::Run;
use crate::arena::server::ServerProcess;

/// One connection, with the message that is under way on it.
struct Client {
    stream: TcpStream,
    number: u64,
    sent: Instant,
}

impl Client {
    fn send(&mut self, number: u64, now: Instant) {
        self.number = number;
        self.sent = now;
        // There is room, since the one before has come back.
        self.stream.write_all(&message(number)).unwrap();
    }

    /// Takes the reply, and says how long it took.
    fn receive(&mut self, now: Instant) -> Duration {
        let mut reply = [0; LENGTH];
        self.stream.read_exact(&mut reply).unwrap();
        assert_eq!(reply, message(self.number));
        now - self.sent
    }
}

/// Reports what a message costs the server, how many there are in a second, and the time that one in a hundred takes.
pub(super) fn exchange(run: Run, connections: usize) {
    raise_descriptor_limit();
    let mut server = ServerProcess::start(run, "echo");
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
    let now = Instant::now();
    let mut clients: Vec<Client> = connect(&server, connections)
        .into_iter()
        .map(|stream| Client {
            stream,
            number: 0,
            sent: now,
        })
        .collect();
    for (index, client) in clients.iter().enumerate() {
        let data = epoll::EventData::new_u64(index as u64);
        epoll::add(&epoll, &client.stream, data, epoll::EventFlags::IN).unwrap();
    }

    let time = run.pick(
        Duration::ZERO,
        Duration::from_millis(60),
        Duration::from_millis(400),
    );
    let begin = Instant::now();
    let (mut sent, mut under_way) = (0, 0);
    for client in &mut clients {
        client.send(sent, Instant::now());
        sent += 1;
        under_way += 1;
    }
    let mut events = Vec::with_capacity(connections);
    // From where on it counts, with the server's CPU time then.
    let mut warm = None;
    let mut times = Vec::new();
    let mut measured = None;
    while under_way > 0 {
        events.clear();
        epoll::wait(&epoll, rustix::buffer::spare_capacity(&mut events), None).unwrap();
        for event in &events {
            let client = &mut clients[event.data.u64() as usize];
            let now = Instant::now();
            let time = client.receive(now);
            under_way -= 1;
            if measured.is_none() {
                times.push(time);
                client.send(sent, now);
                sent += 1;
                under_way += 1;
            }
        }
        let now = Instant::now();
        match warm {
            None if now - begin >= time / 4 => {
                times.clear();
                warm = Some((now, server.usage().cpu));
            }
            Some((warm, cpu)) if measured.is_none() && now - warm >= time && !times.is_empty() => {
                measured = Some((now - warm, server.usage().cpu - cpu));
            }
            _ => {}
        }
    }

    let (elapsed, cpu) = measured.expect("it is why the loop ended");
    run.report("cpu", cpu.as_nanos() as f64 / times.len() as f64);
    run.report("rate", times.len() as f64 / elapsed.as_secs_f64());
    times.sort();
    run.report("p99", times[times.len() * 99 / 100].as_nanos() as f64);
}
