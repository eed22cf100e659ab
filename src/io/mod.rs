//! Reading and writing, in std's names.
//!
//! [`Read`], [`Write`], [`BufRead`] and [`Seek`] *are* the traits of `futures-io`, and what hangs on them is
//! futures-lite's: whatever speaks those traits works here. Ours is what those lack:
//!
//! | here | what it adds |
//! |---|---|
//! | [`BufReadBoundedExt`] | lines with a maximum length, so that a peer cannot fill the memory |
//! | [`WriteFmtExt`] | `write!(stream, "..").await` |
//! | [`copy`], [`timeout`] | async-std's forms of both |
//! | [`stdin`], [`stdout`], [`stderr`] | the process's own streams, off the workers |
//!
//! # Cancel safety
//!
//! A future is *cancel safe* if dropping it before it is ready loses nothing: what a later call does is what it would
//! have done without the first one.
//!
//! | cancel safe | not: what may be lost |
//! |---|---|
//! | `read`, `write`, `flush`, `seek`, `fill_buf` | `read_exact`, `read_to_string`: bytes already taken |
//! | `next` on [`Lines`], [`Split`], [`LinesBounded`], [`SplitBounded`]: a partial line stays in the stream | `read_line`, `read_line_bounded`: the line read so far |
//! | `read_until`, `read_until_bounded`, `read_to_end`: what was read is in the caller's buffer | `write_all`, `write!`: how much was written is forgotten |
//! | [`Stdin::read_line`], `next` on [`StdinLines`] | [`copy`]: what was read and not yet written |
//!
//! The exception is `write` on a [`File`](crate::fs::File): dropped midway, it goes on by itself. To repeat it is safe; a
//! different one comes after it.
//!
//! futures-lite's `read_line` *replaces* the string it is given and wants it empty (std's appends); `read_line_bounded`
//! appends.
//!
//! # Examples
//!
//! ```
//! use parklet::io::{self, prelude::*};
//!
//! parklet::task::block_on(async {
//!     let mut input = io::BufReader::new(&b"first\nsecond\n"[..]);
//!     let mut line = String::new();
//!     input.read_line(&mut line).await?;
//!     assert_eq!(line, "first\n");
//!     # std::io::Result::Ok(())
//! })?;
//! # std::io::Result::Ok(())
//! ```

mod bounded;
mod copy;
mod explain;
pub mod prelude;
mod stdin;
mod stdout;
mod timeout;
mod write_fmt;

#[doc(no_inline)]
pub use std::io::{Error, ErrorKind, IoSlice, IoSliceMut, Result, SeekFrom};

pub use futures_io::{
    AsyncBufRead as BufRead, AsyncRead as Read, AsyncSeek as Seek, AsyncWrite as Write,
};
pub use futures_lite::io::{
    AsyncBufReadExt as BufReadExt, AsyncReadExt as ReadExt, AsyncSeekExt as SeekExt,
    AsyncWriteExt as WriteExt, BufReader, BufWriter, Bytes, Chain, Cursor, Empty, Lines, Repeat,
    Sink, Split, Take, empty, repeat, sink,
};

pub use bounded::{
    BufReadBoundedExt, LineTooLong, LinesBounded, ReadLineBounded, ReadUntilBounded, SplitBounded,
};
pub use copy::copy;
pub(crate) use explain::{Explain, explained};
pub use stdin::{Stdin, StdinLines, stdin};
pub use stdout::{Stderr, Stdout, stderr, stdout};
pub use timeout::timeout;
pub use write_fmt::{WriteFmt, WriteFmtExt};
