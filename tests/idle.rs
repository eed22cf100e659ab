//! A chat server with 100 connected clients, none of whom says anything, makes no system call in ten seconds.
//!
//! Two witnesses, as far as there are any: `strace`, where it is installed, and the kernel's account of each thread in
//! `/proc/PID/task/*/schedstat`. A thread that was not on a core has made no system call.

#![cfg(all(target_os = "linux", feature = "chat"))]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// As the issue that asked for it says.
const CLIENTS: usize = 100;

/// How long nothing may happen.
const SILENCE: Duration = Duration::from_secs(10);

/// When the silence must have begun: threads that pools no longer need end after ten seconds, which is a call or two.
const SETTLED: Duration = Duration::from_secs(15);

/// How often the witnesses are asked.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The server under test, ended with the test.
struct Server {
    /// The process; with `strace` too, which then is a grandchild of ours.
    process: Child,
    /// Where it listens.
    address: String,
    /// What `strace` writes, if it is there.
    trace: Option<PathBuf>,
}

impl Server {
    fn start(trace: Option<PathBuf>) -> Server {
        let program = example("chat_server");
        let mut command = match &trace {
            Some(trace) => {
                // -D: the server stays our child, to be ended by us, and the tracer stands aside.
                let mut command = Command::new("strace");
                command
                    .args(["-D", "-f", "-q", "-o"])
                    .arg(trace)
                    .arg(program);
                command
            }
            None => Command::new(program),
        };
        let mut process = command
            .arg("127.0.0.1:0")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut line = String::new();
        let output = process.stdout.take().expect("it is piped");
        BufReader::new(output)
            .read_line(&mut line)
            .expect("the server says where it listens");
        let address = line.trim().strip_prefix("listening on ");
        let address = address.unwrap_or_else(|| panic!("expected an address, found {line:?}"));
        Server {
            address: address.to_owned(),
            process,
            trace,
        }
    }

    /// What the witnesses have seen so far; as long as it does not change, nothing happens.
    fn activity(&self) -> Activity {
        let tasks =
            fs::read_dir(format!("/proc/{}/task", self.process.id())).expect("the server lives");
        let account = |thread: PathBuf| {
            let name = fs::read_to_string(thread.join("comm")).ok()?;
            let runs = fs::read_to_string(thread.join("schedstat")).ok()?;
            Some((thread, format!("{}: {}", name.trim(), runs.trim())))
        };
        Activity {
            threads: tasks
                .filter_map(|task| account(task.unwrap().path()))
                .collect(),
            calls: self.trace.as_deref().map_or(0, lines),
        }
    }

    /// The last calls in the trace.
    fn last_calls(&self) -> String {
        let text = self
            .trace
            .as_ref()
            .map(|trace| fs::read_to_string(trace).unwrap_or_default());
        let text = text.unwrap_or_default();
        let last = text.lines().rev().take(20).collect::<Vec<_>>();
        last.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the kernel and `strace` have counted.
#[derive(Debug, PartialEq, Eq)]
struct Activity {
    /// For each thread its name and how long it ran, how long it waited for a core, and how often it got one.
    threads: BTreeMap<PathBuf, String>,
    /// How many lines the trace has: each call is one, or two if it took long.
    calls: usize,
}

/// How many lines a file has.
fn lines(file: &Path) -> usize {
    let text = fs::read(file).unwrap_or_default();
    text.iter().filter(|&&byte| byte == b'\n').count()
}

/// An example's program, which stands beside the folder of the tests'.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the test knows its program");
    let folder = test.ancestors().nth(2).expect("target/PROFILE/deps/TEST");
    let program = folder.join("examples").join(name);
    assert!(
        program.exists(),
        "{} is not built: run `cargo build --example {name}` (with --release for the release profile)",
        program.display()
    );
    program
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
    let clients: Vec<TcpStream> = (0..CLIENTS)
        .map(|number| {
            let mut client = TcpStream::connect(&server.address).unwrap();
            let group = format!("group {}", number % 10);
            let requests = format!(
                "{{\"Join\":{{\"group_name\":\"{group}\"}}}}\n{{\"Post\":{{\"group_name\":\"{group}\",\"message\":\"{number}\"}}}}\n"
            );
            client.write_all(requests.as_bytes()).unwrap();
            // Its own message comes back: it is connected and has joined.
            let mut replies = BufReader::new(client.try_clone().unwrap());
            let mut reply = String::new();
            while !reply.ends_with(&format!("\"message\":\"{number}\"}}}}\n")) {
                reply.clear();
                assert_ne!(replies.read_line(&mut reply).unwrap(), 0, "the server has hung up");
            }
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
                "the server is still busy after {:?}:\n{seen:#?}\n{now:#?}\n{}",
                start.elapsed(),
                server.last_calls()
            );
            (seen, silent_since) = (now, Instant::now());
        }
    }
    // The server first: it need not see them all go.
    drop(server);
    drop(clients);
}
