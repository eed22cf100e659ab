//! What operations cost, counted in what no machine changes: allocations, bytes, system calls.
//!
//! The goals and what stands are a table in ARCHITECTURE.md, "What operations cost"; a limit here is what stands, and where
//! that is not the goal yet, the goal stands beside it.

mod allocations;
mod counting_allocator;
mod operations;
mod sizes;
mod system_calls;

#[path = "../common/mod.rs"]
mod common;
