//! What every runtime can do.

mod block_on;
mod blocking;
mod servers;
mod sleep;
mod spawn;
mod task_memory;
mod timeout;
mod wake;

use super::runtime;
use crate::arena::run::Workload;
use crate::tcp;

pub(crate) use servers::SERVERS;

pub(crate) const WORKLOADS: &[&[Workload]] = &[
    block_on::WORKLOADS,
    blocking::WORKLOADS,
    sleep::WORKLOADS,
    spawn::WORKLOADS,
    task_memory::WORKLOADS,
    timeout::WORKLOADS,
    wake::WORKLOADS,
    tcp::WORKLOADS,
];
