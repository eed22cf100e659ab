//! Being told to stop: ctrl-C, or SIGTERM, the signal with which a service is stopped.

use std::io;
use std::os::unix::net::UnixStream as Pipe;

use parklet::io::ReadExt;
use parklet::os::unix::net::UnixStream;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::pipe;

/// Waits for one of the signals. From here on neither ends the program by itself.
pub(crate) fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    // A signal handler may do next to nothing, but it may write a byte into a pipe; so a signal becomes input like any
    // other.
    let (read, write) = Pipe::pair()?;
    pipe::register(SIGINT, write.try_clone()?)?;
    pipe::register(SIGTERM, write)?;
    let mut signals = UnixStream::from(read);
    Ok(async move {
        let _ = signals.read(&mut [0]).await;
    })
}
