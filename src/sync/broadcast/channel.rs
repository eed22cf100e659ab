//! What senders and receivers of one broadcast channel share.
//!
//! All of it is under one lock, but for the *tail*: where the stream ends, and whether it will go on. It is written under
//! the lock and can be read without it, so a receiver that has read everything finds that out with one load.

use super::ring::Ring;
use crate::primitive::{AtomicU64, Ordering};
use crate::sync::wait_queue::WaitQueue;
use crate::sync::waking_lock::{Wakes, WakingLock};
use std::sync::Weak;

/// The list of positions is not cleaned up while it is as short as this.
const FEW_POSITIONS: usize = 16;

/// One channel.
#[derive(Debug)]
pub(super) struct Channel<T> {
    /// Who sends decides at once what falls out and whom to wake, so one lock guards all of it.
    state: WakingLock<ChannelState<T>>,
    /// Twice the position of the next value to be sent, and one more when there are no senders.
    tail: AtomicU64,
    /// How many values are kept at most.
    capacity: u64,
}

/// The values, who is there, and who waits.
#[derive(Debug)]
pub(super) struct ChannelState<T> {
    /// The values that somebody still has to take.
    pub(super) ring: Ring<T>,
    /// How many senders there are; with none, what is in the ring is the last.
    pub(super) senders: usize,
    /// How many receivers there are, each of which reads every value sent from now on.
    pub(super) receivers: usize,
    /// Where they stand, and where some stood that are gone: for the number of unread values.
    positions: Vec<Weak<AtomicU64>>,
    /// Receivers that have read everything. A send wakes all of them, so a turn never has to be passed on.
    pub(super) waiting_receivers: WaitQueue,
    /// Those who wait for the last receiver to go.
    pub(super) waiting_for_close: WaitQueue,
}

impl<T> Channel<T> {
    /// A channel with one sender.
    pub(super) fn new(capacity: usize) -> Channel<T> {
        Channel {
            state: WakingLock::new(ChannelState {
                ring: Ring::new(capacity),
                senders: 1,
                receivers: 0,
                positions: Vec::new(),
                waiting_receivers: WaitQueue::new(),
                waiting_for_close: WaitQueue::new(),
            }),
            tail: AtomicU64::new(0),
            capacity: capacity as u64,
        }
    }

    /// Runs `change` under the lock; see [`WakingLock::with`].
    #[inline]
    pub(super) fn with<R>(&self, change: impl FnOnce(&mut ChannelState<T>, &mut Wakes) -> R) -> R {
        self.state.with(change)
    }

    /// Makes known where the stream ends now. Under the lock, by whoever has changed it.
    pub(super) fn publish_tail(&self, state: &ChannelState<T>) {
        let is_closed = u64::from(state.senders == 0);
        self.tail
            .store(2 * state.ring.end() + is_closed, Ordering::Relaxed);
    }

    /// The position of the next value to be sent. No lock: a send that happened before this call is seen.
    #[inline]
    pub(super) fn end(&self) -> u64 {
        self.tail.load(Ordering::Relaxed) / 2
    }

    /// Whether a receiver at this position has read everything, and if so, whether there may be more one day.
    #[inline]
    pub(super) fn news(&self, position: u64) -> News {
        let tail = self.tail.load(Ordering::Relaxed);
        if position < tail / 2 {
            News::Some
        } else if tail & 1 == 0 {
            News::NoneYet
        } else {
            News::NoneEver
        }
    }

    /// What stands before this has fallen out, or is going to for whoever has not read it.
    #[inline]
    pub(super) fn oldest_kept(&self) -> u64 {
        self.end().saturating_sub(self.capacity)
    }

    /// How many values some receiver has not read.
    pub(super) fn unread(&self) -> u64 {
        self.with(|channel, _| {
            let end = channel.ring.end();
            let positions = channel.positions.iter().filter_map(Weak::upgrade);
            let slowest = positions.map(|position| position.load(Ordering::Relaxed));
            (end - slowest.min().unwrap_or(end)).min(self.capacity)
        })
    }
}

/// What there is for a receiver to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    Some,
    NoneYet,
    NoneEver,
}

impl<T> ChannelState<T> {
    /// One more receiver, with this position.
    pub(super) fn add_receiver(&mut self, position: Weak<AtomicU64>) {
        self.receivers += 1;
        // Cleaned up once half of it is gone, so that costs a receiver two looks at most.
        if self.positions.len() >= FEW_POSITIONS && self.positions.len() >= 2 * self.receivers {
            self.positions
                .retain(|position| position.strong_count() > 0);
        }
        self.positions.push(position);
    }
}
