//! What goes over the wire between a server and a client that opened with [`Hello`](Request::Hello): names, direct
//! messages, lists, and errors that a program understands.
//!
//! ```text
//! client ──► {"Hello":{"name":"anna"}}                                                      ──► server
//! client ◄── {"Welcome":{"name":"anna","server":"parklet 0.1.0","features":[],"limits":{..}}} ◄── server
//! ```
//!
//! It is one JSON value a line, as the base [`protocol`](super::protocol), and `docs/PROTOCOL.md` describes all of it. A
//! client that does not open with `Hello` sees nothing of this.

use std::str;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::history::KeptMessage;
use super::limits::Limits;
use super::secret::Secret;

/// What a client that opens with `Hello` asks of the server. Fields that are not known are passed over.
///
/// ```
/// use parklet::chat::extended::Request;
///
/// let request: Request = serde_json::from_str(r#"{"Hello":{"name":"anna","colour":"red"}}"#).unwrap();
/// let expected = Request::Hello { name: "anna".to_string(), token: None, features: Vec::new() };
/// assert_eq!(request, expected);
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub enum Request {
    /// I speak this protocol, and want to be known by this name. Answered with [`Reply::Welcome`]; after an error another
    /// one may be tried.
    Hello {
        /// The name.
        name: String,
        /// The password of my account, for servers with accounts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<Secret>,
        /// What else I would like to have or to know of: [`NOTICES`], [`ACCOUNTS`], [`HISTORY`],
        /// [`PRIVATE_GROUPS`].
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        features: Vec<String>,
    },
    /// From now on, send me what is posted to this group; and before that, of what is kept, the last messages.
    Join {
        /// The group's name.
        group_name: String,
        /// The password, if the group is a private one that has one, and I am not invited.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        password: Option<Secret>,
        /// The last id that I have seen of this group: then I want everything after it that is kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<u64>,
    },
    /// Make a private group, and me its first member.
    Create {
        /// The group's name.
        group_name: String,
        /// What lets others in; without it only who is invited comes in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        password: Option<Secret>,
    },
    /// Let this client into a private group that I am in, and tell it: [`Reply::Invited`].
    Invite {
        /// The group's name.
        group_name: String,
        /// The client's name.
        name: String,
    },
    /// Send me nothing more of this group.
    Leave {
        /// The group's name.
        group_name: String,
    },
    /// Send this to every member of the group; to me as well if I am one.
    Post {
        /// The group's name.
        group_name: String,
        /// The text.
        message: String,
    },
    /// Send this to one client alone.
    Direct {
        /// The client's name.
        to: String,
        /// The text.
        message: String,
    },
    /// Which groups are there? Answered with [`Reply::Groups`].
    Groups {},
    /// Who is in this group? Answered with [`Reply::Members`].
    Members {
        /// The group's name.
        group_name: String,
    },
    /// What was posted to this group, of which I am a member? The last messages that are kept, unless `before` or `after`
    /// asks for others; not both of them. Answered with [`Reply::History`].
    History {
        /// The group's name.
        group_name: String,
        /// The last ones with smaller ids.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<u64>,
        /// The first ones with greater ids.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<u64>,
        /// How many at most; a hundred, if it is not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<usize>,
    },
    /// Are you there? Answered with [`Reply::Pong`], when all that was asked before has been done.
    Ping {},
    /// I am: the answer to [`Reply::Ping`]. Any other request is as good.
    Pong {},
}

/// The feature of being told who joins and leaves one's groups: [`Reply::Joined`] and [`Reply::Left`].
///
/// ```
/// assert_eq!(parklet::chat::extended::NOTICES, "notices");
/// ```
pub const NOTICES: &str = "notices";

/// What a server with accounts can: who has one cannot be mistaken for anybody else.
///
/// ```
/// assert_eq!(parklet::chat::extended::ACCOUNTS, "accounts");
/// ```
pub const ACCOUNTS: &str = "accounts";

/// The feature of a server that keeps messages: [`Request::History`], and `after` in [`Request::Join`]. It is there for
/// whoever did not ask for it, too; who asked is told in [`Reply::Welcome`] whether there is any.
///
/// ```
/// assert_eq!(parklet::chat::extended::HISTORY, "history");
/// ```
pub const HISTORY: &str = "history";

/// What a server can that has private groups: [`Request::Create`].
///
/// ```
/// assert_eq!(parklet::chat::extended::PRIVATE_GROUPS, "private_groups");
/// ```
pub const PRIVATE_GROUPS: &str = "private_groups";

/// What the server tells a client that opened with `Hello`.
///
/// ```
/// use parklet::chat::extended::{ErrorCode, Reply};
///
/// let line = r#"{"Error":{"code":"limit","text":"line 2 is longer than 65536 bytes","about":"line_length"}}"#;
/// let Ok(Reply::Error { code, about, .. }) = serde_json::from_str(line) else { unreachable!() };
/// assert_eq!(code, ErrorCode::Limit);
/// assert_eq!(about.as_deref(), Some("line_length"));
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub enum Reply {
    /// You are known by this name now.
    Welcome {
        /// The name, as others see it.
        name: String,
        /// What the server calls itself.
        server: String,
        /// What you get of the features that you asked for.
        features: Vec<String>,
        /// How much the server takes.
        limits: Box<Limits>,
    },
    /// Somebody posted this to a group that you joined.
    Message {
        /// The group's name.
        group_name: String,
        /// The text.
        message: String,
        /// Who; nobody if it was a client that never said `Hello`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        /// Which message of the group it is, counted from 1 since the group came into being. Where messages are kept, it
        /// leaves numbers out after the server was ended in haste.
        id: u64,
        /// When it was posted, in milliseconds since the beginning of 1970 (UTC).
        time: u64,
    },
    /// Somebody sent this to you alone.
    Direct {
        /// Who.
        from: String,
        /// The text.
        message: String,
        /// When, in milliseconds since the beginning of 1970 (UTC).
        time: u64,
    },
    /// The groups that have members, or messages that are kept.
    Groups {
        /// At most a thousand of them, and no more than a line holds, in the order of their names.
        groups: Vec<GroupSize>,
        /// How many there are.
        total: usize,
    },
    /// Who is in a group.
    Members {
        /// The group's name.
        group_name: String,
        /// At most a thousand of those who said `Hello`, and no more than a line holds, in the order of their names.
        names: Vec<String>,
        /// How many members there are, with and without a name.
        total: usize,
    },
    /// What was posted to a group, as far as it is kept.
    History {
        /// The group's name.
        group_name: String,
        /// At most a thousand messages, and no more than a line holds, oldest first.
        messages: Vec<KeptMessage>,
        /// Whether there are more that were asked for: older ones, or newer ones if it was for those `after` an id.
        more: bool,
    },
    /// Somebody joined a group that you are in, or you did.
    Joined {
        /// The group's name.
        group_name: String,
        /// Who.
        name: String,
    },
    /// Somebody left a group that you are in.
    Left {
        /// The group's name.
        group_name: String,
        /// Who.
        name: String,
    },
    /// You may join this private group.
    Invited {
        /// The group's name.
        group_name: String,
        /// Who says so.
        by: String,
    },
    /// You read too slowly, or ask for more than is kept: messages of this group were dropped, in this place.
    Lagged {
        /// The group's name.
        group_name: String,
        /// How many.
        dropped: u64,
    },
    /// Are you there? Say anything, for example [`Request::Pong`].
    Ping {},
    /// All that you asked before [`Request::Ping`] has been done.
    Pong {},
    /// Something was not understood or could not be done.
    Error {
        /// What kind of thing, for programs.
        code: ErrorCode,
        /// What, for people.
        text: String,
        /// The name of the limit, group or client that it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<String>,
    },
}

/// One group in [`Reply::Groups`].
///
/// ```
/// use parklet::chat::extended::GroupSize;
///
/// let group: GroupSize = serde_json::from_str(r#"{"group_name":"rust","members":3}"#).unwrap();
/// assert_eq!(group.members, 3);
/// ```
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct GroupSize {
    /// The group's name.
    pub group_name: String,
    /// How many members it has.
    pub members: usize,
}

/// What kind of error a [`Reply::Error`] is.
///
/// ```
/// use parklet::chat::extended::ErrorCode;
///
/// assert_eq!(serde_json::to_string(&ErrorCode::NameTaken).unwrap(), r#""name_taken""#);
/// // A newer server may know others.
/// let code: ErrorCode = serde_json::from_str(r#""out_of_coffee""#).unwrap();
/// assert_eq!(code, ErrorCode::Unknown);
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorCode {
    /// A line is no JSON.
    BadJson,
    /// A line is JSON, but not a request: an unknown one, or one with a field missing or of another type.
    BadRequest,
    /// There was a `Hello`, but no `Welcome` yet, and until then there is nothing else to ask.
    HelloFirst,
    /// There was a `Welcome` already.
    SecondHello,
    /// Nothing is left of a name without its invisible characters.
    BadName,
    /// Somebody who is connected has this name.
    NameTaken,
    /// There is no account of this name, or it has another password.
    BadLogin,
    /// Too many logins have failed; `about` says in how many seconds another one is taken.
    LoginThrottled,
    /// The server serves those who have an account, and opens with `Hello`, name and token.
    AccountNeeded,
    /// There is a group of this name already.
    GroupExists,
    /// A group is private, and you said neither its password nor are you invited.
    Private,
    /// A group is not private: everybody may join it, and nobody has to say a password.
    NotPrivate,
    /// Nobody is in this group.
    NoSuchGroup,
    /// You are not in this group.
    NotAMember,
    /// Nobody who is connected has this name.
    NoSuchClient,
    /// Too much waits for this client already: the message was not sent.
    Busy,
    /// This server keeps no messages, or cannot read them now.
    NoHistory,
    /// A limit was exceeded; `about` names it.
    Limit,
    /// You read too slowly, and the server disconnects who does.
    Lagged,
    /// You gave no sign of life.
    Silent,
    /// One that this version does not know.
    #[serde(other)]
    Unknown,
}

/// Whether a connection that begins with `line` is one of this protocol: whether the line is a `Hello`, however broken
/// in what it says.
pub(crate) fn is_hello(line: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Opening {
        #[serde(rename = "Hello")]
        _hello: IgnoredAny,
    }
    // A list would do for a struct, too.
    line.trim_ascii_start().starts_with(b"{") && serde_json::from_slice::<Opening>(line).is_ok()
}

/// What is wrong with a line that is no [`Request`].
pub(crate) fn code_of_bad_line(line: &[u8]) -> ErrorCode {
    let is_json = |text: &str| serde_json::from_str::<IgnoredAny>(text).is_ok();
    match str::from_utf8(line) {
        Ok(text) if is_json(text) => ErrorCode::BadRequest,
        _ => ErrorCode::BadJson,
    }
}
