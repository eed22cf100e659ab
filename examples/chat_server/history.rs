//! Messages that outlive the server: who keeps them in memory until they are on disk, and when they get there.
//!
//! ```text
//! keep ──► queue, bounded ── every flush interval ──► one write (writer.rs, file.rs)
//!             │                                          │
//! read ───────┴──── what is in the queue, and before ────┘ (page.rs)
//! ```
//!
//! The chat never waits for the disk. Where that is slower than the chat the queue is full, and what comes then is
//! delivered but not kept, counted and said. If the disk fails, what is in the queue is lost; the chat goes on without
//! history, says so to whoever asks for it, and the file is opened again after a while.
//!
//! `writer.rs` is the task between them, `file.rs` what is on disk, `page.rs` how that is read. Disks block, so all that they do
//! is done on threads that may.
//!
//! A kill loses what was posted in the flush interval before it, and while a write was under way.

mod file;
mod page;
mod writer;

use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, SystemTime};

use parklet::chat::history::{History, KeptMessage, NotKept, Page, Query, Reading, Unreadable};
use parklet::future;
use parklet::sync::Semaphore;
use parklet::task::{self, JoinHandle};

use crate::settings::Settings;
use file::{Bounds, Found, GroupOnDisk, HistoryFile, Problem, ids_up_to};

/// How many reads are done at once; the others wait. A disk is not faster for more of them.
const READS_AT_ONCE: usize = 4;

/// How long the end may take: the last write.
const CLOSE_LIMIT: Duration = Duration::from_secs(10);

/// What a message costs in the queue beside its text.
const MESSAGE_OVERHEAD: usize = 128;

/// The history of this server.
#[derive(Clone)]
pub(crate) struct KeptOnDisk(Arc<Shared>);

/// What there is to be known about it.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Messages are kept now.
    pub(crate) is_up: bool,
    /// Messages that are kept, on disk or in the queue.
    pub(crate) messages: u64,
    /// Bytes in the queue.
    pub(crate) queued: u64,
    /// Messages that were not kept: the queue was full, there were too many groups, or the disk failed.
    pub(crate) dropped: u64,
    /// Writes.
    pub(crate) flushes: u64,
    /// Times that the disk failed.
    pub(crate) failures: u64,
}

struct Shared {
    directory: PathBuf,
    bounds: Bounds,
    max_groups: usize,
    max_queue: usize,
    flush_interval: Duration,
    /// One lock, since a message is in the queue, counted, and in its group, or none of it. Never held while the disk works.
    state: Mutex<State>,
    reads: Arc<Semaphore>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct State {
    /// The groups of which something is kept.
    groups: HashMap<Arc<str>, Group>,
    /// Groups that are new begin above this id (see [`Found`]).
    last_lost_id: u64,
    /// Those of them about which something is to be written.
    unwritten: Vec<Arc<str>>,
    /// How long the queue is, what is just being written included.
    queued: usize,
    /// Nothing after a failure.
    file: Option<Arc<HistoryFile>>,
    is_closing: bool,
    /// The writer, when it waits.
    writer: Option<Waker>,
    /// The groups of which nothing is kept any longer, until the server hears of it.
    forgotten: Vec<String>,
    /// The server, when it waits for that.
    forgetter: Option<Waker>,
    counts: Counts,
    /// How many messages were dropped since the queue was full.
    queue_was_full: u64,
    /// How many were dropped since they would have made one group more than there may be.
    groups_were_full: u64,
}

/// A group of which something is kept.
#[derive(Default)]
struct Group {
    /// Its number in the file, once it is there.
    number: Option<u64>,
    last_id: u64,
    /// How many messages are in the file.
    on_disk: u64,
    /// The time of the oldest of them.
    oldest: u64,
    left_out: Vec<Range<u64>>,
    /// What is to be written.
    pending: Vec<Arc<KeptMessage>>,
    /// What is just being written.
    writing: Vec<Arc<KeptMessage>>,
    is_unwritten: bool,
}

impl fmt::Debug for KeptOnDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeptOnDisk").field(&self.counts()).finish()
    }
}

impl KeptOnDisk {
    /// Opens the history in `directory`, and keeps it in a task from now on.
    ///
    /// # Errors
    ///
    /// What is wrong with the directory, or the file in it.
    pub(crate) async fn open(directory: &str, settings: &Settings) -> Result<Self, Problem> {
        let bounds = Bounds {
            messages: settings.limits.history_messages as u64,
            age: milliseconds(settings.limits.history_age),
        };
        let shared = Shared {
            directory: directory.into(),
            bounds,
            max_groups: settings.history_groups,
            max_queue: settings.history_queue,
            flush_interval: settings.history_flush,
            state: Mutex::default(),
            reads: Arc::new(Semaphore::new(READS_AT_ONCE)),
            writer: Mutex::default(),
        };
        let (file, found) = shared.open_file(false).await?;
        let mut state = lock(&shared.state);
        state.file = Some(Arc::new(file));
        state.counts.is_up = true;
        state.last_lost_id = found.last_lost_id;
        for (name, on_disk) in found.groups {
            let mut group = Group::default();
            group.is_as(on_disk);
            state.groups.insert(name.into(), group);
        }
        drop(state);
        let kept = Self(Arc::new(shared));
        let writing = writer::write_until_closed(kept.0.clone());
        let writer = task::Builder::new().name("history".into()).spawn(writing);
        let writer = writer?;
        *lock(&kept.0.writer) = Some(writer);
        Ok(kept)
    }

    /// Writes what is not written yet, and closes the file. Nobody may keep anything after that.
    pub(crate) async fn close(&self) {
        let writer = {
            let mut state = lock(&self.0.state);
            state.is_closing = true;
            state.writer.take()
        };
        writer.into_iter().for_each(Waker::wake);
        let writer = lock(&self.0.writer).take();
        if let Some(writer) = writer
            && future::timeout(CLOSE_LIMIT, writer).await.is_err()
        {
            tracing::error!("the history takes too long to close; its last messages may be lost");
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        let state = lock(&self.0.state);
        let of_group = |group: &Group| group.on_disk + group.queued_messages();
        Counts {
            messages: state.groups.values().map(of_group).sum(),
            queued: state.queued as u64,
            ..state.counts
        }
    }
}

/// Whether there could be a history in this directory: for `--check-config`, which changes nothing.
///
/// # Errors
///
/// What is wrong with it.
pub(crate) fn check(directory: &str) -> Result<(), String> {
    let found = Path::new(directory).read_dir();
    let found = found.map_err(|error| format!("cannot use the directory {directory}: {error}"));
    found.map(drop)
}

impl History for KeptOnDisk {
    fn groups(&self) -> Vec<String> {
        let state = lock(&self.0.state);
        state.groups.keys().map(ToString::to_string).collect()
    }

    fn last_id(&self, group_name: &str) -> Option<u64> {
        let state = lock(&self.0.state);
        state.groups.get(group_name).map(|group| group.last_id)
    }

    fn last_lost_id(&self) -> u64 {
        lock(&self.0.state).last_lost_id
    }

    fn keep(&self, group_name: &str, message: KeptMessage) -> Result<Option<Waker>, NotKept> {
        let mut state = lock(&self.0.state);
        let state = &mut *state;
        let length = length(&message);
        let is_up = state.file.is_some();
        let has_room = is_up && state.queued + length <= self.0.max_queue;
        let has_place = state.groups.contains_key(group_name)
            || (has_room && state.groups.len() < self.0.max_groups);
        if !has_room || !has_place {
            state.counts.dropped += 1;
            state.queue_was_full += u64::from(is_up && !has_room);
            state.groups_were_full += u64::from(has_room);
        }
        if !has_place {
            return Err(NotKept);
        }
        let was_idle = state.unwritten.is_empty();
        let was_half_empty = state.queued < self.0.max_queue / 2;
        if !state.groups.contains_key(group_name) {
            let group = Group {
                left_out: ids_up_to(state.last_lost_id),
                ..Group::default()
            };
            state.groups.insert(group_name.into(), group);
        }
        let Some(group) = state.groups.get_mut(group_name) else {
            return Err(NotKept);
        };
        // Also if the message is dropped: nobody else is to have its id, and it will be missed.
        group.last_id = message.id;
        if !group.is_unwritten {
            group.is_unwritten = true;
            state.unwritten.push(group_name.into());
        }
        if !has_room {
            return Err(NotKept);
        }
        group.pending.push(Arc::new(message));
        state.queued += length;
        let is_half_full = was_half_empty && state.queued >= self.0.max_queue / 2;
        let wakes = was_idle || is_half_full;
        Ok(wakes.then(|| state.writer.take()).flatten())
    }

    fn read(&self, mut query: Query) -> Reading {
        let shared = self.0.clone();
        Box::pin(async move {
            let permit = shared.reads.acquire_arc().await;
            let (file, number, recent, left_out) = {
                let state = lock(&shared.state);
                let file = state.file.clone().ok_or_else(unreadable)?;
                let Some(group) = state.groups.get(&*query.group_name) else {
                    let left_out = ids_up_to(state.last_lost_id);
                    return Ok(Page {
                        left_out,
                        ..Page::default()
                    });
                };
                // Before the file is looked at: what is written meanwhile is found in one of them.
                let recent = group.writing.iter().chain(&group.pending).cloned();
                let recent: Vec<_> = recent.collect();
                (file, group.number, recent, group.left_out.clone())
            };
            let oldest = now().saturating_sub(shared.bounds.age);
            query.since = query.since.max(oldest);
            let reading = task::spawn_blocking(move || {
                let page = file.read(number, &query, &recent);
                drop((file, permit));
                page
            });
            match reading.await {
                Ok(page) => Ok(Page { left_out, ..page }),
                Err(problem) => {
                    shared.fail(&problem);
                    Err(unreadable())
                }
            }
        })
    }

    fn forgotten(&self) -> Pin<Box<dyn Future<Output = Vec<String>> + Send + '_>> {
        Box::pin(poll_fn(|cx| {
            let mut state = lock(&self.0.state);
            if state.forgotten.is_empty() {
                let before = state.forgetter.replace(cx.waker().clone());
                drop((state, before));
                return Poll::Pending;
            }
            Poll::Ready(std::mem::take(&mut state.forgotten))
        }))
    }
}

/// What a client is told whose messages cannot be read. Where they are, and what is wrong, is the operator's business.
fn unreadable() -> Unreadable {
    Unreadable("what was posted before cannot be read for now".to_owned())
}

impl Group {
    fn is_as(&mut self, on_disk: GroupOnDisk) {
        self.number = Some(on_disk.number);
        self.last_id = self.last_id.max(on_disk.last_id);
        self.on_disk = on_disk.messages;
        self.oldest = on_disk.oldest;
        self.left_out = on_disk.left_out;
    }

    fn queued_messages(&self) -> u64 {
        (self.pending.len() + self.writing.len()) as u64
    }
}

impl Shared {
    async fn open_file(&self, goes_on: bool) -> Result<(HistoryFile, Found), Problem> {
        let (directory, bounds) = (self.directory.clone(), self.bounds);
        task::spawn_blocking(move || HistoryFile::open(&directory, bounds, goes_on)).await
    }

    /// The disk has failed: without it there is no history.
    fn fail(&self, problem: &Problem) {
        let mut state = lock(&self.state);
        let file = state.file.take();
        if file.is_none() {
            // It is known.
            return;
        }
        state.counts.is_up = false;
        state.counts.failures += 1;
        let lost: u64 = state.groups.values().map(Group::queued_messages).sum();
        state.counts.dropped += lost;
        state.queued = 0;
        for group in state.groups.values_mut() {
            group.pending = Vec::new();
            group.writing = Vec::new();
        }
        let writer = state.writer.take();
        self.forget_empty(state);
        // To close it may take the disk.
        drop(task::spawn_blocking(move || file.map(HistoryFile::abandon)));
        tracing::error!("{problem}; the chat goes on without history, {lost} messages are lost");
        writer.into_iter().for_each(Waker::wake);
    }

    /// Forgets the groups of which nothing is kept, and lets the server know.
    fn forget_empty(&self, mut state: MutexGuard<'_, State>) {
        let mut forgotten = Vec::new();
        state.groups.retain(|name, group| {
            let is_kept = group.number.is_some() || group.queued_messages() > 0;
            if !is_kept {
                forgotten.push(name.to_string());
            }
            is_kept
        });
        let forgetter = (!forgotten.is_empty()).then(|| state.forgetter.take());
        state.forgotten.append(&mut forgotten);
        drop(state);
        forgetter.flatten().into_iter().for_each(Waker::wake);
    }
}

/// What a message takes of the queue.
fn length(message: &KeptMessage) -> usize {
    let from = message.from.as_ref().map_or(0, String::len);
    message.message.len() + from + MESSAGE_OVERHEAD
}

/// Now, in milliseconds since the beginning of 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, milliseconds)
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No change above leaves anything half done, so a panic leaves it as it should be.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
