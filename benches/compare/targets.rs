//! The rows of the comparison, and what parklet is to reach in each: data alone.

use Goal::{BestPeer, Zero};
use Unit::{Count, Microseconds, Milliseconds, Nanoseconds};

/// One figure, which every runtime has in the same workload.
pub(crate) struct Row {
    /// The workload that reports it.
    pub(crate) workload: &'static str,
    /// Its name in that report.
    pub(crate) metric: &'static str,
    pub(crate) what: &'static str,
    pub(crate) unit: Unit,
    /// All are to be reached.
    pub(crate) goals: &'static [Goal],
    /// Whether it is bound by the CPU alone: then async-std is to be beaten clearly.
    pub(crate) cpu_bound: bool,
}

impl Row {
    /// The name of the row: no two are alike.
    pub(crate) fn id(&self) -> String {
        match self.metric {
            "time" => self.workload.to_owned(),
            metric => format!("{}/{metric}", self.workload),
        }
    }
}

/// A row that is bound by the CPU: the time of an operation.
const fn cpu(workload: &'static str, what: &'static str, goals: &'static [Goal]) -> Row {
    Row {
        workload,
        metric: "time",
        what,
        unit: Nanoseconds,
        goals,
        cpu_bound: true,
    }
}

/// What a figure counts. Workloads report nanoseconds, bytes and plain numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Nanoseconds,
    Microseconds,
    Milliseconds,
    Count,
}

impl Unit {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Nanoseconds => "ns",
            Microseconds => "us",
            Milliseconds => "ms",
            Count => "",
        }
    }

    /// What the reported number is divided by.
    pub(crate) fn scale(self) -> f64 {
        match self {
            Nanoseconds | Count => 1.0,
            Microseconds => 1e3,
            Milliseconds => 1e6,
        }
    }

    /// Whether more is better.
    pub(crate) fn more_is_better(self) -> bool {
        false
    }
}

/// A ratio that parklet is to reach: at most so much of the other's figure, or at least, where more is better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Goal {
    /// Of the best of the peers.
    BestPeer(f64),
    /// None at all.
    Zero,
}

/// What async-std is to be beaten by in the rows that are bound by the CPU.
pub(crate) const CLEARLY: f64 = 0.7;

/// How much worse still counts as no worse: the medians of two runs of the same program differ by as much.
pub(crate) const ALIKE: f64 = 1.03;

/// In the order of the table.
pub(crate) static ROWS: &[Row] = &[
    cpu(
        "spawn/block_on",
        "spawn 10,000 tasks from block_on and join them, a task",
        &[BestPeer(0.35)],
    ),
    cpu(
        "spawn/task",
        "the same from inside a task",
        &[BestPeer(0.35)],
    ),
    cpu(
        "spawn/chained",
        "each task spawns the next, 1,000 deep, a task",
        &[BestPeer(0.35)],
    ),
    cpu(
        "yield",
        "200 tasks yield 1,000 times each, a yield",
        &[BestPeer(0.45)],
    ),
    cpu(
        "ping_pong/new",
        "1,000 new pairs of tasks, one round trip over async-channel each",
        &[BestPeer(0.75)],
    ),
    cpu(
        "ping_pong/steady",
        "1,000 pairs, 100 round trips each, a round trip",
        &[BestPeer(1.0)],
    ),
    cpu(
        "channel",
        "the runtime's bounded channel, one producer, one consumer, a message",
        &[BestPeer(0.45)],
    ),
    Row {
        workload: "wake/thread",
        metric: "time",
        what: "a plain thread and a task wake each other, a round trip",
        unit: Microseconds,
        goals: &[BestPeer(0.45)],
        cpu_bound: false,
    },
    cpu(
        "block_on/ready",
        "block_on of what is ready",
        &[BestPeer(0.15)],
    ),
    cpu(
        "block_on/yield",
        "block_on of what yields once",
        &[BestPeer(0.25)],
    ),
    cpu(
        "mutex/free",
        "lock and unlock a free mutex",
        &[BestPeer(0.5)],
    ),
    cpu(
        "mutex/contended",
        "64 tasks want a mutex that is held across a yield, a lock",
        &[BestPeer(0.35)],
    ),
    cpu(
        "broadcast/burst",
        "broadcast bursts of 1,024 to 100 tasks, a delivery",
        &[BestPeer(0.5)],
    ),
    cpu(
        "broadcast/wake",
        "broadcast to 100 tasks that all wait, a delivery",
        &[BestPeer(0.9)],
    ),
    cpu(
        "spawn_blocking/burst",
        "10,000 blocking calls at once, a call",
        &[BestPeer(0.1)],
    ),
    cpu(
        "spawn_blocking/one_by_one",
        "one blocking call after another",
        &[BestPeer(0.1)],
    ),
    cpu(
        "timeout/ready",
        "a timeout around what is ready",
        &[BestPeer(1.5)],
    ),
    cpu(
        "timeout/pends_once",
        "a timeout around what yields once",
        &[BestPeer(1.0)],
    ),
    Row {
        workload: "sleep/100k",
        metric: "late",
        what: "100,000 sleeps (20,000 in the quick form) that end at one moment, how late one ends",
        unit: Milliseconds,
        goals: &[BestPeer(1.0)],
        cpu_bound: false,
    },
    Row {
        workload: "sleep/100k",
        metric: "cpu",
        what: "the same, CPU of a sleep",
        unit: Nanoseconds,
        goals: &[BestPeer(1.0)],
        cpu_bound: false,
    },
    Row {
        workload: "sleep/100k",
        metric: "early",
        what: "the same, sleeps that end too early",
        unit: Count,
        goals: &[Zero],
        cpu_bound: false,
    },
    Row {
        workload: "sleep/1ms",
        metric: "late",
        what: "a sleep of 1 ms, how late it ends",
        unit: Microseconds,
        goals: &[BestPeer(1.2)],
        cpu_bound: false,
    },
];
