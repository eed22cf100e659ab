//! How much one poll of a task may do before it must let its neighbours run, and the short way to let them.
//!
//! A leaf: the executor refills the budget before each poll, and what the reactor, `sync` and `channel` do charges it.
//! At zero an operation asks for another poll of its task and returns `Pending` *before* it acts, so nothing is lost and the
//! task goes to the back of the queue. tokio has the same idea ("coop"); async-std and smol do not, and there a busy socket
//! starves its neighbours.
//!
//! A task that asks for another poll while it is being polled need not be woken: a mark on this thread will do, which the
//! executor finds when the poll ends. It is only for the very waker that the executor gave to this poll. Whatever is polled
//! with another one, by a combinator or by a foreign executor inside the task, is woken.
//!
//! Off parklet's threads the budget is unlimited: another executor makes its own rules.

use std::cell::Cell;
use std::ptr;
use std::task::{Context, Poll, Waker};

/// Operations per poll. tokio's number; large enough that the check is never what a task waits for.
const OPERATIONS_PER_POLL: u32 = 128;

/// Means: nobody is counting.
const UNLIMITED: u32 = u32::MAX;

/// In `PollContext::own`: the task has asked for another poll. A waker's address is even.
const AGAIN: usize = 1;

thread_local! {
    /// The poll that runs on this thread.
    static POLL: PollContext = const {
        PollContext {
            left: Cell::new(UNLIMITED),
            own: Cell::new(0),
        }
    };
}

/// What is known of one poll. Two words, since each poll puts aside what is known of the one around it; and without a
/// destructor, so that it can be used while the thread ends.
struct PollContext {
    /// What is left of its budget.
    left: Cell<u32>,
    /// Where the waker is that it was given, if the executor listens to the mark `AGAIN` beside it. The waker is there as
    /// long as the poll lasts, so no other one is.
    own: Cell<usize>,
}

/// Fills the budget for one poll; what was left before comes back when the guard is dropped.
#[inline]
pub(crate) fn refill() -> Refill {
    Refill {
        before: POLL.with(|poll| poll.left.replace(OPERATIONS_PER_POLL)),
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
    #[inline]
    fn drop(&mut self) {
        POLL.with(|poll| poll.left.set(self.before));
    }
}

/// Fills the budget for one poll with this waker, by an executor that asks [`Turn::end`] whether there is to be another.
#[inline]
pub(crate) fn begin_turn(waker: &Waker) -> Turn {
    POLL.with(|poll| Turn {
        left: poll.left.replace(OPERATIONS_PER_POLL),
        own: poll.own.replace(address(waker)),
    })
}

/// One poll of an executor's, from [`begin_turn`]: what was known of the poll around it, and is known again when this is
/// dropped.
#[derive(Debug)]
#[must_use = "the poll lasts as long as this guard"]
pub(crate) struct Turn {
    left: u32,
    own: usize,
}

impl Turn {
    /// Ends the poll. True: it asked for another one, and has not been woken for that.
    #[inline]
    pub(crate) fn end(self) -> bool {
        POLL.with(|poll| poll.own.get() & AGAIN != 0)
    }
}

impl Drop for Turn {
    #[inline]
    fn drop(&mut self) {
        POLL.with(|poll| {
            poll.left.set(self.left);
            poll.own.set(self.own);
        });
    }
}

#[inline]
fn address(waker: &Waker) -> usize {
    ptr::from_ref(waker).addr()
}

/// Sees to it that the task is polled again, after all others that are ready. To be called within its poll.
#[inline]
pub(crate) fn poll_again(cx: &Context<'_>) {
    POLL.with(|poll| {
        let again = address(cx.waker()) | AGAIN;
        if poll.own.get() | AGAIN == again {
            poll.own.set(again);
        } else {
            cx.waker().wake_by_ref();
        }
    });
}

/// Whether [`poll_again`] has been called within this poll, with this very waker.
#[inline]
pub(crate) fn will_poll_again(cx: &Context<'_>) -> bool {
    POLL.with(|poll| poll.own.get() == address(cx.waker()) | AGAIN)
}

/// Takes one operation from the budget; `Pending` means: do not act now, the task will be polled to try again.
#[inline]
pub(crate) fn charge(cx: &Context<'_>) -> Poll<()> {
    if take() {
        Poll::Ready(())
    } else {
        poll_again(cx);
        Poll::Pending
    }
}

/// Takes one operation from the budget, if one is left. For who decides under a lock, where nobody may be woken: after
/// the unlock he wakes the task himself.
#[inline]
pub(crate) fn take() -> bool {
    POLL.with(|poll| match poll.left.get() {
        UNLIMITED => true,
        0 => false,
        left => {
            poll.left.set(left - 1);
            true
        }
    })
}
