//! A caller of `block_on` fills a seat.
//!
//! Were each task that its future spawns or wakes to go through the injector, it would cost its thread a visit to the shared
//! queue and the workers another. So with the first of them, while its future is being polled, the thread takes a vacant
//! seat and puts them there, as a worker does; thieves may take them at once. When the poll has ended it leaves the seat
//! with all that is in it, and rouses a worker to go on there (`idle.rs` hands over the seat that was left last). So a
//! thousand tasks change threads at the price of one.
//!
//! It runs none of them itself: a task that blocks its thread must not hold up the future of a `block_on`, which cannot
//! go on anywhere else. But one it may run: the task that its future awaits, where nothing else can wake the future. There
//! is nothing to hold up then, and what would cost two changes of thread costs none. Nothing else can wake it if the
//! future left one clone of its waker, and that with the handle of this task.

use super::queue::LocalQueue;
use super::seated::{Role, Seated, here};
use super::spares::Errand;
use super::wakeup::Wakeup;
use super::{local, pool};

/// The calling thread is in a `block_on`, until this is dropped.
#[derive(Debug)]
#[must_use = "the stay ends when this is dropped"]
pub(super) struct Stay {
    /// What the thread was before.
    before: Role,
}

/// Begins a stay.
#[inline]
pub(super) fn enter() -> Stay {
    here(|here| {
        // The waker of an earlier stay may have stood where the next one's does.
        here.forget_awaited();
        let before = here.role();
        if before == Role::Stranger {
            here.change_role(Role::Caller);
        }
        Stay { before }
    })
}

impl Drop for Stay {
    #[inline]
    fn drop(&mut self) {
        if self.before == Role::Stranger {
            here(|here| {
                here.change_role(Role::Stranger);
                leave_seat(here);
            });
        }
    }
}

/// Hands what was spawned and woken since the last time over to a worker, but for the task that the future awaits and nothing
/// else: that one is run here. For a caller only: a worker in a nested `block_on` has a queue of its own, as long as it
/// need not wait. `again`: the future is to be polled at once.
#[inline]
pub(super) fn hand_over(wakeup: &Wakeup, again: bool) {
    here(|here| {
        if here.role() != Role::Caller {
            return;
        }
        if let Some(awaited) = here.take_awaited(wakeup.waker())
            && !again
            && wakeup.is_left_at_one_place()
            // In this order: who had another clone woke with it before it was dropped.
            && !wakeup.is_woken()
            // Its other tasks have this thread alone.
            && !local::is_home()
            && let Some(runnable) = here.with_queue(|queue| queue.take_only(awaited)).flatten()
        {
            runnable.run();
        }
        leave_seat(here);
    });
}

/// Called by a `block_on` that is about to park: leaves the seat to others. If this is a worker, another thread takes its
/// place first; false: there is none to be had, and this thread has to serve its queue meanwhile.
pub(super) fn step_aside() -> bool {
    here(|here| {
        if here.role() == Role::Worker {
            let pool = pool::started().expect("there are no workers without a pool");
            if pool.spares.send(pool, Errand::Work).is_err() {
                return false;
            }
            here.change_role(Role::Helper);
        }
        leave_seat(here);
        true
    })
}

/// Leaves the seat, if there is one, with what is in it.
#[inline]
fn leave_seat(here: &Seated) {
    if let Some(queue) = here.rise() {
        leave_to_others(queue);
    }
}

/// Leaves a seat with what is in it.
fn leave_to_others(queue: &'static mut LocalQueue) {
    let pool = pool::started().expect("there are no seats without a pool");
    queue.open_slot();
    pool.idle.vacate(queue);
    // Rule 1 of `idle.rs`: the look comes after that.
    if pool.is_stealable() {
        pool.call_help();
    }
}
