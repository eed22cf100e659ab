//! All bytes of a file.

use super::hop::on_path;
use crate::io::Result;
use std::path::Path;

/// Reads a whole file, in one hop to the pool. [`File`](super::File) reads it piece by piece.
///
/// # Errors
///
/// `cannot read file "PATH": CAUSE`, with the cause's kind: `NotFound`, `PermissionDenied`, `IsADirectory`.
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
/// let bytes = parklet::task::block_on(fs::read("Cargo.toml"))?;
/// assert!(bytes.starts_with(b"[package]"));
/// # std::io::Result::Ok(())
/// ```
pub async fn read<P: AsRef<Path>>(path: P) -> Result<Vec<u8>> {
    on_path("read file", path.as_ref(), |path| std::fs::read(path)).await
}
