//! Tasks: spawning them, awaiting them, knowing which one runs.
//!
//! A task is a future that the runtime polls by itself, beside the one that spawned it. It costs hundreds of bytes and
//! less than a microsecond where a thread costs kilobytes and tens of them, so a server may have one for each of its ten
//! thousand clients.
//!
//! | to run a future | where | may borrow | must be `Send` |
//! |---|---|---|---|
//! | [`block_on`] | on the calling thread, until it ends | yes | no |
//! | [`spawn`] | on a pool of worker threads | no | yes |
//! | [`spawn_local`] | on the calling thread, while that is in a `block_on` | no | no |
//! | [`spawn_blocking`] | a closure, on a thread that may block | no | yes |
//!
//! Tasks that belong together are in a [`TaskGroup`]: awaited as they end, cancelled by the first error, aborted with it.
//!
//! The names and their meaning are async-std's, whose `task` module follows `std::thread`.

mod builder;
mod current;
mod sleep;
mod spawn;
mod spawn_blocking;
mod task_group;
mod task_local;
mod yield_now;

pub use self::{
    builder::Builder,
    current::{Task, current, try_current},
    sleep::sleep,
    spawn::{spawn, spawn_local},
    spawn_blocking::{SpawnBlocking, spawn_blocking},
    task_group::TaskGroup,
    task_local::{AccessError, LocalKey},
    yield_now::{YieldNow, yield_now},
};
pub use crate::executor::block_on;
pub use crate::executor::current::TaskId;
pub use crate::executor::task::{AbortHandle, JoinError, JoinHandle};
pub use crate::task_local;
pub use std::task::{Context, Poll, Waker, ready};
