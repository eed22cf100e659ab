//! The traits that people import with `*`: futures, streams, readers and writers, and their methods.
//!
//! As `async_std::prelude`.
//!
//! # Examples
//!
//! ```
//! use parklet::prelude::*;
//! use parklet::{channel, task};
//! use std::time::Duration;
//!
//! task::block_on(async {
//!     let (sender, mut receiver) = channel::unbounded();
//!     sender.send("hello").await.unwrap();
//!     assert_eq!(receiver.next().timeout(Duration::from_secs(5)).await, Ok(Some("hello")));
//! });
//! ```

#[doc(no_inline)]
pub use crate::future::{Future, FutureExt};
#[doc(no_inline)]
pub use crate::io::prelude::*;
#[doc(no_inline)]
pub use crate::stream::{Stream, StreamExt};
#[doc(no_inline)]
pub use crate::task_local;
