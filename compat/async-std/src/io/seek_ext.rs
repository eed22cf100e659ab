//! async-std's method on seekers.

use super::{Seek, SeekFrom};
use futures_lite::io::{AsyncSeekExt, SeekFuture};

/// Moving the cursor.
pub trait SeekExt: Seek {
    /// Moves the cursor, and gives its place from the start.
    fn seek(&mut self, pos: SeekFrom) -> SeekFuture<'_, Self>
    where
        Self: Unpin,
    {
        AsyncSeekExt::seek(self, pos)
    }
}

impl<S: Seek + ?Sized> SeekExt for S {}
