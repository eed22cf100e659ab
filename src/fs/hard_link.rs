//! Another name for a file.

use super::hop::on_paths;
use crate::io::Result;
use std::path::Path;

/// Gives the file at `from` another name: both are the same file.
///
/// # Errors
///
/// `cannot link "FROM" to "TO": CAUSE`, with the cause's kind: `NotFound`, `AlreadyExists`, and `CrossesDevices`.
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
/// parklet::task::block_on(fs::hard_link(&from, &to))?;
/// std::fs::write(&from, "changed")?;
/// assert_eq!(std::fs::read(&to)?, b"changed");
/// # std::io::Result::Ok(())
/// ```
pub async fn hard_link<P: AsRef<Path>, Q: AsRef<Path>>(from: P, to: Q) -> Result<()> {
    let hard_link = |from: &Path, to: &Path| std::fs::hard_link(from, to);
    on_paths("link", from.as_ref(), to.as_ref(), hard_link).await
}
