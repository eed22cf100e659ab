//! One counted reference to a task cell.
//!
//! What the handles of `mod.rs` are made of. It knows nothing of the future's type; its methods are safe to call wherever
//! the state word allows the deed.

#![allow(unsafe_code, reason = "a home of unsafe: pointers to cells, counted")]

use super::cell::{self, Header};
use super::runnable::Runnable;
use super::schedule::{Place, Schedule};
use super::state::{State, Wake};
use crate::executor::current::TaskId;
use std::fmt;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

/// One counted reference to a task cell.
pub(crate) struct TaskRef(NonNull<Header>);

// SAFETY: all that a reference reaches is the state word, which is atomic, and what the word's rules give to one thread
// at a time. That a future or output which is not `Send` stays on its thread is the promise of `spawn_unchecked`.
unsafe impl Send for TaskRef {}
// SAFETY: as above.
unsafe impl Sync for TaskRef {}

impl TaskRef {
    /// Puts a future into a new cell, SCHEDULED, with two references: this one and the one that the caller must make
    /// with `assume_counted` for the handle.
    pub(super) fn allocate<F: Future, S: Schedule>(future: F, schedule: S) -> TaskRef {
        TaskRef(cell::allocate(future, schedule, 2))
    }

    /// A `TaskRef` for a reference that the state word counts already.
    ///
    /// # Safety
    /// The cell is live, and the reference is the caller's to give up to the result.
    pub(super) unsafe fn from_header(header: NonNull<Header>) -> TaskRef {
        TaskRef(header)
    }

    /// Another `TaskRef` for a reference that the state word counts already.
    ///
    /// # Safety
    /// The count holds a reference for which there is no `TaskRef` or waker.
    pub(super) unsafe fn assume_counted(&self) -> TaskRef {
        TaskRef(self.0)
    }

    /// The pointer, with its reference.
    pub(super) fn into_raw(self) -> NonNull<()> {
        ManuallyDrop::new(self).0.cast()
    }

    /// Back from [`TaskRef::into_raw`].
    ///
    /// # Safety
    /// The pointer is from `into_raw`, and its reference is given up to the result.
    pub(super) unsafe fn from_raw(pointer: NonNull<()>) -> TaskRef {
        TaskRef(pointer.cast())
    }

    /// The part of the cell that all may read.
    pub(super) fn header(&self) -> &Header {
        // SAFETY: rule 6: the cell lives as long as this reference is counted.
        unsafe { self.0.as_ref() }
    }

    /// The state word.
    pub(super) fn state(&self) -> &State {
        &self.header().state
    }

    /// The task's id.
    pub(crate) fn id(&self) -> TaskId {
        // SAFETY: rule 6: the cell lives as long as this reference is counted.
        unsafe { cell::id_of(self.0) }
    }

    /// Gives the runnable of an arrow into SCHEDULED to the task's executor.
    pub(super) fn push(runnable: Runnable, place: Place) {
        let header = runnable.task().0;
        // SAFETY: the runnable's reference keeps the cell alive.
        let vtable = unsafe { header.as_ref() }.vtable;
        // SAFETY: the vtable is this cell's own.
        unsafe { (vtable.schedule)(header, runnable, place) };
    }

    /// Wakes the task and gives up the reference.
    pub(super) fn wake(self, place: Place) {
        let task = ManuallyDrop::new(self);
        match task.state().wake() {
            // SAFETY: the state word passed this reference on to the queue.
            Wake::Push => Self::push(Runnable::new(unsafe { task.assume_counted() }), place),
            Wake::Nothing => {}
            // SAFETY: the state word says that this was the last reference (rule 6).
            Wake::Free => unsafe { task.free() },
        }
    }

    /// Wakes the task.
    pub(super) fn wake_by_ref(&self) {
        if self.state().wake_by_ref() == Wake::Push {
            // SAFETY: the state word counted a reference for the queue.
            Self::push(Runnable::new(unsafe { self.assume_counted() }), Place::Next);
        }
    }

    /// Asks the task's executor to drop the future instead of polling it again.
    pub(crate) fn abort(&self) {
        if self.state().abort() == Wake::Push {
            // SAFETY: the state word counted a reference for the queue.
            Self::push(Runnable::new(unsafe { self.assume_counted() }), Place::Next);
        }
    }

    /// Drops the future here and now if nobody has the run: what an owner does with its tasks when it is dropped. A run
    /// that was put off is in the owner's queue, and ends when that is dropped.
    ///
    /// For a task that is not `Send` this is called on its own thread: the owner's promise.
    pub(crate) fn drop_future(&self) {
        if self.state().claim() {
            let header = ManuallyDrop::new(self.clone()).0;
            // SAFETY: the vtable is this cell's own, the run was claimed just now, and so was the reference.
            unsafe { (self.header().vtable.finish_aborted)(header) };
        }
    }

    /// Runs the task, as whoever popped it from a queue, and gives up the reference.
    ///
    /// # Safety
    /// Rule 2: the queue entry is the caller's.
    #[inline]
    pub(super) unsafe fn run(self) {
        let task = ManuallyDrop::new(self);
        // SAFETY: the vtable is this cell's own; the rest is the caller's promise.
        unsafe { (task.header().vtable.run)(task.0) };
    }

    /// Ends a run by dropping the future, and gives up the reference.
    ///
    /// # Safety
    /// Rule 1: the run is the caller's.
    pub(super) unsafe fn finish_aborted(self) {
        let task = ManuallyDrop::new(self);
        // SAFETY: the vtable is this cell's own; the rest is the caller's promise.
        unsafe { (task.header().vtable.finish_aborted)(task.0) };
    }

    /// Drops the output.
    ///
    /// # Safety
    /// Rule 4 gives it to the caller, and it is there.
    pub(super) unsafe fn drop_output(&self) {
        // SAFETY: the vtable is this cell's own; the rest is the caller's promise.
        unsafe { (self.header().vtable.drop_output)(self.0) };
    }

    /// Moves the output to a place.
    ///
    /// # Safety
    /// Rule 4 gives it to the caller, and it is there. `place` points to a place for the task's output, or its error.
    pub(super) unsafe fn take_output(&self, place: *mut ()) {
        // SAFETY: the vtable is this cell's own; the rest is the caller's promise.
        unsafe { (self.header().vtable.take_output)(self.0, place) };
    }

    /// Frees the cell.
    ///
    /// # Safety
    /// Rule 6: the last reference was given up to the caller.
    pub(super) unsafe fn free(&self) {
        // SAFETY: the vtable is this cell's own; the caller is the last to know of the cell.
        unsafe { (self.header().vtable.free)(self.0) };
    }
}

impl Clone for TaskRef {
    fn clone(&self) -> TaskRef {
        self.state().add_reference();
        TaskRef(self.0)
    }
}

impl Drop for TaskRef {
    #[inline]
    fn drop(&mut self) {
        if self.state().drop_reference() {
            // SAFETY: that was the last reference (rule 6).
            unsafe { self.free() };
        }
    }
}

impl fmt::Debug for TaskRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TaskRef").field(&self.id()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_one_pointer_wide() {
        assert_eq!(size_of::<TaskRef>(), 8);
        assert_eq!(size_of::<Option<TaskRef>>(), 8);
        assert_eq!(size_of::<Runnable>(), 8);
        assert_eq!(size_of::<Option<Runnable>>(), 8);
    }
}
