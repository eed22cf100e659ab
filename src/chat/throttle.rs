//! How fast one client may post: a bucket of tokens that fills by the clock. A burst empties it; the rate fills it.

use std::time::Instant;

use super::limits::Limits;

/// One client's bucket.
#[derive(Debug)]
pub(crate) struct Throttle {
    /// How many posts are allowed at once; a part of one counts.
    tokens: f64,
    /// When that was; nothing before the first post, when the bucket is full.
    since: Option<Instant>,
}

impl Throttle {
    pub(crate) fn new() -> Self {
        Self {
            tokens: 0.0,
            since: None,
        }
    }

    /// Whether one more post is allowed now; if so, it counts.
    pub(crate) fn allows(&mut self, limits: &Limits) -> bool {
        self.allows_burst(limits, limits.posts_burst)
    }

    /// The same with so many at once.
    pub(crate) fn allows_burst(&mut self, limits: &Limits, burst: u32) -> bool {
        limits
            .posts_per_second
            .is_none_or(|rate| self.allows_at(Instant::now(), rate, burst))
    }

    fn allows_at(&mut self, now: Instant, rate: u32, burst: u32) -> bool {
        // A burst of nothing would be no posts at all.
        let full = f64::from(burst.max(1));
        let gained = match self.since {
            Some(since) => now.saturating_duration_since(since).as_secs_f64() * f64::from(rate),
            None => full,
        };
        self.since = Some(now);
        self.tokens = (self.tokens + gained).min(full);
        let is_allowed = self.tokens >= 1.0;
        if is_allowed {
            self.tokens -= 1.0;
        }
        is_allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_burst_is_followed_by_the_rate() {
        let mut throttle = Throttle::new();
        let start = Instant::now();
        let mut allowed_at = |milliseconds, times: usize| {
            let now = start + Duration::from_millis(milliseconds);
            (0..times)
                .filter(|_| throttle.allows_at(now, 10, 5))
                .count()
        };
        assert_eq!(allowed_at(0, 100), 5);
        assert_eq!(allowed_at(99, 100), 0);
        assert_eq!(allowed_at(100, 100), 1);
        assert_eq!(allowed_at(350, 100), 2);
        // However long nothing came, no more than a burst comes at once.
        assert_eq!(allowed_at(1_000_000, 100), 5);
    }
}
