//! A chat server.
//!
//! ```text
//! $ cargo run --example chat_server
//! listening on 127.0.0.1:8080
//! ```
//!
//! It takes the address to listen on as its argument; port 0 lets the system choose one, and the line above says which.
//! `cargo run --example chat_client`, in as many other terminals as you like, talks to it. Ctrl-C ends it: everybody
//! still gets what was posted before, and the exit code is 0.

use std::io::{self, Write};
use std::os::unix::net::UnixStream as Pipe;
use std::process::ExitCode;
use std::time::Duration;

use parklet::chat::server;
use parklet::io::ReadExt;
use parklet::net::TcpListener;
use parklet::os::unix::net::UnixStream;
use parklet::task;
use rustix::net::sockopt::{set_socket_keepalive, set_tcp_keepidle};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use signal_hook::consts::{SIGINT, SIGTERM};

const USAGE: &str = "usage: chat_server [ADDRESS]   (127.0.0.1:8080 if none is given)";

/// Each client takes one descriptor. With fewer than this the operator is told how many clients there can be.
const FEW_DESCRIPTORS: u64 = 4096;

/// How long a client may be silent before it is asked. One whose machine lost its power or its network never says so,
/// and would stay a member for ever.
const SILENCE: Duration = Duration::from_secs(120);

fn main() -> ExitCode {
    let mut arguments = std::env::args_os()
        .skip(1)
        .map(std::ffi::OsString::into_string);
    let address = match (arguments.next(), arguments.next()) {
        (None, None) => "127.0.0.1:8080".to_string(),
        (Some(Ok(help)), None) if help == "--help" || help == "-h" => {
            let _ = writeln!(io::stdout(), "{USAGE}");
            return ExitCode::SUCCESS;
        }
        (Some(Ok(address)), None) if !address.starts_with('-') => address,
        _ => {
            say(USAGE);
            return ExitCode::from(2);
        }
    };

    raise_descriptor_limit();
    match task::block_on(serve(&address)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("chat_server: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn serve(address: &str) -> io::Result<()> {
    let stop = stop_signal()?;
    let listener = TcpListener::bind(address).await?;
    // The sockets of clients inherit this: the kernel asks a silent one whether it is still there.
    set_socket_keepalive(&listener, true)?;
    set_tcp_keepidle(&listener, SILENCE)?;
    let address = listener.local_addr()?;
    // A task of the pool, so that whoever accepts a client also serves it; and through the builder, which returns what
    // `task::spawn` would panic with: PARKLET_THREADS may be anything.
    let server = task::Builder::new()
        .name("chat server".into())
        .spawn(server::run(listener, stop))?;
    // Who started this may have closed our standard output, but has no reason to stop us so.
    let _ = writeln!(io::stdout(), "listening on {address}");
    server.await;
    Ok(())
}

/// Waits for ctrl-C, or for the signal with which a service is stopped. From here on neither ends the program by itself.
fn stop_signal() -> io::Result<impl Future> {
    // A signal handler may do next to nothing, but it may write a byte into a pipe; so a signal becomes input like any
    // other.
    let (read, write) = Pipe::pair()?;
    signal_hook::low_level::pipe::register(SIGINT, write.try_clone()?)?;
    signal_hook::low_level::pipe::register(SIGTERM, write)?;
    let mut signals = UnixStream::from(read);
    Ok(async move { signals.read(&mut [0]).await })
}

/// Takes as many descriptors as the system gives without asking an administrator.
fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let available = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    if let Some(descriptors) = available.filter(|available| *available < FEW_DESCRIPTORS) {
        say(&format!(
            "chat_server: only {descriptors} open files are allowed (see ulimit -Hn), and each client takes one"
        ));
    }
}

/// Writes a line to the standard error, if anybody listens there.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
