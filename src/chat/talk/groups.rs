//! Coming into groups and going out of them, public ones and private ones.

use super::super::accept::ChatStream;
use super::super::errand::Replay;
use super::super::extended::Reply;
use super::super::group::{Group, Member};
use super::super::membership::Membership;
use super::super::private::Private;
use super::super::protocol::frame;
use super::super::refusal::Refusal;
use super::super::secret::Secret;
use super::{Guest, Speaks, Talk, within};

impl<S: ChatStream> Talk<S> {
    /// Joins a group. Who is a member already stays one, and gets every message once. A new client is sent what is kept, too:
    /// what it has not seen yet, if it says what it has.
    pub(super) fn join(
        &mut self,
        group_name: &str,
        password: Option<Secret>,
        after: Option<u64>,
    ) -> Result<(), Refusal> {
        if self.is_in(group_name) {
            return Ok(());
        }
        self.has_room_for(group_name)?;
        self.may_come_or_go()?;
        let member = self.member();
        let wants_replay = member.name.is_some();
        let may_enter =
            |group: Option<&Group>| self.may_enter(group_name, group, password.as_ref());
        let mut membership = self.chat.groups.join(group_name, member, may_enter)?;
        let until = membership.seen();
        if membership.group().private().is_some() {
            // Nothing of it is kept, but that something was is told.
            let missed = after.map_or(0, |after| until.saturating_sub(after));
            if missed > 0 {
                self.outbound.push(membership.dropped_notice(missed));
            }
        } else if wants_replay && let Some(history) = &self.chat.history {
            let limits = &self.chat.limits;
            let replay = Replay::begin(history, group_name, until, after, limits);
            if let Some(errand) = replay {
                membership.begin_replay();
                self.errand = Some(Box::new(errand));
            }
        }
        self.add(membership);
        Ok(())
    }

    /// Whether the client may join this group, if there is one.
    fn may_enter(
        &self,
        group_name: &str,
        group: Option<&Group>,
        password: Option<&Secret>,
    ) -> Result<(), Refusal> {
        let private = match (group.map(Group::private), password) {
            (Some(Some(private)), _) => private,
            (_, None) => return Ok(()),
            // Who says a password counts on being among friends. The group may have gone, and everybody would hear.
            (None, Some(_)) => return Err(Refusal::no_such_group(group_name)),
            (Some(None), Some(_)) => return Err(Refusal::not_private(group_name)),
        };
        let claim = self.guest().and_then(|guest| guest.claim.as_ref());
        let Some(claim) = claim else {
            return Err(Private::refusal(group_name));
        };
        if private.has_invited(claim.identity()) {
            return Ok(());
        }
        let Some(password) = password else {
            return Err(Private::refusal(group_name));
        };
        let logins = &self.chat.logins;
        // No client's name has this character.
        let attempt = logins.attempt(self.network, format!("\0{group_name}"))?;
        if private.opens_to(password) {
            logins.forgive(&attempt);
            Ok(())
        } else {
            logins.has_failed();
            Err(Private::refusal(group_name))
        }
    }

    /// Makes a private group.
    pub(super) fn create(
        &mut self,
        group_name: &str,
        password: Option<Secret>,
    ) -> Result<(), Refusal> {
        self.has_room_for(group_name)?;
        self.may_come_or_go()?;
        let password = password.filter(|password| !password.expose().is_empty());
        let length = password.as_ref().map_or(0, |it| it.expose().len());
        let max = self.chat.limits.group_length;
        within("group_length", "a group's password", length, max)?;
        let claim = self.guest().and_then(|guest| guest.claim.as_ref());
        let claim = claim.ok_or_else(|| Private::refusal(group_name))?;
        let private = Private::new(password, claim.identity().clone());
        let groups = &self.chat.groups;
        let membership = groups.create(group_name, self.member(), private)?;
        self.add(membership);
        Ok(())
    }

    /// Invites somebody to a private group. It counts as a post.
    pub(super) fn invite(&mut self, group_name: &str, name: &str) -> Result<(), Refusal> {
        self.may_post("")?;
        let is_member = || self.is_in(group_name);
        let group = self.chat.groups.find(group_name, is_member)?;
        let private = group.private();
        let private = private.ok_or_else(|| Refusal::not_private(group_name))?;
        let line = frame(&Reply::Invited {
            group_name: group_name.to_string(),
            by: self.guest().map_or("", |guest| &guest.name).to_string(),
        });
        let at_most = self.chat.limits.invitations_per_group;
        self.chat.clients.invite(name, private, at_most, line)
    }

    pub(super) fn leave(&mut self, group_name: &str) -> Result<(), Refusal> {
        let place = self.place_of(group_name);
        let place = place.ok_or_else(|| Refusal::not_a_member(group_name))?;
        self.may_come_or_go()?;
        self.memberships.remove(place);
        Ok(())
    }

    /// The groups, as far as the client may know of them.
    pub(super) fn list(&self) -> Reply {
        let is_private = |membership: &&Membership| membership.group().private().is_some();
        let own_private = self.memberships.iter().filter(is_private).count();
        let groups = &self.chat.groups;
        groups.list(own_private, |group_name| self.is_in(group_name))
    }

    pub(super) fn is_in(&self, group_name: &str) -> bool {
        self.place_of(group_name).is_some()
    }

    pub(super) fn place_of(&self, group_name: &str) -> Option<usize> {
        let is_it = |membership: &Membership| membership.group_name() == group_name;
        self.memberships.iter().position(is_it)
    }

    /// Whether the client may be in one more group, of this name.
    fn has_room_for(&self, group_name: &str) -> Result<(), Refusal> {
        let limits = &self.chat.limits;
        let length = group_name.len();
        within(
            "group_length",
            "a group's name",
            length,
            limits.group_length,
        )?;
        if self.memberships.len() >= limits.groups_per_client {
            let text = format!("you are in {} groups already", limits.groups_per_client);
            return Err(Refusal::limit("groups_per_client", &text));
        }
        Ok(())
    }

    fn add(&mut self, membership: Membership) {
        if self.memberships.is_empty() {
            // Most clients are in one group, and a list grows to four places by itself.
            self.memberships.reserve_exact(1);
        }
        self.memberships.push(membership);
    }

    /// The client, as groups have it.
    fn member(&self) -> Member {
        self.guest().map_or_else(Member::default, |guest| Member {
            name: Some(guest.name.clone()),
            wants_notices: guest.wants_notices,
        })
    }

    fn guest(&self) -> Option<&Guest> {
        match &self.speaks {
            Speaks::Extended(guest) => Some(guest),
            _ => None,
        }
    }
}
