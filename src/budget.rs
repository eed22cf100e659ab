//! How much one poll of a task may do before it must let its neighbours run.
//!
//! A leaf: the executor refills the budget before each poll, and what the reactor, `sync` and `channel` do charges it.
//! At zero an operation wakes its own task and returns `Pending` *before* it acts, so nothing is lost and the task goes
//! to the back of the queue. tokio has the same idea ("coop"); async-std and smol do not, and there a busy socket
//! starves its neighbours.
//!
//! Off parklet's threads the budget is unlimited: another executor makes its own rules.

use std::cell::Cell;
use std::task::{Context, Poll};

/// Operations per poll. tokio's number; large enough that the check is never what a task waits for.
const OPERATIONS_PER_POLL: u32 = 128;

/// Means: nobody is counting.
const UNLIMITED: u32 = u32::MAX;

thread_local! {
    /// What is left for the poll that runs on this thread.
    static LEFT: Cell<u32> = const { Cell::new(UNLIMITED) };
}

/// Fills the budget for one poll; what was left before comes back when the guard is dropped.
pub(crate) fn refill() -> Refill {
    Refill {
        before: LEFT.replace(OPERATIONS_PER_POLL),
    }
}

/// One poll's budget, from [`refill`].
#[derive(Debug)]
#[must_use = "the budget lasts as long as this guard"]
pub(crate) struct Refill {
    /// What the poll around this one had left.
    before: u32,
}

impl Drop for Refill {
    fn drop(&mut self) {
        LEFT.set(self.before);
    }
}

/// Takes one operation from the budget; `Pending` means: do not act now, the task has been woken to try again.
pub(crate) fn charge(cx: &Context<'_>) -> Poll<()> {
    if take() {
        Poll::Ready(())
    } else {
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Takes one operation from the budget, if one is left. For who decides under a lock, where nobody may be woken: after
/// the unlock he wakes the task himself.
#[inline]
pub(crate) fn take() -> bool {
    match LEFT.get() {
        UNLIMITED => true,
        0 => false,
        left => {
            LEFT.set(left - 1);
            true
        }
    }
}
