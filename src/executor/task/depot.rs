//! Chains of free cells that no thread has a use for at the moment. Its rules are those of `recycle.rs`.

#![allow(
    unsafe_code,
    reason = "a home of unsafe: the memory of tasks, linked through itself"
)]

use super::size_class::{CLASSES, layout_of};
use crate::primitive::{AtomicUsize, Mutex, MutexGuard, Ordering, is_broken};
use std::alloc;
use std::ptr::NonNull;
use std::sync::PoisonError;

/// A cell that no task uses, and what stands in it meanwhile.
pub(crate) struct FreeCell {
    /// The rest of the chain.
    pub(super) next: Option<NonNull<FreeCell>>,
}

/// Free cells of one class, each linked to the next.
pub(crate) struct Chain {
    /// The first.
    pub(super) first: NonNull<FreeCell>,
    /// How many there are.
    pub(super) length: usize,
}

// SAFETY: a chain owns its cells (rule 1), which are plain memory.
unsafe impl Send for Chain {}

impl Chain {
    /// The cells one by one.
    pub(crate) fn into_cells(self) -> impl Iterator<Item = NonNull<FreeCell>> {
        let mut next = Some(self.first);
        std::iter::from_fn(move || {
            let cell = next?;
            // SAFETY: rule 1: the chain is ours, and the cell has not been given away yet.
            next = unsafe { cell.as_ref() }.next;
            Some(cell)
        })
    }
}

/// Chains for whoever needs them.
pub(crate) struct Depot {
    /// One bit a class: whether there is a chain. Written under the lock; read without it, as a hint that saves the lock
    /// while everything is still new.
    stocked: AtomicUsize,
    /// The lock is held to push, to pop and to add up.
    shelves: Mutex<Shelves>,
    /// How many bytes are kept.
    limit: usize,
}

struct Shelves {
    /// One a class.
    shelves: [Shelf; CLASSES],
    /// The size of all that stands there.
    bytes: usize,
    /// Counts visits.
    clock: usize,
}

#[derive(Default)]
struct Shelf {
    /// The chain that came last is the first to go: its cells are the warmest.
    chains: Vec<Chain>,
    /// When the shelf was visited last.
    visited: usize,
}

impl Shelves {
    /// The shelf of a class, for a visit.
    fn visit(&mut self, class: usize) -> &mut Shelf {
        self.clock += 1;
        let shelf = &mut self.shelves[class];
        shelf.visited = self.clock;
        shelf
    }

    /// Takes a chain off a shelf.
    fn pop(&mut self, class: usize) -> Option<Chain> {
        let chain = self.shelves[class].chains.pop()?;
        self.bytes -= bytes_of(class, &chain);
        Some(chain)
    }

    /// The class that nobody has asked for the longest.
    fn stalest(&self) -> Option<usize> {
        let stocked = (0..CLASSES).filter(|&class| !self.shelves[class].chains.is_empty());
        stocked.min_by_key(|&class| self.shelves[class].visited)
    }
}

/// The size of a chain's cells.
fn bytes_of(class: usize, chain: &Chain) -> usize {
    chain.length * layout_of(class).size()
}

impl Depot {
    /// Empty; it keeps about so many bytes.
    pub(crate) fn new(limit: usize) -> Depot {
        Depot {
            stocked: AtomicUsize::new(0),
            shelves: Mutex::new(Shelves {
                shelves: std::array::from_fn(|_| Shelf::default()),
                bytes: 0,
                clock: 0,
            }),
            limit,
        }
    }

    /// A chain of a class, if there is one.
    pub(crate) fn fetch(&self, class: usize) -> Option<Chain> {
        if self.stocked.load(Ordering::Relaxed) & (1 << class) == 0 {
            return None;
        }
        if is_broken("recycle_rule_2") {
            // A look under the lock and the removal under another: two threads may see the same chain.
            let seen = self.lock().shelves[class]
                .chains
                .last()
                .map(|chain| Chain { ..*chain });
            self.lock().pop(class)?;
            return seen;
        }
        let mut shelves = self.lock();
        shelves.visit(class);
        let chain = shelves.pop(class);
        self.note_stock(class, &shelves);
        chain
    }

    /// Keeps a chain; what is over the limit then goes (rule 5).
    pub(super) fn store(&self, class: usize, chain: Chain) {
        let mut shelves = self.lock();
        shelves.bytes += bytes_of(class, &chain);
        shelves.visit(class).chains.push(chain);
        self.note_stock(class, &shelves);
        while shelves.bytes > self.limit
            && !is_broken("recycle_rule_5")
            && let Some(stalest) = shelves.stalest()
        {
            let surplus = shelves.pop(stalest);
            self.note_stock(stalest, &shelves);
            // Not under the lock: the allocator takes its time.
            drop(shelves);
            for cell in surplus.into_iter().flat_map(Chain::into_cells) {
                // SAFETY: the chain was ours and so were its cells, which have this layout by rule 3.
                unsafe { alloc::dealloc(cell.as_ptr().cast(), layout_of(stalest)) };
            }
            shelves = self.lock();
        }
    }

    /// Writes the hint of one class anew.
    fn note_stock(&self, class: usize, shelves: &Shelves) {
        let others = self.stocked.load(Ordering::Relaxed) & !(1 << class);
        let is_stocked = !shelves.shelves[class].chains.is_empty();
        self.stocked
            .store(others | usize::from(is_stocked) << class, Ordering::Relaxed);
    }

    /// The size of all that is kept, and whether there are cells of a class among it.
    #[cfg(all(test, not(parklet_loom)))]
    pub(super) fn stock(&self, class: usize) -> (usize, bool) {
        let shelves = self.lock();
        (shelves.bytes, !shelves.shelves[class].chains.is_empty())
    }

    fn lock(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
