//! What the command line of the client asks for.

use std::env::ArgsOs;

use lexopt::{Arg, Parser, ValueExt};

/// What `--help` says.
const HELP: &str = "usage: chat_client [ADDRESS]   (127.0.0.1:8080 if none is given)
commands, one a line: join GROUP, post GROUP MESSAGE...

  --tls-ca FILE  speak TLS, and trust whom the certificates in FILE stand up for
  -h, --help     this
  -V, --version  the version";

/// What is asked for.
pub(crate) enum Command {
    /// To talk to a server.
    Talk(Talk),
    /// To say something and end.
    Say(&'static str),
}

/// With whom to talk, and how.
pub(crate) struct Talk {
    /// The server's address.
    pub(crate) address: String,
    /// The file with the certificates to trust, if this is to be TLS.
    pub(crate) authorities: Option<String>,
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
    let mut authorities = None;
    while let Some(argument) = parser.next().map_err(problem)? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Say(HELP)),
            Arg::Short('V') | Arg::Long("version") => {
                return Ok(Command::Say(concat!(
                    "chat_client ",
                    env!("CARGO_PKG_VERSION")
                )));
            }
            Arg::Long("tls-ca") => {
                let file = parser.value().and_then(ValueExt::string);
                authorities = Some(file.map_err(problem)?);
            }
            Arg::Value(text) if address.is_none() => {
                address = Some(text.string().map_err(problem)?);
            }
            other => return Err(problem(other.unexpected())),
        }
    }
    Ok(Command::Talk(Talk {
        address: address.unwrap_or_else(|| "127.0.0.1:8080".to_owned()),
        authorities,
    }))
}
