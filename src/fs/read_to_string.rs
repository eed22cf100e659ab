//! The text of a file.

use super::hop::on_path;
use crate::io::Result;
use std::path::Path;

/// Reads a whole file of UTF-8, in one hop to the pool.
///
/// # Errors
///
/// `cannot read file "PATH": CAUSE`, with the cause's kind: `NotFound`, `PermissionDenied`, `IsADirectory`, and
/// `InvalidData` if it is not UTF-8.
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
/// let text = parklet::task::block_on(fs::read_to_string("Cargo.toml"))?;
/// assert!(text.starts_with("[package]"));
/// # std::io::Result::Ok(())
/// ```
pub async fn read_to_string<P: AsRef<Path>>(path: P) -> Result<String> {
    on_path("read file", path.as_ref(), |path| {
        std::fs::read_to_string(path)
    })
    .await
}
