//! How long to wait before the next connection.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The first pause before another connection is tried. It doubles with every failure.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How long to wait now: twice as long as after the failure before, but never as long as others, who lost the same
/// server at the same moment.
pub(super) fn after(failures: u32) -> Duration {
    let longest = FIRST_PAUSE
        .saturating_mul(1 << failures.min(16))
        .min(LONGEST_PAUSE);
    // Every state of std's hasher has other keys.
    let random = RandomState::new().hash_one(failures) % 1000;
    let share = 0.5 + f64::from(u32::try_from(random).unwrap_or_default()) / 2000.0;
    longest.mul_f64(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_the_longest_and_are_not_all_alike() {
        for (failures, longest) in [(0, 500), (1, 1000), (3, 4000), (6, 30_000), (1000, 30_000)] {
            let longest = Duration::from_millis(longest);
            let pauses: Vec<Duration> = (0..20).map(|_| after(failures)).collect();
            let is_in_range = |pause: &Duration| (longest / 2..=longest).contains(pause);
            assert!(pauses.iter().all(is_in_range), "{failures}: {pauses:?}");
            assert!(pauses.iter().any(|pause| *pause != pauses[0]), "{pauses:?}");
        }
    }
}
