//! A timeout around what is in time: at once, or after one yield.

use std::hint::black_box;
use std::time::Duration;

use super::runtime;
use crate::arena::run::{Run, Workload};

pub(crate) const WORKLOADS: &[Workload] = &[
    Workload::new("timeout/ready", ready),
    Workload::new("timeout/pends_once", pends_once),
];

const TIMES: u64 = 1_000;

const LONG: Duration = Duration::from_secs(30);

fn ready(run: Run) {
    runtime::block_on(async move {
        runtime::spawn_with(move || async move {
            for _ in run.batches(TIMES) {
                let mut sum = 0;
                for number in 0..TIMES {
                    sum += runtime::timeout(LONG, async { black_box(number) })
                        .await
                        .unwrap();
                }
                assert_eq!(sum, TIMES * (TIMES - 1) / 2);
            }
        })
        .await;
    });
}

fn pends_once(run: Run) {
    runtime::block_on(async move {
        runtime::spawn_with(move || async move {
            for _ in run.batches(TIMES) {
                let mut in_time = 0;
                for _ in 0..TIMES {
                    in_time +=
                        u64::from(runtime::timeout(LONG, runtime::yield_now()).await.is_some());
                }
                assert_eq!(in_time, TIMES);
            }
        })
        .await;
    });
}
