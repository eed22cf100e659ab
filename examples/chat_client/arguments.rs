//! What the command line of the client asks for.

use std::env::ArgsOs;

use lexopt::{Arg, Parser, ValueExt};

/// What `--help` says.
const HELP: &str = "usage: chat_client [ADDRESS]   (127.0.0.1:8080 if none is given)
commands, one a line: join GROUP, post GROUP MESSAGE...

  -h, --help     this
  -V, --version  the version";

/// What is asked for.
pub(crate) enum Command {
    /// To talk to the server at this address.
    Talk(String),
    /// To say something and end.
    Say(&'static str),
}

/// Reads the command line.
///
/// # Errors
///
/// What is wrong with it.
pub(crate) fn read(arguments: ArgsOs) -> Result<Command, String> {
    let problem = |error: lexopt::Error| format!("{error}; --help lists what there is");
    let mut parser = Parser::from_iter(arguments);
    let mut address = None;
    while let Some(argument) = parser.next().map_err(problem)? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Say(HELP)),
            Arg::Short('V') | Arg::Long("version") => {
                return Ok(Command::Say(concat!(
                    "chat_client ",
                    env!("CARGO_PKG_VERSION")
                )));
            }
            Arg::Value(text) if address.is_none() => {
                address = Some(text.string().map_err(problem)?);
            }
            other => return Err(problem(other.unexpected())),
        }
    }
    Ok(Command::Talk(
        address.unwrap_or_else(|| "127.0.0.1:8080".to_owned()),
    ))
}
