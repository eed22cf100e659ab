//! The runtime's own broadcast channel, to 100 tasks: many messages at once, and one after another.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::runtime;
use crate::arena::run::{Run, Workload};

pub(crate) const WORKLOADS: &[Workload] = &[
    Workload::new("broadcast/burst", bursts),
    Workload::new("broadcast/wake", one_by_one),
];

const RECEIVERS: u64 = 100;

const MESSAGES: u64 = 1_024;

fn bursts(run: Run) {
    broadcast(run, MESSAGES);
}

fn one_by_one(run: Run) {
    broadcast(run, 1);
}

/// Sends so many messages at once, waits until every task has received them, and so on.
fn broadcast(run: Run, burst: u64) {
    runtime::block_on(async {
        for _ in run.batches(MESSAGES * RECEIVERS) {
            let (sender, _) = runtime::broadcast::channel(MESSAGES as usize);
            let (received, all_received) = async_channel::bounded(1);
            let left = Arc::new(AtomicU64::new(0));
            let tasks: Vec<_> = (0..RECEIVERS)
                .map(|_| {
                    let mut receiver = sender.subscribe();
                    let (received, left) = (received.clone(), Arc::clone(&left));
                    runtime::spawn(async move {
                        let mut sum = 0;
                        let mut messages = 0;
                        while let Ok(number) = receiver.recv().await {
                            sum += number;
                            messages += 1;
                            if messages == burst {
                                messages = 0;
                                if left.fetch_sub(1, Ordering::AcqRel) == 1 {
                                    received.send(()).await.unwrap();
                                }
                            }
                        }
                        sum
                    })
                })
                .collect();
            let mut number = 0;
            while number < MESSAGES {
                left.store(RECEIVERS, Ordering::Release);
                for _ in 0..burst {
                    sender.send(number).unwrap();
                    number += 1;
                }
                all_received.recv().await.unwrap();
            }
            drop(sender);
            for task in tasks {
                assert_eq!(task.await, MESSAGES * (MESSAGES - 1) / 2);
            }
        }
    });
}
