//! What it costs to step back and be polled again: alone, and among many that do the same.

#[macro_use]
mod side_by_side;

use side_by_side::{SideBySide, timed};

on_both_runtimes! {
    use runtime::task;

    /// One task yields and yields.
    pub(crate) fn alone(yields: u64) {
        let turns = task::block_on(task::spawn(async move {
            let mut turns = 0;
            for _ in 0..yields {
                task::yield_now().await;
                turns += 1;
            }
            turns
        }));
        assert_eq!(turns, yields);
    }

    /// A hundred tasks yield a hundred times each.
    pub(crate) fn among_many(times: u64) {
        for _ in 0..times {
            let turns: u64 = task::block_on(task::spawn(async {
                let handles: Vec<_> = (0..100)
                    .map(|_| {
                        task::spawn(async {
                            let mut turns = 0;
                            for _ in 0..100 {
                                task::yield_now().await;
                                turns += 1;
                            }
                            turns
                        })
                    })
                    .collect();
                let mut turns = 0;
                for handle in handles {
                    turns += handle.await;
                }
                turns
            }));
            assert_eq!(turns, 10_000);
        }
    }

    /// The future of `block_on` itself yields.
    pub(crate) fn in_block_on(yields: u64) {
        let turns = task::block_on(async {
            let mut turns = 0;
            for _ in 0..yields {
                task::yield_now().await;
                turns += 1;
            }
            turns
        });
        assert_eq!(turns, yields);
    }
}

fn main() {
    let mut bench = SideBySide::new();
    bench.compare(
        "yield_now/alone/1_task",
        timed(on_parklet::alone),
        timed(on_async_std::alone),
    );
    bench.compare(
        "yield_now/among_many/100_tasks",
        timed(on_parklet::among_many),
        timed(on_async_std::among_many),
    );
    bench.compare(
        "yield_now/in_block_on/1_future",
        timed(on_parklet::in_block_on),
        timed(on_async_std::in_block_on),
    );
    bench.finish();
}
