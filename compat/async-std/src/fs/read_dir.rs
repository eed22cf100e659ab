//! What is in a directory.

use super::{FileType, Metadata};
use crate::context::Context as _;
use crate::io;
use crate::os::unix::fs::DirEntryExt;
use crate::path::{Path, PathBuf};
use crate::stream::Stream;
use std::ffi::OsString;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A stream of what is in a directory, without `.` and `..`, in no order.
///
/// # Errors
///
/// The system's, with the path.
pub async fn read_dir<P: AsRef<Path>>(path: P) -> io::Result<ReadDir> {
    let path = path.as_ref();
    parklet::fs::read_dir(path)
        .await
        .map(|inner| ReadDir { inner })
        .context(|| format!("could not read directory `{}`", path.display()))
}

/// The stream of [`read_dir`].
#[derive(Debug)]
pub struct ReadDir {
    /// parklet's.
    inner: parklet::fs::ReadDir,
}

impl Stream for ReadDir {
    type Item = io::Result<DirEntry>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let entry = ready!(Pin::new(&mut self.inner).poll_next(cx));
        Poll::Ready(entry.map(|entry| entry.map(|inner| DirEntry { inner }).bare()))
    }
}

/// One name in a directory.
#[derive(Clone)]
pub struct DirEntry {
    /// parklet's.
    inner: parklet::fs::DirEntry,
}

impl DirEntry {
    /// The directory's path as it was given, and the name.
    pub fn path(&self) -> PathBuf {
        self.inner.path().into()
    }

    /// What is known about the file, or about the symbolic link itself.
    ///
    /// # Errors
    ///
    /// The system's, as it is.
    pub async fn metadata(&self) -> io::Result<Metadata> {
        self.inner.metadata().await.bare()
    }

    /// Whether it is a file, a directory or something else.
    ///
    /// # Errors
    ///
    /// The system's, as it is.
    pub async fn file_type(&self) -> io::Result<FileType> {
        self.inner.file_type().await.bare()
    }

    /// The name.
    pub fn file_name(&self) -> OsString {
        self.inner.file_name()
    }
}

impl fmt::Debug for DirEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DirEntry").field(&self.path()).finish()
    }
}

impl DirEntryExt for DirEntry {
    fn ino(&self) -> u64 {
        self.inner.ino()
    }
}
