//! Messages that outlive the server: who keeps them in memory until they are on disk, and when they get there.
//!
//! ```text
//! keep ──► queue, bounded ── every flush interval ──► one write (history_file.rs, a thread that may block)
//!             │                                          │
//! read ───────┴──── what is in the queue, and before ────┘
//! ```
//!
//! The chat never waits for the disk. Where that is slower than the chat the queue is full, and what comes then is
//! delivered but not kept, counted and said. If the disk fails, what is in the queue is lost; the chat goes on without
//! history, says so to whoever asks for it, and the file is opened again after a while.
//!
//! A kill loses what was posted in the flush interval before it, and while a write was under way.

use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant, SystemTime};

use parklet::chat::history::{History, KeptMessage, NotKept, Page, Query, Reading, Unreadable};
use parklet::future;
use parklet::sync::Semaphore;
use parklet::task::{self, JoinHandle};

use crate::history_file::{Addition, Bounds, GroupOnDisk, HistoryFile, Problem};
use crate::settings::Settings;

/// How many reads are done at once; the others wait. A disk is not faster for more of them.
const READS_AT_ONCE: usize = 4;

/// How long after a failure the file is opened again, the first time; then twice as long each time.
const FIRST_RETRY: Duration = Duration::from_secs(5);

/// No longer than this.
const LAST_RETRY: Duration = Duration::from_secs(300);

/// How often it is looked for messages that are too old, at most and at least.
const EXPIRE_EVERY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(3600));

/// How often it is said at most that messages are not kept.
const SAY_EVERY: Duration = Duration::from_secs(10);

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
        for (name, on_disk) in found {
            let mut group = Group::default();
            group.is_as(on_disk);
            state.groups.insert(name.into(), group);
        }
        drop(state);
        let kept = Self(Arc::new(shared));
        let writing = write_until_closed(kept.0.clone());
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
            state.groups.insert(group_name.into(), Group::default());
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
                    return Ok(Page::default());
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

/// The writer: one write after the other, until the history is closed.
async fn write_until_closed(shared: Arc<Shared>) {
    let expire_every = Duration::from_millis(shared.bounds.age / 4);
    let expire_every = expire_every.clamp(EXPIRE_EVERY.0, EXPIRE_EVERY.1);
    let mut expire_at = Instant::now() + expire_every;
    let mut retry = FIRST_RETRY;
    let mut well_since = Instant::now();
    let mut said = Said::default();
    loop {
        if lock(&shared.state).file.is_none() {
            if well_since.elapsed() > 2 * LAST_RETRY {
                retry = FIRST_RETRY;
            }
            let is_closing = poll_fn(|cx| shared.poll_work(cx, |state, _| state.is_closing));
            if future::timeout(retry, is_closing).await.is_ok() {
                return;
            }
            retry = LAST_RETRY.min(2 * retry);
            shared.open_again().await;
            well_since = Instant::now();
            continue;
        }
        let has_work = |state: &State, _| {
            state.is_closing || state.file.is_none() || !state.unwritten.is_empty()
        };
        let has_work = poll_fn(|cx| shared.poll_work(cx, has_work));
        let until_expiry = expire_at.saturating_duration_since(Instant::now());
        if future::timeout(until_expiry, has_work).await.is_ok() {
            // More may come, and one write costs as much for many.
            let has_enough = |state: &State, max: usize| {
                state.is_closing || state.file.is_none() || state.queued >= max / 2
            };
            let has_enough = poll_fn(|cx| shared.poll_work(cx, has_enough));
            let _ = future::timeout(shared.flush_interval, has_enough).await;
            shared.flush().await;
            said.about(&shared);
        }
        if Instant::now() >= expire_at {
            shared.expire().await;
            expire_at = Instant::now() + expire_every;
        }
        let is_done = {
            let state = lock(&shared.state);
            // While the last write was under way more may have come.
            state.is_closing && state.unwritten.is_empty()
        };
        if is_done {
            shared.close_file().await;
            return;
        }
    }
}

impl Shared {
    async fn open_file(
        &self,
        goes_on: bool,
    ) -> Result<(HistoryFile, Vec<(String, GroupOnDisk)>), Problem> {
        let (directory, bounds) = (self.directory.clone(), self.bounds);
        task::spawn_blocking(move || HistoryFile::open(&directory, bounds, goes_on)).await
    }

    /// Waits for the writer until `is_there`, which is given the queue's greatest length.
    fn poll_work(
        &self,
        cx: &mut Context<'_>,
        is_there: impl Fn(&State, usize) -> bool,
    ) -> Poll<()> {
        let mut state = lock(&self.state);
        if is_there(&state, self.max_queue) {
            return Poll::Ready(());
        }
        let before = state.writer.replace(cx.waker().clone());
        drop((state, before));
        Poll::Pending
    }

    /// Writes what is in the queue.
    async fn flush(&self) {
        let (file, batch, bytes) = {
            let mut state = lock(&self.state);
            let state = &mut *state;
            let Some(file) = state.file.clone() else {
                return;
            };
            let mut batch = Vec::with_capacity(state.unwritten.len());
            for name in state.unwritten.drain(..) {
                let Some(group) = state.groups.get_mut(&name) else {
                    continue;
                };
                group.is_unwritten = false;
                group.writing = std::mem::take(&mut group.pending);
                batch.push(Addition {
                    name,
                    last_id: group.last_id,
                    messages: group.writing.clone(),
                });
            }
            let messages = batch.iter().flat_map(|addition| &addition.messages);
            let bytes = messages.map(|message| length(message)).sum::<usize>();
            (file, batch, bytes)
        };
        if batch.is_empty() {
            return;
        }
        let (batch, written) = task::spawn_blocking(move || {
            let written = file.write(&batch, now());
            drop(file);
            (batch, written)
        })
        .await;
        let written = match written {
            Ok(written) => written,
            Err(problem) => return self.fail(&problem),
        };
        let mut state = lock(&self.state);
        if state.file.is_none() {
            // Somebody who read has found it broken, and all that was in the queue has been counted as lost.
            return;
        }
        for (addition, on_disk) in batch.into_iter().zip(written) {
            if let Some(group) = state.groups.get_mut(&addition.name) {
                group.is_as(on_disk);
                group.writing = Vec::new();
            }
        }
        state.queued -= bytes;
        state.counts.flushes += 1;
    }

    /// Forgets what is too old.
    async fn expire(&self) {
        let too_old = now().saturating_sub(self.bounds.age);
        let (file, names) = {
            let state = lock(&self.state);
            let Some(file) = state.file.clone() else {
                return;
            };
            let groups = state.groups.iter();
            let too_old = groups.filter(|(_, group)| group.on_disk == 0 || group.oldest < too_old);
            let too_old = too_old.filter(|(_, group)| group.number.is_some());
            (
                file,
                too_old.map(|(name, _)| name.clone()).collect::<Vec<_>>(),
            )
        };
        if names.is_empty() {
            return;
        }
        let (names, left) = task::spawn_blocking(move || {
            let left = file.expire(&names, now());
            drop(file);
            (names, left)
        })
        .await;
        let left = match left {
            Ok(left) => left,
            Err(problem) => return self.fail(&problem),
        };
        let mut state = lock(&self.state);
        for (name, on_disk) in names.iter().zip(left) {
            let Some(group) = state.groups.get_mut(name) else {
                continue;
            };
            let is_gone = on_disk.messages == 0;
            group.is_as(on_disk);
            if is_gone {
                group.number = None;
                group.left_out = Vec::new();
            }
        }
        self.forget_empty(state);
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

    /// Opens the file again after a failure.
    async fn open_again(&self) {
        let (file, found) = match self.open_file(true).await {
            Ok(opened) => opened,
            Err(problem) => {
                tracing::warn!("{problem}; the chat still goes on without history");
                return;
            }
        };
        let mut found: HashMap<String, GroupOnDisk> = found.into_iter().collect();
        let mut state = lock(&self.state);
        for (name, group) in &mut state.groups {
            // What was not there before is of another server, and its ids are not ours.
            let on_disk = found.remove(&**name);
            group.number = None;
            group.on_disk = 0;
            on_disk.into_iter().for_each(|on_disk| group.is_as(on_disk));
        }
        state.file = Some(Arc::new(file));
        state.counts.is_up = true;
        self.forget_empty(state);
        tracing::warn!("messages are kept again");
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

    /// Closes the file in good order.
    async fn close_file(&self) {
        let Some(file) = lock(&self.state).file.take() else {
            return;
        };
        let closed = task::spawn_blocking(move || file.close()).await;
        if let Err(problem) = closed {
            tracing::error!("{problem}");
        }
    }
}

/// How much has been said about messages that were not kept.
#[derive(Default)]
struct Said {
    queue_was_full: u64,
    groups_were_full: u64,
    at: Option<Instant>,
}

impl Said {
    /// Says it, if there is something new to say and nothing was said just now.
    fn about(&mut self, shared: &Shared) {
        if self.at.is_some_and(|at| at.elapsed() < SAY_EVERY) {
            return;
        }
        let now = {
            let state = lock(&shared.state);
            Self {
                queue_was_full: state.queue_was_full,
                groups_were_full: state.groups_were_full,
                at: Some(Instant::now()),
            }
        };
        let too_fast = now.queue_was_full - self.queue_was_full;
        let too_many = now.groups_were_full - self.groups_were_full;
        if too_fast > 0 {
            tracing::warn!("{too_fast} messages were not kept: the disk is slower than the chat");
        }
        if too_many > 0 {
            let groups = shared.max_groups;
            tracing::warn!("{too_many} messages were not kept: the history has {groups} groups");
        }
        if too_fast + too_many > 0 {
            *self = now;
        }
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
