//! A box for each state.

use std::hint::black_box;

use crate::arena::clock::memory;
use crate::arena::run::{Run, Workload};

pub(crate) const WORKLOADS: &[Workload] = &[Workload::new("memory/task", boxes)];

fn boxes(run: Run) {
    let tasks = run.pick(1_000, 20_000, 100_000);
    let mut states = Vec::with_capacity(tasks);
    // The list is written to before: its own memory does not count.
    states.resize(tasks, None);
    black_box(&mut states).clear();
    let before = memory();
    states.extend((0..tasks).map(|_| Some(Box::new([1_u8; 64]))));
    run.report("bytes", (memory() - before) as f64 / tasks as f64);
    let bytes = states.iter().flatten().flat_map(|state| state.iter());
    assert_eq!(
        bytes.map(|&byte| u64::from(byte)).sum::<u64>(),
        64 * tasks as u64
    );
}
