//! Symbolic links, and std's extension traits for files.

use crate::context::Context;
use crate::io;
use crate::path::Path;

pub use std::os::unix::fs::{DirBuilderExt, DirEntryExt, OpenOptionsExt};

/// Makes a symbolic link `dst` that leads to `src`.
///
/// # Errors
///
/// The system's, as it is.
pub async fn symlink<P: AsRef<Path>, Q: AsRef<Path>>(src: P, dst: Q) -> io::Result<()> {
    parklet::os::unix::fs::symlink(src.as_ref(), dst.as_ref())
        .await
        .bare()
}
