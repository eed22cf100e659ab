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

mod pause;
mod read;

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::time::Duration;

use parklet::channel::{self, Receiver, Sender};
use parklet::chat::Secret;
use parklet::chat::extended::{ErrorCode, Request};
use parklet::chat::session::{News, Session};
use parklet::future;
use parklet::io::{self, WriteExt};
use parklet::task;

use crate::dial::{Dialer, Outbound};

/// What somebody wants done.
pub(crate) enum Order {
    /// To be in a group, over all connections.
    Join {
        group_name: String,
        /// Of a private one.
        password: Option<Secret>,
        /// The last message that was seen in an earlier run.
        after: Option<u64>,
    },
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
            let end = match self.connection().await {
                // Who has an account is not to talk as nobody, where a private group may be anybody's.
                End::FallBack if self.session.borrow().has_token() => End::Lost(
                    "the server took the name and the password and said nothing".to_owned(),
                ),
                end => end,
            };
            match end {
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
                    let failures = self.failures.get();
                    self.failures.set(failures.saturating_add(1));
                    let pause = pause::after(failures);
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
            Order::Join {
                group_name,
                password,
                after: Some(after),
            } => session.join_after(&group_name, password, after),
            Order::Join {
                group_name,
                password,
                after: None,
            } => session.join(&group_name, password),
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
