//! What a row of the table is, and what may be asked of parklet in it.

use Unit::{Bytes, Count, Microseconds, Milliseconds, Nanoseconds, Percent, Thousands};

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
pub(crate) const fn cpu(workload: &'static str, what: &'static str, goals: &'static [Goal]) -> Row {
    Row {
        workload,
        metric: "time",
        what,
        unit: Nanoseconds,
        goals,
        cpu_bound: true,
    }
}

/// Any other row.
pub(crate) const fn row(
    workload: &'static str,
    metric: &'static str,
    unit: Unit,
    what: &'static str,
    goals: &'static [Goal],
) -> Row {
    Row {
        workload,
        metric,
        what,
        unit,
        goals,
        cpu_bound: false,
    }
}

/// What a figure counts. Workloads report nanoseconds, bytes and plain numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Nanoseconds,
    Microseconds,
    Milliseconds,
    Bytes,
    Count,
    Percent,
    /// Of messages in a second: the more the better.
    Thousands,
}

impl Unit {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Nanoseconds => "ns",
            Microseconds => "us",
            Milliseconds => "ms",
            Bytes => "B",
            Count => "",
            Percent => "%",
            Thousands => "k/s",
        }
    }

    /// What the reported number is divided by.
    pub(crate) fn scale(self) -> f64 {
        match self {
            Nanoseconds | Bytes | Count | Percent => 1.0,
            Microseconds | Thousands => 1e3,
            Milliseconds => 1e6,
        }
    }

    /// Whether more is better.
    pub(crate) fn more_is_better(self) -> bool {
        self == Thousands
    }
}

/// What parklet is to reach. A ratio is at most so much of the other's figure, or at least, where more is better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Goal {
    /// Of the best of the peers.
    BestPeer(f64),
    AsyncStd(f64),
    Tokio(f64),
    Floor(f64),
    /// None at all.
    Zero,
    /// At most so much, in the unit of the row, whatever others reach.
    AtMost(f64),
}

/// What async-std is to be beaten by in the rows that are bound by the CPU.
pub(crate) const CLEARLY: f64 = 0.7;

/// How much worse still counts as no worse: the medians of two runs of the same program differ by as much.
pub(crate) const ALIKE: f64 = 1.03;
