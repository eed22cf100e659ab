//! What the command line of the client asks for.

use std::env::{self, ArgsOs};
use std::fs;
use std::io::{self, IsTerminal};

use lexopt::{Arg, Parser, ValueExt};
use parklet::chat::Secret;
use parklet::chat::session::Session;

/// What `--help` says.
const HELP: &str = "usage: chat_client [ADDRESS]   (127.0.0.1:8080 if none is given)
On a terminal it has a line editor, and /help. In a pipe its commands are join GROUP and post GROUP MESSAGE..., one a line.

  --name NAME    be known by this name, by default that of the user
  --login        ask for the password of the account first
  --password-file FILE  log in with the first line of this file; the variable CHAT_CLIENT_PASSWORD does the same
  --tls          speak TLS, and trust whom the system trusts
  --tls-ca FILE  speak TLS, and trust whom the certificates in FILE stand up for
  --json         speak JSON: requests come in as lines, and what the server says goes out
  --plain        be as in a pipe, on a terminal, too
  -h, --help     this
  -V, --version  the version

exit codes: 0 it was ended; 1 no connection, or a broken one; 2 wrong command line; 130, 143 ctrl-C, SIGTERM";

/// Where systems have the list of those who are trusted; the first that is there counts.
const TRUSTED_BY_SYSTEM: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Terminals that lines cannot be edited on.
const PLAIN_TERMINALS: [&str; 3] = ["dumb", "cons25", "emacs"];

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
    /// Who talks.
    pub(crate) mode: Mode,
}

/// Who talks.
pub(crate) enum Mode {
    /// A person, known by this name, who may want to log in first.
    Terminal {
        session: Session,
        asks_password: bool,
    },
    /// A script that speaks JSON.
    Json(Session),
    /// A pipe, in the book's protocol.
    Plain,
}

/// Reads the command line.
///
/// # Errors
///
/// What is wrong with it.
pub(crate) fn read(arguments: ArgsOs) -> Result<Command, String> {
    let mut parser = Parser::from_iter(arguments);
    let (mut address, mut authorities, mut name) = (None, None, None);
    let (mut is_json, mut is_plain, mut asks_password) = (false, false, false);
    let mut password = password_of_environment();
    while let Some(argument) = parser.next().map_err(problem)? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Say(HELP)),
            Arg::Short('V') | Arg::Long("version") => {
                return Ok(Command::Say(concat!(
                    "chat_client ",
                    env!("CARGO_PKG_VERSION")
                )));
            }
            Arg::Long("name") => name = Some(value(&mut parser)?),
            Arg::Long("login") => asks_password = true,
            Arg::Long("password-file") => password = Some(password_in(&value(&mut parser)?)?),
            Arg::Long("tls") => authorities = authorities.or(Some(trusted_by_system()?)),
            Arg::Long("tls-ca") => authorities = Some(value(&mut parser)?),
            Arg::Long("json") => is_json = true,
            Arg::Long("plain") => is_plain = true,
            Arg::Value(text) if address.is_none() => {
                address = Some(text.string().map_err(problem)?);
            }
            other => return Err(problem(other.unexpected())),
        }
    }
    if is_json && is_plain {
        return Err("--json and --plain exclude each other".to_owned());
    }
    let is_named = name.is_some();
    let mut session = Session::new(name.unwrap_or_else(user_name));
    session.set_token(password);
    let mode = if is_json && asks_password {
        return Err(
            "--login: a script has nobody to ask; --password-file FILE is for scripts".to_owned(),
        );
    } else if is_json {
        Mode::Json(session)
    } else if !is_plain && is_for_a_person() {
        Mode::Terminal {
            session,
            asks_password,
        }
    } else if is_named || asks_password {
        return Err(
            "--name, --login: in a pipe, and with --plain, clients have no names; --json has them"
                .to_owned(),
        );
    } else {
        Mode::Plain
    };
    Ok(Command::Talk(Talk {
        address: address.unwrap_or_else(|| "127.0.0.1:8080".to_owned()),
        authorities,
        mode,
    }))
}

/// What comes after a flag.
fn value(parser: &mut Parser) -> Result<String, String> {
    parser.value().and_then(ValueExt::string).map_err(problem)
}

fn problem(error: lexopt::Error) -> String {
    format!("{error}; --help lists what there is")
}

/// Whether somebody types and looks, on a terminal that lines can be edited on.
fn is_for_a_person() -> bool {
    let kind = env::var("TERM").unwrap_or_default();
    let is_plain = PLAIN_TERMINALS
        .iter()
        .any(|plain| kind.eq_ignore_ascii_case(plain));
    io::stdin().is_terminal() && io::stdout().is_terminal() && !is_plain
}

/// The list of those whom the system trusts.
fn trusted_by_system() -> Result<String, String> {
    let is_there = |file: &&&str| fs::exists(file).unwrap_or_default();
    match TRUSTED_BY_SYSTEM.iter().find(is_there) {
        Some(file) => Ok((*file).to_owned()),
        None => Err(
            "--tls: found no list of whom the system trusts; --tls-ca FILE names one".to_owned(),
        ),
    }
}

/// The password for scripts that keep it in a variable.
fn password_of_environment() -> Option<Secret> {
    let password = env::var("CHAT_CLIENT_PASSWORD").ok();
    password
        .filter(|password| !password.is_empty())
        .map(Secret::from)
}

/// The password for scripts that keep it in a file.
fn password_in(file: &str) -> Result<Secret, String> {
    let text =
        fs::read_to_string(file).map_err(|error| format!("--password-file {file}: {error}"))?;
    match text.lines().next() {
        Some(password) if !password.is_empty() => Ok(Secret::from(password)),
        _ => Err(format!("--password-file {file}: the first line is empty")),
    }
}

/// The name of who has logged in.
fn user_name() -> String {
    let names = ["USER", "LOGNAME"]
        .into_iter()
        .filter_map(|name| env::var(name).ok());
    let mut names = names.filter(|name| !name.trim().is_empty());
    names.next().unwrap_or_else(|| "guest".to_owned())
}
