//! An open file: parklet's, with async-std's paths and error texts.

#![allow(
    unsafe_code,
    reason = "implementing `FromRawFd` is unsafe, and what it does with parklet's is too"
)]

use super::{Metadata, Permissions};
use crate::context::Context as Wording;
use crate::io::{self, Read, Seek, SeekFrom, Write};
use crate::path::Path;
use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll};

/// An open file, with one cursor for its clones too.
///
/// A write that is ready is in the kernel, so there is nothing to flush, and dropping the file loses nothing.
///
/// # Examples
///
/// ```
/// use async_std::fs::File;
/// use async_std::io::prelude::*;
/// use async_std::io::SeekFrom;
///
/// # async_std::task::block_on(async {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("a.txt");
/// let mut file = File::create(&path).await?;
/// file.write_all(b"hello").await?;
///
/// let mut text = String::new();
/// File::open(&path).await?.read_to_string(&mut text).await?;
/// assert_eq!(text, "hello");
/// # std::io::Result::Ok(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct File {
    /// parklet's.
    inner: parklet::fs::File,
}

impl File {
    /// Around parklet's.
    pub(super) fn new(inner: parklet::fs::File) -> File {
        File { inner }
    }

    /// Opens a file to read it.
    ///
    /// # Errors
    ///
    /// The system's, with the path.
    pub async fn open<P: AsRef<Path>>(path: P) -> io::Result<File> {
        let path = path.as_ref();
        parklet::fs::File::open(path)
            .await
            .map(File::new)
            .context(|| format!("could not open `{}`", path.display()))
    }

    /// Opens a file to write it; it is made if it is not there, and what is in it goes away.
    ///
    /// # Errors
    ///
    /// The system's, as it is.
    pub async fn create<P: AsRef<Path>>(path: P) -> io::Result<File> {
        parklet::fs::File::create(path.as_ref())
            .await
            .map(File::new)
            .bare()
    }

    /// Returns when the file and what is known about it is on the disk.
    ///
    /// # Errors
    ///
    /// The system's, as it is.
    pub async fn sync_all(&self) -> io::Result<()> {
        self.inner.sync_all().await.bare()
    }

    /// Returns when the file is on the disk.
    ///
    /// # Errors
    ///
    /// The system's, as it is.
    pub async fn sync_data(&self) -> io::Result<()> {
        self.inner.sync_data().await.bare()
    }

    /// Cuts the file off, or fills it up with zeros.
    ///
    /// # Errors
    ///
    /// The system's, as it is.
    pub async fn set_len(&self, size: u64) -> io::Result<()> {
        self.inner.set_len(size).await.bare()
    }

    /// What is known about the file.
    ///
    /// # Errors
    ///
    /// The system's, as it is.
    pub async fn metadata(&self) -> io::Result<Metadata> {
        self.inner.metadata().await.bare()
    }

    /// Changes the permissions.
    ///
    /// # Errors
    ///
    /// The system's, as it is.
    pub async fn set_permissions(&self, perm: Permissions) -> io::Result<()> {
        self.inner.set_permissions(perm).await.bare()
    }
}

/// The traits of readers and writers, for a file and for a reference to one.
macro_rules! impl_io {
    ($file:ty, $it:ident => $inner:expr) => {
        impl Read for $file {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                let $it = self.get_mut();
                Pin::new($inner).poll_read(cx, buf).map(Wording::bare)
            }
        }

        impl Write for $file {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<io::Result<usize>> {
                let $it = self.get_mut();
                Pin::new($inner).poll_write(cx, buf).map(Wording::bare)
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                let $it = self.get_mut();
                Pin::new($inner).poll_flush(cx).map(Wording::bare)
            }

            fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                let $it = self.get_mut();
                Pin::new($inner).poll_close(cx).map(Wording::bare)
            }
        }

        impl Seek for $file {
            fn poll_seek(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                pos: SeekFrom,
            ) -> Poll<io::Result<u64>> {
                let $it = self.get_mut();
                Pin::new($inner).poll_seek(cx, pos).map(Wording::bare)
            }
        }
    };
}

impl_io!(File, file => &mut file.inner);
impl_io!(&File, file => &mut &file.inner);

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl From<std::fs::File> for File {
    fn from(file: std::fs::File) -> File {
        File::new(file.into())
    }
}

impl From<OwnedFd> for File {
    fn from(descriptor: OwnedFd) -> File {
        File::new(descriptor.into())
    }
}

impl From<File> for OwnedFd {
    fn from(file: File) -> OwnedFd {
        file.inner.into()
    }
}

impl AsFd for File {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

impl AsRawFd for File {
    fn as_raw_fd(&self) -> RawFd {
        self.inner.as_raw_fd()
    }
}

impl FromRawFd for File {
    unsafe fn from_raw_fd(descriptor: RawFd) -> File {
        // SAFETY: the caller promises what parklet's asks for: an open descriptor that is nobody else's.
        File::new(unsafe { parklet::fs::File::from_raw_fd(descriptor) })
    }
}

impl IntoRawFd for File {
    fn into_raw_fd(self) -> RawFd {
        self.inner.into_raw_fd()
    }
}
