//! The terminal side of the chat.
//!
//! ```text
//! $ cargo run --example chat_client
//! join GROUP, post GROUP MESSAGE...; ctrl-D ends
//! join rust
//! post rust hello, everybody
//! message posted to rust: hello, everybody
//! ```
//!
//! It takes the server's address as its argument, and reads from a pipe as well:
//!
//! ```text
//! $ printf 'join rust\npost rust hello\n' | cargo run --example chat_client
//! message posted to rust: hello
//! chat_client: no more commands
//! ```
//!
//! With `--tls-ca FILE` it speaks TLS, and believes the server only if a certificate in FILE stands up for it.
//!
//! It ends with its input, after the replies, or when the server closes the connection, and says which.

mod arguments;
mod tls;
#[path = "../chat_server/tls_stream.rs"]
mod tls_stream;

use std::error::Error;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use parklet::chat::client::{self, End};
use parklet::chat::server::ChatStream;
use parklet::io;
use parklet::net::TcpStream;
use parklet::task;

use arguments::{Command, Talk};

/// What somebody at a terminal is told first.
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

    match task::block_on(converse(&talk)) {
        Ok(end) => {
            match end {
                End::Server => say("chat_client: the server closed the connection"),
                End::Commands => say("chat_client: no more commands"),
                // Like any program whose reader has gone: silently.
                _ => {}
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            say(&format!("chat_client: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn converse(talk: &Talk) -> Result<End, Box<dyn Error>> {
    let authorities = talk.authorities.as_deref();
    let connector = authorities.map(tls::connector).transpose()?;
    let server = TcpStream::connect(talk.address.as_str()).await?;
    match connector {
        None => chat(server).await,
        Some(connector) => chat(tls::encrypt(&connector, &talk.address, server).await?).await,
    }
}

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
