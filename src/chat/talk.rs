//! What is said to one client and on whose behalf: its requests, done one by one, and what waits to be sent to it.
//!
//! Its first line says which protocol it speaks. One that opens with `Hello` is a new client, and everybody else one of
//! the book, to whom nothing is said that is not in the book.

mod burst;
mod groups;
mod hello;

pub(crate) use burst::Burst;

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use super::accept::ChatStream;
use super::alarm::Alarm;
use super::client_table::Claim;
use super::errand::{Errand, Purpose, Question, Replay};
use super::extended::{self, ErrorCode, Reply, Request};
use super::group;
use super::history::{Page, Unreadable};
use super::login::Login;
use super::membership::Membership;
use super::outbound::Outbound;
use super::protocol::{Frame, FromClient, frame, parse};
use super::refusal::Refusal;
use super::server::Chat;
use super::throttle::Throttle;
use crate::channel;
use crate::io;
use crate::stream::Stream;

/// How many questions for a sign of life may be left unanswered.
const MAX_UNANSWERED: u32 = 2;

/// A client and the server, in conversation.
pub(crate) struct Talk<S: ChatStream> {
    chat: Arc<Chat>,
    outbound: Outbound<S>,
    /// The groups the client has joined. Few, so a list is searched as fast as a map. They are dropped before `speaks`,
    /// so that nobody else has the client's name while it is in a group.
    memberships: Vec<Membership>,
    /// The request that waits for what is kept; those after it wait for it.
    errand: Option<Box<Errand>>,
    speaks: Speaks,
    /// Where the client comes from.
    network: Option<IpAddr>,
    throttle: Throttle,
    /// For joining and leaving, which others may be told of.
    groups_throttle: Throttle,
    /// Until the first line, the time there is for it; for a new client, the time until it is asked for a sign of life.
    alarm: Option<Alarm>,
    /// The waker that everybody knows who was asked to wake this connection.
    waker: Waker,
}

/// Which protocol a client speaks.
enum Speaks {
    /// It has said nothing yet.
    Nothing,
    /// The book's; as somebody with a name, if the server has accounts.
    Base(Option<Box<BaseGuest>>),
    /// The extended one, but it has no name yet.
    Hello,
    /// The extended one, and it is found out whether it may have the name it wants.
    LoggingIn(Box<LoggingIn>),
    /// The extended one.
    Extended(Box<Guest>),
}

/// A client of the base protocol on a server with accounts: it has a name for others, but cannot be written to.
struct BaseGuest {
    name: Arc<str>,
    /// Its right to the name, until it takes leave.
    claim: Option<Claim>,
}

/// A client that has said `Hello`.
struct LoggingIn {
    login: Login,
    features: Vec<String>,
}

/// A client that was welcomed.
struct Guest {
    /// As others see it.
    name: Arc<str>,
    /// Its right to the name, until it takes leave.
    claim: Option<Claim>,
    /// What others send to it alone, as long as it has the name.
    mailbox: channel::Receiver<Frame>,
    /// It wants to know who joins and leaves.
    wants_notices: bool,
    /// It has said something since the alarm was last set.
    has_spoken: bool,
    /// So many questions for a sign of life were left unanswered.
    unanswered: u32,
}

impl<S: ChatStream> Talk<S> {
    pub(crate) fn new(writer: S::Writer, chat: Arc<Chat>, network: Option<IpAddr>) -> Self {
        Self {
            outbound: Outbound::new(writer, chat.limits.outbox_bytes),
            speaks: Speaks::Nothing,
            memberships: Vec::new(),
            errand: None,
            network,
            throttle: Throttle::new(),
            groups_throttle: Throttle::new(),
            alarm: Alarm::after(chat.limits.first_line),
            waker: Waker::noop().clone(),
            chat,
        }
    }

    /// Whether those who know this connection's waker know another one, from now on.
    pub(crate) fn take_note_of(&mut self, waker: &Waker) -> bool {
        let is_new = !self.waker.will_wake(waker);
        if is_new {
            self.waker = waker.clone();
        }
        is_new
    }

    /// How long parting from the client may take.
    pub(crate) fn farewell(&self) -> Duration {
        self.chat.farewell
    }

    /// Whether one more request may be done: the one before has been, and its answer does not have to wait for too many
    /// others.
    pub(crate) fn may_be_asked(&self) -> bool {
        let is_busy = self.is_on_errand() || matches!(self.speaks, Speaks::LoggingIn(_));
        self.outbound.has_room() && !is_busy
    }

    /// Whether a request waits for what is kept.
    pub(crate) fn is_on_errand(&self) -> bool {
        self.errand.is_some()
    }

    /// Whether all that others sent, to the client and to its groups, has been passed on, and its requests are done.
    pub(crate) fn is_up_to_date(&self) -> bool {
        let has_mail = match &self.speaks {
            Speaks::Extended(guest) => {
                // Who found the name before it was given up may still be about to send.
                let may_get_more = guest.claim.is_none() && !guest.mailbox.is_closed();
                may_get_more || !guest.mailbox.is_empty()
            }
            _ => false,
        };
        !has_mail && !self.is_on_errand() && self.memberships.iter().all(Membership::is_up_to_date)
    }

    /// Leaves all groups, and gives up the client's name.
    pub(crate) fn take_leave(&mut self) {
        self.errand = None;
        self.memberships = Vec::new();
        match &mut self.speaks {
            Speaks::Base(Some(guest)) => guest.claim = None,
            Speaks::Extended(guest) => guest.claim = None,
            _ => {}
        }
    }

    /// Whether nobody can send it anything any more.
    pub(crate) fn has_taken_leave(&self) -> bool {
        let has_name = matches!(&self.speaks, Speaks::Extended(guest) if guest.claim.is_some());
        !has_name && self.memberships.is_empty()
    }

    /// Does what a line asks, or says why not.
    ///
    /// # Errors
    ///
    /// What the client is still to be told before it is disconnected.
    pub(crate) fn answer(
        &mut self,
        number: u64,
        line: &[u8],
        burst: &mut Burst,
    ) -> Result<(), Refusal> {
        if let Speaks::Nothing = self.speaks {
            if extended::is_hello(line) {
                self.speaks = Speaks::Hello;
            } else {
                self.open_base()?;
            }
        }
        if let Speaks::Extended(guest) = &mut self.speaks {
            guest.has_spoken = true;
        }
        let done = match self.speaks {
            Speaks::Base(_) => self.answer_base(number, line, burst),
            _ => self.answer_extended(number, line, burst),
        };
        match done {
            Err(refusal) if refusal.is_last() => return Err(refusal),
            Err(refusal) => self.refuse(&refusal),
            Ok(()) => {}
        }
        Ok(())
    }

    fn answer_base(&mut self, number: u64, line: &[u8], burst: &mut Burst) -> Result<(), Refusal> {
        let request = parse(number, line)
            .map_err(|error| Refusal::new(ErrorCode::BadRequest, error.to_string()));
        if !matches!(request, Ok(FromClient::Post { .. })) {
            self.post_all(burst);
        }
        match request? {
            FromClient::Join { group_name } => self.join(&group_name, None, None),
            FromClient::Post {
                group_name,
                message,
            } => self.post(group_name, message, burst),
        }
    }

    fn answer_extended(
        &mut self,
        number: u64,
        line: &[u8],
        burst: &mut Burst,
    ) -> Result<(), Refusal> {
        let request = parse(number, line)
            .map_err(|error| Refusal::new(extended::code_of_bad_line(line), error.to_string()));
        if !matches!(request, Ok(Request::Post { .. })) {
            self.post_all(burst);
        }
        let request = request?;
        if let Request::Hello {
            name,
            token,
            features,
        } = request
        {
            return self.hello(&name, token, features);
        }
        let Speaks::Extended(guest) = &self.speaks else {
            let text = "the first request is a Hello, until it is answered by a Welcome";
            return Err(Refusal::new(ErrorCode::HelloFirst, text));
        };
        match request {
            Request::Join {
                group_name,
                password,
                after,
            } => self.join(&group_name, password, after)?,
            Request::Create {
                group_name,
                password,
            } => self.create(&group_name, password)?,
            Request::Invite { group_name, name } => self.invite(&group_name, &name)?,
            Request::Leave { group_name } => self.leave(&group_name)?,
            Request::Post {
                group_name,
                message,
            } => self.post(group_name, message, burst)?,
            Request::Direct { to, message } => {
                let from = guest.name.to_string();
                self.may_post(&message)?;
                let time = group::now();
                let direct = Reply::Direct {
                    from,
                    message,
                    time,
                };
                self.chat.clients.direct(&to, frame(&direct))?;
            }
            Request::Groups {} => {
                self.may_post("")?;
                self.tell(&self.list());
            }
            Request::Members { group_name } => {
                self.may_post("")?;
                let is_member = || self.is_in(&group_name);
                self.tell(&self.chat.groups.members(&group_name, is_member)?);
            }
            Request::History {
                group_name,
                before,
                after,
                limit,
            } => {
                if before.is_some() && after.is_some() {
                    let text = "what comes before an id or what comes after one, not both";
                    return Err(Refusal::new(ErrorCode::BadRequest, text));
                }
                self.may_post("")?;
                self.look_up(Question::new(group_name, before, after, limit))?;
            }
            Request::Ping {} => self.tell(&Reply::Pong {}),
            // It has spoken: that is all there is to it.
            Request::Pong {} | Request::Hello { .. } => {}
        }
        Ok(())
    }

    /// Goes to see what is kept of a group.
    fn look_up(&mut self, question: Question) -> Result<(), Refusal> {
        let group_name = question.group_name();
        let place = self.place_of(group_name);
        let place = place.ok_or_else(|| Refusal::not_a_member(group_name))?;
        let is_private = self.memberships[place].group().private().is_some();
        let kept_nowhere = match &self.chat.history {
            Some(_) if is_private => "nothing is kept of a private group",
            Some(history) => {
                self.errand = Some(Box::new(question.ask(history)));
                return Ok(());
            }
            None => "this server keeps no messages",
        };
        Err(Refusal::new(ErrorCode::NoHistory, kept_nowhere).about(group_name))
    }

    /// Goes on with the request that waits for what is kept. Pending if it still does; it may also wait for room.
    fn poll_errand(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // The other half is for the groups, as with what others send to the client alone.
        while self.outbound.has_half_its_room()
            && let Some(errand) = &mut self.errand
        {
            let page = ready!(errand.poll_page(cx));
            let Some(errand) = self.errand.take() else {
                break;
            };
            match errand.purpose {
                Purpose::Answer(question) => self.answer_question(question, page),
                Purpose::Replay(replay) => self.go_on_with(replay, page),
            }
        }
        Poll::Ready(())
    }

    fn answer_question(&mut self, question: Question, page: Result<Page, Unreadable>) {
        match page {
            Ok(page) => self.tell(&question.answer(page)),
            Err(unreadable) => self.refuse(&Refusal::no_history(question.group_name(), unreadable)),
        }
    }

    /// Sends a part of a replay, and goes to read the next one, if there is one.
    fn go_on_with(&mut self, mut replay: Replay, page: Result<Page, Unreadable>) {
        let (Some(place), Some(history)) = (self.place_of(replay.group_name()), &self.chat.history)
        else {
            return;
        };
        let membership = &mut self.memberships[place];
        let page = match page {
            Ok(page) => page,
            Err(unreadable) => {
                let refusal = Refusal::no_history(replay.group_name(), unreadable);
                self.outbound.push(refusal.extended());
                membership.end_replay();
                return;
            }
        };
        let (lines, messages, has_more) =
            replay.lines(page, |dropped| membership.dropped_notice(dropped));
        membership.count_replayed(messages);
        if !lines.is_empty() {
            self.outbound.push(lines.into());
        }
        let next = if has_more {
            Some(replay.next_page(history))
        } else {
            let until = membership.catch_up(replay.round());
            until.map(|until| replay.next_round(until, history))
        };
        self.errand = next.map(Box::new);
    }

    /// Adds a message to the burst, if it is to the same group as the others; if not, these are posted first.
    fn post(
        &mut self,
        group_name: String,
        message: String,
        burst: &mut Burst,
    ) -> Result<(), Refusal> {
        if let Err(refusal) = self.may_post(&message) {
            self.post_all(burst);
            return Err(refusal);
        }
        if !burst.takes(&group_name, &message) {
            self.post_all(burst);
        }
        burst.push(group_name, message);
        Ok(())
    }

    /// Posts the burst.
    pub(crate) fn post_all(&mut self, burst: &mut Burst) {
        if burst.messages.is_empty() {
            return;
        }
        let from = match &self.speaks {
            Speaks::Base(Some(guest)) => Some(&*guest.name),
            Speaks::Extended(guest) => Some(&*guest.name),
            _ => None,
        };
        let is_member = || self.is_in(&burst.group_name);
        let groups = &self.chat.groups;
        let refused = groups.post(&burst.group_name, &burst.messages, from, is_member);
        for refusal in refused {
            self.refuse(&refusal);
        }
        burst.messages.clear();
    }

    /// Whether the client may send this message now; if so, it counts.
    fn may_post(&mut self, message: &str) -> Result<(), Refusal> {
        let limits = &self.chat.limits;
        let length = message.len();
        within("message_length", "a message", length, limits.message_length)?;
        if !self.throttle.allows(limits) {
            let rate = limits.posts_per_second.unwrap_or(u32::MAX);
            let text = format!("you post more than {rate} messages in a second");
            return Err(Refusal::limit("posts_per_second", &text));
        }
        Ok(())
    }

    /// Whether the client may join or leave a group now; if so, it counts.
    fn may_come_or_go(&mut self) -> Result<(), Refusal> {
        let limits = &self.chat.limits;
        // Who comes back joins all its groups at once, and may leave them again.
        let burst = limits.groups_per_client.saturating_mul(2);
        let burst = u32::try_from(burst).unwrap_or(u32::MAX);
        if !self.groups_throttle.allows_burst(limits, burst) {
            let rate = limits.posts_per_second.unwrap_or(u32::MAX);
            let text = format!("you join and leave more than {rate} groups in a second");
            return Err(Refusal::limit("posts_per_second", &text));
        }
        Ok(())
    }

    /// Tells a new client.
    fn tell(&mut self, reply: &Reply) {
        self.outbound.push(frame(reply));
    }

    /// Tells the client what was not done.
    pub(crate) fn refuse(&mut self, refusal: &Refusal) {
        self.outbound.push(match self.speaks {
            Speaks::Nothing | Speaks::Base(_) => refusal.base(),
            Speaks::Hello | Speaks::LoggingIn(_) | Speaks::Extended(_) => refusal.extended(),
        });
    }

    /// Sees to it that the client says something: its first line in time, and then now and again, when it is asked.
    ///
    /// # Errors
    ///
    /// It does not.
    pub(crate) fn poll_alarm(
        &mut self,
        cx: &mut Context<'_>,
        is_new_waker: bool,
    ) -> Result<(), Refusal> {
        let limits = &self.chat.limits;
        while let Some(alarm) = &mut self.alarm
            && alarm.poll(cx, is_new_waker)
        {
            let Speaks::Extended(guest) = &mut self.speaks else {
                let text = format!(
                    "a client has {:?} to open the conversation",
                    limits.first_line
                );
                return Err(Refusal::limit("first_line_ms", &text));
            };
            self.alarm = Alarm::after(limits.ping_after);
            let reads_on = self.outbound.has_moved();
            // It cannot be heard while its requests wait: for what is kept, or until it has taken some of that.
            let is_excused =
                self.errand.is_some() && (reads_on || self.outbound.has_half_its_room());
            if std::mem::take(&mut guest.has_spoken) || is_excused {
                guest.unanswered = 0;
            } else if guest.unanswered == MAX_UNANSWERED {
                let text = format!("you left {MAX_UNANSWERED} pings unanswered");
                return Err(Refusal::new(ErrorCode::Silent, text).about("ping_after_ms"));
            } else {
                guest.unanswered += 1;
                self.outbound.push(frame(&Reply::Ping {}));
            }
        }
        Ok(())
    }

    /// Takes what others sent, to the client and to its groups, and what is kept and was asked for, as far as there is room.
    /// Pending if nothing more is there.
    ///
    /// # Errors
    ///
    /// The client has fallen behind, and who does is disconnected.
    pub(crate) fn poll_collect(
        &mut self,
        cx: &mut Context<'_>,
        is_new_waker: bool,
    ) -> Poll<Result<(), Refusal>> {
        let waits_for_room = self.poll_errand(cx).is_ready() && self.is_on_errand();
        let mut may_have_mail = false;
        if let Speaks::Extended(guest) = &mut self.speaks {
            may_have_mail = true;
            // The other half is for the groups, however much others send to the client alone.
            while self.outbound.has_half_its_room() {
                match Pin::new(&mut guest.mailbox).poll_next(cx) {
                    Poll::Ready(Some(frame)) => self.outbound.push(frame),
                    // It stays open as long as the claim is kept.
                    Poll::Ready(None) | Poll::Pending => {
                        may_have_mail = false;
                        break;
                    }
                }
            }
        }
        let policy = self.chat.lag_policy;
        for place in 0..self.memberships.len() {
            let membership = &mut self.memberships[place];
            let passed_on = membership.poll_pass_on(cx, is_new_waker, &mut self.outbound, policy);
            if passed_on.is_ready() {
                // A group that never falls silent has had its turn: next time the one behind it is the first.
                self.memberships.rotate_left(place + 1);
                return passed_on;
            }
        }
        if self.outbound.has_room() && !may_have_mail && !waits_for_room {
            Poll::Pending
        } else {
            Poll::Ready(Ok(()))
        }
    }

    /// Sends what waits. Ready when nothing waits any more.
    pub(crate) fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outbound.poll_send(cx)
    }

    /// Sends what waits, and the end.
    pub(crate) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outbound.poll_close(cx)
    }
}

/// Whether something is no longer than it may be.
fn within(limit: &str, what: &str, length: usize, max: usize) -> Result<(), Refusal> {
    if length > max {
        let text = format!("{what} has at most {max} bytes");
        return Err(Refusal::limit(limit, &text));
    }
    Ok(())
}
