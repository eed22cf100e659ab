//! A closure that may block, on a thread where it harms nobody.

pub use crate::executor::blocking::SpawnBlocking;
use crate::executor::blocking_pool::BlockingPool;

/// Runs a closure that blocks on a thread of the blocking pool, and returns its value as a future.
///
/// A task must not block: its worker has other tasks to run. File access, name lookups, a slow computation or a
/// foreign library's waiting call belong here. The closure starts at once, whether or not the future is polled;
/// dropping the future detaches the job, and [`SpawnBlocking::cancel`] takes it back if it has not started.
///
/// The pool is the process's own: it starts a thread when a job waits and none is free, up to 512, and a thread ends
/// after 10 s without a job. Beyond 512 jobs at a time the rest wait their turn, so jobs that wait for other jobs
/// can wait for ever. If the system refuses a thread, the job waits until it grants one. The program's exit waits for
/// no job: what must be finished, await.
///
/// async-std's function of the same name returns its `JoinHandle`; the future here is that of *Programming Rust*,
/// chapter 20.
///
/// # Panics
///
/// Never itself. A panic in the closure reaches whoever awaits the future; the pool's thread lives on.
///
/// # Examples
///
/// ```
/// use parklet::task;
///
/// # fn main() -> std::io::Result<()> {
/// task::block_on(async {
///     let manifest = task::spawn_blocking(|| std::fs::read_to_string("Cargo.toml")).await?;
///     assert!(manifest.contains("parklet"));
///     Ok(())
/// })
/// # }
/// ```
pub fn spawn_blocking<F, T>(closure: F) -> SpawnBlocking<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    BlockingPool::global().spawn(closure)
}
