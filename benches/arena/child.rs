//! A run is a process of its own: this program once more. Nothing of one run is left for the next, and a runtime that
//! hangs or crashes spoils its own column only.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use std::{env, io, thread};

use super::arguments::{RUN, form_name};
use super::contender::Contender;
use super::run::Form;

/// Far longer than any run takes: what is still there then hangs.
const LIMIT: Duration = Duration::from_secs(120);

/// This program, with the environment in which it runs the given runtime.
pub(crate) fn command(contender: &Contender) -> io::Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    for variable in ["PARKLET_THREADS", "ASYNC_STD_THREAD_COUNT", "SMOL_THREADS"] {
        command.env(variable, contender.workers.to_string());
    }
    Ok(command)
}

/// Does a workload, and returns what it reported.
pub(crate) fn run(
    contender: &Contender,
    workload: &str,
    form: Form,
) -> Result<Vec<(String, f64)>, String> {
    let attempt = |error| format!("cannot start {workload} on {}: {error}", contender.name);
    let mut child = command(contender)
        .map_err(attempt)?
        .args([RUN, contender.name, workload, form_name(form)])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(attempt)?;
    let mut output = child.stdout.take().expect("piped");
    let (sender, ended) = mpsc::channel();
    let reader = thread::spawn(move || {
        let mut text = String::new();
        let result = output.read_to_string(&mut text);
        // The other end is there until it has this, or has killed the child.
        let _ = sender.send(());
        result.map(|_| text)
    });
    let in_time = ended.recv_timeout(LIMIT).is_ok();
    if !in_time {
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    let text = reader
        .join()
        .expect("it only reads")
        .map_err(|error| error.to_string())?;
    if !in_time {
        return Err(format!(
            "{workload} on {} did not end within {LIMIT:?}",
            contender.name
        ));
    }
    if !status.success() {
        return Err(format!("{workload} on {} failed: {status}", contender.name));
    }
    text.lines()
        .map(|line| {
            let (metric, value) = line.split_once(' ')?;
            Some((metric.to_owned(), value.parse().ok()?))
        })
        .collect::<Option<_>>()
        .ok_or_else(|| format!("{workload} on {} reported {text:?}", contender.name))
}
