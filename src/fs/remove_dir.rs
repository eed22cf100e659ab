//! An empty directory, removed.

use super::hop::on_path;
use crate::io::Result;
use std::path::Path;

/// Removes a directory with nothing in it.
///
/// # Errors
///
/// `cannot remove directory "PATH": CAUSE`, with the cause's kind: `NotFound`, `NotADirectory`, and `DirectoryNotEmpty`,
/// which [`remove_dir_all`](super::remove_dir_all) empties.
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
/// std::fs::create_dir(&path)?;
/// parklet::task::block_on(fs::remove_dir(&path))?;
/// assert!(!path.exists());
/// # std::io::Result::Ok(())
/// ```
pub async fn remove_dir<P: AsRef<Path>>(path: P) -> Result<()> {
    on_path("remove directory", path.as_ref(), |path| {
        std::fs::remove_dir(path)
    })
    .await
}
