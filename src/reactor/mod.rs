//! Who waits for the kernel, and how its news reaches a task.
//!
//! ```text
//!   Async<T>, Timer        a task tries, fails with WouldBlock or "not yet", and leaves its waker
//!      │        │
//!      ▼        ▼
//!   Source    Wheel        one per descriptor: readiness and wakers      deadlines, sorted
//!      ▲        ▲
//!      └── turn ┘          whoever holds the driver token waits once and collects the wakers to wake
//!           │
//!           ▼
//!        Poller            epoll, kqueue ..: one descriptor set for the process
//! ```
//!
//! | word | means | file |
//! |---|---|---|
//! | source | one registered descriptor | `source.rs`, found again through `source_table.rs` |
//! | key | the number that the kernel hands back: which source, and which of its lives | `source.rs` |
//! | event | one report of the kernel | `poller.rs` |
//! | readiness | what a source remembers of its events | `source.rs` |
//! | waiter | a task that waits for readiness | `waiters.rs` |
//! | driver, turn | the thread that waits for all; one pass of it | `driver.rs` |
//!
//! There is one reactor in a process and no thread of its own: threads that would sleep anyway take turns to drive it.
//! Only for tasks that run on another executor's threads there is `last_resort.rs`.
//!
//! The reactor knows nothing of tasks and executors. It wakes `std::task::Waker`s, and never while it holds a lock,
//! since a waker is somebody else's code: locks here only ever *move* wakers.
#![cfg_attr(parklet_loom, allow(dead_code, reason = "the models use a part of it"))]

use std::sync::PoisonError;

use crate::primitive::{Mutex, MutexGuard};

pub(crate) mod deadlines;
#[cfg(not(parklet_loom))]
mod driver;
#[cfg(not(parklet_loom))]
mod last_resort;
#[cfg(not(parklet_loom))]
#[cfg_attr(
    any(
        not(any(target_os = "linux", target_os = "android")),
        parklet_portable_poller
    ),
    path = "poller_portable.rs"
)]
mod poller;
#[cfg(not(parklet_loom))]
mod read_write;
#[cfg(not(parklet_loom))]
mod registered;
#[cfg(not(parklet_loom))]
mod registration;
pub(crate) mod rest;
#[cfg(not(parklet_loom))]
mod shared;
pub(crate) mod source;
#[cfg(not(parklet_loom))]
mod source_table;
#[cfg(not(parklet_loom))]
mod timer;
#[cfg(not(parklet_loom))]
mod timer_slack;
pub(crate) mod waiters;
mod wheel;

#[cfg(not(parklet_loom))]
pub(crate) use self::{
    driver::{Driver, Reactor},
    last_resort::{CrewGuard, call_successor_by, join_crew},
    shared::Shared,
    source::Direction,
};
#[cfg(not(parklet_loom))]
pub use self::{registered::Async, timer::Timer};

/// The models have no kernel; their events are edges.
#[cfg(parklet_loom)]
mod poller {
    pub(super) const ONESHOT: bool = false;
}

/// Locks, also after a panic: every lock of the reactor guards data that is whole whenever it is unlocked, since no
/// foreign code runs under it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Wakes each, even when one of them panics: a waker is foreign code, and the rest of the batch must not pay for it.
/// The panic has been reported by the panic hook; there is nobody here to hand it on to.
#[cfg(not(parklet_loom))]
fn wake_all(woken: &mut Vec<std::task::Waker>) {
    for waker in woken.drain(..) {
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| waker.wake()));
    }
}
