//! What is known about a file.

use super::hop::on_path;
use crate::io::Result;
use std::fs::Metadata;
use std::path::Path;

/// What is known about the file at `path`, or about the one that a link there leads to: its kind, length, times, permissions.
///
/// # Errors
///
/// `cannot get the metadata of "PATH": CAUSE`, with the cause's kind, such as `NotFound`, also for a link that leads
/// nowhere.
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
/// let metadata = parklet::task::block_on(fs::metadata("Cargo.toml"))?;
/// assert!(metadata.is_file() && metadata.len() > 0);
/// # std::io::Result::Ok(())
/// ```
pub async fn metadata<P: AsRef<Path>>(path: P) -> Result<Metadata> {
    on_path("get the metadata of", path.as_ref(), Path::metadata).await
}
