//! One connection, from its client's first line to its last.
//!
//! [`serve`] reads requests until the client has no more, breaks the rules, or the server stops; then it parts from the
//! client:
//!
//! | why | the client is told | its memberships |
//! |---|---|---|
//! | it sent the end of its requests (or left) | what was posted before, then the end | end when that is written |
//! | the server stops | the same | the same |
//! | a limit that cannot be answered and forgotten, a failed login | an error that names it, then the end | end at once |
//! | the socket fails | nothing | end at once |
//!
//! Its name ends after its memberships, and both before the end is sent.
//!
//! A connection is one task, which reads and writes in turn: whatever it waits for wakes that one, and nothing in it
//! needs a lock. What the requests do stands in `talk`.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::accept::ChatStream;
use super::client_table::Admission;
use super::extended::ErrorCode;
use super::inbound::Inbound;
use super::protocol::ChatError;
use super::refusal::Refusal;
use super::server::Chat;
use super::stop::Stop;
use super::talk::{Burst, Talk};
use crate::future;
use crate::io;

/// How many requests of one client are done before others get their turn. They may all lie in one buffer, and no read
/// that waits comes between them. As many as a buffer of short ones holds: what is posted at once is passed on at once,
/// and a client that floods holds up its worker for a quarter of a millisecond.
const REQUESTS_PER_TURN: usize = 256;

/// How long parting from a client may take, unless the operator has set something else. It bounds what a client can keep
/// busy that does not read what it is sent, or does not stop sending.
pub(crate) const FAREWELL: Duration = Duration::from_secs(2);

/// Why a conversation is over.
enum End {
    /// The client has no more requests, or the server stops.
    Peace,
    /// The client is told this, and nothing more.
    Told(Refusal),
    /// The socket failed.
    Failed(io::Error),
}

/// Serves one client until it leaves or `stop` says so, and closes the connection. One that was not admitted is told
/// why. `ended` hears last of all what ended the connection other than the client's will. Bad lines and requests that
/// cannot be done are between the client and us.
///
/// There are as many of these futures as there are clients. So what they need is prepared before there is one, nothing in
/// it moves, which would leave room for it in two places, and what only the end needs is in a box.
pub(crate) fn serve<S: ChatStream>(
    socket: S,
    chat: Arc<Chat>,
    admission: Result<Admission, Refusal>,
    mut stop: Stop,
    ended: impl FnOnce(Result<(), String>) + Send,
) -> impl Future<Output = ()> + Send {
    let (reader, writer) = socket.split();
    let mut inbound = Inbound::new(reader, chat.limits.line_length);
    let (admission, mut refusal) = match admission {
        Ok(admission) => (Some(admission), None),
        Err(refusal) => (None, Some(Box::new(refusal))),
    };
    let network = admission.as_ref().and_then(Admission::network);
    let mut talk = Talk::<S>::new(writer, chat, network);
    async move {
        let end = poll_fn(|cx| match refusal.take() {
            None => {
                let (inbound, talk, stop) = (&mut inbound, &mut talk, &mut stop);
                Connection {
                    inbound,
                    talk,
                    stop,
                }
                .poll_end(cx)
            }
            Some(refusal) => Poll::Ready(End::Told(*refusal)),
        });
        let result = Box::pin(part(end.await, &mut inbound, &mut talk)).await;
        drop((talk, inbound, admission));
        ended(result);
    }
}

/// Says goodbye, as far as the client listens, and returns why.
async fn part<S: ChatStream>(
    end: End,
    inbound: &mut Inbound<S::Reader>,
    talk: &mut Talk<S>,
) -> Result<(), String> {
    let is_peace = matches!(end, End::Peace);
    let result = match end {
        End::Peace => Ok(()),
        End::Told(refusal) => {
            talk.refuse(&refusal);
            talk.take_leave();
            Err(refusal.log_text().to_string())
        }
        End::Failed(error) => return Err(error.to_string()),
    };
    let farewell = talk.farewell();
    // To close while the client's bytes lie unread would throw away what it has not read either: so these are taken,
    // until it has seen the end and closes, too.
    let part = poll_fn(|cx| poll_part(talk, is_peace, cx));
    let mut drained = 0;
    let goodbye = future::join(part, poll_fn(|cx| inbound.poll_drain(cx, &mut drained)));
    // A client that has no ear for this loses nothing but this.
    let _ = future::timeout(farewell, goodbye).await;
    result
}

/// Both directions, while the conversation lasts.
struct Connection<'a, S: ChatStream> {
    inbound: &'a mut Inbound<S::Reader>,
    talk: &'a mut Talk<S>,
    stop: &'a mut Stop,
}

impl<S: ChatStream> Connection<'_, S> {
    /// Reads, answers and passes on until the conversation is over.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        let is_new_waker = self.talk.take_note_of(cx.waker());
        if self.stop.poll(cx, is_new_waker) {
            return Poll::Ready(End::Peace);
        }
        let mut may_have_requests = true;
        let mut requests = 0;
        loop {
            // Reading comes first: what was asked at once is answered at once.
            let mut burst = Burst::default();
            let mut end = None;
            while end.is_none()
                && may_have_requests
                && requests < REQUESTS_PER_TURN
                && self.talk.may_be_asked()
            {
                match self.inbound.poll_line(cx) {
                    Poll::Ready(Some(Ok(()))) => {
                        let (number, line) = self.inbound.line();
                        end = self
                            .talk
                            .answer(number, line, &mut burst)
                            .err()
                            .map(End::Told);
                        requests += 1;
                    }
                    Poll::Ready(Some(Err(error))) => end = Some(end_of(error)),
                    Poll::Ready(None) => end = Some(End::Peace),
                    Poll::Pending => may_have_requests = false,
                }
            }
            self.talk.post_all(&mut burst);
            if let Some(end) = end {
                return Poll::Ready(end);
            }
            let verified = match self.talk.poll_login(cx) {
                Poll::Ready(Err(refusal)) => return Poll::Ready(End::Told(refusal)),
                verified => verified,
            };
            if let Err(refusal) = self.talk.poll_alarm(cx, is_new_waker) {
                return Poll::Ready(End::Told(refusal));
            }
            let collected = match self.talk.poll_collect(cx, is_new_waker) {
                Poll::Ready(Err(refusal)) => return Poll::Ready(End::Told(refusal)),
                collected => collected,
            };
            let sent = match self.talk.poll_send(cx) {
                Poll::Ready(Err(error)) => return Poll::Ready(End::Failed(error)),
                sent => sent,
            };
            if requests == REQUESTS_PER_TURN {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            // Without room nothing was asked to wake us but the socket: once it has taken all, they are.
            let may_ask = may_have_requests && verified.is_ready() && !self.talk.is_on_errand();
            if sent.is_pending() || (collected.is_pending() && !may_ask) {
                return Poll::Pending;
            }
        }
    }
}

/// What an error of the inbound half means for the conversation.
fn end_of(error: ChatError) -> End {
    match error {
        ChatError::Io(error) => End::Failed(error),
        too_long => End::Told(
            // The text names the limit's value, as it always has.
            Refusal::new(ErrorCode::Limit, too_long.to_string()).about("line_length"),
        ),
    }
}

/// Sends the last of what the client is to get, and the end. In peace, that is also what others sent to it and its groups.
fn poll_part<S: ChatStream>(
    talk: &mut Talk<S>,
    is_peace: bool,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    let is_new_waker = talk.take_note_of(cx.waker());
    if is_peace {
        loop {
            let collected = talk.poll_collect(cx, is_new_waker);
            ready!(talk.poll_send(cx))?;
            match collected {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(refusal)) => {
                    talk.refuse(&refusal);
                    talk.take_leave();
                }
                // This task has had its share of the thread, and is on the list for another; or somebody is just
                // sending something to it.
                Poll::Pending if !talk.is_up_to_date() => return Poll::Pending,
                Poll::Pending if talk.has_taken_leave() => break,
                // Once more after that: until then others may have sent something to it alone.
                Poll::Pending => talk.take_leave(),
            }
        }
    }
    talk.poll_close(cx)
}
