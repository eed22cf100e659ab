//! From std's files and from descriptors to ours and back.
//!
//! ```text
//!   OwnedFd, RawFd ◄──► std::fs::File ◄──► File
//! ```
//!
//! On the way out a write that is under way ends first, and what was read ahead is put back, so that the cursor is where
//! it was: std's `File` shares it with the kernel. A file with clones gives a duplicate, which shares the cursor, too.
//!
//! One of the crate's homes of unsafe code, since implementing `FromRawFd` is unsafe.
#![allow(
    unsafe_code,
    reason = "FromRawFd cannot be implemented without; the promise is the caller's"
)]

use super::File;
use super::finished_writes::Unreported;
use crate::io::Explain;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::Arc;

impl File {
    /// std's file, or a duplicate of it while others use it.
    fn into_descriptor(self) -> io::Result<std::fs::File> {
        let open = Arc::clone(self.open_file());
        drop(self);
        Arc::try_unwrap(open).map(|open| open.file).or_else(|open| {
            let duplicate = open.file.try_clone();
            duplicate.explain(|| open.attempt("duplicate"))
        })
    }
}

impl From<std::fs::File> for File {
    /// The cursor stays where it is. Nothing is asked of the file; what it was opened for holds here, too.
    fn from(file: std::fs::File) -> File {
        File::new(file, None)
    }
}

impl TryFrom<File> for std::fs::File {
    type Error = io::Error;

    /// Waits, on this thread, for a read or write under way, unless the file is a pipe or the like. Fails with the error of
    /// a write that was dropped midway; and if the file has clones and no descriptor is left for the duplicate.
    fn try_from(file: File) -> io::Result<std::fs::File> {
        file.open_file().come_to_rest()?;
        file.into_descriptor()
    }
}

impl AsFd for File {
    /// The kernel's cursor may be ahead of ours by what was read ahead.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.open_file().file.as_fd()
    }
}

impl AsRawFd for File {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl From<OwnedFd> for File {
    /// What the descriptor is, is not checked: calls on the wrong kind fail.
    fn from(descriptor: OwnedFd) -> File {
        std::fs::File::from(descriptor).into()
    }
}

impl From<File> for OwnedFd {
    /// As into std's file, but that the error of a write that was dropped midway goes to the standard error.
    ///
    /// # Panics
    ///
    /// When the file has clones and no descriptor is left for the duplicate.
    fn from(file: File) -> OwnedFd {
        if let Err(error) = file.open_file().come_to_rest() {
            drop(Unreported::new(error));
        }
        match file.into_descriptor() {
            Ok(file) => file.into(),
            Err(error) => panic!("{error}"),
        }
    }
}

impl FromRawFd for File {
    unsafe fn from_raw_fd(descriptor: RawFd) -> File {
        // SAFETY: the caller of this function promises what `OwnedFd` asks for: the descriptor is open, and nobody else
        // closes it.
        unsafe { OwnedFd::from_raw_fd(descriptor) }.into()
    }
}

impl IntoRawFd for File {
    fn into_raw_fd(self) -> RawFd {
        OwnedFd::from(self).into_raw_fd()
    }
}
