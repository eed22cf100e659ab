//! What a sender and a receiver do alike: end their channel, and tell how it is.

/// Gives a side its part of the channel's surface.
///
/// A macro because a trait with these methods would have to be imported for each of them.
macro_rules! impl_both_sides {
    ($Side:ident) => {
        impl<T> $Side<T> {
            /// Closes the channel: no more messages are taken in, those inside can be received. False if it was closed.
            ///
            /// # Examples
            ///
            /// ```
            /// # use parklet::channel::{self, TryRecvError};
            /// let (sender, receiver) = channel::unbounded();
            /// sender.try_send(1).unwrap();
            /// assert!(receiver.close());
            /// assert!(!sender.close());
            /// assert!(sender.try_send(2).is_err());
            /// assert_eq!(receiver.try_recv(), Ok(1));
            /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
            /// ```
            pub fn close(&self) -> bool {
                self.channel.with(ChannelState::close)
            }

            /// Whether the channel is closed. There may still be messages to receive.
            ///
            /// # Examples
            ///
            /// ```
            /// # use parklet::channel;
            /// let (sender, receiver) = channel::unbounded::<u32>();
            /// assert!(!receiver.is_closed());
            /// drop(receiver);
            /// assert!(sender.is_closed());
            /// ```
            pub fn is_closed(&self) -> bool {
                self.channel.with(|channel, _| channel.is_closed())
            }

            /// Whether there is no message in the channel.
            ///
            /// # Examples
            ///
            /// ```
            /// # use parklet::channel;
            /// let (sender, receiver) = channel::unbounded();
            /// assert!(sender.is_empty());
            /// sender.try_send(1).unwrap();
            /// assert!(!receiver.is_empty());
            /// ```
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// Whether a [`bounded`](super::bounded) channel holds all it can.
            ///
            /// # Examples
            ///
            /// ```
            /// # use parklet::channel;
            /// let (sender, receiver) = channel::bounded(1);
            /// sender.try_send(1).unwrap();
            /// assert!(sender.is_full() && receiver.is_full());
            /// ```
            pub fn is_full(&self) -> bool {
                self.channel.with(|channel, _| channel.is_full())
            }

            /// How many messages there are in the channel.
            ///
            /// # Examples
            ///
            /// ```
            /// # use parklet::channel;
            /// let (sender, receiver) = channel::unbounded();
            /// sender.try_send(1).unwrap();
            /// assert_eq!((sender.len(), receiver.len()), (1, 1));
            /// ```
            pub fn len(&self) -> usize {
                self.channel.with(|channel, _| channel.len())
            }

            /// How many messages the channel can hold; `None` for any number.
            ///
            /// # Examples
            ///
            /// ```
            /// # use parklet::channel;
            /// assert_eq!(channel::bounded::<u32>(5).0.capacity(), Some(5));
            /// assert_eq!(channel::unbounded::<u32>().1.capacity(), None);
            /// ```
            pub fn capacity(&self) -> Option<usize> {
                self.channel.with(|channel, _| channel.capacity())
            }

            /// How many receivers there are.
            ///
            /// # Examples
            ///
            /// ```
            /// # use parklet::channel;
            /// let (sender, receiver) = channel::unbounded::<u32>();
            /// let other = receiver.clone();
            /// assert_eq!(sender.receiver_count(), 2);
            /// # drop(other);
            /// ```
            pub fn receiver_count(&self) -> usize {
                self.channel.with(|channel, _| channel.receiver_count())
            }

            /// How many senders there are.
            ///
            /// # Examples
            ///
            /// ```
            /// # use parklet::channel;
            /// let (sender, receiver) = channel::unbounded::<u32>();
            /// let other = sender.clone();
            /// assert_eq!(receiver.sender_count(), 2);
            /// # drop(other);
            /// ```
            pub fn sender_count(&self) -> usize {
                self.channel.with(|channel, _| channel.sender_count())
            }

            /// Whether both are of the same channel.
            ///
            /// # Examples
            ///
            /// ```
            /// # use parklet::channel;
            /// let (sender, receiver) = channel::unbounded::<u32>();
            /// assert!(sender.same_channel(&sender.clone()));
            /// assert!(!receiver.same_channel(&channel::unbounded().1));
            /// ```
            pub fn same_channel(&self, other: &$Side<T>) -> bool {
                Arc::ptr_eq(&self.channel, &other.channel)
            }
        }

        impl<T> fmt::Debug for $Side<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($Side)).finish_non_exhaustive()
            }
        }
    };
}

pub(super) use impl_both_sides;
