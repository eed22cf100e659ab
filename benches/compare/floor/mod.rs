//! The least that can be done by hand: no runtime, but a queue and a call, two threads, a loop around `epoll_wait`.
//!
//! What a runtime takes beyond this is the price of its promises: tasks that move between threads, are cancelled,
//! caught when they panic, and woken from anywhere. A runtime may still be below it, since the floor takes memory
//! from the allocator as anybody would.

mod executor;
mod memory;
mod queue;
mod sockets;
mod threads;
mod timers;

use crate::arena::run::Workload;
use crate::tcp;

pub(crate) use sockets::SERVERS;

pub(crate) const WORKLOADS: &[&[Workload]] = &[
    executor::WORKLOADS,
    memory::WORKLOADS,
    queue::WORKLOADS,
    threads::WORKLOADS,
    timers::WORKLOADS,
    tcp::WORKLOADS,
];
