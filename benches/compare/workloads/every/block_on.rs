//! `block_on` of what is ready at once, or after one yield.

use std::hint::black_box;

use super::runtime;
use crate::arena::run::{Run, Workload};

pub(crate) const WORKLOADS: &[Workload] = &[
    Workload::new("block_on/ready", ready),
    Workload::new("block_on/yield", one_yield),
];

const TIMES: u64 = 1_000;

fn ready(run: Run) {
    for _ in run.batches(TIMES) {
        let sum: u64 = (0..TIMES)
            .map(|number| runtime::block_on(async { black_box(number) }))
            .sum();
        assert_eq!(sum, TIMES * (TIMES - 1) / 2);
    }
}

fn one_yield(run: Run) {
    for _ in run.batches(TIMES) {
        let sum: u64 = (0..TIMES)
            .map(|number| {
                runtime::block_on(async {
                    runtime::yield_now().await;
                    black_box(number)
                })
            })
            .sum();
        assert_eq!(sum, TIMES * (TIMES - 1) / 2);
    }
}
