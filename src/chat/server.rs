//! The server: accepts clients, gives each a task of its own, and ends them all when it is told to.
//!
//! What happens in one connection (an error, a panic, a client that does not read) stays in it. What all share is the
//! table of clients, the table of groups and, in each group, the ring.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

pub use super::accept::{Accept, ChatStream};
pub use super::metrics::{Counts, DELIVERY_TIMES, Metrics};

use super::client_table::ClientTable;
use super::connection::{self, FAREWELL};
use super::group_table::GroupTable;
use super::history::History;
use super::limits::{LagPolicy, Limits};
use super::login::Logins;
use super::stop::{self, Stop};
use super::users::{Everybody, Users};
use crate::channel;
use crate::future;
use crate::io;
use crate::sync::Semaphore;
use crate::task;

/// How long a listener that cannot accept is left alone. Long enough to cost nothing while descriptors are short, short
/// enough that a client hardly notices.
const BACK_OFF: Duration = Duration::from_millis(50);

/// How many clients that are not admitted are told why at once: each costs a descriptor and a task until it has gone, and
/// the limit that keeps it out is there to bound those. More are disconnected without a word.
const MAX_TURNED_AWAY: usize = 256;

/// Serves the clients that `accept` brings until `shutdown` is ready.
///
/// Then no more are accepted, and those who are there get what was posted for them so far and the end of the stream.
/// `run` returns when all of them are gone, which a client that does not listen can delay for as long as
/// [`Builder::farewell`] says.
///
/// This is [`Builder::run`] with every setting as it is.
///
/// # Cancel safety
///
/// Dropping it does what `shutdown` does, only that nobody waits for the clients to go.
///
/// ```
/// use parklet::chat::server;
/// use parklet::net::TcpListener;
/// use parklet::{channel, task};
///
/// task::block_on(async {
///     let (stop, stopped) = channel::bounded::<()>(1);
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let server = task::spawn(server::run(listener, async move { stopped.recv().await }));
///     stop.send(()).await.unwrap();
///     server.await;
///     # Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
pub async fn run<A: Accept>(accept: A, shutdown: impl Future) {
    Builder::new().run(accept, shutdown).await;
}

/// What all connections of a server share.
pub(crate) struct Chat {
    pub(crate) groups: Arc<GroupTable>,
    pub(crate) clients: Arc<ClientTable>,
    pub(crate) logins: Arc<Logins>,
    /// Where messages are kept, if they are.
    pub(crate) history: Option<Arc<dyn History>>,
    pub(crate) limits: Limits,
    pub(crate) lag_policy: LagPolicy,
    /// How long parting from a client may take.
    pub(crate) farewell: Duration,
    /// What the server calls itself.
    pub(crate) name: String,
}

/// A server's settings.
///
/// ```
/// use parklet::chat::server::Builder;
/// use parklet::net::TcpListener;
/// use parklet::task;
///
/// task::block_on(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let server = Builder::new()
///         .max_line_length(1024)
///         .log(|problem| eprintln!("chat: {problem}"));
///     server.run(listener, async { "no time for clients" }).await;
///     # Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
pub struct Builder {
    /// See [`Builder::limits`].
    limits: Limits,
    /// See [`Builder::lag_policy`].
    lag_policy: LagPolicy,
    /// See [`Builder::name`].
    name: String,
    /// See [`Builder::farewell`].
    farewell: Duration,
    /// See [`Builder::users`].
    users: Arc<dyn Users>,
    /// See [`Builder::history`].
    history: Option<Arc<dyn History>>,
    /// See [`Builder::metrics`].
    metrics: Arc<Metrics>,
    /// See [`Builder::log`].
    log: Arc<Log>,
}

/// Where lines about problems go.
type Log = dyn Fn(&str) + Send + Sync;

impl Builder {
    /// The settings of [`run`].
    ///
    /// ```
    /// let server = parklet::chat::server::Builder::new();
    /// # drop(server);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self {
            limits: Limits::default(),
            lag_policy: LagPolicy::default(),
            name: concat!("parklet ", env!("CARGO_PKG_VERSION")).to_string(),
            farewell: FAREWELL,
            users: Arc::new(Everybody),
            history: None,
            metrics: Arc::new(Metrics::default()),
            log: Arc::new(|problem| {
                // A server whose standard error was closed goes on.
                let _ = writeln!(std::io::stderr(), "{problem}");
            }),
        }
    }

    /// Sets how much is taken from clients, and kept for them; [`Limits::default`] by default.
    ///
    /// ```
    /// use parklet::chat::{Limits, server::Builder};
    ///
    /// let mut limits = Limits::default();
    /// limits.groups_per_client = 5;
    /// let server = Builder::new().limits(limits);
    /// # drop(server);
    /// ```
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets what happens to members that fall behind; [`LagPolicy::Skip`] by default.
    ///
    /// ```
    /// use parklet::chat::{LagPolicy, server::Builder};
    ///
    /// let server = Builder::new().lag_policy(LagPolicy::Disconnect);
    /// # drop(server);
    /// ```
    #[must_use]
    pub fn lag_policy(mut self, policy: LagPolicy) -> Self {
        self.lag_policy = policy;
        self
    }

    /// Sets what the server calls itself when it welcomes a client; `parklet` and its version by default.
    ///
    /// ```
    /// let server = parklet::chat::server::Builder::new().name("the harbour");
    /// # drop(server);
    /// ```
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the longest line taken from a client, in bytes without the line break: [`Limits::line_length`] alone.
    ///
    /// ```
    /// let server = parklet::chat::server::Builder::new().max_line_length(1024);
    /// # drop(server);
    /// ```
    #[must_use]
    pub fn max_line_length(mut self, bytes: usize) -> Self {
        self.limits.line_length = bytes;
        self
    }

    /// Sets how long parting from a client may take: sending it the rest of what is for it, and waiting until it has
    /// closed the connection, too. Two seconds by default.
    ///
    /// This bounds how long [`run`] goes on after `shutdown`.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let server = parklet::chat::server::Builder::new().farewell(Duration::from_secs(10));
    /// # drop(server);
    /// ```
    #[must_use]
    pub fn farewell(mut self, at_most: Duration) -> Self {
        self.farewell = at_most;
        self
    }

    /// Sets who may be there, and under which name; everybody, under any, by default.
    ///
    /// ```
    /// use parklet::chat::{Access, Secret, Users, server::Builder};
    ///
    /// struct Anna;
    ///
    /// impl Users for Anna {
    ///     fn access(&self) -> Access {
    ///         Access::AccountsAndGuests
    ///     }
    ///
    ///     fn verify(&self, name: &str, token: &Secret) -> Option<String> {
    ///         (name == "anna" && *token == Secret::from("swordfish")).then(|| name.to_string())
    ///     }
    /// }
    ///
    /// let server = Builder::new().users(Anna);
    /// # drop(server);
    /// ```
    #[must_use]
    pub fn users(mut self, users: impl Users) -> Self {
        self.users = Arc::new(users);
        self
    }

    /// Sets where messages are kept, so that clients that said `Hello` are sent them when they join. By default nowhere.
    ///
    /// How much is kept is up to `history`; how much clients are sent stands in [`Limits`].
    ///
    /// ```
    /// use parklet::chat::{history::History, server::Builder};
    /// use std::sync::Arc;
    ///
    /// fn server_with(history: impl History) -> Builder {
    ///     Builder::new().history(Arc::new(history))
    /// }
    /// ```
    #[must_use]
    pub fn history(mut self, history: Arc<dyn History>) -> Self {
        self.history = Some(history);
        self
    }

    /// Sets where the server counts what it does. Servers that are given the same count together.
    ///
    /// ```
    /// use parklet::chat::server::{Builder, Metrics};
    ///
    /// let server = Builder::new().metrics(Metrics::default().into());
    /// # drop(server);
    /// ```
    #[must_use]
    pub fn metrics(mut self, metrics: Arc<Metrics>) -> Self {
        self.metrics = metrics;
        self
    }

    /// Sets where problems are told: at most one line for each connection, and one each time that accepting begins to
    /// fail. By default they go to the standard error.
    ///
    /// It is called in tasks, so it should not block for long.
    ///
    /// ```
    /// let server = parklet::chat::server::Builder::new().log(|_| {});
    /// # drop(server);
    /// ```
    #[must_use]
    pub fn log(mut self, log: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.log = Arc::new(log);
        self
    }

    /// Serves the clients that `accept` brings until `shutdown` is ready, as [`run`] does.
    ///
    /// # Cancel safety
    ///
    /// As [`run`].
    ///
    /// ```
    /// # use parklet::{chat::server::Builder, net::TcpListener, task};
    /// # task::block_on(async {
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// Builder::new().run(listener, std::future::ready(())).await;
    /// # Ok::<(), std::io::Error>(())
    /// # })
    /// # .unwrap();
    /// ```
    pub async fn run<A: Accept>(self, accept: A, shutdown: impl Future) {
        let (stopper, stop) = stop::pair();
        // Nothing is sent over this channel. Every connection holds a clone of `gone`, so `all_gone` hears of it when the
        // last of them has.
        let (gone, all_gone) = channel::bounded::<Infallible>(1);

        let stopped = async {
            shutdown.await;
        };
        let chat = self.chat();
        let serving = self.accept_all(&accept, &chat, &stop, &gone);
        let serving = future::or(serving, forget_groups(&chat));
        future::or(stopped, serving).await;
        drop((accept, stopper, gone, chat));
        let _ = all_gone.recv().await;
    }

    /// What connections are to share.
    fn chat(&self) -> Arc<Chat> {
        Arc::new(Chat {
            groups: Arc::new(GroupTable::new(
                self.limits.outbox_messages,
                self.history.clone(),
                self.metrics.clone(),
            )),
            clients: Arc::new(ClientTable::new(self.users.clone())),
            logins: Arc::new(Logins::new(
                self.users.clone(),
                &self.limits,
                self.metrics.clone(),
            )),
            history: self.history.clone(),
            limits: self.limits.clone(),
            lag_policy: self.lag_policy,
            farewell: self.farewell,
            name: self.name.clone(),
        })
    }

    /// Accepts clients as long as it is polled.
    async fn accept_all<A: Accept>(
        &self,
        accept: &A,
        chat: &Arc<Chat>,
        stop: &Stop,
        gone: &channel::Sender<Infallible>,
    ) {
        let turned_away = Arc::new(Semaphore::new(MAX_TURNED_AWAY));
        let (mut failing, mut crowded) = (false, false);
        loop {
            match accept.accept().await {
                Ok((stream, peer)) => {
                    failing = false;
                    let address = accept.address_of(&peer);
                    let admission = chat.clients.admit(address, &chat.limits);
                    let farewell = match admission {
                        Ok(_) => None,
                        Err(_) => turned_away.try_acquire_arc(),
                    };
                    if admission.is_err() && farewell.is_none() {
                        if !crowded {
                            let why = format!("{MAX_TURNED_AWAY} are just being told why");
                            (self.log)(&format!("clients are turned away without a word: {why}"));
                        }
                        crowded = true;
                        continue;
                    }
                    crowded = false;
                    let (log, gone) = (self.log.clone(), gone.clone());
                    let ended = move |result| {
                        if let Err(error) = result {
                            log(&format!("connection from {peer} ended: {error}"));
                        }
                        drop((farewell, gone));
                    };
                    let (chat, stop) = (chat.clone(), stop.clone());
                    task::spawn(connection::serve(stream, chat, admission, stop, ended)).detach();
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    if !failing {
                        (self.log)(&format!("cannot accept clients for now: {error}"));
                    }
                    failing = true;
                    task::sleep(BACK_OFF).await;
                }
            }
        }
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("limits", &self.limits)
            .field("lag_policy", &self.lag_policy)
            .field("name", &self.name)
            .field("farewell", &self.farewell)
            .field("metrics", &self.metrics)
            .finish_non_exhaustive()
    }
}

/// Forgets the groups without members of which nothing is kept any longer, as long as it is polled.
async fn forget_groups(chat: &Chat) {
    let Some(history) = &chat.history else {
        return future::pending().await;
    };
    loop {
        for name in history.forgotten().await {
            chat.groups.prune(&name);
        }
    }
}

/// Whether `error` says something of a client that went before it was accepted, and nothing of the next.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}
