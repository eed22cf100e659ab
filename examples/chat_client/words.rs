//! The words that the tab key completes: commands, groups, names.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::commands;
use crate::text::clean;

/// What can be completed.
#[derive(Clone, Default)]
pub(crate) struct Words {
    sets: Arc<Mutex<Sets>>,
}

#[derive(Default)]
struct Sets {
    groups: BTreeSet<String>,
    names: BTreeSet<String>,
}

/// How many groups and names are remembered, each.
const MAX_WORDS: usize = 10_000;

impl Words {
    pub(crate) fn add_group(&self, name: &str) {
        add(&mut self.lock().groups, name);
    }

    pub(crate) fn add_name(&self, name: &str) {
        add(&mut self.lock().names, name);
    }

    fn lock(&self) -> MutexGuard<'_, Sets> {
        self.sets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where in `line` the word begins that the cursor, at its end, stands in; and what it can become.
    pub(crate) fn complete(&self, line: &str) -> (usize, Vec<String>) {
        let sets = self.lock();
        let begin = line.rfind(char::is_whitespace).map_or(0, |place| {
            place + line[place..].chars().next().map_or(0, char::len_utf8)
        });
        let word = line[begin..].to_lowercase();
        let that_fit = |words: &mut dyn Iterator<Item = &String>| -> Vec<String> {
            words
                .filter(|known| known.to_lowercase().starts_with(&word))
                .map(|known| format!("{} ", commands::quote(known)))
                .collect()
        };
        let is_first_argument = line[..begin].split_whitespace().count() == 1;
        let candidates = match line.split_whitespace().next() {
            Some("/join" | "/leave" | "/post" | "/members") if begin > 0 && is_first_argument => {
                that_fit(&mut sets.groups.iter())
            }
            Some("/direct" | "/invite") if begin > 0 && is_first_argument => {
                that_fit(&mut sets.names.iter())
            }
            Some(verb) if begin == 0 && verb.starts_with('/') => {
                let commands = commands::NAMES.iter().filter(|name| name.starts_with(verb));
                commands.map(|name| format!("{name} ")).collect()
            }
            // Somebody is spoken to.
            _ if !word.is_empty() && !line.starts_with('/') => that_fit(&mut sets.names.iter()),
            _ => Vec::new(),
        };
        (begin, candidates)
    }
}

/// Strangers choose these words, so they are not kept without end, and not if they would not be safe to show.
fn add(words: &mut BTreeSet<String>, word: &str) {
    let is_typed = !word.is_empty() && clean(word) == word && !word.contains('"');
    if is_typed && words.len() < MAX_WORDS {
        words.insert(word.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_at_the_cursor_is_offered() {
        let words = Words::default();
        words.add_group("the pub");
        words.add_group("rust");
        words.add_name("Ben");
        words.add_name("bad\u{1b}[2J");
        let offered = |line: &str| words.complete(line).1;
        assert_eq!(offered("/he"), ["/help "]);
        assert_eq!(offered("/join r"), ["rust "]);
        assert_eq!(offered("/join t"), ["\"the pub\" "]);
        assert_eq!(offered("/direct b"), ["Ben "]);
        assert_eq!(offered("/direct ben b"), [""; 0]);
        assert_eq!(offered("so says b"), ["Ben "]);
        assert_eq!(offered("b"), ["Ben "]);
        assert_eq!(offered(""), [""; 0]);
        assert_eq!(words.complete("/join r").0, "/join ".len());
    }
}
