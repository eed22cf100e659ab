//! What becomes of the figures: a table on the standard output, and two files in a folder under `target/` that is named as the bench.

mod html;
mod json;
mod table;

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fs, io, thread};

use crate::arena::figures::{Figures, Outcome, Summary, Verdict};

use crate::targets::NAME;

pub(crate) use table::print;

/// Where and how the figures came about.
pub(crate) struct Circumstances {
    pub(crate) command: String,
    pub(crate) rounds: usize,
    /// Day and time, UTC.
    pub(crate) date: String,
    pub(crate) cores: usize,
    pub(crate) kernel: String,
}

impl Circumstances {
    /// Those of this process.
    pub(crate) fn new(rounds: usize) -> Circumstances {
        // Cargo adds `--bench` by itself.
        let arguments = env::args().skip(1).filter(|argument| argument != "--bench");
        let command = [format!("cargo bench --bench {NAME} --")]
            .into_iter()
            .chain(arguments);
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Circumstances {
            command: command.collect::<Vec<_>>().join(" "),
            rounds,
            date: date(),
            cores: thread::available_parallelism().map_or(0, usize::from),
            kernel: kernel.trim().to_owned(),
        }
    }
}

/// Now, as `2030-12-31 23:59 UTC`.
fn date() -> String {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let minutes = since.as_secs() / 60;
    let (mut day, mut year) = (minutes / (24 * 60), 1970);
    let is_leap =
        |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    while day >= 365 + u64::from(is_leap(year)) {
        day -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let mut months = [
        31,
        28 + u64::from(is_leap(year)),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ]
    .into_iter();
    let mut month = 1;
    while let Some(length) = months.next().filter(|&length| day >= length) {
        day -= length;
        month += 1;
    }
    let (hour, minute) = (minutes / 60 % 24, minutes % 60);
    format!("{year}-{month:02}-{:02} {hour:02}:{minute:02} UTC", day + 1)
}

/// Writes the files, and returns where they are.
pub(crate) fn write(
    circumstances: &Circumstances,
    figures: &Figures,
    verdicts: &[Verdict],
) -> io::Result<PathBuf> {
    let program = env::current_exe()?;
    // target/release/deps/program
    let target = program.ancestors().nth(3).ok_or(io::ErrorKind::NotFound)?;
    let folder = target.join(NAME);
    fs::create_dir_all(&folder)?;
    fs::write(
        folder.join("results.json"),
        json::text(circumstances, figures, verdicts),
    )?;
    fs::write(
        folder.join("report.html"),
        html::page(circumstances, verdicts),
    )?;
    Ok(folder)
}

/// What the reports say to an outcome.
fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Reached => "reached",
        Outcome::Missed => "missed",
        Outcome::Unknown => "",
    }
}

/// Three digits, so that columns can be read.
fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        ..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// A ratio, if there is one.
fn ratio(ratio: Option<f64>) -> String {
    // Beside nothing there is none.
    let ratio = ratio.filter(|ratio| ratio.is_finite());
    ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"))
}

/// Median, and from least to most.
fn cell(summary: &Summary) -> String {
    let [median, min, max] = [summary.median, summary.min, summary.max].map(number);
    format!("{median} ({min}-{max})")
}

/// All goals of a row in words.
fn goals(verdict: &Verdict) -> String {
    let goals: Vec<String> = verdict
        .row
        .goals
        .iter()
        .map(|&goal| verdict.goal(goal).0)
        .collect();
    goals.join(", ")
}

/// How many rows reach their goals, and where who is not beaten.
fn count(verdicts: &[Verdict]) -> Vec<String> {
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
            "{unknown} not judged, since not all took part that they are measured by"
        ));
    }
    let mut list = |what: &str, is_in: &dyn Fn(&Verdict) -> bool| {
        let ids = verdicts
            .iter()
            .filter(|verdict| is_in(verdict))
            .map(|verdict| verdict.row.id());
        let ids: Vec<String> = ids.collect();
        let ids = if ids.is_empty() {
            "none".to_owned()
        } else {
            ids.join(", ")
        };
        lines.push(format!("{what}: {ids}"));
    };
    list("missed", &|verdict| verdict.outcome() == Outcome::Missed);
    list("worse than tokio", &|verdict| {
        verdict.is_worse_than("tokio")
    });
    list("worse than async-std", &|verdict| {
        verdict.is_worse_than("async-std")
    });
    list(
        "bound by the CPU, and not clearly better than async-std",
        &Verdict::is_unclear,
    );
    lines
}
