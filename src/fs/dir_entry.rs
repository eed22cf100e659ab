//! One entry of a directory.

use super::{FileType, Metadata};
use crate::io::{Explain, Result};
use crate::task;
use std::ffi::OsString;
use std::fmt;
use std::os::unix::fs::DirEntryExt;
use std::path::PathBuf;
use std::sync::Arc;

/// What stands in a directory, from [`read_dir`](super::read_dir()): a name, and what it is the name of.
///
/// # Examples
///
/// ```
/// use parklet::fs;
/// use parklet::prelude::*;
///
/// parklet::task::block_on(async {
///     let mut bytes = 0;
///     let mut entries = fs::read_dir("src/fs").await?;
///     while let Some(entry) = entries.next().await {
///         let entry = entry?;
///         if entry.file_type().await?.is_file() {
///             bytes += entry.metadata().await?.len();
///         }
///     }
///     assert!(bytes > 0);
///     # std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone)]
pub struct DirEntry {
    /// std's, and what was learned on the pool.
    entry: Arc<EntryAndType>,
}

/// An entry, and what it is.
struct EntryAndType {
    /// std's.
    entry: std::fs::DirEntry,
    /// Most file systems say it with the name. It is unknown if the file went away meanwhile.
    file_type: Option<FileType>,
}

impl DirEntry {
    /// Around std's: on file systems that do not say what a file is, a blocking call.
    pub(super) fn new(entry: std::fs::DirEntry) -> DirEntry {
        let file_type = entry.file_type().ok();
        DirEntry {
            entry: Arc::new(EntryAndType { entry, file_type }),
        }
    }

    /// The directory's path as it was given to `read_dir`, and the name.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::fs;
    /// use parklet::prelude::*;
    ///
    /// parklet::task::block_on(async {
    ///     let entry = fs::read_dir("src").await?.next().await.unwrap()?;
    ///     assert_eq!(entry.path(), std::path::Path::new("src").join(entry.file_name()));
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn path(&self) -> PathBuf {
        self.entry.entry.path()
    }

    /// The name alone.
    pub fn file_name(&self) -> OsString {
        self.entry.entry.file_name()
    }

    /// What is known about the file: of a link, about the link and not about where it leads.
    ///
    /// # Errors
    ///
    /// `cannot get the metadata of "PATH": CAUSE`, with the cause's kind, such as `NotFound` if it has been removed.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::fs;
    /// use parklet::prelude::*;
    ///
    /// parklet::task::block_on(async {
    ///     let entry = fs::read_dir("src").await?.next().await.unwrap()?;
    ///     assert!(entry.metadata().await?.modified().is_ok());
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn metadata(&self) -> Result<Metadata> {
        self.ask(std::fs::DirEntry::metadata).await
    }

    /// What it is: a file, a directory, a link. Mostly that is known already, and takes no hop to the pool.
    ///
    /// # Errors
    ///
    /// As [`metadata`](DirEntry::metadata).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::fs;
    /// use parklet::prelude::*;
    ///
    /// parklet::task::block_on(async {
    ///     let entry = fs::read_dir("src/fs").await?.next().await.unwrap()?;
    ///     assert!(entry.file_type().await?.is_file());
    ///     # std::io::Result::Ok(())
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn file_type(&self) -> Result<FileType> {
        match self.entry.file_type {
            Some(file_type) => Ok(file_type),
            None => self.ask(std::fs::DirEntry::file_type).await,
        }
    }

    /// A call on the pool.
    async fn ask<T: Send + 'static>(&self, call: fn(&std::fs::DirEntry) -> Result<T>) -> Result<T> {
        let this = Arc::clone(&self.entry);
        let ask = move || {
            let path = || this.entry.path();
            call(&this.entry).explain(|| format!("cannot get the metadata of {:?}", path()))
        };
        task::spawn_blocking(ask).await
    }
}

impl DirEntryExt for DirEntry {
    fn ino(&self) -> u64 {
        self.entry.entry.ino()
    }
}

impl fmt::Debug for DirEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DirEntry").field(&self.path()).finish()
    }
}
