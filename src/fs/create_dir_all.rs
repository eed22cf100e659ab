//! A new directory, with all that lead there.

use super::hop::on_path;
use crate::io::Result;
use std::path::Path;

/// Creates a directory and those above it that are not there, in one hop to the pool. If it is there already, that is
/// fine.
///
/// # Errors
///
/// `cannot create directory "PATH": CAUSE`, with the cause's kind, such as `AlreadyExists` if it is a file and `NotADirectory`
/// if one above it is. Those that were created stay.
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
/// let path = folder.path().join("a/b/c");
/// parklet::task::block_on(fs::create_dir_all(&path))?;
/// assert!(path.is_dir());
/// # std::io::Result::Ok(())
/// ```
pub async fn create_dir_all<P: AsRef<Path>>(path: P) -> Result<()> {
    on_path("create directory", path.as_ref(), |path| {
        std::fs::create_dir_all(path)
    })
    .await
}
