//! What is known about a link.

use super::hop::on_path;
use crate::io::Result;
use std::fs::Metadata;
use std::path::Path;

/// What is known about what is at `path`: if that is a link, about the link and not about where it leads.
///
/// # Errors
///
/// `cannot get the metadata of "PATH": CAUSE`, with the cause's kind, such as `NotFound`.
///
/// # Cancel safety
///
/// Cancel safe: the call ends by itself, and nobody hears of it.
///
/// # Examples
///
/// ```
/// use parklet::fs;
///
/// # let folder = tempfile::tempdir()?;
/// let link = folder.path().join("link");
/// std::os::unix::fs::symlink("nowhere", &link)?;
/// let metadata = parklet::task::block_on(fs::symlink_metadata(&link))?;
/// assert!(metadata.is_symlink());
/// # std::io::Result::Ok(())
/// ```
pub async fn symlink_metadata<P: AsRef<Path>>(path: P) -> Result<Metadata> {
    on_path("get the metadata of", path.as_ref(), |path| {
        path.symlink_metadata()
    })
    .await
}
