//! One counted reference to a task cell.
//!
//! What the handles of `mod.rs` are made of. It knows nothing of the future's type; its methods are safe to call wherever
//! the state word allows the deed.

#![allow(unsafe_code, reason = "a home of unsafe: pointers to cells, counted")]

use super::JoinError;
use super::cell::{self, Header};
use super::runnable::Runnable;
use super::schedule::Place;
use super::state::{State, Wake};
use crate::executor::current::TaskId;
use std::fmt;
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
    /// A `TaskRef` for a reference that the state word counts.
    ///
    /// # Safety
    /// The pointer is to the header of a live cell, and the reference the caller's to give up to the result.
    pub(super) unsafe fn from_raw(header: NonNull<Header>) -> TaskRef {
        TaskRef(header)
    }

    /// The pointer, with its reference.
    pub(super) fn into_raw(self) -> NonNull<Header> {
        ManuallyDrop::new(self).0
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

    /// Where the output is; `T` has to be the one that the task was spawned with.
    pub(super) fn output<T>(&self) -> *mut Result<T, JoinError> {
        let offset = self.header().vtable.output_offset;
        self.0.as_ptr().wrapping_byte_add(offset).cast()
    }

    /// Wakes the task and gives up the reference.
    pub(super) fn wake(self, place: Place) {
        match self.state().wake() {
            // SAFETY: the arrow was this one, and the word passed the reference on to the queue.
            Wake::Push => unsafe { Runnable::new(self) }.schedule(place),
            // The word gave it up.
            Wake::Nothing => std::mem::forget(self),
            // SAFETY: the word says that this was the last reference (rule 6).
            Wake::Free => unsafe { self.free() },
        }
    }

    /// Wakes the task.
    pub(super) fn wake_by_ref(&self) {
        self.push_if(self.state().wake_by_ref());
    }

    /// Asks the task's executor to drop the future instead of polling it again.
    pub(crate) fn abort(&self) {
        self.push_if(self.state().abort());
    }

    /// Gives the task to its executor, where the word says so.
    fn push_if(&self, wake: Wake) {
        if wake == Wake::Push {
            // SAFETY: the word counted a reference for the queue.
            let task = unsafe { TaskRef::from_raw(self.0) };
            // SAFETY: the arrow was this one.
            unsafe { Runnable::new(task) }.schedule(Place::Next);
        }
    }

    /// Gives the runnable of this task to its executor.
    pub(super) fn schedule(runnable: Runnable, place: Place) {
        let header = runnable.task().0;
        // SAFETY: the runnable's reference keeps the cell alive.
        let vtable = unsafe { header.as_ref() }.vtable;
        // SAFETY: the vtable is this cell's own.
        unsafe { (vtable.schedule)(header, runnable, place) };
    }

    /// Drops the future here and now if nobody has the run: what an owner does with its tasks when it is dropped. A run
    /// that was put off is in the owner's queue, and ends when that is dropped.
    ///
    /// For a task that is not `Send` this is called on its own thread: the owner's promise.
    pub(crate) fn drop_future(&self) {
        if self.state().claim() {
            // SAFETY: the run was claimed just now.
            unsafe { self.clone().finish_aborted() };
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

    /// Frees the cell.
    ///
    /// # Safety
    /// Rule 6: this was the last reference, and the word does not count it any more.
    pub(super) unsafe fn free(self) {
        let task = ManuallyDrop::new(self);
        // SAFETY: the vtable is this cell's own; the rest is the caller's promise.
        unsafe { (task.header().vtable.free)(task.0) };
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
            // SAFETY: that was the last reference (rule 6); the vtable is this cell's own.
            unsafe { (self.header().vtable.free)(self.0) };
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
