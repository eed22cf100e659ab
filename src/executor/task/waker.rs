//! From `std::task::Waker` to the cell and back.
//!
//! A waker is a `TaskRef` in std's clothes: its data pointer is the cell, its reference is counted in the state word, and
//! all tasks share one vtable, so that `Waker::will_wake` can tell two wakers of one task by their pointers.

#![allow(
    unsafe_code,
    reason = "a home of unsafe: `RawWaker` is made of raw pointers"
)]

use super::cell::{Header, contain};
use super::schedule::Place;
use super::task_ref::TaskRef;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::task::{RawWaker, RawWakerVTable, Waker};

/// The same for every task.
static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

/// A waker for one poll, which lives on the runner's reference and so costs no counting.
pub(super) fn borrowed(header: NonNull<Header>) -> ManuallyDrop<Waker> {
    // SAFETY: the functions below keep the contract of `RawWaker`: thread-safe, and one reference a waker. This waker is
    // never dropped, so the reference stays the runner's.
    let waker = unsafe { Waker::new(header.as_ptr().cast(), &VTABLE) };
    ManuallyDrop::new(waker)
}

/// Wakes a joiner: if that is a task, it goes behind all that is ready. Who spawns a thousand tasks and joins them is thus
/// woken once or twice, and not for each of them only to wait for the next; where two workers share the tasks, that is
/// three times faster.
pub(super) fn wake_last(waker: Waker) {
    if !std::ptr::eq(waker.vtable(), &VTABLE) {
        return waker.wake();
    }
    let waker = ManuallyDrop::new(waker);
    // SAFETY: the vtable says that it was made here; it is given up, with its reference.
    unsafe { take(waker.data()) }.wake(Place::Last);
}

/// Wakes a batch. A waker of somebody else's that panics does not take the others with it.
pub(crate) fn wake_all(wakers: &mut Vec<Waker>) {
    for waker in wakers.drain(..) {
        contain(|| waker.wake());
    }
}

/// # Safety
/// `data` is that of a waker made here that holds a reference, which is given up to the result.
unsafe fn take(data: *const ()) -> TaskRef {
    // SAFETY: it points to a cell.
    let header = unsafe { NonNull::new_unchecked(data.cast_mut().cast()) };
    // SAFETY: that is its header, and the reference is given up to us, says the caller.
    unsafe { TaskRef::from_raw(header) }
}

/// # Safety
/// As for [`take`], but the reference stays the waker's.
unsafe fn borrow(data: *const ()) -> ManuallyDrop<TaskRef> {
    // SAFETY: the caller's promise; `ManuallyDrop` leaves the reference where it is.
    ManuallyDrop::new(unsafe { take(data) })
}

unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: std calls this with the data of a living waker.
    let task = unsafe { borrow(data) };
    RawWaker::new(TaskRef::clone(&task).into_raw().as_ptr().cast(), &VTABLE)
}

unsafe fn wake(data: *const ()) {
    // SAFETY: std gives the waker up.
    unsafe { take(data) }.wake(Place::Next);
}

unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: std calls this with the data of a living waker.
    unsafe { borrow(data) }.wake_by_ref();
}

unsafe fn drop_waker(data: *const ()) {
    // SAFETY: std gives the waker up.
    drop(unsafe { take(data) });
}
