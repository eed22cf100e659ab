//! What the senders and receivers of one channel share: the messages, who is there, and who waits.
//!
//! 1. A message that comes in gives one turn to a waiting `recv`, and wakes every waiting stream. A slot that becomes
//!    free gives one turn to a waiting `send`.
//! 2. A turn is a chance, no possession: a `try_recv` may be quicker, and then the waiter goes back to the front. So
//!    there are never fewer turns out than there are messages for waiters, and a `recv` or `send` that is dropped
//!    passes its turn on.
//! 3. Streams get no turns. `poll_next` leaves its place in the queue behind in the receiver, and nobody can see
//!    whether the stream will be polled again: a turn given to it might be lost while other receivers wait. The same for
//!    sinks: room wakes all of them, and those who were told of it may use it together, beyond the capacity.
//! 4. Messages are dropped after the unlock, since their destructors may use this channel.

use super::sender::POLLED_AGAIN;
use crate::budget;
use crate::primitive::is_broken;
use crate::sync::wait_queue::{Ticket, WaitQueue};
use crate::sync::waking_lock::{Wakes, WakingLock};
use std::collections::VecDeque;
use std::mem;
use std::task::{Context, Poll};

/// One channel; its lock guards all of it, since a message and the waiter it is for change together.
pub(super) type Channel<T> = WakingLock<ChannelState<T>>;

/// The messages, who is there, and who waits.
#[derive(Debug)]
pub(super) struct ChannelState<T> {
    /// The messages, oldest first.
    messages: VecDeque<T>,
    /// How many messages there may be; `None` for any number.
    capacity: Option<usize>,
    /// No more messages are taken in.
    is_closed: bool,
    /// How many senders there are.
    senders: usize,
    /// How many receivers there are.
    receivers: usize,
    /// `send`s that wait for room.
    waiting_sends: WaitQueue,
    /// Senders that wait for room as sinks (rule 3).
    waiting_sinks: WaitQueue,
    /// `recv`s that wait for a message.
    waiting_recvs: WaitQueue,
    /// Receivers that wait for a message as streams (rule 3).
    waiting_streams: WaitQueue,
    /// Those who wait until the channel is closed.
    waiting_for_close: WaitQueue,
}

/// Which queue a receiver waits in.
#[derive(Debug, Clone, Copy)]
pub(super) enum ReceiveAs {
    /// As a `recv` future, which gets turns.
    Recv,
    /// As a stream, which does not (rule 3).
    Stream,
}

/// Why a message was not taken in.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(super) enum Refusal {
    /// There is no room at present.
    Full,
    /// The channel is closed.
    Closed,
}

impl<T> ChannelState<T> {
    /// A channel with one sender and one receiver.
    pub(super) const fn new(capacity: Option<usize>) -> ChannelState<T> {
        ChannelState {
            messages: VecDeque::new(),
            capacity,
            is_closed: false,
            senders: 1,
            receivers: 1,
            waiting_sends: WaitQueue::new(),
            waiting_sinks: WaitQueue::new(),
            waiting_recvs: WaitQueue::new(),
            waiting_streams: WaitQueue::new(),
            waiting_for_close: WaitQueue::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(super) fn capacity(&self) -> Option<usize> {
        self.capacity
    }

    /// Whether it holds what it can, or more, which only sinks can bring about (rule 3).
    pub(super) fn is_full(&self) -> bool {
        self.capacity
            .is_some_and(|capacity| self.messages.len() >= capacity)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }

    pub(super) fn sender_count(&self) -> usize {
        self.senders
    }

    pub(super) fn receiver_count(&self) -> usize {
        self.receivers
    }

    /// Whether a message would be taken in now.
    pub(super) fn check_room(&self) -> Result<(), Refusal> {
        if self.is_closed {
            Err(Refusal::Closed)
        } else if self.is_full() {
            Err(Refusal::Full)
        } else {
            Ok(())
        }
    }

    /// Takes a message in, for which there has to be room, or has been when a sink was told of it.
    pub(super) fn push(&mut self, message: T, wakes: &mut Wakes) {
        self.messages.push_back(message);
        let stream_takes_it =
            is_broken("channel_stream_takes_a_turn") && !self.waiting_streams.is_empty();
        if !stream_takes_it {
            self.waiting_recvs.notify_one(wakes);
        }
        self.waiting_streams.notify_all(wakes);
    }

    /// Takes a message in, if need be in the place of the oldest one, which is given back.
    pub(super) fn force_push(&mut self, message: T, wakes: &mut Wakes) -> Option<T> {
        let displaced = if self.is_full() {
            self.messages.pop_front()
        } else {
            None
        };
        self.push(message, wakes);
        displaced
    }

    /// The oldest message.
    pub(super) fn pop(&mut self, wakes: &mut Wakes) -> Option<T> {
        let message = self.messages.pop_front()?;
        if !is_broken("channel_room_is_kept_quiet") {
            self.waiting_sends.notify_one(wakes);
            self.waiting_sinks.notify_all(wakes);
        }
        Some(message)
    }

    /// Takes the message in once there is room; until then it stays where it is.
    ///
    /// # Panics
    ///
    /// If the message is gone, since an earlier call was ready.
    pub(super) fn poll_send(
        &mut self,
        message: &mut Option<T>,
        ticket: &mut Option<Ticket>,
        cx: &Context<'_>,
        wakes: &mut Wakes,
    ) -> Poll<Result<(), Refusal>> {
        let room = self.check_room();
        match room {
            Err(Refusal::Full) => {
                self.waiting_sends.wait(ticket, cx.waker(), wakes);
                return Poll::Pending;
            }
            Ok(()) if !budget::take() => {
                wakes.wake(Some(cx.waker().clone()));
                return Poll::Pending;
            }
            Ok(()) => {
                let message = message.take().expect(POLLED_AGAIN);
                self.push(message, wakes);
            }
            Err(Refusal::Closed) => {}
        }
        self.waiting_sends.served(ticket, wakes);
        Poll::Ready(room)
    }

    /// Ready once there is room, which others may take before the sink does.
    pub(super) fn poll_room(
        &mut self,
        ticket: &mut Option<Ticket>,
        cx: &Context<'_>,
        wakes: &mut Wakes,
    ) -> Poll<Result<(), Refusal>> {
        let room = self.check_room();
        match room {
            Err(Refusal::Full) => {
                self.waiting_sinks.wait(ticket, cx.waker(), wakes);
                return Poll::Pending;
            }
            Ok(()) if !budget::take() => {
                wakes.wake(Some(cx.waker().clone()));
                return Poll::Pending;
            }
            Ok(()) | Err(Refusal::Closed) => {}
        }
        self.waiting_sinks.served(ticket, wakes);
        Poll::Ready(room)
    }

    /// The oldest message once there is one; `None` when there will be none.
    pub(super) fn poll_recv(
        &mut self,
        how: ReceiveAs,
        ticket: &mut Option<Ticket>,
        cx: &Context<'_>,
        wakes: &mut Wakes,
    ) -> Poll<Option<T>> {
        if self.messages.is_empty() {
            if !self.is_closed {
                self.queue(how).wait(ticket, cx.waker(), wakes);
                return Poll::Pending;
            }
        } else if !budget::take() {
            wakes.wake(Some(cx.waker().clone()));
            return Poll::Pending;
        }
        self.queue(how).served(ticket, wakes);
        Poll::Ready(self.pop(wakes))
    }

    /// Ready when the channel is closed.
    pub(super) fn poll_closed(
        &mut self,
        ticket: &mut Option<Ticket>,
        cx: &Context<'_>,
        wakes: &mut Wakes,
    ) -> Poll<()> {
        if self.is_closed {
            self.waiting_for_close.served(ticket, wakes);
            return Poll::Ready(());
        }
        self.waiting_for_close.wait(ticket, cx.waker(), wakes);
        Poll::Pending
    }

    /// A `send` was dropped: its turn, if it had one, goes to the next (rule 2).
    pub(super) fn withdraw_send(&mut self, ticket: &mut Option<Ticket>, wakes: &mut Wakes) {
        if is_broken("channel_dropped_send_keeps_its_turn") {
            return self.waiting_sends.served(ticket, wakes);
        }
        self.waiting_sends.withdraw(ticket, wakes);
    }

    /// A sender was dropped that may have waited as a sink.
    pub(super) fn withdraw_sink(&mut self, ticket: &mut Option<Ticket>, wakes: &mut Wakes) {
        self.waiting_sinks.served(ticket, wakes);
    }

    /// A `recv` or a stream was dropped: its turn, if it had one, goes to the next (rule 2).
    pub(super) fn withdraw_recv(
        &mut self,
        how: ReceiveAs,
        ticket: &mut Option<Ticket>,
        wakes: &mut Wakes,
    ) {
        if is_broken("channel_dropped_recv_keeps_its_turn") {
            return self.queue(how).served(ticket, wakes);
        }
        self.queue(how).withdraw(ticket, wakes);
    }

    /// A `closed()` was dropped.
    pub(super) fn withdraw_closed(&mut self, ticket: &mut Option<Ticket>, wakes: &mut Wakes) {
        self.waiting_for_close.served(ticket, wakes);
    }

    /// Takes no more messages in; false if that was so already.
    pub(super) fn close(&mut self, wakes: &mut Wakes) -> bool {
        if self.is_closed {
            return false;
        }
        self.is_closed = true;
        if is_broken("channel_closes_quietly") {
            return true;
        }
        self.waiting_sends.notify_all(wakes);
        self.waiting_sinks.notify_all(wakes);
        self.waiting_recvs.notify_all(wakes);
        self.waiting_streams.notify_all(wakes);
        self.waiting_for_close.notify_all(wakes);
        true
    }

    /// One more sender, if the channel is open still.
    pub(super) fn add_sender(&mut self) -> bool {
        let is_open = self.senders > 0 && !self.is_closed;
        self.senders += usize::from(is_open);
        is_open
    }

    /// A sender is cloned: that works on a closed channel too.
    pub(super) fn clone_sender(&mut self) {
        self.senders += 1;
    }

    /// A sender is gone; the last one closes the channel.
    pub(super) fn remove_sender(&mut self, wakes: &mut Wakes) {
        self.senders -= 1;
        if self.senders == 0 {
            self.close(wakes);
        }
    }

    /// One more receiver, if the channel is open still.
    pub(super) fn add_receiver(&mut self) -> bool {
        let is_open = self.receivers > 0 && !self.is_closed;
        self.receivers += usize::from(is_open);
        is_open
    }

    /// A receiver is cloned: that works on a closed channel too.
    pub(super) fn clone_receiver(&mut self) {
        self.receivers += 1;
    }

    /// A receiver is gone; the last one closes the channel, and what nobody can receive any more is given back, to be
    /// dropped after the unlock (rule 4).
    #[must_use = "to be dropped after the unlock"]
    pub(super) fn remove_receiver(&mut self, wakes: &mut Wakes) -> VecDeque<T> {
        self.receivers -= 1;
        if self.receivers > 0 {
            return VecDeque::new();
        }
        self.close(wakes);
        mem::take(&mut self.messages)
    }

    fn queue(&mut self, how: ReceiveAs) -> &mut WaitQueue {
        match how {
            ReceiveAs::Recv => &mut self.waiting_recvs,
            ReceiveAs::Stream => &mut self.waiting_streams,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::budget;
    use crate::channel::unbounded;
    use std::future::Future;
    use std::pin::{Pin, pin};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll, Wake, Waker};

    #[derive(Default)]
    struct CountWakes(AtomicUsize);

    impl Wake for CountWakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn poll<F: Future>(future: Pin<&mut F>, wakes: &Arc<CountWakes>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(&Waker::from(Arc::clone(wakes))))
    }

    #[test]
    fn a_turn_survives_a_poll_without_budget() {
        let (sender, receiver) = unbounded();
        let (first, second) = (Arc::default(), Arc::default());
        let mut notified = Box::pin(receiver.recv());
        let mut waits = pin!(receiver.recv());
        assert!(poll(notified.as_mut(), &first).is_pending());
        assert!(poll(waits.as_mut(), &second).is_pending());
        sender.try_send(1).unwrap();

        let spent = budget::refill();
        while budget::take() {}
        // It takes nothing, and has itself woken to come again; the turn is still its own to pass on.
        assert!(poll(notified.as_mut(), &first).is_pending());
        assert_eq!((first.0.load(Ordering::SeqCst), receiver.len()), (2, 1));
        drop(spent);
        drop(notified);
        assert_eq!(second.0.load(Ordering::SeqCst), 1);
        assert_eq!(poll(waits, &second), Poll::Ready(Ok(1)));
    }

    #[test]
    fn waiting_costs_no_budget() {
        let (sender, receiver) = unbounded::<u32>();
        let wakes = Arc::default();
        let budget = budget::refill();
        // More than one poll may do: were each of them charged, the last would never have its waker stored.
        let mut recvs: Vec<_> = (0..1000).map(|_| receiver.recv()).collect();
        for recv in &mut recvs {
            assert!(poll(Pin::new(recv), &wakes).is_pending());
        }
        drop(budget);
        assert_eq!(wakes.0.load(Ordering::SeqCst), 0);
        drop(sender);
        assert_eq!(wakes.0.load(Ordering::SeqCst), 1000);
    }
}
