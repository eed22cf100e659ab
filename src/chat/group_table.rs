//! From a name to the group: plain mutexes around maps, since nothing is awaited while one is held.
//!
//! A group is in the table while it has members, or history keeps something of it. To post to a name that is not there is
//! an error; so a server that runs for years has the groups of those who are connected, those with kept messages and no
//! others.
//!
//! The table is cut into shards, each with a lock of its own, so that posters to different groups seldom meet.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use super::extended::{ErrorCode, Reply};
use super::group::{Group, Member};
use super::history::{History, NotKept};
use super::listing::Room;
use super::membership::Membership;
use super::metrics::Metrics;
use super::private::Private;
use super::refusal::Refusal;

/// How many shards there are. With several times the workers a small machine has, two of them rarely want the same one;
/// an empty one costs 56 bytes.
const SHARDS: usize = 32;

/// Some of the groups, by name.
type Shard = HashMap<String, Arc<Group>>;

/// All groups of one server, by name.
pub(crate) struct GroupTable {
    /// Who joins subscribes under a shard's lock, and under it a group without subscribers is removed: so nobody joins a
    /// group that is no longer here.
    shards: [Mutex<Shard>; SHARDS],
    /// How many of the groups are private.
    private: AtomicUsize,
    /// Says in which shard a name is.
    hasher: RandomState,
    /// How many messages each group keeps.
    pub(crate) ring_size: usize,
    /// Where messages are kept, if they are.
    history: Option<Arc<dyn History>>,
    /// What the server counts.
    pub(crate) metrics: Arc<Metrics>,
}

impl GroupTable {
    /// A table of groups whose rings keep so many messages, with those in it that `history` knows.
    pub(crate) fn new(
        ring_size: usize,
        history: Option<Arc<dyn History>>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let table = Self {
            shards: Default::default(),
            private: AtomicUsize::new(0),
            hasher: RandomState::new(),
            ring_size,
            history,
            metrics,
        };
        for name in table.history.iter().flat_map(|history| history.groups()) {
            table.get_or_create(&mut table.shard(&name), &name);
        }
        table
    }

    /// Makes `member` one of the group `name`, from the next message on. The group is created if need be.
    ///
    /// # Errors
    ///
    /// What `may_enter` says of the group, if there is one. It is asked under a lock, and should not take long.
    pub(crate) fn join(
        self: &Arc<Self>,
        name: &str,
        member: Member,
        may_enter: impl FnOnce(Option<&Group>) -> Result<(), Refusal>,
    ) -> Result<Membership, Refusal> {
        let mut groups = self.shard(name);
        may_enter(groups.get(name).map(Arc::as_ref))?;
        let group = self.get_or_create(&mut groups, name);
        Ok(Membership::new(group, self.clone(), member))
    }

    /// Makes a private group with one member.
    ///
    /// # Errors
    ///
    /// There is a group of this name, whether it is private or not.
    pub(crate) fn create(
        self: &Arc<Self>,
        name: &str,
        member: Member,
        private: Private,
    ) -> Result<Membership, Refusal> {
        let mut groups = self.shard(name);
        if groups.contains_key(name) {
            let text = format!("there is a group {name} already");
            return Err(Refusal::new(ErrorCode::GroupExists, text).about(name));
        }
        let group = Group::new_private(name.to_string(), self.ring_size, private);
        let group = Arc::new(group);
        groups.insert(name.to_string(), group.clone());
        self.private.fetch_add(1, Ordering::Relaxed);
        self.metrics.group_created();
        Ok(Membership::new(group, self.clone(), member))
    }

    fn get_or_create(&self, groups: &mut Shard, name: &str) -> Arc<Group> {
        if let Some(group) = groups.get(name) {
            return group.clone();
        }
        let posted = self.history.as_ref().map_or(0, |history| {
            let kept = history.last_id(name);
            kept.unwrap_or_else(|| history.last_lost_id())
        });
        let group = Arc::new(Group::new(name.to_string(), self.ring_size, posted));
        groups.insert(name.to_string(), group.clone());
        self.metrics.group_created();
        group
    }

    /// Sends `messages` to all members of the group `name`, and has them kept; that is enough if there are no members. Who
    /// posts to a private group has to be one. Returns a refusal for each message that nobody takes.
    pub(crate) fn post(
        &self,
        name: &str,
        messages: &[String],
        from: Option<&str>,
        is_member: impl Fn() -> bool,
    ) -> Vec<Refusal> {
        let history = self.history.as_deref();
        let taken = loop {
            let Ok(group) = self.find(name, &is_member) else {
                break 0;
            };
            if group.post(messages, from, history) {
                break messages.len();
            }
            // Nobody is a member; nobody was, just now.
            match history.map(|history| self.keep(name, messages, from, history)) {
                Some(None) => {}
                kept => break kept.flatten().unwrap_or(0),
            }
        };
        self.metrics.posted(taken as u64);
        let refused = messages[taken..].iter();
        refused.map(|_| Refusal::no_such_group(name)).collect()
    }

    /// Has `messages` kept, unless the group `name` has members again. Returns how many were, which are the first ones.
    fn keep(
        &self,
        name: &str,
        messages: &[String],
        from: Option<&str>,
        history: &dyn History,
    ) -> Option<usize> {
        let groups = self.shard(name);
        let mut writers = Vec::new();
        let mut taken = 0;
        // A private group has just lost its last member.
        let public = groups.get(name).filter(|group| group.private().is_none());
        if let Some(group) = public {
            for message in messages {
                match group.keep(message, from, history)? {
                    Ok(writer) => writers.extend(writer),
                    Err(NotKept) => break,
                }
                taken += 1;
            }
        }
        drop(groups);
        writers.into_iter().for_each(Waker::wake);
        Some(taken)
    }

    /// The members of the group `name`, as they are listed.
    ///
    /// # Errors
    ///
    /// There are none.
    pub(crate) fn members(
        &self,
        name: &str,
        is_member: impl Fn() -> bool,
    ) -> Result<Reply, Refusal> {
        Ok(self.find(name, is_member)?.members())
    }

    /// The groups, as they are listed: of the private ones those that the client is in, as many as it says.
    pub(crate) fn list(&self, own_private: usize, is_member: impl Fn(&str) -> bool) -> Reply {
        let is_seen = |group: &&Arc<Group>| group.private().is_none() || is_member(group.name());
        let mut groups = Vec::new();
        let mut total = 0;
        let mut room = Room::for_entries(usize::MAX);
        for shard in &self.shards {
            let shard = lock(shard);
            total += shard.len();
            let entries = shard.values().filter(is_seen).map(|group| group.entry());
            groups.extend(entries.take_while(|entry| room.takes(entry)));
        }
        groups.sort_unstable();
        // One or the other may have come or gone since the shards were counted.
        let unseen = self
            .private
            .load(Ordering::Relaxed)
            .saturating_sub(own_private);
        let total = total.saturating_sub(unseen).max(groups.len());
        Reply::Groups { groups, total }
    }

    /// The group `name`, for somebody who may know that it is there.
    ///
    /// # Errors
    ///
    /// There is none.
    pub(crate) fn find(
        &self,
        name: &str,
        is_member: impl Fn() -> bool,
    ) -> Result<Arc<Group>, Refusal> {
        self.get(name)
            .filter(|group| group.private().is_none() || is_member())
            .ok_or_else(|| Refusal::no_such_group(name))
    }

    fn get(&self, name: &str) -> Option<Arc<Group>> {
        self.shard(name).get(name).cloned()
    }

    /// The last id of what is kept of the group `name`, if something is.
    fn last_id(&self, name: &str) -> Option<u64> {
        self.history.as_ref()?.last_id(name)
    }

    /// Removes the group `name` if its last member has gone and nothing of it is kept.
    pub(crate) fn prune(&self, name: &str) {
        let mut groups = self.shard(name);
        let deserted =
            groups.get(name).is_some_and(|group| group.size() == 0) && self.last_id(name).is_none();
        let removed = deserted.then(|| groups.remove(name));
        // The lock first: what the drop of a group runs has no business under it.
        drop(groups);
        if let Some(group) = removed.flatten() {
            self.metrics.group_removed();
            if group.private().is_some() {
                self.private.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    /// The shard that `name` is in, or would be.
    fn shard(&self, name: &str) -> MutexGuard<'_, Shard> {
        let hash = self.hasher.hash_one(name);
        lock(&self.shards[hash as usize % SHARDS])
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    // No change above leaves a map half done, so a panic leaves it as it should be.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
