//! Who takes part, and in which workloads.
//!
//! The text of a workload is one file, which is compiled once for each runtime: within `on_tokio` the name `runtime`
//! means tokio's names. What a runtime does not have, it does not do: its module lacks that file.

use crate::arena::contender::{Contender, Role};
use crate::floor;
use crate::runtimes::WORKERS;

#[path = "workloads"]
mod on_parklet {
    pub(crate) mod broadcast;
    pub(crate) mod channel;
    pub(crate) mod every;
    pub(crate) mod files;
    pub(crate) mod mutex;
    pub(crate) mod rw_lock;
    pub(crate) mod semaphore;
    use crate::runtimes::parklet as runtime;
}

#[path = "workloads"]
mod on_async_std {
    pub(crate) mod channel;
    pub(crate) mod every;
    pub(crate) mod files;
    pub(crate) mod mutex;
    pub(crate) mod rw_lock;
    use crate::runtimes::async_std as runtime;
}

#[path = "workloads"]
mod on_tokio {
    pub(crate) mod broadcast;
    pub(crate) mod channel;
    pub(crate) mod every;
    pub(crate) mod files;
    pub(crate) mod mutex;
    pub(crate) mod rw_lock;
    pub(crate) mod semaphore;
    use crate::runtimes::tokio as runtime;
}

#[path = "workloads"]
mod on_smol {
    pub(crate) mod channel;
    pub(crate) mod every;
    pub(crate) mod files;
    pub(crate) mod mutex;
    pub(crate) mod rw_lock;
    pub(crate) mod semaphore;
    use crate::runtimes::smol as runtime;
}

#[path = "workloads"]
mod on_nio {
    pub(crate) mod every;
    use crate::runtimes::nio as runtime;
}

/// The runtime that is judged.
pub(crate) const PARKLET: Contender = Contender {
    name: "parklet",
    role: Role::Judged,
    workers: WORKERS,
    common: on_parklet::every::WORKLOADS,
    special: &[
        on_parklet::broadcast::WORKLOADS,
        on_parklet::channel::WORKLOADS,
        on_parklet::files::WORKLOADS,
        on_parklet::mutex::WORKLOADS,
        on_parklet::rw_lock::WORKLOADS,
        on_parklet::semaphore::WORKLOADS,
    ],
    servers: on_parklet::every::SERVERS,
};

/// In the order of the table.
pub(crate) static CONTENDERS: [Contender; 7] = [
    PARKLET,
    Contender {
        name: "parklet-1",
        role: Role::Control,
        workers: 1,
        ..PARKLET
    },
    Contender {
        name: "async-std",
        role: Role::Peer,
        workers: WORKERS,
        common: on_async_std::every::WORKLOADS,
        special: &[
            on_async_std::channel::WORKLOADS,
            on_async_std::files::WORKLOADS,
            on_async_std::mutex::WORKLOADS,
            on_async_std::rw_lock::WORKLOADS,
        ],
        servers: on_async_std::every::SERVERS,
    },
    Contender {
        name: "tokio",
        role: Role::Peer,
        workers: WORKERS,
        common: on_tokio::every::WORKLOADS,
        special: &[
            on_tokio::broadcast::WORKLOADS,
            on_tokio::channel::WORKLOADS,
            on_tokio::files::WORKLOADS,
            on_tokio::mutex::WORKLOADS,
            on_tokio::rw_lock::WORKLOADS,
            on_tokio::semaphore::WORKLOADS,
        ],
        servers: on_tokio::every::SERVERS,
    },
    Contender {
        name: "smol",
        role: Role::Peer,
        workers: WORKERS,
        common: on_smol::every::WORKLOADS,
        special: &[
            on_smol::channel::WORKLOADS,
            on_smol::files::WORKLOADS,
            on_smol::mutex::WORKLOADS,
            on_smol::rw_lock::WORKLOADS,
            on_smol::semaphore::WORKLOADS,
        ],
        servers: on_smol::every::SERVERS,
    },
    Contender {
        name: "nio",
        role: Role::Peer,
        workers: WORKERS,
        common: on_nio::every::WORKLOADS,
        special: &[],
        servers: on_nio::every::SERVERS,
    },
    Contender {
        name: "floor",
        role: Role::Floor,
        workers: WORKERS,
        common: floor::WORKLOADS,
        special: &[],
        servers: floor::SERVERS,
    },
];
