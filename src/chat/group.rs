//! One group: whatever is posted to it reaches each member.
//!
//! A group is a ring of the last 1000 messages. Every member reads it at its own pace; who falls behind the ring loses
//! the oldest, is told how many, and slows nobody.

use super::protocol::{Frame, FromServer, frame};
use crate::sync::broadcast;

/// How many messages a group keeps for members that have not read them yet.
const RING_SIZE: usize = 1000;

/// One group.
pub(crate) struct Group {
    name: String,
    /// The ring. Who subscribed is a member.
    sender: broadcast::Sender<Frame>,
}

impl Group {
    pub(crate) fn new(name: String) -> Self {
        let (sender, _) = broadcast::channel(RING_SIZE);
        Self { name, sender }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Keeps messages for one more member, from the next one on.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Frame> {
        self.sender.subscribe()
    }

    /// Whether nobody is a member any more.
    pub(crate) fn is_empty(&self) -> bool {
        self.sender.receiver_count() == 0
    }

    /// Sends `message` to every member and returns whether there was one. The JSON is made here, once, and shared.
    pub(crate) fn post(&self, message: String) -> bool {
        let group_name = self.name.clone();
        let packet = FromServer::Message {
            group_name,
            message,
        };
        self.sender.send(frame(&packet)).is_ok()
    }

    /// What a member is told whose place in the ring was overwritten.
    pub(crate) fn dropped_notice(&self, dropped: u64) -> Frame {
        let text = format!("Dropped {dropped} messages from {}.", self.name);
        frame(&FromServer::Error(text))
    }
}
