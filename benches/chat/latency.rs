//! How long a message takes, where there is time for each.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use super::clients::{Clients, Texts, join_all};
use crate::arena::run::Run;
use crate::arena::server::ServerProcess;

/// Posts in a second, to groups of ten. One at a time they cost a server a call for each delivery, and 100,000 of these
/// are half of what two cores do: of the server that is judged, and of its clients.
const HALF_LOAD: f64 = 10_000.0;

/// The time within which 99 of 100 came, in nanoseconds.
fn p99(mut times: Vec<u64>) -> f64 {
    times.sort_unstable();
    times[times.len() * 99 / 100] as f64
}

/// Posts to one group after the other at a fixed rate. A message is late from the time at which it was due, so a server
/// that keeps the poster waiting gains nothing.
pub(crate) fn half_load(run: Run) {
    let server = ServerProcess::start(run, "chat");
    let (groups, members) = (run.pick(10, 100, 100), 10);
    // Two seconds of one group's messages.
    let mut clients = Clients::connect(server.address, 0..groups, members, 200);
    let warm_up = (HALF_LOAD * 0.1) as u64;
    let posts = warm_up + (HALF_LOAD * run.pick(0.01, 0.5, 4.0)) as u64;
    let due = |post: u64| Duration::from_secs_f64(post as f64 / HALF_LOAD);
    let begin = Instant::now();
    let (mut posted, mut delivered) = (0, 0);
    let mut times = Vec::with_capacity(posts as usize * members);
    while delivered < posts * members as u64 {
        let elapsed = begin.elapsed();
        if posted < posts && due(posted) <= elapsed {
            clients.post(posted as usize % groups, 1);
            posted += 1;
            continue;
        }
        let until_next = (posted < posts).then(|| due(posted) - elapsed);
        clients.read(until_next, |group, before, now| {
            let came = begin.elapsed();
            for number in before..now {
                let post = number * groups as u64 + group as u64;
                if post >= warm_up {
                    times.push((came - due(post)).as_nanos() as u64);
                }
                delivered += 1;
            }
        });
    }
    run.report("p99", p99(times));
}

/// Two members of one group post in turn, each when it has got what the other one has posted.
pub(crate) fn ping_pong(run: Run) {
    let server = ServerProcess::start(run, "chat");
    let texts = Texts::new(0, 100);
    let mut players = join_all(server.address, [0, 0]);
    let mut reply = vec![0; texts.message_length];
    let rounds = run.pick(10, 2_000, 20_000);
    let mut times = Vec::with_capacity(rounds);
    let mut number = 0;
    for _ in 0..rounds {
        let begin = Instant::now();
        for player in [0, 1] {
            players[player].write_all(texts.posts(number, 1)).unwrap();
            // Who has posted gets it as well, and reads it first: then what it waits for is the answer.
            for listener in [player, 1 - player] {
                players[listener].read_exact(&mut reply).unwrap();
                assert!(texts.is_message(number, &reply));
            }
            number += 1;
        }
        times.push(begin.elapsed().as_nanos() as u64);
    }
    // The first ones wake threads and fill caches.
    times.drain(..rounds / 10);
    run.report("p99", p99(times));
}
