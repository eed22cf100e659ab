//! What makes a group private: who may come in is who knows its password, or was invited by somebody who is in it. Nothing
//! of it is kept, and nobody outside is shown that it is there, but for who tries its very name.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::extended::ErrorCode;
use super::refusal::Refusal;
use super::secret::Secret;

/// A private group's door.
pub(crate) struct Private {
    /// Lets in whoever knows it; without one the group is for those who are invited.
    password: Option<Secret>,
    /// Who was invited, also if they have come since: they may come again. A plain lock: nothing is awaited under it.
    invited: Mutex<Vec<Identity>>,
}

/// Who somebody is, for as long as that can be said.
#[derive(Clone)]
pub(crate) enum Identity {
    /// Whoever has this account: the canonical form of its name.
    Account(Arc<str>),
    /// Whoever has this connection. Its name may be somebody else's tomorrow.
    Connection(Weak<()>),
}

impl Identity {
    /// Whether there can be somebody who is this.
    fn may_come(&self) -> bool {
        match self {
            Self::Account(_) => true,
            Self::Connection(connection) => connection.strong_count() > 0,
        }
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Account(one), Self::Account(other)) => one == other,
            (Self::Connection(one), Self::Connection(other)) => one.ptr_eq(other),
            _ => false,
        }
    }
}

impl Private {
    /// One whose creator may come again.
    pub(crate) fn new(password: Option<Secret>, creator: Identity) -> Self {
        Self {
            password,
            invited: Mutex::new(vec![creator]),
        }
    }

    /// Invites somebody, if not more than `at_most` are then.
    ///
    /// # Errors
    ///
    /// They would be.
    pub(crate) fn invite(&self, identity: Identity, at_most: usize) -> Result<(), Refusal> {
        let mut invited = self.invited();
        if invited.contains(&identity) {
            return Ok(());
        }
        if invited.len() >= at_most {
            invited.retain(Identity::may_come);
        }
        if invited.len() >= at_most {
            let text = format!("{at_most} are invited already");
            return Err(Refusal::limit("invitations_per_group", &text));
        }
        invited.push(identity);
        Ok(())
    }

    pub(crate) fn has_invited(&self, identity: &Identity) -> bool {
        self.invited().contains(identity)
    }

    /// Whether this is the password. The time it takes says nothing of what the password is.
    pub(crate) fn opens_to(&self, password: &Secret) -> bool {
        self.password.as_ref() == Some(password)
    }

    /// Why somebody is not let in.
    pub(crate) fn refusal(group_name: &str) -> Refusal {
        let text =
            format!("the group {group_name} is private: it takes its password or an invitation");
        Refusal::new(ErrorCode::Private, text).about(group_name)
    }

    fn invited(&self) -> MutexGuard<'_, Vec<Identity>> {
        self.invited.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
