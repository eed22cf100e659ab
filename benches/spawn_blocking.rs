//! What it costs to have a closure run on the blocking pool: one after the other, and a thousand at once.
//!
//! `spawn_blocking/one_by_one` has a new thread per call beside the pools.

#[macro_use]
mod side_by_side;

use std::hint::black_box;
use std::thread;

use side_by_side::{SideBySide, timed};

on_both_runtimes! {
    use std::hint::black_box;

    use runtime::task;

    /// A call and its value, then the next.
    pub(crate) fn one_by_one(calls: u64) {
        let sum = task::block_on(async {
            let mut sum = 0;
            for number in 0..calls {
                sum += task::spawn_blocking(move || black_box(number)).await;
            }
            sum
        });
        assert_eq!(sum, calls * (calls - 1) / 2);
    }

    /// A thousand calls, then their values.
    pub(crate) fn at_once(times: u64) {
        for _ in 0..times {
            let sum: u64 = task::block_on(async {
                let calls: Vec<_> =
                    (0..1_000).map(|number| task::spawn_blocking(move || black_box(number))).collect();
                let mut sum = 0;
                for call in calls {
                    sum += call.await;
                }
                sum
            });
            assert_eq!(sum, 499_500);
        }
    }
}

/// A thread per call.
fn threads_one_by_one(calls: u64) {
    let sum: u64 = (0..calls)
        .map(|number| thread::spawn(move || black_box(number)).join().unwrap())
        .sum();
    assert_eq!(sum, calls * (calls - 1) / 2);
}

fn main() {
    let mut bench = SideBySide::new();
    bench.compare_with_threads(
        "spawn_blocking/one_by_one/1_call",
        timed(on_parklet::one_by_one),
        timed(on_async_std::one_by_one),
        timed(threads_one_by_one),
    );
    bench.compare(
        "spawn_blocking/at_once/1k_calls",
        timed(on_parklet::at_once),
        timed(on_async_std::at_once),
    );
    bench.finish();
}
