//! One client's place in one group: what was posted since it joined, as far as it was not sent yet. To drop it is to leave.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::accept::ChatStream;
use super::group::Group;
use super::group_table::GroupTable;
use super::outbound::Outbound;
use super::protocol::Frame;
use crate::stream::Stream;
use crate::sync::broadcast::{self, RecvError};

/// A membership.
pub(crate) struct Membership {
    /// What was posted since. It is dropped before `place`, which then looks who is left.
    inbox: broadcast::Receiver<Frame>,
    /// The client's task is among those whom the next message wakes.
    is_listening: bool,
    place: Place,
}

impl Membership {
    pub(crate) fn new(group: Arc<Group>, table: Arc<GroupTable>) -> Self {
        Self {
            inbox: group.subscribe(),
            is_listening: false,
            place: Place { group, table },
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
    pub(crate) fn poll_pass_on<S: ChatStream>(
        &mut self,
        cx: &mut Context<'_>,
        is_new_waker: bool,
        outbound: &mut Outbound<S>,
    ) -> Poll<()> {
        if self.is_listening && !is_new_waker && self.inbox.is_empty() {
            return Poll::Pending;
        }
        self.is_listening = false;
        let mut batch = self.place.table.metrics.batch();
        while outbound.has_room() {
            match Pin::new(&mut self.inbox).poll_next(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    batch.delivered();
                    outbound.push(frame);
                }
                Poll::Ready(Some(Err(RecvError::Lagged(dropped)))) => {
                    batch.lagged(dropped);
                    outbound.push(self.place.group.dropped_notice(dropped));
                }
                Poll::Ready(Some(Err(RecvError::Closed)) | None) => return Poll::Pending,
                Poll::Pending => {
                    self.is_listening = true;
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(())
    }
}

/// The last member to leave takes the group out of the table.
struct Place {
    group: Arc<Group>,
    table: Arc<GroupTable>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.table.prune(self.group.name());
    }
}
