//! What a client of the extended protocol remembers from one connection to the next: its name, its groups, and the last
//! message it has seen of each.
//!
//! ```text
//!   dial ──► hello() ──► Welcome ──► joins ──► messages ──► the connection is lost
//!    ▲          ▲ rename()  │ Error                                  │
//!    │          └───────────┘                                        │
//!    └───────────────────────────────────────────────────────────────┘
//! ```
//!
//! [`Session`] reads and writes nothing. It is asked for the first line of each connection, is given every line that
//! comes, and says what is to be answered and what is news. Whoever holds it dials, sends and shows.

use super::extended::{ACCOUNTS, ErrorCode, HISTORY, NOTICES, PRIVATE_GROUPS, Reply, Request};
use super::secret::Secret;

/// How many invitations are remembered: strangers send them.
const MAX_INVITATIONS: usize = 1000;

/// A client, over all its connections.
///
/// ```
/// use parklet::chat::extended::{Reply, Request};
/// use parklet::chat::session::{News, Session};
///
/// let mut session = Session::new("anna");
/// let hello = serde_json::to_string(&session.hello()).unwrap();
/// assert_eq!(hello, r#"{"Hello":{"name":"anna","features":["notices","history","accounts","private_groups"]}}"#);
///
/// let ping = session.receive(Reply::Ping {});
/// assert_eq!(ping.answers, [Request::Pong {}]);
/// assert!(ping.news.is_empty());
/// ```
#[derive(Clone, Debug)]
pub struct Session {
    /// The name that is asked for; after `Welcome` the one that was given.
    name: String,
    /// The password of the account.
    token: Option<Secret>,
    /// The places in groups, also of the next connection, in the order of their joins.
    places: Vec<Place>,
    /// The private groups that others have invited us to.
    invitations: Vec<String>,
    /// Whether this connection has been welcomed.
    is_welcome: bool,
    /// The server keeps messages, and sends what a client that comes back has missed.
    keeps_history: bool,
}

/// A place in one group.
#[derive(Clone, Debug)]
struct Place {
    group_name: String,
    access: Access,
    /// The last message that was seen. Nothing before the first one.
    last: Option<Seen>,
    /// On this connection, the server is known to have done the join.
    is_joined: bool,
}

/// How one comes into a group.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Access {
    Public,
    /// With this password; or without one, by invitation.
    Private(Option<Secret>),
    /// The same, and the group is being made again: it may have ended while there was no connection, and to join it then
    /// would be to meet in public.
    Again(Option<Secret>),
}

/// A message, as far as it has to be known again.
#[derive(Clone, Copy, Debug)]
struct Seen {
    id: u64,
    time: u64,
}

/// What a line from the server comes to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Received {
    /// What is to be sent now, in this order.
    pub answers: Vec<Request>,
    /// What whoever uses the client may want to know, in this order.
    pub news: Vec<News>,
}

/// Something worth knowing.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum News {
    /// The server said this.
    Reply(Reply),
    /// So many messages of a group were posted while this client was not connected, and have not come. A server that keeps
    /// messages tells that itself, with [`Reply::Lagged`].
    Missed {
        /// The group's name.
        group_name: String,
        /// How many.
        messages: u64,
    },
}

impl Session {
    /// A client that wants to be known by `name`, and is in no group yet.
    ///
    /// ```
    /// let session = parklet::chat::session::Session::new("anna");
    /// assert_eq!(session.name(), "anna");
    /// assert!(!session.is_welcome());
    /// ```
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            token: None,
            places: Vec::new(),
            invitations: Vec::new(),
            is_welcome: false,
            keeps_history: false,
        }
    }

    /// The name: as the server gave it, once it has.
    ///
    /// ```
    /// assert_eq!(parklet::chat::session::Session::new("anna").name(), "anna");
    /// ```
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Asks for another name with the next [`hello`](Self::hello). A connection that was welcomed keeps its name.
    ///
    /// ```
    /// let mut session = parklet::chat::session::Session::new("anna");
    /// session.rename("berta");
    /// assert_eq!(session.name(), "berta");
    /// ```
    pub fn rename(&mut self, name: impl Into<String>) {
        self.name = name.into();
    }

    /// Logs in with this password from the next [`hello`](Self::hello) on; without one, if there is none.
    ///
    /// ```
    /// use parklet::chat::{Secret, session::Session};
    ///
    /// let mut session = Session::new("anna");
    /// session.set_token(Some(Secret::from("swordfish")));
    /// let hello = serde_json::to_string(&session.hello()).unwrap();
    /// assert!(hello.starts_with(r#"{"Hello":{"name":"anna","token":"swordfish""#));
    /// ```
    pub fn set_token(&mut self, token: Option<Secret>) {
        self.token = token;
    }

    /// Whether it logs in with a password.
    ///
    /// ```
    /// assert!(!parklet::chat::session::Session::new("anna").has_token());
    /// ```
    #[must_use]
    pub fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Whether the present connection has been welcomed: before that there is nothing to ask.
    ///
    /// ```
    /// assert!(!parklet::chat::session::Session::new("anna").is_welcome());
    /// ```
    #[must_use]
    pub fn is_welcome(&self) -> bool {
        self.is_welcome
    }

    /// The groups that this client is in, or will be in again with the next connection, in the order of their joins.
    ///
    /// ```
    /// let mut session = parklet::chat::session::Session::new("anna");
    /// session.join("rust", None);
    /// assert!(session.groups().eq(["rust"]));
    /// ```
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.places.iter().map(|place| place.group_name.as_str())
    }

    /// The first line of a connection, and of every further try after an error that came instead of `Welcome`.
    ///
    /// ```
    /// use parklet::chat::{extended::Request, session::Session};
    ///
    /// assert!(matches!(Session::new("anna").hello(), Request::Hello { name, .. } if name == "anna"));
    /// ```
    pub fn hello(&mut self) -> Request {
        self.is_welcome = false;
        self.keeps_history = false;
        for place in &mut self.places {
            place.is_joined = false;
        }
        Request::Hello {
            name: self.name.clone(),
            token: self.token.clone(),
            features: [NOTICES, HISTORY, ACCOUNTS, PRIVATE_GROUPS]
                .map(str::to_string)
                .into(),
        }
    }

    /// Joins a group, now with the request that this returns, and with every further connection. With a password, it is a
    /// private one. Before `Welcome` the request need not be sent.
    ///
    /// ```
    /// use parklet::chat::{extended::Request, session::Session};
    ///
    /// let join = Session::new("anna").join("rust", None);
    /// let expected = Request::Join { group_name: "rust".to_string(), password: None, after: None };
    /// assert_eq!(join, expected);
    /// ```
    pub fn join(&mut self, group_name: &str, password: Option<Secret>) -> Request {
        let is_invited = self.invitations.iter().any(|group| group == group_name);
        let access = match password {
            None if !is_invited => Access::Public,
            password => Access::Private(password),
        };
        let keeps_history = self.keeps_history;
        let place = self.enter(group_name);
        if !place.is_joined && access != Access::Public {
            place.access = access;
        }
        place.join(keeps_history)
    }

    /// [`join`](Self::join) for who has seen the messages up to `after` already, in an earlier run: from a server that keeps
    /// messages come those that were posted later, and of another one it is told how many were missed.
    ///
    /// ```
    /// use parklet::chat::extended::Reply;
    /// use parklet::chat::session::{News, Session};
    ///
    /// let mut session = Session::new("anna");
    /// session.join_after("rust", None, 5);
    /// let line = r#"{"Message":{"group_name":"rust","message":"hi","id":8,"time":0}}"#;
    /// let message: Reply = serde_json::from_str(line).unwrap();
    /// let missed = News::Missed { group_name: "rust".to_string(), messages: 2 };
    /// assert_eq!(session.receive(message.clone()).news, [missed, News::Reply(message)]);
    /// ```
    pub fn join_after(
        &mut self,
        group_name: &str,
        password: Option<Secret>,
        after: u64,
    ) -> Request {
        // When it was posted is not known; nothing that comes is older.
        self.enter(group_name).last = Some(Seen { id: after, time: 0 });
        self.join(group_name, password)
    }

    /// Makes a private group and joins it, now with the request that this returns, and with every further connection. Others
    /// come in by invitation, or with the password, if there is one.
    ///
    /// If the group has ended when a connection is made again, it is made again, too.
    ///
    /// ```
    /// use parklet::chat::{extended::Request, session::Session};
    ///
    /// let create = Session::new("anna").create("crew", None);
    /// assert_eq!(create, Request::Create { group_name: "crew".to_string(), password: None });
    /// ```
    pub fn create(&mut self, group_name: &str, password: Option<Secret>) -> Request {
        self.enter(group_name).access = Access::Private(password.clone());
        Request::Create {
            group_name: group_name.to_string(),
            password,
        }
    }

    /// The place in a group, an old one or a new one.
    fn enter(&mut self, group_name: &str) -> &mut Place {
        let is_there = |place: &Place| place.group_name == group_name;
        let index = self.places.iter().position(is_there).unwrap_or_else(|| {
            self.places.push(Place {
                group_name: group_name.to_string(),
                access: Access::Public,
                last: None,
                is_joined: false,
            });
            self.places.len() - 1
        });
        &mut self.places[index]
    }

    /// Joins all groups again, after the last message that was seen of each, and makes private ones that may have ended: what `Welcome` is answered with, and what a server of the book's protocol gets instead of
    /// [`hello`](Self::hello).
    ///
    /// ```
    /// use parklet::chat::{extended::Request, session::Session};
    ///
    /// let mut session = Session::new("anna");
    /// let join = session.join("rust", None);
    /// assert_eq!(session.joins(), [join]);
    /// ```
    pub fn joins(&mut self) -> Vec<Request> {
        let places = self.places.iter_mut();
        places
            .map(|place| place.join_again(self.keeps_history))
            .collect()
    }

    /// Leaves a group, with the request that this returns.
    ///
    /// ```
    /// let mut session = parklet::chat::session::Session::new("anna");
    /// session.join("rust", None);
    /// session.leave("rust");
    /// assert_eq!(session.groups().count(), 0);
    /// ```
    pub fn leave(&mut self, group_name: &str) -> Request {
        self.places.retain(|place| place.group_name != group_name);
        Request::Leave {
            group_name: group_name.to_string(),
        }
    }

    /// Takes in what the server said.
    ///
    /// `Welcome` is answered with a `Join` for each group, `Ping` with `Pong`. A group whose join was refused is
    /// forgotten. Everything is news but `Ping`, and messages that have come before.
    ///
    /// ```
    /// use parklet::chat::extended::{Reply, Request};
    /// use parklet::chat::session::{News, Session};
    ///
    /// let mut session = Session::new("anna");
    /// session.join("rust", None);
    /// // A message that is the eighth of its group, though the fifth was seen last.
    /// let message = |id| {
    ///     let line = format!(r#"{{"Message":{{"group_name":"rust","message":"hi","id":{id},"time":0}}}}"#);
    ///     serde_json::from_str::<Reply>(&line).unwrap()
    /// };
    /// session.receive(message(5));
    /// session.hello();
    /// let missed = News::Missed { group_name: "rust".to_string(), messages: 2 };
    /// assert_eq!(session.receive(message(8)).news, [missed, News::Reply(message(8))]);
    /// ```
    pub fn receive(&mut self, reply: Reply) -> Received {
        let mut received = Received::default();
        match &reply {
            Reply::Ping {} => {
                received.answers.push(Request::Pong {});
                return received;
            }
            Reply::Welcome { name, features, .. } => {
                self.is_welcome = true;
                self.keeps_history = features.iter().any(|feature| feature == HISTORY);
                self.name.clone_from(name);
                received.answers = self.joins();
            }
            Reply::Joined { group_name, name } if *name == self.name => {
                if let Some(place) = self.place(group_name) {
                    place.is_joined = true;
                    if let Access::Again(password) = &mut place.access {
                        place.access = Access::Private(password.take());
                    }
                }
            }
            Reply::Message {
                group_name,
                id,
                time,
                ..
            } => {
                let message = Seen {
                    id: *id,
                    time: *time,
                };
                match self.see(group_name, message) {
                    Novelty::Old => return received,
                    Novelty::New { missed: 0 } => {}
                    Novelty::New { missed } => received.news.push(News::Missed {
                        group_name: group_name.clone(),
                        messages: missed,
                    }),
                }
            }
            Reply::Lagged {
                group_name,
                dropped,
            } => {
                // These have been told; they are no gap any more.
                if let Some(last) = self.place(group_name).and_then(|place| place.last.as_mut()) {
                    last.id = last.id.saturating_add(*dropped);
                }
            }
            Reply::Invited { group_name, .. }
                if !self.invitations.contains(group_name)
                    && self.invitations.len() < MAX_INVITATIONS =>
            {
                self.invitations.push(group_name.clone());
            }
            Reply::Error { code, about, .. } => {
                let join = self.take_refusal(*code, about.as_deref());
                if let Some(join) = join {
                    received.answers.push(join);
                    return received;
                }
            }
            _ => {}
        }
        received.news.push(News::Reply(reply));
        received
    }

    /// Takes note of a message of a group.
    fn see(&mut self, group_name: &str, message: Seen) -> Novelty {
        let keeps_history = self.keeps_history;
        let Some(place) = self.place(group_name) else {
            return Novelty::New { missed: 0 };
        };
        place.is_joined = true;
        let Some(last) = place.last else {
            place.last = Some(message);
            return Novelty::New { missed: 0 };
        };
        // A smaller id at a later time is of a group that was forgotten, and has begun again.
        if keeps_history && message.id <= last.id && message.time <= last.time {
            return Novelty::Old;
        }
        place.last = Some(message);
        // A server with history says itself what it no longer has; and after a crash it leaves out numbers.
        let missed = match keeps_history {
            true => 0,
            false => message.id.saturating_sub(last.id.saturating_add(1)),
        };
        Novelty::New { missed }
    }

    /// Forgets the group whose join was refused, if that is what an error says: one that names a limit of groups is about
    /// the first join that was not done yet, since requests are done in their order. A private group that was to be made
    /// again and is there is joined instead.
    fn take_refusal(&mut self, code: ErrorCode, about: Option<&str>) -> Option<Request> {
        let about = about?;
        let (keeps_history, is_welcome) = (self.keeps_history, self.is_welcome);
        let is_of_a_limit = matches!(about, "group_length" | "groups_per_client");
        let refused = self.places.iter().position(|place| {
            let is_it = match code {
                ErrorCode::Limit => is_of_a_limit,
                ErrorCode::Private | ErrorCode::NotPrivate | ErrorCode::GroupExists => {
                    place.group_name == about
                }
                ErrorCode::NoSuchGroup => {
                    place.group_name == about && place.access != Access::Public
                }
                // Instead of looking at its password.
                ErrorCode::LoginThrottled => is_welcome && place.access != Access::Public,
                _ => false,
            };
            is_it && !place.is_joined
        })?;
        let place = &mut self.places[refused];
        if code == ErrorCode::GroupExists
            && let Access::Again(password) = &mut place.access
        {
            place.access = Access::Private(password.take());
            return Some(place.join(keeps_history));
        }
        self.places.remove(refused);
        None
    }

    fn place(&mut self, group_name: &str) -> Option<&mut Place> {
        let mut places = self.places.iter_mut();
        places.find(|place| place.group_name == group_name)
    }
}

impl Place {
    /// The request for this place; to a server that `keeps_history`, with what was seen in it.
    fn join(&self, keeps_history: bool) -> Request {
        Request::Join {
            group_name: self.group_name.clone(),
            password: match &self.access {
                Access::Private(password) => password.clone(),
                _ => None,
            },
            after: self.last.filter(|_| keeps_history).map(|last| last.id),
        }
    }
}

impl Place {
    /// The request for this place on another connection than the last one.
    fn join_again(&mut self, keeps_history: bool) -> Request {
        let (Access::Private(password) | Access::Again(password)) = &self.access else {
            return self.join(keeps_history);
        };
        let password = password.clone();
        self.access = Access::Again(password.clone());
        Request::Create {
            group_name: self.group_name.clone(),
            password,
        }
    }
}

/// What a message is to whoever has seen those before.
enum Novelty {
    /// It has come already.
    Old,
    /// It has not; and neither have so many before it.
    New { missed: u64 },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Limits;

    fn welcome(features: &[&str]) -> Reply {
        Reply::Welcome {
            name: "anna".to_string(),
            server: String::new(),
            features: features.iter().map(ToString::to_string).collect(),
            limits: Box::new(Limits::default()),
        }
    }

    fn message(id: u64, time: u64) -> Reply {
        Reply::Message {
            group_name: "g".to_string(),
            message: String::new(),
            from: None,
            id,
            time,
        }
    }

    fn join(after: Option<u64>) -> Request {
        let group_name = "g".to_string();
        Request::Join {
            group_name,
            password: None,
            after,
        }
    }

    #[test]
    fn a_server_may_count_as_far_as_it_likes() {
        let mut session = member(&[]);
        for reply in [message(u64::MAX, 1), message(u64::MAX, 2)] {
            assert!(!matches!(
                session.receive(reply).news[..],
                [News::Missed { .. }, ..]
            ));
        }
        let lagged = Reply::Lagged {
            group_name: "g".to_string(),
            dropped: u64::MAX,
        };
        session.receive(lagged);
        session.receive(message(1, 3));
    }

    /// In the group, on a connection with these features.
    fn member(features: &[&str]) -> Session {
        let mut session = Session::new("anna");
        session.hello();
        session.receive(welcome(features));
        session.join("g", None);
        session
    }

    /// How many messages were missed before this one, or nothing if it is not new.
    fn missed(session: &mut Session, message: Reply) -> Option<u64> {
        match &session.receive(message).news[..] {
            [] => None,
            [News::Missed { messages, .. }, News::Reply(_)] => Some(*messages),
            news => {
                assert_eq!(news.len(), 1, "{news:?}");
                Some(0)
            }
        }
    }

    #[test]
    fn a_server_with_history_is_asked_for_what_came_after_the_last_message() {
        let mut session = member(&[HISTORY]);
        session.receive(message(5, 100));
        session.hello();
        assert_eq!(
            session.receive(welcome(&[HISTORY])).answers,
            [join(Some(5))]
        );
        session.hello();
        assert_eq!(session.receive(welcome(&[])).answers, [join(None)]);
    }

    #[test]
    fn who_has_seen_messages_in_an_earlier_run_asks_for_those_after_them() {
        let mut session = member(&[HISTORY]);
        session.leave("g");
        assert_eq!(session.join_after("g", None, 5), join(Some(5)));
        assert_eq!(missed(&mut session, message(6, 100)), Some(0));
        // The next connection goes on from there.
        session.hello();
        let joins = session.receive(welcome(&[HISTORY])).answers;
        assert_eq!(joins, [join(Some(6))]);
    }

    #[test]
    fn what_is_replayed_though_it_was_seen_is_no_news() {
        let mut session = member(&[HISTORY]);
        assert_eq!(missed(&mut session, message(5, 100)), Some(0));
        session.hello();
        session.receive(welcome(&[HISTORY]));
        assert_eq!(missed(&mut session, message(4, 90)), None);
        assert_eq!(missed(&mut session, message(5, 100)), None);
        assert_eq!(missed(&mut session, message(6, 100)), Some(0));
        // After a crash of the server.
        assert_eq!(missed(&mut session, message(1_000_006, 110)), Some(0));
        // The group was forgotten, and has begun again.
        assert_eq!(missed(&mut session, message(1, 120)), Some(0));
    }

    #[test]
    fn without_history_a_gap_in_the_numbers_is_what_was_missed() {
        let mut session = member(&[]);
        assert_eq!(missed(&mut session, message(5, 100)), Some(0));
        assert_eq!(missed(&mut session, message(6, 100)), Some(0));
        assert_eq!(missed(&mut session, message(10, 110)), Some(3));
        session.receive(Reply::Lagged {
            group_name: "g".to_string(),
            dropped: 4,
        });
        assert_eq!(missed(&mut session, message(15, 120)), Some(0));
        // The group was forgotten, and has begun again.
        assert_eq!(missed(&mut session, message(2, 120)), Some(0));
    }

    #[test]
    fn a_group_whose_join_was_refused_is_not_joined_again() {
        let mut session = member(&[NOTICES]);
        session.receive(Reply::Joined {
            group_name: "g".to_string(),
            name: "anna".to_string(),
        });
        session.join("one too many", None);
        session.receive(Reply::Error {
            code: ErrorCode::Limit,
            text: String::new(),
            about: Some("groups_per_client".to_string()),
        });
        assert!(session.groups().eq(["g"]));
    }

    fn error(code: ErrorCode) -> Reply {
        Reply::Error {
            code,
            text: String::new(),
            about: Some("crew".to_string()),
        }
    }

    #[test]
    fn a_private_group_is_never_joined_again_in_public() {
        let mut session = member(&[]);
        session.leave("g");
        let password = Some(Secret::from("ahoy"));
        let join = session.join("crew", password.clone());
        session.receive(message(1, 1));
        session.hello();
        // It may have ended.
        let create = Request::Create {
            group_name: "crew".to_string(),
            password,
        };
        assert_eq!(session.receive(welcome(&[])).answers, [create]);
        // It has not.
        let exists = session.receive(error(ErrorCode::GroupExists));
        assert_eq!((exists.answers, exists.news), (vec![join], vec![]));
        assert_eq!(session.receive(error(ErrorCode::Private)).news.len(), 1);
        assert_eq!(session.groups().count(), 0);
    }

    #[test]
    fn who_was_invited_makes_the_group_again_if_it_has_ended() {
        let mut session = member(&[]);
        session.leave("g");
        session.receive(Reply::Invited {
            group_name: "crew".to_string(),
            by: "ben".to_string(),
        });
        session.join("crew", None);
        session.hello();
        let create = Request::Create {
            group_name: "crew".to_string(),
            password: None,
        };
        assert_eq!(session.receive(welcome(&[])).answers, [create]);
    }
}
