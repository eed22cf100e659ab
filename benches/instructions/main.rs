//! How many instructions an operation takes: figures that hardly differ from run to run, where times differ by half.
//!
//! `.ci/instructions` builds and runs this under valgrind and shows what has changed since the figures in `figures.txt` beside
//! this file; `--check` also fails if something costs more, and `--write` writes the file anew. Words are parts of names of
//! operations, and limit it to these.
//!
//! What is counted: all instructions in user space of a process with one worker that repeats the operation, in a task where
//! it is one of tasks; what an operation is, `tests/costs/operations.rs` says. Each process is run twice, with different
//! numbers of repetitions, so that what comes once drops out, and the difference is the operation's. Every thread counts but
//! the watcher, which looks every so many milliseconds.
//!
//! What is not: the kernel, and waiting. An instruction that misses the cache counts as much as any other. So these figures
//! show that something has changed, and when; how long it takes, `compare` shows.
//!
//! The compiler decides much of this. Its version stands in the file, and under another one `--check` finds no fault.

#[path = "../../tests/costs/operations.rs"]
mod operations;

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::future::Future;
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;

use parklet::task;

/// Repetitions; the second count has twice as many.
const TIMES: u32 = 5000;

/// Of so many counts the least holds: now and then the system takes the worker off its core, and others help out.
const ROUNDS: usize = 3;

/// A cost that has risen by more than this share is a regression. Counts of the same program mostly differ by less than a
/// hundredth, where the machine is busy by a few.
const TOLERANCE: f64 = 0.05;

/// What is smaller may change by this many instructions.
const LEAST_CHANGE: f64 = 3.0;

/// Tells the process under callgrind what to do: the name of the operation, and how often.
const OPERATION_VARIABLE: &str = "PARKLET_BENCH_OPERATION";

/// Set by `.ci/instructions`: it takes too long for every `cargo bench`.
const ASKED_VARIABLE: &str = "PARKLET_BENCH_INSTRUCTIONS";

/// The figures that the repository holds.
const FIGURES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/benches/instructions/figures.txt"
);

/// Repeats an operation so often.
type Repeat = fn(u32);

/// Repeats an operation of tasks in a task.
macro_rules! in_task {
    ($operation:ident) => {
        (stringify!($operation), |times| {
            on_a_worker(operations::$operation(times));
        })
    };
}

/// Runs a future as a task and waits for it as a thread does that knows nothing of the runtime: in a `block_on` it would lend a
/// hand, and which of the two threads does what is a matter of time.
fn on_a_worker(future: impl Future<Output = ()> + Send + 'static) {
    let (sender, ended) = mpsc::channel();
    task::spawn(async move {
        future.await;
        sender.send(()).expect("the caller waits for it");
    })
    .detach();
    ended.recv().expect("the task does not panic");
}

/// What is counted, in the order of the table. Not what another thread or the kernel has a part in.
const OPERATIONS: &[(&str, Repeat)] = &[
    in_task!(spawn_and_join),
    in_task!(spawn_many_and_join),
    in_task!(spawn_and_detach),
    in_task!(wake_and_poll),
    in_task!(wake_once_more),
    in_task!(yield_now),
    ("block_on_ready", operations::block_on_ready),
    ("block_on_yield", operations::block_on_yield),
    in_task!(lock_free),
    in_task!(lock_contended),
    in_task!(channel_ready),
    in_task!(channel_waiting),
    in_task!(broadcast_ready),
    in_task!(broadcast_waiting),
    in_task!(timeout_ready),
    in_task!(timeout_pending),
    in_task!(timer_cancelled),
];

fn main() -> ExitCode {
    if let Ok(operation) = env::var(OPERATION_VARIABLE) {
        repeat(&operation);
        return ExitCode::SUCCESS;
    }
    // Cargo adds `--bench`.
    let (options, words): (Vec<String>, Vec<String>) = env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .partition(|argument| argument.starts_with("--"));
    let has = |option: &str| options.iter().any(|given| given == option);
    if env::var_os(ASKED_VARIABLE).is_none() {
        println!("skipped: .ci/instructions runs this under valgrind");
        return ExitCode::SUCCESS;
    }

    let compiler = compiler();
    let before = Figures::read();
    let mut now = before.clone();
    let mut risen = Vec::new();
    println!(
        "{:<20} {:>8} {:>8}  change",
        "instructions", "before", "now"
    );
    for &(name, _) in OPERATIONS {
        if !words.is_empty() && !words.iter().any(|word| name.contains(word.as_str())) {
            continue;
        }
        let cost = cost(name);
        now.costs.insert(name.to_owned(), cost);
        let Some(&known) = before.costs.get(name) else {
            println!("{name:<20} {:>8} {cost:>8.0}  new", "");
            continue;
        };
        let change = (cost - known) / known;
        let mark = if cost > known + LEAST_CHANGE.max(known * TOLERANCE) {
            risen.push(name);
            "  more"
        } else {
            ""
        };
        println!(
            "{name:<20} {known:>8.0} {cost:>8.0} {:>+6.1} %{mark}",
            change * 100.0
        );
    }
    if has("--write") {
        now.compiler = compiler;
        now.write();
    } else if has("--check") && !risen.is_empty() {
        println!("more instructions than in {FIGURES}: {}", risen.join(", "));
        if before.compiler == compiler {
            return ExitCode::FAILURE;
        }
        println!(
            "but these are of {}, and this is {compiler}",
            before.compiler
        );
    }
    ExitCode::SUCCESS
}

/// In the process that is counted.
fn repeat(operation: &str) {
    let (name, times) = operation.split_once(' ').expect("a name and a number");
    let known = OPERATIONS.iter().find(|(known, _)| *known == name);
    let (_, repeat) = known.expect("a name of the list");
    repeat(times.parse().expect("a number"));
}

/// The instructions of one operation.
fn cost(name: &str) -> f64 {
    let least = |times| {
        let counts = (0..ROUNDS).map(|_| count(name, times));
        counts.min().expect("there are rounds") as f64
    };
    (least(2 * TIMES) - least(TIMES)) / f64::from(TIMES)
}

/// The instructions of a process that repeats an operation.
fn count(name: &str, times: u32) -> u64 {
    let folder = tempfile::tempdir().expect("a folder for valgrind");
    let status = callgrind(&folder.path().join("profile").display().to_string())
        .arg(env::current_exe().expect("the path of this program"))
        .env(OPERATION_VARIABLE, format!("{name} {times}"))
        .env("PARKLET_THREADS", "1")
        .status()
        .expect("valgrind was there before");
    assert!(status.success(), "{name} failed: {status}");
    let profiles = fs::read_dir(folder.path()).expect("valgrind's profiles");
    profiles
        .map(|profile| fs::read_to_string(profile.expect("a profile").path()))
        .map(|profile| of_thread(&profile.expect("a profile is text")))
        .sum()
}

/// The instructions in a thread's profile; none if it is the watcher's, which are a matter of time.
fn of_thread(profile: &str) -> u64 {
    if profile.contains("::Watcher::run\n") {
        return 0;
    }
    let totals = profile
        .lines()
        .find_map(|line| line.strip_prefix("totals: "));
    // One more file lists the others.
    totals.map_or(0, |totals| totals.parse().expect("a number"))
}

/// Valgrind, without the program. It is stopped after a minute, which is more than any of this takes.
fn callgrind(profile: &str) -> Command {
    let mut command = Command::new("timeout");
    command
        .args(["60", "valgrind", "--tool=callgrind", "--quiet"])
        .arg("--separate-threads=yes")
        .arg(format!("--callgrind-out-file={profile}"))
        // Not every valgrind knows the system call that the reactor prefers, and says so at length.
        .arg("--log-file=/dev/null")
        .stdin(Stdio::null());
    command
}

/// The compiler that is in use here.
fn compiler() -> String {
    let version = Command::new("rustc").arg("--version").output();
    let version = version.expect("rustc, which has built this").stdout;
    String::from_utf8_lossy(&version).trim().to_owned()
}

/// The file.
#[derive(Clone)]
struct Figures {
    /// Who compiled what was counted.
    compiler: String,
    /// Instructions by operation.
    costs: BTreeMap<String, f64>,
}

impl Figures {
    fn read() -> Figures {
        let text = fs::read_to_string(FIGURES).unwrap_or_default();
        let compiler = text.lines().find_map(|line| line.strip_prefix("# with "));
        let figure = |line: &str| {
            let (name, cost) = line.split_once(' ')?;
            Some((name.to_owned(), cost.trim().parse().ok()?))
        };
        Figures {
            compiler: compiler.unwrap_or_default().to_owned(),
            costs: text.lines().filter_map(figure).collect(),
        }
    }

    fn write(&self) {
        let mut text = format!(
            "# Instructions an operation, counted by `.ci/instructions --write`\n# with {}\n",
            self.compiler
        );
        for (name, _) in OPERATIONS {
            if let Some(cost) = self.costs.get(*name) {
                writeln!(text, "{name:<20} {cost:>8.0}").expect("a string takes all");
            }
        }
        fs::write(FIGURES, text).unwrap_or_else(|error| panic!("cannot write {FIGURES}: {error}"));
    }
}
