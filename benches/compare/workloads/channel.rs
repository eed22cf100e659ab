//! The runtime's own bounded channel, between two tasks.

use std::hint::black_box;

use super::runtime;
use crate::arena::run::{Run, Workload};

pub(crate) const WORKLOADS: &[Workload] = &[Workload::new("channel", one_to_one)];

const MESSAGES: u64 = 10_000;

const CAPACITY: usize = 100;

fn one_to_one(run: Run) {
    runtime::block_on(async {
        for _ in run.batches(MESSAGES) {
            let (sender, mut receiver) = runtime::bounded(CAPACITY);
            let producer = runtime::spawn(async move {
                for number in 0..MESSAGES {
                    sender.send(black_box(number)).await.unwrap();
                }
            });
            let consumer = runtime::spawn(async move {
                let mut sum = 0;
                for _ in 0..MESSAGES {
                    sum += runtime::receive(&mut receiver).await;
                }
                sum
            });
            producer.await;
            assert_eq!(consumer.await, MESSAGES * (MESSAGES - 1) / 2);
        }
    });
}
