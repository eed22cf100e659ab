//! What is written to the terminal: strangers' text made harmless, times, colours.

use std::env;
use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The colours for names: those that can be read on light and on dark ground.
const NAME_COLOURS: [&str; 5] = ["32", "33", "34", "35", "36"];

/// A stranger's text as it may be written to a terminal, on one line: what would move the cursor, end the line, turn the
/// direction of the text or cannot be seen is shown as its escape.
pub(crate) fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\t' => cleaned.push_str("    "),
            _ if is_harmful(char) => cleaned.extend(char.escape_default()),
            _ => cleaned.push(char),
        }
    }
    cleaned
}

/// JSON with the same meaning, in which nothing can steer a terminal either. JSON's own characters are all in ASCII, where
/// it escapes what is to be escaped by itself.
pub(crate) fn clean_json(json: &str) -> String {
    let mut cleaned = String::with_capacity(json.len());
    for char in json.chars() {
        if char.is_ascii() || !is_harmful(char) {
            cleaned.push(char);
        } else {
            let mut units = [0; 2];
            for unit in char.encode_utf16(&mut units) {
                cleaned.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    cleaned
}

/// Control characters, of which `ESC` begins what steers terminals; and those of Unicode that turn the direction of the
/// text, break the line or have no width. What joins emoji and letters has a use, and stays.
fn is_harmful(char: char) -> bool {
    char.is_control()
        || matches!(
            char,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// How things look on this terminal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    has_colours: bool,
}

impl Look {
    /// With colours, unless the variable `NO_COLOR` has a value (<https://no-color.org>).
    pub(crate) fn of_environment() -> Self {
        let forbidden = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            has_colours: !forbidden,
        }
    }

    /// What the client itself says.
    pub(crate) fn aside(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// What went wrong.
    pub(crate) fn trouble(self, text: &str) -> String {
        self.paint("31", text)
    }

    /// What one types behind.
    pub(crate) fn prompt(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Somebody's name, which always has the same colour.
    pub(crate) fn name(self, name: &str) -> String {
        let mut hasher = DefaultHasher::new();
        name.to_lowercase().hash(&mut hasher);
        let colours = NAME_COLOURS.len() as u64;
        let place = usize::try_from(hasher.finish() % colours).unwrap_or_default();
        self.paint(NAME_COLOURS[place], &clean(name))
    }

    /// A line of somebody's: when, who, what. A message with line breaks has several, and the others stand under the first.
    pub(crate) fn message(self, time: u64, who: &str, message: &str) -> String {
        let clock = clock(time, Timestamp::now(), &TimeZone::system());
        let lines: Vec<String> = message.split('\n').map(clean).collect();
        let indent = format!("\n{}", " ".repeat(clock.len() + 1));
        format!("{} {who}: {}", self.aside(&clock), lines.join(&indent))
    }

    fn paint(self, colour: &str, text: &str) -> String {
        if self.has_colours {
            format!("\x1b[{colour}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// The time of day, with the date if it is not today's.
fn clock(milliseconds: u64, now: Timestamp, zone: &TimeZone) -> String {
    let time = i64::try_from(milliseconds).map(Timestamp::from_millisecond);
    let Ok(Ok(time)) = time else {
        // No time that a calendar knows.
        return "--:--".to_owned();
    };
    let (time, now) = (time.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let form = if time.date() == now.date() {
        "%H:%M"
    } else {
        "%Y-%m-%d %H:%M"
    };
    time.strftime(form).to_string()
}
