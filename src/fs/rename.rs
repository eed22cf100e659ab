//! A file, moved.

use super::hop::on_paths;
use crate::io::Result;
use std::path::Path;

/// Moves a file or a directory within its file system. A file at `to` is replaced in one step: there is always one or the
/// other.
///
/// # Errors
///
/// `cannot rename "FROM" to "TO": CAUSE`, with the cause's kind: `NotFound`, `IsADirectory`, `DirectoryNotEmpty`, and
/// `CrossesDevices`, where [`copy`](super::copy()) helps.
///
/// # Cancel safety
///
/// Once begun, it is done all the same.
///
/// # Examples
///
/// ```
/// use parklet::fs;
///
/// # let folder = tempfile::tempdir()?;
/// let (from, to) = (folder.path().join("from"), folder.path().join("to"));
/// std::fs::write(&from, "text")?;
/// parklet::task::block_on(fs::rename(&from, &to))?;
/// assert!(!from.exists() && to.exists());
/// # std::io::Result::Ok(())
/// ```
pub async fn rename<P: AsRef<Path>, Q: AsRef<Path>>(from: P, to: Q) -> Result<()> {
    let rename = |from: &Path, to: &Path| std::fs::rename(from, to);
    on_paths("rename", from.as_ref(), to.as_ref(), rename).await
}
