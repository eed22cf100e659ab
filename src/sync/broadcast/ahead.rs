//! Reading ahead: what one receiver has taken out of the ring before it is asked for it.
//!
//! ```text
//!                  read          ahead            in the ring                 to come
//! stream   ... 3   4   5    │  6   7   8   │  9   10   11   12   13   14   │  15 ...
//!                             ▲              ▲                               ▲
//!                             position       taken                           end
//! ```
//!
//! A receiver that finds several values takes up to [`MOST_AHEAD`] of them under one lock, and gives out the others
//! without it. Nobody can tell, but by the time it takes:
//!
//! 1. What is ahead counts as unread: in the `len` of sender and receiver, and for a clone, which gets its own copy.
//! 2. A value ahead is missed as soon as it would have fallen out of the ring: when it is further than the capacity from
//!    the end. So the lag is exact, and what a receiver gets is never older than the ring would have it.
//! 3. In the ring the receiver stands at `taken`. It alone keeps what is ahead alive, and that goes with it.

use super::ring::{Read, Ring};
use crate::primitive::{AtomicU64, Ordering};
use std::collections::VecDeque;
use std::sync::{Arc, Weak};

/// So many values are taken under one lock: it then costs each of them a few percent of what it does alone. More would
/// make the others wait for the lock longer (bench `compare`, `broadcast/burst`).
const MOST_AHEAD: usize = 16;

/// Where one receiver stands, and what it has taken ahead.
#[derive(Debug)]
pub(super) struct ReadAhead<T> {
    /// The position of the value to read next. Only this receiver writes it; the senders look at it for their `len`.
    position: Arc<AtomicU64>,
    /// The values from there to `taken`, oldest first.
    values: VecDeque<T>,
}

impl<T> ReadAhead<T> {
    /// For a receiver that stands here and has taken nothing.
    pub(super) fn new(position: u64) -> ReadAhead<T> {
        ReadAhead {
            position: Arc::new(AtomicU64::new(position)),
            values: VecDeque::new(),
        }
    }

    /// The position of the value to read next.
    #[inline]
    pub(super) fn position(&self) -> u64 {
        self.position.load(Ordering::Relaxed)
    }

    /// Whether nothing is ahead.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The position, for those who want to look at it as long as there is the receiver.
    pub(super) fn watch(&self) -> Weak<AtomicU64> {
        Arc::downgrade(&self.position)
    }

    /// Where the receiver stands in the ring (rule 3).
    pub(super) fn taken(&self) -> u64 {
        self.position() + self.values.len() as u64
    }

    /// The next value ahead, unless it is older than the oldest one that the channel keeps (rule 2); `Nothing` if
    /// none is ahead.
    #[inline]
    pub(super) fn next(&mut self, oldest_kept: u64) -> Read<T> {
        if self.values.is_empty() {
            return Read::Nothing;
        }
        if self.position() < oldest_kept {
            return self.skip_to(oldest_kept);
        }
        self.give_out()
    }

    /// Takes what the ring has, and reads the first of it. Only if nothing is ahead, and under the lock.
    pub(super) fn take_from(&mut self, ring: &mut Ring<T>) -> Read<T>
    where
        T: Clone,
    {
        debug_assert!(self.values.is_empty());
        let mut taken = self.position();
        if ring.end() - taken <= 1 {
            let read = ring.read(&mut taken);
            self.position.store(taken, Ordering::Relaxed);
            return read;
        }
        // All of them go through `values`: should a clone panic, then those taken before it are not lost.
        while self.values.len() < MOST_AHEAD {
            match ring.read(&mut taken) {
                Read::Value(value) => self.values.push_back(value),
                Read::Nothing => break,
                Read::Lagged(missed) => {
                    self.position.store(taken, Ordering::Relaxed);
                    return Read::Lagged(missed);
                }
            }
        }
        self.give_out()
    }

    #[inline]
    fn give_out(&mut self) -> Read<T> {
        match self.values.pop_front() {
            None => Read::Nothing,
            Some(value) => {
                self.position.store(self.position() + 1, Ordering::Relaxed);
                Read::Value(value)
            }
        }
    }

    #[cold]
    fn skip_to(&mut self, oldest_kept: u64) -> Read<T> {
        let missed = oldest_kept - self.position();
        self.position.store(oldest_kept, Ordering::Relaxed);
        let ahead = usize::try_from(missed)
            .map_or(self.values.len(), |missed| missed.min(self.values.len()));
        self.values.drain(..ahead);
        Read::Lagged(missed)
    }
}

/// The copy stands where the original stands, and has taken the same.
impl<T: Clone> Clone for ReadAhead<T> {
    fn clone(&self) -> ReadAhead<T> {
        ReadAhead {
            values: self.values.clone(),
            ..ReadAhead::new(self.position())
        }
    }
}
