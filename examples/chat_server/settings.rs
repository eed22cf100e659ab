//! What an operator may set, one row a setting.
//!
//! A row is all there is to a setting: its name is the flag's, the key's in the file and, in capitals, the variable's.
//! Whoever adds one adds a field and a row.

use std::time::Duration;

use parklet::chat::protocol::MAX_LINE_LENGTH;

use crate::logs::{Format, Level};

/// The settings of one server.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The address to listen on.
    pub(crate) listen: String,
    /// The file with the certificate chain, if clients are to speak TLS.
    pub(crate) tls_cert: Option<String>,
    /// The file with the certificate's key.
    pub(crate) tls_key: Option<String>,
    /// The longest line taken from a client, in bytes.
    pub(crate) max_line: usize,
    /// How long clients may take to go when the server stops, and whenever it parts from one.
    pub(crate) drain: Duration,
    /// The address of the metrics page, if there is to be one.
    pub(crate) metrics: Option<String>,
    /// How much is logged.
    pub(crate) log_level: Level,
    /// The shape of the log's lines.
    pub(crate) log_format: Format,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            tls_cert: None,
            tls_key: None,
            max_line: MAX_LINE_LENGTH,
            drain: Duration::from_secs(2),
            metrics: None,
            log_level: Level::WARN,
            log_format: Format::Plain,
        }
    }
}

/// One setting.
pub(crate) struct Row {
    /// Its name, in words with dashes between them.
    pub(crate) name: &'static str,
    /// What the value is, in a word.
    pub(crate) value: &'static str,
    /// What it does, in a line.
    pub(crate) help: &'static str,
    /// Takes the value over, or says what was expected.
    pub(crate) set: fn(&mut Settings, &str) -> Result<(), String>,
    /// The value, as the file would have it.
    pub(crate) show: fn(&Settings) -> String,
}

/// All settings, in the order in which they are shown.
pub(crate) const ROWS: &[Row] = &[
    Row {
        name: "listen",
        value: "ADDRESS",
        help: "where clients come in, HOST:PORT; port 0 lets the system choose",
        set: |settings, text| {
            settings.listen = text.to_owned();
            Ok(())
        },
        show: |settings| quoted(Some(&settings.listen)),
    },
    Row {
        name: "tls-cert",
        value: "FILE",
        help: "makes clients speak TLS: the certificate and its chain, in PEM",
        set: |settings, text| {
            settings.tls_cert = text_or_none(text);
            Ok(())
        },
        show: |settings| quoted(settings.tls_cert.as_deref()),
    },
    Row {
        name: "tls-key",
        value: "FILE",
        help: "the certificate's private key, in PEM",
        set: |settings, text| {
            settings.tls_key = text_or_none(text);
            Ok(())
        },
        show: |settings| quoted(settings.tls_key.as_deref()),
    },
    Row {
        name: "max-line",
        value: "BYTES",
        help: "the longest line taken from a client",
        set: |settings, text| {
            settings.max_line = number(text, 256, 16 * 1024 * 1024, "bytes")?;
            Ok(())
        },
        show: |settings| settings.max_line.to_string(),
    },
    Row {
        name: "drain",
        value: "SECONDS",
        help: "how long clients may take to go when the server stops",
        set: |settings, text| {
            let seconds = text.parse().ok();
            let time = seconds
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
                .filter(|time| *time <= Duration::from_secs(3600));
            settings.drain = time.ok_or("expected a number of seconds from 0 to 3600")?;
            Ok(())
        },
        show: |settings| settings.drain.as_secs_f64().to_string(),
    },
    Row {
        name: "metrics",
        value: "ADDRESS",
        help: "where /metrics and /health are served; empty for nowhere",
        set: |settings, text| {
            settings.metrics = text_or_none(text);
            Ok(())
        },
        show: |settings| quoted(settings.metrics.as_deref()),
    },
    Row {
        name: "log-level",
        value: "LEVEL",
        help: "off, error, warn, info or debug",
        set: |settings, text| {
            settings.log_level = match text {
                "off" => Level::OFF,
                "error" => Level::ERROR,
                "warn" => Level::WARN,
                "info" => Level::INFO,
                "debug" => Level::DEBUG,
                _ => return Err("expected off, error, warn, info or debug".to_owned()),
            };
            Ok(())
        },
        show: |settings| format!("\"{}\"", settings.log_level),
    },
    Row {
        name: "log-format",
        value: "FORMAT",
        help: "plain; text, with time and level; or json",
        set: |settings, text| {
            settings.log_format = text.parse()?;
            Ok(())
        },
        show: |settings| format!("\"{}\"", settings.log_format),
    },
];

/// The row of this name.
pub(crate) fn row(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name == name)
}

impl Settings {
    /// The files that TLS needs, if there is to be TLS.
    ///
    /// # Errors
    ///
    /// One of them is missing.
    pub(crate) fn tls(&self) -> Result<Option<(&str, &str)>, String> {
        match (&self.tls_cert, &self.tls_key) {
            (Some(chain), Some(key)) => Ok(Some((chain, key))),
            (None, None) => Ok(None),
            (Some(_), None) => Err("tls-cert is set, but not tls-key".to_owned()),
            (None, Some(_)) => Err("tls-key is set, but not tls-cert".to_owned()),
        }
    }
}

/// A text that may be empty to say that there is none.
fn text_or_none(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

/// The same, as the file would have it.
fn quoted(text: Option<&str>) -> String {
    format!("{:?}", text.unwrap_or_default())
}

/// A whole number within limits.
fn number(text: &str, least: usize, most: usize, of: &str) -> Result<usize, String> {
    let number = text.parse().ok();
    number
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| format!("expected a number of {of} from {least} to {most}"))
}
