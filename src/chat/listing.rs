//! How long a list may be that a client is sent: a line that it takes, and that a person can still read.

use std::io::{self, Write};

use serde::Serialize;

use super::protocol::MAX_LINE_LENGTH;

/// How many entries a list has at most.
pub(crate) const MAX_LISTED: usize = 1000;

/// How many bytes of JSON its entries have at most. The rest of what a client takes for a line by default is for what
/// stands around them.
pub(crate) const MAX_LISTED_BYTES: usize = MAX_LINE_LENGTH - 4 * 1024;

/// The room that is left in one list.
pub(crate) struct Room {
    entries: usize,
    bytes: usize,
}

impl Room {
    /// Room for so many entries, or as many as any list has.
    pub(crate) fn for_entries(at_most: usize) -> Self {
        Self {
            entries: at_most.min(MAX_LISTED),
            bytes: MAX_LISTED_BYTES,
        }
    }

    /// Whether there is room for one more entry, and for this one; if so, it is taken. The first one has its place
    /// however long it is, so that who asks for the next list after it gets on.
    pub(crate) fn takes<T: Serialize + ?Sized>(&mut self, entry: &T) -> bool {
        let mut length = Length(1);
        serde_json::to_writer(&mut length, entry).expect("what is listed has a form in JSON");
        let is_first = self.bytes == MAX_LISTED_BYTES;
        if self.entries == 0 || (length.0 > self.bytes && !is_first) {
            self.entries = 0;
            return false;
        }
        self.entries -= 1;
        self.bytes = self.bytes.saturating_sub(length.0);
        true
    }
}

/// Takes all that is written to it, and knows how much that was.
struct Length(usize);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of these go into a list.
    fn listed(entries: &[String], at_most: usize) -> usize {
        let mut room = Room::for_entries(at_most);
        entries
            .iter()
            .take_while(|entry| room.takes(*entry))
            .count()
    }

    #[test]
    fn a_list_is_cut_by_number_and_by_bytes() {
        let short = vec!["a".to_string(); 2 * MAX_LISTED];
        assert_eq!(listed(&short, 7), 7);
        assert_eq!(listed(&short, usize::MAX), MAX_LISTED);
        assert_eq!(listed(&short, 0), 0);
        // 100 bytes each: 97 of text, its quotes, and the comma.
        let long = vec!["b".repeat(97); MAX_LISTED];
        assert_eq!(listed(&long, usize::MAX), MAX_LISTED_BYTES / 100);
        // What is escaped is longer than it looks.
        let escaped = vec!["\0".repeat(97); MAX_LISTED];
        assert_eq!(
            listed(&escaped, usize::MAX),
            MAX_LISTED_BYTES / (97 * 6 + 3)
        );
    }

    #[test]
    fn what_does_not_fit_has_no_shorter_one_behind_it() {
        let mut room = Room::for_entries(10);
        let long = "c".repeat(MAX_LISTED_BYTES * 2 / 3);
        assert!(room.takes(&long));
        assert!(!room.takes(&long));
        assert!(!room.takes("short"));
    }

    #[test]
    fn the_first_entry_fits_however_long_it_is() {
        let mut room = Room::for_entries(10);
        assert!(room.takes(&"d".repeat(2 * MAX_LISTED_BYTES)));
        assert!(!room.takes("short"));
    }
}
