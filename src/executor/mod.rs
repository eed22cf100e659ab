//! Who runs a task, on which thread.
//!
//! ```text
//!   spawn, wake at a seat                         spawn, wake elsewhere
//!        │                                              │
//!        ▼                                              ▼
//!   ┌──────┐ if taken   ┌───────┐                 ┌──────────┐
//!   │ slot ├───────────►│ deque │◄────────────────┤ injector │
//!   └──┬───┘            └─┬───┬─┘   a share       └────┬─────┘
//!      │                  │   └─ half, stolen ─► other workers
//!      └───────► run ◄────┘                            │
//!                 ▲        every 61st task             │
//!                 └────────────────────────────────────┘
//! ```
//!
//! The path of a spawn: `pool.rs` makes the task cell (`task/`), `seated.rs` puts the runnable into the thread's slot or the
//! injector, `idle.rs` rouses a worker if one sleeps that could help, its loop (`worker.rs`) finds the runnable and polls it.
//! A worker that finds nothing leaves its seat and parks (`parker.rs`), one of them in the reactor.
//!
//! Beside the pool: `block_on.rs` polls one future on the caller's thread, which fills a vacant seat with what that spawns
//! (`caller.rs`); `local.rs` keeps tasks on one thread, `blocking.rs` has threads for calls that block, `executor.rs` is the pool's little sister for your own threads.
//! `watcher.rs` and `spares.rs` see to it that nothing waits for a thread that stands still.

#[cfg(not(parklet_loom))]
mod asymmetric;
#[cfg(not(parklet_loom))]
mod block_on;
#[cfg_attr(
    parklet_loom,
    allow(dead_code, unreachable_pub, reason = "the models use a part of it")
)]
pub(crate) mod blocking;
#[cfg_attr(parklet_loom, allow(dead_code, reason = "the models use a part of it"))]
pub(crate) mod blocking_pool;
#[cfg(not(parklet_loom))]
mod caller;
#[cfg(not(parklet_loom))]
pub(crate) mod current;
#[cfg(not(parklet_loom))]
#[allow(
    clippy::module_inception,
    reason = "the file is named after the type in it, like every other"
)]
mod executor;
pub(crate) mod idle;
#[cfg(not(parklet_loom))]
mod injector;
#[cfg(not(parklet_loom))]
pub(crate) mod local;
pub(crate) mod parker;
#[cfg(not(parklet_loom))]
mod patience;
#[cfg(not(parklet_loom))]
pub(crate) mod pool;
#[cfg(not(parklet_loom))]
mod queue;
#[cfg(not(parklet_loom))]
mod seated;
#[cfg(not(parklet_loom))]
mod spares;
pub(crate) mod task;
#[cfg(not(parklet_loom))]
mod wakeup;
#[cfg(not(parklet_loom))]
mod watcher;
#[cfg(not(parklet_loom))]
mod worker;

#[cfg(not(parklet_loom))]
pub use self::{
    block_on::block_on,
    executor::{Executor, LocalExecutor},
};
