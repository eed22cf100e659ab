//! How often an operation asks for memory, once everything is warm, and what a thing that waits keeps of it.
//!
//! All threads are counted, in a process that does nothing else. What does not come from the operation, such as a helping
//! thread that the system's scheduling makes necessary, is kept out by repetition: the cost is a difference between two
//! numbers of repetitions, and of several such counts the least.

use crate::common::own_process::{again, listen, say};
use crate::common::{in_own_process, test_name, watchdog};
use crate::counting_allocator::{allocations, bytes};
use crate::operations;
use parklet::io::ReadExt;
use parklet::net::TcpListener;
use parklet::task;
use std::env;
use std::future::{Future, pending};
use std::hint::black_box;
use std::process::exit;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Repetitions; the second count has twice as many.
const TIMES: u32 = 1000;

/// Counts of each of the two.
const ROUNDS: usize = 5;

/// What a cost may have beyond its limit: queues that grow now and then, the watcher's looks, a thread that helps out.
const TOLERANCE: f64 = 0.3;

/// How the process whose memory is counted is told how much to start.
const MANY_VARIABLE: &str = "PARKLET_TEST_MANY";

/// What a task's cell costs: its memory is that of one that has ended. A debug build asks for it each time, so that tools
/// see what is used after it was freed.
const CELL: f64 = if cfg!(debug_assertions) { 1.0 } else { 0.0 };

/// Fails if an operation allocates more often than `limit`, with one worker or two. `run` repeats it.
#[track_caller]
fn expect(limit: f64, run: impl Fn(u32)) {
    let test = test_name();
    for workers in ["1", "2"] {
        let Some(mut process) = again(&test) else {
            let _watchdog = watchdog();
            return say(cost(run));
        };
        let process = process.env("PARKLET_THREADS", workers).spawn().unwrap();
        let cost: f64 = listen(process)[0].parse().unwrap();
        println!("{test} with {workers} workers: {cost:.2} allocations");
        assert!(
            cost <= limit + TOLERANCE,
            "{cost} allocations with {workers} workers, at most {limit}"
        );
    }
}

/// How often an operation allocates.
fn cost(run: impl Fn(u32)) -> f64 {
    let least = |times| {
        let counts = (0..ROUNDS).map(|_| {
            let before = allocations();
            run(times);
            allocations() - before
        });
        counts.min().expect("there are rounds") as f64
    };
    run(TIMES);
    (least(2 * TIMES) - least(TIMES)) / f64::from(TIMES)
}

/// The same for an operation of tasks.
#[track_caller]
fn expect_in_task<F>(limit: f64, operation: impl Fn(u32) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    expect(limit, |times| task::block_on(task::spawn(operation(times))));
}

#[test]
fn an_allocation_is_counted() {
    in_own_process(&[], || {
        let cost = cost(|times| {
            for number in 0..times {
                black_box(Box::new(black_box(number)));
            }
        });
        assert!((0.99..1.01).contains(&cost), "{cost}");
        let before = bytes();
        let kept = black_box(vec![0_u8; 10_000]);
        assert!((10_000..11_000).contains(&(bytes() - before)));
        drop(kept);
        assert!(bytes() < before + 1000);
    });
}

#[test]
fn a_task_spawned_and_joined() {
    expect_in_task(CELL, operations::spawn_and_join);
}

#[test]
fn tasks_spawned_and_joined_in_batches() {
    expect_in_task(CELL, operations::spawn_many_and_join);
}

#[test]
fn a_detached_task() {
    expect_in_task(CELL, operations::spawn_and_detach);
}

#[test]
fn a_task_spawned_outside() {
    expect(CELL, operations::spawn_from_outside);
}

#[test]
fn a_wake_and_the_poll_that_answers_it() {
    expect_in_task(0.0, operations::wake_and_poll);
}

#[test]
fn a_wake_of_a_task_that_was_woken() {
    expect_in_task(0.0, operations::wake_once_more);
}

#[test]
fn a_yield() {
    expect_in_task(0.0, operations::yield_now);
}

#[test]
fn a_block_on_of_a_ready_future() {
    expect(0.0, operations::block_on_ready);
}

#[test]
fn a_block_on_that_yields() {
    expect(0.0, operations::block_on_yield);
}

#[test]
fn a_call_on_the_blocking_pool() {
    expect_in_task(2.0, operations::spawn_blocking);
}

#[test]
fn a_free_mutex() {
    expect_in_task(0.0, operations::lock_free);
}

#[test]
fn a_contended_mutex() {
    expect_in_task(0.0, operations::lock_contended);
}

#[test]
fn a_message_that_nobody_waits_for() {
    expect_in_task(0.0, operations::channel_ready);
}

#[test]
fn a_message_that_a_task_waits_for() {
    expect_in_task(0.0, operations::channel_waiting);
}

#[test]
fn a_broadcast_value_that_nobody_waits_for() {
    expect_in_task(0.0, operations::broadcast_ready);
}

#[test]
fn a_broadcast_value_that_tasks_wait_for() {
    expect_in_task(0.0, operations::broadcast_waiting);
}

#[test]
fn a_time_limit_of_a_ready_future() {
    expect_in_task(0.0, operations::timeout_ready);
}

#[test]
fn a_time_limit_that_is_not_reached() {
    expect_in_task(0.0, operations::timeout_pending);
}

#[test]
fn a_timer_set_and_cancelled() {
    expect_in_task(0.0, operations::timer_cancelled);
}

#[test]
fn a_timer_that_fires() {
    expect_in_task(0.0, operations::timer_fired);
}

#[test]
fn a_round_trip_over_tcp() {
    expect_in_task(0.0, operations::tcp_echo);
}

#[test]
fn a_connection_accepted_and_closed() {
    expect_in_task(0.0, operations::accept_and_close);
}

/// Fails if one of many things takes more than `limit` bytes; `start` starts so many, which then wait, and hands over what
/// keeps them. What the first of them all take once drops out, since it is a difference here too.
#[track_caller]
fn expect_bytes<T>(limit: u64, start: impl Fn(usize, &mut Vec<T>)) {
    const FEW: usize = 100;
    const MORE: usize = 300;
    let test = test_name();
    let taken = [FEW, FEW + MORE].map(|many| {
        let Some(mut process) = again(&test) else {
            let _watchdog = watchdog();
            let many = env::var(MANY_VARIABLE).unwrap().parse().unwrap();
            let mut kept = Vec::with_capacity(many);
            let before = bytes();
            start(many, &mut kept);
            say(bytes() - before);
            exit(0);
        };
        let process = process
            .env(MANY_VARIABLE, many.to_string())
            // More workers have more queues, which grow as chance has it.
            .env("PARKLET_THREADS", "1")
            .env("PARKLET_THREADS", "1");
        let taken: u64 = listen(process.spawn().unwrap())[0].parse().unwrap();
        taken
    });
    let each = (taken[1] - taken[0]) / MORE as u64;
    println!("{test}: {each} bytes each");
    assert!(each <= limit, "{each} bytes each, at most {limit}");
}

/// How many tasks have come to the point where they wait.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// Returns when so many tasks wait.
fn until_waiting(many: usize) {
    while WAITING.load(Ordering::Relaxed) < many {
        std::thread::yield_now();
    }
}

#[test]
fn a_task_that_waits() {
    // The header's 40 and the future's 64. The rest is for queues, whose room doubles now and then.
    expect_bytes(144, |many, handles| {
        handles.extend((0..many).map(|_| {
            task::spawn(async {
                let state = black_box([0_u8; 64]);
                WAITING.fetch_add(1, Ordering::Relaxed);
                pending::<()>().await;
                black_box(state);
            })
        }));
        until_waiting(many);
    });
}

#[test]
fn a_connection_whose_reader_waits() {
    // The task's 88, the source's 64. Pages of sources are made ahead, an eighth more; how many fall into the count depends on
    // which numbers the descriptors get.
    expect_bytes(250, |many, clients| {
        // They come first: where their descriptors are, there are no sources.
        let listener = task::block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        clients.extend((0..many).map(|_| std::net::TcpStream::connect(address).unwrap()));
        task::block_on(task::spawn(async move {
            for _ in 0..many {
                let (mut stream, _) = listener.accept().await.unwrap();
                task::spawn(async move {
                    let mut byte = [0];
                    WAITING.fetch_add(1, Ordering::Relaxed);
                    stream.read(&mut byte).await.unwrap();
                })
                .detach();
            }
        }));
        until_waiting(many);
    });
}
