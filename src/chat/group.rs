//! One group: whatever is posted to it reaches each member.
//!
//! A group is a ring of the last messages. Every member reads it at its own pace; who falls behind the ring loses the
//! oldest, is told how many, and slows nobody.
//!
//! What is in the ring are lines as they go over the wire, made once for all members: the messages of a burst, as many as
//! one client posted at once, first all in the form of the base protocol and then all in the extended one. So a member
//! takes and sends a burst as one piece. A form that no member speaks is not made.
//!
//! ```text
//! {"Message":{..,"message":"m"}}⏎{"Message":{..}}⏎   {"Message":{..,"message":"m","from":"anna","id":7,"time":17..}}⏎{..}⏎
//! └──────────────────── base ────────────────────┘   └─────────────────────────── extended ───────────────────────────┘
//! ```

use std::collections::BTreeSet;
use std::io::Write;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Instant, SystemTime};

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
    head: Box<[u8]>,
    /// Who subscribed is a member.
    ring: broadcast::Sender<Event>,
    /// The id of the last message. It is counted up under the ring's lock, so ids and places agree; where nobody is a
    /// member, under the lock of the group's shard.
    posted: AtomicU64,
    /// How many members are sent each form. They are counted before they subscribe: so under the ring's lock nobody is
    /// missing who gets what is posted.
    audience: [AtomicUsize; FORMS.len()],
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

impl Member {
    /// How it is told of messages.
    fn form(&self) -> Form {
        match self.name {
            None => Form::Base,
            Some(_) => Form::Extended,
        }
    }
}

/// In which protocol a line is.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Base,
    Extended,
}

/// In the order of their lines.
const FORMS: [Form; 2] = [Form::Base, Form::Extended];

/// What goes through a group's ring: some messages that were posted at once, or a notice.
#[derive(Clone)]
pub(crate) struct Event {
    /// The lines of the messages in both forms, or the line of the notice.
    lines: Frame,
    /// Where the base form ends.
    base_end: usize,
    /// How many messages there are; 0 is a notice.
    messages: u64,
    /// The id of the last message, these included.
    posted: u64,
    /// When the messages were posted; nothing for a notice.
    at: Option<Instant>,
}

impl Event {
    /// The id of the last message before.
    pub(crate) fn posted_before(&self) -> u64 {
        self.posted - self.messages
    }

    /// The id of the last message, these included.
    pub(crate) fn posted(&self) -> u64 {
        self.posted
    }

    /// The messages whose lines in the base form are `base`, in those forms that are wanted; `before` is the id before the
    /// first.
    fn new(base: &[u8], forms: [bool; 2], from: Option<&str>, before: u64, time: u64) -> Self {
        let [is_base, is_extended] = forms;
        let mut lines = if is_base { base.to_vec() } else { Vec::new() };
        let base_end = lines.len();
        let mut posted = before;
        for line in base.split_inclusive(|byte| *byte == b'\n') {
            posted += 1;
            if is_extended {
                push_extended(&mut lines, line, from, posted, time);
            }
        }
        Self {
            lines: lines.into(),
            base_end,
            messages: posted - before,
            posted,
            at: Some(Instant::now()),
        }
    }

    /// When its messages were posted, if it has any.
    pub(crate) fn posted_at(&self) -> Option<Instant> {
        self.at
    }

    /// How many messages it has. Without any it says who came or went.
    pub(crate) fn messages(&self) -> u64 {
        self.messages
    }

    /// The part of the lines that goes to `member`, without so many of the first messages; it is empty if nothing does.
    pub(crate) fn part_for(self, member: &Member, skipped: u64) -> (Frame, Range<usize>) {
        let all = self.lines.len();
        let part = match member.form() {
            _ if self.messages == 0 && !member.wants_notices => 0..0,
            Form::Base => 0..self.base_end,
            Form::Extended => self.base_end..all,
        };
        let lines = self.lines[part.clone()].split_inclusive(|byte| *byte == b'\n');
        let skipped: usize = lines.take(skipped as usize).map(<[u8]>::len).sum();
        (self.lines, part.start + skipped..part.end)
    }
}

/// Appends what the extended form says of a message beyond its `base` line.
fn push_extended(lines: &mut Vec<u8>, base: &[u8], from: Option<&str>, id: u64, time: u64) {
    lines.extend_from_slice(&base[..base.len() - BASE_END.len()]);
    if let Some(from) = from {
        lines.extend_from_slice(b",\"from\":");
        push_json(lines, from);
    }
    writeln!(lines, ",\"id\":{id},\"time\":{time}}}}}").expect("memory takes everything");
}

impl Group {
    /// A group without members, whose next message has the id after `posted`.
    pub(crate) fn new(name: String, ring_size: usize, posted: u64) -> Self {
        let mut head = b"{\"Message\":{\"group_name\":".to_vec();
        push_json(&mut head, &name);
        head.extend_from_slice(b",\"message\":");
        Self {
            name,
            head: head.into(),
            ring: broadcast::Sender::new(ring_size.max(1)),
            posted: AtomicU64::new(posted),
            audience: Default::default(),
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
        self.audience[member.form() as usize].fetch_add(1, Ordering::Relaxed);
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
        self.audience[member.form() as usize].fetch_sub(1, Ordering::Relaxed);
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

    /// Sends `messages` to every member and returns whether there was one; if so, `history` keeps them, unless the group is
    /// private. The JSON is made here, once, and shared.
    pub(crate) fn post(
        &self,
        messages: &[String],
        from: Option<&str>,
        history: Option<&dyn History>,
    ) -> bool {
        let time = now();
        let count = messages.len() as u64;
        let base = self.base_lines(messages);
        let event = |before: u64, forms: [bool; 2]| Event::new(&base, forms, from, before, time);
        // The ids are known only under the ring's lock, where there is no time to be lost: so the lines are made before,
        // with those they will have if nobody posts or joins meanwhile.
        let expected = (self.posted.load(Ordering::Relaxed), self.forms());
        let made = event(expected.0, expected.1);
        let history = history.filter(|_| self.private.is_none());
        let mut kept: Vec<KeptMessage> = Vec::new();
        if history.is_some() {
            kept.extend(messages.iter().map(|message| to_keep(message, from, time)));
        }
        let mut writers = Vec::new();
        let sent = self.ring.send_with(|| {
            let before = self.posted.fetch_add(count, Ordering::SeqCst);
            for (message, id) in kept.into_iter().zip(before + 1..) {
                // Rule 1 of the history: here, where the message gets its id and its place.
                let message = KeptMessage { id, ..message };
                let keep = |history: &dyn History| history.keep(&self.name, message).ok().flatten();
                writers.extend(history.and_then(keep));
            }
            let now = (before, self.forms());
            if now == expected {
                made
            } else {
                event(now.0, now.1)
            }
        });
        let is_sent = sent.is_ok();
        writers.into_iter().for_each(Waker::wake);
        is_sent
    }

    /// The messages as the base protocol has them.
    fn base_lines(&self, messages: &[String]) -> Vec<u8> {
        let around = self.head.len() + BASE_END.len() + 8;
        let length = messages.iter().map(|message| message.len() + around).sum();
        let mut lines = Vec::with_capacity(length);
        for message in messages {
            lines.extend_from_slice(&self.head);
            push_json(&mut lines, message);
            lines.extend_from_slice(BASE_END);
        }
        lines
    }

    /// Which forms some member is sent.
    fn forms(&self) -> [bool; 2] {
        FORMS.map(|form| self.audience[form as usize].load(Ordering::Relaxed) > 0)
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
                lines: line,
                base_end: 0,
                messages: 0,
                posted: self.posted.load(Ordering::Relaxed),
                at: None,
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
    fn text_for(event: &Event, member: &Member, skipped: u64) -> String {
        let (lines, part) = event.clone().part_for(member, skipped);
        String::from_utf8(lines[part].to_vec()).unwrap()
    }

    fn ben() -> Member {
        Member {
            name: Some("ben".into()),
            wants_notices: false,
        }
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_protocol_has_its_lines() {
        let group = Group::new("gr\"ü\u{1f}".to_string(), 4, 0);
        let (mut inbox, posted) = group.add(&Member::default());
        let _named = group.add(&ben());
        assert_eq!(posted, 0);
        assert!(group.post(&texts(&["\"m\"\n", "n"]), Some("an\"na"), None));
        let event = inbox.try_recv().unwrap();
        assert_eq!((event.posted_before(), event.posted()), (0, 2));

        let group_name = group.name().to_string();
        let base = ["\"m\"\n", "n"].map(|message| {
            let reply = FromServer::Message {
                group_name: group_name.clone(),
                message: message.to_string(),
            };
            String::from_utf8(frame(&reply).to_vec()).unwrap()
        });
        assert_eq!(text_for(&event, &Member::default(), 0), base.concat());
        assert_eq!(text_for(&event, &Member::default(), 1), base[1]);
        assert_eq!(text_for(&event, &Member::default(), 2), "");

        let text = text_for(&event, &ben(), 1);
        let reply: Reply = serde_json::from_str(&text).unwrap();
        let Reply::Message { time, .. } = reply else {
            panic!("{text}")
        };
        let extended = Reply::Message {
            group_name,
            message: "n".to_string(),
            from: Some("an\"na".to_string()),
            id: 2,
            time,
        };
        assert_eq!(text.as_bytes(), &*frame(&extended));
    }

    #[test]
    fn a_form_that_nobody_is_sent_is_not_made() {
        let group = Group::new("g".to_string(), 4, 0);
        let (mut inbox, _) = group.add(&Member::default());
        let mut lengths = || {
            assert!(group.post(&texts(&["m"]), None, None));
            let event = inbox.try_recv().unwrap();
            (event.base_end, event.lines.len() - event.base_end)
        };
        assert!(matches!(lengths(), (1.., 0)));
        let named = group.add(&ben());
        assert!(matches!(lengths(), (1.., 1..)));
        drop(named);
        group.remove(&ben());
        assert!(matches!(lengths(), (1.., 0)));
        group.remove(&Member::default());
        assert_eq!(lengths(), (0, 0));
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
        let (mut inbox, _) = group.add(&ben());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let one = texts(&["m"]);
                let group = &group;
                scope.spawn(move || (0..POSTS).for_each(|_| assert!(group.post(&one, None, None))));
            }
        });
        for id in 1..=4 * POSTS {
            let event = inbox.try_recv().unwrap();
            let line = text_for(&event, &ben(), 0);
            assert!(line.contains(&format!(",\"id\":{id},")), "{id}: {line}");
            assert_eq!((event.posted_before(), event.posted()), (id - 1, id));
        }
    }
}
