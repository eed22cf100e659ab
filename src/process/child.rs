//! A process that was started here.

use super::watch::Watched;
use super::{ChildStderr, ChildStdin, ChildStdout, ExitStatus, Output};
use crate::future::try_join;
use crate::io::{Read, ReadExt};
use crate::task::Builder;
use std::io;

/// A process that was started here; made by [`Command::spawn`](super::Command::spawn).
///
/// Dropping it lets the process go on, unless [`kill_on_drop`](super::Command::kill_on_drop) was said. Either way no zombie
/// stays: a task of the runtime waits for the end of what was dropped before it.
///
/// # Examples
///
/// ```
/// use parklet::io::prelude::*;
/// use parklet::process::{Command, Stdio};
///
/// # parklet::task::block_on(async {
/// let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
/// let mut stdin = child.stdin.take().unwrap();
/// let stdout = child.stdout.take().unwrap();
///
/// stdin.write_all(b"hello\n").await?;
/// let mut lines = parklet::io::BufReader::new(stdout).lines();
/// assert_eq!(lines.next().await.unwrap()?, "hello");
///
/// drop(stdin);
/// assert!(child.status().await?.success());
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// # use parklet::stream::StreamExt;
/// ```
#[derive(Debug)]
pub struct Child {
    /// What it reads, if that was [piped](super::Stdio::piped).
    pub stdin: Option<ChildStdin>,
    /// What it writes, if that was [piped](super::Stdio::piped).
    pub stdout: Option<ChildStdout>,
    /// What it writes of its troubles, if that was [piped](super::Stdio::piped).
    pub stderr: Option<ChildStderr>,
    /// The process.
    process: Process,
}

impl Child {
    /// Takes over a process that has just been started. If its pipes cannot be, it is ended.
    pub(super) fn new(mut child: std::process::Child, kill_on_drop: bool) -> io::Result<Child> {
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let mut process = Process {
            watched: Some(Watched::new(child)),
            kill_on_drop: true,
        };
        let (stdin, stdout, stderr) = (
            stdin.map(ChildStdin::new).transpose()?,
            stdout.map(ChildStdout::new).transpose()?,
            stderr.map(ChildStderr::new).transpose()?,
        );
        process.kill_on_drop = kill_on_drop;
        Ok(Child {
            stdin,
            stdout,
            stderr,
            process,
        })
    }

    /// The number the system knows the process by.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::process::Command;
    /// # parklet::task::block_on(async {
    /// let mut child = Command::new("true").spawn()?;
    /// println!("process {}", child.id());
    /// # child.status().await?;
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn id(&self) -> u32 {
        self.process.watched().id()
    }

    /// Ends the process at once (SIGKILL), and does not wait for the end. If its status has been fetched, does nothing.
    ///
    /// # Errors
    ///
    /// The system's, as where the process has another owner by now.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::process::Command;
    /// # parklet::task::block_on(async {
    /// let mut child = Command::new("sleep").arg("60").spawn()?;
    /// child.kill()?;
    /// assert!(!child.status().await?.success());
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn kill(&mut self) -> io::Result<()> {
        self.process.watched_mut().kill()
    }

    /// How the process ended, if it has.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::process::{Command, Stdio};
    /// # parklet::task::block_on(async {
    /// let mut child = Command::new("cat").stdin(Stdio::piped()).spawn()?;
    /// assert_eq!(child.try_status()?, None);
    /// # child.status().await?;
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn try_status(&mut self) -> io::Result<Option<ExitStatus>> {
        self.process.watched_mut().try_status()
    }

    /// Waits for the end of the process.
    ///
    /// Its standard input is closed first, if it is here still: many programs end when that does, and none of them would if
    /// both sides waited.
    ///
    /// # Errors
    ///
    /// The system's: `No child processes` where the program ignores SIGCHLD, so that the system keeps no status.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the process goes on, and the status is kept for the next call. The standard input stays closed.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::process::Command;
    /// # parklet::task::block_on(async {
    /// let mut child = Command::new("false").spawn()?;
    /// assert_eq!(child.status().await?.code(), Some(1));
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub async fn status(&mut self) -> io::Result<ExitStatus> {
        self.stdin = None;
        self.process.watched_mut().status().await
    }

    /// Waits for the end of the process, and gathers meanwhile what it writes to the pipes that are here. Both are read at
    /// once, however much comes of one of them.
    ///
    /// Its standard input is closed first, if it is here still.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Cancel safety
    ///
    /// Dropped midway, it drops the child, and what was read so far is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::process::{Command, Stdio};
    /// # parklet::task::block_on(async {
    /// let child = Command::new("echo").arg("hello").stdout(Stdio::piped()).spawn()?;
    /// assert_eq!(child.output().await?.stdout, b"hello\n");
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub async fn output(mut self) -> io::Result<Output> {
        let (stdout, stderr) = (self.stdout.take(), self.stderr.take());
        let outputs = try_join(read_whole(stdout), read_whole(stderr));
        let (status, (stdout, stderr)) = try_join(self.status(), outputs).await?;
        Ok(Output {
            status,
            stdout,
            stderr,
        })
    }
}

/// All that comes from a pipe, if there is one.
async fn read_whole(pipe: Option<impl Read + Unpin>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        pipe.read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

/// A process, and what becomes of it when nobody waits for it any more.
#[derive(Debug)]
struct Process {
    /// There until it is dropped.
    watched: Option<Watched>,
    /// Whether it is to end then.
    kill_on_drop: bool,
}

impl Process {
    fn watched(&self) -> &Watched {
        self.watched.as_ref().expect(THERE_UNTIL_DROPPED)
    }

    fn watched_mut(&mut self) -> &mut Watched {
        self.watched.as_mut().expect(THERE_UNTIL_DROPPED)
    }
}

/// Why a process is there.
const THERE_UNTIL_DROPPED: &str = "a process is watched until it is dropped";

impl Drop for Process {
    fn drop(&mut self) {
        let Some(mut watched) = self.watched.take() else {
            return;
        };
        if self.kill_on_drop {
            // It may have ended, and then there is nothing to do.
            let _ = watched.kill();
        }
        if let Ok(None) = watched.try_status() {
            let reap = async move { watched.status().await.map(drop) };
            // If there is no thread to be had for the pool, the zombie stays until this process ends.
            let _ = Builder::new().spawn(reap);
        }
    }
}
