//! The table on the standard output, as Markdown.

use super::{Circumstances, cell, count, goals, ratio, word};
use crate::arena::figures::Verdict;

/// Prints all rows, and the count below them.
pub(crate) fn print(circumstances: &Circumstances, verdicts: &[Verdict]) {
    let mut lines = vec![header(verdicts)];
    lines.extend(verdicts.iter().map(line));
    let widths: Vec<usize> = (0..lines[0].len())
        .map(|column| {
            lines
                .iter()
                .map(|line| line[column].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    for (index, line) in lines.iter().enumerate() {
        let mut cells = line.iter().zip(&widths);
        // The names to the left, all else to the right.
        let first = cells
            .next()
            .map(|(cell, &width)| format!("| {cell:width$} |"));
        let others = cells.map(|(cell, &width)| format!(" {cell:>width$} |"));
        println!("{}", first.into_iter().chain(others).collect::<String>());
        if index == 0 {
            let rules = widths[1..]
                .iter()
                .map(|width| format!("{:->width$}:|", "-", width = width + 1));
            println!(
                "|{:->width$}|{}",
                "-",
                rules.collect::<String>(),
                width = widths[0] + 2
            );
        }
    }
    let Circumstances {
        command,
        rounds,
        date,
        cores,
        kernel,
    } = circumstances;
    println!(
        "\nmedian (least-most) of {rounds} rounds; `{command}`, {date}, {cores} cores, Linux {kernel}"
    );
    println!("{}", count(verdicts).join("\n"));
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
            .map(|(_, summary)| summary.as_ref().map_or_else(String::new, cell)),
    );
    let best = verdict.best_peer().map_or("", |(name, _)| name);
    cells.push(format!("{best} {}", ratio(verdict.ratio_to_best_peer())));
    cells.push(ratio(verdict.ratio_to("async-std")));
    cells.push(goals(verdict));
    cells.push(word(verdict.outcome()).to_owned());
    cells
}
