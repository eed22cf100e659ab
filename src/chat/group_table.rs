//! From a name to the group: plain mutexes around maps, since nothing is awaited while one is held.
//!
//! A group is in the table while it has members. To post to a name that is not there is an error; so a server that
//! runs for years keeps the groups of those who are connected and no others.
//!
//! The table is cut into shards, each with a lock of its own, so that posters to different groups seldom meet.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::extended::Reply;
use super::group::{Group, MAX_LISTED, Member};
use super::membership::Membership;
use super::metrics::Metrics;
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
    /// Says in which shard a name is.
    hasher: RandomState,
    /// How many messages each group keeps.
    ring_size: usize,
    /// What the server counts.
    pub(crate) metrics: Arc<Metrics>,
}

impl GroupTable {
    /// A table of groups that keep so many messages.
    pub(crate) fn new(ring_size: usize, metrics: Arc<Metrics>) -> Self {
        Self {
            shards: Default::default(),
            hasher: RandomState::new(),
            ring_size,
            metrics,
        }
    }

    /// Makes `member` one of the group `name`, from the next message on. The group is created if need be.
    pub(crate) fn join(self: &Arc<Self>, name: &str, member: Member) -> Membership {
        let mut groups = self.shard(name);
        let group = match groups.get(name) {
            Some(group) => group.clone(),
            None => {
                let group = Arc::new(Group::new(name.to_string(), self.ring_size));
                groups.insert(name.to_string(), group.clone());
                self.metrics.group_created();
                group
            }
        };
        Membership::new(group, self.clone(), member)
    }

    /// Sends `message` to all members of the group `name`.
    ///
    /// # Errors
    ///
    /// There are none.
    pub(crate) fn post(
        &self,
        name: &str,
        message: &str,
        from: Option<&str>,
    ) -> Result<(), Refusal> {
        match self.get(name) {
            Some(group) if group.post(message, from) => {
                self.metrics.posted();
                Ok(())
            }
            _ => Err(Refusal::no_such_group(name)),
        }
    }

    /// The members of the group `name`, as they are listed.
    ///
    /// # Errors
    ///
    /// There are none.
    pub(crate) fn members(&self, name: &str) -> Result<Reply, Refusal> {
        let group = self.get(name);
        let group = group.ok_or_else(|| Refusal::no_such_group(name))?;
        Ok(group.members())
    }

    /// The groups, as they are listed.
    pub(crate) fn list(&self) -> Reply {
        let mut groups = Vec::new();
        let mut total = 0;
        for shard in &self.shards {
            let shard = lock(shard);
            total += shard.len();
            let room = MAX_LISTED - groups.len();
            groups.extend(shard.values().take(room).map(|group| group.entry()));
        }
        groups.sort_unstable();
        Reply::Groups { groups, total }
    }

    fn get(&self, name: &str) -> Option<Arc<Group>> {
        self.shard(name).get(name).cloned()
    }

    /// Removes the group `name` if its last member has gone.
    pub(crate) fn prune(&self, name: &str) {
        let mut groups = self.shard(name);
        let deserted = groups.get(name).is_some_and(|group| group.size() == 0);
        let removed = deserted.then(|| groups.remove(name));
        // The lock first: what the drop of a group runs has no business under it.
        drop(groups);
        if removed.flatten().is_some() {
            self.metrics.group_removed();
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
