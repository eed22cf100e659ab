//! What a process has used.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The CPU time of this process, user and system, on all its threads.
pub(crate) fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
