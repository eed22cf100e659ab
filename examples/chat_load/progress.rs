//! A bar that changes on a terminal, and nothing elsewhere.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use crate::numbers::grouped;
use crate::run::Shared;

/// Characters of the whole bar.
const WIDTH: usize = 30;

/// What the bar has shown last.
pub(crate) struct Progress {
    is_shown: bool,
    deliveries: u64,
    at: Instant,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self {
            is_shown: stderr().is_terminal(),
            deliveries: 0,
            at: Instant::now(),
        }
    }

    /// Shows how far it is, and how fast since the last time.
    pub(crate) fn show(&mut self, shared: &Shared, elapsed: Duration, duration: Duration) {
        if !self.is_shown {
            return;
        }
        let part = elapsed.as_secs_f64() / duration.as_secs_f64().max(f64::MIN_POSITIVE);
        let filled = ((WIDTH as f64 * part) as usize).min(WIDTH);
        let counts = shared.counts();
        let seconds = self.at.elapsed().as_secs_f64();
        let rate = (counts.deliveries - self.deliveries) as f64 / seconds;
        (self.deliveries, self.at) = (counts.deliveries, Instant::now());
        eprint!(
            "\r\x1b[K[{}{}] {} s of {} s, {} deliveries a second, {} dropped",
            "#".repeat(filled),
            ".".repeat(WIDTH - filled),
            elapsed.as_secs(),
            duration.as_secs(),
            grouped(rate as u64),
            grouped(counts.dropped),
        );
        // What is not shown is no loss.
        let _ = stderr().flush();
    }

    /// Says what is going on, in place of the bar.
    pub(crate) fn say(&self, text: &str) {
        if self.is_shown {
            eprint!("\r\x1b[K{text}");
            let _ = stderr().flush();
        }
    }
}
