//! Why a request was not done: what its client is told, in either protocol.

use super::extended::{ErrorCode, Reply};
use super::history::Unreadable;
use super::protocol::{Frame, FromServer, frame};

/// An error that is answered.
#[derive(Debug)]
pub(crate) struct Refusal {
    code: ErrorCode,
    /// For people, and all that a client of the base protocol is told.
    text: String,
    /// The name of the limit, group or client that it is about.
    about: Option<String>,
    /// Whether nothing comes after it but the end.
    is_last: bool,
}

impl Refusal {
    pub(crate) fn new(code: ErrorCode, text: impl Into<String>) -> Self {
        Self {
            code,
            text: text.into(),
            about: None,
            is_last: false,
        }
    }

    pub(crate) fn about(mut self, name: impl Into<String>) -> Self {
        self.about = Some(name.into());
        self
    }

    /// The client is told this, and disconnected.
    pub(crate) fn and_the_end(mut self) -> Self {
        self.is_last = true;
        self
    }

    /// Whether the client is disconnected once it was told.
    pub(crate) fn is_last(&self) -> bool {
        self.is_last
    }

    /// The limit of this name was exceeded. The text names it, too, for those who get nothing but the text.
    pub(crate) fn limit(name: &str, text: &str) -> Self {
        Self::new(ErrorCode::Limit, format!("{text} ({name})")).about(name)
    }

    /// Nobody is in this group.
    pub(crate) fn no_such_group(name: &str) -> Self {
        let text = format!("Group '{name}' does not exist");
        Self::new(ErrorCode::NoSuchGroup, text).about(name)
    }

    /// Everybody may join this group.
    pub(crate) fn not_private(name: &str) -> Self {
        let text = format!("the group {name} is not private");
        Self::new(ErrorCode::NotPrivate, text).about(name)
    }

    /// The client is not in this group.
    pub(crate) fn not_a_member(name: &str) -> Self {
        let text = format!("you are not in the group {name}");
        Self::new(ErrorCode::NotAMember, text).about(name)
    }

    /// What is kept of this group cannot be read.
    pub(crate) fn no_history(name: &str, why: Unreadable) -> Self {
        Self::new(ErrorCode::NoHistory, why.0).about(name)
    }

    /// What happened, for the log: without the names that clients choose, which are nobody's business there and may
    /// have line breaks in them.
    pub(crate) fn log_text(&self) -> &str {
        match self.code {
            ErrorCode::Limit | ErrorCode::Silent => &self.text,
            ErrorCode::Lagged => "it fell behind a group",
            ErrorCode::BadLogin => "login failed",
            ErrorCode::LoginThrottled => "too many logins have failed",
            ErrorCode::AccountNeeded => "it has no account",
            _ => "it was refused something",
        }
    }

    /// The line for a client of the base protocol.
    pub(crate) fn base(&self) -> Frame {
        frame(&FromServer::Error(self.text.clone()))
    }

    /// The line for a client that opened with `Hello`.
    pub(crate) fn extended(&self) -> Frame {
        frame(&Reply::Error {
            code: self.code,
            text: self.text.clone(),
            about: self.about.clone(),
        })
    }
}
