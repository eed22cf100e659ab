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
//! It ends with its input, after the replies, or when the server closes the connection, and says which.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use parklet::chat::ChatResult;
use parklet::chat::client::{self, End};
use parklet::io;
use parklet::net::TcpStream;
use parklet::task;

const USAGE: &str = "usage: chat_client [ADDRESS]   (127.0.0.1:8080 if none is given)
commands, one a line: join GROUP, post GROUP MESSAGE...";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os()
        .skip(1)
        .map(std::ffi::OsString::into_string);
    let address = match (arguments.next(), arguments.next()) {
        (None, None) => "127.0.0.1:8080".to_string(),
        (Some(Ok(help)), None) if help == "--help" || help == "-h" => {
            let _ = writeln!(std::io::stdout(), "{USAGE}");
            return ExitCode::SUCCESS;
        }
        (Some(Ok(address)), None) if !address.starts_with('-') => address,
        _ => {
            say(USAGE);
            return ExitCode::from(2);
        }
    };

    match task::block_on(talk(&address)) {
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

async fn talk(address: &str) -> ChatResult<End> {
    let server = TcpStream::connect(address).await?;
    if std::io::stdin().is_terminal() {
        say("join GROUP, post GROUP MESSAGE...; ctrl-D ends");
    }
    let commands = io::BufReader::new(io::stdin());
    client::run(server, commands, io::stdout(), say).await
}

/// Writes a line to the standard error, if anybody listens there.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
