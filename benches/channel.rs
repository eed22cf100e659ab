//! Two tasks that wait for each other, and a stream of values from one to another.
//!
//! `channel/ping_pong` has two plain threads beside the tasks: a switch between tasks against a switch in the kernel.

#[macro_use]
mod side_by_side;

use std::sync::mpsc;
use std::thread;

use side_by_side::{SideBySide, timed};

on_both_runtimes! {
    use runtime::{channel, task};

    /// A number goes to the other task and comes back one larger.
    pub(crate) fn ping_pong(round_trips: u64) {
        let last = task::block_on(async move {
            let (ping, pinged) = channel::bounded::<u64>(1);
            let (pong, ponged) = channel::bounded::<u64>(1);
            let other = task::spawn(async move {
                while let Ok(number) = pinged.recv().await {
                    pong.send(number + 1).await.unwrap();
                }
            });
            let last = task::spawn(async move {
                let mut number = 0;
                for _ in 0..round_trips {
                    ping.send(number).await.unwrap();
                    number = ponged.recv().await.unwrap();
                }
                number
            })
            .await;
            other.await;
            last
        });
        assert_eq!(last, round_trips);
    }

    /// Values from one task to another, a hundred of them under way at most.
    pub(crate) fn stream(values: u64) {
        let sum = task::block_on(async move {
            let (sender, receiver) = channel::bounded(100);
            drop(task::spawn(async move {
                for value in 0..values {
                    sender.send(value).await.unwrap();
                }
            }));
            task::spawn(async move {
                let mut sum = 0;
                while let Ok(value) = receiver.recv().await {
                    sum += value;
                }
                sum
            })
            .await
        });
        assert_eq!(sum, values * (values - 1) / 2);
    }
}

/// The same with two threads and std's channel.
fn threads_ping_pong(round_trips: u64) {
    let (ping, pinged) = mpsc::sync_channel::<u64>(1);
    let (pong, ponged) = mpsc::sync_channel::<u64>(1);
    let other = thread::spawn(move || {
        while let Ok(number) = pinged.recv() {
            pong.send(number + 1).unwrap();
        }
    });
    let mut number = 0;
    for _ in 0..round_trips {
        ping.send(number).unwrap();
        number = ponged.recv().unwrap();
    }
    drop(ping);
    other.join().unwrap();
    assert_eq!(number, round_trips);
}

fn main() {
    let mut bench = SideBySide::new();
    bench.compare_with_threads(
        "channel/ping_pong/2_tasks",
        timed(on_parklet::ping_pong),
        timed(on_async_std::ping_pong),
        timed(threads_ping_pong),
    );
    bench.compare(
        "channel/stream/100_slots",
        timed(on_parklet::stream),
        timed(on_async_std::stream),
    );
    bench.finish();
}
