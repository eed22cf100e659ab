//! The chat's client, for people, for pipes and for scripts.
//!
//! On a terminal it has a line editor, and what comes stands above the line that is being typed:
//!
//! ```text
//! $ cargo run --example chat_client -- --name anna
//! connected to parklet 0.1.0 as anna; /help lists the commands
//! > /join rust
//! 12:01 anna: anybody here?
//! 12:02 ben: I am
//! rust> what are you
//! ```
//!
//! In a pipe, and with `--plain`, it speaks the book's protocol and nothing else:
//!
//! ```text
//! $ printf 'join rust\npost rust hello\n' | cargo run --example chat_client
//! message posted to rust: hello
//! chat_client: no more commands
//! ```
//!
//! With `--json` it is for scripts. `docs/CLIENT.md` describes all three.
//!
//! ```text
//!   terminal ──► editor, screen, commands, words, rooms, text
//!      │
//!      ▼
//!     link ◄──── json          the book's protocol in a pipe
//!      │                                 │
//!      ▼                                 ▼
//!     dial ──► tls         parklet::chat::client
//! ```

mod arguments;
mod commands;
mod dial;
mod editor;
mod json;
mod link;
mod rooms;
mod screen;
mod terminal;
mod text;
mod tls;
#[path = "../chat_server/tls_stream.rs"]
mod tls_stream;
mod words;

use std::error::Error;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use parklet::chat::client::{self, End};
use parklet::chat::server::ChatStream;
use parklet::io;
use parklet::net::TcpStream;
use parklet::task;

use arguments::{Command, Mode, Talk};
use dial::Dialer;
use terminal::End as Farewell;

/// What somebody at a terminal is told first with `--plain`.
const HINT: &str = "join GROUP, post GROUP MESSAGE...; ctrl-D ends";

fn main() -> ExitCode {
    let talk = match arguments::read(std::env::args_os()) {
        Ok(Command::Talk(talk)) => talk,
        Ok(Command::Say(text)) => {
            let _ = writeln!(std::io::stdout(), "{text}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            say(&format!("chat_client: {error}"));
            return ExitCode::from(2);
        }
    };

    match task::block_on(converse(talk)) {
        Ok(code) => code,
        Err(error) => {
            say(&format!("chat_client: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn converse(talk: Talk) -> Result<ExitCode, Box<dyn Error>> {
    let authorities = talk.authorities.as_deref();
    let connector = authorities.map(tls::connector).transpose()?;
    let address = talk.address;
    match talk.mode {
        Mode::Terminal {
            session,
            asks_password,
        } => {
            let dialer = Dialer { address, connector };
            return Ok(
                match terminal::talk(dialer, session, asks_password).await? {
                    Farewell::Quit => ExitCode::SUCCESS,
                    // As a shell says it of whom a signal has killed.
                    Farewell::Signal(signal) => {
                        ExitCode::from(128 + u8::try_from(signal).unwrap_or_default())
                    }
                },
            );
        }
        Mode::Json(session) => {
            json::talk(Dialer { address, connector }, session).await?;
            return Ok(ExitCode::SUCCESS);
        }
        Mode::Plain => {}
    }
    let server = TcpStream::connect(address.as_str()).await?;
    let end = match connector {
        None => chat(server).await?,
        Some(connector) => chat(tls::encrypt(&connector, &address, server).await?).await?,
    };
    match end {
        End::Server => say("chat_client: the server closed the connection"),
        End::Commands => say("chat_client: no more commands"),
        // Like any program whose reader has gone: silently.
        _ => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// The conversation of a pipe.
async fn chat(server: impl ChatStream) -> Result<End, Box<dyn Error>> {
    if std::io::stdin().is_terminal() {
        say(HINT);
    }
    let commands = io::BufReader::new(io::stdin());
    Ok(client::run(server, commands, io::stdout(), say).await?)
}

/// Writes a line to the standard error, if anybody listens there.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
