//! How long a worker that has run out of work looks on before it sleeps.
//!
//! What a task hands to a thread outside the pool, a blocking call or a thread of the user's, is often answered within
//! microseconds. To sleep and be roused costs more than that, on both sides. So a worker that has run out of such answers *spins*:
//! it goes on searching for a while. Whoever pushes sees a searcher, and makes no system call.
//!
//! It spins only as often as that pays. Where it was in vain, the next occasions are let pass, and ever more of them: for answers that
//! take longer, and where the one who is to answer waits for this very core, it ends up with one try in a thousand. Where sockets
//! and timers are all there is, nobody spins, and a process that becomes idle has spun once.

use std::cell::Cell;
use std::time::Duration;

/// How long one look lasts. To rouse a thread takes 10 to 30 us, and the one who is to answer may have to be roused first: only
/// then do both sides meet awake (bench `wake/thread`).
pub(super) const LOOK: Duration = Duration::from_micros(50);

/// A look has paid if it took no longer: about what it costs the two sides to sleep and to be roused.
const WORTH: Duration = Duration::from_micros(20);

/// The most occasions in a row that are let pass: enough to make the looks that are in vain cost nothing, few enough to notice
/// within milliseconds that they would pay again.
const MOST_PASSED: u32 = 1023;

/// One worker's.
#[derive(Debug, Default)]
pub(super) struct Patience {
    /// Whether something came from outside since it last ran out of work.
    is_answered: Cell<bool>,
    /// How many occasions to let pass after the next look in vain.
    doubt: Cell<u32>,
    /// How many are still to pass.
    to_pass: Cell<u32>,
}

impl Patience {
    /// Something has come from outside.
    pub(super) fn answered(&self) {
        self.is_answered.set(true);
    }

    /// Whether the worker, which has run out of work, is to look on.
    pub(super) fn is_left(&self) -> bool {
        if !self.is_answered.take() {
            return false;
        }
        let to_pass = self.to_pass.get();
        self.to_pass.set(to_pass.saturating_sub(1));
        to_pass == 0
    }

    /// What a look has cost. One in vain costs more than one that pays gains, and counts twice.
    pub(super) fn learn(&self, taken: Duration) {
        let doubt = self.doubt.get();
        if taken < WORTH {
            self.doubt.set(doubt / 2);
        } else {
            self.doubt.set((4 * doubt + 3).min(MOST_PASSED));
        }
        self.to_pass.set(self.doubt.get());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often a worker looks on, out of so many times that it runs out of answers.
    fn looks(patience: &Patience, occasions: u32, taken: Duration) -> u32 {
        let looks = (0..occasions).filter(|_| {
            patience.answered();
            let looks = patience.is_left();
            if looks {
                patience.learn(taken);
            }
            looks
        });
        u32::try_from(looks.count()).expect("of so many")
    }

    #[test]
    fn looks_in_vain_become_rare_and_those_that_pay_come_back() {
        let patience = Patience::default();
        assert_eq!(looks(&patience, 100, Duration::ZERO), 100);
        for in_vain in [WORTH, LOOK] {
            assert!(looks(&patience, 100 * (MOST_PASSED + 1), in_vain) < 110);
            looks(&patience, 2 * (MOST_PASSED + 1), Duration::ZERO);
            assert_eq!(looks(&patience, 100, Duration::ZERO), 100);
        }
    }

    #[test]
    fn nobody_looks_on_after_what_was_no_answer() {
        let patience = Patience::default();
        patience.answered();
        assert!(patience.is_left());
        assert!(!patience.is_left());
    }
}
