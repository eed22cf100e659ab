//! What a client has asked for that takes a look at what is kept: an answer to `History`, or the replay when it joins.
//!
//! A client is on one errand at a time, and its next request waits until that is done, so that its answers have the order
//! of its requests. What others send it goes on meanwhile, but for what the replay has to come before.

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::extended::Reply;
use super::group;
use super::history::{History, KeptMessage, Page, Place, Query, Reading, Unreadable};
use super::limits::Limits;
use super::listing::{MAX_LISTED, MAX_LISTED_BYTES, Room};
use super::protocol::{Frame, frame};
use crate::future;

/// How long reading may take. A disk that is slower has failed as far as a client is concerned that waits for it.
const READ_LIMIT: Duration = Duration::from_secs(10);

/// How many messages are told of if a client does not say how many it wants.
const FEW_MESSAGES: usize = 100;

/// A request that waits for what is kept.
pub(crate) struct Errand {
    reading: Reading,
    pub(crate) purpose: Purpose,
}

/// What is done with what was read.
pub(crate) enum Purpose {
    /// It is the answer to a `History`.
    Answer(Question),
    /// The client has joined and gets it as if it were posted now.
    Replay(Replay),
}

impl Errand {
    fn new(history: &Arc<dyn History>, query: Query, purpose: Purpose) -> Self {
        let reading = future::timeout(READ_LIMIT, history.read(query));
        let reading = async move {
            let too_slow = |_| Unreadable("what is kept cannot be read in time".to_string());
            reading.await.map_err(too_slow)?
        };
        Self {
            reading: Box::pin(reading),
            purpose,
        }
    }

    /// Waits for what is read.
    pub(crate) fn poll_page(&mut self, cx: &mut Context<'_>) -> Poll<Result<Page, Unreadable>> {
        Pin::new(&mut self.reading).poll(cx)
    }
}

/// A `History` that was asked.
pub(crate) struct Question {
    group_name: String,
    place: Place,
    limit: usize,
}

impl Question {
    /// The last messages, if neither `before` nor `after` is said.
    pub(crate) fn new(
        group_name: String,
        before: Option<u64>,
        after: Option<u64>,
        limit: Option<usize>,
    ) -> Self {
        Self {
            group_name,
            place: match after {
                Some(id) => Place::After(id),
                None => Place::Before(before.unwrap_or(u64::MAX)),
            },
            limit: limit.unwrap_or(FEW_MESSAGES).min(MAX_LISTED),
        }
    }

    pub(crate) fn group_name(&self) -> &str {
        &self.group_name
    }

    /// Goes to read.
    pub(crate) fn ask(self, history: &Arc<dyn History>) -> Errand {
        let mut query = Query::new(self.group_name.clone(), self.place);
        query.messages = self.limit;
        query.bytes = MAX_LISTED_BYTES;
        Errand::new(history, query, Purpose::Answer(self))
    }

    /// The answer, cut where it is farthest from what was asked for.
    pub(crate) fn answer(self, page: Page) -> Reply {
        let mut room = Room::for_entries(self.limit);
        let mut fits = |message: &KeptMessage| room.takes(message);
        let found = page.messages.len();
        let mut messages: Vec<_> = match self.place {
            Place::Before(_) => {
                let newest_first = page.messages.into_iter().rev();
                newest_first.take_while(&mut fits).collect()
            }
            _ => page.messages.into_iter().take_while(&mut fits).collect(),
        };
        messages.sort_unstable_by_key(|message| message.id);
        Reply::History {
            group_name: self.group_name,
            more: page.more || messages.len() < found,
            messages,
        }
    }
}

/// A member that is sent what was posted before it joined.
pub(crate) struct Replay {
    group_name: String,
    /// The id of the last message before what comes through the ring.
    until: u64,
    /// The id up to which everything was sent or told as missing; nothing if it does not matter what was before.
    seen: Option<u64>,
    /// How much is read at once.
    page_bytes: usize,
    /// How often `until` has been set.
    round: u32,
}

impl Replay {
    /// Goes to read what is there for a member that takes messages from the ring after `until`; nothing if there is
    /// nothing to be replayed. An id that no message has had yet is one of a group that was forgotten meanwhile, and
    /// counts as none.
    pub(crate) fn begin(
        history: &Arc<dyn History>,
        group_name: &str,
        until: u64,
        after: Option<u64>,
        limits: &Limits,
    ) -> Option<Errand> {
        let after = after.filter(|after| *after <= until);
        let is_all_seen = after == Some(until);
        if until == 0 || is_all_seen || (after.is_none() && limits.replay_messages == 0) {
            return None;
        }
        let replay = Self {
            group_name: group_name.to_string(),
            until,
            seen: after,
            page_bytes: limits.outbox_bytes.min(MAX_LISTED_BYTES),
            round: 0,
        };
        let mut query = replay.query(Place::Last(limits.replay_messages));
        match after {
            Some(id) => query.place = Place::After(id),
            None => {
                let age = u64::try_from(limits.replay_age.as_millis()).unwrap_or(u64::MAX);
                query.since = group::now().saturating_sub(age);
            }
        }
        Some(Errand::new(history, query, Purpose::Replay(replay)))
    }

    pub(crate) fn group_name(&self) -> &str {
        &self.group_name
    }

    pub(crate) fn round(&self) -> u32 {
        self.round
    }

    fn query(&self, place: Place) -> Query {
        let mut query = Query::new(self.group_name.clone(), place);
        query.until = self.until;
        query.messages = MAX_LISTED;
        query.bytes = self.page_bytes;
        query
    }

    /// The lines for what was read, how many messages these are, and whether there is more to be read. `dropped_notice`
    /// makes the line about messages that are not there.
    pub(crate) fn lines(
        &mut self,
        page: Page,
        dropped_notice: impl Fn(u64) -> Frame,
    ) -> (Vec<u8>, u64, bool) {
        let mut lines = Vec::new();
        let has_more = page.more && !page.messages.is_empty();
        let messages = page.messages.len() as u64;
        let go_on_to = |seen: Option<u64>, id: u64, lines: &mut Vec<u8>| {
            let missed = seen.map_or(0, |seen| missed(seen + 1..id, &page.left_out));
            if missed > 0 {
                lines.extend_from_slice(&dropped_notice(missed));
            }
        };
        for kept in page.messages {
            go_on_to(self.seen, kept.id, &mut lines);
            self.seen = Some(kept.id);
            lines.extend_from_slice(&frame(&Reply::Message {
                group_name: self.group_name.clone(),
                message: kept.message,
                from: kept.from,
                id: kept.id,
                time: kept.time,
            }));
        }
        if !has_more {
            go_on_to(self.seen, self.until + 1, &mut lines);
            self.seen = Some(self.until);
        }
        (lines, messages, has_more)
    }

    /// Goes to read what comes after what has been sent.
    pub(crate) fn next_page(self, history: &Arc<dyn History>) -> Errand {
        let query = self.query(Place::After(self.seen.unwrap_or(0)));
        Errand::new(history, query, Purpose::Replay(self))
    }

    /// Goes to read what was posted meanwhile.
    pub(crate) fn next_round(mut self, until: u64, history: &Arc<dyn History>) -> Errand {
        self.until = until;
        self.round += 1;
        self.next_page(history)
    }
}

/// How many messages there were with these ids.
fn missed(ids: Range<u64>, left_out: &[Range<u64>]) -> u64 {
    let length = |ids: &Range<u64>| ids.end.saturating_sub(ids.start);
    let never_there = left_out.iter().map(|gap| {
        let both = ids.start.max(gap.start)..ids.end.min(gap.end);
        length(&both)
    });
    length(&ids).saturating_sub(never_there.sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_no_message_had_are_not_missed() {
        assert_eq!(missed(5..5, &[]), 0);
        assert_eq!(missed(5..9, &[]), 4);
        assert_eq!(missed(5..9, &[1..5, 9..20]), 4);
        assert_eq!(missed(5..9, &[1..6, 7..8]), 2);
        assert_eq!(missed(5..9, &[1..20, 30..40]), 0);
    }

    fn kept(id: u64, message: &str) -> KeptMessage {
        KeptMessage {
            id,
            message: message.to_string(),
            ..KeptMessage::default()
        }
    }

    /// The ids in the answer to a question, and whether there is more.
    fn answered(question: Question, page: Page) -> (Vec<u64>, bool) {
        let Reply::History { messages, more, .. } = question.answer(page) else {
            unreachable!()
        };
        (messages.iter().map(|message| message.id).collect(), more)
    }

    #[test]
    fn an_answer_is_cut_where_it_is_farthest_from_what_was_asked_for() {
        let long = "m".repeat(MAX_LISTED_BYTES / 3);
        let page = || Page {
            messages: (1..=5).map(|id| kept(id, &long)).collect(),
            ..Page::default()
        };
        let question = |before, after, limit| Question::new("g".into(), before, after, limit);
        assert_eq!(
            answered(question(None, None, None), page()),
            (vec![4, 5], true)
        );
        assert_eq!(
            answered(question(Some(6), None, None), page()),
            (vec![4, 5], true)
        );
        assert_eq!(
            answered(question(None, Some(0), None), page()),
            (vec![1, 2], true)
        );
        assert_eq!(
            answered(question(None, Some(0), Some(1)), page()),
            (vec![1], true)
        );
        assert_eq!(
            answered(question(None, Some(0), Some(0)), page()),
            (vec![], true)
        );
    }
}
