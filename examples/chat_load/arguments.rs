//! What the command line asks for.

use std::env::ArgsOs;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt};

/// What `--help` says.
const HELP: &str = "usage: chat_load [ADDRESS] [OPTIONS]   (a server of its own if no address is given)

  --clients N     members, each in one group (100)
  --groups N      groups (10)
  --rate N        posts in a second, by all together, or max: as many as are received (1000)
  --duration S    seconds of posting (10)
  --size BYTES    of a message, 48 at least (64)
  --slow N        so many of the clients read nothing until the end (0)
  --churn N       more clients in a second that come, join, post, receive and go (0)
  --base          speak the book's protocol; without it clients say Hello and check the ids, too
  --svg FILE      draw how long deliveries took
  -h, --help      this
  -V, --version   the version

exit code: 0 if each member got each message once and in order, or was told of those dropped; 1 if not; 2 for wrong options";

/// The shortest message that has room for its sender, number and time.
const MIN_SIZE: usize = 48;

/// What is asked for.
pub(crate) enum Command {
    Load(Plan),
    /// To say something and end.
    Say(&'static str),
}

/// How fast to post.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rate {
    /// So many posts in a second, by all together.
    PerSecond(f64),
    /// Each sender posts when it has received what it posted before.
    Max,
}

/// The load.
pub(crate) struct Plan {
    /// The server's, if it is not to be one of our own.
    pub(crate) address: Option<String>,
    pub(crate) clients: usize,
    pub(crate) groups: usize,
    pub(crate) rate: Rate,
    pub(crate) duration: Duration,
    /// Bytes of a message.
    pub(crate) size: usize,
    /// So many of the clients read nothing until the end.
    pub(crate) slow: usize,
    /// So many clients more come and go in a second.
    pub(crate) churn: f64,
    /// Whether to speak the book's protocol.
    pub(crate) base: bool,
    /// Where to draw.
    pub(crate) svg: Option<PathBuf>,
}

/// Reads the command line.
///
/// # Errors
///
/// What is wrong with it.
pub(crate) fn read(arguments: ArgsOs) -> Result<Command, String> {
    let mut parser = Parser::from_iter(arguments);
    let mut plan = Plan {
        address: None,
        clients: 100,
        groups: 10,
        rate: Rate::PerSecond(1000.0),
        duration: Duration::from_secs(10),
        size: 64,
        slow: 0,
        churn: 0.0,
        base: false,
        svg: None,
    };
    while let Some(argument) = parser.next().map_err(|error| problem(&error))? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Say(HELP)),
            Arg::Short('V') | Arg::Long("version") => {
                return Ok(Command::Say(concat!(
                    "chat_load ",
                    env!("CARGO_PKG_VERSION")
                )));
            }
            Arg::Long("clients") => plan.clients = number(&mut parser, "--clients", 1)?,
            Arg::Long("groups") => plan.groups = number(&mut parser, "--groups", 1)?,
            Arg::Long("size") => plan.size = number(&mut parser, "--size", MIN_SIZE)?,
            Arg::Long("slow") => plan.slow = number(&mut parser, "--slow", 0)?,
            Arg::Long("churn") => plan.churn = number(&mut parser, "--churn", 0.0)?,
            Arg::Long("duration") => {
                let seconds = number(&mut parser, "--duration", 0.0)?;
                plan.duration = Duration::try_from_secs_f64(seconds)
                    .map_err(|error| format!("--duration: {error}"))?;
            }
            Arg::Long("rate") => {
                let text = value(&mut parser)?;
                plan.rate = match text.as_str() {
                    "max" => Rate::Max,
                    _ => Rate::PerSecond(parse(&text, "--rate", 0.0)?),
                };
            }
            Arg::Long("base") => plan.base = true,
            Arg::Long("svg") => plan.svg = Some(value(&mut parser)?.into()),
            Arg::Value(text) if plan.address.is_none() => {
                plan.address = Some(text.string().map_err(|error| problem(&error))?);
            }
            other => return Err(problem(&other.unexpected())),
        }
    }
    plan.groups = plan.groups.min(plan.clients);
    if plan.slow >= plan.clients {
        return Err("--slow: somebody has to post, so there are fewer than --clients".to_owned());
    }
    Ok(Command::Load(plan))
}

fn problem(error: &lexopt::Error) -> String {
    format!("{error}; --help lists what there is")
}

fn value(parser: &mut Parser) -> Result<String, String> {
    let value = parser.value().and_then(ValueExt::string);
    value.map_err(|error| problem(&error))
}

/// The number that comes next, which is to be at least so much.
fn number<T: FromStr + PartialOrd + std::fmt::Display>(
    parser: &mut Parser,
    option: &str,
    least: T,
) -> Result<T, String> {
    parse(&value(parser)?, option, least)
}

fn parse<T: FromStr + PartialOrd + std::fmt::Display>(
    text: &str,
    option: &str,
    least: T,
) -> Result<T, String> {
    match text.parse() {
        Ok(number) if number >= least => Ok(number),
        _ => Err(format!(
            "{option}: expected a number from {least}, found {text:?}"
        )),
    }
}
