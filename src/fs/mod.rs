//! Files, in std's names: each call is one hop to the blocking pool, since the disk makes a thread wait.
//!
//! ```text
//!   File ──► open_file.rs   one cursor, one job at a time, shared by all handles
//!              ahead.rs            what was read and nobody has taken yet
//!              finished_writes.rs  what was written while nobody was waiting for it any more
//!   OpenOptions ──► hop.rs  one call on a path, and an error that names both
//! ```
//!
//! As `async_std::fs`, but for when a written byte is in the kernel: [`File`] says it. A hop costs some microseconds, so
//! where many small calls belong together, one [`spawn_blocking`](crate::task::spawn_blocking) with std's functions in it
//! is faster than many of these; within a file, [`BufWriter`](crate::io::BufWriter) and reading ahead see to that.

mod ahead;
mod descriptor;
mod file;
mod finished_writes;
mod hop;
mod open_file;
mod open_options;

#[doc(no_inline)]
pub use std::fs::{FileType, Metadata, Permissions};

pub use file::File;
pub use open_options::OpenOptions;
