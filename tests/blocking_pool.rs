//! `spawn_blocking` as a program meets it. Small pools, and thread creation that fails on cue, are tested beside the
//! code (`src/executor/blocking_pool/tests.rs`).
//!
//! The pool is the process's own, so a test that fills it up, or starves it of threads, runs itself once more in a
//! process of its own.

use std::panic::{self, AssertUnwindSafe};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Condvar, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs};

use parklet::task::{self, SpawnBlocking};

/// Longer than anything here takes; running out of it is a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// The global pool's cap, as `spawn_blocking`'s documentation states it.
const MAX_THREADS: usize = 512;

/// Says to this program that it is the child, and for which test.
const CHILD: &str = "PARKLET_BLOCKING_POOL_TEST";

#[test]
fn the_closure_runs_on_a_thread_of_the_pool() {
    let (id, name) = task::block_on(task::spawn_blocking(|| {
        (
            thread::current().id(),
            thread::current().name().map(str::to_owned),
        )
    }));
    assert_ne!(id, thread::current().id());
    let name = name.expect("pool threads have names");
    let number = name.strip_prefix("parklet-blocking-").expect(&name);
    assert!(number.parse::<usize>().is_ok(), "{name}");
}

#[test]
fn a_job_starts_though_nobody_polls_it() {
    let (started, is_started) = mpsc::channel();
    let job = task::spawn_blocking(move || started.send(()).unwrap());
    is_started.recv_timeout(PATIENCE).expect("the job starts");
    task::block_on(job);
}

#[test]
fn a_detached_job_runs_to_its_end() {
    let (go, wait) = mpsc::channel::<()>();
    let (ended, has_ended) = mpsc::channel();
    drop(task::spawn_blocking(move || {
        wait.recv().unwrap();
        ended.send(()).unwrap();
    }));
    go.send(()).unwrap();
    has_ended.recv_timeout(PATIENCE).expect("the job goes on");
}

#[test]
fn jobs_that_wait_for_each_other_run_at_once() {
    const JOBS: usize = 64;
    let barrier = Arc::new(Barrier::new(JOBS));
    let jobs: Vec<_> = (0..JOBS)
        .map(|_| {
            let barrier = Arc::clone(&barrier);
            task::spawn_blocking(move || barrier.wait().is_leader())
        })
        .collect();
    let leaders = jobs
        .into_iter()
        .map(task::block_on)
        .filter(|&leader| leader)
        .count();
    assert_eq!(leaders, 1);
}

#[test]
fn ten_thousand_jobs_are_each_run_once() {
    let sum: u64 = task::block_on(async {
        let jobs: Vec<_> = (0..10_000_u64)
            .map(|job| task::spawn_blocking(move || job))
            .collect();
        let mut sum = 0;
        for job in jobs {
            sum += job.await;
        }
        sum
    });
    assert_eq!(sum, 49_995_000);
}

#[test]
fn a_panic_reaches_the_awaiter_and_the_pool_lives_on() {
    for _ in 0..20 {
        let job = task::spawn_blocking(|| -> u32 { panic::panic_any(String::from("boom")) });
        let payload = panic::catch_unwind(AssertUnwindSafe(|| task::block_on(job))).unwrap_err();
        assert_eq!(
            payload.downcast_ref::<String>().map(String::as_str),
            Some("boom")
        );
    }
    assert_eq!(task::block_on(task::spawn_blocking(|| 7)), 7);
}

#[test]
fn the_workers_go_on_while_jobs_block() {
    task::block_on(async {
        let (go, wait) = mpsc::channel();
        let job = task::spawn_blocking(move || wait.recv().unwrap());
        let waiting = task::spawn(job);
        // As many tasks as there may be workers, each after a turn of the others.
        for number in 0..100_u32 {
            assert_eq!(task::spawn(async move { number }).await, number);
        }
        go.send(7).unwrap();
        assert_eq!(waiting.await, 7);
    });
}

#[test]
fn a_job_may_use_the_runtime() {
    let value = task::block_on(task::spawn_blocking(|| {
        task::block_on(async { task::spawn(async { task::spawn_blocking(|| 7).await }).await })
    }));
    assert_eq!(value, 7);
}

#[test]
fn no_more_than_512_jobs_run_at_once_and_one_that_waits_can_be_cancelled() {
    if !in_child(
        "no_more_than_512_jobs_run_at_once_and_one_that_waits_can_be_cancelled",
        &[],
    ) {
        return;
    }
    let gate = Arc::new(Gate::default());
    let jobs: Vec<_> = (0..MAX_THREADS + 100)
        .map(|_| {
            let gate = Arc::clone(&gate);
            task::spawn_blocking(move || gate.pass())
        })
        .collect();
    gate.wait_for(MAX_THREADS);
    let ran = Arc::new(AtomicUsize::new(0));
    let queued = task::spawn_blocking({
        let ran = Arc::clone(&ran);
        move || ran.fetch_add(1, Ordering::Relaxed)
    });
    assert_eq!(task::block_on(queued.cancel()), None);
    assert_eq!(Arc::strong_count(&ran), 1, "its closure has been dropped");

    gate.open();
    jobs.into_iter().for_each(task::block_on);
    assert_eq!(gate.most_at_once(), MAX_THREADS);
    assert_eq!(ran.load(Ordering::Relaxed), 0);
}

#[test]
fn the_program_exits_though_a_job_blocks() {
    // The child passes when its `main`, the test harness, has returned.
    if !in_child("the_program_exits_though_a_job_blocks", &[]) {
        return;
    }
    let (blocked, is_blocked) = mpsc::channel();
    let job: SpawnBlocking<()> = task::spawn_blocking(move || {
        blocked.send(()).unwrap();
        loop {
            thread::park();
        }
    });
    is_blocked.recv_timeout(PATIENCE).unwrap();
    // Neither a job that is polled nor one that is detached holds it up.
    assert_eq!(task::block_on(futures_lite::future::poll_once(job)), None);
}

#[test]
fn a_job_waits_until_the_system_grants_a_thread() {
    // With so much address space to be had, and all of it taken, there is no room for another stack: EAGAIN.
    let limit = ["sh", "-c", r#"ulimit -v 1000000; exec "$0" "$@""#];
    if !in_child("a_job_waits_until_the_system_grants_a_thread", &limit) {
        return;
    }
    let threads = || fs::read_dir("/proc/self/task").unwrap().count();
    let before = threads();
    let ballast = take_all_memory();
    let job = task::spawn_blocking(|| thread::current().name().map(str::to_owned));
    let (detached, is_detached) = mpsc::channel();
    drop(task::spawn_blocking(move || detached.send(()).unwrap()));
    assert_eq!(threads(), before, "no thread could be created");
    assert!(!job.is_finished());

    task::block_on(async {
        // Some attempts fail before one succeeds. They are made while the reactor is driven, and so is this sleep.
        task::sleep(Duration::from_millis(50)).await;
        assert!(!job.is_finished());
        assert_eq!(threads(), before);
        drop(ballast);
        let name = job.await.expect("pool threads have names");
        assert!(name.starts_with("parklet-blocking-"), "{name}");
    });
    is_detached
        .recv_timeout(PATIENCE)
        .expect("the detached job runs too");
}

/// Allocates until less than a thread's stack is left, but enough for small things.
fn take_all_memory() -> Vec<Vec<u8>> {
    const MIB: usize = 1 << 20;
    let mut ballast = Vec::with_capacity(10_000);
    for size in [64 * MIB, MIB] {
        let mut chunk = Vec::new();
        while chunk.try_reserve_exact(size).is_ok() {
            ballast.push(chunk);
            chunk = Vec::new();
        }
    }
    assert!(thread::Builder::new().spawn(|| ()).is_err());
    ballast
}

/// Runs this test in a process of its own, through `wrapper` (a command before the program's), and asserts that it
/// succeeds there. True in the child.
fn in_child(test: &str, wrapper: &[&str]) -> bool {
    if env::var_os(CHILD).is_some_and(|value| value == test) {
        return true;
    }
    let program = env::current_exe().unwrap();
    let mut words = wrapper
        .iter()
        .map(|word| (*word).into())
        .chain([program.into_os_string()]);
    let mut child = Command::new(words.next().unwrap())
        .args(words)
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(CHILD, test)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("{test}: the child process does not end");
        }
        thread::sleep(Duration::from_millis(5));
    };
    let output = child.wait_with_output().unwrap();
    let output = String::from_utf8_lossy(&output.stdout);
    assert!(status.success(), "{status}\n{output}");
    assert!(
        output.contains("1 passed"),
        "the child ran no test: {output}"
    );
    false
}

/// Where jobs are held until it opens.
#[derive(Default)]
struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Default)]
struct GateState {
    open: bool,
    inside: usize,
    most_inside: usize,
}

impl Gate {
    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.inside += 1;
        state.most_inside = state.most_inside.max(state.inside);
        self.changed.notify_all();
        while !state.open {
            state = self.changed.wait(state).unwrap();
        }
        state.inside -= 1;
    }

    fn wait_for(&self, jobs: usize) {
        let state = self.state.lock().unwrap();
        let waited = self
            .changed
            .wait_timeout_while(state, PATIENCE, |state| state.inside < jobs);
        assert!(
            !waited.unwrap().1.timed_out(),
            "{jobs} jobs never ran at once"
        );
    }

    fn open(&self) {
        self.state.lock().unwrap().open = true;
        self.changed.notify_all();
    }

    fn most_at_once(&self) -> usize {
        self.state.lock().unwrap().most_inside
    }
}
