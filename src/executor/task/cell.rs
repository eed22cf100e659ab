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
use crate::executor::current::{self, TaskId};
use std::any::Any;
use std::cell::UnsafeCell;
use std::future::Future;
use std::mem::{ManuallyDrop, MaybeUninit, needs_drop};
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
    /// Stores a joiner's waker.
    ///
    /// # Safety
    /// The slot is the caller's by rule 5, and nothing is in it that has to be dropped.
    pub(super) unsafe fn put_joiner(&self, joiner: Waker) {
        // SAFETY: nobody else looks at the slot, says the caller.
        unsafe { self.joiner.get().cast::<Waker>().write(joiner) };
    }

    /// The joiner's waker, to be compared.
    ///
    /// # Safety
    /// JOINER is set, and the caller is the handle (rule 5).
    pub(super) unsafe fn joiner(&self) -> &Waker {
        // SAFETY: a waker was stored, and nobody writes the slot, says the caller.
        unsafe { &*self.joiner.get().cast::<Waker>() }
    }

    /// Takes the joiner's waker; the slot keeps a copy that is nobody's.
    ///
    /// # Safety
    /// A waker was stored, and is the caller's by rule 5.
    pub(super) unsafe fn take_joiner(&self) -> Waker {
        // SAFETY: it is there, and not taken twice, says the caller.
        unsafe { self.joiner.get().cast::<Waker>().read() }
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
    /// Moves the output (rule 4) to the `MaybeUninit<Result<T, JoinError>>` pointed to.
    pub(super) take_output: unsafe fn(NonNull<Header>, *mut ()),
    /// Drops the output (rule 4).
    pub(super) drop_output: unsafe fn(NonNull<Header>),
    /// Hands the runnable to the task's `Schedule`.
    pub(super) schedule: unsafe fn(NonNull<Header>, Runnable, Place),
    /// Frees the cell, with the future if that is still there (rule 6).
    pub(super) free: unsafe fn(NonNull<Header>),
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
        take_output: Self::take_output,
        drop_output: Self::drop_output,
        schedule: Self::schedule,
        free: Self::free,
    };

    /// Where the future is.
    ///
    /// # Safety
    /// `header` is that of a live `Cell<F, S>`.
    #[inline]
    unsafe fn future(header: NonNull<Header>) -> *mut F {
        // SAFETY: live and of this type, says the caller.
        unsafe { &raw mut (*header.cast::<Holding<S, F>>().as_ptr()).content }
    }

    /// Where the output is.
    ///
    /// # Safety
    /// `header` is that of a live `Cell<F, S>`.
    #[inline]
    unsafe fn output(header: NonNull<Header>) -> *mut Output<F> {
        // SAFETY: live and of this type, says the caller.
        unsafe { &raw mut (*header.cast::<Holding<S, Output<F>>>().as_ptr()).content }
    }

    /// Where the task goes when it is woken.
    ///
    /// # Safety
    /// `header` is that of a live `Cell<F, S>`.
    #[inline]
    unsafe fn schedule_of(header: NonNull<Header>) -> *mut S {
        // SAFETY: live and of this type, says the caller; the place is the same whatever the content.
        unsafe { &raw mut (*header.cast::<Holding<S, F>>().as_ptr()).schedule }
    }

    /// Drops the future in its place.
    ///
    /// # Safety
    /// The run is the caller's (rule 1), and the future there, and not used again.
    #[inline]
    unsafe fn drop_future(header: NonNull<Header>) -> Result<(), Box<dyn Any + Send>> {
        // SAFETY: live, says the caller.
        let future = unsafe { Self::future(header) };
        // SAFETY: the caller's promise.
        catch_unwind(AssertUnwindSafe(|| unsafe { future.drop_in_place() }))
    }

    /// Polls the future once, and puts the task where it belongs next: to sleep, back into a queue, or to its end.
    ///
    /// # Safety
    /// See [`VTable`].
    unsafe fn run(header: NonNull<Header>) {
        // SAFETY: live, since the queue's reference is the caller's.
        let state = unsafe { &header.as_ref().state };
        match state.begin_run() {
            // SAFETY: rule 1: the run is ours.
            BeginRun::Abort => return unsafe { Self::finish_aborted(header) },
            // SAFETY: the reference is ours to give up.
            BeginRun::Over => return drop(unsafe { TaskRef::from_header(header) }),
            BeginRun::Poll => {}
        }
        // SAFETY: rule 1: the run is ours.
        let Some(again) = (unsafe { Self::poll(header) }) else {
            // SAFETY: the run is ours, and the output in its place.
            return unsafe { Self::finish(header) };
        };
        match state.end_run(again) {
            EndRun::Idle => {}
            EndRun::PutOff => {
                // SAFETY: the run and the reference travel together.
                let runnable = Runnable::new(unsafe { TaskRef::from_header(header) });
                // SAFETY: the runnable keeps the cell alive.
                unsafe { Self::schedule(header, runnable, Place::Last) };
            }
            // SAFETY: the run is ours still.
            EndRun::Abort => unsafe { Self::finish_aborted(header) },
            // SAFETY: the reference that the word gave up was the last (rule 6).
            EndRun::Free => unsafe { Self::free(header) },
        }
    }

    /// Polls the future. `None`: that has ended, by value or by panic, and the output is in its place. `Some`: whether it
    /// asked to be polled again.
    ///
    /// # Safety
    /// As for [`VTable`]'s `run`, after `begin_run`.
    #[inline]
    unsafe fn poll(header: NonNull<Header>) -> Option<bool> {
        // SAFETY: live, says the caller.
        let state = unsafe { &header.as_ref().state };
        // SAFETY: as above.
        let id = unsafe { id_of(header) };
        let waker = waker::borrowed(header);
        let turn = current::begin_turn(id, state.is_named(), &waker);
        // SAFETY: live, says the caller.
        let future = unsafe { Self::future(header) };
        let polled = catch_unwind(AssertUnwindSafe(|| {
            // SAFETY: the run is the caller's (rule 1), and the task is not over.
            let future = unsafe { &mut *future };
            // SAFETY: the future lives in the heap cell and is dropped in place: it has not moved since its first poll.
            let future = unsafe { Pin::new_unchecked(future) };
            future.poll(&mut Context::from_waker(&waker))
        }));
        let is_pending = match polled {
            Ok(Poll::Pending) => true,
            Ok(Poll::Ready(output)) => {
                // SAFETY: the run is the caller's, and the future there.
                unsafe { Self::replace_future(header, Ok(output)) };
                false
            }
            Err(payload) => {
                // SAFETY: as above.
                unsafe { Self::replace_future(header, Err(payload)) };
                false
            }
        };
        let ended = turn.end();
        if ended.is_named && !state.is_named() {
            state.set_named();
        }
        is_pending.then_some(ended.again)
    }

    /// # Safety
    /// See [`VTable`].
    #[inline(never)]
    unsafe fn finish_aborted(header: NonNull<Header>) {
        // SAFETY: live, says the caller.
        let state = unsafe { &header.as_ref().state };
        // SAFETY: as above.
        let id = unsafe { id_of(header) };
        let entered = current::enter(id, state.is_named());
        // SAFETY: rule 1: the run is the caller's, and the future there.
        let error = match unsafe { Self::drop_future(header) } {
            Ok(()) => JoinError::aborted(id),
            Err(payload) => JoinError::panicked(id, payload),
        };
        // SAFETY: live, says the caller.
        let place = unsafe { Self::output(header) };
        // SAFETY: the future's memory is free now, and the run is ours still.
        unsafe { place.write(Err(error)) };
        if entered.is_named() {
            state.set_named();
        }
        drop(entered);
        // SAFETY: the run is ours, and the output in its place.
        unsafe { Self::finish(header) };
    }

    /// Drops the future and puts the output into its place. A panic while the future is dropped becomes the output.
    ///
    /// # Safety
    /// The run is the caller's (rule 1), and the future is there.
    #[inline]
    unsafe fn replace_future(
        header: NonNull<Header>,
        output: Result<F::Output, Box<dyn Any + Send>>,
    ) {
        // SAFETY: the caller's promise.
        let dropped = unsafe { Self::drop_future(header) };
        let output = match (output, dropped) {
            (Ok(output), Ok(())) => Ok(output),
            // The first panic is the one to report. The second one's payload may panic as it is dropped.
            (Err(payload), dropped) => {
                contain(move || drop(dropped));
                // SAFETY: live, says the caller.
                Err(JoinError::panicked(unsafe { id_of(header) }, payload))
            }
            (Ok(output), Err(payload)) => {
                contain(move || drop(output));
                // SAFETY: live, says the caller.
                Err(JoinError::panicked(unsafe { id_of(header) }, payload))
            }
        };
        // SAFETY: live, says the caller.
        let place = unsafe { Self::output(header) };
        // SAFETY: the future's memory is free now, and the run is ours still.
        unsafe { place.write(output) };
    }

    /// Publishes the output and gives up the reference.
    ///
    /// # Safety
    /// The run and the reference are the caller's, and the output is in its place.
    #[inline]
    unsafe fn finish(header: NonNull<Header>) {
        // SAFETY: live, says the caller.
        let whole @ Header { state, .. } = unsafe { header.as_ref() };
        // SAFETY: as above.
        let id = unsafe { id_of(header) };
        if state.is_named() {
            current::drop_locals(id);
        }
        // SAFETY: live, says the caller.
        let schedule = unsafe { Self::schedule_of(header) };
        // SAFETY: nobody writes to it while the cell lives.
        unsafe { &*schedule }.finished(id);
        match state.finish() {
            Finish::Published => {}
            Finish::WakeJoiner => {
                // SAFETY: rule 5: JOINER and DONE are set, so nobody writes the slot, and what is in it is ours.
                let joiner = unsafe { whole.take_joiner() };
                contain(|| waker::wake_last(joiner));
                // SAFETY: the reference is ours to give up.
                drop(unsafe { TaskRef::from_header(header) });
            }
            Finish::Detached => {
                // SAFETY: rule 4: there is no handle, so the output is ours.
                contain(|| unsafe { Self::drop_output(header) });
                if state.finish_detached() {
                    // SAFETY: nobody else knows of the cell (rule 6), and the future and the output are gone.
                    unsafe { Self::release(header) };
                }
            }
        }
    }

    /// # Safety
    /// See [`VTable`]; `place` points to a `MaybeUninit<Output<F>>`.
    unsafe fn take_output(header: NonNull<Header>, place: *mut ()) {
        // SAFETY: live, says the caller.
        let output = unsafe { Self::output(header) };
        // SAFETY: the caller has the output by rule 4, and it is not used here again; the place is of this type.
        unsafe { output.copy_to_nonoverlapping(place.cast(), 1) };
    }

    /// # Safety
    /// See [`VTable`].
    unsafe fn drop_output(header: NonNull<Header>) {
        // SAFETY: live, says the caller.
        let output = unsafe { Self::output(header) };
        // SAFETY: the caller has the output by rule 4; it is there, and not used again.
        unsafe { output.drop_in_place() };
    }

    /// # Safety
    /// See [`VTable`].
    unsafe fn schedule(header: NonNull<Header>, runnable: Runnable, place: Place) {
        // A copy, since the cell may be gone before the call returns: whoever pops the runnable may finish the task.
        // SAFETY: the runnable's own reference keeps the cell alive until it is handed over.
        let schedule = unsafe { Self::schedule_of(header) };
        // SAFETY: nobody writes to it while the cell lives.
        let schedule = unsafe { &*schedule }.clone();
        schedule.schedule(runnable, place);
    }

    /// # Safety
    /// See [`VTable`].
    unsafe fn free(header: NonNull<Header>) {
        // SAFETY: live, says the caller.
        let state = unsafe { &header.as_ref().state };
        // SAFETY: as above.
        let id = unsafe { id_of(header) };
        if !state.is_done() {
            // The future is dropped as it was polled: as this task.
            let entered = current::enter(id, state.is_named());
            // A destructor that panics has nobody left to tell, and must not stop the waker's thread.
            // SAFETY: the future is there, since the task is not over, and rule 6 makes the caller the last to know of it.
            contain(|| drop(unsafe { Self::drop_future(header) }));
            if entered.is_named() {
                state.set_named();
            }
        }
        // SAFETY: nobody else knows of the cell, and the future and the output are gone.
        unsafe { Self::release(header) };
    }

    /// Gives the memory back.
    ///
    /// # Safety
    /// The caller is the last to know of the cell (rule 6); the future and the output are gone.
    #[inline]
    unsafe fn release(header: NonNull<Header>) {
        // SAFETY: live, says the caller.
        let state = unsafe { &header.as_ref().state };
        // SAFETY: as above.
        let id = unsafe { id_of(header) };
        if state.is_named() {
            current::forget(id);
        }
        let cell = header.cast::<Cell<F, S>>();
        if needs_drop::<S>() {
            // SAFETY: live, says the caller.
            let schedule = unsafe { Self::schedule_of(header) };
            // SAFETY: used by nobody any more.
            contain(|| unsafe { schedule.drop_in_place() });
        }
        // SAFETY: from `recycle::allocate` of this type; all that was in it has been dropped.
        unsafe { recycle::free(cell) };
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
