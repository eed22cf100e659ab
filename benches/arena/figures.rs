//! What the runs reported, and the medians of it.

use std::collections::HashMap;

use super::contender::{Contender, Role};
use super::rows::{ALIKE, CLEARLY, Goal, Row};

/// The middle of several rounds, and how far they lie apart, in the unit of the row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

/// All reported figures: by contender, workload and metric.
#[derive(Default)]
pub(crate) struct Figures {
    rounds: HashMap<(&'static str, String, String), Vec<f64>>,
}

impl Figures {
    /// Adds one run's report.
    pub(crate) fn add(
        &mut self,
        contender: &'static str,
        workload: &str,
        report: Vec<(String, f64)>,
    ) {
        for (metric, value) in report {
            let key = (contender, workload.to_owned(), metric);
            self.rounds.entry(key).or_default().push(value);
        }
    }

    /// Takes back what a contender has reported of a workload, since it failed in a later round.
    pub(crate) fn forget(&mut self, contender: &'static str, workload: &str) {
        self.rounds
            .retain(|key, _| (key.0, key.1.as_str()) != (contender, workload));
    }

    /// Every round's figure of a row, in the unit of the row.
    pub(crate) fn rounds(&self, contender: &Contender, row: &Row) -> Vec<f64> {
        let key = (
            contender.name,
            row.workload.to_owned(),
            row.metric.to_owned(),
        );
        let rounds = self.rounds.get(&key).cloned().unwrap_or_default();
        rounds
            .into_iter()
            .map(|value| value / row.unit.scale())
            .collect()
    }

    fn summary(&self, contender: &Contender, row: &Row) -> Option<Summary> {
        let mut rounds = self.rounds(contender, row);
        rounds.sort_by(f64::total_cmp);
        Some(Summary {
            median: *rounds.get(rounds.len() / 2)?,
            min: *rounds.first()?,
            max: *rounds.last()?,
        })
    }

    /// A row, judged.
    pub(crate) fn judge(&self, row: &'static Row, contenders: &[&'static Contender]) -> Verdict {
        let cells: Vec<_> = contenders
            .iter()
            .map(|&contender| (contender, self.summary(contender, row)))
            .collect();
        Verdict { row, cells }
    }
}

/// A row with its figures: who is how good, and what parklet reaches.
pub(crate) struct Verdict {
    pub(crate) row: &'static Row,
    /// The cells of the table; None where a runtime cannot do it, or failed.
    pub(crate) cells: Vec<(&'static Contender, Option<Summary>)>,
}

/// Whether a goal is reached, if both sides of the ratio are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Reached,
    Missed,
    Unknown,
}

fn outcome(reached: Option<bool>) -> Outcome {
    match reached {
        Some(true) => Outcome::Reached,
        Some(false) => Outcome::Missed,
        None => Outcome::Unknown,
    }
}

/// Two zeros are alike.
fn ratio(figure: f64, other: f64) -> f64 {
    if figure == other { 1.0 } else { figure / other }
}

impl Verdict {
    fn median(&self, is_it: impl Fn(&Contender) -> bool) -> Option<f64> {
        let cell = self.cells.iter().find(|(contender, _)| is_it(contender))?;
        Some(cell.1?.median)
    }

    pub(crate) fn parklet(&self) -> Option<f64> {
        self.median(|contender| contender.role == Role::Judged)
    }

    /// The best of the peers, and its median.
    pub(crate) fn best_peer(&self) -> Option<(&'static str, f64)> {
        let peers = self
            .cells
            .iter()
            .filter(|(contender, _)| contender.role == Role::Peer);
        let medians = peers
            .filter_map(|(contender, summary)| Some((contender.name, summary.as_ref()?.median)));
        if self.row.unit.more_is_better() {
            medians.max_by(|a, b| a.1.total_cmp(&b.1))
        } else {
            medians.min_by(|a, b| a.1.total_cmp(&b.1))
        }
    }

    /// parklet's median divided by the one of that name.
    pub(crate) fn ratio_to(&self, name: &str) -> Option<f64> {
        Some(ratio(
            self.parklet()?,
            self.median(|contender| contender.name == name)?,
        ))
    }

    /// parklet's median divided by the best peer's.
    pub(crate) fn ratio_to_best_peer(&self) -> Option<f64> {
        Some(ratio(self.parklet()?, self.best_peer()?.1))
    }

    /// Whether a ratio is as good as the wanted one.
    fn is_as_good(&self, ratio: f64, wanted: f64) -> bool {
        if self.row.unit.more_is_better() {
            ratio >= wanted
        } else {
            ratio <= wanted
        }
    }

    /// A goal as the table shows it, with what is reached.
    pub(crate) fn goal(&self, goal: Goal) -> (String, Outcome) {
        let (rival, wanted, ratio) = match goal {
            // The table has a column for this ratio.
            Goal::BestPeer(wanted) => (String::new(), wanted, self.ratio_to_best_peer()),
            Goal::AsyncStd(wanted) => self.goal_beside("async-std", wanted),
            Goal::Tokio(wanted) => self.goal_beside("tokio", wanted),
            Goal::Floor(wanted) => self.goal_beside("floor", wanted),
            Goal::Zero => {
                let reached = self.parklet().map(|figure| figure == 0.0);
                return ("0".to_owned(), outcome(reached));
            }
            Goal::AtMost(wanted) => {
                let reached = self.parklet().map(|figure| figure <= wanted);
                let text = format!("≤ {wanted} {}", self.row.unit.name());
                return (text, outcome(reached));
            }
        };
        let more = self.row.unit.more_is_better();
        let sign = if more { '≥' } else { '≤' };
        let reached = ratio.map(|ratio| self.is_as_good(ratio, wanted));
        (format!("{rival}{sign} {wanted}"), outcome(reached))
    }

    /// A goal that names whom it is measured by, with the ratio.
    fn goal_beside(&self, name: &str, wanted: f64) -> (String, f64, Option<f64>) {
        let ratio = self.ratio_to(name);
        let shown = ratio.map_or_else(String::new, |ratio| format!("{ratio:.2} "));
        (format!("{name} {shown}"), wanted, ratio)
    }

    /// All goals together.
    pub(crate) fn outcome(&self) -> Outcome {
        let takes_part = |(contender, _): &(&Contender, _)| contender.role == Role::Judged;
        if self.parklet().is_none() && self.cells.iter().any(takes_part) {
            // It can do all workloads, so it failed.
            return Outcome::Missed;
        }
        let outcomes: Vec<_> = self
            .row
            .goals
            .iter()
            .map(|&goal| self.goal(goal).1)
            .collect();
        [Outcome::Missed, Outcome::Unknown]
            .into_iter()
            .find(|outcome| outcomes.contains(outcome))
            .unwrap_or(Outcome::Reached)
    }

    /// Whether parklet is worse than that peer, by more than two runs of one program differ.
    pub(crate) fn is_worse_than(&self, name: &str) -> bool {
        let alike = if self.row.unit.more_is_better() {
            1.0 / ALIKE
        } else {
            ALIKE
        };
        self.ratio_to(name)
            .is_some_and(|ratio| !self.is_as_good(ratio, alike))
    }

    /// Whether async-std is beaten, but not clearly, where the CPU alone decides.
    pub(crate) fn is_unclear(&self) -> bool {
        self.row.cpu_bound
            && self
                .ratio_to("async-std")
                .is_some_and(|ratio| ratio > CLEARLY)
    }
}
