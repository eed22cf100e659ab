//! The thread of last resort against drivers that take the token and give it back: it never rests while nobody drives.
//!
//! Broken variants, and the model that each must make fail:
//!
//! ```text
//! broken: last_resort_rests_without_a_fence      the_last_driver_to_leave_is_succeeded
//! broken: last_resort_is_called_without_a_fence  the_last_driver_to_leave_is_succeeded
//! ```

use super::bounded;
use crate::primitive::ThreadParker;
use crate::reactor::rest;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use loom::thread;

/// The driver token, and where the last resort is.
struct Reactor {
    driven: AtomicBool,
    place: AtomicU8,
}

impl Reactor {
    /// With the token in somebody's hands.
    fn driven() -> Arc<Reactor> {
        Arc::new(Reactor {
            driven: AtomicBool::new(true),
            place: AtomicU8::new(rest::AT_WORK),
        })
    }

    fn try_drive(&self) -> bool {
        !self.driven.swap(true, Ordering::AcqRel)
    }

    fn is_driven(&self) -> bool {
        self.driven.load(Ordering::Acquire)
    }

    /// What dropping a `Driver` does.
    fn give_back(&self, unpark: impl FnOnce()) {
        // The real one stores; loom would let a swap that found the token taken go over that store, as C++ does not.
        self.driven.swap(false, Ordering::AcqRel);
        rest::call(&self.place, unpark);
    }

    /// The life of the last resort, without its grace, until it drives.
    fn drive_as_last_resort(&self, parker: &ThreadParker) {
        loop {
            while !self.is_driven() {
                if self.try_drive() {
                    return;
                }
            }
            rest::rest(&self.place, || self.is_driven(), || parker.park());
        }
    }
}

/// One driver leaves, another comes and leaves: in the end nobody is left but the last resort, which has to drive.
#[test]
fn the_last_driver_to_leave_is_succeeded() {
    bounded(|| {
        let reactor = Reactor::driven();
        let parker = ThreadParker::new();
        let first = thread::spawn({
            let (reactor, unparker) = (reactor.clone(), parker.unparker().clone());
            move || reactor.give_back(|| unparker.unpark())
        });
        let second = thread::spawn({
            let (reactor, unparker) = (reactor.clone(), parker.unparker().clone());
            move || {
                if reactor.try_drive() {
                    reactor.give_back(|| unparker.unpark());
                }
            }
        });
        reactor.drive_as_last_resort(&parker);
        first.join().unwrap();
        second.join().unwrap();
    });
}
