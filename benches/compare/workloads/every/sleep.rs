//! Sleeps: how late they end, what they cost, and whether one ends too early.

use std::time::{Duration, Instant};

use super::runtime;
use crate::arena::clock::cpu_time;
use crate::arena::run::{Run, Workload};

pub(crate) const WORKLOADS: &[Workload] = &[
    Workload::new("sleep/100k", many),
    Workload::new("sleep/1ms", short),
];

/// So many tasks sleep until one moment, so that the last has to wait for all the others.
fn many(run: Run) {
    let (sleeps, duration) = run.many_sleeps();
    let cpu = cpu_time();
    let end = Instant::now() + duration;
    let (late, early) = runtime::block_on(async {
        let tasks: Vec<_> = (0..sleeps)
            .map(|_| {
                runtime::spawn_with(move || async move {
                    let now = Instant::now();
                    assert!(now < end, "the tasks take too long to start");
                    runtime::sleep(end - now).await;
                    lateness(end)
                })
            })
            .collect();
        let (mut late, mut early) = (0.0, 0);
        for task in tasks {
            let lateness = task.await;
            late += lateness;
            early += u32::from(lateness < 0.0);
        }
        (late, early)
    });
    run.report("late", late / sleeps as f64);
    run.report("cpu", (cpu_time() - cpu).as_nanos() as f64 / sleeps as f64);
    run.report("early", early.into());
}

/// Nanoseconds from a moment until now; negative if it is still to come.
fn lateness(moment: Instant) -> f64 {
    let now = Instant::now();
    match now.checked_duration_since(moment) {
        Some(late) => late.as_nanos() as f64,
        None => -((moment - now).as_nanos() as f64),
    }
}

/// One sleep after another.
fn short(run: Run) {
    const DURATION: Duration = Duration::from_millis(1);
    let sleeps = run.pick(1, 30, 300);
    let mut lateness = runtime::block_on(async move {
        runtime::spawn_with(move || async move {
            let mut all = Vec::new();
            for _ in 0..sleeps {
                let end = Instant::now() + DURATION;
                runtime::sleep(DURATION).await;
                all.push(lateness(end));
            }
            all
        })
        .await
    });
    lateness.sort_by(f64::total_cmp);
    run.report("late", lateness[lateness.len() / 2]);
}
