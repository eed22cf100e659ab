//! A server in a process of its own, so that its CPU time can be told from that of its clients.
//!
//! The child is this bench program once more, with a word in its environment. It prints its address; then each line on
//! its standard input is answered with the CPU time it has used; at the end of input it exits, so it cannot outlive
//! the bench.

use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{self, Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use std::{env, thread};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};

/// Names the server that a child is to run.
const SERVER: &str = "PARKLET_BENCH_SERVER";

/// Binds, sends its address, and serves for ever.
pub(crate) type Server = fn(mpsc::Sender<SocketAddr>);

/// Runs the server that the environment names, and never returns; does nothing in the bench itself.
pub(crate) fn run_if_child(servers: &[(&str, Server)]) {
    let Ok(name) = env::var(SERVER) else { return };
    let (_, server) = servers
        .iter()
        .find(|server| server.0 == name)
        .expect("a server of this bench");
    let (announce, announced) = mpsc::channel();
    let server = *server;
    thread::spawn(move || server(announce));
    println!("{}", announced.recv().expect("the server binds"));
    for line in io::stdin().lines() {
        line.expect("the bench writes lines");
        println!("{}", cpu_time().as_nanos());
    }
    process::exit(0);
}

/// Lets this process and the servers it starts have as many descriptors as they may: 1,024 is the usual soft limit.
pub(crate) fn raise_descriptor_limit() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: maximum,
            maximum,
        },
    )
    .expect("up to the hard limit is allowed");
}

/// The CPU time that this process has used, user and system.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// A running server.
pub(crate) struct ServerProcess {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    child: Child,
    /// None once it has been closed.
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl ServerProcess {
    /// Starts the server of that name.
    pub(crate) fn start(name: &str) -> ServerProcess {
        let mut child = Command::new(env::current_exe().expect("this program"))
            .env(SERVER, name)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program runs");
        let questions = child.stdin.take();
        let mut answers = BufReader::new(child.stdout.take().expect("piped"));
        let address = read_answer(&mut answers).parse().expect("an address");
        ServerProcess {
            address,
            child,
            questions,
            answers,
        }
    }

    /// The CPU time that the server has used so far.
    pub(crate) fn cpu_time(&mut self) -> Duration {
        let questions = self.questions.as_mut().expect("open until the drop");
        questions.write_all(b"cpu\n").expect("the server lives");
        Duration::from_nanos(read_answer(&mut self.answers).parse().expect("nanoseconds"))
    }
}

fn read_answer(answers: &mut impl BufRead) -> String {
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
