//! Comparisons: who does something how well, each in a process of its own and all in turn, and a table of it.
//!
//! A bench that is one has beside this its `contenders::CONTENDERS` and, in `targets`, its rows, name and rounds.
//!
//! - Each run is a process of its own: the bench's program once more, which does one workload for one contender.
//! - In each round every workload is run by everyone in turn, and someone else begins: a slow spell of the machine, and
//!   there are some that last minutes, hits all. So figures are compared within one comparison only.
//! - Figures are medians of the rounds; goals are ratios of them, or limits.

#![allow(
    dead_code,
    reason = "each bench is a program of its own and uses a part"
)]

pub(crate) mod arguments;
pub(crate) mod child;
pub(crate) mod clock;
pub(crate) mod contender;
pub(crate) mod figures;
mod report;
pub(crate) mod rows;
pub(crate) mod run;
pub(crate) mod server;

use std::env;
use std::io::{IsTerminal, Write, stderr};
use std::process::ExitCode;
use std::time::Instant;

use crate::contenders::CONTENDERS;
use crate::targets::ROWS;
use arguments::{Comparison, Task};
use figures::{Figures, Verdict};
use report::Circumstances;
use run::{Form, Run};

/// Does what the command line asks for.
pub(crate) fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments::parse(&arguments) {
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
        Ok(Task::List) => {
            let names: Vec<&str> = CONTENDERS.iter().map(|contender| contender.name).collect();
            println!(
                "rows:\n{}\nruntimes:\n  {}",
                arguments::names(),
                names.join(",")
            );
            ExitCode::SUCCESS
        }
        Ok(Task::Run(contender, workload, form)) => match contender.workload(&workload) {
            None => {
                eprintln!("{} has no workload {workload:?}", contender.name);
                ExitCode::from(2)
            }
            Some(run) => {
                run(Run { contender, form });
                ExitCode::SUCCESS
            }
        },
        Ok(Task::Serve(server)) => server::answer(server),
        Ok(Task::Compare(comparison)) => compare(&comparison),
    }
}

/// Measures, prints, and fails if a run failed.
fn compare(comparison: &Comparison) -> ExitCode {
    if comparison.form == Form::Tiny {
        eprintln!("without --bench each workload is done once, and nothing is compared");
    }
    if !ROWS.iter().any(|row| comparison.wants(&row.id())) {
        // No failure: `cargo bench FILTER` gives every bench the same filter.
        let filters = comparison.filters.join(", ");
        eprintln!("no row's name contains {filters}; `-- --list` prints them all");
        return ExitCode::SUCCESS;
    }
    let (figures, mut failures) = measure(comparison);
    let verdicts: Vec<Verdict> = ROWS
        .iter()
        .filter(|row| comparison.wants(&row.id()))
        .map(|row| figures.judge(row, &comparison.contenders))
        .collect();
    if comparison.form != Form::Tiny {
        let circumstances = Circumstances::new(comparison.rounds);
        report::print(&circumstances, &verdicts);
        match report::write(&circumstances, &figures, &verdicts) {
            Ok(folder) => println!("written to {}", folder.display()),
            Err(error) => failures.push(format!("cannot write the report: {error}")),
        }
    }
    for failure in &failures {
        eprintln!("{failure}");
    }
    if failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs everything in rounds. Who fails once is out of that workload.
fn measure(comparison: &Comparison) -> (Figures, Vec<String>) {
    let begin = Instant::now();
    let mut workloads: Vec<&str> = Vec::new();
    for row in ROWS.iter().filter(|row| comparison.wants(&row.id())) {
        if !workloads.contains(&row.workload) {
            workloads.push(row.workload);
        }
    }
    let mut figures = Figures::default();
    let mut failures = Vec::new();
    let mut failed = Vec::new();
    for round in 0..comparison.rounds {
        for (index, workload) in workloads.iter().enumerate() {
            show_progress(comparison, round, index, workloads.len(), workload, begin);
            let everyone = &comparison.contenders;
            for turn in 0..everyone.len() {
                let contender = everyone[(turn + round + index) % everyone.len()];
                let can = contender.workload(workload).is_some();
                if !can || failed.contains(&(contender.name, *workload)) {
                    continue;
                }
                match child::run(contender, workload, comparison.form) {
                    Ok(report) => figures.add(contender.name, workload, report),
                    Err(failure) => {
                        figures.forget(contender.name, workload);
                        failures.push(failure);
                        failed.push((contender.name, *workload));
                    }
                }
            }
        }
    }
    if stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
    eprintln!(
        "{} rounds took {} s",
        comparison.rounds,
        begin.elapsed().as_secs()
    );
    (figures, failures)
}

/// A line that changes on a terminal, and a line a round elsewhere.
fn show_progress(
    comparison: &Comparison,
    round: usize,
    index: usize,
    workloads: usize,
    workload: &str,
    begin: Instant,
) {
    let round_of = format!("round {} of {}", round + 1, comparison.rounds);
    let seconds = begin.elapsed().as_secs();
    if stderr().is_terminal() {
        eprint!(
            "\r\x1b[K{round_of}, {} of {workloads}: {workload} ({seconds} s)",
            index + 1
        );
        // What is not shown is no loss.
        let _ = stderr().flush();
    } else if index == 0 {
        eprintln!("{round_of} ({seconds} s)");
    }
}
