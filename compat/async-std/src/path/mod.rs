//! Paths: std's, with methods that ask the file system and do not block.
//!
//! # Examples
//!
//! ```
//! use async_std::path::Path;
//!
//! # async_std::task::block_on(async {
//! let path = Path::new("src").join("no such file");
//! assert_eq!(path.parent(), Some(Path::new("src")));
//! assert!(!path.exists().await);
//! # });
//! ```

mod compare;
mod convert;
mod iter;
#[allow(
    clippy::module_inception,
    reason = "the file is named after the type in it, like every other"
)]
mod path;
mod path_buf;

pub use iter::{Ancestors, Components, Iter};
pub use path::Path;
pub use path_buf::PathBuf;

pub use std::path::{
    Component, Display, MAIN_SEPARATOR, Prefix, PrefixComponent, StripPrefixError, is_separator,
};
