//! A fence that one side pays for both.
//!
//! Two threads that each write something, and then look at what the other one writes, need a full fence in between, or both
//! may miss the other. Where one of them does so a million times a second and the other hardly ever, the latter can pay for
//! both: Linux's `membarrier` makes every thread of the process that runs at that moment pass a full fence. The former is left
//! with a fence for the compiler. The idea is liburcu's, which was why the call came to be.

use std::sync::LazyLock;
use std::sync::atomic::{Ordering, compiler_fence, fence};

/// Whether the kernel has the call, and no sandbox withholds it. A process asks for it beforehand.
static IS_AVAILABLE: LazyLock<bool> = LazyLock::new(|| {
    #[cfg(target_os = "linux")]
    {
        use rustix::thread::{MembarrierCommand, membarrier};
        membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok()
            && membarrier(MembarrierCommand::PrivateExpedited).is_ok()
    }
    #[cfg(not(target_os = "linux"))]
    false
});

/// Whether [`heavy_fence`] is a fence for all threads, and not for its caller alone.
pub(super) fn is_available() -> bool {
    *IS_AVAILABLE
}

/// The side that is in a hurry. Costs nothing.
#[inline]
pub(super) fn light_fence() {
    compiler_fence(Ordering::SeqCst);
}

/// The side that pays: a system call, and an interrupt for each core that runs another thread of the process.
pub(super) fn heavy_fence() {
    fence(Ordering::SeqCst);
    #[cfg(target_os = "linux")]
    if is_available() {
        use rustix::thread::{MembarrierCommand, membarrier};
        membarrier(MembarrierCommand::PrivateExpedited).expect("it was there before");
    }
}
