//! Tasks that are woken: by themselves, by one another over async-channel, by a plain thread.

use std::hint::black_box;
use std::sync::mpsc;
use std::thread;

use async_channel::{Receiver, Sender, bounded};

use super::runtime;
use crate::arena::run::{Run, Workload};

pub(crate) const WORKLOADS: &[Workload] = &[
    Workload::new("yield", yields),
    Workload::new("ping_pong/new", new_pairs),
    Workload::new("ping_pong/steady", steady_pairs),
    Workload::new("wake/thread", thread_and_task),
];

const YIELDING_TASKS: u64 = 200;

const YIELDS: u64 = 1_000;

fn yields(run: Run) {
    runtime::block_on(async {
        for _ in run.batches(YIELDING_TASKS * YIELDS) {
            let tasks: Vec<_> = (0..YIELDING_TASKS)
                .map(|_| {
                    runtime::spawn(async {
                        let mut yields = 0;
                        while yields < YIELDS {
                            runtime::yield_now().await;
                            yields = black_box(yields + 1);
                        }
                        yields
                    })
                })
                .collect();
            let mut sum = 0;
            for task in tasks {
                sum += task.await;
            }
            assert_eq!(sum, YIELDING_TASKS * YIELDS);
        }
    });
}

const PAIRS: u64 = 1_000;

/// Round trips of the pairs that stay: so many that making the pairs does not count.
const STEADY_TRIPS: u64 = 100;

fn new_pairs(run: Run) {
    ping_pong(run, 1);
}

fn steady_pairs(run: Run) {
    ping_pong(run, STEADY_TRIPS);
}

/// In each pair one task sends a number and the other sends it back, larger by one.
fn ping_pong(run: Run, trips: u64) {
    async fn ping(balls: Sender<u64>, back: Receiver<u64>, trips: u64) -> u64 {
        let mut ball = 0;
        for _ in 0..trips {
            balls.send(ball).await.unwrap();
            ball = back.recv().await.unwrap();
        }
        ball
    }
    async fn pong(balls: Receiver<u64>, back: Sender<u64>) {
        while let Ok(ball) = balls.recv().await {
            // The other one may end after its last ball.
            let _ = back.send(ball + 1).await;
        }
    }
    runtime::block_on(async {
        for _ in run.batches(PAIRS * trips) {
            let pairs: Vec<_> = (0..PAIRS)
                .map(|_| {
                    let (balls, receiver) = bounded(1);
                    let (sender, back) = bounded(1);
                    runtime::detach(pong(receiver, sender));
                    runtime::spawn(ping(balls, back, trips))
                })
                .collect();
            let mut sum = 0;
            for pair in pairs {
                sum += pair.await;
            }
            assert_eq!(sum, PAIRS * trips);
        }
    });
}

const HAND_OVERS: u64 = 100;

/// A plain thread wakes a task, which wakes the thread. The thread is not the runtime's, and not in `block_on`.
fn thread_and_task(run: Run) {
    let (to_task, from_thread) = bounded::<u64>(1);
    let (to_thread, from_task) = mpsc::channel();
    let thread = thread::spawn(move || {
        let mut number = 0;
        for _ in run.batches(HAND_OVERS) {
            for _ in 0..HAND_OVERS {
                to_task.try_send(number).unwrap();
                assert_eq!(from_task.recv(), Ok(number + 1));
                number += 1;
            }
        }
        number
    });
    let answered = runtime::block_on(async move {
        runtime::spawn(async move {
            let mut answered = 0;
            while let Ok(number) = from_thread.recv().await {
                to_thread.send(number + 1).unwrap();
                answered += 1;
            }
            answered
        })
        .await
    });
    assert_eq!(thread.join().unwrap(), answered);
}
