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
//!
//! `--help` lists its settings. What each file here is for:
//!
//! | file | |
//! |---|---|
//! | `settings.rs` | what can be set, a row each |
//! | `configuration.rs` | where that comes from: flags, variables, a file |
//! | `descriptors.rs` | how many clients there can be |
//! | `logs.rs` | what is said on the standard error |
//! | `clients.rs` | where clients come in |
//! | `files.rs` | what it reads from files, and reads again |
//! | `accounts.rs`, `names.rs` | who has an account, and which names are the same |
//! | `hash_password.rs` | makes a line for the file of accounts |
//! | `history.rs`, `history/` | messages that outlive the server: in memory, and on disk |
//! | `tls.rs`, `tls_stream.rs` | clients that come in encrypted, and the certificate they are shown |
//! | `traffic.rs` | who is connected, and how many bytes go over the wire |
//! | `metrics.rs` | the page that shows this |
//! | `signals.rs` | being told to stop, and to read files again |

mod accounts;
mod clients;
mod configuration;
mod descriptors;
mod files;
mod hash_password;
mod history;
mod logs;
mod metrics;
mod names;
mod settings;
mod signals;
mod tls;
mod tls_stream;
mod traffic;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use parklet::chat::server::Builder;
use parklet::net::ToSocketAddrs;
use parklet::task;

use clients::Clients;
use configuration::{Command, Configuration};
use files::Files;
use history::KeptOnDisk;
use metrics::Watched;
use settings::Settings;
use signals::Hangups;
use tls::EncryptedClients;

/// The exit code when what the operator said is wrong, as other programs have it.
const WRONG_USAGE: u8 = 2;

fn main() -> ExitCode {
    match configuration::read(std::env::args_os(), std::env::vars_os()) {
        Ok(Command::Help) => print(&configuration::help()),
        Ok(Command::Version) => print(concat!("chat_server ", env!("CARGO_PKG_VERSION"))),
        Ok(Command::HashPassword(name)) => {
            let line = hash_password::line(&name);
            // Unlike what the server says, this has to arrive.
            let written = line.and_then(|line| {
                let written = writeln!(io::stdout(), "{line}");
                written.map_err(|error| format!("cannot write the line: {error}"))
            });
            if let Err(problem) = written {
                say(&problem);
                return ExitCode::FAILURE;
            }
        }
        Ok(Command::CheckConfig(configuration)) => return check(&configuration),
        Ok(Command::Serve(configuration)) => return start(&configuration),
        Err(problems) => {
            for problem in problems {
                say(&problem);
            }
            return ExitCode::from(WRONG_USAGE);
        }
    }
    ExitCode::SUCCESS
}

/// Shows the settings, and whether the addresses and the files among them can be.
fn check(configuration: &Configuration) -> ExitCode {
    for remark in &configuration.remarks {
        say(remark);
    }
    print(configuration.to_toml().trim_end());
    let settings = &configuration.settings;
    let mut problems = Files::read(settings).err().unwrap_or_default();
    problems.extend(
        settings
            .history
            .as_deref()
            .and_then(|directory| history::check(directory).err()),
    );
    for address in [&settings.listen].into_iter().chain(&settings.metrics) {
        let resolved = task::block_on(address.as_str().to_socket_addrs());
        problems.extend(resolved.err().map(|error| error.to_string()));
    }
    for problem in &problems {
        say(problem);
    }
    if problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(WRONG_USAGE)
    }
}

fn start(configuration: &Configuration) -> ExitCode {
    let settings = &configuration.settings;
    logs::start(settings.log_level, settings.log_format);
    for remark in &configuration.remarks {
        tracing::warn!("{remark}");
    }
    let files = match Files::read(settings) {
        Ok(files) => files,
        Err(problems) => {
            for problem in problems {
                tracing::error!("{problem}");
            }
            return ExitCode::from(WRONG_USAGE);
        }
    };
    if let Some(few) = descriptors::raise_limit() {
        tracing::warn!("{few}");
    }
    match task::block_on(serve(settings, files)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(settings: &Settings, files: Files) -> io::Result<()> {
    let signal = signals::stop_signal()?;
    let hangups = Hangups::new()?;
    let watched = Arc::new(Watched::default());
    let clients = Clients::at(&settings.listen, watched.traffic.clone()).await?;
    let address = clients.address()?;
    let page = match &settings.metrics {
        Some(address) => Some(metrics::serve(address, &watched).await?),
        None => None,
    };
    let history = match &settings.history {
        Some(directory) => open_history(directory, settings, &watched).await,
        None => None,
    };
    tracing::info!("listening on {address}");
    let mut server = Builder::new()
        .limits(settings.limits.clone())
        .lag_policy(settings.lag)
        .farewell(settings.drain)
        .users(files.users())
        .metrics(watched.chat.clone())
        .log(|problem| tracing::warn!("{problem}"));
    if let Some(history) = &history {
        server = server.history(Arc::new(history.clone()));
    }
    let stop = async move {
        signal.await;
        watched.is_stopping.store(true, Ordering::Relaxed);
        tracing::info!("stopping; a second signal ends this at once");
    };
    // A task of the pool, so that whoever accepts a client also serves it; and through the builder, which returns what
    // `task::spawn` would panic with: PARKLET_THREADS may be anything.
    let pool = task::Builder::new().name("chat server".into());
    let reloading = reload_on_hangup(hangups, files.clone());
    task::Builder::new().spawn(reloading)?.detach();
    let server = match files.certificate {
        None => pool.spawn(server.run(clients, stop))?,
        Some(certificate) => {
            let clients = EncryptedClients {
                clients,
                certificate,
            };
            pool.spawn(server.run(clients, stop))?
        }
    };
    print(&format!("listening on {address}"));
    if let Some(page) = page {
        print(&format!("metrics on http://{page}/metrics"));
    }
    server.await;
    if let Some(history) = history {
        history.close().await;
    }
    tracing::info!("stopped");
    Ok(())
}

/// Where messages are kept. Without that the chat is better than no chat.
async fn open_history(
    directory: &str,
    settings: &Settings,
    watched: &Watched,
) -> Option<KeptOnDisk> {
    let history = match KeptOnDisk::open(directory, settings).await {
        Ok(history) => Some(history),
        Err(problem) => {
            tracing::error!(
                "{problem}; the chat goes on without history until it is started again"
            );
            None
        }
    };
    let _ = watched.history.set(history.clone());
    history
}

/// Reads the files again whenever that is asked for.
async fn reload_on_hangup(mut hangups: Hangups, files: Files) {
    while hangups.next().await.is_ok() {
        let files = files.clone();
        task::spawn_blocking(move || files.reload()).await;
    }
}

/// Writes a line to the standard output. Who started this may have closed it, but has no reason to stop us so.
fn print(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// Writes a line to the standard error, if anybody listens there.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "chat_server: {text}");
}
