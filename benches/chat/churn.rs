//! Clients that come and go.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use parklet::chat::FromClient;

use super::clients::{Texts, line, name};
use crate::arena::run::Run;
use crate::arena::server::ServerProcess;

/// Clients that are there at once, each in a group of its own.
const AT_ONCE: usize = 16;

/// How long a server may take to notice that all have gone.
const PATIENCE: Duration = Duration::from_secs(2);

/// Connects, joins, posts, receives and goes, again and again; reports how many clients do in a second, and how many
/// descriptors the server has afterwards that it did not have before.
pub(crate) fn come_and_go(run: Run) {
    let mut server = ServerProcess::start(run, "chat");
    let texts: Vec<Texts> = (0..AT_ONCE).map(|group| Texts::new(group, 1)).collect();
    let requests: Vec<Vec<u8>> = (0..AT_ONCE)
        .map(|group| {
            let mut requests = line(&FromClient::Join {
                group_name: name(group),
            });
            requests.extend(texts[group].posts(0, 1));
            requests
        })
        .collect();
    let mut reply = vec![0; texts[0].message_length];
    let address = server.address;
    let mut round = || {
        let connected = requests.iter().map(|requests| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_nodelay(true).unwrap();
            stream.write_all(requests).unwrap();
            stream
        });
        let streams: Vec<TcpStream> = connected.collect();
        for (mut stream, texts) in streams.into_iter().zip(&texts) {
            stream.read_exact(&mut reply).unwrap();
            assert!(texts.is_message(0, &reply));
        }
    };
    let before = descriptors(server.id());
    let rounds = run.pick(1, 100, 1_000);
    (0..rounds / 4).for_each(|_| round());
    let (cpu, begin) = (server.usage().cpu, Instant::now());
    (0..rounds).for_each(|_| round());
    let clients = (rounds * AT_ONCE) as f64;
    run.report("rate", clients / begin.elapsed().as_secs_f64());
    let cpu = server.usage().cpu - cpu;
    run.report("cpu", cpu.as_nanos() as f64 / clients);

    let begin = Instant::now();
    let left = loop {
        let left = descriptors(server.id()).saturating_sub(before);
        if left == 0 || begin.elapsed() > PATIENCE {
            break left;
        }
        thread::sleep(Duration::from_millis(1));
    };
    run.report("left", left as f64);
}

/// How many descriptors a process has open.
fn descriptors(process: u32) -> usize {
    fs::read_dir(format!("/proc/{process}/fd"))
        .expect("the server lives")
        .count()
}
