//! A history in memory, which does as the test says: it waits, fails, forgets and leaves messages out.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Waker;

use parklet::channel::{self, Receiver, Sender};
use parklet::chat::history::{
    History, KeptMessage, NotKept, Page, Place, Query, Reading, Unreadable,
};

/// It is shared by the server and the test.
#[derive(Clone, Default)]
pub(crate) struct MemoryHistory(Arc<Shared>);

#[derive(Default)]
struct Shared {
    kept: Mutex<Kept>,
    /// The groups that have been forgotten, until somebody hears of it.
    forgotten: Mutex<Vec<String>>,
    /// Wakes whoever waits for that.
    waiting: Mutex<Option<Waker>>,
}

#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) groups: BTreeMap<String, Vec<KeptMessage>>,
    /// What is said instead of messages.
    pub(crate) failure: Option<String>,
    /// What is taken is not kept.
    pub(crate) is_full: bool,
    pub(crate) left_out: Vec<Range<u64>>,
    /// Who reads waits until the other end of this is dropped.
    gate: Option<Receiver<()>>,
}

impl MemoryHistory {
    pub(crate) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap()
    }

    /// Who reads waits until what this returns is dropped.
    pub(crate) fn close(&self) -> Sender<()> {
        let (key, gate) = channel::bounded(1);
        self.kept().gate = Some(gate);
        key
    }

    /// Forgets a group, and tells the server.
    pub(crate) fn forget(&self, group: &str) {
        self.kept().groups.remove(group);
        self.0.forgotten.lock().unwrap().push(group.to_string());
        let waiting = self.0.waiting.lock().unwrap().take();
        waiting.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn shared(&self) -> Arc<dyn History> {
        Arc::new(self.clone())
    }
}

impl Kept {
    fn page(&self, query: &Query) -> Page {
        let all = self.groups.get(&query.group_name);
        let all = all.into_iter().flatten();
        let all = all.filter(|kept| kept.id <= query.until && kept.time >= query.since);
        let mut messages: Vec<KeptMessage> = all.cloned().collect();
        match query.place {
            Place::After(id) => messages.retain(|kept| kept.id > id),
            Place::Before(id) => messages.retain(|kept| kept.id < id),
            Place::Last(count) => {
                let surplus = messages.len().saturating_sub(count);
                messages.drain(..surplus);
            }
        }
        let newest_first = matches!(query.place, Place::Before(_));
        if newest_first {
            messages.reverse();
        }
        let found = messages.len();
        let mut bytes = 0;
        let mut fits = 0;
        for kept in messages.iter().take(query.messages) {
            if bytes >= query.bytes {
                break;
            }
            bytes += kept.message.len();
            fits += 1;
        }
        messages.truncate(fits);
        if newest_first {
            messages.reverse();
        }
        Page {
            more: messages.len() < found,
            messages,
            left_out: self.left_out.clone(),
        }
    }
}

impl History for MemoryHistory {
    fn groups(&self) -> Vec<String> {
        self.kept().groups.keys().cloned().collect()
    }

    fn last_id(&self, group_name: &str) -> Option<u64> {
        let kept = self.kept();
        let last = kept.groups.get(group_name)?.last()?.id;
        let after_gap = kept.left_out.iter().map(|gap| gap.end - 1).max();
        Some(last.max(after_gap.unwrap_or(0)))
    }

    fn keep(&self, group_name: &str, message: KeptMessage) -> Result<Option<Waker>, NotKept> {
        let mut kept = self.kept();
        if kept.is_full {
            return Err(NotKept);
        }
        let group = kept.groups.entry(group_name.to_string()).or_default();
        assert!(group.last().is_none_or(|last| last.id < message.id));
        group.push(message);
        Ok(None)
    }

    fn read(&self, query: Query) -> Reading {
        let history = self.clone();
        Box::pin(async move {
            let gate = history.kept().gate.clone();
            if let Some(gate) = gate {
                let _ = gate.recv().await;
            }
            let kept = history.kept();
            match &kept.failure {
                Some(failure) => Err(Unreadable(failure.clone())),
                None => Ok(kept.page(&query)),
            }
        })
    }

    fn forgotten(&self) -> std::pin::Pin<Box<dyn Future<Output = Vec<String>> + Send + '_>> {
        Box::pin(std::future::poll_fn(|cx| {
            let mut forgotten = self.0.forgotten.lock().unwrap();
            if forgotten.is_empty() {
                *self.0.waiting.lock().unwrap() = Some(cx.waker().clone());
                return std::task::Poll::Pending;
            }
            std::task::Poll::Ready(std::mem::take(&mut *forgotten))
        }))
    }
}
