//! Messages that one client posts to one group in one turn: their members are woken once for all of them.
//!
//! A burst lives as long as the turn. It is posted before the client is told anything else, and at the end of the turn.

/// With so many bytes a burst is posted: members who do not read keep it whole, in a ring of up to
/// [`outbox_messages`](crate::chat::Limits::outbox_messages) of them, and one long line takes as much.
const MAX_BYTES: usize = 16 * 1024;

/// What was not posted yet.
#[derive(Default)]
pub(crate) struct Burst {
    /// All are to this group.
    pub(super) group_name: String,
    pub(super) messages: Vec<String>,
    /// What they take, with the group's name in each.
    bytes: usize,
}

impl Burst {
    /// Whether this message may be one of the burst.
    pub(super) fn takes(&self, group_name: &str, message: &str) -> bool {
        let bytes = self.bytes + group_name.len() + message.len();
        self.messages.is_empty() || self.group_name == group_name && bytes <= MAX_BYTES
    }

    /// Adds a message that it takes.
    pub(super) fn push(&mut self, group_name: String, message: String) {
        if self.messages.is_empty() {
            self.group_name = group_name;
            self.bytes = 0;
        }
        self.bytes += self.group_name.len() + message.len();
        self.messages.push(message);
    }
}
