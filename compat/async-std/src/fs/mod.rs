//! Files: parklet's, with async-std's paths and error texts.
//!
//! # Examples
//!
//! ```
//! use async_std::fs;
//!
//! # async_std::task::block_on(async {
//! let error = fs::read("no such file").await.unwrap_err();
//! assert_eq!(error.to_string(), "could not read file `no such file`");
//! # });
//! ```

mod dir_builder;
mod file;
mod functions;
mod open_options;
mod read_dir;

pub use dir_builder::DirBuilder;
pub use file::File;
pub use functions::{
    canonicalize, copy, create_dir, create_dir_all, hard_link, metadata, read, read_link,
    read_to_string, remove_dir, remove_dir_all, remove_file, rename, set_permissions,
    symlink_metadata, write,
};
pub use open_options::OpenOptions;
pub use read_dir::{DirEntry, ReadDir, read_dir};

pub use std::fs::{FileType, Metadata, Permissions};
