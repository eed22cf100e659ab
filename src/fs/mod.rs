//! Files, in std's names: each call is one hop to the blocking pool, since the disk makes a thread wait.
//!
//! ```text
//!   File ──► open_file.rs   one cursor, one job at a time, shared by all handles
//!              ahead.rs            what was read and nobody has taken yet
//!              finished_writes.rs  what was written while nobody was waiting for it any more
//!   read_dir ──► DirEntry   a batch of entries at a time
//!   OpenOptions, DirBuilder, and a file for each function ──► hop.rs  one call on a path, and an error that names both
//! ```
//!
//! As `async_std::fs`, but for when a written byte is in the kernel: [`File`] says it. A hop costs some microseconds, so
//! where many small calls belong together, one [`spawn_blocking`](crate::task::spawn_blocking) with std's functions in it
//! is faster than many of these; within a file, [`BufWriter`](crate::io::BufWriter) and reading ahead see to that.

mod ahead;
mod canonicalize;
mod copy;
mod create_dir;
mod create_dir_all;
mod descriptor;
mod dir_builder;
mod dir_entry;
mod file;
mod finished_writes;
mod hard_link;
mod hop;
mod metadata;
mod open_file;
mod open_options;
mod read;
mod read_dir;
mod read_link;
mod read_to_string;
mod remove_dir;
mod remove_dir_all;
mod remove_file;
mod rename;
mod set_permissions;
mod symlink_metadata;
mod write;

#[doc(no_inline)]
pub use std::fs::{FileType, Metadata, Permissions};

pub use dir_builder::DirBuilder;
pub use dir_entry::DirEntry;
pub use file::File;
pub use open_options::OpenOptions;
pub use read_dir::{ReadDir, read_dir};

pub(crate) use hop::on_paths;

pub use canonicalize::canonicalize;
pub use copy::copy;
pub use create_dir::create_dir;
pub use create_dir_all::create_dir_all;
pub use hard_link::hard_link;
pub use metadata::metadata;
pub use read::read;
pub use read_link::read_link;
pub use read_to_string::read_to_string;
pub use remove_dir::remove_dir;
pub use remove_dir_all::remove_dir_all;
pub use remove_file::remove_file;
pub use rename::rename;
pub use set_permissions::set_permissions;
pub use symlink_metadata::symlink_metadata;
pub use write::write;
