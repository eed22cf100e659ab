//! The runtime's own `RwLock`: free, and held across a yield while 63 other tasks want it, one time in ten to write.

use std::sync::Arc;

use super::runtime;
use crate::arena::run::{Run, Workload};

pub(crate) const WORKLOADS: &[Workload] = &[
    Workload::new("rw_lock/free_read", free_read),
    Workload::new("rw_lock/free_write", free_write),
    Workload::new("rw_lock/contended", contended),
];

const LOCKS: u64 = 10_000;

fn free_read(run: Run) {
    runtime::block_on(async move {
        runtime::spawn(async move {
            let lock = runtime::RwLock::new(1);
            for _ in run.batches(LOCKS) {
                let mut sum = 0;
                for _ in 0..LOCKS {
                    sum += *lock.read().await;
                }
                assert_eq!(sum, LOCKS);
            }
        })
        .await;
    });
}

fn free_write(run: Run) {
    runtime::block_on(async move {
        runtime::spawn(async move {
            let lock = runtime::RwLock::new(0);
            for _ in run.batches(LOCKS) {
                for _ in 0..LOCKS {
                    *lock.write().await += 1;
                }
                assert_eq!(std::mem::take(&mut *lock.write().await), LOCKS);
            }
        })
        .await;
    });
}

const TASKS: u64 = 64;

const LOCKS_EACH: u64 = 100;

/// One lock of so many is to write.
const WRITES_ONE_IN: u64 = 10;

fn contended(run: Run) {
    runtime::block_on(async {
        for _ in run.batches(TASKS * LOCKS_EACH) {
            let lock = Arc::new(runtime::RwLock::new(0));
            let tasks: Vec<_> = (0..TASKS)
                .map(|task| {
                    let lock = Arc::clone(&lock);
                    runtime::spawn(async move {
                        for turn in 0..LOCKS_EACH {
                            // They do not all write at once.
                            if (task + turn).is_multiple_of(WRITES_ONE_IN) {
                                let mut count = lock.write().await;
                                let before = *count;
                                runtime::yield_now().await;
                                *count = before + 1;
                            } else {
                                let count = lock.read().await;
                                let before = *count;
                                runtime::yield_now().await;
                                assert_eq!(*count, before, "somebody wrote meanwhile");
                            }
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await;
            }
            assert_eq!(*lock.read().await, TASKS * LOCKS_EACH / WRITES_ONE_IN);
        }
    });
}
