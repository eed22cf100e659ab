//! The groups that somebody is in: which one is in front of them, and what is unread in the others.

use std::collections::{BTreeMap, VecDeque};

use crate::text::clean;

/// How many unread messages of a group are kept; of more, only the number.
const MAX_UNREAD: usize = 200;

/// How much of a group's name stands in the prompt, in characters.
const MAX_PROMPT_NAME: usize = 24;

/// How many groups with unread messages the prompt names.
const MAX_PROMPT_GROUPS: usize = 3;

/// All groups.
#[derive(Default)]
pub(crate) struct Rooms {
    rooms: BTreeMap<String, Room>,
    current: Option<String>,
}

#[derive(Default)]
struct Room {
    /// The last of what has not been shown.
    unread: VecDeque<String>,
    /// How many there are.
    count: usize,
}

/// What is to be done with a message.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Incoming {
    /// It is of the group in front: show it.
    Show(String),
    /// It was kept for later, and is the first one.
    FirstUnread,
    /// It was kept for later, or is of a group that was left.
    Kept,
}

impl Rooms {
    /// The group in front.
    pub(crate) fn current(&self) -> Option<&str> {
        self.current.as_deref()
    }

    /// Whether one is in this group.
    pub(crate) fn has(&self, group_name: &str) -> bool {
        self.rooms.contains_key(group_name)
    }

    /// How many messages of the group are unread.
    pub(crate) fn unread(&self, group_name: &str) -> usize {
        self.rooms.get(group_name).map_or(0, |room| room.count)
    }

    /// Goes to a group, and returns what was unread there.
    pub(crate) fn enter(&mut self, group_name: &str) -> Vec<String> {
        self.current = Some(group_name.to_owned());
        let room = self.rooms.entry(group_name.to_owned()).or_default();
        let mut lines = Vec::new();
        let not_kept = room.count - room.unread.len();
        if not_kept > 0 {
            lines.push(format!("({not_kept} older ones are not shown)"));
        }
        lines.extend(room.unread.drain(..));
        room.count = 0;
        lines
    }

    /// Leaves a group.
    pub(crate) fn leave(&mut self, group_name: &str) {
        self.rooms.remove(group_name);
        if self.current() == Some(group_name) {
            self.current = None;
        }
    }

    /// A message, as it is to be shown.
    pub(crate) fn take(&mut self, group_name: &str, line: String) -> Incoming {
        if self.current() == Some(group_name) {
            return Incoming::Show(line);
        }
        // It was under way when they left.
        let Some(room) = self.rooms.get_mut(group_name) else {
            return Incoming::Kept;
        };
        room.count += 1;
        room.unread.push_back(line);
        if room.unread.len() > MAX_UNREAD {
            room.unread.pop_front();
        }
        match room.count {
            1 => Incoming::FirstUnread,
            _ => Incoming::Kept,
        }
    }

    /// What stands before the line: `rust [go 3]> `.
    pub(crate) fn prompt(&self) -> String {
        let short = |name: &str| clean(&name.chars().take(MAX_PROMPT_NAME).collect::<String>());
        let unread = self.rooms.iter().filter(|(_, room)| room.count > 0);
        let mut counts: Vec<String> = unread
            .map(|(name, room)| format!("{} {}", short(name), room.count))
            .collect();
        if counts.len() > MAX_PROMPT_GROUPS {
            counts.truncate(MAX_PROMPT_GROUPS);
            counts.push("..".to_owned());
        }
        let here = self.current().map(short).unwrap_or_default();
        match (here.as_str(), counts.as_slice()) {
            ("", []) => "> ".to_owned(),
            (here, []) => format!("{here}> "),
            ("", counts) => format!("[{}]> ", counts.join(", ")),
            (here, counts) => format!("{here} [{}]> ", counts.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_to_another_group_is_counted_and_shown_on_entering() {
        let mut rooms = Rooms::default();
        assert_eq!(rooms.prompt(), "> ");
        rooms.enter("go");
        rooms.enter("rust");
        let show = Incoming::Show("1".to_owned());
        assert_eq!(rooms.take("rust", "1".to_owned()), show);
        assert_eq!(rooms.take("go", "2".to_owned()), Incoming::FirstUnread);
        assert_eq!(rooms.take("go", "3".to_owned()), Incoming::Kept);
        assert_eq!(rooms.prompt(), "rust [go 2]> ");
        assert_eq!(rooms.enter("go"), ["2", "3"]);
        assert_eq!(rooms.prompt(), "go> ");
    }

    #[test]
    fn of_many_unread_messages_the_last_are_kept() {
        let mut rooms = Rooms::default();
        rooms.enter("go");
        rooms.enter("rust");
        for number in 0..MAX_UNREAD + 5 {
            rooms.take("go", number.to_string());
        }
        assert_eq!(rooms.unread("go"), MAX_UNREAD + 5);
        let lines = rooms.enter("go");
        assert_eq!(lines[..2], ["(5 older ones are not shown)", "5"]);
        assert_eq!(lines.len(), MAX_UNREAD + 1);
    }

    #[test]
    fn what_comes_after_leaving_does_not_bring_the_group_back() {
        let mut rooms = Rooms::default();
        rooms.enter("go");
        rooms.leave("go");
        assert_eq!(rooms.take("go", "late".to_owned()), Incoming::Kept);
        assert!(!rooms.has("go"));
    }
}
