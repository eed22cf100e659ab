//! Calls in the order of their time, and one thread that sleeps until the next is due.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::num::NonZeroU64;
use std::thread;
use std::time::{Duration, Instant};

use rustix::thread::set_current_timer_slack;

use crate::arena::clock::cpu_time;
use crate::arena::run::{Run, Workload};

pub(crate) const WORKLOADS: &[Workload] = &[
    Workload::new("sleep/100k", many),
    Workload::new("sleep/1ms", short),
];

fn sleep_until(end: Instant) {
    let mut now = Instant::now();
    while now < end {
        thread::sleep(end - now);
        now = Instant::now();
    }
}

fn many(run: Run) {
    let (sleeps, duration) = run.many_sleeps();
    let cpu = cpu_time();
    let end = Instant::now() + duration;
    let mut timers = BinaryHeap::new();
    for number in 0..sleeps {
        // The time that is left, as the workload has it.
        let now = Instant::now();
        timers.push(Reverse((now + (end - now), number)));
    }
    let mut calls: Vec<Box<dyn Fn() -> Instant>> = Vec::new();
    calls.resize_with(timers.len(), || Box::new(Instant::now));
    let (mut late, mut early) = (Duration::ZERO, 0);
    while let Some(Reverse((end, number))) = timers.pop() {
        sleep_until(end);
        let now = calls[number]();
        early += u32::from(now < end);
        late += now.saturating_duration_since(end);
    }
    run.report("late", late.as_nanos() as f64 / sleeps as f64);
    run.report("cpu", (cpu_time() - cpu).as_nanos() as f64 / sleeps as f64);
    run.report("early", early.into());
}

fn short(run: Run) {
    // The kernel's least: what it adds by default is 50 us.
    set_current_timer_slack(NonZeroU64::new(1)).unwrap();
    let mut late: Vec<Duration> = (0..run.pick(1, 30, 300))
        .map(|_| {
            let end = Instant::now() + Duration::from_millis(1);
            sleep_until(end);
            end.elapsed()
        })
        .collect();
    late.sort();
    run.report("late", late[late.len() / 2].as_nanos() as f64);
}
