//! From a name to the group: a plain mutex around a map, since nothing is awaited while it is held.
//!
//! A group is in the table while it has members. To post to a name that is not there is an error; so a server that
//! runs for years keeps the groups of those who are connected and no others.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::accept::ChatStream;
use super::group::{Group, Leave};
use super::outbound::Outbound;
use super::protocol::Frame;
use crate::sync::broadcast;

/// All groups of one server, by name.
#[derive(Default)]
pub(crate) struct GroupTable {
    /// Who joins subscribes under this lock, and under it a group without subscribers is removed: so nobody joins a
    /// group that is no longer here.
    groups: Mutex<HashMap<String, Arc<Group>>>,
}

impl GroupTable {
    /// Makes the caller a member of the group `name`, from the next message on. The group is created if need be.
    pub(crate) fn join(self: &Arc<Self>, name: &str) -> Member {
        let mut groups = self.lock();
        let group = match groups.get(name) {
            Some(group) => group.clone(),
            None => {
                let group = Arc::new(Group::new(name.to_string()));
                groups.insert(name.to_string(), group.clone());
                group
            }
        };
        let inbox = group.subscribe();
        drop(groups);
        let table = self.clone();
        Member {
            inbox,
            place: Place { group, table },
        }
    }

    /// Sends `message` to all members of the group `name`.
    ///
    /// # Errors
    ///
    /// What to tell the sender when there are none.
    pub(crate) fn post(&self, name: &str, message: String) -> Result<(), String> {
        let group = self.lock().get(name).cloned();
        match group {
            Some(group) if group.post(message) => Ok(()),
            _ => Err(format!("Group '{name}' does not exist")),
        }
    }

    /// Removes the group `name` if its last member has gone.
    fn prune(&self, name: &str) {
        let mut groups = self.lock();
        let deserted = groups.get(name).is_some_and(|group| group.is_empty());
        let removed = deserted.then(|| groups.remove(name));
        // The lock first: what the drop of a group runs has no business under it.
        drop(groups);
        drop(removed);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Group>>> {
        // No change above leaves the map half done, so a panic leaves it as it should be.
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A membership. To drop it is to leave.
pub(crate) struct Member {
    /// What was posted since. It is dropped before `place`, which then looks who is left.
    inbox: broadcast::Receiver<Frame>,
    place: Place,
}

impl Member {
    /// Carries what is posted on to the member: see [`Group::forward`].
    pub(crate) async fn forward<S: ChatStream>(
        &mut self,
        outbound: &Outbound<S>,
        leave: Leave,
    ) -> io::Result<()> {
        let group = &self.place.group;
        group.forward(&mut self.inbox, outbound, leave).await
    }
}

/// A member's place in its group. The last one to leave takes the group out of the table.
struct Place {
    group: Arc<Group>,
    table: Arc<GroupTable>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.table.prune(self.group.name());
    }
}
