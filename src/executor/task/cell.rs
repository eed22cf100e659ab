//! The heap cell of one task: the header, then the future or its output.
//!
//! ```text
//!   Header  │ state word 8 │ vtable 8 │ joiner's waker 16     the same for every task
//!   Cell    │ id_low 4 │ schedule │ the future, then its output
//! ```
//!
//! One allocation. What a task needs beside its future are 36 bytes: the upper part of the id stands in the state word's
//! free bits, so that a future of 64 bytes and its own state, up to 68, makes a cell of 104, which glibc's allocator fits
//! into 112.
//!
//! Handles hold a thin pointer to the header (`task_ref.rs`); the vtable knows the types behind it. What needs the types is
//! here, a whole run among it, so that one call through the vtable leads from the queue to the future and back.

#![allow(unsafe_code, reason = "a home of unsafe: the memory of a task")]

use super::runnable::Runnable;
use super::schedule::{Place, Schedule};
use super::state::{BeginRun, EndRun, Finish, State};
use super::task_ref::TaskRef;
use super::{JoinError, recycle, waker};
use crate::budget;
use crate::executor::current::{self, TaskId};
use std::any::Any;
use std::cell::UnsafeCell;
use std::future::Future;
use std::mem::{ManuallyDrop, MaybeUninit, needs_drop, offset_of};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};

/// The part of a cell that does not depend on the future's type.
#[repr(C)]
pub(super) struct Header {
    /// Who may touch what is below, and how many hold the cell.
    pub(super) state: State,
    /// What to do with the types behind the header.
    pub(super) vtable: &'static VTable,
    /// Whom to wake with the output; what is in it says rule 5.
    joiner: UnsafeCell<MaybeUninit<Waker>>,
}

impl Header {
    /// The joiner's slot. Who may do what with it, says rule 5.
    pub(super) fn joiner(&self) -> *mut Waker {
        self.joiner.get().cast()
    }
}

/// One task, with what it holds: its future, and after that its output, in the same memory; which of the two, the state
/// word says (rules 1 and 4). Nobody ever has a reference to all of it, since the parts have different owners.
#[repr(C)]
union Cell<F: Future, S> {
    /// Until the run that ends the task.
    future: ManuallyDrop<Holding<S, F>>,
    /// From then on, until the handle takes it, or somebody drops it.
    output: ManuallyDrop<Holding<S, Output<F>>>,
}

/// A cell and what is in it at one time. Only the last field's place depends on what that is.
#[repr(C)]
struct Holding<S, T> {
    /// First, so that a pointer to the cell is a pointer to its header.
    header: Header,
    /// The lower part of the task's id, right behind the header whatever the types are. The id names the task in messages
    /// and in the table of names and task-locals.
    id_low: u32,
    /// Where the task goes when it is woken.
    schedule: S,
    /// The future or the output.
    content: T,
}

/// What becomes of a task.
type Output<F> = Result<<F as Future>::Output, JoinError>;

/// The deeds that need the future's type. Each is unsafe for the same reason: the pointer has to be to a live cell of
/// that type, and the caller must have the right that the name implies by a rule of `state.rs`.
pub(super) struct VTable {
    /// Runs a task that was popped from a queue (rules 1 and 2); its reference is given up.
    pub(super) run: unsafe fn(NonNull<Header>),
    /// Ends a run by dropping the future (rule 1); the caller's reference is given up.
    pub(super) finish_aborted: unsafe fn(NonNull<Header>),
    /// Hands the runnable to the task's `Schedule`.
    pub(super) schedule: unsafe fn(NonNull<Header>, Runnable, Place),
    /// Frees the cell, with the future if that is still there (rule 6).
    pub(super) free: unsafe fn(NonNull<Header>),
    /// So many bytes behind the header is the output.
    pub(super) output_offset: usize,
}

/// Puts a future into a new cell, SCHEDULED, with so many references.
#[inline]
#[allow(
    clippy::multiple_unsafe_ops_per_block,
    reason = "one deed in four: written field by field, the future goes straight to its place"
)]
pub(super) fn allocate<F: Future, S: Schedule>(
    future: F,
    schedule: S,
    references: u32,
) -> NonNull<Header> {
    let (id_high, id_low) = TaskId::next().split();
    let cell = recycle::allocate::<Cell<F, S>>();
    let place = cell.cast::<Holding<S, F>>().as_ptr();
    let header = Header {
        state: State::new(references, id_high),
        vtable: &Cell::<F, S>::VTABLE,
        joiner: UnsafeCell::new(MaybeUninit::uninit()),
    };
    // SAFETY: memory for this type, which nobody else knows of.
    unsafe {
        (&raw mut (*place).header).write(header);
        (&raw mut (*place).id_low).write(id_low);
        (&raw mut (*place).schedule).write(schedule);
        (&raw mut (*place).content).write(future);
    }
    cell.cast()
}

/// The task's id.
///
/// # Safety
/// `header` is that of a live cell.
#[inline]
pub(super) unsafe fn id_of(header: NonNull<Header>) -> TaskId {
    // SAFETY: live, says the caller.
    let high = unsafe { header.as_ref() }.state.id_high();
    // SAFETY: `Holding` is `repr(C)`: right after the header, whose size is a multiple of four, comes `id_low`.
    let low = unsafe { header.add(1) }.cast::<u32>();
    // SAFETY: it is there, and never changes.
    let low = unsafe { low.read() };
    // SAFETY: `allocate` got the two from `split`.
    unsafe { TaskId::joined(high, low) }
}

impl<F: Future, S: Schedule> Cell<F, S> {
    const VTABLE: VTable = VTable {
        run: Self::run,
        finish_aborted: Self::finish_aborted,
        schedule: Self::schedule,
        free: Self::free,
        output_offset: offset_of!(Holding<S, Output<F>>, content),
    };

    /// # Safety
    /// See [`VTable`].
    unsafe fn run(header: NonNull<Header>) {
        // SAFETY: the caller's promise.
        let cell = unsafe { LiveCell::<F, S>::new(header) };
        match cell.state().begin_run() {
            // SAFETY: rule 1: the run is ours, and so is the queue's reference.
            BeginRun::Poll => unsafe { cell.poll() },
            // SAFETY: as above.
            BeginRun::Abort => unsafe { Self::finish_aborted(header) },
            // SAFETY: the reference is ours to give up.
            BeginRun::Over => drop(unsafe { TaskRef::from_raw(header) }),
        }
    }

    /// # Safety
    /// See [`VTable`].
    #[inline(never)]
    unsafe fn finish_aborted(header: NonNull<Header>) {
        // SAFETY: the caller's promise.
        let cell = unsafe { LiveCell::<F, S>::new(header) };
        cell.as_task(|| {
            // SAFETY: rule 1: the run is the caller's, and the future there.
            let error = match unsafe { cell.drop_future() } {
                Ok(()) => JoinError::aborted(cell.id()),
                Err(payload) => JoinError::panicked(cell.id(), payload),
            };
            // SAFETY: the future's memory is free now, and the run is ours still.
            unsafe { cell.output().write(Err(error)) };
        });
        // SAFETY: the run and the reference are ours, and the output in its place.
        unsafe { cell.finish() };
    }

    /// # Safety
    /// See [`VTable`].
    unsafe fn schedule(header: NonNull<Header>, runnable: Runnable, place: Place) {
        // SAFETY: the runnable's own reference keeps the cell alive until it is handed over.
        let cell = unsafe { LiveCell::<F, S>::new(header) };
        // A copy, since the cell may be gone before the call returns: whoever pops the runnable may finish the task.
        // SAFETY: nobody writes to it while the cell lives.
        let schedule = unsafe { &*cell.schedule() }.clone();
        schedule.schedule(runnable, place);
    }

    /// # Safety
    /// See [`VTable`].
    unsafe fn free(header: NonNull<Header>) {
        // SAFETY: the caller's promise.
        let cell = unsafe { LiveCell::<F, S>::new(header) };
        if !cell.state().is_done() {
            // A destructor that panics has nobody left to tell, and must not stop the waker's thread.
            // SAFETY: the future is there, since the task is not over, and rule 6 makes the caller the last to know of it.
            cell.as_task(|| contain(|| drop(unsafe { cell.drop_future() })));
        }
        // SAFETY: nobody else knows of the cell, and the future and the output are gone.
        unsafe { cell.release() };
    }
}

/// A cell of a known type, and who uses it: somebody that has a reference, or was the last to have one. What gives that up
/// takes this by value.
struct LiveCell<F: Future, S: Schedule>(NonNull<Cell<F, S>>);

impl<F: Future, S: Schedule> LiveCell<F, S> {
    /// # Safety
    /// `header` is that of a `Cell<F, S>`, which lives as long as the result is used.
    #[inline]
    unsafe fn new(header: NonNull<Header>) -> LiveCell<F, S> {
        LiveCell(header.cast())
    }

    fn header(&self) -> &Header {
        // SAFETY: it lives, and starts with a header.
        unsafe { self.0.cast::<Header>().as_ref() }
    }

    fn state(&self) -> &State {
        &self.header().state
    }

    fn id(&self) -> TaskId {
        // SAFETY: it lives.
        unsafe { id_of(self.0.cast()) }
    }

    /// The cell while it holds a future, or an output: where things are, not that they are there.
    fn holding<T>(&self) -> *mut Holding<S, T> {
        self.0.as_ptr().cast()
    }

    fn future(&self) -> *mut F {
        // SAFETY: within the cell.
        unsafe { &raw mut (*self.holding()).content }
    }

    fn output(&self) -> *mut Output<F> {
        // SAFETY: within the cell.
        unsafe { &raw mut (*self.holding()).content }
    }

    /// Where the task goes when it is woken.
    fn schedule(&self) -> *mut S {
        // SAFETY: within the cell; the place is the same whatever that holds.
        unsafe { &raw mut (*self.holding::<F>()).schedule }
    }

    /// Runs code of the task's, which may be what gives it a name or task-locals.
    #[inline(always)]
    fn as_task<T>(&self, code: impl FnOnce() -> T) -> T {
        let was_named = self.state().is_named();
        let (result, is_named) = current::run_as(self.id(), was_named, code);
        if is_named && !was_named {
            self.state().set_named();
        }
        result
    }

    /// Polls the future once, and puts the task where it belongs next: to sleep, back into a queue, or to its end.
    ///
    /// # Safety
    /// The run and the reference are the caller's, to be given up (rule 1).
    #[inline]
    unsafe fn poll(self) {
        let header = self.0.cast();
        let again = self.as_task(|| {
            let (future, waker) = (self.future(), waker::borrowed(header));
            let turn = budget::begin_turn(&waker);
            let mut output = None;
            let caught = catch_unwind(AssertUnwindSafe(|| {
                // SAFETY: the run is the caller's, and the task is not over.
                let pinned = unsafe { &mut *future };
                // SAFETY: the future lives in the heap cell and is dropped in place: it has not moved since its first poll.
                let pinned = unsafe { Pin::new_unchecked(pinned) };
                if let Poll::Ready(ready) = pinned.poll(&mut Context::from_waker(&waker)) {
                    output = Some(ready);
                    // SAFETY: the run is the caller's, and the future there, and not used again.
                    unsafe { future.drop_in_place() };
                }
            }));
            let output = match (caught, output) {
                (Ok(()), None) => return Some(turn.end()),
                (Ok(()), Some(output)) => Ok(output),
                // SAFETY: as above; without an output it was the poll that panicked.
                (Err(payload), output) => Err(unsafe { self.panicked(payload, output) }),
            };
            // SAFETY: the future's memory is free now, and the run is the caller's still.
            unsafe { self.output().write(output) };
            None
        });
        let Some(again) = again else {
            // SAFETY: the run and the reference are the caller's, and the output is in its place.
            return unsafe { self.finish() };
        };
        match self.state().end_run(again) {
            EndRun::Idle => {}
            EndRun::PutOff => {
                // SAFETY: the reference is the caller's, and given up.
                let task = unsafe { TaskRef::from_raw(header) };
                // SAFETY: the run is the caller's, was put off, and travels with the reference.
                let runnable = unsafe { Runnable::new(task) };
                // SAFETY: the runnable keeps the cell alive.
                unsafe { Cell::<F, S>::schedule(header, runnable, Place::Last) };
            }
            // SAFETY: the run is ours still.
            EndRun::Abort => unsafe { Cell::<F, S>::finish_aborted(header) },
            // SAFETY: the reference that the word gave up was the last (rule 6).
            EndRun::Free => unsafe { Cell::<F, S>::free(header) },
        }
    }

    /// Drops the future in its place.
    ///
    /// # Safety
    /// The run is the caller's (rule 1), and the future there, and not used again.
    unsafe fn drop_future(&self) -> Result<(), Box<dyn Any + Send>> {
        let future = self.future();
        // SAFETY: the caller's promise.
        catch_unwind(AssertUnwindSafe(|| unsafe { future.drop_in_place() }))
    }

    /// What becomes of a task that panicked: in its poll, or when its future was dropped after the output was there.
    ///
    /// # Safety
    /// The run is the caller's (rule 1). Without an output the future is there, and not used again.
    #[cold]
    unsafe fn panicked(
        &self,
        payload: Box<dyn Any + Send>,
        output: Option<F::Output>,
    ) -> JoinError {
        // The first panic is the one to report. What follows may panic, and a second payload may as it is dropped.
        contain(|| match output {
            Some(output) => drop(output),
            // SAFETY: the caller's promise.
            None => drop(unsafe { self.drop_future() }),
        });
        JoinError::panicked(self.id(), payload)
    }

    /// Publishes the output and gives up the reference.
    ///
    /// # Safety
    /// The run and the reference are the caller's, and the output is in its place.
    #[inline(always)]
    unsafe fn finish(self) {
        let state = self.state();
        if state.is_named() {
            current::drop_locals(self.id());
        }
        // SAFETY: nobody writes to it while the cell lives.
        unsafe { &*self.schedule() }.finished(self.id());
        match state.finish() {
            Finish::Published => {}
            // SAFETY: the word left it to the runner.
            Finish::WakeJoiner => unsafe { self.wake_joiner() },
            Finish::Detached => {
                let output = self.output();
                // SAFETY: rule 4: there is no handle, so the output is ours.
                if needs_drop::<F::Output>() || unsafe { &*output }.is_err() {
                    // SAFETY: as above.
                    contain(|| unsafe { output.drop_in_place() });
                }
                if state.finish_detached() {
                    // SAFETY: nobody else knows of the cell (rule 6), and the future and the output are gone.
                    unsafe { self.release() };
                }
            }
        }
    }

    /// Wakes who waits for the output, and gives up the reference.
    ///
    /// # Safety
    /// `finish` found JOINER, and the reference is the caller's.
    #[inline(never)]
    unsafe fn wake_joiner(self) {
        // SAFETY: rule 5: JOINER and DONE are set, so nobody writes the slot, and what is in it is ours.
        let joiner = unsafe { self.header().joiner().read() };
        contain(|| waker::wake_last(joiner));
        // SAFETY: the reference is ours to give up.
        drop(unsafe { TaskRef::from_raw(self.0.cast()) });
    }

    /// Gives the memory back.
    ///
    /// # Safety
    /// The caller is the last to know of the cell (rule 6), and this its last use; the future and the output are gone.
    #[inline(always)]
    unsafe fn release(self) {
        if self.state().is_named() {
            current::forget(self.id());
        }
        if needs_drop::<S>() {
            let schedule = self.schedule();
            // SAFETY: used by nobody any more.
            contain(|| unsafe { schedule.drop_in_place() });
        }
        // SAFETY: from `recycle::allocate` of this type; all that was in it has been dropped.
        unsafe { recycle::free(self.0) };
    }
}

/// Runs code of the user's that may panic where there is nobody to tell: the hook has printed the message already.
#[inline]
pub(crate) fn contain(code: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(code)) {
        // A payload may panic when dropped; there must be an end.
        std::mem::forget(payload);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone)]
    struct Nowhere;

    impl Schedule for Nowhere {
        fn schedule(&self, _: Runnable, _: Place) {}
    }

    #[test]
    fn the_header_has_the_size_that_the_drawing_says() {
        assert_eq!(size_of::<Header>(), 32);
    }

    /// The size of a task's cell.
    fn cell_of<F: Future>(_: &F) -> usize {
        size_of::<Cell<F, Nowhere>>()
    }

    #[test]
    fn a_cell_is_the_header_and_the_larger_of_future_and_output() {
        assert_eq!(
            cell_of(&std::future::ready(())),
            40 + size_of::<Output<std::future::Ready<()>>>()
        );
        assert_eq!(cell_of(&std::future::pending::<[u64; 7]>()), 40 + 64);
        // 64 bytes of its own, and the future's own state: an allocation of glibc's of 112 bytes in all.
        let state = [0_u8; 64];
        let future = async move {
            std::future::pending::<()>().await;
            std::hint::black_box(&state);
        };
        assert!((65..=68).contains(&size_of_val(&future)));
        assert_eq!(cell_of(&future), 104);
    }
}
