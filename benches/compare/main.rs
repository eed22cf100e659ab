//! parklet beside async-std, tokio, smol and nio, and beside the least that can be done by hand.
//!
//! `cargo bench --bench compare` takes a minute and a half, `-- --full` longer; `-- --help` says what else there is.
//!
//! - Each run is a process of its own, so that no runtime meets what another has left behind.
//! - In each round every workload is run by everyone in turn, and someone else begins: a slow spell of the machine, and
//!   there are some that last minutes, hits all. So figures are compared within one comparison only.
//! - Each runtime has two workers. A second column of parklet has one: where the two differ, what matters is where the
//!   host puts the second core.
//! - Every workload checks its sums, counts and bytes.
//! - The goals in `targets.rs` are ratios of medians.

#![allow(
    clippy::duplicate_mod,
    reason = "the text of a workload is compiled once for each runtime"
)]

#[path = "../arena/mod.rs"]
mod arena;
mod contenders;
mod floor;
mod runtimes;
mod targets;
mod tcp;

use std::process::ExitCode;

fn main() -> ExitCode {
    arena::main()
}
