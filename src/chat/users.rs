//! Whom the server knows: what it asks of those who keep the accounts, so that it needs to know nothing of files and hashes.

use std::sync::Arc;

use super::names;
use super::secret::Secret;

/// Who may be there, and under which name.
///
/// What is not said here is as it is without accounts: everybody may, and has the name that is asked for, unless somebody
/// else has it.
///
/// ```
/// use parklet::chat::{Access, Secret, Users, server::Builder};
///
/// /// Lets in whoever knows the word.
/// struct Club {
///     word: Secret,
/// }
///
/// impl Users for Club {
///     fn access(&self) -> Access {
///         Access::Accounts
///     }
///
///     fn verify(&self, name: &str, token: &Secret) -> Option<String> {
///         (*token == self.word).then(|| name.to_string())
///     }
/// }
///
/// let server = Builder::new().users(Club { word: Secret::from("swordfish") });
/// # drop(server);
/// ```
pub trait Users: Send + Sync + 'static {
    /// Whom the server serves. It should not change while the server runs.
    fn access(&self) -> Access {
        Access::Anyone
    }

    /// What two names have in common that count as the same: of all that have the same canonical form, one client at a time
    /// has one. It is asked often, and should be quick.
    ///
    /// By default upper and lower case make no difference.
    ///
    /// ```
    /// use parklet::chat::{Access, Users};
    ///
    /// struct Anybody;
    /// impl Users for Anybody {}
    ///
    /// assert_eq!(Anybody.canonical("Anna"), Anybody.canonical("anna"));
    /// assert_eq!(Anybody.access(), Access::Anyone);
    /// ```
    fn canonical(&self, name: &str) -> String {
        names::key(name)
    }

    /// Whether `token` is the password of the account `name`, which is [clean](super::clean_name); if so, the name of the account
    /// as others are to see it. It is asked unless [`access`](Self::access) is [`Access::Anyone`].
    ///
    /// It may take long, and is called on a thread where that holds up nobody, at most a few times at once. So that nobody
    /// learns which names there are, it should take as long for a name that is unknown.
    fn verify(&self, name: &str, token: &Secret) -> Option<String> {
        let _ = (name, token);
        None
    }
}

impl<U: Users + ?Sized> Users for Arc<U> {
    fn access(&self) -> Access {
        (**self).access()
    }

    fn canonical(&self, name: &str) -> String {
        (**self).canonical(name)
    }

    fn verify(&self, name: &str, token: &Secret) -> Option<String> {
        (**self).verify(name, token)
    }
}

/// Whom a server serves.
///
/// ```
/// use parklet::chat::Access;
///
/// assert_eq!(Access::default(), Access::Anyone);
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Access {
    /// Everybody. Tokens are not looked at.
    #[default]
    Anyone,
    /// Who has an account and proves it. Everybody else is told so and disconnected.
    Accounts,
    /// Who has an account and proves it, and guests: clients without a token, also those of the base protocol. Their names
    /// are given to them.
    AccountsAndGuests,
}

/// Those of a server without accounts.
pub(crate) struct Everybody;

impl Users for Everybody {}
