//! From a reader to a writer until the end: parklet's, with the signature of the feature.

use super::{Read, Result, Write};
use crate::context::Context;

/// Writes everything that `reader` gives to `writer`, flushes it, and gives the number of bytes.
///
/// With the feature `unstable` both are taken by value, which takes references too.
///
/// # Errors
///
/// The first one of the reader or the writer, under `io::copy failed`.
#[cfg(any(feature = "docs", not(feature = "unstable")))]
pub async fn copy<R, W>(reader: &mut R, writer: &mut W) -> Result<u64>
where
    R: Read + Unpin + ?Sized,
    W: Write + Unpin + ?Sized,
{
    parklet::io::copy(reader, writer)
        .await
        .context(|| "io::copy failed")
}

/// Writes everything that `reader` gives to `writer`, flushes it, and gives the number of bytes.
///
/// Without the feature `unstable` both are taken by reference.
///
/// # Errors
///
/// The first one of the reader or the writer, under `io::copy failed`.
#[cfg(all(feature = "unstable", not(feature = "docs")))]
pub async fn copy<R, W>(mut reader: R, mut writer: W) -> Result<u64>
where
    R: Read + Unpin,
    W: Write + Unpin,
{
    parklet::io::copy(&mut reader, &mut writer)
        .await
        .context(|| "io::copy failed")
}
