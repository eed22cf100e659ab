//! A file, open, with one cursor for reading and writing.

use super::finished_writes::Caller;
use super::open_file::OpenFile;
use super::open_options::{self, OpenOptions};
use super::{Metadata, Permissions};
use crate::io::{Explain, Read, Result, Seek, SeekFrom, Write};
use crate::task;
use std::fmt;
use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// An open file.
///
/// It reads and writes at one cursor, which [`Seek`] moves. Clones share the cursor, and `&File` reads and writes as well:
/// several tasks may use one file, and each call is done by itself, in no order that is promised. Reads run ahead, up to
/// 128 KiB, once one has followed another; what was read ahead is put back before a write or a jump, and seen by nobody. What
/// others write there meanwhile is not seen either, until the cursor is moved with `SeekFrom::Start` or `SeekFrom::End`.
///
/// Two calls that are under way at the same time in one task, in a `join` or a `race`, need a clone each, and so do the two
/// sides for which one would `split` a stream. Through one handle they look like a call that was dropped and another one
/// after it, and a write may be done twice.
///
/// When a write has returned, the kernel has the bytes: there is nothing to flush, and nothing to be lost when the file
/// is dropped or the program ends. async-std's `File` holds them back until a flush; this one needs none, and `BufWriter`
/// gathers what is written in small pieces.
///
/// A read or write is one call on the blocking pool, of at most 512 KiB. A pipe or a terminal opened as a file keeps the
/// pool's thread, and everybody else who wants to use the file, while it has nothing to say;
/// [`Async`](crate::reactor::Async) is for those.
///
/// # Errors
///
/// Those of reads, writes and jumps say `cannot read "PATH": CAUSE` and so on, or `descriptor 7` for a file that was
/// opened elsewhere; the kind is the cause's. A directory can be opened, and cannot be read: `IsADirectory`.
///
/// # Cancel safety
///
/// `read`, `seek` and `flush` are cancel safe: what a dropped read has read is there for the next one.
///
/// A write that is dropped midway goes on by itself, and what comes next decides what it was. The same task's next
/// write through this handle, if it begins with the same bytes, is taken for the same write, so nothing is written twice;
/// with other bytes, or after any other call (a `flush`, say), the dropped one counts as done. So repeating a dropped
/// write is safe, and a different one may find that both were written. If it fails, the next call says so; if there is none,
/// the standard error does. Dropping the last handle to a file waits for a write that is under way. (If the file is a
/// pipe or the like, which may take for ever, it does not; the write goes on.)
///
/// # Examples
///
/// ```
/// use parklet::fs::File;
/// use parklet::io::SeekFrom;
/// use parklet::prelude::*;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("greeting");
/// parklet::task::block_on(async {
///     let mut file = File::options().read(true).write(true).create(true).open(&path).await?;
///     file.write_all(b"hello, world").await?;
///     file.seek(SeekFrom::Start(7)).await?;
///     let mut rest = String::new();
///     file.read_to_string(&mut rest).await?;
///     assert_eq!(rest, "world");
///     # std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
pub struct File {
    /// Tells this handle's writes from its clones'.
    number: u64,
    /// What all clones share.
    handles: Arc<Handles>,
}

/// All handles to an open file: dropped with the last of them, while its job may go on.
struct Handles {
    /// The file.
    open: Arc<OpenFile>,
}

impl Drop for Handles {
    fn drop(&mut self) {
        self.open.finish_write();
    }
}

impl File {
    /// Around std's; `path` is for error messages.
    pub(super) fn new(file: std::fs::File, path: Option<PathBuf>) -> File {
        let open = OpenFile::new(file, path);
        File {
            number: open.number_handle(),
            handles: Arc::new(Handles { open }),
        }
    }

    /// Opens a file to read it.
    ///
    /// # Errors
    ///
    /// `cannot open "PATH": CAUSE`, with the cause's kind: `NotFound`, `PermissionDenied`, and `InvalidInput` for a
    /// path with a NUL in it.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the file is closed again.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::fs::File;
    /// use parklet::prelude::*;
    ///
    /// parklet::task::block_on(async {
    ///     let mut first = [0; 9];
    ///     File::open("Cargo.toml").await?.read_exact(&mut first).await?;
    ///     assert_eq!(&first, b"[package]");
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn open<P: AsRef<Path>>(path: P) -> Result<File> {
        let mut options = std::fs::OpenOptions::new();
        options.read(true);
        open_options::open("open", path.as_ref(), options).await
    }

    /// Opens a file to write it: it is created, and what was in it is gone.
    ///
    /// # Errors
    ///
    /// `cannot create "PATH": CAUSE`, with the cause's kind, such as `NotFound` for the directory and `IsADirectory`.
    ///
    /// # Cancel safety
    ///
    /// The file is created all the same, and closed again.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::fs::File;
    /// use parklet::prelude::*;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("greeting");
    /// parklet::task::block_on(async {
    ///     File::create(&path).await?.write_all(b"hello\n").await
    /// })?;
    /// assert_eq!(std::fs::read(&path)?, b"hello\n");
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn create<P: AsRef<Path>>(path: P) -> Result<File> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        open_options::open("create", path.as_ref(), options).await
    }

    /// The same as [`OpenOptions::new`].
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::fs::File;
    ///
    /// parklet::task::block_on(File::options().read(true).open("Cargo.toml"))?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn options() -> OpenOptions {
        OpenOptions::new()
    }

    /// Waits until the disk has what was written, and what is known about the file.
    ///
    /// # Errors
    ///
    /// `cannot sync "PATH": CAUSE`, and the error of a write that was dropped.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the disk goes on.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::fs::File;
    /// use parklet::prelude::*;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("precious");
    /// parklet::task::block_on(async {
    ///     let mut file = File::create(&path).await?;
    ///     file.write_all(b"not to be lost").await?;
    ///     file.sync_all().await
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn sync_all(&self) -> Result<()> {
        poll_fn(|cx| self.poll_flush_from(cx)).await?;
        self.call("sync", |open| open.file.sync_all()).await
    }

    /// Waits until the disk has what was written, but not what else is known about the file, such as its times.
    ///
    /// # Errors
    ///
    /// `cannot sync "PATH": CAUSE`, and the error of a write that was dropped.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the disk goes on.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::fs::File;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("precious");
    /// parklet::task::block_on(async {
    ///     File::create(&path).await?.sync_data().await
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn sync_data(&self) -> Result<()> {
        poll_fn(|cx| self.poll_flush_from(cx)).await?;
        self.call("sync", |open| open.file.sync_data()).await
    }

    /// Cuts the file off after `size` bytes, or fills it up with zeros. The cursor stays where it is.
    ///
    /// # Errors
    ///
    /// `cannot set the length of "PATH": CAUSE`; `InvalidInput` if the file was not opened to be written, or `size` is too
    /// large. And the error of a write that was dropped.
    ///
    /// # Cancel safety
    ///
    /// Once begun, it is done all the same.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::fs::File;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("zeros");
    /// parklet::task::block_on(async {
    ///     let file = File::create(&path).await?;
    ///     file.set_len(10).await?;
    ///     assert_eq!(file.metadata().await?.len(), 10);
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn set_len(&self, size: u64) -> Result<()> {
        poll_fn(|cx| self.poll_flush_from(cx)).await?;
        let open = Arc::clone(&self.handles.open);
        task::spawn_blocking(move || open.set_len(size)).await
    }

    /// What is known about the file: its length, its times, its permissions.
    ///
    /// # Errors
    ///
    /// `cannot get the metadata of "PATH": CAUSE`.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::fs::File;
    ///
    /// parklet::task::block_on(async {
    ///     let file = File::open("Cargo.toml").await?;
    ///     assert!(file.metadata().await?.is_file());
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn metadata(&self) -> Result<Metadata> {
        self.call("get the metadata of", |open| open.file.metadata())
            .await
    }

    /// Changes who may do what with the file.
    ///
    /// # Errors
    ///
    /// `cannot set the permissions of "PATH": CAUSE`; `PermissionDenied` if it is somebody else's.
    ///
    /// # Cancel safety
    ///
    /// Once begun, it is done all the same.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::fs::File;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("sealed");
    /// parklet::task::block_on(async {
    ///     let file = File::create(&path).await?;
    ///     let mut permissions = file.metadata().await?.permissions();
    ///     permissions.set_readonly(true);
    ///     file.set_permissions(permissions).await
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn set_permissions(&self, permissions: Permissions) -> Result<()> {
        let set = |open: &OpenFile| open.file.set_permissions(permissions);
        self.call("set the permissions of", set).await
    }

    /// The shared part, for conversions.
    pub(super) fn open_file(&self) -> &Arc<OpenFile> {
        &self.handles.open
    }

    /// A call that leaves the cursor alone, on the pool.
    async fn call<T, C>(&self, deed: &'static str, call: C) -> Result<T>
    where
        T: Send + 'static,
        C: FnOnce(&OpenFile) -> Result<T> + Send + 'static,
    {
        let open = Arc::clone(&self.handles.open);
        task::spawn_blocking(move || call(&open).explain(|| open.attempt(deed))).await
    }

    /// Waits for the write under way.
    fn poll_flush_from(&self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut &*self).poll_flush(cx)
    }

    /// A call that somebody else may make at the same time.
    fn one_of_many<'a>(&self, cx: &Context<'a>) -> Caller<'a> {
        Caller {
            handle: self.number,
            task: Some(cx.waker()),
        }
    }

    /// A call by whoever has borrowed this handle for himself.
    fn alone(&self) -> Caller<'static> {
        Caller {
            handle: self.number,
            task: None,
        }
    }
}

/// Another handle to the same open file, with the same cursor.
impl Clone for File {
    fn clone(&self) -> File {
        File {
            number: self.handles.open.number_handle(),
            handles: Arc::clone(&self.handles),
        }
    }
}

/// Implements the traits for a kind of reference, which differ in who else may be calling.
macro_rules! impl_io {
    ($file:ty, |$this:ident, $cx:ident| $caller:expr) => {
        impl Read for $file {
            fn poll_read(
                self: Pin<&mut Self>,
                $cx: &mut Context<'_>,
                buf: &mut [u8],
            ) -> Poll<Result<usize>> {
                let $this = &*self;
                let caller = $caller;
                $this.handles.open.poll_read($cx, caller, buf)
            }
        }

        impl Write for $file {
            fn poll_write(
                self: Pin<&mut Self>,
                $cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<Result<usize>> {
                let $this = &*self;
                let caller = $caller;
                $this.handles.open.poll_write($cx, caller, buf)
            }

            /// Waits for a write that was dropped midway, and reports its error. Others have nothing to flush.
            fn poll_flush(self: Pin<&mut Self>, $cx: &mut Context<'_>) -> Poll<Result<()>> {
                let $this = &*self;
                let caller = $caller;
                $this.handles.open.poll_flush($cx, caller)
            }

            /// Flushes; the file is closed with its last handle.
            fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
                self.poll_flush(cx)
            }
        }

        impl Seek for $file {
            fn poll_seek(
                self: Pin<&mut Self>,
                $cx: &mut Context<'_>,
                to: SeekFrom,
            ) -> Poll<Result<u64>> {
                let $this = &*self;
                let caller = $caller;
                $this.handles.open.poll_seek($cx, caller, to)
            }
        }
    };
}

impl_io!(File, |file, cx| file.alone());
impl_io!(&File, |file, cx| file.one_of_many(cx));

/// As std's.
impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handles.open.file.fmt(f)
    }
}
