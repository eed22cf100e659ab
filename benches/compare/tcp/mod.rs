//! Sockets: the server is written for each runtime and runs in a process of its own, so that its CPU time and memory
//! are its alone; the clients are plain code, the same for all.
//!
//! The CPU is what counts here. Over loopback the time of a message is mostly the kernel's choice of a core for either
//! side.

mod clients;
mod connections;
mod echo;
mod stream;

pub(crate) use stream::chunk;

use crate::arena::run::Workload;

/// What the clients do with a server. Every contender that has the servers takes part.
pub(crate) const WORKLOADS: &[Workload] = &[
    Workload::new("tcp_echo/1", |run| echo::exchange(run, 1)),
    Workload::new("tcp_echo/64", |run| echo::exchange(run, 64)),
    Workload::new("tcp_echo/1000", |run| echo::exchange(run, 1_000)),
    Workload::new("tcp_stream", stream::receive),
    Workload::new("tcp_accept", connections::come_and_go),
    Workload::new("memory/connection", connections::stay),
    Workload::new("idle", connections::are_silent),
];
