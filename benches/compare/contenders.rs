//! Who takes part, and in which workloads.
//!
//! The text of a workload is one file, which is compiled once for each runtime: within `on_tokio` the name `runtime`
//! means tokio's names. A file that is left out for a runtime needs what that runtime does not have.

use crate::floor;
use crate::run::{Run, Workload};
use crate::runtimes::WORKERS;
use crate::tcp::{self, Server};

#[path = "workloads"]
mod on_parklet {
    pub(crate) mod block_on;
    pub(crate) mod blocking;
    pub(crate) mod broadcast;
    pub(crate) mod channel;
    pub(crate) mod mutex;
    pub(crate) mod servers;
    pub(crate) mod sleep;
    pub(crate) mod spawn;
    pub(crate) mod task_memory;
    pub(crate) mod timeout;
    pub(crate) mod wake;
    use crate::runtimes::parklet as runtime;
}

#[path = "workloads"]
mod on_async_std {
    pub(crate) mod block_on;
    pub(crate) mod blocking;
    pub(crate) mod channel;
    pub(crate) mod mutex;
    pub(crate) mod servers;
    pub(crate) mod sleep;
    pub(crate) mod spawn;
    pub(crate) mod task_memory;
    pub(crate) mod timeout;
    pub(crate) mod wake;
    use crate::runtimes::async_std as runtime;
}

#[path = "workloads"]
mod on_tokio {
    pub(crate) mod block_on;
    pub(crate) mod blocking;
    pub(crate) mod broadcast;
    pub(crate) mod channel;
    pub(crate) mod mutex;
    pub(crate) mod servers;
    pub(crate) mod sleep;
    pub(crate) mod spawn;
    pub(crate) mod task_memory;
    pub(crate) mod timeout;
    pub(crate) mod wake;
    use crate::runtimes::tokio as runtime;
}

#[path = "workloads"]
mod on_smol {
    pub(crate) mod block_on;
    pub(crate) mod blocking;
    pub(crate) mod channel;
    pub(crate) mod mutex;
    pub(crate) mod servers;
    pub(crate) mod sleep;
    pub(crate) mod spawn;
    pub(crate) mod task_memory;
    pub(crate) mod timeout;
    pub(crate) mod wake;
    use crate::runtimes::smol as runtime;
}

#[path = "workloads"]
mod on_nio {
    pub(crate) mod block_on;
    pub(crate) mod blocking;
    pub(crate) mod servers;
    pub(crate) mod sleep;
    pub(crate) mod spawn;
    pub(crate) mod task_memory;
    pub(crate) mod timeout;
    pub(crate) mod wake;
    use crate::runtimes::nio as runtime;
}

/// What a contender is in the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// parklet, which is judged.
    Judged,
    /// parklet with one worker: where the two differ, the second core is what matters, and how the host places it.
    Control,
    /// A runtime to be beaten.
    Peer,
    /// No runtime.
    Floor,
}

/// One column of the table.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) role: Role,
    /// Its worker threads, for those that read the environment.
    pub(crate) workers: usize,
    /// The workloads of each file.
    files: &'static [&'static [Workload]],
    servers: &'static [Server],
}

impl Contender {
    /// Does the workload, if it can.
    pub(crate) fn workload(&self, name: &str) -> Option<fn(Run)> {
        let mut workloads = self.files.iter().flat_map(|file| file.iter());
        workloads
            .find(|workload| workload.name == name)
            .map(|workload| workload.run)
    }

    /// Its server of that name.
    pub(crate) fn server(&self, name: &str) -> Option<&'static Server> {
        self.servers.iter().find(|server| server.name == name)
    }
}

/// The name of the runtime that is judged.
pub(crate) const PARKLET: &str = "parklet";

const ON_PARKLET: &[&[Workload]] = &[
    on_parklet::block_on::WORKLOADS,
    on_parklet::blocking::WORKLOADS,
    on_parklet::broadcast::WORKLOADS,
    on_parklet::channel::WORKLOADS,
    on_parklet::mutex::WORKLOADS,
    on_parklet::sleep::WORKLOADS,
    on_parklet::spawn::WORKLOADS,
    on_parklet::task_memory::WORKLOADS,
    on_parklet::timeout::WORKLOADS,
    on_parklet::wake::WORKLOADS,
    tcp::WORKLOADS,
];

/// In the order of the table.
pub(crate) static CONTENDERS: [Contender; 7] = [
    Contender {
        name: PARKLET,
        role: Role::Judged,
        workers: WORKERS,
        files: ON_PARKLET,
        servers: on_parklet::servers::SERVERS,
    },
    Contender {
        name: "parklet-1",
        role: Role::Control,
        workers: 1,
        files: ON_PARKLET,
        servers: on_parklet::servers::SERVERS,
    },
    Contender {
        name: "async-std",
        role: Role::Peer,
        workers: WORKERS,
        files: &[
            on_async_std::block_on::WORKLOADS,
            on_async_std::blocking::WORKLOADS,
            on_async_std::channel::WORKLOADS,
            on_async_std::mutex::WORKLOADS,
            on_async_std::sleep::WORKLOADS,
            on_async_std::spawn::WORKLOADS,
            on_async_std::task_memory::WORKLOADS,
            on_async_std::timeout::WORKLOADS,
            on_async_std::wake::WORKLOADS,
            tcp::WORKLOADS,
        ],
        servers: on_async_std::servers::SERVERS,
    },
    Contender {
        name: "tokio",
        role: Role::Peer,
        workers: WORKERS,
        files: &[
            on_tokio::block_on::WORKLOADS,
            on_tokio::blocking::WORKLOADS,
            on_tokio::broadcast::WORKLOADS,
            on_tokio::channel::WORKLOADS,
            on_tokio::mutex::WORKLOADS,
            on_tokio::sleep::WORKLOADS,
            on_tokio::spawn::WORKLOADS,
            on_tokio::task_memory::WORKLOADS,
            on_tokio::timeout::WORKLOADS,
            on_tokio::wake::WORKLOADS,
            tcp::WORKLOADS,
        ],
        servers: on_tokio::servers::SERVERS,
    },
    Contender {
        name: "smol",
        role: Role::Peer,
        workers: WORKERS,
        files: &[
            on_smol::block_on::WORKLOADS,
            on_smol::blocking::WORKLOADS,
            on_smol::channel::WORKLOADS,
            on_smol::mutex::WORKLOADS,
            on_smol::sleep::WORKLOADS,
            on_smol::spawn::WORKLOADS,
            on_smol::task_memory::WORKLOADS,
            on_smol::timeout::WORKLOADS,
            on_smol::wake::WORKLOADS,
            tcp::WORKLOADS,
        ],
        servers: on_smol::servers::SERVERS,
    },
    Contender {
        name: "nio",
        role: Role::Peer,
        workers: WORKERS,
        files: &[
            on_nio::block_on::WORKLOADS,
            on_nio::blocking::WORKLOADS,
            on_nio::sleep::WORKLOADS,
            on_nio::spawn::WORKLOADS,
            on_nio::task_memory::WORKLOADS,
            on_nio::timeout::WORKLOADS,
            on_nio::wake::WORKLOADS,
            tcp::WORKLOADS,
        ],
        servers: on_nio::servers::SERVERS,
    },
    Contender {
        name: "floor",
        role: Role::Floor,
        workers: WORKERS,
        files: &[
            floor::executor::WORKLOADS,
            floor::memory::WORKLOADS,
            floor::queue::WORKLOADS,
            floor::threads::WORKLOADS,
            floor::timers::WORKLOADS,
            tcp::WORKLOADS,
        ],
        servers: floor::tcp::SERVERS,
    },
];

/// The contender of that name.
pub(crate) fn contender(name: &str) -> Option<&'static Contender> {
    CONTENDERS.iter().find(|contender| contender.name == name)
}
