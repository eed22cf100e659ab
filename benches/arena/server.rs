//! A server in a process of its own, at both ends of the pipes that lead to it.
//!
//! It prints its address; then each line on its standard input is answered with what it has used so far; at the end of
//! input it exits, so it cannot outlive its clients.

use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{self, Child, ChildStdin, ChildStdout, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::arguments::SERVE;
use super::child::command;
use super::clock::{cpu_time, memory};
use super::run::Run;

/// A server by its name, which is the same on every runtime. It sends its address, and serves for ever.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) serve: fn(mpsc::Sender<SocketAddr>),
}

impl Server {
    pub(crate) const fn new(name: &'static str, serve: fn(mpsc::Sender<SocketAddr>)) -> Server {
        Server { name, serve }
    }
}

/// Is the server's process, until its clients have gone.
pub(crate) fn answer(server: &Server) -> ! {
    let (announce, announced) = mpsc::channel();
    thread::spawn(move || {
        println!("{}", announced.recv().expect("the server binds"));
        for line in io::stdin().lines() {
            line.expect("the clients write lines");
            println!("{} {}", cpu_time().as_nanos(), memory());
        }
        process::exit(0);
    });
    (server.serve)(announce);
    unreachable!("a server ends with its process");
}

/// What a server has used.
pub(crate) struct Usage {
    pub(crate) cpu: Duration,
    /// Bytes that are resident now.
    pub(crate) memory: u64,
}

/// A running server, as its clients see it.
pub(crate) struct ServerProcess {
    pub(crate) address: SocketAddr,
    child: Child,
    /// None once it has been closed.
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl ServerProcess {
    /// Starts the contender's server of that name.
    pub(crate) fn start(run: Run, name: &str) -> ServerProcess {
        let mut child = command(run.contender)
            .and_then(|mut command| {
                command
                    .args([SERVE, run.contender.name, name])
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .spawn()
            })
            .unwrap_or_else(|error| panic!("cannot start the server {name}: {error}"));
        let questions = child.stdin.take();
        let mut answers = BufReader::new(child.stdout.take().expect("piped"));
        let address = read_line(&mut answers).parse().expect("an address");
        ServerProcess {
            address,
            child,
            questions,
            answers,
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has used so far.
    pub(crate) fn usage(&mut self) -> Usage {
        let questions = self.questions.as_mut().expect("open until the drop");
        questions.write_all(b"\n").expect("the server lives");
        let line = read_line(&mut self.answers);
        let (cpu, memory) = line.split_once(' ').expect("two numbers");
        Usage {
            cpu: Duration::from_nanos(cpu.parse().expect("nanoseconds")),
            memory: memory.parse().expect("bytes"),
        }
    }
}

fn read_line(answers: &mut impl BufRead) -> String {
    let mut line = String::new();
    answers.read_line(&mut line).expect("the server lives");
    line.trim_end().to_owned()
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // The end of its input ends it.
        self.questions = None;
        let _ = self.child.wait();
    }
}
