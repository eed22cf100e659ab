//! Where settings come from, and who wins: **a flag before a variable, a variable before the file, the file before the
//! default**. What is wrong in any of them is told at once, with its place, and the server does not start.
//!
//! A setting has one name everywhere: `--max-line 1024`, `PARKLET_CHAT_MAX_LINE=1024`, and `max-line = 1024` in the file,
//! which is TOML. A variable that is empty counts as not set. One that begins like ours but is no setting is only
//! remarked upon, since others may have put it there: Kubernetes does so for a service that is called `parklet-chat`.

use std::env::{ArgsOs, VarsOs};
use std::ffi::OsString;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use lexopt::{Arg, Parser};
use toml::de::{DeTable, DeValue};

use crate::settings::{ROWS, Settings, row};

/// What the variables begin with.
const PREFIX: &str = "PARKLET_CHAT_";

/// The word that makes the server a tool for its file of accounts.
const HASH_PASSWORD: &str = "hash-password";

/// What the command line asks for.
pub(crate) enum Command {
    Serve(Configuration),
    CheckConfig(Configuration),
    /// Makes a line for the file of accounts, for the account of this name.
    HashPassword(String),
    Help,
    Version,
}

/// Settings, and where they come from.
pub(crate) struct Configuration {
    pub(crate) settings: Settings,
    /// The place of each row's value.
    origins: Vec<String>,
    /// What is no error, but may be a mistake.
    pub(crate) remarks: Vec<String>,
    /// What is wrong, a line each.
    problems: Vec<String>,
}

/// What the command line has beside `--help` and `--version`.
#[derive(Default)]
struct Flags {
    /// Rows' names and values.
    values: Vec<(&'static str, OsString)>,
    config: Option<OsString>,
    check_config: bool,
}

/// Finds out what is asked for and, if that needs settings, reads all sources of them.
///
/// # Errors
///
/// A line for everything that is wrong.
pub(crate) fn read(arguments: ArgsOs, variables: VarsOs) -> Result<Command, Vec<String>> {
    let mut parser = Parser::from_iter(arguments);
    let mut flags = Flags::default();
    if parser
        .try_raw_args()
        .and_then(|raw| raw.peek().map(|word| word == HASH_PASSWORD))
        == Some(true)
    {
        return account_to_hash(parser).map(Command::HashPassword);
    }
    loop {
        match next_flag(&mut parser, &mut flags) {
            Ok(None) => break,
            Ok(Some("help")) => return Ok(Command::Help),
            Ok(Some("version")) => return Ok(Command::Version),
            Ok(Some(_)) => {}
            Err(error) => return Err(vec![format!("{error}; --help lists what there is")]),
        }
    }
    let configuration = Configuration::collect(&flags, variables);
    if !configuration.problems.is_empty() {
        return Err(configuration.problems);
    }
    Ok(if flags.check_config {
        Command::CheckConfig(configuration)
    } else {
        Command::Serve(configuration)
    })
}

/// The name that comes after `hash-password`, and nothing else: what follows may be a password, so it is not repeated.
fn account_to_hash(mut parser: Parser) -> Result<String, Vec<String>> {
    let words: Vec<OsString> = parser.raw_args().into_iter().flatten().skip(1).collect();
    let name = match words.as_slice() {
        [name] => name.to_str(),
        _ => None,
    };
    let usage = "expected hash-password NAME; the password is typed when it is asked for, or comes through a pipe";
    name.map(str::to_owned)
        .ok_or_else(|| vec![usage.to_owned()])
}

/// Takes one flag into `flags`, and returns its name.
fn next_flag(
    parser: &mut Parser,
    flags: &mut Flags,
) -> Result<Option<&'static str>, lexopt::Error> {
    let Some(argument) = parser.next()? else {
        return Ok(None);
    };
    let name = match argument {
        Arg::Short('h') | Arg::Long("help") => "help",
        Arg::Short('V') | Arg::Long("version") => "version",
        Arg::Long("check-config") => {
            flags.check_config = true;
            "check-config"
        }
        Arg::Long("config") => {
            flags.config = Some(parser.value()?);
            "config"
        }
        Arg::Long(name) if row(name).is_some() => {
            let (name, is_switch) =
                row(name).map_or(("", false), |row| (row.name, row.is_switch()));
            let value = if is_switch {
                parser.optional_value().unwrap_or_else(|| "true".into())
            } else {
                parser.value()?
            };
            flags.values.push((name, value));
            name
        }
        Arg::Value(address) if flags.values.iter().all(|(name, _)| *name != "listen") => {
            flags.values.push(("listen", address));
            "listen"
        }
        other => return Err(other.unexpected()),
    };
    Ok(Some(name))
}

impl Configuration {
    /// Reads the sources, the weakest first: each overrides what it says something about.
    fn collect(flags: &Flags, variables: VarsOs) -> Self {
        let mut configuration = Self {
            settings: Settings::default(),
            origins: vec!["default".to_owned(); ROWS.len()],
            remarks: Vec::new(),
            problems: Vec::new(),
        };
        let mut variables: Vec<(String, OsString)> = variables
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .filter(|(name, value)| name.starts_with(PREFIX) && !value.is_empty())
            .collect();
        variables.sort();
        let of_config = variables
            .iter()
            .find(|(name, _)| *name == variable("config"));
        let file = flags
            .config
            .as_ref()
            .or(of_config.map(|(_, value)| value))
            .map(PathBuf::from);
        if let Some(file) = file {
            configuration.take_file(&file);
        }
        for (name, value) in &variables {
            match ROWS.iter().find(|row| variable(row.name) == *name) {
                Some(row) => configuration.take(row.name, value, name),
                None if *name == variable("config") => {}
                None => configuration.remarks.push(format!(
                    "{name} is no setting of this server; --help lists them"
                )),
            }
        }
        for (name, value) in &flags.values {
            configuration.take(name, value, &format!("--{name}"));
        }
        configuration
    }

    /// Takes over what a file says.
    fn take_file(&mut self, file: &Path) {
        let file_name = file.display();
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) => {
                self.problems
                    .push(format!("cannot read {file_name}: {error}"));
                return;
            }
        };
        let place = |span: Range<usize>| {
            let before = text.get(..span.start).unwrap_or(&text);
            format!("{file_name}, line {}", before.matches('\n').count() + 1)
        };
        let (table, errors) = DeTable::parse_recoverable(&text);
        for error in &errors {
            let place = error.span().map_or(file_name.to_string(), place);
            self.problems.push(format!("{place}: {}", error.message()));
        }
        if !errors.is_empty() {
            return;
        }
        let mut entries: Vec<_> = table.get_ref().iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in entries {
            let place = place(key.span());
            let name: &str = key.get_ref();
            if row(name).is_none() {
                self.problems.push(format!(
                    "{place}: unknown key {name:?}; --help lists the settings"
                ));
                continue;
            }
            match plain_text(value.get_ref()) {
                Some(value) => self.take(name, &value.into(), &place),
                None => self.problems.push(format!(
                    "{place}: {name}: expected a text, a number, true or false, found {}",
                    value.get_ref().type_str()
                )),
            }
        }
    }

    /// Takes over one value.
    fn take(&mut self, name: &str, value: &OsString, place: &str) {
        let Some(index) = ROWS.iter().position(|row| row.name == name) else {
            return;
        };
        let row = &ROWS[index];
        let done = match value.to_str() {
            Some(text) => row.set(&mut self.settings, text),
            None => Err("expected UTF-8".to_owned()),
        };
        // In a file the line holds no name that everybody could guess.
        let name = if place.contains(", line ") {
            format!("{place}: {name}")
        } else {
            place.to_owned()
        };
        match done {
            Ok(()) => self.origins[index] = place.to_owned(),
            Err(expected) => self.problems.push(format!("{name} {value:?}: {expected}")),
        }
    }

    /// The settings as a file would have them, each with the place it comes from.
    pub(crate) fn to_toml(&self) -> String {
        let line = |(row, origin): (&crate::settings::Row, &String)| {
            format!("{} = {}  # {origin}\n", row.name, row.show(&self.settings))
        };
        ROWS.iter().zip(&self.origins).map(line).collect()
    }
}

/// The variable of the setting `name`.
fn variable(name: &str) -> String {
    PREFIX.to_owned() + &name.to_uppercase().replace('-', "_")
}

/// A value of the file as it would stand on the command line, where it can.
fn plain_text(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => {
            let plain = i64::from_str_radix(number.as_str(), number.radix());
            // One that is too large for anything is refused by its setting, which knows what it wants.
            Some(plain.map_or_else(|_| number.to_string(), |plain| plain.to_string()))
        }
        DeValue::Float(number) => Some(number.to_string()),
        DeValue::Boolean(is_on) => Some(is_on.to_string()),
        _ => None,
    }
}

/// What `--help` says.
pub(crate) fn help() -> String {
    let mut lines = vec![
        "usage: chat_server [ADDRESS] [OPTION...]   (127.0.0.1:8080 if no address is given)".into(),
        "       chat_server hash-password NAME      (makes a line for the file of --users)".into(),
        String::new(),
    ];
    let mut option = |names: String, help: &str| lines.push(format!("  {names:<30} {help}"));
    for row in ROWS {
        option(
            format!("--{} {}", row.name, row.value).trim_end().into(),
            row.help,
        );
    }
    option("--config FILE".into(), "settings in TOML: name = value");
    option(
        "--check-config".into(),
        "show the settings and where they come from, and end",
    );
    option("-h, --help".into(), "this");
    option("-V, --version".into(), "the version");
    lines.extend([
        String::new(),
        "Each setting is also a key of FILE and a variable: max-line and PARKLET_CHAT_MAX_LINE."
            .into(),
        "A flag wins over a variable, a variable over the file. ADDRESS is short for --listen."
            .into(),
    ]);
    lines.join("\n")
}
