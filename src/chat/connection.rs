//! One connection, from its client's first line to its last.
//!
//! [`serve`] reads requests until the client has no more, breaks the rules, or the server stops; then it parts from the
//! client:
//!
//! | why | the client is told | its memberships |
//! |---|---|---|
//! | it sent the end of its requests (or left) | what was posted before, then the end | end when that is written |
//! | the server stops | the same | the same |
//! | a line is too long | an error that names the limit, then the end | end with the connection |
//! | the socket fails | nothing | end at once |
//!
//! A connection is one task, which reads and writes in turn: whatever it waits for wakes that one, and nothing in it
//! needs a lock.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use super::accept::ChatStream;
use super::group_table::GroupTable;
use super::inbound::Inbound;
use super::membership::Membership;
use super::outbound::Outbound;
use super::protocol::{ChatError, ChatResult, FromClient, FromServer, frame, parse};
use super::stop::Stop;
use crate::future;
use crate::io;

/// How many requests of one client are done before others get their turn. They may all lie in one buffer, and no read
/// that waits comes between them.
const REQUESTS_PER_TURN: usize = 64;

/// After how many bytes no more is added to what one client is sent at once.
const MAX_BATCH_BYTES: usize = 64 * 1024;

/// How long parting from a client may take, unless the operator has set something else. It bounds what a client can keep
/// busy that does not read what it is sent, or does not stop sending.
pub(crate) const FAREWELL: Duration = Duration::from_secs(2);

/// Serves one client until it leaves or `stop` says so, and closes the connection.
///
/// # Errors
///
/// What ended the connection other than the client's will: the socket failed, or a line was too long. Bad lines and
/// requests that cannot be done are between the client and us.
pub(crate) async fn serve<S: ChatStream>(
    socket: S,
    groups: Arc<GroupTable>,
    max_line_length: usize,
    farewell: Duration,
    stop: Stop,
) -> ChatResult<()> {
    let (reader, writer) = socket.split();
    let mut inbound = Inbound::new(reader, max_line_length);
    let mut talk = Talk::<S> {
        groups,
        outbound: Outbound::new(writer, MAX_BATCH_BYTES),
        memberships: Vec::new(),
        waker: Waker::noop().clone(),
        stop,
    };
    let end = poll_fn(|cx| talk.poll_end(&mut inbound, cx)).await;

    match &end {
        Ok(()) => {}
        Err(error @ ChatError::LineTooLong { .. }) => {
            talk.tell(&FromServer::Error(error.to_string()));
        }
        Err(_) => return end,
    }
    // To close while the client's bytes lie unread would throw away what it has not read either: so these are taken,
    // until it has seen the end and closes, too.
    let part = poll_fn(|cx| talk.poll_part(&end, cx));
    let mut drained = 0;
    let goodbye = future::join(part, poll_fn(|cx| inbound.poll_drain(cx, &mut drained)));
    // A client that has no ear for this loses nothing but this.
    let _ = future::timeout(farewell, goodbye).await;
    end
}

/// What is said to one client, and on whose behalf.
struct Talk<S: ChatStream> {
    groups: Arc<GroupTable>,
    outbound: Outbound<S>,
    /// The groups the client has joined. Few, so a list is searched as fast as a map.
    memberships: Vec<Membership>,
    /// The waker that everybody knows who was asked to wake this connection.
    waker: Waker,
    stop: Stop,
}

impl<S: ChatStream> Talk<S> {
    /// Reads, answers and passes on until the conversation is over.
    fn poll_end(
        &mut self,
        inbound: &mut Inbound<S::Reader>,
        cx: &mut Context<'_>,
    ) -> Poll<ChatResult<()>> {
        let is_new_waker = self.take_note_of(cx.waker());
        if self.stop.poll(cx, is_new_waker) {
            return Poll::Ready(Ok(()));
        }
        let mut may_have_requests = true;
        let mut requests = 0;
        loop {
            // Reading comes first: what was asked at once is answered at once.
            while may_have_requests && requests < REQUESTS_PER_TURN && self.outbound.has_room() {
                match inbound.poll_line(cx) {
                    Poll::Ready(Some(Ok(()))) => {
                        let (number, line) = inbound.line();
                        self.answer(number, line);
                        requests += 1;
                    }
                    Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                    Poll::Ready(None) => return Poll::Ready(Ok(())),
                    Poll::Pending => may_have_requests = false,
                }
            }
            let collected = self.poll_collect(cx, is_new_waker);
            let sent = self.outbound.poll_send(cx)?;
            if requests == REQUESTS_PER_TURN {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            // Without room nothing was asked to wake us but the socket: once it has taken all, they are.
            if sent.is_pending() || (collected.is_pending() && !may_have_requests) {
                return Poll::Pending;
            }
        }
    }

    /// Does what a line asks.
    fn answer(&mut self, number: u64, line: &[u8]) {
        let done = match parse(number, line) {
            Ok(FromClient::Join { group_name }) => {
                self.join(&group_name);
                Ok(())
            }
            Ok(FromClient::Post {
                group_name,
                message,
            }) => self.groups.post(&group_name, message),
            Err(error) => Err(error.to_string()),
        };
        if let Err(text) = done {
            self.tell(&FromServer::Error(text));
        }
    }

    /// Joins a group. Who is a member already stays one, and gets every message once.
    fn join(&mut self, group_name: &str) {
        let has_joined = |membership: &Membership| membership.group_name() == group_name;
        if !self.memberships.iter().any(has_joined) {
            self.memberships.push(self.groups.join(group_name));
        }
    }

    /// Tells this client alone.
    fn tell(&mut self, packet: &FromServer) {
        self.outbound.push(frame(packet));
    }

    /// Takes what was posted to the client's groups, as far as there is room. Pending if nothing more is there.
    fn poll_collect(&mut self, cx: &mut Context<'_>, is_new_waker: bool) -> Poll<()> {
        for place in 0..self.memberships.len() {
            let membership = &mut self.memberships[place];
            if membership
                .poll_pass_on(cx, is_new_waker, &mut self.outbound)
                .is_ready()
            {
                // A group that never falls silent has had its turn: next time the one behind it is the first.
                self.memberships.rotate_left(place + 1);
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }

    /// Sends the last of what the client is to get, and the end.
    fn poll_part(&mut self, end: &ChatResult<()>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let is_new_waker = self.take_note_of(cx.waker());
        if end.is_ok() {
            loop {
                let collected = self.poll_collect(cx, is_new_waker);
                ready!(self.outbound.poll_send(cx))?;
                if collected.is_pending() {
                    break;
                }
            }
            if !self.memberships.iter().all(Membership::is_up_to_date) {
                // This task has had its share of the thread, and is on the list for another.
                return Poll::Pending;
            }
            self.memberships = Vec::new();
        }
        self.outbound.poll_close(cx)
    }

    /// Whether those who know this task's waker know another one, from now on.
    fn take_note_of(&mut self, waker: &Waker) -> bool {
        let is_new = !self.waker.will_wake(waker);
        if is_new {
            self.waker = waker.clone();
        }
        is_new
    }
}
