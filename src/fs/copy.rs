//! A file, copied.

use super::hop::on_paths;
use crate::io::Result;
use std::path::Path;

/// Copies the bytes and the permissions of a file, in one hop to the pool, and returns how many bytes that were. What was at
/// `to` is overwritten. Between what is open already, [`io::copy`](crate::io::copy) copies.
///
/// # Errors
///
/// `cannot copy "FROM" to "TO": CAUSE`, with the cause's kind: `NotFound`, `PermissionDenied`, and `InvalidInput` if `from` is
/// no file.
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
/// assert_eq!(parklet::task::block_on(fs::copy(&from, &to))?, 4);
/// assert_eq!(std::fs::read(&to)?, b"text");
/// # std::io::Result::Ok(())
/// ```
pub async fn copy<P: AsRef<Path>, Q: AsRef<Path>>(from: P, to: Q) -> Result<u64> {
    let copy = |from: &Path, to: &Path| std::fs::copy(from, to);
    on_paths("copy", from.as_ref(), to.as_ref(), copy).await
}
