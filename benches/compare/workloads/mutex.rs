//! The runtime's own mutex: free, and held across a yield while 63 other tasks want it.

use std::sync::Arc;

use super::runtime;
use crate::arena::run::{Run, Workload};

pub(crate) const WORKLOADS: &[Workload] = &[
    Workload::new("mutex/free", free),
    Workload::new("mutex/contended", contended),
];

const LOCKS: u64 = 10_000;

fn free(run: Run) {
    runtime::block_on(async move {
        runtime::spawn(async move {
            let mutex = runtime::Mutex::new(0);
            for _ in run.batches(LOCKS) {
                for _ in 0..LOCKS {
                    *mutex.lock().await += 1;
                }
                assert_eq!(std::mem::take(&mut *mutex.lock().await), LOCKS);
            }
        })
        .await;
    });
}

const TASKS: u64 = 64;

const LOCKS_EACH: u64 = 100;

fn contended(run: Run) {
    runtime::block_on(async {
        for _ in run.batches(TASKS * LOCKS_EACH) {
            let mutex = Arc::new(runtime::Mutex::new(0));
            let tasks: Vec<_> = (0..TASKS)
                .map(|_| {
                    let mutex = Arc::clone(&mutex);
                    runtime::spawn(async move {
                        for _ in 0..LOCKS_EACH {
                            let mut count = mutex.lock().await;
                            // The others run now, and find it locked.
                            runtime::yield_now().await;
                            *count += 1;
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await;
            }
            assert_eq!(*mutex.lock().await, TASKS * LOCKS_EACH);
        }
    });
}
