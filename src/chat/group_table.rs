//! From a name to the group: plain mutexes around maps, since nothing is awaited while one is held.
//!
//! A group is in the table while it has members. To post to a name that is not there is an error; so a server that
//! runs for years keeps the groups of those who are connected and no others.
//!
//! The table is cut into shards, each with a lock of its own, so that posters to different groups seldom meet.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::group::Group;
use super::membership::Membership;
use super::metrics::Metrics;

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
    /// What the server counts.
    pub(crate) metrics: Arc<Metrics>,
}

impl GroupTable {
    pub(crate) fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            shards: Default::default(),
            hasher: RandomState::new(),
            metrics,
        }
    }

    /// Makes the caller a member of the group `name`, from the next message on. The group is created if need be.
    pub(crate) fn join(self: &Arc<Self>, name: &str) -> Membership {
        let mut groups = self.shard(name);
        let group = match groups.get(name) {
            Some(group) => group.clone(),
            None => {
                let group = Arc::new(Group::new(name.to_string()));
                groups.insert(name.to_string(), group.clone());
                self.metrics.group_created();
                group
            }
        };
        Membership::new(group, self.clone())
    }

    /// Sends `message` to all members of the group `name`.
    ///
    /// # Errors
    ///
    /// What to tell the sender when there are none.
    pub(crate) fn post(&self, name: &str, message: String) -> Result<(), String> {
        let group = self.shard(name).get(name).cloned();
        match group {
            Some(group) if group.post(message) => {
                self.metrics.posted();
                Ok(())
            }
            _ => Err(format!("Group '{name}' does not exist")),
        }
    }

    /// Removes the group `name` if its last member has gone.
    pub(crate) fn prune(&self, name: &str) {
        let mut groups = self.shard(name);
        let deserted = groups.get(name).is_some_and(|group| group.is_empty());
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
        let shard = &self.shards[hash as usize % SHARDS];
        // No change above leaves a map half done, so a panic leaves it as it should be.
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
