//! The slot of a seat: the thread that sits there fills and empties it, and the watcher empties it.
//!
//! Broken variants, and the model that each must make fail:
//!
//! ```text
//! broken: slot_rule_1   what_goes_in_comes_out_once
//! broken: slot_rule_2   what_goes_in_comes_out_once
//! ```

use crate::executor::task::slot::Place;
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use std::ptr::NonNull;

/// Items, told apart by their addresses.
const ITEMS: usize = 2;
static ADDRESSES: [u8; ITEMS] = [0; ITEMS];

/// A slot, and what is known of each item.
struct Seat {
    slot: Place,
    /// Written before the item goes in, and again by whoever has it then.
    contents: [UnsafeCell<()>; ITEMS],
    /// How often it came out, or was refused.
    came_out: [AtomicUsize; ITEMS],
}

impl Seat {
    fn put(&self, item: usize) {
        self.contents[item].with_mut(|_| ());
        if !self.slot.fill(NonNull::from(&ADDRESSES[item]).cast()) {
            self.note(item);
        }
    }

    fn take(&self) {
        if let Some(pointer) = self.slot.empty() {
            let is_it = |address: &u8| NonNull::from(address).cast() == pointer;
            let item = ADDRESSES.iter().position(is_it).unwrap();
            self.contents[item].with_mut(|_| ());
            self.note(item);
        }
    }

    fn note(&self, item: usize) {
        self.came_out[item].fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn what_goes_in_comes_out_once() {
    loom::model(|| {
        let seat = Arc::new(Seat {
            slot: Place::new(),
            contents: Default::default(),
            came_out: Default::default(),
        });
        let watcher = {
            let seat = Arc::clone(&seat);
            thread::spawn(move || seat.take())
        };
        seat.put(0);
        seat.put(1);
        seat.take();
        watcher.join().unwrap();
        seat.take();
        for count in &seat.came_out {
            assert_eq!(count.load(Ordering::Relaxed), 1);
        }
    });
}
