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

/// A membership.
pub(crate) struct Membership {
    /// What was posted since. It is dropped before `place`, which then looks who is left.
    inbox: broadcast::Receiver<Event>,
    /// How many messages of the group have been passed on or were missed.
    seen: u64,
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
            is_listening: false,
            place: Place {
                group,
                table,
                member,
            },
        }
    }

    pub(crate) fn group_name(&self) -> &str {
        self.place.group.name()
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
        if self.is_listening && !is_new_waker && self.inbox.is_empty() {
            return Poll::Pending;
        }
        self.is_listening = false;
        let mut batch = self.place.table.metrics.batch();
        while outbound.has_room() {
            match Pin::new(&mut self.inbox).poll_next(cx) {
                Poll::Ready(Some(Ok(event))) => {
                    let missed = event.posted_before().saturating_sub(self.seen);
                    self.seen = event.posted();
                    if missed > 0 {
                        batch.lagged(missed);
                    }
                    match policy {
                        _ if missed == 0 => {}
                        LagPolicy::Skip => outbound.push(self.dropped_notice(missed)),
                        LagPolicy::Disconnect => return Poll::Ready(Err(self.lagged(missed))),
                    }
                    if !event.is_notice() {
                        batch.delivered();
                    }
                    let (line, pieces) = event.pieces_for(&self.place.member);
                    outbound.push_pieces(line, pieces);
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

    /// What the client is told when its place in the ring was overwritten.
    fn dropped_notice(&self, dropped: u64) -> Frame {
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
