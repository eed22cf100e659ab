//! Calls that block, on the threads that are kept for them: ten thousand at once, and one after another.

use std::hint::black_box;

use super::runtime;
use crate::arena::run::{Run, Workload};

pub(crate) const WORKLOADS: &[Workload] = &[
    Workload::new("spawn_blocking/burst", burst),
    Workload::new("spawn_blocking/one_by_one", one_by_one),
];

const BURST: u64 = 10_000;

fn burst(run: Run) {
    runtime::block_on(async {
        for _ in run.batches(BURST) {
            let jobs: Vec<_> = (0..BURST)
                .map(|number| runtime::spawn_blocking(move || black_box(number)))
                .collect();
            let mut sum = 0;
            for job in jobs {
                sum += job.await;
            }
            assert_eq!(sum, BURST * (BURST - 1) / 2);
        }
    });
}

const JOBS: u64 = 100;

fn one_by_one(run: Run) {
    runtime::block_on(async {
        for _ in run.batches(JOBS) {
            let mut sum = 0;
            for number in 0..JOBS {
                sum += runtime::spawn_blocking(move || black_box(number)).await;
            }
            assert_eq!(sum, JOBS * (JOBS - 1) / 2);
        }
    });
}
