//! What is in a directory, as a stream.
//!
//! One way to the blocking pool brings a batch of entries, and the first one comes with the opening of the directory: a
//! small one takes a single hop. async-std goes there for each entry.

use super::dir_entry::DirEntry;
use super::hop::on_path;
use crate::io::{Explain, Result};
use crate::task::{self, SpawnBlocking};
use futures_core::Stream;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::{fmt, mem, vec};

/// Entries of a batch: reading so many takes several times as long as the way to the pool and back, and they take some
/// 40 KiB.
const BATCH: usize = 256;

/// What is in the directory at `path`, but for `.` and `..`, in no particular order.
///
/// # Errors
///
/// `cannot read directory "PATH": CAUSE`, with the cause's kind: `NotFound`, `NotADirectory`, `PermissionDenied`. The
/// stream's errors say the same; it ends after one.
///
/// # Cancel safety
///
/// Cancel safe, and so is `next` on the stream.
///
/// # Examples
///
/// ```
/// use parklet::fs;
/// use parklet::prelude::*;
///
/// parklet::task::block_on(async {
///     let mut entries = fs::read_dir("src").await?;
///     let mut has_fs = false;
///     while let Some(entry) = entries.next().await {
///         has_fs |= entry?.file_name() == "fs";
///     }
///     assert!(has_fs);
///     # std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
pub async fn read_dir<P: AsRef<Path>>(path: P) -> Result<ReadDir> {
    let read = |path: &Path| {
        let rest = Listing {
            entries: std::fs::read_dir(path)?,
            path: path.to_owned(),
        };
        Ok(rest.read_batch())
    };
    let (batch, rest) = on_path("read directory", path.as_ref(), read).await?;
    Ok(ReadDir {
        batch: batch.into_iter(),
        rest: rest.map_or(Rest::Nothing, Rest::Unread),
    })
}

/// The stream of [`read_dir`].
#[must_use = "streams do nothing unless polled"]
pub struct ReadDir {
    /// Entries that are here.
    batch: vec::IntoIter<Result<DirEntry>>,
    /// What comes after them.
    rest: Rest,
}

/// What has not been read of a directory.
struct Listing {
    /// std's.
    entries: std::fs::ReadDir,
    /// For error messages.
    path: PathBuf,
}

/// Some entries, and what comes after them.
type Batch = (Vec<Result<DirEntry>>, Option<Listing>);

/// What comes after the entries that are here.
enum Rest {
    Unread(Listing),
    Reading(SpawnBlocking<Batch>),
    Nothing,
}

impl Listing {
    /// The next entries: a blocking call.
    fn read_batch(mut self) -> Batch {
        let mut batch = Vec::new();
        while batch.len() < BATCH {
            match self.entries.next() {
                Some(Ok(entry)) => batch.push(Ok(DirEntry::new(entry))),
                Some(Err(error)) => {
                    let error =
                        Err(error).explain(|| format!("cannot read directory {:?}", self.path));
                    batch.push(error);
                    return (batch, None);
                }
                None => return (batch, None),
            }
        }
        (batch, Some(self))
    }
}

impl Stream for ReadDir {
    type Item = Result<DirEntry>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<DirEntry>>> {
        let this = self.get_mut();
        loop {
            if let Some(entry) = this.batch.next() {
                return Poll::Ready(Some(entry));
            }
            this.rest = match mem::replace(&mut this.rest, Rest::Nothing) {
                Rest::Nothing => return Poll::Ready(None),
                Rest::Unread(rest) => {
                    Rest::Reading(task::spawn_blocking(move || rest.read_batch()))
                }
                Rest::Reading(mut job) => {
                    let Poll::Ready((batch, rest)) = Pin::new(&mut job).poll(cx) else {
                        this.rest = Rest::Reading(job);
                        return Poll::Pending;
                    };
                    this.batch = batch.into_iter();
                    rest.map_or(Rest::Nothing, Rest::Unread)
                }
            };
        }
    }
}

impl fmt::Debug for ReadDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadDir")
            .field("here", &self.batch.len())
            .finish_non_exhaustive()
    }
}
