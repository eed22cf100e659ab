//! The rest of the thread of last resort, and the call that ends it.
//!
//! It rests only while somebody has the driver token, and whoever gives that back calls it (`last_resort.rs`):
//!
//! 1. It writes RESTING, then looks at the token; who gives the token back does so, then looks for RESTING. With a
//!    `SeqCst` fence between the two steps on both sides, one of them sees the other. So it never rests while nobody drives.
//!
//! The model is `loom_models/last_resort.rs`; either side of the rule has a broken variant, which must fail there.

use crate::primitive::{AtomicU8, Ordering, fence, is_broken};

/// It drives, or waits for the crew to do so.
pub(crate) const AT_WORK: u8 = 1;
/// It sleeps until it is called, since somebody else drives.
pub(crate) const RESTING: u8 = 2;

/// Rests until it is called, if somebody drives. It may return for no reason.
pub(crate) fn rest(place: &AtomicU8, is_driven: impl FnOnce() -> bool, park: impl FnOnce()) {
    place.store(RESTING, Ordering::Relaxed);
    if !is_broken("last_resort_rests_without_a_fence") {
        fence(Ordering::SeqCst);
    }
    if is_driven() {
        park();
    }
    place.store(AT_WORK, Ordering::Relaxed);
}

/// Calls it, if it rests: the token has been given back.
pub(crate) fn call(place: &AtomicU8, unpark: impl FnOnce()) {
    if !is_broken("last_resort_is_called_without_a_fence") {
        fence(Ordering::SeqCst);
    }
    if place.load(Ordering::Relaxed) == RESTING {
        unpark();
    }
}
