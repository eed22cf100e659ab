//! Descriptors: std's traits.

pub use std::os::unix::io::{AsRawFd, FromRawFd, IntoRawFd, RawFd};

#[cfg(feature = "io_safety")]
pub use std::os::unix::io::{AsFd, BorrowedFd, OwnedFd};
