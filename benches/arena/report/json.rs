//! Every figure of every round, for other programs.

use serde_json::{Map, Value, json};

use super::{Circumstances, count, goals, word};
use crate::arena::figures::{Figures, Verdict};

pub(super) fn text(
    circumstances: &Circumstances,
    figures: &Figures,
    verdicts: &[Verdict],
) -> String {
    let rows: Vec<Value> = verdicts
        .iter()
        .map(|verdict| row(figures, verdict))
        .collect();
    let value = json!({
        "command": circumstances.command,
        "date": circumstances.date,
        "rounds": circumstances.rounds,
        "cores": circumstances.cores,
        "kernel": circumstances.kernel,
        "summary": count(verdicts),
        "rows": rows,
    });
    format!("{value:#}\n")
}

fn row(figures: &Figures, verdict: &Verdict) -> Value {
    let mut contenders = Map::new();
    for (contender, summary) in &verdict.cells {
        if let Some(summary) = summary {
            let figures = json!({
                "median": summary.median,
                "min": summary.min,
                "max": summary.max,
                "rounds": figures.rounds(contender, verdict.row),
            });
            contenders.insert(contender.name.to_owned(), figures);
        }
    }
    json!({
        "row": verdict.row.id(),
        "what": verdict.row.what,
        "unit": verdict.row.unit.name(),
        "more_is_better": verdict.row.unit.more_is_better(),
        "goals": goals(verdict),
        "outcome": word(verdict.outcome()),
        "best_peer": verdict.best_peer().map(|(name, _)| name),
        "to_best_peer": verdict.ratio_to_best_peer(),
        "to_async_std": verdict.ratio_to("async-std"),
        "contenders": contenders,
    })
}
