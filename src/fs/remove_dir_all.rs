//! A directory, removed with all that is in it.

use super::hop::on_path;
use crate::io::Result;
use std::path::Path;

/// Removes a directory and all that is in it, in one hop to the pool. Links are removed, and not followed.
///
/// # Errors
///
/// `cannot remove directory "PATH": CAUSE`, with the cause's kind, such as `NotFound`. What was removed before an error stays
/// removed.
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
/// let path = folder.path().join("old");
/// std::fs::create_dir_all(path.join("with/more"))?;
/// parklet::task::block_on(fs::remove_dir_all(&path))?;
/// assert!(!path.exists());
/// # std::io::Result::Ok(())
/// ```
pub async fn remove_dir_all<P: AsRef<Path>>(path: P) -> Result<()> {
    on_path("remove directory", path.as_ref(), |path| {
        std::fs::remove_dir_all(path)
    })
    .await
}
