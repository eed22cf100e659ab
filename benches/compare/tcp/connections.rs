//! Connections that come and go, that stay, and that are silent.

use std::collections::HashMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use super::clients::{connect, raise_descriptor_limit};
use crate::arena::run::Run;
use crate::arena::server::ServerProcess;

/// Connections that are under way at once.
const AT_ONCE: usize = 16;

/// Connects, sends a byte, receives it and closes, again and again; reports what a connection costs the server.
pub(super) fn come_and_go(run: Run) {
    let mut server = ServerProcess::start(run, "echo_small");
    let address = server.address;
    let round = || {
        let streams: Vec<TcpStream> = (0..AT_ONCE)
            .map(|number| {
                let mut stream = TcpStream::connect(address).unwrap();
                stream.write_all(&[number as u8]).unwrap();
                stream
            })
            .collect();
        for (number, mut stream) in streams.into_iter().enumerate() {
            let mut reply = [0];
            stream.read_exact(&mut reply).unwrap();
            assert_eq!(reply, [number as u8]);
        }
    };
    let rounds = run.pick(1, 50, 500);
    (0..rounds / 4).for_each(|_| round());
    let before = server.usage().cpu;
    (0..rounds).for_each(|_| round());
    let connections = (rounds * AT_ONCE) as f64;
    run.report(
        "cpu",
        (server.usage().cpu - before).as_nanos() as f64 / connections,
    );
}

/// Reports the server's memory for a connection with a task that waits for its next message.
pub(super) fn stay(run: Run) {
    raise_descriptor_limit();
    let mut server = ServerProcess::start(run, "echo_small");
    // What is taken once, with the first connections, is not theirs.
    let first = connect(&server, 200);
    let before = server.usage().memory;
    let streams = connect(&server, run.pick(200, 1_000, 5_000));
    let memory = server.usage().memory - before;
    run.report("bytes", memory as f64 / streams.len() as f64);
    drop(first);
}

/// Reports how often a thread of a server runs, and for how long, while its connections are silent.
///
/// A thread that makes a system call has run. So where none runs, there is no system call.
pub(super) fn are_silent(run: Run) {
    let server = ServerProcess::start(run, "echo_small");
    let streams = connect(&server, 100);
    // What follows the last message: threads that look around before they sleep, allocators that tidy up.
    thread::sleep(Duration::from_millis(run.pick(20, 100, 500)));
    let before = threads(server.id());
    let time = Duration::from_millis(run.pick(10, 100, 2_000));
    thread::sleep(time);
    let (mut cpu, mut turns) = (0, 0);
    for (thread, after) in threads(server.id()) {
        let before = before.get(&thread).copied().unwrap_or_default();
        cpu += after.cpu - before.cpu;
        turns += after.turns - before.turns;
    }
    run.report("cpu", cpu as f64 / time.as_secs_f64());
    run.report("turns", turns as f64 / time.as_secs_f64());
    drop(streams);
}

/// What the kernel's scheduler knows of a thread.
#[derive(Clone, Copy, Debug, Default)]
struct Scheduled {
    /// Nanoseconds on a core.
    cpu: u64,
    /// How often it was put onto one.
    turns: u64,
}

/// All threads of a process, by their number.
fn threads(process: u32) -> HashMap<String, Scheduled> {
    let entries = fs::read_dir(format!("/proc/{process}/task")).expect("the server lives");
    entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(path.join("schedstat")).expect("threads stay");
            let numbers: Vec<u64> = text
                .split_whitespace()
                .map(|number| number.parse().unwrap())
                .collect();
            let scheduled = Scheduled {
                cpu: numbers[0],
                turns: numbers[2],
            };
            (path.display().to_string(), scheduled)
        })
        .collect()
}
