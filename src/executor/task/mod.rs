//! One spawned future, and the handles to it.
//!
//! | handle | who holds it | what it may do |
//! |---|---|---|
//! | `Runnable` | the queue the task waits in, then the thread that polls it | poll the future once |
//! | `Waker` (`waker.rs`) | whatever the future waits for | ask for another poll |
//! | `JoinHandle` | who spawned it | await the output, abort the task, detach it |
//! | `TaskRef` | an executor that owns its unfinished tasks | drop the future early |
//!
//! Each is one counted reference (`task_ref.rs`) to the same task cell (`cell.rs`). What each may touch, and when, is decided by the
//! state word (`state.rs`) alone: its numbered rules are what every `SAFETY` note in this folder leans on. When the last
//! reference goes, the cell's memory waits for another task (`recycle.rs`).

#[cfg(not(parklet_loom))]
mod cell;
pub(crate) mod depot;
#[cfg(not(parklet_loom))]
mod join_handle;
pub(crate) mod recycle;
#[cfg(not(parklet_loom))]
mod runnable;
#[cfg(not(parklet_loom))]
mod schedule;
pub(crate) mod size_class;
pub(crate) mod slot;
pub(crate) mod state;
#[cfg(not(parklet_loom))]
mod task_ref;
#[cfg(not(parklet_loom))]
mod waker;

#[cfg(not(parklet_loom))]
pub(crate) use self::{
    cell::contain,
    runnable::{Runnable, spawn, spawn_unchecked},
    schedule::{Place, Schedule},
    slot::Slot,
    task_ref::TaskRef,
    waker::wake_all,
};
#[cfg(not(parklet_loom))]
pub use join_handle::{AbortHandle, JoinError, JoinHandle};
