//! How much a server takes from its clients, and keeps for them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::protocol::MAX_LINE_LENGTH;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A server's limits. Who says `Hello` is told them in `Welcome`, under the names of the fields; who exceeds one gets an
/// error that names it.
///
/// Change what you want to have otherwise, and give them to [`Builder::limits`](super::server::Builder::limits).
///
/// ```
/// use parklet::chat::{Limits, server};
///
/// let mut limits = Limits::default();
/// limits.clients = 500;
/// limits.posts_per_second = Some(10);
/// let server = server::Builder::new().limits(limits);
/// # drop(server);
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Limits {
    /// The longest line, in bytes without the line break. Who sends a longer one is told so and disconnected.
    ///
    /// 64 KiB: longer than what a person types, and 10,000 clients in the middle of one fit in memory.
    pub line_length: usize,
    /// The longest message, in bytes of UTF-8. 64 KiB: what fits on a line.
    pub message_length: usize,
    /// The longest name of a client, in bytes of UTF-8. 64: the longest names of people, in any script.
    pub name_length: usize,
    /// The longest name of a group that can be joined, in bytes of UTF-8. 256.
    pub group_length: usize,
    /// How many groups one client can be in. 100: more than anybody reads, and what 10,000 clients make of it fits in
    /// memory.
    pub groups_per_client: usize,
    /// How many can be invited to one private group. Who has come stays invited; who has no account is until its connection
    /// ends. 100.
    pub invitations_per_group: usize,
    /// How many clients there can be. 100,000: most machines run out of descriptors before.
    pub clients: usize,
    /// How many clients of one IP address there can be; of an IPv6 address its first 64 bits count, since that is what
    /// one household gets.
    ///
    /// As many as there can be clients: behind a proxy, or a provider that shares addresses, all have the same one.
    /// Where strangers connect directly, 100 or less is wise.
    pub clients_per_address: usize,
    /// How many messages one client can post in a second, to groups and to single clients; asking for lists counts, too.
    /// And as often it can join and leave groups, with twice [`groups_per_client`](Self::groups_per_client) at once.
    ///
    /// None by default, for as many as it can: a ring that is written faster than its members read drops the oldest, so
    /// that a flood costs them messages, but the server no more memory than the ring has room for.
    pub posts_per_second: Option<u32>,
    /// How many messages of these can come at once, after a while without. 20.
    pub posts_burst: u32,
    /// How many logins from one IP address can fail at once, or ten times as many with one name; what counts as an address is the
    /// same as for [`clients_per_address`](Self::clients_per_address). 10: people mistype. Where names are free there are no
    /// logins; but passwords of private groups count as well, and a group's name as a name.
    pub failed_logins: u32,
    /// How many more can fail in each minute after that. 6.
    pub failed_logins_per_minute: u32,
    /// How many messages are kept for those members of a group who have not read them yet; then the oldest are dropped.
    /// And so many may wait for one client alone. 1000.
    pub outbox_messages: usize,
    /// With how many bytes that one client has not taken yet no more are prepared for it; what else comes stays in its
    /// groups, and what is for it alone in a mailbox of its own, as many as
    /// [`outbox_messages`](Self::outbox_messages) in each. 64 KiB: enough to fill a system call.
    pub outbox_bytes: usize,
    /// How many messages of a group are kept by a server that has [`history`](super::server::Builder::history), at most. The
    /// server does not count them, it tells: that they are no more is up to its history. 10,000: months of a group of
    /// friends, in some megabytes.
    pub history_messages: usize,
    /// How long a message is kept, at most. 30 days.
    #[serde(rename = "history_age_ms", with = "milliseconds")]
    pub history_age: Duration,
    /// How many of the kept messages a client is sent when it joins a group, unless it says which it has seen. 50: what
    /// a screen shows.
    pub replay_messages: usize,
    /// How old these can be. A day.
    #[serde(rename = "replay_age_ms", with = "milliseconds")]
    pub replay_age: Duration,
    /// How long a client can take to say its first line. Five minutes: people read before they type.
    #[serde(rename = "first_line_ms", with = "milliseconds")]
    pub first_line: Duration,
    /// How often it is looked whether a client that said `Hello` has said anything since. If not, it is asked for a sign of
    /// life, the next time once more, and then it is disconnected: so it can be silent for up to twice that before it is
    /// asked. A minute. A client that never said `Hello` knows no such
    /// question and is left to the system's own, TCP's keep-alive.
    #[serde(rename = "ping_after_ms", with = "milliseconds")]
    pub ping_after: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line_length: MAX_LINE_LENGTH,
            message_length: MAX_LINE_LENGTH,
            name_length: 64,
            group_length: 256,
            groups_per_client: 100,
            invitations_per_group: 100,
            clients: 100_000,
            clients_per_address: 100_000,
            posts_per_second: None,
            posts_burst: 20,
            failed_logins: 10,
            failed_logins_per_minute: 6,
            outbox_messages: 1000,
            outbox_bytes: 64 * 1024,
            history_messages: 10_000,
            history_age: 30 * DAY,
            replay_messages: 50,
            replay_age: DAY,
            first_line: Duration::from_secs(300),
            ping_after: Duration::from_secs(60),
        }
    }
}

/// What happens to a member that has fallen behind its group by more than
/// [`outbox_messages`](Limits::outbox_messages).
///
/// ```
/// use parklet::chat::{LagPolicy, server};
///
/// let server = server::Builder::new().lag_policy(LagPolicy::Disconnect);
/// # drop(server);
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum LagPolicy {
    /// It is told how many messages were dropped, and goes on with the oldest that is kept.
    #[default]
    Skip,
    /// It is told the same, and disconnected. That is found out when it has taken what it was sent before. One that takes
    /// nothing stays, and costs what is prepared for it and waits for it alone.
    Disconnect,
}

/// Durations on the wire.
mod milliseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}
