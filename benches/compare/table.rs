//! The table on the standard output, as Markdown, and the count below it.

use crate::figures::{Outcome, Summary, Verdict};

/// Prints all rows.
pub(crate) fn print(verdicts: &[Verdict]) {
    let mut lines = vec![header(verdicts)];
    lines.extend(verdicts.iter().map(line));
    let columns = lines[0].len();
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            lines
                .iter()
                .map(|line| line[column].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    for (index, line) in lines.iter().enumerate() {
        let cells: Vec<String> = line
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, &width))| match column {
                0 => format!("{cell:width$}"),
                _ => format!("{cell:>width$}"),
            })
            .collect();
        println!("| {} |", cells.join(" | "));
        if index == 0 {
            let rules: Vec<String> = widths
                .iter()
                .enumerate()
                .map(|(column, &width)| match column {
                    0 => "-".repeat(width + 1),
                    _ => "-".repeat(width) + ":",
                })
                .collect();
            println!("|{}|", rules.join("|-"));
        }
    }
    println!();
    for line in count(verdicts) {
        println!("{line}");
    }
}

fn header(verdicts: &[Verdict]) -> Vec<String> {
    let names = verdicts.iter().take(1).flat_map(|verdict| &verdict.cells);
    ["row", "unit"]
        .into_iter()
        .chain(names.map(|(contender, _)| contender.name))
        .chain(["/ best peer", "/ async-std", "goal", ""])
        .map(str::to_owned)
        .collect()
}

fn line(verdict: &Verdict) -> Vec<String> {
    let mut cells = vec![verdict.row.id(), verdict.row.unit.name().to_owned()];
    cells.extend(
        verdict
            .cells
            .iter()
            .map(|(_, summary)| summary.map_or_else(String::new, cell)),
    );
    let best = verdict.best_peer().map_or("", |(name, _)| name);
    let ratio = |ratio: Option<f64>| ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
    cells.push(format!("{best} {}", ratio(verdict.ratio_to_best_peer())));
    cells.push(ratio(verdict.ratio_to("async-std")));
    let goals: Vec<String> = verdict
        .row
        .goals
        .iter()
        .map(|&goal| verdict.goal(goal).0)
        .collect();
    cells.push(goals.join(", "));
    cells.push(word(verdict.outcome()).to_owned());
    cells
}

/// What the table says to an outcome.
pub(crate) fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Reached => "reached",
        Outcome::Missed => "missed",
        Outcome::Unknown => "",
    }
}

/// Median, and from least to most.
fn cell(summary: Summary) -> String {
    let Summary { median, min, max } = summary;
    format!("{} ({}-{})", number(median), number(min), number(max))
}

/// Three digits, so that columns can be read.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        ..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// How many rows reach their goals, and who is not beaten where.
pub(crate) fn count(verdicts: &[Verdict]) -> Vec<String> {
    let having = |wanted| {
        verdicts
            .iter()
            .filter(move |verdict| verdict.outcome() == wanted)
            .count()
    };
    let (reached, unknown) = (having(Outcome::Reached), having(Outcome::Unknown));
    let judged = verdicts.len() - unknown;
    let mut lines = vec![format!("{reached} of {judged} rows reach their goals")];
    if unknown > 0 {
        lines.push(format!(
            "{unknown} rows are not judged, since not all that they are measured by took part"
        ));
    }
    let list = |is_in: &dyn Fn(&Verdict) -> bool| {
        let ids: Vec<String> = verdicts
            .iter()
            .filter(|verdict| is_in(verdict))
            .map(|verdict| verdict.row.id())
            .collect();
        if ids.is_empty() {
            "none".to_owned()
        } else {
            ids.join(", ")
        }
    };
    lines.push(format!(
        "missed: {}",
        list(&|verdict| verdict.outcome() == Outcome::Missed)
    ));
    for name in ["tokio", "async-std"] {
        lines.push(format!(
            "worse than {name}: {}",
            list(&|verdict| verdict.is_worse_than(name))
        ));
    }
    lines.push(format!(
        "not clearly better than async-std: {}",
        list(&Verdict::is_unclear)
    ));
    lines
}
