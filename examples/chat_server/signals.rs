//! Being told to stop: ctrl-C, or SIGTERM, the signal with which a service is stopped.
//!
//! The first one asks the server to end in good order; the second one, of either kind, ends the process at once, with
//! the exit code that a shell gives to whom that signal has killed. That is done in the signal handler itself, so it
//! works whatever the server is busy with; and by exiting, since the first process of a container is not killed by
//! signals.
//!
//! And being told to read its files again: SIGHUP. Where there are no such files, it does nothing.

use std::io;
use std::os::unix::net::UnixStream as Pipe;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use parklet::io::ReadExt;
use parklet::os::unix::net::UnixStream;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::low_level::pipe;

/// Waits for the first signal. From here on that one does not end the program by itself.
pub(crate) fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let has_come = Arc::new(AtomicBool::new(false));
    // A signal handler may do next to nothing, but it may write a byte into a pipe; so a signal becomes input like any
    // other.
    let (read, write) = Pipe::pair()?;
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal finds the flag down, and then puts it up.
        flag::register_conditional_shutdown(signal, 128 + signal, has_come.clone())?;
        flag::register(signal, has_come.clone())?;
        pipe::register(signal, write.try_clone()?)?;
    }
    let mut signals = UnixStream::from(read);
    Ok(async move {
        let _ = signals.read(&mut [0]).await;
    })
}

/// What SIGHUP brings. From here on it does not end the program, even if nobody waits for it or this is dropped.
pub(crate) struct Hangups(UnixStream);

impl Hangups {
    pub(crate) fn new() -> io::Result<Self> {
        let (read, write) = Pipe::pair()?;
        pipe::register(SIGHUP, write)?;
        Ok(Self(UnixStream::from(read)))
    }

    /// Waits for the next one. Several that come at once may be one.
    pub(crate) async fn next(&mut self) -> io::Result<()> {
        self.0.read(&mut [0; 16]).await.map(drop)
    }
}
