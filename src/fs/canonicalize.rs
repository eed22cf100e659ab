//! The one absolute path of a file.

use super::hop::on_path;
use crate::io::Result;
use std::path::{Path, PathBuf};

/// The absolute path of what is at `path`, without links and without `.` and `..`.
///
/// # Errors
///
/// `cannot canonicalize "PATH": CAUSE`, with the cause's kind: `NotFound` if there is nothing, `NotADirectory` if a part of
/// the path is a file.
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
/// let path = parklet::task::block_on(fs::canonicalize("src/../Cargo.toml"))?;
/// assert!(path.is_absolute() && path.ends_with("Cargo.toml"));
/// # std::io::Result::Ok(())
/// ```
pub async fn canonicalize<P: AsRef<Path>>(path: P) -> Result<PathBuf> {
    on_path("canonicalize", path.as_ref(), Path::canonicalize).await
}
