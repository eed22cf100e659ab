//! From a name to the group: plain mutexes around maps, since nothing is awaited while one is held.
//!
//! A group is in the table while it has members, or history keeps something of it. To post to a name that is not there is
//! an error; so a server that runs for years has the groups of those who are connected, those with kept messages and no
//! others.
//!
//! The table is cut into shards, each with a lock of its own, so that posters to different groups seldom meet.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::extended::Reply;
use super::group::{Group, Member};
use super::history::{History, NotKept};
use super::listing::Room;
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
    pub(crate) fn join(self: &Arc<Self>, name: &str, member: Member) -> Membership {
        let mut groups = self.shard(name);
        let group = self.get_or_create(&mut groups, name);
        Membership::new(group, self.clone(), member)
    }

    fn get_or_create(&self, groups: &mut Shard, name: &str) -> Arc<Group> {
        if let Some(group) = groups.get(name) {
            return group.clone();
        }
        let posted = self.last_id(name).unwrap_or(0);
        let group = Arc::new(Group::new(name.to_string(), self.ring_size, posted));
        groups.insert(name.to_string(), group.clone());
        self.metrics.group_created();
        group
    }

    /// Sends `message` to all members of the group `name`, and has it kept; that is enough if there are no members.
    ///
    /// # Errors
    ///
    /// There is no such group, or nobody takes the message.
    pub(crate) fn post(
        &self,
        name: &str,
        message: &str,
        from: Option<&str>,
    ) -> Result<(), Refusal> {
        let history = self.history.as_deref();
        loop {
            let group = self.get(name);
            let group = group.ok_or_else(|| Refusal::no_such_group(name))?;
            if group.post(message, from, history) {
                break;
            }
            // Nobody is a member; nobody was, just now.
            match history.map(|history| self.keep(name, message, from, history)) {
                Some(None) => {}
                Some(Some(Ok(()))) => break,
                None | Some(Some(Err(NotKept))) => return Err(Refusal::no_such_group(name)),
            }
        }
        self.metrics.posted();
        Ok(())
    }

    /// Has `message` kept, unless the group `name` has members again.
    fn keep(
        &self,
        name: &str,
        message: &str,
        from: Option<&str>,
        history: &dyn History,
    ) -> Option<Result<(), NotKept>> {
        let groups = self.shard(name);
        let kept = match groups.get(name) {
            Some(group) => group.keep(message, from, history)?,
            None => Err(NotKept),
        };
        drop(groups);
        Some(kept.map(|writer| {
            if let Some(writer) = writer {
                writer.wake();
            }
        }))
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
        let mut room = Room::for_entries(usize::MAX);
        for shard in &self.shards {
            let shard = lock(shard);
            total += shard.len();
            let entries = shard.values().map(|group| group.entry());
            groups.extend(entries.take_while(|entry| room.takes(entry)));
        }
        groups.sort_unstable();
        Reply::Groups { groups, total }
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
