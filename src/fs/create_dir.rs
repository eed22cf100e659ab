//! A new directory.

use super::hop::on_path;
use crate::io::Result;
use std::path::Path;

/// Creates a directory in one that is there.
///
/// # Errors
///
/// `cannot create directory "PATH": CAUSE`, with the cause's kind: `AlreadyExists`, whatever it is, and `NotFound` without
/// its parent, which [`create_dir_all`](super::create_dir_all) creates.
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
/// let path = folder.path().join("new");
/// parklet::task::block_on(fs::create_dir(&path))?;
/// assert!(path.is_dir());
/// # std::io::Result::Ok(())
/// ```
pub async fn create_dir<P: AsRef<Path>>(path: P) -> Result<()> {
    on_path("create directory", path.as_ref(), |path| {
        std::fs::create_dir(path)
    })
    .await
}
