//! What senders and receivers of one broadcast channel share.

use super::ring::Ring;
use crate::sync::wait_queue::WaitQueue;
use crate::sync::waking_lock::WakingLock;

/// One channel; its lock guards all of it, since who sends decides at once what falls out and whom to wake.
pub(super) type Channel<T> = WakingLock<ChannelState<T>>;

/// The values, who is there, and who waits.
#[derive(Debug)]
pub(super) struct ChannelState<T> {
    /// The values that somebody still has to read.
    pub(super) ring: Ring<T>,
    /// How many senders there are; with none, what is in the ring is the last.
    pub(super) senders: usize,
    /// How many receivers there are, each of which reads every value sent from now on.
    pub(super) receivers: usize,
    /// Receivers that have read everything. A send wakes all of them, so a turn never has to be passed on.
    pub(super) waiting_receivers: WaitQueue,
    /// Those who wait for the last receiver to go.
    pub(super) waiting_for_close: WaitQueue,
}

impl<T> ChannelState<T> {
    /// A channel with one sender.
    pub(super) const fn new(ring: Ring<T>) -> ChannelState<T> {
        ChannelState {
            ring,
            senders: 1,
            receivers: 0,
            waiting_receivers: WaitQueue::new(),
            waiting_for_close: WaitQueue::new(),
        }
    }
}
