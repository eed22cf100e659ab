//! What the print macros call.

use super::{WriteExt, stderr, stdout};
use std::fmt;

#[doc(hidden)]
pub async fn _print(text: fmt::Arguments<'_>) {
    if let Err(error) = stdout().write_fmt(text).await {
        panic!("failed printing to stdout: {error}");
    }
}

#[doc(hidden)]
pub async fn _eprint(text: fmt::Arguments<'_>) {
    if let Err(error) = stderr().write_fmt(text).await {
        panic!("failed printing to stderr: {error}");
    }
}
