//! How late the kernel may end a wait.
//!
//! Linux lets a thread oversleep by its *timer slack*, 50 us unless somebody changed it, to gather wake-ups. A timer of a
//! millisecond shows that. A thread of ours has its slack set to the least, once. But a caller of `block_on` drives as
//! well, and its slack is the user's affair: there it is lowered for the one wait that a near timer will end, and put back.

use std::cell::Cell;
use std::num::NonZeroU64;
use std::time::Duration;

/// The least slack, in nanoseconds; zero would mean the default.
const LEAST: NonZeroU64 = NonZeroU64::MIN;

/// A wait is worth sharpening if it is shorter than this: three more system calls, 0.2 us, against 50 us. For longer ones
/// the kernel takes a thousandth of the wait for slack in any case.
const NEAR: Duration = Duration::from_millis(10);

thread_local! {
    /// Whether this thread was found to have the least slack. If its owner raises it later, he gets what he asked for.
    static IS_SHARP: Cell<bool> = const { Cell::new(false) };
}

/// Makes all timed waits of this thread, one of ours, end when they should.
pub(super) fn sharpen_thread() {
    // Refused only where a sandbox forbids it; the timers are a little late there.
    IS_SHARP.set(set(LEAST));
}

/// Makes the next wait of this thread, which is to last for `timeout`, end when it should; until the result is dropped.
pub(super) fn sharpen_wait(timeout: Option<Duration>) -> Option<Sharpened> {
    let is_near = timeout.is_some_and(|timeout| timeout < NEAR && !timeout.is_zero());
    if !is_near || IS_SHARP.get() {
        return None;
    }
    let before = current()?;
    if before <= LEAST {
        IS_SHARP.set(true);
        return None;
    }
    set(LEAST).then_some(Sharpened { before })
}

/// A thread's slack is lowered while this lives.
#[derive(Debug)]
#[must_use = "the slack is put back when this is dropped"]
pub(super) struct Sharpened {
    /// What it was before.
    before: NonZeroU64,
}

impl Drop for Sharpened {
    fn drop(&mut self) {
        set(self.before);
    }
}

/// This thread's slack; `None` where there is no such thing.
fn current() -> Option<NonZeroU64> {
    #[cfg(target_os = "linux")]
    return NonZeroU64::new(rustix::thread::current_timer_slack().ok()?);
    #[cfg(not(target_os = "linux"))]
    None
}

/// Sets this thread's slack, and says whether that could be done.
fn set(slack: NonZeroU64) -> bool {
    #[cfg(target_os = "linux")]
    return rustix::thread::set_current_timer_slack(Some(slack)).is_ok();
    #[cfg(not(target_os = "linux"))]
    {
        let _ = slack;
        false
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_near_wait_borrows_the_slack_and_any_other_leaves_it_alone() {
        let theirs = current().expect("threads have a slack");
        assert!(theirs > LEAST);
        for timeout in [None, Some(Duration::ZERO), Some(NEAR)] {
            assert!(sharpen_wait(timeout).is_none(), "{timeout:?}");
        }
        let sharpened = sharpen_wait(Some(Duration::from_millis(1)));
        assert_eq!(current(), Some(LEAST));
        drop(sharpened);
        assert_eq!(current(), Some(theirs));

        sharpen_thread();
        assert_eq!(current(), Some(LEAST));
        assert!(sharpen_wait(Some(Duration::from_millis(1))).is_none());
        assert_eq!(current(), Some(LEAST), "for good");
    }
}
