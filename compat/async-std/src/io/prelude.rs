//! The traits of readers and writers, to import with `*`.

#[doc(no_inline)]
pub use super::{BufRead, BufReadExt, Read, ReadExt, Seek, SeekExt, Write, WriteExt};
