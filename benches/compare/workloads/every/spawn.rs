//! Ten thousand tasks from their spawn to their end, and a chain of tasks.

use std::hint::black_box;

use super::runtime;
use crate::arena::run::{Run, Workload};

pub(crate) const WORKLOADS: &[Workload] = &[
    Workload::new("spawn/block_on", from_block_on),
    Workload::new("spawn/task", from_task),
    Workload::new("spawn/chained", chained),
];

const TASKS: u64 = 10_000;

const LINKS: u64 = 1_000;

/// Spawns them all, and awaits one after another.
async fn spawn_and_join() {
    let handles: Vec<_> = (0..TASKS)
        .map(|number| runtime::spawn(async move { black_box(number) }))
        .collect();
    let mut sum = 0;
    for handle in handles {
        sum += handle.await;
    }
    assert_eq!(sum, TASKS * (TASKS - 1) / 2);
}

fn from_block_on(run: Run) {
    runtime::block_on(async {
        for _ in run.batches(TASKS) {
            spawn_and_join().await;
        }
    });
}

fn from_task(run: Run) {
    runtime::block_on(async move {
        runtime::spawn(async move {
            for _ in run.batches(TASKS) {
                spawn_and_join().await;
            }
        })
        .await;
    });
}

/// Each task spawns the next and ends; the last says so.
fn chained(run: Run) {
    fn link(number: u64, sum: u64, end: async_channel::Sender<u64>) {
        runtime::detach(async move {
            if number < LINKS {
                link(number + 1, sum + black_box(number), end);
            } else {
                end.send(sum).await.unwrap();
            }
        });
    }
    runtime::block_on(async move {
        runtime::spawn(async move {
            let (end, ended) = async_channel::bounded(1);
            for _ in run.batches(LINKS) {
                link(0, 0, end.clone());
                assert_eq!(ended.recv().await, Ok(LINKS * (LINKS - 1) / 2));
            }
        })
        .await;
    });
}
