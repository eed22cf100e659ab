//! Other programs: starting them, talking to them, waiting for their end.
//!
//! ```text
//!   Command ──spawn──► Child: stdin, stdout, stderr ──► pipes.rs: ends of pipes, in the reactor
//!                        │ status, output, kill
//!                        ▼
//!                      watch.rs: a descriptor that is readable once the process has ended
//!                        │ dropped before that
//!                        ▼
//!                      a task that waits, so that no zombie stays
//! ```
//!
//! std's `Command` starts them; what is ours is that nobody blocks while they run. The end of a process is an event like any
//! other: Linux gives a descriptor for a process (`pidfd_open`), and the reactor waits for it. There is no thread and no
//! handler of SIGCHLD.
//!
//! The names and their meaning are async-std's, which are async-process's.
//!
//! # Examples
//!
//! ```
//! use parklet::process::Command;
//!
//! # parklet::task::block_on(async {
//! let output = Command::new("echo").arg("hello").output().await?;
//! assert!(output.status.success());
//! assert_eq!(output.stdout, b"hello\n");
//! # std::io::Result::Ok(())
//! # }).unwrap();
//! ```

mod child;
mod command;
mod pipes;
mod watch;

pub use self::child::Child;
pub use self::command::Command;
pub use self::pipes::{ChildStderr, ChildStdin, ChildStdout};
#[doc(no_inline)]
pub use std::process::{ExitStatus, Output, Stdio};
