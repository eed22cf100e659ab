//! The connection to the server, again and again: it is dialled, opened with `Hello`, and kept until it is lost; then all
//! of it once more, after a pause that grows.
//!
//! ```text
//!             orders                      lines
//!   somebody ───────► Link ─ write ──────────────► server
//!            ◄─────── Session (groups, ids) ◄─ read ─
//!             events
//! ```
//!
//! `somebody` is a person at a terminal or a script. A server that knows no `Hello` closes the connection or answers with
//! the book's `Error`; it is dialled once more, and gets the book's lines only.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, SystemTime};

use parklet::channel::{self, Receiver, Sender};
use parklet::chat::extended::{ErrorCode, Reply, Request};
use parklet::chat::session::{News, Session};
use parklet::chat::{FromServer, Secret};
use parklet::future;
use parklet::io::{self, BufReadBoundedExt, WriteExt};
use parklet::stream::StreamExt;
use parklet::task;

use crate::dial::{Dialer, Inbound, Outbound};

/// The longest line taken from the server, in bytes: it may well send longer ones than ours does.
const MAX_LINE: usize = 1024 * 1024;

/// How long the server may be silent before it is asked whether it is there. Long enough to cost nothing; shorter than
/// what routers forget connections after.
const SILENCE: Duration = Duration::from_secs(60);

/// How long it may be silent after that, or before its `Welcome`, or after the last that was said to it.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long it may be silent after it was told that nothing more comes.
const FAREWELL: Duration = Duration::from_secs(2);

/// The first pause before another connection is tried. It doubles with every failure.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How many names like `anna-2` are tried after a connection was lost; the server may not have noticed yet that the one
/// with the right name is gone.
const SUFFIXES: std::ops::RangeInclusive<u32> = 2..=9;

/// What somebody wants done.
pub(crate) enum Order {
    /// To be in a group, over all connections; in a private one with its password.
    Join(String, Option<Secret>),
    /// To make a private group.
    Create(String, Option<Secret>),
    /// To be in it no longer.
    Leave(String),
    /// Anything else.
    Ask(Request),
    /// To be known by another name; that takes another connection.
    Rename(String),
    /// To log in with this password, over another connection.
    LogIn(Secret),
}

/// What somebody is told.
pub(crate) enum Event {
    /// What the server said, and what follows from it. A base server's messages have the id 0.
    News(News),
    /// The server speaks the book's protocol, and nothing else.
    IsBase,
    /// The server wants another name, or a password.
    Refused {
        /// Which error it answered with.
        code: ErrorCode,
        /// What it said.
        text: String,
    },
    /// The connection is lost, and another one is tried after `pause`.
    Lost {
        /// Why.
        why: String,
        /// How long.
        pause: Duration,
    },
    /// There is no connection now, so this was not asked.
    NotSent(Request),
    /// A line of the server could not be understood.
    BadLine(String),
}

/// Which protocol the server speaks.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Protocol {
    /// Not known yet: a `Hello` will tell.
    Unknown,
    Extended,
    /// The book's.
    Base,
}

/// How a connection ended.
enum End {
    /// As it was ordered, or nobody wants it any more.
    Parted,
    /// The server does not know `Hello`.
    FallBack,
    /// It is to be dialled again at once.
    Again,
    Lost(String),
}

/// See the head of this file.
pub(crate) struct Link {
    dialer: Dialer,
    session: RefCell<Session>,
    orders: Receiver<Order>,
    events: Sender<Event>,
    protocol: Cell<Protocol>,
    /// The server has said at least once something that was no refusal.
    was_connected: Cell<bool>,
    /// It has refused the name or the password, and another one has not been ordered yet.
    is_refused: Cell<bool>,
    /// How often in a row no connection came about.
    failures: Cell<u32>,
    /// The last error of a base server.
    last_error: RefCell<Option<String>>,
}

impl Link {
    /// A client with what `session` remembers: its name at least. It parts from the server when all senders of `orders` are gone.
    pub(crate) fn new(
        dialer: Dialer,
        session: Session,
        orders: Receiver<Order>,
        events: Sender<Event>,
    ) -> Self {
        Self {
            dialer,
            session: RefCell::new(session),
            orders,
            events,
            protocol: Cell::new(Protocol::Unknown),
            was_connected: Cell::new(false),
            is_refused: Cell::new(false),
            failures: Cell::new(0),
            last_error: RefCell::new(None),
        }
    }

    /// Keeps the connection until there are no more orders; then it parts from the server, unless nobody listens to events
    /// any more.
    ///
    /// # Errors
    ///
    /// The first connection did not come about. Later ones are tried again and again.
    pub(crate) async fn keep(self) -> Result<(), String> {
        let unheard = async {
            self.events.closed().await;
            Ok(())
        };
        future::or(self.keep_connected(), unheard).await
    }

    async fn keep_connected(&self) -> Result<(), String> {
        loop {
            match self.connection().await {
                End::Parted => return Ok(()),
                End::Again => {}
                End::FallBack => self.protocol.set(Protocol::Base),
                End::Lost(_) if self.is_refused.get() => {
                    if self.rest(None).await.is_none() {
                        return Ok(());
                    }
                }
                End::Lost(why) if !self.was_connected.get() => {
                    return Err(self.last_error.take().unwrap_or(why));
                }
                End::Lost(why) => {
                    let pause = self.next_pause();
                    self.tell(Event::Lost { why, pause }).await;
                    if self.rest(Some(pause)).await.is_none() {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// One connection, from its beginning to its end.
    async fn connection(&self) -> End {
        let (inbound, outbound) = match self.dialer.dial().await {
            Ok(halves) => halves,
            Err(why) => return End::Lost(why),
        };
        let (answers, answered) = channel::unbounded();
        let hello = self.session.borrow_mut().hello();
        if self.protocol.get() == Protocol::Base {
            let joins = self.session.borrow_mut().joins();
            for join in joins {
                let _ = answers.try_send(join);
            }
            self.tell(Event::IsBase).await;
        } else {
            let _ = answers.try_send(hello);
        }
        // Nothing is sent over this channel: that its one end is dropped tells the reader that the writer has ended.
        let (writing, written) = channel::bounded::<Infallible>(1);
        let write = async {
            let end = self.write(outbound, answered).await;
            if let Some(end) = end {
                return end;
            }
            drop(writing);
            future::pending().await
        };
        future::or(self.read(inbound, answers, written), write).await
    }

    /// Sends answers and orders as they come. Returns when nothing more can or shall be sent; with an end, if the
    /// connection is to be given up at once.
    async fn write(&self, mut outbound: Outbound, answers: Receiver<Request>) -> Option<End> {
        loop {
            // Answers first: the server waits for them.
            let answer = async { answers.recv().await.ok().map(Order::Ask) };
            let order = async { self.orders.recv().await.ok() };
            let Some(order) = future::or(answer, order).await else {
                let _ = outbound.close().await;
                return None;
            };
            let request = match order {
                Order::Ask(request) if self.may_ask(&request) => request,
                Order::Ask(request) => {
                    self.tell(Event::NotSent(request)).await;
                    continue;
                }
                Order::Rename(_) | Order::LogIn(_) => {
                    self.note(order);
                    self.is_refused.set(false);
                    let _ = outbound.close().await;
                    return Some(End::Again);
                }
                order => {
                    let request = self.note(order);
                    if !self.may_ask(&request) {
                        continue;
                    }
                    request
                }
            };
            if self.say(&mut outbound, &request).await.is_err() {
                // The server may have said why.
                return None;
            }
        }
    }

    /// Takes note of what groups to be in from now on.
    fn note(&self, order: Order) -> Request {
        let mut session = self.session.borrow_mut();
        match order {
            Order::Join(group_name, password) => session.join(&group_name, password),
            Order::Create(group_name, password) => session.create(&group_name, password),
            Order::Leave(group_name) => session.leave(&group_name),
            Order::Ask(request) => request,
            Order::Rename(name) => {
                session.rename(name);
                session.hello()
            }
            Order::LogIn(password) => {
                session.set_token(Some(password));
                session.hello()
            }
        }
    }

    /// Whether the server may be asked this now.
    fn may_ask(&self, request: &Request) -> bool {
        match self.protocol.get() {
            Protocol::Base => matches!(request, Request::Join { .. } | Request::Post { .. }),
            _ => self.session.borrow().is_welcome() || matches!(request, Request::Hello { .. }),
        }
    }

    async fn say(&self, outbound: &mut Outbound, request: &Request) -> io::Result<()> {
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        outbound.write_all(&line).await?;
        outbound.flush().await?;
        if self.protocol.get() == Protocol::Base {
            self.was_connected.set(true);
        }
        Ok(())
    }

    /// Takes in what comes until no more does.
    async fn read(
        &self,
        inbound: Inbound,
        answers: Sender<Request>,
        written: Receiver<Infallible>,
    ) -> End {
        let mut lines = inbound.split_bounded(b'\n', MAX_LINE);
        let mut was_asked = false;
        let mut is_parting = false;
        loop {
            let patience = self.patience(is_parting, was_asked);
            let line = async { Happening::Line(lines.next().await) };
            let parting = async {
                match is_parting {
                    true => future::pending().await,
                    false => written.recv().await,
                }
                .map_or(Happening::Parting, |never| match never {})
            };
            let silence = async {
                match patience {
                    Some(patience) => task::sleep(patience).await,
                    None => future::pending().await,
                }
                Happening::Silence
            };
            let line = match future::or(line, future::or(parting, silence)).await {
                Happening::Line(line) => line,
                Happening::Parting => {
                    is_parting = true;
                    continue;
                }
                Happening::Silence
                    if self.session.borrow().is_welcome() && !was_asked && !is_parting =>
                {
                    was_asked = true;
                    let _ = answers.try_send(Request::Ping {});
                    continue;
                }
                Happening::Silence => return self.end("the server does not answer"),
            };
            was_asked = false;
            let line = match line {
                Some(Ok(line)) => line,
                Some(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                    self.tell(Event::BadLine(error.to_string())).await;
                    continue;
                }
                Some(Err(error)) => return self.end(&error.to_string()),
                None => return self.end("the server closed the connection"),
            };
            match self.understand(&line) {
                Ok(reply) => {
                    if let Some(end) = self.take(reply, &answers).await {
                        return end;
                    }
                }
                Err(end) => match end {
                    Misunderstood::Base => return End::FallBack,
                    Misunderstood::Bad(text) => self.tell(Event::BadLine(text)).await,
                },
            }
        }
    }

    /// How long the server may be silent now.
    fn patience(&self, is_parting: bool, was_asked: bool) -> Option<Duration> {
        if is_parting {
            return Some(FAREWELL);
        }
        // One that does not welcome us waits for another name, and one of the book's may have nothing to say.
        if self.is_refused.get() || self.protocol.get() == Protocol::Base {
            return None;
        }
        let is_welcome = self.session.borrow().is_welcome();
        Some(if is_welcome && !was_asked {
            SILENCE
        } else {
            PATIENCE
        })
    }

    /// What a line says, in the extended protocol's terms.
    fn understand(&self, line: &[u8]) -> Result<Reply, Misunderstood> {
        let bad = |error: serde_json::Error| Misunderstood::Bad(error.to_string());
        match self.protocol.get() {
            Protocol::Extended => serde_json::from_slice(line).map_err(bad),
            Protocol::Unknown => serde_json::from_slice(line).map_err(|_| Misunderstood::Base),
            Protocol::Base => match serde_json::from_slice(line).map_err(bad)? {
                FromServer::Message {
                    group_name,
                    message,
                } => Ok(Reply::Message {
                    group_name,
                    message,
                    from: None,
                    id: 0,
                    time: now(),
                }),
                FromServer::Error(text) => Ok(Reply::Error {
                    code: ErrorCode::Unknown,
                    text,
                    about: None,
                }),
            },
        }
    }

    /// Does what a reply asks, and passes on what is news.
    async fn take(&self, reply: Reply, answers: &Sender<Request>) -> Option<End> {
        match &reply {
            Reply::Error { code, text, .. } if self.protocol.get() == Protocol::Base => {
                debug_assert_eq!(*code, ErrorCode::Unknown);
                self.last_error.replace(Some(text.clone()));
            }
            Reply::Error { code, text, .. } if !self.session.borrow().is_welcome() => {
                self.protocol.set(Protocol::Extended);
                if *code == ErrorCode::NameTaken
                    && self.was_connected.get()
                    && let Some(hello) = self.try_another_name()
                {
                    let _ = answers.try_send(hello);
                    return None;
                }
                // Then the connection is closed, and tried again like one that was lost.
                if *code == ErrorCode::LoginThrottled && self.was_connected.get() {
                    return None;
                }
                self.is_refused.set(true);
                let (code, text) = (*code, text.clone());
                self.tell(Event::Refused { code, text }).await;
                return None;
            }
            Reply::Welcome { .. } => {
                self.protocol.set(Protocol::Extended);
                self.was_connected.set(true);
                self.failures.set(0);
            }
            _ => self.was_connected.set(true),
        }
        let received = self.session.borrow_mut().receive(reply);
        for answer in received.answers {
            let _ = answers.try_send(answer);
        }
        for news in received.news {
            self.tell(Event::News(news)).await;
        }
        None
    }

    /// `anna-2` after `anna`, `anna-3` after that.
    fn try_another_name(&self) -> Option<Request> {
        let mut session = self.session.borrow_mut();
        let name = session.name().to_owned();
        let numbered = name.rsplit_once('-').and_then(|(stem, number)| {
            let number: u32 = number.parse().ok()?;
            SUFFIXES.contains(&number).then_some((stem, number))
        });
        let (stem, number) = numbered.unwrap_or((&name, SUFFIXES.start() - 1));
        let number = number + 1;
        if !SUFFIXES.contains(&number) {
            return None;
        }
        session.rename(format!("{stem}-{number}"));
        Some(session.hello())
    }

    /// What it means that the connection ended with this.
    fn end(&self, why: &str) -> End {
        if self.orders.is_closed() {
            return End::Parted;
        }
        if self.protocol.get() == Protocol::Unknown {
            return End::FallBack;
        }
        End::Lost(why.to_owned())
    }

    /// How long to wait now: twice as long as after the failure before, but never as long as others, who lost the same
    /// server at the same moment.
    fn next_pause(&self) -> Duration {
        let failures = self.failures.get();
        self.failures.set(failures.saturating_add(1));
        let longest = FIRST_PAUSE
            .saturating_mul(1 << failures.min(16))
            .min(LONGEST_PAUSE);
        // Every state of std's hasher has other keys.
        let random = RandomState::new().hash_one(failures) % 1000;
        let share = 0.5 + f64::from(u32::try_from(random).unwrap_or_default()) / 2000.0;
        longest.mul_f64(share)
    }

    /// Lets a pause go by, or waits for another name; nothing if there are no more orders. Groups can be joined and left
    /// meanwhile.
    async fn rest(&self, pause: Option<Duration>) -> Option<()> {
        let over = async {
            match pause {
                Some(pause) => task::sleep(pause).await,
                None => future::pending().await,
            }
        };
        let orders = async {
            while let Ok(order) = self.orders.recv().await {
                match order {
                    Order::Ask(request) => self.tell(Event::NotSent(request)).await,
                    Order::Rename(_) | Order::LogIn(_) => {
                        self.note(order);
                        self.is_refused.set(false);
                        return Some(());
                    }
                    order => {
                        self.note(order);
                    }
                }
            }
            None
        };
        future::or(orders, async {
            over.await;
            Some(())
        })
        .await
    }

    /// Tells it whoever still listens.
    async fn tell(&self, event: Event) {
        let _ = self.events.send(event).await;
    }
}

/// What the reader waits for.
enum Happening {
    /// A line, or that there are no more.
    Line(Option<io::Result<Vec<u8>>>),
    /// Nothing more is sent.
    Parting,
    /// Nothing has come for as long as one is patient.
    Silence,
}

/// Why a line is no reply of the extended protocol.
enum Misunderstood {
    /// It is the first one, and the book's.
    Base,
    Bad(String),
}

/// In milliseconds since the beginning of 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}
