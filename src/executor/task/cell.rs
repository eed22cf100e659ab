//! The heap cell of one task: the header, then the future or its output.
//!
//! ```text
//!   Header  │ state word │ vtable │ joiner's waker │ id │      40 bytes, the same for every task
//!   Cell    │ schedule   │ stage: the future, then its output  one allocation with the header
//! ```
//!
//! Handles hold a thin pointer to the header; the vtable knows the types behind it. All access to a cell goes through
//! [`TaskRef`], one counted reference, whose methods are safe to call wherever the state word allows the deed.

#![allow(unsafe_code, reason = "a home of unsafe: the memory of a task")]

use super::runnable::Runnable;
use super::state::{Finish, State, Wake};
use super::{JoinError, recycle, waker};
use crate::executor::current::{self, TaskId};
use std::any::Any;
use std::cell::UnsafeCell;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};

/// Where a woken task goes to be polled: what an executor gives to each task that it spawns.
pub(crate) trait Schedule: Clone + Send + Sync + 'static {
    /// Puts the task into the executor's queue and sees to it that somebody comes to run it.
    fn schedule(&self, runnable: Runnable, place: Place);

    /// The future is gone and the output about to be published: an owner takes the task off its list.
    fn finished(&self, _task: TaskId) {}
}

/// Where in its executor's queue a task wants to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// It was spawned or woken: what it waits with is warm, so sooner is better.
    Next,
    /// It was woken while it ran, which is how a task yields: everybody else comes first.
    Last,
}

/// The part of a cell that does not depend on the future's type.
#[repr(C)]
pub(super) struct Header {
    /// Who may touch what is below, and how many hold the cell.
    pub(super) state: State,
    /// What to do with the types behind the header.
    vtable: &'static VTable,
    /// Whom to wake with the output (rule 5).
    joiner: UnsafeCell<Option<Waker>>,
    /// Names the task in messages and in the table of names and task-locals.
    id: TaskId,
}

/// One task.
#[repr(C)]
struct Cell<F: Future, S> {
    /// First, so that a pointer to the cell is a pointer to its header.
    header: Header,
    /// Where the task goes when it is woken.
    schedule: S,
    /// The future, then its output (rules 1 and 4).
    stage: UnsafeCell<Stage<F>>,
}

/// What a cell holds.
enum Stage<F: Future> {
    /// Until DONE.
    Future(F),
    /// From DONE until the handle takes it or goes.
    Output(Result<F::Output, JoinError>),
    /// From then on.
    Taken,
}

/// The deeds that need the future's type. Each is unsafe for the same reason: the pointer has to be to a live cell of
/// that type, and the caller must have the right that the name implies by a rule of `state.rs`.
struct VTable {
    /// Polls the future (rule 1); when that ends, by value or by panic, the output is in its place.
    poll: unsafe fn(NonNull<Header>, &mut Context<'_>) -> Poll<()>,
    /// Drops the future (rule 1) and puts the error into its place.
    abort: unsafe fn(NonNull<Header>),
    /// Moves the output (rule 4) to the `Option<Result<T, JoinError>>` pointed to; `None` if it was taken before.
    take_output: unsafe fn(NonNull<Header>, *mut ()),
    /// Drops the output (rule 4), if it was not taken.
    drop_output: unsafe fn(NonNull<Header>),
    /// Hands the runnable to the task's `Schedule`.
    schedule: unsafe fn(NonNull<Header>, Runnable, Place),
    /// Tells the task's `Schedule` that the future is gone.
    finished: unsafe fn(NonNull<Header>),
    /// Frees the cell with what is left in it (rule 6).
    free: unsafe fn(NonNull<Header>),
}

impl<F: Future, S: Schedule> Cell<F, S> {
    const VTABLE: VTable = VTable {
        poll: Self::poll,
        abort: Self::abort,
        take_output: Self::take_output,
        drop_output: Self::drop_output,
        schedule: Self::schedule,
        finished: Self::finished,
        free: Self::free,
    };

    /// # Safety
    /// `header` is that of a live `Cell<F, S>`, and rule 1 or 4 gives the caller the stage alone while he uses it.
    unsafe fn stage<'a>(header: NonNull<Header>) -> &'a mut Stage<F> {
        // SAFETY: live and of this type, says the caller.
        let cell = unsafe { header.cast::<Cell<F, S>>().as_ref() };
        // SAFETY: nobody else reads or writes the stage now, says the caller.
        unsafe { &mut *cell.stage.get() }
    }

    /// # Safety
    /// See [`VTable`].
    unsafe fn poll(header: NonNull<Header>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: the caller polls by rule 1.
        let stage = unsafe { Self::stage(header) };
        let polled = catch_unwind(AssertUnwindSafe(|| {
            let Stage::Future(future) = stage else {
                unreachable!("a task is RUNNING only before DONE")
            };
            // SAFETY: the future lives in the heap cell and is dropped in place: it has not moved since its first poll.
            let future = unsafe { Pin::new_unchecked(future) };
            future.poll(cx)
        }));
        let output = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(output)) => Ok(output),
            Err(payload) => Err(payload),
        };
        // SAFETY: the same right as above.
        unsafe { Self::replace_future(header, output) };
        Poll::Ready(())
    }

    /// # Safety
    /// See [`VTable`].
    unsafe fn abort(header: NonNull<Header>) {
        // SAFETY: the caller has the future by rule 1.
        let stage = unsafe { Self::stage(header) };
        // SAFETY: the header is part of the live cell.
        let id = unsafe { header.as_ref() }.id;
        let dropped = drop_stage(stage);
        *stage = Stage::Output(Err(match dropped {
            Ok(()) => JoinError::aborted(id),
            Err(payload) => JoinError::panicked(id, payload),
        }));
    }

    /// Drops the future and puts the output into its place. A panic while the future is dropped becomes the output.
    ///
    /// # Safety
    /// As for [`VTable`]'s `poll`.
    unsafe fn replace_future(
        header: NonNull<Header>,
        output: Result<F::Output, Box<dyn Any + Send>>,
    ) {
        // SAFETY: the caller has the future by rule 1.
        let stage = unsafe { Self::stage(header) };
        // SAFETY: the header is part of the live cell.
        let id = unsafe { header.as_ref() }.id;
        let dropped = drop_stage(stage);
        *stage = Stage::Output(match (output, dropped) {
            (Ok(output), Ok(())) => Ok(output),
            // The first panic is the one to report. The second one's payload may panic as it is dropped.
            (Err(payload), dropped) => {
                contain(move || drop(dropped));
                Err(JoinError::panicked(id, payload))
            }
            (Ok(output), Err(payload)) => {
                contain(move || drop(output));
                Err(JoinError::panicked(id, payload))
            }
        });
    }

    /// # Safety
    /// See [`VTable`]; `place` points to an `Option<Result<F::Output, JoinError>>`.
    unsafe fn take_output(header: NonNull<Header>, place: *mut ()) {
        // SAFETY: the caller has the output by rule 4.
        let stage = unsafe { Self::stage(header) };
        if let Stage::Output(output) = std::mem::replace(stage, Stage::Taken) {
            // SAFETY: the place is of this type, says the caller.
            unsafe { *place.cast::<Option<Result<F::Output, JoinError>>>() = Some(output) };
        }
    }

    /// # Safety
    /// See [`VTable`].
    unsafe fn drop_output(header: NonNull<Header>) {
        // SAFETY: the caller has the output by rule 4.
        *unsafe { Self::stage(header) } = Stage::Taken;
    }

    /// # Safety
    /// See [`VTable`].
    unsafe fn schedule(header: NonNull<Header>, runnable: Runnable, place: Place) {
        // A copy, since the cell may be gone before the call returns: whoever pops the runnable may finish the task.
        // SAFETY: the runnable's own reference keeps the cell alive until it is handed over.
        let schedule = unsafe { header.cast::<Cell<F, S>>().as_ref() }
            .schedule
            .clone();
        schedule.schedule(runnable, place);
    }

    /// # Safety
    /// See [`VTable`].
    unsafe fn finished(header: NonNull<Header>) {
        // SAFETY: the caller holds a reference.
        let cell = unsafe { header.cast::<Cell<F, S>>().as_ref() };
        cell.schedule.finished(cell.header.id);
    }

    /// # Safety
    /// See [`VTable`].
    unsafe fn free(header: NonNull<Header>) {
        let cell = header.cast::<Cell<F, S>>();
        // SAFETY: a live cell of this type, and rule 6 makes the caller the last to know of it.
        let stage = unsafe { Self::stage(header) };
        // A destructor that panics has nobody left to tell, and must not stop the waker's thread.
        contain(|| *stage = Stage::Taken);
        // SAFETY: as above; nothing uses the cell afterwards.
        contain(|| unsafe { cell.drop_in_place() });
        // SAFETY: from `recycle::allocate` of this type in `TaskRef::allocate`; its value was dropped just now.
        unsafe { recycle::free(cell) };
    }
}

/// Drops the future in its place, and nothing else.
fn drop_stage<F: Future>(stage: &mut Stage<F>) -> Result<(), Box<dyn Any + Send>> {
    catch_unwind(AssertUnwindSafe(|| *stage = Stage::Taken))
}

/// Runs code of the user's that may panic where there is nobody to tell: the hook has printed the message already.
pub(crate) fn contain(code: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(code)) {
        // A payload may panic when dropped; there must be an end.
        std::mem::forget(payload);
    }
}

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
        let cell = recycle::allocate::<Cell<F, S>>();
        let value = Cell {
            header: Header {
                state: State::new(2),
                vtable: &Cell::<F, S>::VTABLE,
                joiner: UnsafeCell::new(None),
                id: TaskId::next(),
            },
            schedule,
            stage: UnsafeCell::new(Stage::Future(future)),
        };
        // SAFETY: memory for this type, which nobody else knows of.
        unsafe { cell.write(value) };
        TaskRef(cell.cast())
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
        std::mem::ManuallyDrop::new(self).0.cast()
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
        self.header().id
    }

    /// Gives the runnable of an arrow into SCHEDULED to the task's executor.
    pub(super) fn push(runnable: Runnable, place: Place) {
        let pointer = runnable.task().0;
        // SAFETY: the runnable's reference keeps the cell alive.
        let vtable = unsafe { pointer.as_ref() }.vtable;
        // SAFETY: the vtable is this cell's own.
        unsafe { (vtable.schedule)(pointer, runnable, place) };
    }

    /// Wakes the task and gives up the reference.
    pub(super) fn wake(self) {
        let task = std::mem::ManuallyDrop::new(self);
        match task.state().wake() {
            // SAFETY: the state word passed this reference on to the queue.
            Wake::Push => Self::push(Runnable::new(unsafe { task.assume_counted() }), Place::Next),
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

    /// Drops the future here and now if nobody is polling it: what an owner does with its tasks when it is dropped.
    ///
    /// For a task that is not `Send` this is called on its own thread: the owner's promise.
    pub(crate) fn drop_future(&self) {
        if self.state().claim() {
            self.finish_aborted();
        }
    }

    /// Polls the future.
    ///
    /// # Safety
    /// Rule 1: this thread made `begin_run` succeed and has not ended the run.
    pub(super) unsafe fn poll(&self) -> Poll<()> {
        let waker = waker::borrowed(self);
        let entered = current::enter(self.id(), self.state().is_named());
        let _budget = crate::budget::refill();
        // SAFETY: the vtable is this cell's own, and rule 1 is the caller's promise.
        let polled =
            unsafe { (self.header().vtable.poll)(self.0, &mut Context::from_waker(&waker)) };
        if entered.is_named() {
            self.state().set_named();
        }
        polled
    }

    /// Ends a run by dropping the future. Rule 1 must hold; the run is over afterwards.
    pub(super) fn finish_aborted(&self) {
        let entered = current::enter(self.id(), self.state().is_named());
        // SAFETY: the vtable is this cell's own; the callers come from `claim`, or from a run that the word aborts.
        unsafe { (self.header().vtable.abort)(self.0) };
        if entered.is_named() {
            self.state().set_named();
        }
        drop(entered);
        self.finish();
    }

    /// Publishes the output. Rule 1 must hold; the run is over afterwards.
    pub(super) fn finish(&self) {
        if self.state().is_named() {
            current::drop_locals(self.id());
        }
        // SAFETY: the vtable is this cell's own, and this reference keeps it alive.
        unsafe { (self.header().vtable.finished)(self.0) };
        let Finish {
            wake_joiner,
            drop_output,
        } = self.state().finish();
        if drop_output {
            contain(|| self.drop_output());
        }
        if wake_joiner {
            // SAFETY: rule 5: JOINER was set, so the handle no longer writes the slot, and this is a shared read.
            let joiner = unsafe { &*self.joiner() };
            contain(|| {
                joiner
                    .as_ref()
                    .expect("JOINER means a waker is stored")
                    .wake_by_ref();
            });
        }
    }

    /// Drops the output, if it was not taken. Rule 4 must give it to this thread.
    pub(super) fn drop_output(&self) {
        // SAFETY: the vtable is this cell's own; rule 4 is the callers' promise.
        unsafe { (self.header().vtable.drop_output)(self.0) };
    }

    /// Moves the output out; `None` if that was done before. Rule 4 must give it to this thread.
    ///
    /// # Safety
    /// `T` is the output type of the task's future.
    pub(super) unsafe fn take_output<T>(&self) -> Option<Result<T, JoinError>> {
        let mut output = None;
        // SAFETY: the vtable is this cell's own, and the place is of the type that it expects, says the caller.
        unsafe { (self.header().vtable.take_output)(self.0, (&raw mut output).cast()) };
        output
    }

    /// The slot of the joiner's waker. What may be done with it says rule 5.
    pub(super) fn joiner(&self) -> *mut Option<Waker> {
        self.header().joiner.get()
    }

    /// Frees the cell.
    ///
    /// # Safety
    /// Rule 6: the last reference was given up to the caller.
    pub(super) unsafe fn free(&self) {
        let id = self.id();
        // The future may still be there, and is dropped as it was polled: as this task.
        let entered = current::enter(id, self.state().is_named());
        // SAFETY: the vtable is this cell's own; the caller is the last to know of the cell.
        unsafe { (self.header().vtable.free)(self.0) };
        let is_named = entered.is_named();
        drop(entered);
        if is_named {
            current::forget(id);
        }
    }
}

impl Clone for TaskRef {
    fn clone(&self) -> TaskRef {
        self.state().add_reference();
        TaskRef(self.0)
    }
}

impl Drop for TaskRef {
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
    fn the_header_has_the_size_that_the_drawing_says() {
        assert_eq!(size_of::<Header>(), 40);
        assert_eq!(size_of::<TaskRef>(), 8);
        assert_eq!(size_of::<Option<TaskRef>>(), 8);
    }
}
