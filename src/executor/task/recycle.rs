//! The memory of finished tasks, kept for the next ones.
//!
//! A task that is spawned takes the memory of one that is gone. Where ten thousand live at once, that costs a nanosecond
//! or two, and malloc and free 65. The scheme is that of Bonwick and Adams ("Magazines and Vmem", USENIX 2001).
//!
//! ```text
//!   of one thread, for each size class            of all threads
//!
//!             ┌────────┐  full   ┌───────┐  a second one  ┌───────┐  over the limit
//!   give ────►│ loaded ├────────►│ spare ├───────────────►│ depot ├─────────────────► free
//!   take ◄────┤ 0..=64 │◄────────┤  64   │       ┌────────┤       │
//!             └───▲────┘  empty  └───────┘       │        └───────┘
//!                 └──────────────────────────────┘ empty, and no spare
//! ```
//!
//! Cells go to and from the depot (`depot.rs`) by the chain, so a thread that spawns what others finish takes one lock for 64 tasks.
//!
//! 1. A free cell is in one place: in a chain of one thread or in a chain of the depot. Only the code here, and only on
//!    behalf of the chain's owner, reads or writes the link in it; once taken it is no more than memory.
//! 2. A thread's chains are its own: no other thread ever sees them. What changes hands is a whole chain, under the lock of
//!    the depot, which also orders the links in it.
//! 3. A cell comes back to the class it came from, since the class is computed from the layout of the task's type, and all
//!    cells of a class have the same layout.
//! 4. A thread that ends gives its chains to the depot and owns none afterwards. What its last destructors spawn and free
//!    is the allocator's business, and so is what is larger, or more strictly aligned, than any class.
//! 5. The depot gives back to the allocator what is over its limit, at the first opportunity.
//!
//! A stale pointer into a recycled cell would find another task alive there, and no tool would notice. So with debug
//! assertions, as the address sanitizer's run has them, every cell goes straight to the allocator.
//!
//! The models are in `loom_models/recycle.rs`; rules 1, 2, 4 and 5 have a broken variant each, which must fail there.

#![allow(
    unsafe_code,
    reason = "a home of unsafe: the memory of tasks, linked through itself"
)]

use super::depot::{Chain, Depot, FreeCell};
#[cfg(not(parklet_loom))]
use super::size_class::class_of;
use super::size_class::{CLASSES, layout_of};
use crate::primitive::is_broken;
use std::alloc::{self, Layout};
use std::cell::Cell;
use std::ptr::NonNull;
#[cfg(not(parklet_loom))]
use std::sync::LazyLock;

/// Cells in a full chain: the depot's lock is taken once for so many tasks. Bonwick and Adams found that more gains little,
/// and each thread may hold two such chains of each class.
const CHAIN: usize = if cfg!(parklet_loom) { 2 } else { 64 };

/// What the depot keeps at most, of all classes together: ten thousand cells of 376 bytes, so that a program which spawns
/// and joins in bursts of that size does not go to the allocator. It is also all that such a burst can leave behind for
/// good, beside two chains a thread.
#[cfg(not(parklet_loom))]
const DEPOT_BYTES: usize = 4 << 20;

/// Memory for a task of this layout.
#[cfg(not(parklet_loom))]
#[inline]
pub(super) fn allocate<T>() -> NonNull<T> {
    let Some(class) = (const { recycled_class(Layout::new::<T>()) }) else {
        return ask_allocator(Layout::new::<T>()).cast();
    };
    let kept = CELLS.try_with(|OwnCells(cells)| cells.take(class, || &DEPOT));
    let cell = kept.ok().flatten();
    cell.unwrap_or_else(|| ask_allocator(layout_of(class)))
        .cast()
}

/// Gives such memory back.
///
/// # Safety
/// It came from [`allocate`] of the same type, nobody uses it any more, and what was in it has been dropped or moved out.
#[cfg(not(parklet_loom))]
#[inline]
pub(super) unsafe fn free<T>(memory: NonNull<T>) {
    let Some(class) = (const { recycled_class(Layout::new::<T>()) }) else {
        // SAFETY: it came from the allocator with this layout, since its type has no class.
        return unsafe { alloc::dealloc(memory.as_ptr().cast(), Layout::new::<T>()) };
    };
    let cell = memory.cast();
    // SAFETY: it is ours, says the caller, and of this class by rule 3.
    let kept = CELLS.try_with(|OwnCells(cells)| unsafe { cells.give(class, cell, || &DEPOT) });
    if kept.is_err() {
        // SAFETY: cells of a class have this layout (rule 3), and this one was not given up.
        unsafe { alloc::dealloc(cell.as_ptr().cast(), layout_of(class)) };
    }
}

/// One thread's free cells of one class.
struct Magazine {
    /// The chain that cells are taken from and given to.
    loaded: Cell<Option<NonNull<FreeCell>>>,
    /// How many there are in it.
    length: Cell<usize>,
    /// A full chain, so that a thread which takes and gives by turns at the edge of a chain leaves the depot alone.
    spare: Cell<Option<Chain>>,
}

impl Magazine {
    /// Takes the loaded chain out, if it is not empty.
    fn unload(&self) -> Option<Chain> {
        let length = self.length.take();
        let first = if is_broken("recycle_rule_1") {
            self.loaded.get()
        } else {
            self.loaded.take()
        };
        first.map(|first| Chain { first, length })
    }
}

/// One thread's free cells.
pub(crate) struct ThreadCells {
    /// One a class.
    magazines: [Magazine; CLASSES],
}

impl ThreadCells {
    /// None.
    pub(crate) const fn new() -> ThreadCells {
        ThreadCells {
            magazines: [const {
                Magazine {
                    loaded: Cell::new(None),
                    length: Cell::new(0),
                    spare: Cell::new(None),
                }
            }; CLASSES],
        }
    }

    /// Takes a cell, if there is one here or in the depot.
    #[inline]
    pub(crate) fn take<'d>(
        &self,
        class: usize,
        depot: impl FnOnce() -> &'d Depot,
    ) -> Option<NonNull<FreeCell>> {
        let magazine = &self.magazines[class];
        let cell = match magazine.loaded.get() {
            Some(cell) => cell,
            None => self.load(class, depot())?,
        };
        // SAFETY: rule 1: it is in this thread's chain.
        magazine.loaded.set(unsafe { cell.as_ref() }.next);
        magazine.length.set(magazine.length.get() - 1);
        Some(cell)
    }

    /// Adds a cell; what there is no room for goes to the depot.
    ///
    /// # Safety
    /// The cell is the caller's, of this class (rule 3), and given up.
    #[inline]
    pub(crate) unsafe fn give<'d>(
        &self,
        class: usize,
        cell: NonNull<FreeCell>,
        depot: impl FnOnce() -> &'d Depot,
    ) {
        let magazine = &self.magazines[class];
        if magazine.length.get() == CHAIN {
            self.make_room(class, depot());
        }
        let next = magazine.loaded.get();
        // SAFETY: the cell is ours to write to, and the smallest class has room for a link.
        unsafe { cell.write(FreeCell { next }) };
        magazine.loaded.set(Some(cell));
        magazine.length.set(magazine.length.get() + 1);
    }

    /// Finds another chain to take from, and says which cell is its first.
    #[inline(never)]
    fn load(&self, class: usize, depot: &Depot) -> Option<NonNull<FreeCell>> {
        let magazine = &self.magazines[class];
        let chain = magazine.spare.take().or_else(|| depot.fetch(class))?;
        magazine.loaded.set(Some(chain.first));
        magazine.length.set(chain.length);
        Some(chain.first)
    }

    /// Puts the loaded chain aside, which is full.
    #[inline(never)]
    fn make_room(&self, class: usize, depot: &Depot) {
        let magazine = &self.magazines[class];
        if let Some(spare) = magazine.spare.replace(magazine.unload()) {
            depot.store(class, spare);
        }
    }

    /// Gives all cells to the depot (rule 4).
    pub(crate) fn close(&self, depot: &Depot) {
        for (class, magazine) in self.magazines.iter().enumerate() {
            let loaded = if is_broken("recycle_rule_4") {
                None
            } else {
                magazine.unload()
            };
            for chain in loaded.into_iter().chain(magazine.spare.take()) {
                depot.store(class, chain);
            }
        }
    }
}

#[cfg(not(parklet_loom))]
thread_local! {
    /// This thread's free cells. A task may still come and go when they have been closed.
    static CELLS: OwnCells = const { OwnCells(ThreadCells::new()) };
}

/// What no thread has a use for at the moment.
#[cfg(not(parklet_loom))]
static DEPOT: LazyLock<Depot> = LazyLock::new(|| Depot::new(DEPOT_BYTES));

/// A thread's cells, which go to the depot when the thread ends.
#[cfg(not(parklet_loom))]
struct OwnCells(ThreadCells);

#[cfg(not(parklet_loom))]
impl Drop for OwnCells {
    fn drop(&mut self) {
        self.0.close(&DEPOT);
    }
}

/// The class for cells of this layout, if they are recycled.
#[cfg(not(parklet_loom))]
const fn recycled_class(layout: Layout) -> Option<usize> {
    if cfg!(any(debug_assertions, miri)) {
        None
    } else {
        class_of(layout)
    }
}

/// Plain memory.
fn ask_allocator(layout: Layout) -> NonNull<FreeCell> {
    // SAFETY: no task is of no size: it has a header.
    let memory = unsafe { alloc::alloc(layout) };
    NonNull::new(memory.cast()).unwrap_or_else(|| alloc::handle_alloc_error(layout))
}

/// What the models need of the unsafe parts: none of their cells goes back to the allocator but by way of the depot.
#[cfg(all(test, parklet_loom))]
impl ThreadCells {
    /// A new cell of a class.
    pub(crate) fn new_cell(class: usize) -> NonNull<FreeCell> {
        ask_allocator(layout_of(class))
    }

    /// Gives a cell back.
    pub(crate) fn give_back(&self, class: usize, cell: NonNull<FreeCell>, depot: &Depot) {
        // SAFETY: the model asserts that each cell is one tenant's.
        unsafe { self.give(class, cell, || depot) };
    }
}

#[cfg(all(test, not(parklet_loom)))]
mod tests {
    use super::*;

    /// Takes so many cells, and gives them back. How many there were before?
    fn burst(cells: &ThreadCells, depot: &Depot, class: usize, count: usize) -> usize {
        let mut reused = 0;
        let taken: Vec<_> = (0..count)
            .map(|_| {
                let kept = cells.take(class, || depot);
                reused += usize::from(kept.is_some());
                kept.unwrap_or_else(|| ask_allocator(layout_of(class)))
            })
            .collect();
        for cell in taken {
            // SAFETY: taken above, of this class.
            unsafe { cells.give(class, cell, || depot) };
        }
        reused
    }

    fn empty(depot: &Depot) {
        for class in 0..CLASSES {
            while let Some(chain) = depot.fetch(class) {
                for cell in chain.into_cells() {
                    // SAFETY: the chain was the depot's, so its cells are ours now.
                    unsafe { alloc::dealloc(cell.as_ptr().cast(), layout_of(class)) };
                }
            }
        }
    }

    #[test]
    fn a_second_burst_of_ten_thousand_finds_all_cells_of_the_first() {
        let layout = |size| Layout::from_size_align(size, 8).unwrap();
        let (cells, depot) = (ThreadCells::new(), Depot::new(DEPOT_BYTES));
        let class = class_of(layout(376)).unwrap();
        assert_eq!(burst(&cells, &depot, class, 10_000), 0);
        assert_eq!(burst(&cells, &depot, class, 10_000), 10_000);
        cells.close(&depot);
        empty(&depot);
        assert!(
            cells.take(class, || &depot).is_none(),
            "a thread that has ended keeps no cell"
        );
        assert_eq!(depot.stock(class), (0, false));
    }

    #[test]
    fn what_is_over_the_limit_goes_and_what_nobody_asks_for_goes_first() {
        let (cells, depot) = (ThreadCells::new(), Depot::new(64 * 1024));
        burst(&cells, &depot, 3, 1_000);
        burst(&cells, &depot, 4, 10_000);
        let (bytes, is_stocked) = depot.stock(4);
        assert!(bytes <= 64 * 1024 && is_stocked, "{bytes}");
        assert_eq!(depot.stock(3), (bytes, false));
        cells.close(&depot);
        empty(&depot);
    }
}
