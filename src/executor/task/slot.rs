//! A place for one runnable that its worker fills and empties, and that the watcher may empty too.

#![allow(
    unsafe_code,
    reason = "a home of unsafe: a runnable as one atomic pointer"
)]

use super::Runnable;
use super::cell::Header;
use super::task_ref::TaskRef;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicPtr, Ordering};

/// At most one runnable. Every access is one swap, so a runnable that went in comes out once.
#[derive(Debug, Default)]
pub(crate) struct Slot(AtomicPtr<Header>);

impl Slot {
    /// Puts a runnable in; whatever stood there comes back.
    pub(crate) fn put(&self, runnable: Runnable) -> Option<Runnable> {
        let pointer = runnable.into_task().into_raw().as_ptr();
        Self::own(self.0.swap(pointer, Ordering::AcqRel))
    }

    /// Takes what stands there.
    pub(crate) fn take(&self) -> Option<Runnable> {
        // A look first: most slots are empty, and a look is cheaper than a swap.
        if self.is_empty() {
            return None;
        }
        Self::own(self.0.swap(std::ptr::null_mut(), Ordering::AcqRel))
    }

    /// Whether nothing stood there a moment ago.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.load(Ordering::Acquire).is_null()
    }

    /// What a pointer from the slot stands for.
    fn own(pointer: *mut Header) -> Option<Runnable> {
        // SAFETY: a pointer in the slot came from `into_raw` in `put`, and the swap that got it took it out.
        NonNull::new(pointer).map(|pointer| Runnable::new(unsafe { TaskRef::from_raw(pointer) }))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        drop(self.take());
    }
}
