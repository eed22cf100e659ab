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
        self.positions.push(position);
        self.forget_who_is_gone();
    }

    /// A receiver is gone; the last one wakes those who wait for that.
    pub(super) fn remove_receiver(&mut self, wakes: &mut Wakes) {
        self.receivers -= 1;
        if self.receivers == 0 {
            self.waiting_for_close.notify_all(wakes);
        }
        self.forget_who_is_gone();
    }

    /// Cleans the list of positions up once half of it is of receivers that are gone: two looks for each of them.
    fn forget_who_is_gone(&mut self) {
        if self.positions.len() > FEW_POSITIONS && self.positions.len() > 2 * self.receivers {
            self.positions
                .retain(|position| position.strong_count() > 0);
            self.positions.shrink_to(2 * self.positions.len());
        }
    }
}

#[cfg(test)]
#[cfg(not(parklet_loom))]
mod tests {
    use super::super::ahead::ReadAhead;
    use super::{Channel, ChannelState, FEW_POSITIONS};

    #[test]
    fn a_crowd_that_is_gone_is_forgotten() {
        let channel = Channel::<u32>::new(1);
        let positions = || channel.with(|channel, _| channel.positions.len());
        let join = || {
            let ahead = ReadAhead::<u32>::new(0);
            channel.with(|channel, _| channel.add_receiver(ahead.watch()));
            ahead
        };
        // As a receiver goes: its position after it.
        let leave = |ahead| {
            channel.with(ChannelState::remove_receiver);
            drop(ahead);
        };
        let _stays = join();
        let crowd: Vec<_> = (0..1_000).map(|_| join()).collect();
        assert_eq!(positions(), 1_001);
        crowd.into_iter().for_each(leave);
        assert!(positions() <= FEW_POSITIONS + 1);
        for _ in 0..1_000 {
            leave(join());
        }
        assert!(positions() <= FEW_POSITIONS + 1);
    }
}
