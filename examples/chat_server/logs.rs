//! What the server has to say besides its greeting, on the standard error: by level, and in one of three shapes.
//!
//! | `--log-format` | a line | for |
//! |---|---|---|
//! | `plain` | `chat_server: cannot accept clients for now: ..` | a terminal, or a journal that adds the rest |
//! | `text` | the time and the level before it | a file |
//! | `json` | `{"timestamp":"..","level":"WARN","message":".."}` | a program |
//!
//! Nothing that clients say to each other is ever logged, on any level.

use std::fmt;
use std::io;
use std::str::FromStr;

use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

pub(crate) use tracing::level_filters::LevelFilter as Level;

/// The shape of the lines.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Format {
    Plain,
    Text,
    Json,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "plain" => Ok(Self::Plain),
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("expected plain, text or json".to_owned()),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

/// From here on all events up to `level` are written.
pub(crate) fn start(level: Level, format: Format) {
    let lines = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(io::stderr)
        .with_target(false)
        // It would be said on the standard error that this cannot be written to, and that would panic.
        .log_internal_errors(false);
    match format {
        Format::Plain => lines.event_format(Plain).init(),
        Format::Text => lines.init(),
        Format::Json => lines.json().flatten_event(true).init(),
    }
}

/// Lines as other programs write them.
struct Plain;

impl<S, N> FormatEvent<S, N> for Plain
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut line: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        line.write_str("chat_server: ")?;
        context.format_fields(line.by_ref(), event)?;
        writeln!(line)
    }
}
