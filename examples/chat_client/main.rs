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

mod arguments;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use parklet::chat::ChatResult;
use parklet::chat::client::{self, End};
use parklet::io;
use parklet::net::TcpStream;
use parklet::task;

use arguments::Command;

/// What somebody at a terminal is told first.
const HINT: &str = "join GROUP, post GROUP MESSAGE...; ctrl-D ends";

fn main() -> ExitCode {
    let address = match arguments::read(std::env::args_os()) {
        Ok(Command::Talk(address)) => address,
        Ok(Command::Say(text)) => {
            let _ = writeln!(std::io::stdout(), "{text}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            say(&format!("chat_client: {error}"));
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
        say(HINT);
    }
    let commands = io::BufReader::new(io::stdin());
    client::run(server, commands, io::stdout(), say).await
}

/// Writes a line to the standard error, if anybody listens there.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
