//! What an operator may set, one row a setting.
//!
//! A row is all there is to a setting: its name is the flag's, the key's in the file and, in capitals, the variable's.
//! Whoever adds one adds a field and a row.

use std::time::Duration;

use parklet::chat::{LagPolicy, Limits};

use crate::logs::{Format, Level};

/// The settings of one server.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The address to listen on.
    pub(crate) listen: String,
    /// The file with the certificate chain, if clients are to speak TLS.
    pub(crate) tls_cert: Option<String>,
    /// The file with the certificate's key.
    pub(crate) tls_key: Option<String>,
    /// The file with the accounts, if clients need one.
    pub(crate) users: Option<String>,
    /// Whether who has no account may come in, too.
    pub(crate) allow_guests: bool,
    /// How much clients may ask for.
    pub(crate) limits: Limits,
    /// What happens to those who fall behind.
    pub(crate) lag: LagPolicy,
    /// The directory in which messages are kept, if they are.
    pub(crate) history: Option<String>,
    /// Of how many groups.
    pub(crate) history_groups: usize,
    /// How many bytes may wait to be written.
    pub(crate) history_queue: usize,
    /// How long they wait.
    pub(crate) history_flush: Duration,
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
            users: None,
            allow_guests: false,
            limits: Limits::default(),
            lag: LagPolicy::default(),
            history: None,
            history_groups: 10_000,
            history_queue: 16 * 1024 * 1024,
            history_flush: Duration::from_millis(200),
            drain: Duration::from_secs(2),
            metrics: None,
            log_level: Level::WARN,
            log_format: Format::Plain,
        }
    }
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

    /// The file with the accounts, if clients need one.
    ///
    /// # Errors
    ///
    /// Guests are allowed where nobody is anything else.
    pub(crate) fn accounts(&self) -> Result<Option<&str>, String> {
        match &self.users {
            None if self.allow_guests => Err("allow-guests is set, but not users".to_owned()),
            file => Ok(file.as_deref()),
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
    kind: Kind,
}

/// From a text to a field and back.
enum Kind {
    /// A text that may be empty, to say that there is none.
    Text(fn(&mut Settings) -> &mut Option<String>),
    /// Yes or no; the flag alone says yes.
    Switch(fn(&mut Settings) -> &mut bool),
    /// A whole number from the first to the second.
    Number(usize, usize, fn(&mut Settings) -> &mut usize),
    /// The same, where the field is a smaller one.
    Small(u32, u32, fn(&mut Settings) -> &mut u32),
    /// Seconds, and parts of them, from the first to the second.
    Seconds(u64, u64, fn(&mut Settings) -> &mut Duration),
    /// Anything else: what takes a text over, or says what was expected; and what shows the value as the file would have
    /// it.
    Other(
        fn(&mut Settings, &str) -> Result<(), String>,
        fn(&Settings) -> String,
    ),
}

impl Row {
    const fn new(name: &'static str, value: &'static str, help: &'static str, kind: Kind) -> Self {
        Self {
            name,
            value,
            help,
            kind,
        }
    }

    /// Takes a value over.
    ///
    /// # Errors
    ///
    /// What was expected.
    pub(crate) fn set(&self, settings: &mut Settings, text: &str) -> Result<(), String> {
        match self.kind {
            Kind::Text(field) => {
                *field(settings) = Some(text.to_owned()).filter(|text| !text.is_empty());
            }
            Kind::Switch(field) => {
                let is_on = text.parse();
                *field(settings) = is_on.map_err(|_| "expected true or false")?;
            }
            Kind::Number(least, most, field) => {
                let number = text.parse().ok();
                let number = number.filter(|number| (least..=most).contains(number));
                *field(settings) = number.ok_or_else(|| self.expected(least, most))?;
            }
            Kind::Small(least, most, field) => {
                let number = text.parse().ok();
                let number = number.filter(|number| (least..=most).contains(number));
                *field(settings) = number.ok_or_else(|| self.expected(least, most))?;
            }
            Kind::Seconds(least, most, field) => {
                let limits = Duration::from_secs(least)..=Duration::from_secs(most);
                let time = text.parse().ok();
                let time = time.and_then(|time| Duration::try_from_secs_f64(time).ok());
                let time = time.filter(|time| limits.contains(time));
                *field(settings) = time.ok_or_else(|| self.expected(least, most))?;
            }
            Kind::Other(set, _) => set(settings, text)?,
        }
        Ok(())
    }

    /// The value, as the file would have it.
    pub(crate) fn show(&self, settings: &Settings) -> String {
        // A field can only be reached to be changed, so this looks at a copy.
        let mut copy = settings.clone();
        match self.kind {
            Kind::Text(field) => quoted(field(&mut copy).as_deref().unwrap_or_default()),
            Kind::Switch(field) => field(&mut copy).to_string(),
            Kind::Number(_, _, field) => field(&mut copy).to_string(),
            Kind::Small(_, _, field) => field(&mut copy).to_string(),
            Kind::Seconds(_, _, field) => field(&mut copy).as_secs_f64().to_string(),
            Kind::Other(_, show) => show(settings),
        }
    }

    /// Whether the flag needs no value.
    pub(crate) fn is_switch(&self) -> bool {
        matches!(self.kind, Kind::Switch(_))
    }

    fn expected<T: std::fmt::Display>(&self, least: T, most: T) -> String {
        let of = self.value.to_lowercase();
        format!("expected a number of {of} from {least} to {most}")
    }
}

/// The row of this name.
pub(crate) fn row(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name == name)
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

/// More than any machine serves, so that nothing that is set overflows anything.
const MANY: usize = 10_000_000;

/// A time after which nobody asks, in seconds.
const A_CENTURY: u64 = 100 * 366 * 86_400;

/// The longest line that can be set: it is kept in memory.
const LONGEST_LINE: usize = 16 * 1024 * 1024;

/// All settings, in the order in which they are shown.
pub(crate) const ROWS: &[Row] = &[
    Row::new(
        "listen",
        "ADDRESS",
        "where clients come in, HOST:PORT; port 0 lets the system choose",
        Kind::Other(
            |settings, text| {
                settings.listen = text.to_owned();
                Ok(())
            },
            |settings| quoted(&settings.listen),
        ),
    ),
    Row::new(
        "tls-cert",
        "FILE",
        "makes clients speak TLS: the certificate and its chain, in PEM",
        Kind::Text(|settings| &mut settings.tls_cert),
    ),
    Row::new(
        "tls-key",
        "FILE",
        "the certificate's private key, in PEM",
        Kind::Text(|settings| &mut settings.tls_key),
    ),
    Row::new(
        "users",
        "FILE",
        "makes clients prove who they are: accounts, a line each, name:hash",
        Kind::Text(|settings| &mut settings.users),
    ),
    Row::new(
        "allow-guests",
        "",
        "lets in clients without an account, too, under names of its choice",
        Kind::Switch(|settings| &mut settings.allow_guests),
    ),
    Row::new(
        "max-line",
        "BYTES",
        "the longest line taken from a client",
        Kind::Number(256, LONGEST_LINE, |settings| {
            &mut settings.limits.line_length
        }),
    ),
    Row::new(
        "max-message",
        "BYTES",
        "the longest message",
        Kind::Number(1, LONGEST_LINE, |settings| {
            &mut settings.limits.message_length
        }),
    ),
    Row::new(
        "max-name",
        "BYTES",
        "the longest name of a client",
        Kind::Number(1, 1024, |settings| &mut settings.limits.name_length),
    ),
    Row::new(
        "max-group-name",
        "BYTES",
        "the longest name of a group",
        Kind::Number(1, 64 * 1024, |settings| &mut settings.limits.group_length),
    ),
    Row::new(
        "groups-per-client",
        "GROUPS",
        "how many groups a client can be in",
        Kind::Number(1, MANY, |settings| &mut settings.limits.groups_per_client),
    ),
    Row::new(
        "invitations-per-group",
        "CLIENTS",
        "how many can be invited to a private group",
        Kind::Number(1, 10_000, |settings| {
            &mut settings.limits.invitations_per_group
        }),
    ),
    Row::new(
        "max-clients",
        "CLIENTS",
        "how many clients there can be",
        Kind::Number(1, MANY, |settings| &mut settings.limits.clients),
    ),
    Row::new(
        "clients-per-address",
        "CLIENTS",
        "how many of them can have the same IP address",
        Kind::Number(1, MANY, |settings| &mut settings.limits.clients_per_address),
    ),
    Row::new(
        "posts-per-second",
        "POSTS",
        "how many messages a client can post in a second; 0 for any number",
        Kind::Other(
            |settings, text| {
                let posts = text.parse().ok().filter(|posts| *posts <= 1_000_000);
                let posts = posts.ok_or("expected a number of posts from 0 to 1000000")?;
                settings.limits.posts_per_second = Some(posts).filter(|posts| *posts > 0);
                Ok(())
            },
            |settings| {
                let posts = settings.limits.posts_per_second;
                posts.unwrap_or_default().to_string()
            },
        ),
    ),
    Row::new(
        "posts-burst",
        "POSTS",
        "how many of these can come at once, after a while without",
        Kind::Small(1, 1_000_000, |settings| &mut settings.limits.posts_burst),
    ),
    Row::new(
        "failed-logins",
        "LOGINS",
        "how many can fail at once from one address; with one name ten times that",
        Kind::Small(1, 1_000_000, |settings| &mut settings.limits.failed_logins),
    ),
    Row::new(
        "failed-logins-per-minute",
        "LOGINS",
        "how many more can fail in each minute after that",
        Kind::Small(1, 1_000_000, |settings| {
            &mut settings.limits.failed_logins_per_minute
        }),
    ),
    Row::new(
        "outbox-messages",
        "MESSAGES",
        "how many a group keeps for members who have not read them yet",
        Kind::Number(1, MANY, |settings| &mut settings.limits.outbox_messages),
    ),
    Row::new(
        "outbox-bytes",
        "BYTES",
        "how many are prepared for a client that does not take them",
        Kind::Number(1024, 1024 * 1024 * 1024, |settings| {
            &mut settings.limits.outbox_bytes
        }),
    ),
    Row::new(
        "lag",
        "POLICY",
        "what happens to a member who falls behind: skip or disconnect",
        Kind::Other(
            |settings, text| {
                settings.lag = match text {
                    "skip" => LagPolicy::Skip,
                    "disconnect" => LagPolicy::Disconnect,
                    _ => return Err("expected skip or disconnect".to_owned()),
                };
                Ok(())
            },
            |settings| quoted(&format!("{:?}", settings.lag).to_lowercase()),
        ),
    ),
    Row::new(
        "first-line",
        "SECONDS",
        "how long a client can take to say its first line",
        Kind::Seconds(1, 86_400, |settings| &mut settings.limits.first_line),
    ),
    Row::new(
        "ping-after",
        "SECONDS",
        "after which silence a client that said Hello is asked for a sign",
        Kind::Seconds(1, 86_400, |settings| &mut settings.limits.ping_after),
    ),
    Row::new(
        "history",
        "DIR",
        "the directory in which messages are kept; empty for nowhere",
        Kind::Text(|settings| &mut settings.history),
    ),
    Row::new(
        "history-messages",
        "MESSAGES",
        "how many are kept of a group",
        Kind::Number(1, MANY, |settings| &mut settings.limits.history_messages),
    ),
    Row::new(
        "history-age",
        "SECONDS",
        "how long a message is kept",
        Kind::Seconds(1, A_CENTURY, |settings| &mut settings.limits.history_age),
    ),
    Row::new(
        "history-groups",
        "GROUPS",
        "of how many groups messages are kept",
        Kind::Number(1, MANY, |settings| &mut settings.history_groups),
    ),
    Row::new(
        "history-queue",
        "BYTES",
        "how many may wait to be written; with more, messages are not kept",
        Kind::Number(64 * 1024, 1024 * 1024 * 1024, |settings| {
            &mut settings.history_queue
        }),
    ),
    Row::new(
        "history-flush",
        "SECONDS",
        "how long messages wait to be written, and are lost if it is killed",
        Kind::Seconds(0, 3600, |settings| &mut settings.history_flush),
    ),
    Row::new(
        "replay-messages",
        "MESSAGES",
        "how many kept messages a client is sent that joins",
        Kind::Number(0, MANY, |settings| &mut settings.limits.replay_messages),
    ),
    Row::new(
        "replay-age",
        "SECONDS",
        "how old these can be",
        Kind::Seconds(0, A_CENTURY, |settings| &mut settings.limits.replay_age),
    ),
    Row::new(
        "drain",
        "SECONDS",
        "how long parting from a client may take, at a stop and at any time",
        Kind::Seconds(0, 3600, |settings| &mut settings.drain),
    ),
    Row::new(
        "metrics",
        "ADDRESS",
        "where /metrics and /health are served; empty for nowhere",
        Kind::Text(|settings| &mut settings.metrics),
    ),
    Row::new(
        "log-level",
        "LEVEL",
        "off, error, warn, info or debug",
        Kind::Other(
            |settings, text| {
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
            |settings| quoted(&settings.log_level.to_string()),
        ),
    ),
    Row::new(
        "log-format",
        "FORMAT",
        "plain; text, with time and level; or json",
        Kind::Other(
            |settings, text| {
                settings.log_format = text.parse()?;
                Ok(())
            },
            |settings| quoted(&settings.log_format.to_string()),
        ),
    ),
];
