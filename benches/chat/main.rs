//! The chat server beside the same server by others, under the same load.
//!
//! `cargo bench --bench chat` takes two minutes, `-- --full` longer; `-- --help` says what else there is.
//!
//! - The peers stand in `benches/peers/`: the book's server on async-std, a plain port to tokio, and one by hand, which is
//!   the floor and no peer. All speak the base protocol, in a process of their own.
//! - The clients are one thread around `epoll_wait`, the same for all servers, and cheap: a member's bytes are compared
//!   with those that it should get, as they come, so nothing is lost, twice or out of order unnoticed.
//! - The server has two worker threads and shares two cores with the clients, on the machine whose figures the README shows.

#[path = "../arena/mod.rs"]
mod arena;
mod churn;
mod clients;
mod contenders;
mod crowd;
mod fan_out;
mod latency;
#[path = "../peers/mod.rs"]
mod peers;
mod targets;

use std::process::ExitCode;

use arena::run::Workload;

/// What the clients do with a server. Every server takes part in all of it.
pub(crate) const WORKLOADS: &[Workload] = &[
    Workload::new("fan_out", fan_out::one_group),
    Workload::new("groups", fan_out::many_groups),
    Workload::new("single", fan_out::one_by_one),
    Workload::new("half_load", latency::half_load),
    Workload::new("ping_pong", latency::ping_pong),
    Workload::new("idle_client", crowd::idle_clients),
    Workload::new("idle_group", crowd::idle_groups),
    Workload::new("crowd", crowd::one_post_to_each_group),
    Workload::new("connects", crowd::connects_at_once),
    Workload::new("slow_member", fan_out::slow_member),
    Workload::new("churn", churn::come_and_go),
];

fn main() -> ExitCode {
    arena::main()
}
