//! Reading what is kept: a page of one group, from the file and from what is about to be written to it.

use std::ops::Range;
use std::sync::Arc;

use parklet::chat::history::{KeptMessage, Page, Place, Query};
use redb::AccessGuard;

use super::file::{HistoryFile, MESSAGES, Message, Problem, attempt};

impl HistoryFile {
    /// Reads a page of a group: from the file and, behind that, from `recent`, which may be in the file by now or not.
    pub(super) fn read(
        &self,
        number: Option<u64>,
        query: &Query,
        recent: &[Arc<KeptMessage>],
    ) -> Result<Page, Problem> {
        attempt("read", &self.path, || {
            let transaction = self.database.begin_read()?;
            let table = transaction.open_table(MESSAGES)?;
            let first_recent = recent.first().map_or(u64::MAX, |kept| kept.id);
            // In the file, with ids in this range, in their order or against it.
            let on_disk = |ids: Range<u64>| {
                let number = number.filter(|_| ids.start < ids.end);
                let keys = number.map(|number| (number, ids.start)..(number, ids.end));
                let found = keys.map(|keys| table.range(keys)).transpose();
                found.map(|found| found.into_iter().flatten())
            };
            let end = query.until.saturating_add(1);
            let mut page = Filling::new(query);
            match query.place {
                Place::Before(id) => {
                    let end = end.min(id);
                    let recent = recent.iter().rev().filter(|kept| kept.id < end);
                    page.take_all(recent.map(|kept| Ok((**kept).clone())))?;
                    let on_disk = on_disk(0..end.min(first_recent))?.rev();
                    page.take_all(on_disk.map(|entry| message_of(entry?)))?;
                    page.page.messages.reverse();
                }
                Place::After(_) | Place::Last(_) => {
                    let start = match query.place {
                        Place::Last(count) => {
                            let recent = recent.iter().rev();
                            let recent = recent.filter(|kept| kept.id < end);
                            let recent = recent.map(|kept| Ok((kept.id, kept.time)));
                            let on_disk = on_disk(0..end.min(first_recent))?.rev();
                            let on_disk = on_disk.map(|entry| {
                                let (key, value) = entry?;
                                Ok((key.value().1, value.value().0))
                            });
                            start_of_last(count, query.since, recent.chain(on_disk))?
                        }
                        Place::After(id) | Place::Before(id) => id.saturating_add(1),
                    };
                    let on_disk = on_disk(start..end.min(first_recent))?;
                    page.take_all(on_disk.map(|entry| message_of(entry?)))?;
                    let recent = recent.iter();
                    let recent = recent.filter(|kept| kept.id >= start && kept.id < end);
                    page.take_all(recent.map(|kept| Ok((**kept).clone())))?;
                }
            }
            Ok(page.page)
        })
    }
}

/// A page that is being filled.
struct Filling<'a> {
    query: &'a Query,
    bytes: usize,
    page: Page,
}

impl<'a> Filling<'a> {
    fn new(query: &'a Query) -> Self {
        let page = Page::default();
        Self {
            query,
            bytes: 0,
            page,
        }
    }

    /// Takes messages as long as there is room.
    fn take_all(
        &mut self,
        messages: impl Iterator<Item = Result<KeptMessage, Problem>>,
    ) -> Result<(), Problem> {
        for kept in messages {
            let kept = kept?;
            if kept.time < self.query.since {
                continue;
            }
            let taken = self.page.messages.len();
            if taken >= self.query.messages || (taken > 0 && self.bytes >= self.query.bytes) {
                self.page.more = true;
            }
            if self.page.more {
                break;
            }
            self.bytes += kept.message.len();
            self.page.messages.push(kept);
        }
        Ok(())
    }
}

/// The id with which the last so many begin, of those that come newest first with their times.
fn start_of_last(
    count: usize,
    since: u64,
    newest_first: impl Iterator<Item = Result<(u64, u64), Problem>>,
) -> Result<u64, Problem> {
    let mut start = u64::MAX;
    for entry in newest_first.take(count) {
        let (id, time) = entry?;
        if time < since {
            break;
        }
        start = id;
    }
    Ok(start)
}

/// A message that was read, if it is one.
fn message_of(
    (key, value): (AccessGuard<'_, (u64, u64)>, AccessGuard<'_, Message>),
) -> Result<KeptMessage, Problem> {
    let (_, id) = key.value();
    let (time, from, message) = value.value();
    let text = |bytes: &[u8]| match str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(Problem(format!("message {id}: {error}"))),
    };
    Ok(KeptMessage {
        message: text(message)?,
        from: from.map(text).transpose()?,
        id,
        time,
    })
}
