//! Models of `sync/once_state.rs`.
//!
//! Each rule has a variant that breaks it; with it the model beside its name has to fail:
//!
//! ```text
//! broken: once_fills_relaxed            who_finds_it_full_sees_the_value
//! broken: once_fills_quietly            who_waits_finds_it_full
//! broken: once_dropped_filler_keeps_it  who_waits_fills_when_another_gives_up
//! broken: once_gives_up_to_nobody       who_waits_fills_when_another_gives_up
//! broken: once_dropped_waiter_keeps_it  a_dropped_waiter_lets_the_next_one_fill
//! ```

use super::bounded;
use super::wait_queue::{block_on, poll};
use crate::primitive::Arc;
use crate::sync::once_state::OnceState;
use loom::cell::UnsafeCell;
use loom::thread;

/// A cell as `OnceCell<T>` is built, with a value that loom watches.
struct Watched {
    state: OnceState,
    value: UnsafeCell<()>,
}

impl Watched {
    fn new() -> Arc<Watched> {
        Arc::new(Watched {
            state: OnceState::new(false),
            value: UnsafeCell::new(()),
        })
    }

    fn look(&self) {
        self.value.with(|_| ());
    }

    /// True if this call filled it.
    fn fill_and_look(&self) -> bool {
        let filling = block_on(self.state.begin());
        let fills = filling.is_some();
        if let Some(filling) = filling {
            self.value.with_mut(|_| ());
            filling.fill();
        }
        self.look();
        fills
    }
}

#[test]
fn one_fills_and_all_see_the_value() {
    bounded(|| {
        let cell = Watched::new();
        let other = thread::spawn({
            let cell = Arc::clone(&cell);
            move || cell.fill_and_look()
        });
        let fills = cell.fill_and_look();
        assert_ne!(other.join().unwrap(), fills);
    });
}

#[test]
fn who_finds_it_full_sees_the_value() {
    bounded(|| {
        let cell = Watched::new();
        let filler = thread::spawn({
            let cell = Arc::clone(&cell);
            move || cell.fill_and_look()
        });
        while !cell.state.is_full() {
            thread::yield_now();
        }
        cell.look();
        assert!(filler.join().unwrap());
    });
}

#[test]
fn who_waits_finds_it_full() {
    bounded(|| {
        let cell = Watched::new();
        let watcher = thread::spawn({
            let cell = Arc::clone(&cell);
            move || {
                block_on(cell.state.watch());
                cell.look();
            }
        });
        assert!(cell.fill_and_look());
        watcher.join().unwrap();
    });
}

#[test]
fn who_waits_fills_when_another_gives_up() {
    bounded(|| {
        let cell = Watched::new();
        let gives_up = cell.state.try_begin();
        assert!(gives_up.is_some());
        let waiter = thread::spawn({
            let cell = Arc::clone(&cell);
            move || cell.fill_and_look()
        });
        drop(gives_up);
        assert!(waiter.join().unwrap());
    });
}

#[test]
fn a_dropped_waiter_lets_the_next_one_fill() {
    bounded(|| {
        let cell = Watched::new();
        let gives_up = cell.state.try_begin();
        let mut dropped = cell.state.begin();
        assert!(poll(&mut dropped).is_pending());
        let waiter = thread::spawn({
            let cell = Arc::clone(&cell);
            move || cell.fill_and_look()
        });
        drop(gives_up);
        drop(dropped);
        assert!(waiter.join().unwrap());
    });
}

#[test]
fn a_waiter_that_is_dropped_when_it_is_full_leaves_it_full() {
    bounded(|| {
        let cell = Watched::new();
        let filling = cell.state.try_begin().unwrap();
        let comes_and_goes = thread::spawn({
            let cell = Arc::clone(&cell);
            move || {
                let mut dropped = cell.state.begin();
                let _maybe_full = poll(&mut dropped);
            }
        });
        cell.value.with_mut(|_| ());
        filling.fill();
        comes_and_goes.join().unwrap();
        assert!(cell.state.is_full());
    });
}
