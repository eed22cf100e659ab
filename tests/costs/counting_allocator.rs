//! The system's allocator, and a count of what is asked of it.

#![allow(
    unsafe_code,
    reason = "a home of unsafe: a global allocator is an unsafe trait"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// How often memory was asked for, by any thread.
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

/// How many bytes were asked for.
static BYTES_TAKEN: AtomicU64 = AtomicU64::new(0);

/// How many of them were given back.
static BYTES_GIVEN: AtomicU64 = AtomicU64::new(0);

/// How often any thread has asked for memory so far; to grow is to ask, to give back is not.
pub(crate) fn allocations() -> u64 {
    ALLOCATIONS.load(Ordering::SeqCst)
}

/// How many bytes are taken now, as they were asked for: what the system adds to them is its own affair.
pub(crate) fn bytes() -> u64 {
    let given = BYTES_GIVEN.load(Ordering::SeqCst);
    BYTES_TAKEN.load(Ordering::SeqCst) - given
}

struct CountingAllocator;

impl CountingAllocator {
    fn count(size: usize) {
        ALLOCATIONS.fetch_add(1, Ordering::SeqCst);
        BYTES_TAKEN.fetch_add(size as u64, Ordering::SeqCst);
    }
}

// SAFETY: each method passes its arguments to the system's allocator as they are and returns what that does; to count
// neither allocates nor panics.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CountingAllocator::count(layout.size());
        // SAFETY: the caller keeps the same promise that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        CountingAllocator::count(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        CountingAllocator::count(size);
        BYTES_GIVEN.fetch_add(layout.size() as u64, Ordering::SeqCst);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        BYTES_GIVEN.fetch_add(layout.size() as u64, Ordering::SeqCst);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}
