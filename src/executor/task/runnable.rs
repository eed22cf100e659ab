//! The right to poll a task once.

#![allow(unsafe_code, reason = "a home of unsafe: the run of a task")]

use super::JoinHandle;
use super::cell;
use super::schedule::{Place, Schedule};
use super::task_ref::TaskRef;
use std::future::Future;
use std::mem::ManuallyDrop;

/// A task that waits in a queue to be polled; it holds the queue's reference to the cell, and the run of a task that was
/// polled and put off.
///
/// Dropped without being run, it gives up that reference; where it has a run, the future is dropped with it.
#[derive(Debug)]
pub(crate) struct Runnable(ManuallyDrop<TaskRef>);

/// Makes a task: the runnable is to be pushed at once, the handle goes to who spawned it.
#[inline]
pub(crate) fn spawn<F, S>(future: F, schedule: S) -> (Runnable, JoinHandle<F::Output>)
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
    S: Schedule,
{
    // SAFETY: a `Send` and `'static` future may be polled and dropped on any thread at any time.
    unsafe { spawn_unchecked(future, schedule) }
}

/// The same for a future that is not `Send` or that borrows.
///
/// # Safety
/// If the future or its output is not `Send`: `schedule` must bring every `Runnable` back to this thread, which alone
/// runs it, and a `TaskRef` to the task must be held until the future is dropped, by an owner that lets only this thread
/// call `drop_future`. If they borrow: that owner must drop the future before the borrow ends, or leak the `TaskRef`.
#[inline]
pub(crate) unsafe fn spawn_unchecked<F, S>(
    future: F,
    schedule: S,
) -> (Runnable, JoinHandle<F::Output>)
where
    F: Future,
    S: Schedule,
{
    let header = cell::allocate(future, schedule, 2);
    // SAFETY: the first of two references.
    let task = unsafe { TaskRef::from_raw(header) };
    // SAFETY: the second one.
    let handle = unsafe { TaskRef::from_raw(header) };
    // SAFETY: a task begins SCHEDULED, and the first reference is its queue entry's.
    let runnable = unsafe { Runnable::new(task) };
    (runnable, JoinHandle::new(handle))
}

impl Runnable {
    /// The right that an arrow into SCHEDULED gives, with the reference that the arrow counted; or a run that was put off.
    ///
    /// # Safety
    /// The arrow was the caller's, or the run is, and is given up (rules 1 and 2).
    pub(super) unsafe fn new(task: TaskRef) -> Runnable {
        Runnable(ManuallyDrop::new(task))
    }

    /// The task, for an owner's list.
    pub(crate) fn task(&self) -> &TaskRef {
        &self.0
    }

    /// Whether somebody waits for the task's end.
    pub(crate) fn is_awaited(&self) -> bool {
        self.0.state().has_joiner()
    }

    /// Whether this is the run of a task that was polled and yielded, and not of one that was spawned or woken.
    #[inline]
    pub(crate) fn is_put_off(&self) -> bool {
        self.0.state().is_put_off()
    }

    /// Back to the bare reference, for the slot.
    pub(super) fn into_task(self) -> TaskRef {
        let runnable = ManuallyDrop::new(self);
        // SAFETY: the task is moved out of a runnable that is not used again.
        unsafe { std::ptr::read(&*runnable.0) }
    }

    /// Gives the task to its executor's queue.
    pub(crate) fn schedule(self, place: Place) {
        TaskRef::schedule(self, place);
    }

    /// Polls the future once, and puts the task where it belongs next: to sleep, back into a queue, or to its end.
    #[inline]
    pub(crate) fn run(self) {
        // SAFETY: rule 2: the runnable is the queue entry.
        unsafe { self.into_task().run() };
    }
}

impl Drop for Runnable {
    fn drop(&mut self) {
        // SAFETY: the task is taken out once, since nobody uses the runnable after this.
        let task = unsafe { ManuallyDrop::take(&mut self.0) };
        if task.state().is_put_off() {
            // SAFETY: rule 1: the run travels with its queue entry, which was this.
            unsafe { task.finish_aborted() };
        }
    }
}
