//! What only unix's file systems have.
//!
//! The methods that std adds there to options, entries and metadata are std's own traits: parklet's types implement
//! them.

use crate::fs::on_paths;
use crate::io::Result;
use std::path::Path;

#[doc(no_inline)]
pub use std::os::unix::fs::{
    DirBuilderExt, DirEntryExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt,
};

/// Creates a symbolic link at `link` that leads to `original`, which need not be there.
///
/// # Errors
///
/// `cannot link "ORIGINAL" to "LINK": CAUSE`, with the cause's kind: `AlreadyExists`, `NotFound` for the directory of the
/// link.
///
/// # Cancel safety
///
/// Once begun, it is done all the same.
///
/// # Examples
///
/// ```
/// use parklet::os::unix::fs::symlink;
///
/// # let folder = tempfile::tempdir()?;
/// let link = folder.path().join("link");
/// parklet::task::block_on(symlink("anywhere", &link))?;
/// assert_eq!(link.read_link()?.to_str(), Some("anywhere"));
/// # std::io::Result::Ok(())
/// ```
pub async fn symlink<P: AsRef<Path>, Q: AsRef<Path>>(original: P, link: Q) -> Result<()> {
    let symlink = |original: &Path, link: &Path| std::os::unix::fs::symlink(original, link);
    on_paths("link", original.as_ref(), link.as_ref(), symlink).await
}
