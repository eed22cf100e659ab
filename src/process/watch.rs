//! A process, and how its end is noticed.

use crate::reactor::Async;
use crate::task::{self, SpawnBlocking};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid};
use std::io;
use std::os::fd::OwnedFd;
use std::process::{Child, ExitStatus};

/// A process that was started here, until its status has been fetched: then it leaves no trace.
#[derive(Debug)]
pub(super) struct Watched {
    /// std's handle, which remembers the status.
    child: Child,
    /// What tells of the end.
    end: End,
}

/// What tells of a process's end. The status is still to be fetched then, and until it is, the number is that process's.
#[derive(Debug)]
enum End {
    /// The process's descriptor.
    Descriptor(Async<OwnedFd>),
    /// Where the system has none, or has none to spare: a thread of the blocking pool that waits, and fetches nothing.
    Thread(SpawnBlocking<()>),
}

impl Watched {
    /// Begins to watch.
    pub(super) fn new(child: Child) -> Watched {
        let process = Pid::from_child(&child);
        let descriptor = pidfd_open(process, PidfdFlags::empty());
        let descriptor = descriptor.map_err(io::Error::from).and_then(Async::new);
        let end = match descriptor {
            Ok(descriptor) => End::Descriptor(descriptor),
            Err(_) => End::Thread(task::spawn_blocking(move || wait_for_end(process))),
        };
        Watched { child, end }
    }

    /// The process's number.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends the process; nothing if its status has been fetched.
    pub(super) fn kill(&mut self) -> io::Result<()> {
        self.child.kill()
    }

    /// The status, if the process has ended.
    pub(super) fn try_status(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Waits for the end and fetches the status.
    pub(super) async fn status(&mut self) -> io::Result<ExitStatus> {
        let Watched { child, end } = self;
        let mut fetch = || child.try_wait()?.ok_or(io::ErrorKind::WouldBlock.into());
        match end {
            // Not ended is the kernel's `WouldBlock`: the end makes the descriptor readable.
            End::Descriptor(descriptor) => descriptor.read_with(|_| fetch()).await,
            End::Thread(thread) => match fetch() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    thread.await;
                    fetch()
                }
                fetched => fetched,
            },
        }
    }
}

/// Blocks until the process has ended, and leaves the status where it is.
fn wait_for_end(process: Pid) {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    // Any other error is told by the call that fetches the status.
    while waitid(WaitId::Pid(process), options).is_err_and(|error| error == Errno::INTR) {}
}
