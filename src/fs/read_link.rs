//! Where a link leads.

use super::hop::on_path;
use crate::io::Result;
use std::path::{Path, PathBuf};

/// The path in a symbolic link, as it was written there.
///
/// # Errors
///
/// `cannot read link "PATH": CAUSE`, with the cause's kind: `NotFound`, and `InvalidInput` if it is no link.
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
/// let leads_to = parklet::task::block_on(fs::read_link(&link))?;
/// assert_eq!(leads_to.to_str(), Some("nowhere"));
/// # std::io::Result::Ok(())
/// ```
pub async fn read_link<P: AsRef<Path>>(path: P) -> Result<PathBuf> {
    on_path("read link", path.as_ref(), Path::read_link).await
}
