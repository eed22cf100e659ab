//! A place for one runnable, which the thread at a seat fills; that thread empties it, and the watcher may, too.
//!
//! 1. Only the thread that sits there puts something in, and only where it finds nothing. Nobody else changes an empty place,
//!    so a look and a store will do.
//! 2. What is there is taken with one swap, by whoever comes first: what went in comes out once.
//!
//! The model is `loom_models/slot.rs`; each rule has a broken variant, which must fail there.

#![allow(
    unsafe_code,
    reason = "a home of unsafe: a runnable as one atomic pointer"
)]

#[cfg(not(parklet_loom))]
use super::{Runnable, task_ref::TaskRef};
use crate::primitive::{AtomicPtr, Ordering, is_broken};
use std::ptr::{self, NonNull};

/// At most one pointer.
#[derive(Debug)]
pub(crate) struct Place(AtomicPtr<()>);

impl Place {
    /// An empty one.
    pub(crate) fn new() -> Place {
        Place(AtomicPtr::new(ptr::null_mut()))
    }

    /// Puts a pointer in. False: there is one already. For one thread only (rule 1).
    #[must_use]
    #[inline]
    pub(crate) fn fill(&self, pointer: NonNull<()>) -> bool {
        let is_empty = self.is_empty() || is_broken("slot_rule_1");
        if is_empty {
            self.0.store(pointer.as_ptr(), Ordering::Release);
        }
        is_empty
    }

    /// Takes what stands there.
    #[inline]
    pub(crate) fn empty(&self) -> Option<NonNull<()>> {
        // A look first: most slots are empty, and a look is cheaper than a swap.
        if self.is_empty() {
            return None;
        }
        if is_broken("slot_rule_2") {
            // A look and a store instead of one step: two may take the same.
            let pointer = self.0.load(Ordering::Acquire);
            self.0.store(ptr::null_mut(), Ordering::Release);
            return NonNull::new(pointer);
        }
        NonNull::new(self.0.swap(ptr::null_mut(), Ordering::AcqRel))
    }

    /// Whether nothing stood there a moment ago.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.load(Ordering::Acquire).is_null()
    }
}

/// At most one runnable.
#[cfg(not(parklet_loom))]
#[derive(Debug)]
pub(crate) struct Slot(Place);

#[cfg(not(parklet_loom))]
impl Slot {
    /// An empty one.
    pub(crate) fn new() -> Slot {
        Slot(Place::new())
    }

    /// Puts a runnable in, by the thread at the seat. It comes back if there is one already.
    #[inline]
    pub(crate) fn put(&self, runnable: Runnable) -> Option<Runnable> {
        let pointer = runnable.into_task().into_raw().cast();
        // SAFETY: the pointer came from `into_raw` just now, and did not go in.
        (!self.0.fill(pointer)).then(|| unsafe { own(pointer) })
    }

    /// Takes what stands there.
    #[inline]
    pub(crate) fn take(&self) -> Option<Runnable> {
        // SAFETY: a pointer in the slot came from `into_raw` in `put`, and comes out once (rule 2).
        self.0.empty().map(|pointer| unsafe { own(pointer) })
    }

    /// Whether nothing stood there a moment ago.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Back from the pointer.
///
/// # Safety
/// It came from `into_raw` of a runnable's task, and is given up.
#[cfg(not(parklet_loom))]
unsafe fn own(pointer: NonNull<()>) -> Runnable {
    // SAFETY: the caller's promise: the runnable's reference.
    let task = unsafe { TaskRef::from_raw(pointer.cast()) };
    // SAFETY: the runnable's right comes with it.
    unsafe { Runnable::new(task) }
}
