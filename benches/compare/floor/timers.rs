//! Calls in the order of their time, and one thread that sleeps until the next is due.

use std::collections::BinaryHeap;
use std::num::NonZeroU64;
use std::thread;
use std::time::{Duration, Instant};

use rustix::thread::set_current_timer_slack;

use crate::clock::cpu_time;
use crate::run::{Run, Workload};

pub(crate) const WORKLOADS: &[Workload] = &[
    Workload::new("sleep/100k", many),
    Workload::new("sleep/1ms", short),
];

/// A call that is to be made at some time; the earliest is the greatest.
struct Timer {
    end: Instant,
    call: Box<dyn FnOnce() -> Instant>,
}

impl PartialEq for Timer {
    fn eq(&self, other: &Timer) -> bool {
        self.end == other.end
    }
}

impl Eq for Timer {}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Timer) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Timer {
    fn cmp(&self, other: &Timer) -> std::cmp::Ordering {
        other.end.cmp(&self.end)
    }
}

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
    let mut timers: BinaryHeap<Timer> = (0..sleeps)
        .map(|_| {
            // The time that is left, as the workload has it.
            let now = Instant::now();
            let end = now + (end - now);
            let call = Box::new(Instant::now);
            Timer { end, call }
        })
        .collect();
    let (mut late, mut early) = (Duration::ZERO, 0);
    while let Some(timer) = timers.pop() {
        sleep_until(timer.end);
        let now = (timer.call)();
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
