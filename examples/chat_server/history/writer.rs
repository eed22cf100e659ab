//! The task that writes what waits in the history's queue, forgets what is too old, and opens the file again after a
//! failure: one thing after the other, each on a thread that may block.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use parklet::future;
use parklet::task;

use super::file::{Addition, GroupOnDisk};
use super::{Shared, State, length, lock, now};

/// How long after a failure the file is opened again, the first time; then twice as long each time.
const FIRST_RETRY: Duration = Duration::from_secs(5);

/// No longer than this.
const LAST_RETRY: Duration = Duration::from_secs(300);

/// How often it is looked for messages that are too old, at most and at least.
const EXPIRE_EVERY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(3600));

/// How often it is said at most that messages are not kept.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// The writer: one write after the other, until the history is closed.
pub(super) async fn write_until_closed(shared: Arc<Shared>) {
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

    /// Opens the file again after a failure.
    async fn open_again(&self) {
        let (file, found) = match self.open_file(true).await {
            Ok(opened) => opened,
            Err(problem) => {
                tracing::warn!("{problem}; the chat still goes on without history");
                return;
            }
        };
        let mut found: HashMap<String, GroupOnDisk> = found.groups.into_iter().collect();
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
