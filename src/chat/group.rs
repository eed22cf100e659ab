//! One group: whatever is posted to it reaches each member.
//!
//! A group is a ring of the last messages. Every member reads it at its own pace; who falls behind the ring loses the
//! oldest, is told how many, and slows nobody.
//!
//! What is in the ring is the line as it goes over the wire, made once for all members. Both protocols share it:
//!
//! ```text
//! {"Message":{"group_name":"g","message":"m"   }}⏎   ,"from":"anna","id":7,"time":1700000000000}}⏎
//! └─────────── what both say ──────────────┘└─ base ┘└──────────────── extended ─────────────────┘
//! ```

use std::collections::BTreeSet;
use std::io::Write;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::SystemTime;

use super::extended::{GroupSize, Reply};
use super::history::{History, KeptMessage, NotKept};
use super::listing::Room;
use super::private::Private;
use super::protocol::{Frame, frame};
use crate::sync::broadcast;

/// How a message of the base protocol ends.
const BASE_END: &[u8] = b"}}\n";

/// One group.
pub(crate) struct Group {
    name: String,
    /// How each message's line begins.
    head: Vec<u8>,
    /// Who subscribed is a member.
    ring: broadcast::Sender<Event>,
    /// The id of the last message. It is counted up under the ring's lock, so ids and places agree; where nobody is a
    /// member, under the lock of the group's shard.
    posted: AtomicU64,
    /// How many members want to know who joins and leaves. Without any, nobody is bothered with it.
    noticing: AtomicUsize,
    /// Who may come in, if not everybody may.
    private: Option<Box<Private>>,
    /// Those members that have one. A plain lock: nothing is awaited under it.
    names: Mutex<BTreeSet<Arc<str>>>,
}

/// Who joins.
#[derive(Clone, Default)]
pub(crate) struct Member {
    /// The name, for those who said `Hello`: they are sent what the extended protocol says.
    pub(crate) name: Option<Arc<str>>,
    /// Whether it wants to know who joins and leaves.
    pub(crate) wants_notices: bool,
}

/// What goes through a group's ring.
#[derive(Clone)]
pub(crate) struct Event {
    /// A message's line in both forms, or the line of a notice.
    line: Frame,
    /// Where a message's base form ends; 0 is a notice.
    base_end: usize,
    /// The id of the last message, this one included.
    posted: u64,
}

impl Event {
    /// The id of the last message before.
    pub(crate) fn posted_before(&self) -> u64 {
        self.posted - u64::from(!self.is_notice())
    }

    /// The id of the last message, this one included.
    pub(crate) fn posted(&self) -> u64 {
        self.posted
    }

    /// The pieces of the line that go to `member`, in this order; empty ones if it is not for it.
    pub(crate) fn pieces_for(self, member: &Member) -> (Frame, [Range<usize>; 2]) {
        let all = self.line.len();
        let pieces = match (&member.name, self.is_notice()) {
            (None, _) => [0..self.base_end, 0..0],
            (Some(_), true) if member.wants_notices => [0..all, 0..0],
            (Some(_), true) => [0..0, 0..0],
            (Some(_), false) => [0..self.base_end - BASE_END.len(), self.base_end..all],
        };
        (self.line, pieces)
    }

    /// Whether it says who came or went, and is no message.
    pub(crate) fn is_notice(&self) -> bool {
        self.base_end == 0
    }

    /// The message with this id, whose line in the base form is `base`.
    fn message(base: &[u8], from: Option<&str>, id: u64, time: u64) -> Self {
        let mut line = Vec::with_capacity(base.len() + 64 + from.map_or(0, str::len));
        line.extend_from_slice(base);
        if let Some(from) = from {
            line.extend_from_slice(b",\"from\":");
            push_json(&mut line, from);
        }
        writeln!(line, ",\"id\":{id},\"time\":{time}}}}}").expect("memory takes everything");
        Self {
            line: line.into(),
            base_end: base.len(),
            posted: id,
        }
    }
}

impl Group {
    /// A group without members, whose next message has the id after `posted`.
    pub(crate) fn new(name: String, ring_size: usize, posted: u64) -> Self {
        let mut head = b"{\"Message\":{\"group_name\":".to_vec();
        push_json(&mut head, &name);
        head.extend_from_slice(b",\"message\":");
        Self {
            name,
            head,
            ring: broadcast::Sender::new(ring_size.max(1)),
            posted: AtomicU64::new(posted),
            noticing: AtomicUsize::new(0),
            private: None,
            names: Mutex::default(),
        }
    }

    /// A private group without members.
    pub(crate) fn new_private(name: String, ring_size: usize, private: Private) -> Self {
        Self {
            private: Some(Box::new(private)),
            ..Self::new(name, ring_size, 0)
        }
    }

    /// Who may come in, if not everybody may.
    pub(crate) fn private(&self) -> Option<&Private> {
        self.private.as_deref()
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// One more member: what is posted from now on, and the id of the last message before.
    pub(crate) fn add(&self, member: &Member) -> (broadcast::Receiver<Event>, u64) {
        let (inbox, posted) = self.subscribe();
        if member.wants_notices {
            self.noticing.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(name) = &member.name {
            self.names().insert(name.clone());
            self.notify(|group_name, name| Reply::Joined { group_name, name }, name);
        }
        (inbox, posted)
    }

    /// What is posted from now on, and the id of the last message before.
    pub(crate) fn subscribe(&self) -> (broadcast::Receiver<Event>, u64) {
        loop {
            // If none came meanwhile, none is counted that is not received, nor the reverse.
            let before = self.posted();
            let inbox = self.ring.subscribe();
            if self.posted() == before {
                break (inbox, before);
            }
        }
    }

    /// The id of the last message.
    pub(crate) fn posted(&self) -> u64 {
        self.posted.load(Ordering::SeqCst)
    }

    /// One member less, whose inbox has been dropped.
    pub(crate) fn remove(&self, member: &Member) {
        if member.wants_notices {
            self.noticing.fetch_sub(1, Ordering::Relaxed);
        }
        if let Some(name) = &member.name {
            self.names().remove(name);
            self.notify(|group_name, name| Reply::Left { group_name, name }, name);
        }
    }

    /// How many members there are.
    pub(crate) fn size(&self) -> usize {
        self.ring.receiver_count()
    }

    /// The group, as it is listed.
    pub(crate) fn entry(&self) -> GroupSize {
        GroupSize {
            group_name: self.name.clone(),
            members: self.size(),
        }
    }

    /// The members, as they are listed.
    pub(crate) fn members(&self) -> Reply {
        let names = self.names();
        let mut room = Room::for_entries(usize::MAX);
        let listed = names.iter().take_while(|name| room.takes(&***name));
        Reply::Members {
            group_name: self.name.clone(),
            names: listed.map(ToString::to_string).collect(),
            total: self.size(),
        }
    }

    /// Sends `message` to every member and returns whether there was one; if so, `history` keeps it, unless the group is
    /// private. The JSON is made here, once, and shared.
    pub(crate) fn post(
        &self,
        message: &str,
        from: Option<&str>,
        history: Option<&dyn History>,
    ) -> bool {
        let mut base = Vec::with_capacity(self.head.len() + message.len() + 16);
        base.extend_from_slice(&self.head);
        push_json(&mut base, message);
        base.extend_from_slice(BASE_END);
        let time = now();
        // The id is known only under the ring's lock, where there is no time to be lost: so the line is made before, with
        // the one it will have if nobody posts meanwhile.
        let expected = self.posted.load(Ordering::Relaxed) + 1;
        let event = Event::message(&base, from, expected, time);
        let history = history.filter(|_| self.private.is_none());
        let kept = history.map(|history| (history, to_keep(message, from, time)));
        let mut writer = None;
        let sent = self.ring.send_with(|| {
            let id = self.posted.fetch_add(1, Ordering::SeqCst) + 1;
            if let Some((history, mut kept)) = kept {
                // Rule 1 of the history: here, where the message gets its id and its place.
                kept.id = id;
                writer = history.keep(&self.name, kept).unwrap_or(None);
            }
            if id == expected {
                event
            } else {
                Event::message(&base, from, id, time)
            }
        });
        let is_sent = sent.is_ok();
        if let Some(writer) = writer {
            writer.wake();
        }
        is_sent
    }

    /// Keeps `message` if nobody is a member, and returns whom to wake when the lock of the group's shard is released. It is
    /// called under that lock, which who joins needs, too: so nobody else gives the group a message meanwhile.
    pub(crate) fn keep(
        &self,
        message: &str,
        from: Option<&str>,
        history: &dyn History,
    ) -> Option<Result<Option<Waker>, NotKept>> {
        if self.size() > 0 {
            return None;
        }
        let mut kept = to_keep(message, from, now());
        kept.id = self.posted() + 1;
        let done = history.keep(&self.name, kept);
        if done.is_ok() {
            self.posted.fetch_add(1, Ordering::SeqCst);
        }
        Some(done)
    }

    /// Tells those members who want to know it what somebody did.
    fn notify(&self, notice: impl FnOnce(String, String) -> Reply, name: &str) {
        if self.noticing.load(Ordering::Relaxed) > 0 {
            let line = frame(&notice(self.name.clone(), name.to_string()));
            // Whoever wanted it may have gone.
            let _ = self.ring.send_with(|| Event {
                line,
                base_end: 0,
                posted: self.posted.load(Ordering::Relaxed),
            });
        }
    }

    fn names(&self) -> MutexGuard<'_, BTreeSet<Arc<str>>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A message that still lacks its id.
fn to_keep(message: &str, from: Option<&str>, time: u64) -> KeptMessage {
    KeptMessage {
        message: message.to_string(),
        from: from.map(str::to_string),
        id: 0,
        time,
    }
}

/// Now, in milliseconds since the beginning of 1970.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

/// Appends `text` as JSON.
fn push_json(line: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(line, text).expect("memory takes every string");
}

#[cfg(test)]
mod tests {
    use super::super::listing::MAX_LISTED_BYTES;
    use super::super::protocol::{FromServer, MAX_LINE_LENGTH};
    use super::*;

    /// What a member gets of an event, as text.
    fn text_for(event: &Event, member: &Member) -> String {
        let (line, pieces) = event.clone().pieces_for(member);
        let bytes: Vec<u8> = pieces
            .into_iter()
            .flat_map(|piece| &line[piece])
            .copied()
            .collect();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn one_line_serves_both_protocols() {
        let group = Group::new("gr\"ü\u{1f}".to_string(), 4, 0);
        let (mut inbox, posted) = group.add(&Member::default());
        assert_eq!(posted, 0);
        assert!(group.post("\"m\"\n", Some("an\"na"), None));
        let event = inbox.try_recv().unwrap();

        let group_name = group.name().to_string();
        let message = "\"m\"\n".to_string();
        let base = FromServer::Message {
            group_name: group_name.clone(),
            message: message.clone(),
        };
        assert_eq!(
            text_for(&event, &Member::default()).as_bytes(),
            &*frame(&base)
        );

        let named = Member {
            name: Some("ben".into()),
            wants_notices: false,
        };
        let text = text_for(&event, &named);
        let reply: Reply = serde_json::from_str(&text).unwrap();
        let Reply::Message { time, .. } = reply else {
            panic!("{text}")
        };
        let from = Some("an\"na".to_string());
        let extended = Reply::Message {
            group_name,
            message,
            from,
            id: 1,
            time,
        };
        assert_eq!(text.as_bytes(), &*frame(&extended));
    }

    #[test]
    fn a_list_of_members_is_a_line_that_a_client_takes() {
        let group = Group::new("g".to_string(), 1, 0);
        for number in 0..1500 {
            let name = Some(format!("{number:064}").into());
            let wants_notices = false;
            // Who has gone from the ring is still on the list, and this is about that.
            drop(group.add(&Member {
                name,
                wants_notices,
            }));
        }
        let members = group.members();
        assert!(frame(&members).len() <= MAX_LINE_LENGTH);
        let Reply::Members { names, .. } = members else {
            unreachable!()
        };
        assert_eq!(names.len(), MAX_LISTED_BYTES / (64 + 3));
        assert!(names.is_sorted() && names[0].ends_with("00"));
    }

    #[test]
    fn ids_have_the_order_of_the_messages_whoever_posts_at_once() {
        const POSTS: u64 = 500;
        let group = Group::new("g".to_string(), 10_000, 0);
        let (mut inbox, _) = group.add(&Member::default());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..POSTS).for_each(|_| assert!(group.post("m", None, None))));
            }
        });
        for id in 1..=4 * POSTS {
            let event = inbox.try_recv().unwrap();
            let line = String::from_utf8(event.line.to_vec()).unwrap();
            assert!(line.contains(&format!(",\"id\":{id},")), "{id}: {line}");
            assert_eq!((event.posted_before(), event.posted()), (id - 1, id));
        }
    }
}
