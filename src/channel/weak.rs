//! Handles to a channel that do not keep it open.

use super::channel_state::Channel;
use super::receiver::Receiver;
use super::sender::Sender;
use std::fmt;
use std::sync::Weak;

/// A [`Sender`] that does not keep the channel open; from [`Sender::downgrade`].
pub struct WeakSender<T> {
    /// What all senders and receivers share, if any of them is left.
    channel: Weak<Channel<T>>,
}

impl<T> WeakSender<T> {
    pub(super) fn new(channel: Weak<Channel<T>>) -> WeakSender<T> {
        WeakSender { channel }
    }

    /// A sender, if the channel is open still.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::channel;
    /// let (sender, receiver) = channel::unbounded();
    /// let weak = sender.downgrade();
    /// weak.upgrade().unwrap().try_send(1).unwrap();
    /// assert_eq!(receiver.try_recv(), Ok(1));
    /// ```
    pub fn upgrade(&self) -> Option<Sender<T>> {
        let channel = self.channel.upgrade()?;
        let is_open = channel.with(|channel, _| channel.add_sender());
        is_open.then(|| Sender::new(channel))
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> WeakSender<T> {
        WeakSender::new(Weak::clone(&self.channel))
    }
}

impl<T> fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakSender").finish_non_exhaustive()
    }
}

/// A [`Receiver`] that does not keep the channel open; from [`Receiver::downgrade`].
pub struct WeakReceiver<T> {
    /// What all senders and receivers share, if any of them is left.
    channel: Weak<Channel<T>>,
}

impl<T> WeakReceiver<T> {
    pub(super) fn new(channel: Weak<Channel<T>>) -> WeakReceiver<T> {
        WeakReceiver { channel }
    }

    /// A receiver, if the channel is open still.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::channel;
    /// let (sender, receiver) = channel::unbounded();
    /// let weak = receiver.downgrade();
    /// sender.try_send(1).unwrap();
    /// assert_eq!(weak.upgrade().unwrap().try_recv(), Ok(1));
    /// ```
    pub fn upgrade(&self) -> Option<Receiver<T>> {
        let channel = self.channel.upgrade()?;
        let is_open = channel.with(|channel, _| channel.add_receiver());
        is_open.then(|| Receiver::new(channel))
    }
}

impl<T> Clone for WeakReceiver<T> {
    fn clone(&self) -> WeakReceiver<T> {
        WeakReceiver::new(Weak::clone(&self.channel))
    }
}

impl<T> fmt::Debug for WeakReceiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakReceiver").finish_non_exhaustive()
    }
}
