//! The traits that people import with `*`.

#[doc(no_inline)]
pub use crate::future::FutureExt;
#[doc(no_inline)]
pub use crate::io::prelude::{
    BufRead as _, BufReadExt as _, Read as _, ReadExt as _, Seek as _, SeekExt as _, Write as _,
    WriteExt as _,
};
#[doc(no_inline)]
pub use crate::stream::{Stream, StreamExt};
#[cfg(feature = "default")]
#[doc(no_inline)]
pub use crate::task_local;
#[doc(no_inline)]
pub use std::future::Future;

#[cfg(feature = "unstable")]
#[doc(no_inline)]
pub use crate::stream::{DoubleEndedStream, ExactSizeStream};
