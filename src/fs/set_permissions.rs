//! Who may do what with a file.

use super::hop::on_path;
use crate::io::Result;
use std::fs::Permissions;
use std::path::Path;

/// Changes who may do what with the file at `path`, or with the one that a link there leads to.
///
/// # Errors
///
/// `cannot set the permissions of "PATH": CAUSE`, with the cause's kind: `NotFound`, and `PermissionDenied` if it is
/// somebody else's.
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
/// # let path = folder.path().join("sealed");
/// # std::fs::write(&path, "")?;
/// parklet::task::block_on(async {
///     let mut permissions = fs::metadata(&path).await?.permissions();
///     permissions.set_readonly(true);
///     fs::set_permissions(&path, permissions).await
/// })?;
/// assert!(std::fs::metadata(&path)?.permissions().readonly());
/// # std::io::Result::Ok(())
/// ```
pub async fn set_permissions<P: AsRef<Path>>(path: P, permissions: Permissions) -> Result<()> {
    let set = |path: &Path| std::fs::set_permissions(path, permissions);
    on_path("set the permissions of", path.as_ref(), set).await
}
