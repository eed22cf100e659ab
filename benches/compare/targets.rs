//! The rows of the comparison, and what parklet is to reach in each: data alone.

use crate::arena::rows::Goal::{AsyncStd, BestPeer, Floor, Tokio, Zero};
use crate::arena::rows::Unit::{Bytes, Count, Microseconds, Milliseconds, Nanoseconds, Thousands};
use crate::arena::rows::{Goal, Row, cpu, row};

/// The bench's name, as Cargo knows it.
pub(crate) const NAME: &str = "compare";

/// How long it takes if nothing else is asked for.
pub(crate) const TIME: &str = "90 seconds";

/// A filter, for an example.
pub(crate) const EXAMPLE: &str = "spawn";

/// Rounds unless told otherwise: odd, so that the median is one of them.
pub(crate) const ROUNDS: usize = 7;

/// Than async-std and tokio.
const NO_SLOWER: &[Goal] = &[AsyncStd(1.0), Tokio(1.0)];

/// In the order of the table.
#[rustfmt::skip] // It is a table itself: a row a line.
pub(crate) static ROWS: &[Row] = &[
    cpu("spawn/block_on", "spawn 10,000 tasks from block_on and join them, a task", &[BestPeer(0.35)]),
    cpu("spawn/task", "spawn 10,000 tasks from a task and join them, a task", &[BestPeer(0.35)]),
    cpu("spawn/chained", "each task spawns the next, 1,000 deep, a task", &[BestPeer(0.35)]),
    cpu("yield", "200 tasks yield 1,000 times each, a yield", &[BestPeer(0.45)]),
    cpu("ping_pong/new", "1,000 new pairs of tasks, one round trip over async-channel each", &[BestPeer(0.75)]),
    cpu("ping_pong/steady", "1,000 pairs, 100 round trips each, a round trip", &[BestPeer(1.0)]),
    cpu("channel", "the runtime's bounded channel, one producer, one consumer, a message", &[BestPeer(0.45)]),
    row("fs/copy", "time", Microseconds, "fs::copy of 256 MiB (16 MiB in the quick form), a MiB", NO_SLOWER),
    row("fs/copy_through", "time", Microseconds, "io::copy of as much from file to file, a MiB", NO_SLOWER),
    row("fs/small_reads", "time", Nanoseconds, "10,000 reads of 64 bytes from one file, a read", NO_SLOWER),
    row("fs/small_files", "time", Microseconds, "fs::read of a file of 64 bytes, 10,000 times (1,000 in the quick form), a file", NO_SLOWER),
    row("wake/thread", "time", Microseconds, "a plain thread and a task wake each other, a round trip", &[BestPeer(0.45)]),
    cpu("block_on/ready", "block_on of what is ready", &[BestPeer(0.15)]),
    cpu("block_on/yield", "block_on of what yields once", &[BestPeer(0.25)]),
    cpu("mutex/free", "lock and unlock a free mutex", &[BestPeer(0.5)]),
    cpu("mutex/contended", "64 tasks want a mutex that is held across a yield, a lock", &[BestPeer(0.35)]),
    cpu("rw_lock/free_read", "lock and unlock a free RwLock to read", NO_SLOWER),
    cpu("rw_lock/free_write", "lock and unlock a free RwLock to write", NO_SLOWER),
    cpu("rw_lock/contended", "64 tasks want an RwLock that is held across a yield, one time in ten to write, a lock", NO_SLOWER),
    cpu("semaphore/free", "acquire and release the one permit of a semaphore", &[Tokio(1.0)]),
    cpu("semaphore/contended", "64 tasks want four permits that are held across a yield, an acquire", &[Tokio(1.0)]),
    cpu("broadcast/burst", "broadcast bursts of 1,024 to 100 tasks, a delivery", &[BestPeer(0.5)]),
    cpu("broadcast/wake", "broadcast to 100 tasks that all wait, a delivery", &[BestPeer(0.9)]),
    cpu("spawn_blocking/burst", "10,000 blocking calls at once, a call", &[BestPeer(0.1)]),
    cpu("spawn_blocking/one_by_one", "one blocking call after another", &[BestPeer(0.1)]),
    cpu("timeout/ready", "a timeout around what is ready", &[BestPeer(1.5)]),
    cpu("timeout/pends_once", "a timeout around what yields once", &[BestPeer(1.0)]),
    row("sleep/100k", "late", Milliseconds, "100,000 sleeps (20,000 in the quick form) that end at one moment, how late one ends", &[BestPeer(1.0)]),
    row("sleep/100k", "cpu", Nanoseconds, "the same 100,000 sleeps, CPU of one", &[BestPeer(1.0)]),
    row("sleep/100k", "early", Count, "the same 100,000 sleeps, how many end too early", &[Zero]),
    row("sleep/1ms", "late", Microseconds, "a sleep of 1 ms, how late it ends", &[BestPeer(1.2)]),
    row("memory/task", "bytes", Bytes, "a waiting task with 64 bytes of state, memory", &[BestPeer(1.0)]),
    row("tcp_echo/1", "cpu", Microseconds, "64 bytes to a server and back, 1 connection, the server's CPU", &[Tokio(1.03), Floor(1.05)]),
    row("tcp_echo/64", "cpu", Microseconds, "64 bytes to a server and back, 64 connections, the server's CPU", &[Tokio(1.0), Floor(1.05)]),
    row("tcp_echo/1000", "cpu", Microseconds, "64 bytes to a server and back, 1,000 connections, the server's CPU", &[Tokio(1.0), Floor(1.05)]),
    row("tcp_echo/64", "rate", Thousands, "64 connections, messages a second", &[Tokio(1.05), Floor(0.9)]),
    row("tcp_echo/1000", "rate", Thousands, "1,000 connections, messages a second", &[Tokio(1.05), Floor(0.9)]),
    row("tcp_echo/1000", "p99", Milliseconds, "1,000 connections, 99 of 100 messages are back within", &[Tokio(0.4)]),
    row("tcp_stream", "cpu", Milliseconds, "one stream of 64 KiB writes, the server's CPU for a GiB", &[Tokio(1.1)]),
    row("tcp_accept", "cpu", Microseconds, "accept, echo one byte, close: the server's CPU", &[Tokio(1.0)]),
    row("memory/connection", "bytes", Bytes, "a silent connection with a task that reads, memory", &[BestPeer(0.9)]),
    row("idle", "cpu", Microseconds, "CPU a second of a server with 100 silent connections", &[Zero]),
    row("idle", "turns", Count, "how often a second one of its threads runs, as it must for a system call", &[Zero]),
];
