//! What a server counts while it serves: few numbers, each an atomic of its own, and deliveries by the batch.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam::utils::CachePadded;

/// The times up to which deliveries are counted apart, in [`Counts::delivered_within`].
///
/// ```
/// assert!(parklet::chat::server::DELIVERY_TIMES.is_sorted());
/// ```
pub const DELIVERY_TIMES: [Duration; 6] = [
    Duration::from_micros(100),
    Duration::from_millis(1),
    Duration::from_millis(10),
    Duration::from_millis(100),
    Duration::from_secs(1),
    Duration::from_secs(10),
];

/// Those, and whatever took longer.
const SPANS: usize = DELIVERY_TIMES.len() + 1;

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
    /// By how long they took: up to each of the times, and longer.
    deliveries: [Counter; SPANS],
    /// In nanoseconds, of all together.
    delivery_time: Counter,
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
    /// How many of these were passed on within each of [`DELIVERY_TIMES`] after they were posted.
    pub delivered_within: [u64; DELIVERY_TIMES.len()],
    /// How long all of them took, added up.
    pub delivery_time: Duration,
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
        let mut deliveries = 0;
        let within = self.deliveries.each_ref().map(|counter| {
            deliveries += counter.read();
            deliveries
        });
        let mut delivered_within = [0; DELIVERY_TIMES.len()];
        delivered_within.copy_from_slice(&within[..DELIVERY_TIMES.len()]);
        Counts {
            groups: self.groups.read(),
            posts: self.posts.read(),
            deliveries,
            delivered_within,
            delivery_time: Duration::from_nanos(self.delivery_time.read()),
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
            now: None,
            messages: [0; SPANS],
            time: 0,
        }
    }
}

/// What one member is passed on at once. The counters hear of it at the end: they are shared by all threads, and a change
/// to one costs more than all else that is done for a message.
pub(crate) struct Batch<'a> {
    metrics: &'a Metrics,
    /// When that is, if there is anything.
    now: Option<Instant>,
    /// How many messages it has so far, by how long they took.
    messages: [u64; SPANS],
    /// How many nanoseconds all of them took.
    time: u64,
}

impl Batch<'_> {
    /// Adds so many messages that were posted at once.
    pub(crate) fn delivered(&mut self, messages: u64, posted_at: Instant) {
        let now = *self.now.get_or_insert_with(Instant::now);
        let time = now.saturating_duration_since(posted_at);
        let span = DELIVERY_TIMES.partition_point(|&end| end < time);
        self.messages[span] += messages;
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.time = nanoseconds
            .saturating_mul(messages)
            .saturating_add(self.time);
    }

    pub(crate) fn lagged(&self, dropped: u64) {
        self.metrics.lags.add(1);
        self.metrics.dropped.add(dropped);
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        if self.now.is_none() {
            return;
        }
        for (counter, messages) in self.metrics.deliveries.iter().zip(self.messages) {
            if messages > 0 {
                counter.add(messages);
            }
        }
        self.metrics.delivery_time.add(self.time);
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
