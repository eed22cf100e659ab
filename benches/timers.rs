//! Timers that are set and never fire, as most timeouts do, and timers that fire.
//!
//! What sleeps takes its time on any runtime: `timers/sleep` compares the CPU time of the process.

#[macro_use]
mod side_by_side;

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use side_by_side::{SideBySide, Work, timed};

on_both_runtimes! {
    use std::time::{Duration, Instant};

    use runtime::{future, task};

    /// A timeout around something that waits, and comes in time.
    pub(crate) fn timeout_in_time(times: u64) {
        let in_time = task::block_on(task::spawn(async move {
            let mut in_time = 0;
            for _ in 0..times {
                if future::timeout(Duration::from_secs(30), task::yield_now()).await.is_ok() {
                    in_time += 1;
                }
            }
            in_time
        }));
        assert_eq!(in_time, times);
    }

    /// Ten thousand tasks that sleep for one to ten milliseconds.
    pub(crate) fn sleep(times: u64) {
        for _ in 0..times {
            let slept: u64 = task::block_on(async {
                let handles: Vec<_> = (0..10_000_u64)
                    .map(|number| {
                        task::spawn(async move {
                            let start = Instant::now();
                            let duration = Duration::from_millis(1 + number % 10);
                            task::sleep(duration).await;
                            u64::from(start.elapsed() >= duration)
                        })
                    })
                    .collect();
                let mut slept = 0;
                for handle in handles {
                    slept += handle.await;
                }
                slept
            });
            assert_eq!(slept, 10_000, "no sleep ends early");
        }
    }
}

/// Work that costs the CPU time that this process uses meanwhile, on all its threads.
fn on_cpu<'a>(mut work: impl FnMut(u64) + 'a) -> Work<'a> {
    Box::new(move |operations| {
        let start = cpu_time();
        work(operations);
        cpu_time() - start
    })
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn main() {
    let mut bench = SideBySide::new();
    bench.compare(
        "timers/timeout_in_time/1_task",
        timed(on_parklet::timeout_in_time),
        timed(on_async_std::timeout_in_time),
    );
    bench.compare(
        "timers/sleep_cpu/10k_tasks",
        on_cpu(on_parklet::sleep),
        on_cpu(on_async_std::sleep),
    );
    bench.finish();
}
