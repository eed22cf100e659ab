//! A file, written whole.

use super::hop::on_path;
use crate::io::Result;
use std::path::Path;

/// Writes a whole file, in one hop to the pool: it is created, or what was in it is gone. The bytes are copied, so that
/// they can go along.
///
/// # Errors
///
/// `cannot write file "PATH": CAUSE`, with the cause's kind: `NotFound` for the directory, `PermissionDenied`,
/// `IsADirectory`, `StorageFull`. Some of the bytes may have been written then.
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
/// let path = folder.path().join("greeting");
/// parklet::task::block_on(fs::write(&path, "hello"))?;
/// assert_eq!(std::fs::read(&path)?, b"hello");
/// # std::io::Result::Ok(())
/// ```
pub async fn write<P: AsRef<Path>, C: AsRef<[u8]>>(path: P, contents: C) -> Result<()> {
    let contents = contents.as_ref().to_owned();
    let write = |path: &Path| std::fs::write(path, contents);
    on_path("write file", path.as_ref(), write).await
}
