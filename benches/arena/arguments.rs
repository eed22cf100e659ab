//! The command line.

use super::contender::{Contender, Role, contender};
use super::run::Form;
use super::server::Server;
use crate::contenders::CONTENDERS;
use crate::targets::{EXAMPLE, NAME, ROUNDS, ROWS, TIME};

/// What is to be done.
pub(crate) enum Task {
    /// Print what there is.
    List,
    /// Compare.
    Compare(Comparison),
    /// Be one run: its runtime, workload and form.
    Run(&'static Contender, String, Form),
    /// Be a server.
    Serve(&'static Server),
}

/// What is to be compared.
pub(crate) struct Comparison {
    pub(crate) form: Form,
    pub(crate) rounds: usize,
    pub(crate) contenders: Vec<&'static Contender>,
    /// Parts of the names of rows; none is all.
    pub(crate) filters: Vec<String>,
}

impl Comparison {
    /// Whether a row of that name was asked for.
    pub(crate) fn wants(&self, id: &str) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| id.contains(filter))
    }
}

/// What `--help` says.
fn usage() -> String {
    format!(
        "\
usage: cargo bench --bench {NAME} -- [FILTER...] [OPTIONS]

FILTER                  only rows whose name contains it
--full                  measure longer; without it the comparison ends within {TIME}
--rounds NUMBER         rounds, {ROUNDS} unless told otherwise
--runtimes NAME,NAME    only these; parklet is the one that is judged
--list                  print the names of rows and runtimes

example: cargo bench --bench {NAME} -- {EXAMPLE} --runtimes parklet,tokio --rounds 15"
    )
}

/// The first word of a child's command line.
pub(crate) const RUN: &str = "run";

/// The first word of a server's command line.
pub(crate) const SERVE: &str = "serve";

/// Reads the command line, without the program's name. The error is what to tell the user.
pub(crate) fn parse(arguments: &[String]) -> Result<Task, String> {
    if let [first, runtime, workload, form] = arguments
        && first == RUN
    {
        return parse_run(runtime, workload, form);
    }
    if let [first, runtime, server] = arguments
        && first == SERVE
    {
        let found = contender(runtime).and_then(|contender| contender.server(server));
        let missing = || format!("there is no server {server:?} on {runtime:?}");
        return found.map(Task::Serve).ok_or_else(missing);
    }
    // Cargo adds `--bench` under `cargo bench`, and nothing under `cargo test --benches`, where there is no time.
    let measures = arguments.iter().any(|argument| argument == "--bench");
    let mut comparison = Comparison {
        form: if measures { Form::Quick } else { Form::Tiny },
        rounds: if measures { ROUNDS } else { 1 },
        contenders: Vec::new(),
        filters: Vec::new(),
    };
    let mut list = false;
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut value = |of: &str| {
            let value = arguments.next();
            value.ok_or_else(|| format!("{argument} needs {of}\n\n{}", usage()))
        };
        match argument.as_str() {
            "--bench" => {}
            "--help" | "-h" => return Err(usage()),
            "--list" => list = true,
            "--full" => comparison.form = Form::Full,
            "--rounds" => comparison.rounds = parse_rounds(value("a number")?)?,
            "--runtimes" => comparison.contenders = parse_runtimes(value("names")?)?,
            option if option.starts_with('-') => {
                return Err(format!("there is no option {option}\n\n{}", usage()));
            }
            filter => comparison.filters.push(filter.to_owned()),
        }
    }
    if comparison.contenders.is_empty() {
        // A test of the bench needs no peers.
        let wanted = |contender: &&Contender| measures || contender.role == Role::Judged;
        comparison.contenders = CONTENDERS.iter().filter(wanted).collect();
    }
    Ok(if list {
        Task::List
    } else {
        Task::Compare(comparison)
    })
}

fn parse_rounds(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(rounds @ 1..=1_000) => Ok(rounds),
        _ => Err(format!(
            "--rounds: expected a number from 1 to 1000, found {text:?}"
        )),
    }
}

fn parse_runtimes(text: &str) -> Result<Vec<&'static Contender>, String> {
    let names: Vec<&str> = text.split(',').collect();
    for &name in &names {
        if contender(name).is_none() {
            let all: Vec<&str> = CONTENDERS.iter().map(|contender| contender.name).collect();
            return Err(format!(
                "--runtimes: expected names from {}, found {name:?}",
                all.join(",")
            ));
        }
    }
    // In the order of the table, and none twice.
    let wanted = |contender: &&Contender| names.contains(&contender.name);
    Ok(CONTENDERS.iter().filter(wanted).collect())
}

/// All rows, one a line.
pub(crate) fn names() -> String {
    let lines: Vec<String> = ROWS
        .iter()
        .map(|row| format!("  {:30} {}", row.id(), row.what))
        .collect();
    lines.join("\n")
}

/// How a child is told its form.
pub(crate) fn form_name(form: Form) -> &'static str {
    match form {
        Form::Tiny => "tiny",
        Form::Quick => "quick",
        Form::Full => "full",
    }
}

fn parse_run(runtime: &str, workload: &str, form: &str) -> Result<Task, String> {
    let contender = contender(runtime).ok_or_else(|| format!("there is no runtime {runtime:?}"))?;
    let form = [Form::Tiny, Form::Quick, Form::Full]
        .into_iter()
        .find(|&known| form_name(known) == form)
        .ok_or_else(|| format!("there is no form {form:?}"))?;
    Ok(Task::Run(contender, workload.to_owned(), form))
}
