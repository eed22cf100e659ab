//! One client's place in one group: what was posted since it joined, as far as it was not sent yet. To drop it is to leave.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::accept::ChatStream;
use super::extended::{ErrorCode, Reply};
use super::group::{Event, Group, Member};
use super::group_table::GroupTable;
use super::limits::LagPolicy;
use super::outbound::Outbound;
use super::protocol::{Frame, frame};
use super::refusal::Refusal;
use crate::stream::Stream;
use crate::sync::broadcast;

/// How often a member that joins is replayed what was posted while it was replayed something. After that it falls behind
/// like anybody who reads too slowly.
const MAX_ROUNDS: u32 = 8;

/// A membership.
pub(crate) struct Membership {
    /// What was posted since. It is dropped before `place`, which then looks who is left.
    inbox: broadcast::Receiver<Event>,
    /// The id of the last message of the group that was passed on or missed.
    seen: u64,
    /// What was posted before is still being replayed.
    is_replaying: bool,
    /// The client's task is among those whom the next message wakes.
    is_listening: bool,
    place: Place,
}

impl Membership {
    pub(crate) fn new(group: Arc<Group>, table: Arc<GroupTable>, member: Member) -> Self {
        let (inbox, seen) = group.add(&member);
        Self {
            inbox,
            seen,
            is_replaying: false,
            is_listening: false,
            place: Place {
                group,
                table,
                member,
            },
        }
    }

    pub(crate) fn group(&self) -> &Group {
        &self.place.group
    }

    pub(crate) fn group_name(&self) -> &str {
        self.place.group.name()
    }

    /// The id of the last message that was passed on or missed: after joining, that of the last one before.
    pub(crate) fn seen(&self) -> u64 {
        self.seen
    }

    /// Until [`catch_up`](Self::catch_up) has nothing more, nothing is passed on: what was before comes first.
    pub(crate) fn begin_replay(&mut self) {
        self.is_replaying = true;
    }

    /// Up to which id more is to be replayed, after so many times; nothing if the ring goes on from here.
    pub(crate) fn catch_up(&mut self, round: u32) -> Option<u64> {
        let group = &self.place.group;
        let half = self.place.table.ring_size as u64 / 2;
        if group.posted() - self.seen <= half || round == MAX_ROUNDS {
            self.end_replay();
            return None;
        }
        // The new place is taken before the old one is given up.
        (self.inbox, self.seen) = group.subscribe();
        self.is_listening = false;
        Some(self.seen)
    }

    /// The ring goes on from here.
    pub(crate) fn end_replay(&mut self) {
        self.is_replaying = false;
    }

    pub(crate) fn count_replayed(&self, messages: u64) {
        self.place.table.metrics.replayed(messages);
    }

    /// Whether all that was posted has been passed on.
    pub(crate) fn is_up_to_date(&self) -> bool {
        self.inbox.is_empty()
    }

    /// Passes on what was posted, as long as `outbound` has room for it; where it has more, waits for what comes next.
    ///
    /// A client has many groups, and few of them have news when it is woken: the others are asked again, under the lock
    /// of their ring, only if the waker they know is an old one.
    ///
    /// # Errors
    ///
    /// The client has fallen behind, and `policy` is to disconnect it.
    pub(crate) fn poll_pass_on<S: ChatStream>(
        &mut self,
        cx: &mut Context<'_>,
        is_new_waker: bool,
        outbound: &mut Outbound<S>,
        policy: LagPolicy,
    ) -> Poll<Result<(), Refusal>> {
        if self.is_replaying || self.is_listening && !is_new_waker && self.inbox.is_empty() {
            return Poll::Pending;
        }
        self.is_listening = false;
        let mut batch = self.place.table.metrics.batch();
        while outbound.has_room() {
            match Pin::new(&mut self.inbox).poll_next(cx) {
                Poll::Ready(Some(Ok(event))) => {
                    let skipped = self.fallen_out(&event);
                    if skipped > 0 && skipped == event.messages() {
                        continue;
                    }
                    let missed = (event.posted_before() + skipped).saturating_sub(self.seen);
                    self.seen = event.posted();
                    if missed > 0 {
                        batch.lagged(missed);
                    }
                    match policy {
                        _ if missed == 0 => {}
                        LagPolicy::Skip => outbound.push(self.dropped_notice(missed)),
                        LagPolicy::Disconnect => return Poll::Ready(Err(self.lagged(missed))),
                    }
                    if let Some(at) = event.posted_at() {
                        batch.delivered(event.messages() - skipped, at);
                    }
                    let (lines, part) = event.part_for(&self.place.member, skipped);
                    outbound.push_part(lines, part);
                }
                // Among what was missed may be notices. The next message says how many messages there were.
                Poll::Ready(Some(Err(_))) => {}
                // The group is alive as long as it has members.
                Poll::Ready(None) => return Poll::Pending,
                Poll::Pending => {
                    self.is_listening = true;
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    /// How many of an event's messages are older than what a group keeps for its members. The ring counts events.
    fn fallen_out(&self, event: &Event) -> u64 {
        let ring_size = self.place.table.ring_size as u64;
        let last_gone = self.place.group.posted().saturating_sub(ring_size.max(1));
        let gone = last_gone.saturating_sub(event.posted_before());
        gone.min(event.messages())
    }

    /// What the client is told when its place in the ring was overwritten, or what it asks for is not kept.
    pub(crate) fn dropped_notice(&self, dropped: u64) -> Frame {
        match &self.place.member.name {
            None => self.lagged(dropped).base(),
            Some(_) => frame(&Reply::Lagged {
                group_name: self.group_name().to_string(),
                dropped,
            }),
        }
    }

    fn lagged(&self, dropped: u64) -> Refusal {
        let group_name = self.group_name();
        let text = format!("Dropped {dropped} messages from {group_name}.");
        Refusal::new(ErrorCode::Lagged, text).about(group_name)
    }
}

/// A member in its group. The last one to leave takes the group out of the table.
struct Place {
    group: Arc<Group>,
    table: Arc<GroupTable>,
    member: Member,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.group.remove(&self.member);
        self.table.prune(self.group.name());
    }
}
