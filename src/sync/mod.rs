//! Tasks that wait for each other: an async mutex, a condition variable, a read-write lock, a semaphore, a barrier, a cell
//! that is filled once, a broadcast channel, and the queue of waiters beneath them.
//!
//! ```text
//! rw_lock.rs ────► rw_lock_state.rs ────┐
//!                    │                  │
//!                    ▼                  │
//! mutex.rs ──────► mutex_state.rs ──────┤
//! semaphore.rs ──► semaphore_state.rs ──┤
//! once_cell.rs ──► once_state.rs ───────┤
//! barrier.rs  condvar.rs ───────────────┤
//! broadcast/ ───────────────────────────┼──► waking_lock.rs ──► wait_queue.rs
//! channel/ (its own module) ────────────┘
//! ```
//!
//! None of it knows the executor or the reactor, but for the timeouts of [`Condvar`]: a waiter is a waker in a queue, so
//! all of it works under any executor and between executors. Take a `std::sync::Mutex` where nothing is awaited while it
//! is locked, this [`Mutex`] where something is, and a channel where the value can travel instead of the lock. Plain
//! threads take part through the methods that end in `_blocking` (`blocking.rs`).
//!
//! std's names stand here too, as in `async_std::sync`, so that one `use` serves both.

#[cfg(not(parklet_loom))]
mod barrier;
#[cfg(not(parklet_loom))]
mod blocking;
#[cfg_attr(parklet_loom, allow(dead_code, reason = "the models use a part of it"))]
pub mod broadcast;
#[cfg(not(parklet_loom))]
mod condvar;
#[cfg(not(parklet_loom))]
mod mutex;
pub(crate) mod mutex_state;
#[cfg(not(parklet_loom))]
mod once_cell;
#[cfg_attr(parklet_loom, allow(dead_code, reason = "the models use a part of it"))]
pub(crate) mod once_state;
pub(crate) mod park_until;
#[cfg(not(parklet_loom))]
mod rw_lock;
#[cfg(not(parklet_loom))]
mod rw_lock_guard;
#[cfg(not(parklet_loom))]
mod rw_lock_guard_arc;
#[cfg_attr(parklet_loom, allow(dead_code, reason = "the models use a part of it"))]
pub(crate) mod rw_lock_state;
#[cfg(not(parklet_loom))]
mod semaphore;
#[cfg_attr(parklet_loom, allow(dead_code, reason = "the models use a part of it"))]
pub(crate) mod semaphore_state;
pub(crate) mod wait_queue;
pub(crate) mod waking_lock;

#[cfg(not(parklet_loom))]
pub use barrier::{Barrier, BarrierWaitResult};
#[cfg(not(parklet_loom))]
pub use condvar::{Condvar, WaitTimeoutResult};
#[cfg(not(parklet_loom))]
pub use mutex::{Lock, Mutex, MutexGuard, MutexGuardArc};
#[cfg(not(parklet_loom))]
pub use once_cell::OnceCell;
#[cfg(not(parklet_loom))]
pub use rw_lock::RwLock;
#[cfg(not(parklet_loom))]
pub use rw_lock_guard::{RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard};
#[cfg(not(parklet_loom))]
pub use rw_lock_guard_arc::{
    RwLockReadGuardArc, RwLockUpgradableReadGuardArc, RwLockWriteGuardArc,
};
#[cfg(not(parklet_loom))]
pub use semaphore::{Semaphore, SemaphoreGuard, SemaphoreGuardArc};
#[doc(no_inline)]
pub use std::sync::{Arc, Weak};
