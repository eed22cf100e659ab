//! What a process has used.

use std::fs;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The CPU time of this process, user and system, on all its threads.
pub(crate) fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The bytes that this process has written to and that are resident: stacks and heaps, without the program's text.
pub(crate) fn memory() -> u64 {
    let rollup = fs::read_to_string("/proc/self/smaps_rollup").expect("a kernel since 4.14");
    let line = rollup
        .lines()
        .find_map(|line| line.strip_prefix("Anonymous:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    1_024
        * kibibytes
            .and_then(|number| number.parse::<u64>().ok())
            .expect("a number of kB")
}
