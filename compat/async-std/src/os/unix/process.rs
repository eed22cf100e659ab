//! What a command can do on unix.

use crate::io;
use crate::process::Command;
use std::ffi::OsStr;
use std::os::unix::process::CommandExt as _;

/// Methods on commands.
///
/// # Examples
///
/// ```
/// use async_std::os::unix::process::CommandExt;
/// use async_std::process::Command;
///
/// # async_std::task::block_on(async {
/// let mut shell = Command::new("sh");
/// let output = shell.arg0("shell").args(["-c", "echo $0"]).output().await.unwrap();
/// assert_eq!(output.stdout, b"shell\n");
/// # });
/// ```
pub trait CommandExt {
    /// Whose process it is going to be.
    fn uid(&mut self, id: u32) -> &mut Command;

    /// To which group it is going to belong.
    fn gid(&mut self, id: u32) -> &mut Command;

    /// Puts the program in the place of this one; what is returned is why that failed.
    fn exec(&mut self) -> io::Error;

    /// What the program finds as its own name.
    fn arg0<S: AsRef<OsStr>>(&mut self, arg: S) -> &mut Command;
}

impl CommandExt for Command {
    fn uid(&mut self, id: u32) -> &mut Command {
        self.as_std_mut().uid(id);
        self
    }

    fn gid(&mut self, id: u32) -> &mut Command {
        self.as_std_mut().gid(id);
        self
    }

    fn exec(&mut self) -> io::Error {
        self.as_std_mut().exec()
    }

    fn arg0<S: AsRef<OsStr>>(&mut self, arg: S) -> &mut Command {
        self.as_std_mut().arg0(arg);
        self
    }
}
