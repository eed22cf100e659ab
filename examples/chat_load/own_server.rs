//! A server of our own: this program once more, with a word in its environment, so that what it uses is its alone.
//!
//! It prints its address; then each line on its standard input is answered with what it has used and counted so far; at
//! the end of input it exits, so it cannot outlive the load.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{self, Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use std::{env, thread};

use parklet::chat::server::{Builder, Metrics};
use parklet::net::TcpListener;
use parklet::task;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};

/// Asks for the server.
const SERVER: &str = "PARKLET_CHAT_LOAD_SERVER";

/// Runs the server if the environment asks for it, and never returns then.
pub(crate) fn run_if_child() {
    if env::var_os(SERVER).is_none() {
        return;
    }
    raise_descriptor_limit();
    let metrics = Arc::new(Metrics::default());
    let counted = metrics.clone();
    let served = task::block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        thread::spawn(move || {
            for _ in io::stdin().lines().map_while(Result::ok) {
                println!("{}", usage(&metrics));
            }
            process::exit(0);
        });
        let server = Builder::new().metrics(counted).log(|_| {});
        task::spawn(server.run(listener, std::future::pending::<()>())).await;
        Ok::<(), io::Error>(())
    });
    eprintln!("chat_load: the server ended: {served:?}");
    process::exit(1);
}

/// Takes as many descriptors as the system gives: 1,024 is the usual soft limit.
pub(crate) fn raise_descriptor_limit() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let limit = Rlimit {
        current: maximum,
        maximum,
    };
    // With the lower limit, too many clients are an error that names it.
    let _ = setrlimit(Resource::Nofile, limit);
}

/// The CPU time of this process, user and system.
pub(crate) fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// One line of numbers, in the order of the fields of [`Usage`].
fn usage(metrics: &Metrics) -> String {
    let rollup = fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    let mut lines = rollup.lines();
    let anonymous = lines.find_map(|line| line.strip_prefix("Anonymous:"));
    let kibibytes = anonymous.and_then(|line| line.trim().strip_suffix(" kB"));
    let memory = kibibytes.map_or(0, |number| number.parse().unwrap_or(0)) * 1024;
    let descriptors = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    let counts = metrics.read();
    format!(
        "{} {memory} {descriptors} {} {} {} {}",
        cpu_time().as_nanos(),
        counts.groups,
        counts.posts,
        counts.deliveries,
        counts.dropped
    )
}

/// What the server has used and counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pub(crate) cpu: Duration,
    /// Bytes that are resident, without the program's text.
    pub(crate) memory: u64,
    pub(crate) descriptors: u64,
    pub(crate) groups: u64,
    pub(crate) posts: u64,
    pub(crate) deliveries: u64,
    pub(crate) dropped: u64,
}

/// The running server.
pub(crate) struct OwnServer {
    pub(crate) address: String,
    child: Child,
    /// None once it has been closed.
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl OwnServer {
    pub(crate) fn start() -> io::Result<Self> {
        let mut child = Command::new(env::current_exe()?)
            .env(SERVER, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let questions = child.stdin.take();
        let answers = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut server = Self {
            address: String::new(),
            child,
            questions,
            answers: BufReader::new(answers),
        };
        server.address = server.read_line()?;
        Ok(server)
    }

    /// What it has used so far. This waits for the answer, on the calling thread, which is not long.
    pub(crate) fn usage(&mut self) -> io::Result<Usage> {
        let questions = self.questions.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        questions.write_all(b"\n")?;
        let line = self.read_line()?;
        let numbers: Result<Vec<u64>, _> = line.split(' ').map(str::parse).collect();
        match numbers.as_deref() {
            Ok(&[cpu, memory, descriptors, groups, posts, deliveries, dropped]) => Ok(Usage {
                cpu: Duration::from_nanos(cpu),
                memory,
                descriptors,
                groups,
                posts,
                deliveries,
                dropped,
            }),
            _ => Err(io::Error::other(format!("the server answered {line:?}"))),
        }
    }

    fn read_line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err(io::Error::other("the server has ended"));
        }
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        // The end of its input ends it.
        self.questions = None;
        let _ = self.child.wait();
    }
}
