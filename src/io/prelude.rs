//! The traits of reading and writing, to be imported with `*`.
//!
//! ```
//! use parklet::io::prelude::*;
//!
//! parklet::task::block_on(async {
//!     let mut word = [0; 5];
//!     (&b"hello world"[..]).read_exact(&mut word).await?;
//!     assert_eq!(&word, b"hello");
//!     # std::io::Result::Ok(())
//! })?;
//! # std::io::Result::Ok(())
//! ```

#[doc(no_inline)]
pub use super::{
    BufRead, BufReadBoundedExt as _, BufReadExt as _, Read, ReadExt as _, Seek, SeekExt as _,
    Write, WriteExt as _, WriteFmtExt as _,
};
