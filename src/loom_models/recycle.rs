//! The free cells of threads and the depot against every order in which threads exchange chains and end.
//!
//! Broken variants, and the model that each must make fail:
//!
//! ```text
//! broken: recycle_rule_1  a_cell_is_in_one_place
//! broken: recycle_rule_2  a_cell_is_in_one_place
//! broken: recycle_rule_4  a_thread_that_ends_keeps_nothing
//! broken: recycle_rule_5  the_depot_keeps_to_its_limit
//! ```

use super::bounded;
use crate::executor::task::depot::{Depot, FreeCell};
use crate::executor::task::recycle::ThreadCells;
use crate::executor::task::size_class::layout_of;
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;
use std::ptr::NonNull;
use std::sync::{Arc as StdArc, Mutex as StdMutex};

/// Any one.
const CLASS: usize = 2;

/// All that a model makes of cells. What is behind a std lock is the model's own book-keeping, and orders nothing for loom.
struct World {
    depot: Depot,
    /// Every cell that came from the allocator, by its address.
    cells: StdMutex<Vec<(usize, StdArc<Place>)>>,
}

/// One cell as its tasks see it.
#[derive(Default)]
struct Place {
    /// What a task touches: loom reports two threads that do so without an order between them.
    contents: UnsafeCell<()>,
    /// Whether a task lives there.
    is_taken: StdMutex<bool>,
}

impl World {
    fn new(limit: usize) -> Arc<World> {
        Arc::new(World {
            depot: Depot::new(limit),
            cells: StdMutex::default(),
        })
    }

    fn place(&self, cell: NonNull<FreeCell>) -> StdArc<Place> {
        let address = cell.as_ptr().addr();
        let mut cells = self.cells.lock().unwrap();
        let known = cells.iter().find(|(known, _)| *known == address);
        let place = known.map(|(_, place)| place.clone()).unwrap_or_default();
        if known.is_none() {
            cells.push((address, place.clone()));
        }
        place
    }

    /// What a spawn does.
    fn take(&self, mine: &ThreadCells) -> NonNull<FreeCell> {
        let kept = mine.take(CLASS, || &self.depot);
        let cell = kept.unwrap_or_else(|| ThreadCells::new_cell(CLASS));
        let place = self.place(cell);
        let was_taken = std::mem::replace(&mut *place.is_taken.lock().unwrap(), true);
        assert!(!was_taken, "rule 1: a cell is in one place");
        place.contents.with_mut(|_| ());
        cell
    }

    /// What the end of a task does.
    fn give(&self, mine: &ThreadCells, cell: NonNull<FreeCell>) {
        let place = self.place(cell);
        place.contents.with_mut(|_| ());
        *place.is_taken.lock().unwrap() = false;
        mine.give_back(CLASS, cell, &self.depot);
    }

    /// A thread from its first cell to its end: takes so many at once and gives them back, burst by burst.
    fn live(&self, bursts: &[usize]) {
        let mine = ThreadCells::new();
        for &burst in bursts {
            let taken: Vec<_> = (0..burst).map(|_| self.take(&mine)).collect();
            taken.into_iter().for_each(|cell| self.give(&mine, cell));
        }
        mine.close(&self.depot);
        let empty = Depot::new(0);
        assert!(
            mine.take(CLASS, || &empty).is_none(),
            "rule 4: a thread that has ended keeps nothing"
        );
    }

    /// How many cells lie in the depot. Nobody else is there any more.
    fn kept(&self) -> usize {
        let mut kept = Vec::new();
        while let Some(chain) = self.depot.fetch(CLASS) {
            for cell in chain.into_cells() {
                assert!(!kept.contains(&cell), "rule 1: a cell is in one place");
                kept.push(cell);
            }
        }
        kept.len()
    }

    /// How many cells were made.
    fn made(&self) -> usize {
        self.cells.lock().unwrap().len()
    }
}

/// Two threads exchange chains by way of the depot while a third one's legacy is there too.
#[test]
fn a_cell_is_in_one_place() {
    bounded(|| {
        let world = World::new(usize::MAX);
        // Two full chains: one, and each of the threads may find one.
        world.live(&[4]);
        let other = thread::spawn({
            let world = world.clone();
            move || world.live(&[1, 5])
        });
        world.live(&[1, 3]);
        other.join().unwrap();
        assert_eq!(world.kept(), world.made(), "each cell is in the depot");
    });
}

/// A thread ends while another one works: nothing is lost with it.
#[test]
fn a_thread_that_ends_keeps_nothing() {
    bounded(|| {
        let world = World::new(usize::MAX);
        let other = thread::spawn({
            let world = world.clone();
            move || world.live(&[3])
        });
        world.live(&[2]);
        other.join().unwrap();
        assert_eq!(world.kept(), world.made(), "rule 4: none is left behind");
    });
}

/// Two threads bring more than the depot keeps.
#[test]
fn the_depot_keeps_to_its_limit() {
    bounded(|| {
        let limit = 4;
        let world = World::new(limit * layout_of(CLASS).size());
        let other = thread::spawn({
            let world = world.clone();
            move || world.live(&[4])
        });
        world.live(&[4]);
        other.join().unwrap();
        assert!(world.kept() <= limit, "rule 5: what is over the limit goes");
    });
}
