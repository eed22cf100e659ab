//! A chat server with 100 connected clients, none of whom says anything, makes no system call in ten seconds.
//!
//! Two witnesses, as far as there are any: `strace`, where it is installed, and the kernel's account of each thread in
//! `/proc/PID/task/*/schedstat`. A thread that was not on a core has made no system call.

#![cfg(target_os = "linux")]

mod chat_support;

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use chat_support::{Client, Program, address_in, delivery, example};

/// As many as the promise speaks of.
const CLIENTS: usize = 100;

/// How long nothing may happen.
const SILENCE: Duration = Duration::from_secs(10);

/// When the silence must have begun: threads that pools no longer need end after ten seconds, which is a call or two.
const SETTLED: Duration = Duration::from_secs(15);

/// How often the witnesses are asked.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The server under test.
struct Server {
    /// Its process. `strace`, if it is there, stands aside as a grandchild of ours.
    program: Program,
    /// Where it listens.
    address: SocketAddr,
    /// What `strace` writes.
    trace: Option<PathBuf>,
}

impl Server {
    fn start(trace: Option<PathBuf>) -> Server {
        let server = example("chat_server");
        let mut command = match &trace {
            Some(trace) => {
                let mut command = Command::new("strace");
                command
                    .args(["-D", "-f", "-q", "-o"])
                    .arg(trace)
                    .arg(server);
                command
            }
            None => Command::new(server),
        };
        let program = Program::start(command.arg("127.0.0.1:0"));
        let address = address_in(&program.line());
        Server {
            program,
            address,
            trace,
        }
    }

    /// What the witnesses have seen so far; as long as it does not change, nothing happens.
    fn activity(&self) -> Activity {
        let threads = fs::read_dir(format!("/proc/{}/task", self.program.id()));
        let account = |thread: PathBuf| {
            let name = fs::read_to_string(thread.join("comm")).ok()?;
            let runs = fs::read_to_string(thread.join("schedstat")).ok()?;
            Some((thread, format!("{}: {}", name.trim(), runs.trim())))
        };
        Activity {
            threads: threads
                .expect("the server lives")
                .filter_map(|thread| account(thread.unwrap().path()))
                .collect(),
            calls: self.trace_lines().len(),
        }
    }

    /// The trace so far: each call is one line, or two if it took long.
    fn trace_lines(&self) -> Vec<String> {
        let read = |trace| fs::read(trace).unwrap_or_default();
        let text = self.trace.as_ref().map(read).unwrap_or_default();
        let lines = String::from_utf8_lossy(&text);
        lines.lines().map(str::to_owned).collect()
    }
}

/// What the kernel and `strace` have counted.
#[derive(Debug, PartialEq, Eq)]
struct Activity {
    /// For each thread its name and how long it ran, how long it waited for a core, and how often it got one.
    threads: BTreeMap<PathBuf, String>,
    /// How many lines the trace has.
    calls: usize,
}

/// Whether programs can be traced here; in some containers `strace` is there but not allowed to.
fn can_trace() -> bool {
    Command::new("strace")
        .args(["-D", "-f", "-q", "-o", "/dev/null", "true"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[test]
fn an_idle_chat_server_with_100_clients_makes_no_system_call() {
    let folder = tempfile::tempdir().unwrap();
    let is_traced = can_trace();
    let is_counted = Path::new("/proc/self/schedstat").exists();
    if !is_traced {
        eprintln!("without strace, which is not installed or not allowed to trace");
    }
    if !is_counted {
        eprintln!("without the kernel's account of each thread, which it does not keep");
    }
    if !is_traced && !is_counted {
        eprintln!("skipped: there is nothing to observe the server with");
        return;
    }

    let server = Server::start(is_traced.then(|| folder.path().join("trace")));
    let before = server.activity();
    let clients: Vec<Client> = (0..CLIENTS)
        .map(|number| {
            let group = format!("group {}", number % 10);
            let mut client = Client::connect(server.address);
            client.join(&group);
            client.post(&group, "hello");
            assert_eq!(client.line(), delivery(&group, "hello"));
            client
        })
        .collect();
    assert_ne!(
        server.activity(),
        before,
        "the witnesses have seen nothing of 100 connections"
    );

    let start = Instant::now();
    let mut seen = server.activity();
    let mut silent_since = Instant::now();
    while silent_since.elapsed() < SILENCE {
        thread::sleep(LOOK_EVERY);
        let now = server.activity();
        if now != seen {
            assert!(
                start.elapsed() < SETTLED + SILENCE,
                "the server is still busy after {:?}:\n{seen:#?}\n{now:#?}\n{:#?}",
                start.elapsed(),
                server.trace_lines().split_off(seen.calls)
            );
            (seen, silent_since) = (now, Instant::now());
        }
    }
    // The server first: it need not see them all go.
    drop(server);
    drop(clients);
}
