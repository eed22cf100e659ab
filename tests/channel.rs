//! Channels: who gets which message, who waits, and what happens to those who go away.

mod common;

use common::{CountWakes, poll, poll_with};
use futures_sink::Sink;
use parklet::channel::{
    self, Receiver, RecvError, SendError, Sender, TryRecvError, TrySendError, bounded, unbounded,
};
use parklet::stream::StreamExt;
use parklet::task;
use std::marker::PhantomPinned;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;

#[test]
fn messages_come_out_in_the_order_they_went_in() {
    for (sender, receiver) in [bounded(3), unbounded()] {
        task::block_on(async {
            for message in 0..3 {
                assert_eq!(sender.send(message).await, Ok(()));
            }
            for message in 0..3 {
                assert_eq!(receiver.recv().await, Ok(message));
            }
        });
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    }
}

#[test]
fn a_full_channel_says_so_and_gives_the_message_back() {
    let (sender, receiver) = bounded(2);
    assert_eq!((sender.capacity(), sender.len()), (Some(2), 0));
    assert!(sender.is_empty() && receiver.is_empty());
    assert_eq!(sender.try_send(1), Ok(()));
    assert_eq!(sender.try_send(2), Ok(()));
    assert!(sender.is_full() && receiver.is_full());
    assert_eq!(sender.try_send(3), Err(TrySendError::Full(3)));
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(sender.try_send(3), Ok(()));
    assert_eq!((receiver.len(), sender.len()), (2, 2));
}

#[test]
#[should_panic(expected = "a channel of capacity 0 has no room")]
fn a_capacity_of_zero_is_refused() {
    bounded::<u32>(0);
}

#[test]
fn a_forced_message_takes_the_place_of_the_oldest() {
    let (sender, receiver) = bounded(2);
    assert_eq!(sender.force_send(1), Ok(None));
    assert_eq!(sender.force_send(2), Ok(None));
    assert_eq!(sender.force_send(3), Ok(Some(1)));
    assert_eq!(sender.len(), 2);
    assert_eq!(receiver.try_recv(), Ok(2));
    receiver.close();
    assert_eq!(sender.force_send(4), Err(SendError(4)));
    assert_eq!(receiver.try_recv(), Ok(3));
}

#[test]
fn a_forced_message_wakes_who_waits_for_one() {
    let (sender, receiver) = bounded(1);
    let wakes = Arc::default();
    let mut recv = pin!(receiver.recv());
    assert!(poll_with(recv.as_mut(), &wakes).is_pending());
    sender.force_send(1).unwrap();
    assert_eq!(sender.force_send(2), Ok(Some(1)));
    assert_eq!(wakes.count(), 1);
    assert_eq!(poll(recv), Poll::Ready(Ok(2)));
}

#[test]
fn a_closed_channel_gives_out_what_is_left() {
    let (sender, receiver) = bounded(2);
    sender.try_send(1).unwrap();
    assert!(sender.close());
    assert!(!receiver.close(), "it was closed");
    assert!(sender.is_closed() && receiver.is_closed());
    assert_eq!(sender.try_send(2), Err(TrySendError::Closed(2)));
    task::block_on(async {
        assert_eq!(sender.send(2).await, Err(SendError(2)));
        assert_eq!(receiver.recv().await, Ok(1));
        assert_eq!(receiver.recv().await, Err(RecvError));
    });
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn the_last_of_either_side_closes_the_channel() {
    let (sender, receiver) = unbounded::<u32>();
    let (other_sender, other_receiver) = (sender.clone(), receiver.clone());
    assert_eq!((sender.sender_count(), sender.receiver_count()), (2, 2));
    drop((sender, receiver));
    assert!(!other_sender.is_closed());
    drop(other_sender);
    assert!(other_receiver.is_closed());

    let (sender, receiver) = unbounded::<u32>();
    drop(receiver);
    assert!(sender.is_closed());
    // Closed is closed: also for a clone made after that.
    assert!(sender.clone().is_closed());
}

#[test]
fn closing_wakes_everyone_who_waits() {
    let (sender, mut receiver) = bounded(1);
    sender.try_send(0).unwrap();
    let wakes: Vec<Arc<CountWakes>> = (0..5).map(|_| Arc::default()).collect();
    let (mut send, mut closed) = (pin!(sender.send(1)), pin!(sender.closed()));
    assert!(poll_with(send.as_mut(), &wakes[0]).is_pending());
    assert!(poll_with(closed.as_mut(), &wakes[1]).is_pending());
    receiver.close();
    assert_eq!(poll(send), Poll::Ready(Err(SendError(1))));
    assert_eq!(poll(closed), Poll::Ready(()));

    let other = receiver.clone();
    assert_eq!(receiver.try_recv(), Ok(0));
    assert_eq!(task::block_on(receiver.next()), None);
    let (sender, mut receiver) = bounded::<u32>(1);
    let clone = receiver.clone();
    let (mut recv, mut next) = (pin!(clone.recv()), pin!(receiver.next()));
    assert!(poll_with(recv.as_mut(), &wakes[2]).is_pending());
    assert!(poll_with(next.as_mut(), &wakes[3]).is_pending());
    drop(sender);
    assert_eq!(poll(recv), Poll::Ready(Err(RecvError)));
    assert_eq!(poll(next), Poll::Ready(None));
    let woken: Vec<_> = wakes.iter().map(|wakes| wakes.count()).collect();
    assert_eq!(woken, [1, 1, 1, 1, 0]);
    drop(other);
}

#[test]
fn messages_nobody_can_receive_are_dropped_with_the_last_receiver() {
    let (sender, receiver) = unbounded();
    let message = Arc::new(());
    sender.try_send(Arc::clone(&message)).unwrap();
    drop(receiver.clone());
    assert_eq!(Arc::strong_count(&message), 2);
    drop(receiver);
    assert_eq!(Arc::strong_count(&message), 1, "the sender is still there");
    drop(sender);
}

/// Uses its channel while it is dropped.
struct SendsWhenDropped(Sender<Option<SendsWhenDropped>>);

impl Drop for SendsWhenDropped {
    fn drop(&mut self) {
        let _ = self.0.try_send(None);
    }
}

#[test]
fn a_message_that_is_dropped_may_use_the_channel() {
    let (sender, receiver) = bounded(1);
    let message = Some(SendsWhenDropped(sender.clone()));
    sender
        .try_send(message)
        .unwrap_or_else(|_| panic!("there is room"));
    let displaced = sender.force_send(None);
    drop(displaced);
    let message = Some(SendsWhenDropped(sender.clone()));
    drop(sender.force_send(message));
    drop(receiver);
    assert!(sender.is_closed() && sender.is_empty());
}

#[test]
fn weak_handles_do_not_keep_it_open() {
    let (sender, receiver) = unbounded::<u32>();
    let (weak_sender, weak_receiver) = (sender.downgrade(), receiver.downgrade());
    assert!(weak_sender.upgrade().unwrap().same_channel(&sender));
    assert!(weak_receiver.upgrade().unwrap().same_channel(&receiver));
    assert_eq!((sender.sender_count(), sender.receiver_count()), (1, 1));
    drop(sender);
    assert!(receiver.is_closed());
    assert!(weak_sender.clone().upgrade().is_none());
    assert!(weak_receiver.clone().upgrade().is_none());
    assert_eq!((receiver.sender_count(), receiver.receiver_count()), (0, 1));
}

#[test]
fn waiting_sends_get_room_in_the_order_of_asking() {
    let (sender, receiver) = bounded(1);
    sender.try_send(0).unwrap();
    let mut sends: Vec<_> = (1..5)
        .map(|message| (sender.send(message), Arc::default()))
        .collect();
    for (send, wakes) in &mut sends {
        assert!(poll_with(Pin::new(send), wakes).is_pending());
    }
    for (message, (send, wakes)) in sends.iter_mut().enumerate() {
        assert_eq!(wakes.count(), 0);
        assert_eq!(receiver.try_recv(), Ok(message));
        assert_eq!(wakes.count(), 1);
        assert_eq!(poll(Pin::new(send)), Poll::Ready(Ok(())));
    }
    assert_eq!(receiver.try_recv(), Ok(4));
}

#[test]
fn waiting_recvs_get_messages_in_the_order_of_asking() {
    let (sender, receiver) = unbounded();
    let mut recvs: Vec<_> = (0..4).map(|_| (receiver.recv(), Arc::default())).collect();
    for (recv, wakes) in &mut recvs {
        assert!(poll_with(Pin::new(recv), wakes).is_pending());
    }
    for (message, (recv, wakes)) in recvs.iter_mut().enumerate() {
        assert_eq!(wakes.count(), 0);
        sender.try_send(message).unwrap();
        assert_eq!(wakes.count(), 1);
        assert_eq!(poll(Pin::new(recv)), Poll::Ready(Ok(message)));
    }
}

#[test]
fn a_waiter_that_came_too_late_waits_at_the_front() {
    let (sender, receiver) = unbounded();
    let (one, two) = (Arc::default(), Arc::default());
    let (mut first, mut second) = (pin!(receiver.recv()), pin!(receiver.recv()));
    assert!(poll_with(first.as_mut(), &one).is_pending());
    assert!(poll_with(second.as_mut(), &two).is_pending());
    sender.try_send(1).unwrap();
    assert_eq!(receiver.try_recv(), Ok(1), "somebody is quicker");
    assert!(poll_with(first.as_mut(), &one).is_pending());
    sender.try_send(2).unwrap();
    assert_eq!((one.count(), two.count()), (2, 0));
    assert_eq!(poll(first), Poll::Ready(Ok(2)));
}

#[test]
fn a_recv_that_is_dropped_after_being_notified_passes_its_turn_on() {
    let (sender, receiver) = unbounded();
    let (one, two) = (Arc::default(), Arc::default());
    let mut dropped = Box::pin(receiver.recv());
    let mut waits = pin!(receiver.recv());
    assert!(poll_with(dropped.as_mut(), &one).is_pending());
    assert!(poll_with(waits.as_mut(), &two).is_pending());
    sender.try_send(1).unwrap();
    assert_eq!((one.count(), two.count()), (1, 0));
    drop(dropped);
    assert_eq!((one.count(), two.count()), (1, 1));
    assert_eq!(poll(waits), Poll::Ready(Ok(1)), "and no message is lost");
}

#[test]
fn a_send_that_is_dropped_after_being_notified_passes_its_turn_on() {
    let (sender, receiver) = bounded(1);
    sender.try_send(0).unwrap();
    let (one, two) = (Arc::default(), Arc::default());
    let mut dropped = Box::pin(sender.send(1));
    let mut waits = pin!(sender.send(2));
    assert!(poll_with(dropped.as_mut(), &one).is_pending());
    assert!(poll_with(waits.as_mut(), &two).is_pending());
    assert_eq!(receiver.try_recv(), Ok(0));
    assert_eq!((one.count(), two.count()), (1, 0));
    drop(dropped);
    assert_eq!((one.count(), two.count()), (1, 1));
    assert_eq!(poll(waits), Poll::Ready(Ok(())));
    assert_eq!(receiver.try_recv(), Ok(2), "what was dropped was not sent");
}

#[test]
fn a_send_that_is_dropped_midway_has_not_sent() {
    let (sender, receiver) = bounded(1);
    let message = Arc::new(1);
    sender.try_send(Arc::new(0)).unwrap();
    assert!(poll(pin!(sender.send(Arc::clone(&message)))).is_pending());
    assert_eq!(
        Arc::strong_count(&message),
        1,
        "it is dropped with the future"
    );
    assert_eq!(receiver.try_recv().as_deref(), Ok(&0));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn futures_that_are_dropped_midway_leave_no_waker_behind() {
    let (sender, mut receiver) = bounded(1);
    let wakes = Arc::default();
    assert!(poll_with(pin!(receiver.recv()), &wakes).is_pending());
    assert!(poll_with(pin!(sender.closed()), &wakes).is_pending());
    sender.try_send(0).unwrap();
    assert!(poll_with(pin!(sender.send(1)), &wakes).is_pending());
    assert_eq!(Arc::strong_count(&wakes), 1);
    assert_eq!(receiver.try_recv(), Ok(0));
    // The stream's place stays in the receiver, and goes with it.
    assert!(poll_with(pin!(receiver.next()), &wakes).is_pending());
    assert_eq!(Arc::strong_count(&wakes), 2);
    drop(receiver);
    assert_eq!(Arc::strong_count(&wakes), 1);
}

#[test]
fn a_stream_that_is_no_longer_polled_keeps_no_message_from_others() {
    let (sender, mut abandoned) = unbounded();
    let mut other = abandoned.clone();
    let third = abandoned.clone();
    let (stream, recv) = (Arc::default(), Arc::default());
    assert!(poll(pin!(abandoned.next())).is_pending());
    assert!(poll_with(pin!(other.next()), &stream).is_pending());
    let mut waits = pin!(third.recv());
    assert!(poll_with(waits.as_mut(), &recv).is_pending());
    sender.try_send(1).unwrap();
    assert_eq!((stream.count(), recv.count()), (1, 1));
    assert_eq!(poll(waits), Poll::Ready(Ok(1)));
}

/// One step of a sink.
fn poll_sink<T>(
    sender: &mut Sender<T>,
    wakes: &Arc<CountWakes>,
) -> Poll<Result<(), SendError<Option<T>>>> {
    let waker = Waker::from(Arc::clone(wakes));
    Pin::new(sender).poll_ready(&mut Context::from_waker(&waker))
}

#[test]
fn a_sender_is_a_sink_that_waits_for_room() {
    let (mut sender, receiver) = bounded(1);
    let wakes = Arc::default();
    assert_eq!(poll_sink(&mut sender, &wakes), Poll::Ready(Ok(())));
    assert_eq!(Pin::new(&mut sender).start_send(1), Ok(()));
    assert!(poll_sink(&mut sender, &wakes).is_pending());
    assert!(poll_sink(&mut sender, &wakes).is_pending());
    assert_eq!(wakes.count(), 0);

    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(wakes.count(), 1);
    assert_eq!(poll_sink(&mut sender, &wakes), Poll::Ready(Ok(())));
    assert_eq!(Pin::new(&mut sender).start_send(2), Ok(()));

    // Flushing and closing have nothing to do: the channel is open until the sender is gone.
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(
        Pin::new(&mut sender).poll_flush(&mut cx),
        Poll::Ready(Ok(()))
    );
    assert_eq!(
        Pin::new(&mut sender).poll_close(&mut cx),
        Poll::Ready(Ok(()))
    );
    assert!(!receiver.is_closed());
    drop(sender);
    assert_eq!(receiver.try_recv(), Ok(2));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn a_sink_that_is_left_alone_takes_no_room_from_others() {
    let (mut sink, receiver) = bounded(1);
    let (sink_wakes, send_wakes) = (Arc::default(), Arc::default());
    let sender = sink.clone();
    sender.try_send(1).unwrap();
    assert!(poll_sink(&mut sink, &sink_wakes).is_pending());
    let mut send = pin!(sender.send(2));
    assert!(poll_with(send.as_mut(), &send_wakes).is_pending());

    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!((sink_wakes.count(), send_wakes.count()), (1, 1));
    assert_eq!(poll(send), Poll::Ready(Ok(())));
    assert_eq!(receiver.try_recv(), Ok(2));
}

#[test]
fn sinks_that_were_told_of_the_same_room_may_each_use_it_and_nobody_else() {
    let (mut sink, receiver) = bounded(1);
    let mut other = sink.clone();
    let sender = sink.clone();
    let wakes = Arc::default();
    assert_eq!(poll_sink(&mut sink, &wakes), Poll::Ready(Ok(())));
    assert_eq!(poll_sink(&mut other, &wakes), Poll::Ready(Ok(())));
    assert_eq!(Pin::new(&mut sink).start_send(1), Ok(()));
    assert_eq!(Pin::new(&mut other).start_send(2), Ok(()));
    assert_eq!((sender.len(), sender.is_full()), (2, true));

    let mut send = pin!(sender.send(3));
    assert!(poll_with(send.as_mut(), &wakes).is_pending());
    assert_eq!(receiver.try_recv(), Ok(1));
    assert!(poll_with(send.as_mut(), &wakes).is_pending());
    assert_eq!(sender.try_send(4), Err(TrySendError::Full(4)));
    assert_eq!(receiver.try_recv(), Ok(2));
    assert_eq!(poll(send), Poll::Ready(Ok(())));
    assert_eq!(receiver.try_recv(), Ok(3));
}

#[test]
fn a_closed_channel_wakes_its_sinks_and_gives_the_message_back() {
    let (mut sender, receiver) = bounded(1);
    let wakes = Arc::default();
    sender.try_send(1).unwrap();
    assert!(poll_sink(&mut sender, &wakes).is_pending());
    receiver.close();
    assert_eq!(wakes.count(), 1);
    assert_eq!(
        poll_sink(&mut sender, &wakes),
        Poll::Ready(Err(SendError(None)))
    );
    assert_eq!(Pin::new(&mut sender).start_send(2), Err(SendError(Some(2))));
}

#[test]
fn a_sender_that_is_dropped_while_its_sink_waits_leaves_no_waker_behind() {
    let (mut sink, receiver) = bounded(1);
    let sender = sink.clone();
    sender.try_send(1).unwrap();
    let wakes = Arc::default();
    assert!(poll_sink(&mut sink, &wakes).is_pending());
    drop(sink);
    assert_eq!(Arc::strong_count(&wakes), 1);
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(wakes.count(), 0);
}

#[test]
fn a_receiver_is_a_stream_without_pinning() {
    fn is_unpin<T: Unpin>(_: &T) {}
    let (sender, mut receiver) = bounded::<PhantomPinned>(1);
    is_unpin(&sender);
    is_unpin(&receiver);
    is_unpin(&sender.send(PhantomPinned));
    is_unpin(&receiver.recv());
    is_unpin(&sender.closed());
    sender.try_send(PhantomPinned).unwrap();
    drop(sender);
    task::block_on(async {
        assert!(receiver.next().await.is_some());
        assert!(receiver.next().await.is_none());
        assert!(receiver.next().await.is_none());
    });
}

#[test]
fn futures_of_it_have_names() {
    let (sender, receiver) = unbounded();
    let send: channel::Send<'_, u32> = sender.send(1);
    assert_eq!(task::block_on(send), Ok(()));
    let recv: channel::Recv<'_, u32> = receiver.recv();
    assert_eq!(task::block_on(recv), Ok(1));
}

#[test]
#[should_panic(expected = "send() polled again after it was ready")]
fn a_send_that_was_ready_is_not_polled_again() {
    let (sender, _receiver) = unbounded();
    let mut send = pin!(sender.send(1));
    assert_eq!(poll(send.as_mut()), Poll::Ready(Ok(())));
    let _ = poll(send);
}

#[test]
fn errors_say_what_could_not_be_done() {
    assert_eq!(
        [
            SendError(1).to_string(),
            TrySendError::Full(1).to_string(),
            TrySendError::Closed(1).to_string(),
            RecvError.to_string(),
            TryRecvError::Empty.to_string(),
            TryRecvError::Closed.to_string(),
        ],
        [
            "cannot send: the channel is closed",
            "cannot send at once: the channel is full",
            "cannot send: the channel is closed",
            "nothing left to receive: the channel is empty and closed",
            "nothing to receive yet: the channel is empty",
            "nothing left to receive: the channel is empty and closed",
        ]
    );
    // Messages need not be Debug for their errors to be.
    struct Opaque;
    let errors = (SendError(Opaque), TrySendError::Full(Opaque));
    assert_eq!(format!("{errors:?}"), "(SendError(..), Full(..))");
    assert!(TrySendError::Full(1).is_full() && TrySendError::Closed(1).is_closed());
    assert!(TryRecvError::Empty.is_empty() && TryRecvError::Closed.is_closed());
    assert_eq!(
        (
            SendError(1).into_inner(),
            TrySendError::Full(2).into_inner()
        ),
        (1, 2)
    );
}

/// Receives until the channel is closed, and counts what came per sender, in order.
fn drain(
    receiver: &Receiver<(usize, usize)>,
    recv: impl Fn() -> Option<(usize, usize)>,
) -> Vec<(usize, usize)> {
    let log: Vec<_> = std::iter::from_fn(recv).collect();
    assert!(receiver.is_closed());
    log
}

/// Every message came once, and each receiver got each sender's in order.
fn check(logs: &[Vec<(usize, usize)>], senders: usize, each: usize) {
    for log in logs {
        let mut last = vec![None; senders];
        for &(sender, number) in log {
            assert!(last[sender] < Some(number), "out of order");
            last[sender] = Some(number);
        }
    }
    let mut all: Vec<_> = logs.concat();
    all.sort_unstable();
    let expected: Vec<_> = (0..senders)
        .flat_map(|sender| (0..each).map(move |n| (sender, n)))
        .collect();
    assert!(
        all == expected,
        "lost or doubled: {} of {}",
        all.len(),
        expected.len()
    );
}

#[test]
fn threads_need_no_executor() {
    const EACH: usize = 1000;
    for capacity in [1, 7] {
        let (sender, receiver) = bounded(capacity);
        let logs: Vec<_> = thread::scope(|scope| {
            let receivers: Vec<_> = (0..2)
                .map(|_| {
                    let receiver = receiver.clone();
                    scope.spawn(move || drain(&receiver, || receiver.recv_blocking().ok()))
                })
                .collect();
            drop(receiver);
            for id in 0..3 {
                let sender = sender.clone();
                scope.spawn(move || (0..EACH).for_each(|n| sender.send_blocking((id, n)).unwrap()));
            }
            drop(sender);
            receivers
                .into_iter()
                .map(|receiver| receiver.join().unwrap())
                .collect()
        });
        check(&logs, 3, EACH);
    }
}

#[test]
fn blocking_calls_work_inside_a_busy_task() {
    // The task has long spent what it may do in one poll; a thread that waits is another matter.
    let (sender, receiver) = bounded(1);
    task::block_on(async {
        for number in 0..1000 {
            sender.send_blocking(number).unwrap();
            assert_eq!(receiver.recv_blocking(), Ok(number));
        }
    });
}

#[test]
fn nothing_is_lost_when_waiters_come_and_go() {
    const EACH: usize = 500;
    let (sender, receiver) = bounded(2);
    let logs: Vec<_> = thread::scope(|scope| {
        let receivers: Vec<_> = (0..3)
            .map(|_| {
                let mut receiver = receiver.clone();
                scope.spawn(move || {
                    let mut log = Vec::new();
                    loop {
                        // One look, and gone again: as a recv, with or without a turn, then as a stream.
                        let mut impatient = Box::pin(receiver.recv());
                        if let Poll::Ready(Ok(message)) = poll(impatient.as_mut()) {
                            log.push(message);
                        }
                        thread::yield_now();
                        drop(impatient);
                        if let Poll::Ready(Some(message)) = poll(pin!(receiver.next())) {
                            log.push(message);
                        }
                        match task::block_on(receiver.recv()) {
                            Ok(message) => log.push(message),
                            Err(RecvError) => return log,
                        }
                    }
                })
            })
            .collect();
        drop(receiver);
        for id in 0..3 {
            let sender = sender.clone();
            scope.spawn(move || {
                for number in 0..EACH {
                    let mut impatient = Box::pin(sender.send((id, number)));
                    let is_sent = poll(impatient.as_mut()).is_ready();
                    if number % 2 == 0 {
                        thread::yield_now();
                    }
                    drop(impatient);
                    if !is_sent {
                        task::block_on(sender.send((id, number))).unwrap();
                    }
                }
            });
        }
        drop(sender);
        receivers
            .into_iter()
            .map(|receiver| receiver.join().unwrap())
            .collect()
    });
    check(&logs, 3, EACH);
}

#[test]
fn streams_share_the_work() {
    const EACH: usize = 500;
    let (sender, receiver) = unbounded();
    let workers: Vec<_> = (0..4)
        .map(|_| task::spawn(receiver.clone().collect::<Vec<_>>()))
        .collect();
    drop(receiver);
    for id in 0..3 {
        let sender = sender.clone();
        task::spawn(async move {
            for number in 0..EACH {
                sender.send((id, number)).await.unwrap();
                if number % 50 == 0 {
                    task::yield_now().await;
                }
            }
        })
        .detach();
    }
    drop(sender);
    let logs = task::block_on(async {
        let mut logs = Vec::new();
        for worker in workers {
            logs.push(worker.await);
        }
        logs
    });
    check(&logs, 3, EACH);
}

#[test]
fn two_tasks_play_ping_pong() {
    let (ping, pong) = (bounded(1), bounded(1));
    let player = task::spawn(async move {
        while let Ok(ball) = ping.1.recv().await {
            pong.0.send(ball + 1).await.unwrap();
        }
    });
    task::block_on(async {
        let mut ball = 0;
        for _ in 0..1000 {
            ping.0.send(ball).await.unwrap();
            ball = pong.1.recv().await.unwrap();
        }
        assert_eq!(ball, 1000);
        drop(ping.0);
        player.await;
    });
}

#[test]
fn it_works_under_another_executor() {
    let (sender, receiver) = bounded(1);
    let other = thread::spawn(move || {
        futures_lite::future::block_on(async {
            for number in 0..100 {
                sender.send(number).await.unwrap();
            }
        });
    });
    let received: Vec<_> = task::block_on(receiver.collect());
    assert!(received.into_iter().eq(0..100));
    other.join().unwrap();
}
