//! The runtime's own semaphore: free, and four permits that 64 tasks want and hold across a yield.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::runtime;
use crate::arena::run::{Run, Workload};

pub(crate) const WORKLOADS: &[Workload] = &[
    Workload::new("semaphore/free", free),
    Workload::new("semaphore/contended", contended),
];

const ACQUIRES: u64 = 10_000;

fn free(run: Run) {
    runtime::block_on(async move {
        runtime::spawn(async move {
            let semaphore = runtime::Semaphore::new(1);
            for _ in run.batches(ACQUIRES) {
                let mut acquired = 0;
                for _ in 0..ACQUIRES {
                    let _permit = runtime::acquire(&semaphore).await;
                    acquired = black_box(acquired + 1);
                }
                assert_eq!(acquired, ACQUIRES);
            }
        })
        .await;
    });
}

const TASKS: u64 = 64;

const PERMITS: u64 = 4;

const ACQUIRES_EACH: u64 = 100;

fn contended(run: Run) {
    runtime::block_on(async {
        for _ in run.batches(TASKS * ACQUIRES_EACH) {
            let semaphore = Arc::new(runtime::Semaphore::new(PERMITS as usize));
            let holders = Arc::new(AtomicU64::new(0));
            let tasks: Vec<_> = (0..TASKS)
                .map(|_| {
                    let (semaphore, holders) = (Arc::clone(&semaphore), Arc::clone(&holders));
                    runtime::spawn(async move {
                        let mut acquired = 0;
                        for _ in 0..ACQUIRES_EACH {
                            let permit = runtime::acquire(&semaphore).await;
                            assert!(holders.fetch_add(1, Ordering::Relaxed) < PERMITS);
                            // The others run now, and find the permits taken.
                            runtime::yield_now().await;
                            holders.fetch_sub(1, Ordering::Relaxed);
                            drop(permit);
                            acquired += 1;
                        }
                        acquired
                    })
                })
                .collect();
            let mut acquired = 0;
            for task in tasks {
                acquired += task.await;
            }
            assert_eq!(acquired, TASKS * ACQUIRES_EACH);
        }
    });
}
