//! Other programs: parklet's, and std's functions on this one.
//!
//! # Examples
//!
//! ```
//! use async_std::process::Command;
//!
//! # async_std::task::block_on(async {
//! let output = Command::new("echo").arg("hello").output().await.unwrap();
//! assert_eq!(output.stdout, b"hello\n");
//! # });
//! ```

pub use parklet::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
pub use std::process::{ExitStatus, Output, Stdio, abort, exit, id};
