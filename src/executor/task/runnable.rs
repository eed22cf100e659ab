//! The right to poll a task once.

#![allow(unsafe_code, reason = "a home of unsafe: polling the future in a cell")]

use super::JoinHandle;
use super::cell::{Place, Schedule, TaskRef};
use super::state::{BeginRun, EndRun};
use std::future::Future;
use std::mem::ManuallyDrop;
use std::task::Poll;

/// A task that waits in a queue to be polled; it holds the queue's reference to the cell.
///
/// Dropped without being run, it only gives up that reference.
#[derive(Debug)]
pub(crate) struct Runnable(TaskRef);

/// Makes a task: the runnable is to be pushed at once, the handle goes to who spawned it.
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
pub(crate) unsafe fn spawn_unchecked<F, S>(
    future: F,
    schedule: S,
) -> (Runnable, JoinHandle<F::Output>)
where
    F: Future,
    S: Schedule,
{
    let task = TaskRef::allocate(future, schedule);
    // SAFETY: `allocate` counted two references and made one `TaskRef`.
    let handle = unsafe { task.assume_counted() };
    (Runnable(task), JoinHandle::new(handle))
}

impl Runnable {
    /// The right that an arrow into SCHEDULED gives, with the reference that the arrow counted.
    pub(super) fn new(task: TaskRef) -> Runnable {
        Runnable(task)
    }

    /// The task, for an owner's list.
    pub(crate) fn task(&self) -> &TaskRef {
        &self.0
    }

    /// Back to the bare reference, for the slot.
    pub(super) fn into_task(self) -> TaskRef {
        self.0
    }

    /// Gives the task to its executor's queue, as a wake would.
    pub(crate) fn schedule(self) {
        TaskRef::push(self, Place::Next);
    }

    /// Polls the future once, and puts the task where it belongs next: to sleep, back into a queue, or to its end.
    pub(crate) fn run(self) {
        let task = self.0;
        match task.state().begin_run() {
            BeginRun::Over => return,
            BeginRun::Abort => return task.finish_aborted(),
            BeginRun::Poll => {}
        }
        // SAFETY: rule 1: `begin_run` said Poll.
        if let Poll::Ready(()) = unsafe { task.poll() } {
            return task.finish();
        }
        match task.state().end_run() {
            // The word has given this reference up already.
            EndRun::Idle => std::mem::forget(task),
            EndRun::Push => TaskRef::push(Runnable(task), Place::Last),
            EndRun::Abort => task.finish_aborted(),
            EndRun::Free => {
                let task = ManuallyDrop::new(task);
                // SAFETY: the word says that the reference it gave up was the last (rule 6).
                unsafe { task.free() };
            }
        }
    }
}
