//! One group: whatever is posted to it reaches each member.
//!
//! A group is a ring of the last 1000 messages. Every member reads it at its own pace, in a task of its own; who falls
//! behind the ring loses the oldest, is told how many, and slows nobody.

use std::convert::Infallible;
use std::pin::pin;

use super::accept::ChatStream;
use super::outbound::Outbound;
use super::protocol::{Frame, FromServer, frame};
use crate::channel;
use crate::future;
use crate::io;
use crate::sync::broadcast::{self, RecvError, TryRecvError};

/// How many messages a group keeps for members that have not read them yet.
const RING_SIZE: usize = 1000;

/// How many messages a member's task writes with one system call. Enough to make the call's own cost vanish, and well
/// under the 1024 slices that Linux takes at once.
const MAX_BATCH_FRAMES: usize = 64;

/// After how many bytes a member's task stops adding messages to what it writes at once. What has been taken from the
/// ring can no longer fall out of it, so this bounds what a member that does not read keeps in memory.
const MAX_BATCH_BYTES: usize = 64 * 1024;

/// Tells a member's task to leave: nothing is ever sent, but `recv` returns once the other end is dropped.
pub(crate) type Leave = channel::Receiver<Infallible>;

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

    /// Carries what `inbox` receives on to a member, until the member leaves or cannot be reached any more. What was
    /// posted before it leaves still goes out.
    pub(crate) async fn forward<S: ChatStream>(
        &self,
        inbox: &mut broadcast::Receiver<Frame>,
        outbound: &Outbound<S>,
        leave: Leave,
    ) -> io::Result<()> {
        let mut left = pin!(async {
            let _ = leave.recv().await;
            None
        });
        // Leaving comes first, or a member of a group that never falls silent would never be heard to leave.
        while let Some(received) =
            future::or(left.as_mut(), async { Some(inbox.recv().await) }).await
        {
            let first = match received {
                Ok(frame) => frame,
                Err(RecvError::Lagged(dropped)) => self.dropped_notice(dropped),
                Err(RecvError::Closed) => return Ok(()),
            };
            outbound
                .send_frames(&self.batch(Some(first), inbox))
                .await?;
        }
        loop {
            let batch = self.batch(None, inbox);
            if batch.is_empty() {
                return Ok(());
            }
            outbound.send_frames(&batch).await?;
        }
    }

    /// `first`, and as much of what is already in `inbox` as may be written at once.
    fn batch(&self, first: Option<Frame>, inbox: &mut broadcast::Receiver<Frame>) -> Vec<Frame> {
        let mut bytes = first.as_ref().map_or(0, |frame| frame.len());
        let mut frames = Vec::from_iter(first);
        while frames.len() < MAX_BATCH_FRAMES && bytes < MAX_BATCH_BYTES {
            let frame = match inbox.try_recv() {
                Ok(frame) => frame,
                Err(TryRecvError::Lagged(dropped)) => self.dropped_notice(dropped),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            };
            bytes += frame.len();
            frames.push(frame);
        }
        frames
    }

    /// What a member is told whose place in the ring was overwritten.
    fn dropped_notice(&self, dropped: u64) -> Frame {
        let text = format!("Dropped {dropped} messages from {}.", self.name);
        frame(&FromServer::Error(text))
    }
}
