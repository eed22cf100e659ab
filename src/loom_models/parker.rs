//! The parker and the hand-over of the driver's seat, on a reactor that is a lock and a condition variable.
//!
//! Broken variants, and the model that each must make fail:
//!
//! ```text
//! broken: parker_rule_1  an_unpark_reaches_a_driver_whenever_it_comes
//! broken: parker_rule_2  a_driver_that_leaves_is_succeeded
//! broken: parker_rule_3  a_driver_that_leaves_is_succeeded
//! ```

use super::bounded;
use crate::executor::parker::{DriverSeat, Duty, Parker, Unparker};
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;
use std::task::{Wake, Waker};
use std::time::Duration;

/// What the real reactor promises the parker, and no more: a token that one thread has, a wait, and a notification that
/// is kept for the next wait.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reactor(Arc<ReactorState>);

#[derive(Debug, Default)]
struct ReactorState {
    driven: AtomicBool,
    kernel: Mutex<Kernel>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Kernel {
    notified: bool,
    events: Vec<Waker>,
}

impl Reactor {
    pub(crate) fn try_drive(&self) -> Option<Driver<'_>> {
        let taken = self.0.driven.swap(true, Ordering::AcqRel);
        if taken { None } else { Some(Driver(self)) }
    }

    pub(crate) fn notify(&self) {
        self.0.kernel.lock().unwrap().notified = true;
        self.0.changed.notify_one();
    }

    /// An event for whoever waits with this waker.
    fn report(&self, waker: Waker) {
        self.0.kernel.lock().unwrap().events.push(waker);
        self.0.changed.notify_one();
    }
}

#[derive(Debug)]
pub(crate) struct Driver<'a>(&'a Reactor);

impl Driver<'_> {
    pub(crate) fn turn(&mut self, timeout: Option<Duration>, ready: &mut Vec<Waker>) {
        let mut kernel = self.0.0.kernel.lock().unwrap();
        while timeout.is_none() && !kernel.notified && kernel.events.is_empty() {
            kernel = self.0.0.changed.wait(kernel).unwrap();
        }
        kernel.notified = false;
        ready.append(&mut kernel.events);
    }
}

impl Drop for Driver<'_> {
    fn drop(&mut self) {
        // The real one stores; loom would let a swap that found the token taken go over that store, as C++ does not.
        self.0.0.driven.swap(false, Ordering::AcqRel);
    }
}

/// The waker of a `block_on`: a flag, then an unpark.
struct Flag {
    raised: AtomicBool,
    unparker: Arc<Unparker>,
}

impl Flag {
    fn raise(&self) {
        // block_on's own waker has a store here. Loom would let the loop's swap go by that store, as C++ does not.
        self.raised.swap(true, Ordering::AcqRel);
        self.unparker.unpark();
    }
}

impl Wake for Flag {
    fn wake(self: std::sync::Arc<Self>) {
        self.raise();
    }
}

/// A parker, and the flag for which its thread waits.
fn parker(seat: &Arc<DriverSeat>) -> (Parker, std::sync::Arc<Flag>) {
    let parker = Parker::new(Arc::clone(seat));
    let unparker = Arc::clone(parker.unparker());
    (
        parker,
        std::sync::Arc::new(Flag {
            raised: AtomicBool::new(false),
            unparker,
        }),
    )
}

/// The loop of `block_on`, with a flag for a future.
fn block_on(parker: &Parker, flag: &Flag) {
    let mut ready = Vec::new();
    loop {
        parker.settle();
        if flag.raised.swap(false, Ordering::AcqRel) {
            return;
        }
        parker.park(Duty::Crew, None, &mut ready);
        ready.drain(..).for_each(Waker::wake);
    }
}

#[test]
fn an_unpark_reaches_a_driver_whenever_it_comes() {
    loom::model(|| {
        let seat = Arc::new(DriverSeat::new(Reactor::default()));
        let (parker, flag) = parker(&seat);
        let waker = thread::spawn({
            let flag = flag.clone();
            move || flag.raise()
        });
        block_on(&parker, &flag);
        waker.join().unwrap();
    });
}

/// One thread waits for an event, the other for a plain wake. Whichever of them drives and leaves, the event arrives.
#[test]
fn a_driver_that_leaves_is_succeeded() {
    bounded(|| {
        let reactor = Reactor::default();
        let seat = Arc::new(DriverSeat::new(reactor.clone()));
        let (leaver, woken) = parker(&seat);
        let (waiter, event) = parker(&seat);
        let leaves = thread::spawn({
            let woken = woken.clone();
            move || block_on(&leaver, &woken)
        });
        let waits = thread::spawn({
            let event = event.clone();
            move || block_on(&waiter, &event)
        });
        woken.raise();
        leaves.join().unwrap();
        reactor.report(Waker::from(event));
        waits.join().unwrap();
    });
}
