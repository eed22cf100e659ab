//! How a client opens: which protocol it speaks, who it is, and whether it may be there at all.

use std::task::{Context, Poll, ready};

use super::super::accept::ChatStream;
use super::super::alarm::Alarm;
use super::super::client_table::Claim;
use super::super::extended::{ACCOUNTS, ErrorCode, HISTORY, NOTICES, PRIVATE_GROUPS, Reply};
use super::super::names;
use super::super::protocol::Frame;
use super::super::refusal::Refusal;
use super::super::secret::Secret;
use super::super::users::Access;
use super::{BaseGuest, Guest, LoggingIn, Speaks, Talk, within};
use crate::channel;

impl<S: ChatStream> Talk<S> {
    /// Speaks the book's protocol from now on.
    ///
    /// # Errors
    ///
    /// Who speaks that cannot prove who it is, and here everybody has to.
    pub(super) fn open_base(&mut self) -> Result<(), Refusal> {
        let guest = match self.chat.logins.users.access() {
            Access::Anyone => None,
            Access::Accounts => return Err(account_needed()),
            Access::AccountsAndGuests => {
                // It is told the book's lines alone, so the mailbox is of no use.
                let (name, claim, _) = self.chat.clients.claim_for_guest(1);
                let (name, claim) = (name.into(), Some(claim));
                Some(Box::new(BaseGuest { name, claim }))
            }
        };
        self.speaks = Speaks::Base(guest);
        self.alarm = None;
        Ok(())
    }

    /// Gives the client its name, and from now on what the extended protocol has; or begins to find out whether it may have
    /// that name.
    pub(super) fn hello(
        &mut self,
        name: &str,
        token: Option<Secret>,
        features: Vec<String>,
    ) -> Result<(), Refusal> {
        if let Speaks::Extended(guest) = &self.speaks {
            let text = format!("you are {} already", guest.name);
            return Err(Refusal::new(ErrorCode::SecondHello, text).about(&*guest.name));
        }
        let limits = &self.chat.limits;
        let name = names::clean(name)
            .ok_or_else(|| Refusal::new(ErrorCode::BadName, "nothing of the name can be seen"))?;
        within("name_length", "a name", name.len(), limits.name_length)?;
        let capacity = limits.outbox_messages;
        match (self.chat.logins.users.access(), token) {
            (Access::Anyone, _) => {
                let (claim, mailbox) = self.chat.clients.claim(&name, false, capacity)?;
                self.welcome(name, claim, mailbox, &features);
            }
            (Access::AccountsAndGuests, None) => {
                let (name, claim, mailbox) = self.chat.clients.claim_for_guest(capacity);
                self.welcome(name, claim, mailbox, &features);
            }
            (Access::Accounts, None) => return Err(account_needed()),
            (_, Some(token)) => {
                let login = self.chat.logins.begin(self.network, name, token);
                let login = login.map_err(Refusal::and_the_end)?;
                self.speaks = Speaks::LoggingIn(Box::new(LoggingIn { login, features }));
            }
        }
        Ok(())
    }

    /// Goes on with a login, if there is one.
    ///
    /// # Errors
    ///
    /// It has failed: what the client is still to be told.
    pub(crate) fn poll_login(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        let Speaks::LoggingIn(logging_in) = &mut self.speaks else {
            return Poll::Ready(Ok(()));
        };
        let verified = ready!(logging_in.login.as_mut().poll(cx));
        let features = std::mem::take(&mut logging_in.features);
        // Not before it is known who asks: it would say which names there are.
        let claimed = verified.map_err(Refusal::and_the_end).and_then(|name| {
            let capacity = self.chat.limits.outbox_messages;
            let (claim, mailbox) = self.chat.clients.claim(&name, true, capacity)?;
            Ok((name, claim, mailbox))
        });
        self.speaks = Speaks::Hello;
        match claimed {
            Ok((name, claim, mailbox)) => self.welcome(name, claim, mailbox, &features),
            Err(refusal) if refusal.is_last() => return Poll::Ready(Err(refusal)),
            Err(refusal) => self.refuse(&refusal),
        }
        Poll::Ready(Ok(()))
    }

    fn welcome(
        &mut self,
        name: String,
        claim: Claim,
        mailbox: channel::Receiver<Frame>,
        asked_for: &[String],
    ) {
        let has_accounts = self.chat.logins.users.access() != Access::Anyone;
        let has_history = self.chat.history.is_some();
        let features = [
            (NOTICES, true),
            (ACCOUNTS, has_accounts),
            (HISTORY, has_history),
            (PRIVATE_GROUPS, true),
        ];
        let features: Vec<String> = features
            .into_iter()
            .filter(|(feature, is_there)| *is_there && asked_for.iter().any(|it| it == feature))
            .map(|(feature, _)| feature.to_string())
            .collect();
        self.alarm = Alarm::after(self.chat.limits.ping_after);
        self.speaks = Speaks::Extended(Box::new(Guest {
            name: name.as_str().into(),
            claim: Some(claim),
            mailbox,
            wants_notices: features.iter().any(|feature| feature == NOTICES),
            has_spoken: false,
            unanswered: 0,
        }));
        self.tell(&Reply::Welcome {
            name,
            server: self.chat.name.clone(),
            features,
            limits: Box::new(self.chat.limits.clone()),
        });
    }
}

fn account_needed() -> Refusal {
    let text = "this server needs an account: open with Hello, its name and its token";
    Refusal::new(ErrorCode::AccountNeeded, text).and_the_end()
}
