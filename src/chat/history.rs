//! What was posted before: the trait of whatever keeps messages, and how it and the groups' rings make one stream.
//!
//! ```text
//!                  ┌── keep ──► History ── read ──► Errand ──┐
//!  Group ── post ──┤            (a program's own)  (replay)  ├──► Outbound
//!                  └────────────── ring ──► Membership ──────┘
//! ```
//!
//! The library has no history of its own. A program that has one gives it to
//! [`Builder::history`](super::server::Builder::history); the one in `examples/chat_server/` keeps messages on disk.
//!
//! Who joins is first sent what is kept and then what is posted. Nothing comes twice and nothing is left out, since
//!
//! 1. A message gets its id and is given to [`History::keep`] under the lock of its group's ring, where it also gets its place
//!    in the ring. So ids, what is kept and what is in the ring have one order.
//! 2. Who joins subscribes to the ring, and under the same lock learns the id of the last message before. Up to that id
//!    all messages have been given to `keep`; all after it come through the ring.
//! 3. [`History::read`] finds whatever was given to `keep` before, on the disk or not. So what is replayed goes up to that id,
//!    and the ring goes on from there.
//! 4. While a member is replayed to, it takes nothing out of the ring. If more has been posted meanwhile than half the ring
//!    holds, it subscribes anew and is replayed what lies between: it does not go live to fall behind at once.
//! 5. A group is in the table while it has members or something of it is kept. To a group without members a message is
//!    posted under the lock of its shard, under which groups are also removed and joined: so no id is given twice.
//!
//! Ids that nobody is sent are told as `Lagged` in their place: messages that are kept no longer, or never were. If what
//! is kept cannot be read, an error takes the place of the replay.

use std::fmt;
use std::future::{Future, pending};
use std::ops::Range;
use std::pin::Pin;
use std::task::Waker;

use serde::{Deserialize, Serialize};

/// One message of a group, as it is kept, and listed in [`Reply::History`](super::extended::Reply::History).
///
/// ```
/// use parklet::chat::history::KeptMessage;
///
/// let message: KeptMessage = serde_json::from_str(r#"{"message":"hi","from":"anna","id":7,"time":1700000000000}"#).unwrap();
/// assert_eq!((message.id, message.from.as_deref()), (7, Some("anna")));
/// ```
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct KeptMessage {
    /// The text.
    pub message: String,
    /// Who; nobody if it was a client that never said `Hello`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Which message of the group it is.
    pub id: u64,
    /// When it was posted, in milliseconds since the beginning of 1970 (UTC).
    pub time: u64,
}

/// Which messages of a group are to be read.
///
/// ```
/// use parklet::chat::history::{Place, Query};
///
/// let mut query = Query::new("rust", Place::After(7));
/// query.messages = 10;
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Query {
    /// The group's name.
    pub group_name: String,
    /// Where the page stands.
    pub place: Place,
    /// Only messages with this id or a smaller one.
    pub until: u64,
    /// Only messages of this time or later, in milliseconds since the beginning of 1970.
    pub since: u64,
    /// At most so many messages.
    pub messages: usize,
    /// No more messages once they have so many bytes together: more than that need not be read.
    pub bytes: usize,
}

impl Query {
    /// All that is kept in a place.
    ///
    /// ```
    /// use parklet::chat::history::{Place, Query};
    ///
    /// let query = Query::new("rust", Place::Last(50));
    /// assert_eq!((query.until, query.since), (u64::MAX, 0));
    /// ```
    pub fn new(group_name: impl Into<String>, place: Place) -> Self {
        Self {
            group_name: group_name.into(),
            place,
            until: u64::MAX,
            since: 0,
            messages: usize::MAX,
            bytes: usize::MAX,
        }
    }
}

/// Where a page of messages stands among all that a [`Query`] is about.
///
/// ```
/// use parklet::chat::history::Place;
///
/// assert_ne!(Place::After(7), Place::Before(7));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// The first ones with greater ids than this.
    After(u64),
    /// The last ones with smaller ids than this.
    Before(u64),
    /// The first ones of the last so many.
    Last(usize),
}

/// What was read.
///
/// ```
/// use parklet::chat::history::Page;
///
/// let nothing = Page::default();
/// assert!(nothing.messages.is_empty() && !nothing.more);
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Page {
    /// The messages, in the order of their ids.
    pub messages: Vec<KeptMessage>,
    /// Whether there are more in this direction that did not fit.
    pub more: bool,
    /// Ids that no message ever had: who finds none of these has missed nothing.
    pub left_out: Vec<Range<u64>>,
}

/// Why messages cannot be read, in words for the client that asked: it is nobody's business where they are kept.
///
/// ```
/// let error = parklet::chat::history::Unreadable("the disk has failed".to_string());
/// assert_eq!(error.to_string(), "the disk has failed");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unreadable(
    /// The words.
    pub String,
);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}

/// A message was not kept, since there is no room for it or nowhere to keep it.
///
/// ```
/// assert_eq!(parklet::chat::history::NotKept.to_string(), "the message was not kept");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NotKept;

impl fmt::Display for NotKept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the message was not kept")
    }
}

impl std::error::Error for NotKept {}

/// What [`History::read`] returns.
pub type Reading = Pin<Box<dyn Future<Output = Result<Page, Unreadable>> + Send>>;

/// Keeps the messages of groups, for as long as it likes.
///
/// All but the two futures are called in the middle of everything, some under locks: they work in memory and neither
/// block, nor wait, nor wake anybody.
///
/// ```
/// use parklet::chat::history::{History, KeptMessage, NotKept, Page, Query, Reading};
/// use std::collections::HashMap;
/// use std::sync::Mutex;
/// use std::task::Waker;
///
/// /// Remembers how many messages there have been, and none of them.
/// #[derive(Default)]
/// struct Counts(Mutex<HashMap<String, u64>>);
///
/// impl History for Counts {
///     fn groups(&self) -> Vec<String> {
///         Vec::new()
///     }
///     fn last_id(&self, group_name: &str) -> Option<u64> {
///         self.0.lock().unwrap().get(group_name).copied()
///     }
///     fn keep(&self, group_name: &str, message: KeptMessage) -> Result<Option<Waker>, NotKept> {
///         self.0.lock().unwrap().insert(group_name.to_string(), message.id);
///         Ok(None)
///     }
///     fn read(&self, _: Query) -> Reading {
///         Box::pin(async { Ok(Page::default()) })
///     }
/// }
///
/// let server = parklet::chat::server::Builder::new().history(std::sync::Arc::new(Counts::default()));
/// # drop(server);
/// ```
pub trait History: Send + Sync + 'static {
    /// The groups of which something is kept. Asked once, when a server starts: these are there from the beginning.
    fn groups(&self) -> Vec<String>;

    /// The greatest id that a message of this group has, or may have had before the server was last started; nothing if
    /// nothing of the group is kept, and the next message may well be the first.
    fn last_id(&self, group_name: &str) -> Option<u64>;

    /// The greatest id that may have been given in a group of which nothing is kept, since it was lost: when the server was
    /// ended in haste, say. Groups that are new begin above it, so that nobody who asks for what came after an id is told of
    /// other messages by the same number.
    ///
    /// By default there is none.
    fn last_lost_id(&self) -> u64 {
        0
    }

    /// Keeps a message, if it can. For each group this is called with ids that grow.
    ///
    /// The waker, if there is one, is woken when all locks have been released.
    ///
    /// # Errors
    ///
    /// It does not. The message is sent to the members all the same.
    fn keep(&self, group_name: &str, message: KeptMessage) -> Result<Option<Waker>, NotKept>;

    /// Reads messages, also those that were kept just before the call. If there is any, at least one is found, however
    /// long it is.
    ///
    /// # Errors
    ///
    /// They cannot be read. The future is dropped if that takes longer than a client can wait.
    ///
    /// # Cancel safety
    ///
    /// Has to be cancel safe: a client may go at any time.
    fn read(&self, query: Query) -> Reading;

    /// Waits until there are groups of which nothing is kept any longer, and returns their names. The server forgets
    /// those that have no members.
    ///
    /// By default it waits for ever: for a history that forgets nothing.
    ///
    /// # Cancel safety
    ///
    /// Has to be cancel safe: when the server is stopped, the future is dropped.
    fn forgotten(&self) -> Pin<Box<dyn Future<Output = Vec<String>> + Send + '_>> {
        Box::pin(pending())
    }
}
