//! What a server counts while it serves: few numbers, each an atomic of its own, and deliveries by the batch.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam::utils::CachePadded;

/// The counters of one server, to be read at any time, from anywhere: see
/// [`Builder::metrics`](super::server::Builder::metrics).
///
/// ```
/// use parklet::chat::server::{Builder, Metrics};
/// use std::sync::Arc;
///
/// let metrics = Arc::new(Metrics::default());
/// let server = Builder::new().metrics(metrics.clone());
/// # drop(server);
/// // While the server runs:
/// assert_eq!(metrics.read().deliveries, 0);
/// ```
#[derive(Default)]
pub struct Metrics {
    groups: Counter,
    posts: Counter,
    deliveries: Counter,
    replayed: Counter,
    dropped: Counter,
    lags: Counter,
    failed_logins: Counter,
}

/// What [`Metrics::read`] has found.
///
/// ```
/// let counts = parklet::chat::server::Metrics::default().read();
/// assert_eq!((counts.groups, counts.posts, counts.dropped), (0, 0, 0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// The groups that there are now.
    pub groups: u64,
    /// Messages that were posted to a group.
    pub posts: u64,
    /// Messages that were passed on to a member's connection.
    pub deliveries: u64,
    /// Messages that were kept and sent to a client that joined.
    pub replayed: u64,
    /// Messages that a member did not get, since it fell behind by more than its group keeps.
    pub dropped: u64,
    /// How often that happened to a member.
    pub lags: u64,
    /// Logins that were refused, with a wrong password or name, or since too many had been; and the same for passwords of
    /// private groups.
    pub failed_logins: u64,
}

impl Metrics {
    /// Reads the counters, one after the other: what happens meanwhile may be in one and not in the next.
    ///
    /// ```
    /// let metrics = parklet::chat::server::Metrics::default();
    /// assert_eq!(metrics.read(), metrics.read());
    /// ```
    #[must_use]
    pub fn read(&self) -> Counts {
        Counts {
            groups: self.groups.read(),
            posts: self.posts.read(),
            deliveries: self.deliveries.read(),
            replayed: self.replayed.read(),
            dropped: self.dropped.read(),
            lags: self.lags.read(),
            failed_logins: self.failed_logins.read(),
        }
    }

    pub(crate) fn group_created(&self) {
        self.groups.add(1);
    }

    pub(crate) fn group_removed(&self) {
        self.groups.0.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn posted(&self, messages: u64) {
        self.posts.add(messages);
    }

    pub(crate) fn login_failed(&self) {
        self.failed_logins.add(1);
    }

    pub(crate) fn replayed(&self, messages: u64) {
        self.replayed.add(messages);
    }

    /// Counts what one member is passed on at once.
    pub(crate) fn batch(&self) -> Batch<'_> {
        Batch {
            metrics: self,
            messages: 0,
        }
    }
}

/// What one member is passed on at once. The counter hears of it at the end: it is shared by all threads, and a change to
/// it costs more than all else that is done for a message.
pub(crate) struct Batch<'a> {
    metrics: &'a Metrics,
    /// How many messages it has so far.
    messages: u64,
}

impl Batch<'_> {
    pub(crate) fn delivered(&mut self, messages: u64) {
        self.messages += messages;
    }

    pub(crate) fn lagged(&self, dropped: u64) {
        self.metrics.lags.add(1);
        self.metrics.dropped.add(dropped);
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        if self.messages > 0 {
            self.metrics.deliveries.add(self.messages);
        }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Metrics").field(&self.read()).finish()
    }
}

/// One number, which orders nothing. In a cache line of its own: all connections deliver, on all threads, and whoever
/// only looks up a group has nothing to do with that.
#[derive(Default)]
struct Counter(CachePadded<AtomicU64>);

impl Counter {
    fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
