//! A file, removed.

use super::hop::on_path;
use crate::io::Result;
use std::path::Path;

/// Removes a file, or a link. Who has it open keeps it until he closes it.
///
/// # Errors
///
/// `cannot remove file "PATH": CAUSE`, with the cause's kind: `NotFound`, `PermissionDenied`, `IsADirectory`.
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
/// std::fs::write(&path, "")?;
/// parklet::task::block_on(fs::remove_file(&path))?;
/// assert!(!path.exists());
/// # std::io::Result::Ok(())
/// ```
pub async fn remove_file<P: AsRef<Path>>(path: P) -> Result<()> {
    on_path("remove file", path.as_ref(), |path| {
        std::fs::remove_file(path)
    })
    .await
}
