//! Models of `sync/rw_lock_state.rs`.
//!
//! Each rule has a variant that breaks it; with it the model beside its name has to fail:
//!
//! ```text
//! broken: rw_lock_claim_is_overlooked            who_writes_is_alone
//! broken: rw_lock_reader_stops_relaxed           who_writes_is_alone
//! broken: rw_lock_writer_stops_relaxed           what_was_written_is_read
//! broken: rw_lock_reader_joins_without_a_mark    a_reader_that_joins_during_unclaim_is_let_in
//! broken: rw_lock_writer_looks_before_it_joins   a_writer_that_joins_as_the_last_reader_stops_is_woken
//! broken: rw_lock_lets_one_reader_in             all_who_wait_to_read_are_let_in
//! broken: rw_lock_dropped_reader_stays_counted   a_dropped_reader_stops_reading
//! broken: rw_lock_dropped_claim_stays            a_dropped_writer_lets_readers_in
//! ```

use super::bounded;
use super::wait_queue::{block_on, poll};
use crate::primitive::Arc;
use crate::sync::rw_lock_state::{AndThen, RwLockState};
use loom::cell::UnsafeCell;
use loom::thread;

/// A lock as `RwLock<T>` is built, with a value that loom watches.
struct Watched {
    state: RwLockState,
    value: UnsafeCell<u32>,
}

impl Watched {
    fn new() -> Arc<Watched> {
        Arc::new(Watched {
            state: RwLockState::new(),
            value: UnsafeCell::new(0),
        })
    }

    fn look_and_stop(&self) {
        self.value.with(|_| ());
        self.state.stop_reading();
    }

    fn read(&self) {
        block_on(self.state.read());
        self.look_and_stop();
    }

    fn touch(&self) {
        self.value.with_mut(|_| ());
    }

    fn write(&self) {
        block_on(self.state.take_turn());
        block_on(self.state.claim());
        self.touch();
        self.state.stop_writing(AndThen::Stop);
    }

    fn is_free(&self) -> bool {
        self.state.try_take_turn() && self.state.try_claim()
    }
}

#[test]
fn who_writes_is_alone() {
    bounded(|| {
        let lock = Watched::new();
        let reader = thread::spawn({
            let lock = Arc::clone(&lock);
            move || lock.read()
        });
        lock.write();
        reader.join().unwrap();
        assert!(lock.is_free());
    });
}

#[test]
fn what_was_written_is_read() {
    bounded(|| {
        let lock = Watched::new();
        let writer = thread::spawn({
            let lock = Arc::clone(&lock);
            move || lock.write()
        });
        if lock.state.try_read() {
            lock.look_and_stop();
        }
        writer.join().unwrap();
        assert!(lock.is_free());
    });
}

#[test]
fn two_writers_and_a_reader_end() {
    bounded(|| {
        let lock = Watched::new();
        let writer = thread::spawn({
            let lock = Arc::clone(&lock);
            move || lock.write()
        });
        let reader = thread::spawn({
            let lock = Arc::clone(&lock);
            move || lock.read()
        });
        lock.write();
        writer.join().unwrap();
        reader.join().unwrap();
        assert!(lock.is_free());
    });
}

#[test]
fn a_reader_that_joins_during_unclaim_is_let_in() {
    bounded(|| {
        let lock = Watched::new();
        assert!(lock.is_free());
        let reader = thread::spawn({
            let lock = Arc::clone(&lock);
            move || lock.read()
        });
        lock.touch();
        lock.state.stop_writing(AndThen::Stop);
        reader.join().unwrap();
        assert!(lock.is_free());
    });
}

#[test]
fn a_writer_that_joins_as_the_last_reader_stops_is_woken() {
    bounded(|| {
        let lock = Watched::new();
        assert!(lock.state.try_read());
        let writer = thread::spawn({
            let lock = Arc::clone(&lock);
            move || lock.write()
        });
        lock.look_and_stop();
        writer.join().unwrap();
        assert!(lock.is_free());
    });
}

#[test]
fn all_who_wait_to_read_are_let_in() {
    bounded(|| {
        let lock = Watched::new();
        assert!(lock.is_free());
        let mut readers = [lock.state.read(), lock.state.read()];
        for reader in &mut readers {
            assert!(poll(reader).is_pending());
        }
        let writer = thread::spawn({
            let lock = Arc::clone(&lock);
            move || lock.state.stop_writing(AndThen::Read)
        });
        // The one that writes reads on, beside the two, and whoever writes next waits for all three.
        let next = thread::spawn({
            let lock = Arc::clone(&lock);
            move || lock.write()
        });
        writer.join().unwrap();
        for reader in readers {
            block_on(reader);
            lock.look_and_stop();
        }
        lock.look_and_stop();
        next.join().unwrap();
        assert!(lock.is_free());
    });
}

#[test]
fn a_dropped_reader_stops_reading() {
    bounded(|| {
        let lock = Watched::new();
        assert!(lock.is_free());
        let mut dropped = lock.state.read();
        assert!(poll(&mut dropped).is_pending());
        let writer = thread::spawn({
            let lock = Arc::clone(&lock);
            move || {
                lock.touch();
                lock.state.stop_writing(AndThen::Stop);
                lock.write();
            }
        });
        drop(dropped);
        writer.join().unwrap();
        assert!(lock.is_free());
    });
}

#[test]
fn a_dropped_writer_lets_readers_in() {
    bounded(|| {
        let lock = Watched::new();
        assert!(lock.state.try_read());
        assert!(lock.state.try_take_turn());
        let mut dropped = lock.state.claim();
        assert!(poll(&mut dropped).is_pending());
        let reader = thread::spawn({
            let lock = Arc::clone(&lock);
            move || lock.read()
        });
        let stops = thread::spawn({
            let lock = Arc::clone(&lock);
            move || lock.look_and_stop()
        });
        drop(dropped);
        reader.join().unwrap();
        stops.join().unwrap();
        assert!(lock.is_free());
    });
}

#[test]
fn an_upgrade_waits_for_the_other_readers() {
    bounded(|| {
        let lock = Watched::new();
        let reader = thread::spawn({
            let lock = Arc::clone(&lock);
            move || lock.read()
        });
        block_on(lock.state.take_turn());
        lock.value.with(|_| ());
        block_on(lock.state.claim());
        lock.touch();
        lock.state.unclaim(AndThen::Stop);
        lock.value.with(|_| ());
        lock.state.pass_turn_on();
        reader.join().unwrap();
        assert!(lock.is_free());
    });
}
