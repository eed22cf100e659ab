//! How often an operation asks the kernel for something: counted by `strace`, and skipped with a message without it.
//!
//! Only threads that run tasks are counted. The watcher looks every so many milliseconds, which is a matter of time, and a
//! client here is a thread that knows nothing of the runtime.

use crate::common::own_process::{again, listen, say};
use crate::common::{test_name, watchdog};
use crate::operations::{self, MANY};
use parklet::io::{ReadExt, WriteExt};
use parklet::net::TcpListener;
use parklet::task;
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::future::{Future, poll_fn};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::pin::pin;
use std::process::{Command, Stdio};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::thread;

/// Repetitions; so many that what a thread calls as it begins and ends comes to nothing beside them.
const TIMES: u32 = 2000;

/// What a cost may have beyond its limit: a thread begins and ends, and the watcher is roused now and then.
const TOLERANCE: f64 = 0.2;

/// The least of so many counts is what counts: where the system takes threads off their cores, they wait more often, and
/// others help out.
const ATTEMPTS: u32 = 5;

/// After so many tasks a worker looks for events in passing, which is a call.
const TASKS_PER_GLANCE: f64 = 61.0;

/// To wait, and to rouse a thread that waits.
const WAITING: [&str; 3] = ["epoll_pwait2", "futex", "write"];

/// Fails if the threads that run tasks make more than `limit` system calls an operation, with one worker. `run` repeats it.
#[track_caller]
fn expect(limit: f64, run: impl Fn(u32)) {
    expect_but(&[], limit, run);
}

/// The same, but calls of these names are not counted.
#[track_caller]
fn expect_but(names: &[&str], limit: f64, run: impl Fn(u32)) {
    if let Some(cost) = cost(names, limit, run) {
        assert!(cost <= limit + TOLERANCE, "{cost:.2}, at most {limit}");
    }
}

/// How many system calls an operation makes, names left out aside; counted again while it is more than `limit`. `None` in the
/// processes that are counted, and where nothing can be.
fn cost(left_out: &[&str], limit: f64, run: impl Fn(u32)) -> Option<f64> {
    let test = test_name();
    let Some(program) = again(&test) else {
        let _watchdog = watchdog();
        run(TIMES);
        threads_that_run_tasks().for_each(say);
        return None;
    };
    if cfg!(parklet_portable_poller) {
        eprintln!("skipped: the portable poller makes calls of its own");
        return None;
    }
    if !can_trace() {
        eprintln!("skipped: strace is not installed or not allowed to trace");
        return None;
    }
    let mut least = f64::MAX;
    for _ in 0..ATTEMPTS {
        let calls = calls(&program, left_out);
        least = least.min(calls.an_operation());
        println!("{test}: {:.2} system calls, {calls}", calls.an_operation());
        if least <= limit + TOLERANCE {
            break;
        }
    }
    Some(least)
}

/// The same for an operation of tasks.
#[track_caller]
fn expect_in_task<F>(limit: f64, operation: impl Fn(u32) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    expect(limit, |times| task::block_on(task::spawn(operation(times))));
}

/// Whether programs can be traced here; in some containers `strace` is there but not allowed to.
fn can_trace() -> bool {
    Command::new("strace")
        .args(["-f", "-q", "-o", "/dev/null", "true"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// How often each system call was made.
struct Calls(BTreeMap<String, u32>);

impl Calls {
    fn an_operation(&self) -> f64 {
        f64::from(self.0.values().sum::<u32>()) / f64::from(TIMES)
    }
}

/// What of each comes to an operation.
impl fmt::Display for Calls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = |(name, &count)| (name, f64::from(count) / f64::from(TIMES));
        let is_visible = |&(_, cost): &(_, f64)| cost >= 0.005;
        let costs: BTreeMap<_, f64> = self.0.iter().map(each).filter(is_visible).collect();
        write!(formatter, "{costs:.2?}")
    }
}

/// What the threads that run tasks call, the names given left out.
fn calls(program: &Command, left_out: &[&str]) -> Calls {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-q", "-o"]).arg(&trace);
    strace.arg(program.get_program()).args(program.get_args());
    strace.envs(
        program
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    strace
        .env("PARKLET_THREADS", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let threads = listen(strace.spawn().unwrap());
    assert!(!threads.is_empty());

    let mut calls = BTreeMap::new();
    for line in fs::read_to_string(&trace).unwrap().lines() {
        // `123 name(..) = 0`. What is no call begins otherwise, such as `123 <... name resumed>`, the end of one.
        let (thread, call) = line.split_once(' ').unwrap();
        let name = call.trim_start().split('(').next().unwrap();
        let is_call = name
            .chars()
            .all(|char| char.is_alphanumeric() || char == '_');
        // A debug build of std's asks before each `close` whether the descriptor is open.
        let is_check = call.contains("F_GETFD");
        let is_counted = is_call && !is_check && !left_out.contains(&name);
        if is_counted && threads.iter().any(|one| one == thread) {
            *calls.entry(name.to_owned()).or_default() += 1;
        }
    }
    Calls(calls)
}

/// Their numbers.
fn threads_that_run_tasks() -> impl Iterator<Item = u32> {
    let threads = fs::read_dir("/proc/self/task").unwrap();
    threads.filter_map(|thread| {
        let thread = thread.unwrap();
        let name = fs::read_to_string(thread.path().join("comm")).unwrap();
        let is_counted = name.starts_with("parklet-") && name.trim_end() != "parklet-watcher";
        is_counted.then(|| thread.file_name().into_string().unwrap().parse().unwrap())
    })
}

#[test]
fn a_system_call_is_counted() {
    let cost = cost(&[], 1.0, |times| {
        task::block_on(task::spawn(async move {
            for _ in 0..times {
                fs::metadata("/").unwrap();
            }
        }));
    });
    assert!(
        cost.is_none_or(|cost| (0.9..1.2).contains(&cost)),
        "{cost:?}"
    );
}

#[test]
fn tasks_alone_make_none() {
    expect_in_task(4.0 / TASKS_PER_GLANCE, |times| async move {
        operations::spawn_and_join(times).await;
        operations::spawn_and_detach(times).await;
        operations::wake_and_poll(times).await;
        operations::wake_once_more(times).await;
        operations::yield_now(times).await;
    });
}

#[test]
fn what_tasks_wait_for_each_other_with_makes_none() {
    expect_in_task(20.0 / TASKS_PER_GLANCE, |times| async move {
        operations::lock_free(times).await;
        operations::lock_contended(times).await;
        operations::channel_ready(times).await;
        operations::channel_waiting(times).await;
        operations::broadcast_ready(times).await;
        operations::broadcast_waiting(times).await;
    });
}

#[test]
fn a_timer_that_does_not_fire_makes_none() {
    expect_in_task(1.0 / TASKS_PER_GLANCE, |times| async move {
        operations::timeout_ready(times).await;
        operations::timeout_pending(times).await;
        operations::timer_cancelled(times).await;
    });
}

#[test]
fn a_block_on_that_need_not_wait_makes_none() {
    expect(1.0 / TASKS_PER_GLANCE, |times| {
        let caller = thread::Builder::new().name("parklet-caller".into());
        let caller = caller.spawn(move || {
            operations::block_on_ready(times);
            operations::block_on_yield(times);
            // Still there when the threads are listed.
            threads_that_run_tasks().for_each(say);
        });
        caller.unwrap().join().unwrap();
    });
}

#[test]
fn a_round_trip_over_tcp_makes_three() {
    // To wait, to receive, to send.
    expect(3.0, |times| {
        let (sender, address) = mpsc::channel();
        task::spawn(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            let (stream, _) = listener.accept().await.unwrap();
            operations::serve_echo(stream).await;
        })
        .detach();
        let mut stream = TcpStream::connect(address.recv().unwrap()).unwrap();
        stream.set_nodelay(true).unwrap();
        for _ in 0..times {
            echo_one_byte(&mut stream);
        }
    });
}

fn echo_one_byte(stream: &mut TcpStream) {
    let mut byte = [0];
    stream.write_all(&[1]).unwrap();
    stream.read_exact(&mut byte).unwrap();
    assert_eq!(byte, [1]);
}

#[test]
fn a_connection_that_comes_with_others_makes_two() {
    // To accept, to close. How often the worker hears of new ones meanwhile depends on who is faster.
    expect_but(&WAITING, 2.0, |times| {
        let listener = Arc::new(task::block_on(TcpListener::bind("127.0.0.1:0")).unwrap());
        let address = listener.local_addr().unwrap();
        for _ in 0..times / MANY {
            let clients = [(); MANY as usize].map(|()| TcpStream::connect(address).unwrap());
            let (sender, ended) = mpsc::channel();
            let listener = Arc::clone(&listener);
            task::spawn(async move {
                for _ in 0..MANY {
                    drop(listener.accept().await.unwrap());
                }
                sender.send(()).unwrap();
            })
            .detach();
            ended.recv().unwrap();
            drop(clients);
        }
    });
}

#[test]
fn a_connection_that_waits_once_makes_six() {
    // Beside accepting: to find that nothing has come, to register, to receive, to send, to deregister, to close.
    let others = [&WAITING[..], &["accept4"]].concat();
    expect_but(&others, 6.0, |times| {
        let (sender, address) = mpsc::channel();
        let (waits, may_send) = mpsc::channel();
        task::spawn(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut byte = [0];
                let mut read = pin!(stream.read(&mut byte));
                poll_fn(|cx| {
                    assert!(read.as_mut().poll(cx).is_pending());
                    waits.send(()).unwrap();
                    Poll::Ready(())
                })
                .await;
                assert_eq!(read.await.unwrap(), 1);
                stream.write_all(&byte).await.unwrap();
            }
        })
        .detach();
        let address = address.recv().unwrap();
        for _ in 0..times {
            let mut stream = TcpStream::connect(address).unwrap();
            may_send.recv().unwrap();
            echo_one_byte(&mut stream);
        }
    });
}
