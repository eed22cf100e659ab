//! What a task costs from its spawn to its end: alone, in thousands, detached, in a chain, on one thread.
//!
//! `spawn/one_by_one/1_task` has a plain thread beside the task.

#[macro_use]
mod side_by_side;

use std::hint::black_box;
use std::thread;

use side_by_side::{SideBySide, timed};

on_both_runtimes! {
    use std::hint::black_box;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::{NUMBER, SUM};
    use runtime::{channel, task};

    /// Spawns a task and awaits it, then the next.
    pub(crate) fn one_by_one(tasks: u64) {
        let sum = task::block_on(async {
            let mut sum = 0;
            for number in 0..tasks {
                sum += task::spawn(async move { black_box(number) }).await;
            }
            sum
        });
        assert_eq!(sum, tasks * (tasks - 1) / 2);
    }

    /// A task spawns ten thousand, and awaits them all.
    pub(crate) fn joined(times: u64) {
        for _ in 0..times {
            let sum: u64 = task::block_on(task::spawn(async {
                let handles: Vec<_> = (0..NUMBER).map(|number| task::spawn(async move { black_box(number) })).collect();
                let mut sum = 0;
                for handle in handles {
                    sum += handle.await;
                }
                sum
            }));
            assert_eq!(sum, SUM);
        }
    }

    /// A task spawns ten thousand and lets them go; the last to end says so.
    pub(crate) fn detached(times: u64) {
        for _ in 0..times {
            let sum = task::block_on(task::spawn(async {
                let (ended, all_ended) = channel::bounded(1);
                let shared = Arc::new((AtomicU64::new(0), AtomicU64::new(0)));
                for number in 0..NUMBER {
                    let (ended, shared) = (ended.clone(), Arc::clone(&shared));
                    drop(task::spawn(async move {
                        shared.0.fetch_add(number, Ordering::Relaxed);
                        if shared.1.fetch_add(1, Ordering::AcqRel) == NUMBER - 1 {
                            ended.send(shared.0.load(Ordering::Relaxed)).await.unwrap();
                        }
                    }));
                }
                all_ended.recv().await.unwrap()
            }));
            assert_eq!(sum, SUM);
        }
    }

    /// Each task spawns the next and ends; the last says so.
    pub(crate) fn chained(times: u64) {
        fn link(number: u64, sum: u64, end: channel::Sender<u64>) {
            drop(task::spawn(async move {
                if number < NUMBER {
                    link(number + 1, sum + number, end);
                } else {
                    end.send(sum).await.unwrap();
                }
            }));
        }
        for _ in 0..times {
            let (end, ended) = channel::bounded(1);
            link(0, 0, end);
            assert_eq!(task::block_on(ended.recv()).unwrap(), SUM);
        }
    }

    /// Ten thousand tasks that stay on the thread that spawned them.
    pub(crate) fn local(times: u64) {
        for _ in 0..times {
            let sum: u64 = task::block_on(async {
                let handles: Vec<_> =
                    (0..NUMBER).map(|number| task::spawn_local(async move { black_box(number) })).collect();
                let mut sum = 0;
                for handle in handles {
                    sum += handle.await;
                }
                sum
            });
            assert_eq!(sum, SUM);
        }
    }
}

/// Tasks of the workloads named `10k_tasks`.
const NUMBER: u64 = 10_000;

/// What the numbers of those tasks add up to.
const SUM: u64 = NUMBER * (NUMBER - 1) / 2;

/// Starts a thread and joins it, then the next.
fn threads_one_by_one(threads: u64) {
    let sum: u64 = (0..threads)
        .map(|number| thread::spawn(move || black_box(number)).join().unwrap())
        .sum();
    assert_eq!(sum, threads * (threads - 1) / 2);
}

fn main() {
    let mut bench = SideBySide::new();
    bench.compare_with_threads(
        "spawn/one_by_one/1_task",
        timed(on_parklet::one_by_one),
        timed(on_async_std::one_by_one),
        timed(threads_one_by_one),
    );
    bench.compare(
        "spawn/joined/10k_tasks",
        timed(on_parklet::joined),
        timed(on_async_std::joined),
    );
    bench.compare(
        "spawn/detached/10k_tasks",
        timed(on_parklet::detached),
        timed(on_async_std::detached),
    );
    bench.compare(
        "spawn/chained/10k_tasks",
        timed(on_parklet::chained),
        timed(on_async_std::chained),
    );
    bench.compare(
        "spawn/local/10k_tasks",
        timed(on_parklet::local),
        timed(on_async_std::local),
    );
    bench.finish();
}
