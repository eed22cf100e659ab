//! Who takes part.

use super::run::{Run, Workload};
use super::server::Server;
use crate::contenders::CONTENDERS;

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
    /// What all have.
    pub(crate) common: &'static [&'static [Workload]],
    /// What not all have.
    pub(crate) special: &'static [&'static [Workload]],
    pub(crate) servers: &'static [Server],
}

impl Contender {
    /// How to do the workload, if it can.
    pub(crate) fn workload(&self, name: &str) -> Option<fn(Run)> {
        let mut workloads = self.common.iter().chain(self.special).copied().flatten();
        let found = workloads.find(|workload| workload.name == name);
        found.map(|workload| workload.run)
    }

    /// Its server of that name.
    pub(crate) fn server(&self, name: &str) -> Option<&'static Server> {
        self.servers.iter().find(|server| server.name == name)
    }
}

/// The contender of that name.
pub(crate) fn contender(name: &str) -> Option<&'static Contender> {
    CONTENDERS.iter().find(|contender| contender.name == name)
}
