//! What unix systems have: sockets in the file system, links, and descriptors.

pub mod fs;
pub mod net;

/// Descriptors, in std's names.
pub mod io {
    #[doc(no_inline)]
    pub use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
}
