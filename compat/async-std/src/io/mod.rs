//! Reading and writing: the traits of futures-io, async-std's methods on them, parklet's standard streams.
//!
//! # Examples
//!
//! ```
//! use async_std::io::{self, prelude::*};
//!
//! # async_std::task::block_on(async {
//! let mut lines = io::BufReader::new(&b"first\nsecond\n"[..]).lines();
//! # use async_std::stream::StreamExt;
//! assert_eq!(lines.next().await.unwrap()?, "first");
//! # io::Result::Ok(()) }).unwrap();
//! ```

mod buf_read_ext;
mod buf_writer;
mod copy;
pub mod prelude;
mod read_ext;
mod seek_ext;
#[cfg(feature = "default")]
mod stdio;
#[cfg(feature = "default")]
mod timeout;
mod write_ext;

pub use buf_read_ext::BufReadExt;
pub use buf_writer::{BufWriter, IntoInnerError};
pub use copy::copy;
pub use read_ext::ReadExt;
pub use seek_ext::SeekExt;
pub use write_ext::WriteExt;

#[cfg(feature = "default")]
#[doc(hidden)]
pub use stdio::{_eprint, _print};
#[cfg(feature = "default")]
pub use timeout::timeout;

pub use futures_io::{
    AsyncBufRead as BufRead, AsyncRead as Read, AsyncSeek as Seek, AsyncWrite as Write,
};
pub use futures_lite::io::{
    BufReader, Bytes, Chain, Cursor, Empty, Lines, Repeat, Sink, Split, Take, empty, repeat, sink,
};
#[cfg(feature = "default")]
pub use parklet::io::{Stderr, Stdin, Stdout, stderr, stdin, stdout};
pub use std::io::{Error, ErrorKind, IoSlice, IoSliceMut, Result, SeekFrom};
