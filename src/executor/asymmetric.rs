//! A fence that one side pays for both.
//!
//! Two threads that each write something, and then look at what the other one writes, need a full fence in between, or both
//! may miss the other. Where one of them does so a million times a second and the other hardly ever, the latter can pay for
//! both: Linux's `membarrier` makes every thread of the process that runs at that moment pass a full fence. The former is left
//! with a fence for the compiler. The idea is liburcu's, which was why the call came to be.

#[cfg(target_os = "linux")]
use rustix::thread::{MembarrierCommand, membarrier};
use std::sync::atomic::{AtomicBool, Ordering, compiler_fence, fence};

/// Whether the kernel has the call and lets this process use it.
static IS_AVAILABLE: AtomicBool = AtomicBool::new(false);

/// Asks the kernel for the call, as a process has to beforehand. The fewer threads there are by then the better: with one, the
/// answer comes at once, with several after some milliseconds.
pub(super) fn register() {
    #[cfg(target_os = "linux")]
    IS_AVAILABLE.store(
        membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok(),
        Ordering::Relaxed,
    );
}

/// Whether [`heavy_fence`] is a fence for all threads. It may cease to be one, when a sandbox is put up.
pub(super) fn is_available() -> bool {
    IS_AVAILABLE.load(Ordering::Relaxed)
}

/// The side that is in a hurry. Costs nothing.
#[inline]
pub(super) fn light_fence() {
    compiler_fence(Ordering::SeqCst);
}

/// The side that pays: a system call, and an interrupt for each core that runs another thread of the process. False: it was a
/// fence for the caller alone, and from now on it is not available.
#[must_use]
pub(super) fn heavy_fence() -> bool {
    fence(Ordering::SeqCst);
    #[cfg(target_os = "linux")]
    if is_available() {
        let is_fenced = membarrier(MembarrierCommand::PrivateExpedited).is_ok();
        IS_AVAILABLE.store(is_fenced, Ordering::Relaxed);
    }
    is_available()
}
