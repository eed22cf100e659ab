//! The broadcast channel: who gets what, what falls out, and what is left in memory.

mod common;

use common::{poll, poll_with};
use parklet::stream::StreamExt;
use parklet::sync::broadcast::error::{RecvError, SendError, TryRecvError};
use parklet::sync::broadcast::{self, Receiver, Sender};
use parklet::task;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::task::Poll;
use std::thread;

/// A value that counts how many of its kind exist. To clone the `Arc` is to copy the value.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(alive: &Arc<AtomicUsize>) -> Arc<Counted> {
        alive.fetch_add(1, Ordering::SeqCst);
        Arc::new(Counted(Arc::clone(alive)))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn every_receiver_gets_every_value() {
    let (sender, first) = broadcast::channel(8);
    let mut receivers = vec![first, sender.subscribe(), sender.subscribe()];
    for value in 0..5 {
        assert_eq!(sender.send(value), Ok(3));
    }
    drop(sender);
    for receiver in &mut receivers {
        for value in 0..5 {
            assert_eq!(receiver.try_recv(), Ok(value));
        }
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
        assert_eq!(task::block_on(receiver.recv()), Err(RecvError::Closed));
    }
}

#[test]
fn the_capacity_is_exact_and_the_oldest_falls_out() {
    for capacity in [1, 2, 3, 5, 1000] {
        let (sender, mut receiver) = broadcast::channel(capacity);
        for value in 0..capacity {
            sender.send(value).unwrap();
        }
        assert_eq!((sender.len(), receiver.len()), (capacity, capacity));
        let mut complete = receiver.clone();
        assert_eq!(complete.try_recv(), Ok(0));
        sender.send(capacity).unwrap();
        assert_eq!((sender.len(), receiver.len()), (capacity, capacity + 1));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Lagged(1)));
        assert_eq!(receiver.try_recv(), Ok(1));
        drop(receiver);
        assert_eq!(
            complete.try_recv(),
            Ok(1),
            "who read in time misses nothing"
        );
    }
}

#[test]
fn who_lags_is_told_how_much_and_goes_on_with_the_oldest_kept() {
    let (sender, mut receiver) = broadcast::channel(3);
    for value in 0..10 {
        sender.send(value).unwrap();
    }
    task::block_on(async {
        assert_eq!(receiver.recv().await, Err(RecvError::Lagged(7)));
        assert_eq!(receiver.recv().await, Ok(7));
        for value in 10..14 {
            sender.send(value).unwrap();
        }
        assert_eq!(receiver.recv().await, Err(RecvError::Lagged(3)));
        // What is told is told once, and a lag after that is counted anew.
        sender.send(14).unwrap();
        drop(sender);
        assert_eq!(receiver.recv().await, Err(RecvError::Lagged(1)));
        assert_eq!(receiver.recv().await, Ok(12));
        assert_eq!(receiver.recv().await, Ok(13));
        assert_eq!(receiver.recv().await, Ok(14));
        assert_eq!(receiver.recv().await, Err(RecvError::Closed));
    });
}

#[test]
fn a_subscriber_gets_what_is_sent_from_then_on() {
    let (sender, receiver) = broadcast::channel(4);
    sender.send(1).unwrap();
    let mut late = sender.subscribe();
    let mut later = receiver.resubscribe();
    assert!(late.is_empty() && later.is_empty());
    sender.send(2).unwrap();
    assert_eq!((late.try_recv(), later.try_recv()), (Ok(2), Ok(2)));
}

#[test]
fn a_clone_reads_on_from_where_the_original_stands() {
    let (sender, mut receiver) = broadcast::channel(2);
    for value in 0..3 {
        sender.send(value).unwrap();
    }
    let mut lagging = receiver.clone();
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Lagged(1)));
    assert_eq!(receiver.try_recv(), Ok(1));
    let mut ahead = receiver.clone();
    assert_eq!(sender.receiver_count(), 3);
    assert_eq!(ahead.try_recv(), Ok(2));
    assert_eq!(lagging.try_recv(), Err(TryRecvError::Lagged(1)));
    assert_eq!(lagging.try_recv(), Ok(1));
    assert_eq!(
        sender.len(),
        1,
        "two of them have still to read the last one"
    );
}

#[test]
fn without_a_receiver_the_value_comes_back() {
    let (sender, receiver) = broadcast::channel(1);
    drop(receiver);
    assert_eq!(sender.send(7), Err(SendError(7)));
    let mut receiver = sender.subscribe();
    assert_eq!(sender.send(8), Ok(1));
    assert_eq!(receiver.try_recv(), Ok(8));
}

#[test]
#[should_panic(expected = "a broadcast channel of capacity 0 keeps nothing to receive")]
fn a_capacity_of_zero_is_refused() {
    broadcast::channel::<u32>(0);
}

#[test]
fn a_slow_receiver_keeps_no_more_values_alive_than_the_capacity() {
    const CAPACITY: usize = 100;
    let alive = Arc::new(AtomicUsize::new(0));
    let (sender, slow) = broadcast::channel(CAPACITY);
    let mut fast = sender.subscribe();
    for sent in 1..=10 * CAPACITY {
        assert!(sender.send(Counted::new(&alive)).is_ok());
        assert!(
            fast.try_recv().is_ok(),
            "a slow one costs the others nothing"
        );
        assert_eq!(alive.load(Ordering::SeqCst), sent.min(CAPACITY));
        assert_eq!(sender.len(), sent.min(CAPACITY));
    }
    drop(slow);
    assert_eq!(alive.load(Ordering::SeqCst), 0);
}

#[test]
fn a_value_is_freed_when_the_last_receiver_has_read_it() {
    let alive = Arc::new(AtomicUsize::new(0));
    let (sender, mut first) = broadcast::channel(8);
    let mut second = sender.subscribe();
    for _ in 0..3 {
        assert!(sender.send(Counted::new(&alive)).is_ok());
    }
    drop(first.try_recv());
    assert_eq!(alive.load(Ordering::SeqCst), 3);
    drop(second.try_recv());
    assert_eq!(alive.load(Ordering::SeqCst), 2);
    drop(first);
    assert_eq!(alive.load(Ordering::SeqCst), 2);
    // Nobody else wants the rest: it goes with this receiver, although the sender stays.
    drop(second);
    assert_eq!(alive.load(Ordering::SeqCst), 0);
    assert_eq!(sender.len(), 0);
}

#[test]
fn the_last_reader_gets_the_value_without_a_clone() {
    struct CountsClones(Arc<AtomicUsize>);
    impl Clone for CountsClones {
        fn clone(&self) -> CountsClones {
            self.0.fetch_add(1, Ordering::SeqCst);
            CountsClones(Arc::clone(&self.0))
        }
    }
    let clones = Arc::new(AtomicUsize::new(0));
    let (sender, mut first) = broadcast::channel(1);
    let mut second = sender.subscribe();
    assert!(sender.send(CountsClones(Arc::clone(&clones))).is_ok());
    assert!(first.try_recv().is_ok());
    assert_eq!(clones.load(Ordering::SeqCst), 1);
    assert!(second.try_recv().is_ok());
    assert_eq!(clones.load(Ordering::SeqCst), 1);
}

/// Uses its channel while it is dropped.
#[derive(Clone)]
struct SendsWhenDropped(Sender<Option<SendsWhenDropped>>);

impl Drop for SendsWhenDropped {
    fn drop(&mut self) {
        let _ = self.0.send(None);
    }
}

#[test]
fn a_value_that_is_dropped_may_use_the_channel() {
    let (sender, mut receiver) = broadcast::channel(1);
    // Falls out.
    sender.send(Some(SendsWhenDropped(sender.clone()))).unwrap();
    sender.send(None).unwrap();
    assert!(matches!(receiver.try_recv(), Err(TryRecvError::Lagged(2))));
    // Is received.
    sender.send(Some(SendsWhenDropped(sender.clone()))).unwrap();
    assert!(matches!(receiver.try_recv(), Err(TryRecvError::Lagged(1))));
    drop(receiver.try_recv());
    // Goes with the last receiver.
    sender.send(Some(SendsWhenDropped(sender.clone()))).unwrap();
    drop(receiver);
    assert_eq!(sender.len(), 0);
}

#[test]
fn a_send_wakes_everyone_who_waits_once() {
    let (sender, mut first) = broadcast::channel(8);
    let (mut second, mut reads) = (first.clone(), first.clone());
    let (one, two) = (Arc::default(), Arc::default());
    let (mut first, mut second) = (pin!(first.recv()), pin!(second.recv()));
    assert!(poll_with(first.as_mut(), &one).is_pending());
    assert!(poll_with(second.as_mut(), &two).is_pending());
    for value in 0..3 {
        sender.send(value).unwrap();
    }
    assert_eq!((one.count(), two.count()), (1, 1));
    assert_eq!(poll(first), Poll::Ready(Ok(0)));
    assert_eq!(poll(second), Poll::Ready(Ok(0)));
    assert_eq!(reads.try_recv(), Ok(0));
}

#[test]
fn a_recv_that_is_dropped_midway_loses_nothing() {
    let (sender, mut receiver) = broadcast::channel(8);
    let mut other = receiver.clone();
    let (dropped, waits) = (Arc::default(), Arc::default());
    let mut others = pin!(other.recv());
    assert!(poll_with(others.as_mut(), &waits).is_pending());

    // Before a value comes ...
    assert!(poll_with(pin!(receiver.recv()), &dropped).is_pending());
    assert_eq!(Arc::strong_count(&dropped), 1, "no waker is left behind");
    // ... and after it was woken for one.
    let mut recv = Box::pin(receiver.recv());
    assert!(poll_with(recv.as_mut(), &dropped).is_pending());
    sender.send(1).unwrap();
    assert_eq!((dropped.count(), waits.count()), (1, 1));
    drop(recv);
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(poll(others), Poll::Ready(Ok(1)));
}

#[test]
fn the_last_sender_wakes_those_who_wait() {
    let (sender, mut receiver) = broadcast::channel::<u32>(1);
    let other = sender.clone();
    let wakes = Arc::default();
    let mut recv = pin!(receiver.recv());
    assert!(poll_with(recv.as_mut(), &wakes).is_pending());
    drop(sender);
    assert!(poll_with(recv.as_mut(), &wakes).is_pending());
    drop(other);
    assert_eq!(wakes.count(), 1);
    assert_eq!(poll(recv), Poll::Ready(Err(RecvError::Closed)));
}

#[test]
fn a_weak_sender_does_not_keep_the_channel_open() {
    let (sender, mut receiver) = broadcast::channel(1);
    let weak = sender.downgrade();
    let again = weak.clone().upgrade().unwrap();
    assert!(again.same_channel(&sender));
    drop(sender);
    assert!(!receiver.is_closed());
    drop(again);
    assert!(receiver.is_closed() && weak.upgrade().is_none());
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    assert_eq!(receiver.try_recv(), Err::<u32, _>(TryRecvError::Closed));
}

#[test]
fn closed_waits_for_the_last_receiver() {
    let (sender, receiver) = broadcast::channel::<u32>(1);
    let other = receiver.clone();
    let (wakes, dropped) = (Arc::default(), Arc::default());
    let mut closed = pin!(sender.closed());
    assert!(poll_with(closed.as_mut(), &wakes).is_pending());
    drop(receiver);
    assert!(poll_with(closed.as_mut(), &wakes).is_pending());
    assert!(poll_with(pin!(sender.closed()), &dropped).is_pending());
    assert_eq!(Arc::strong_count(&dropped), 1, "no waker is left behind");
    drop(other);
    assert_eq!((wakes.count(), dropped.count()), (1, 0));
    // Somebody subscribes before the task comes to it: then it waits on.
    let late = sender.subscribe();
    assert!(poll_with(closed.as_mut(), &wakes).is_pending());
    drop(late);
    assert!(poll(closed).is_ready());
}

#[test]
fn a_receiver_is_a_stream_that_tells_of_lag_and_ends() {
    let (sender, mut receiver) = broadcast::channel(2);
    for value in 0..3 {
        sender.send(value).unwrap();
    }
    drop(sender);
    let items: Vec<_> = task::block_on((&mut receiver).collect());
    assert_eq!(items, [Err(RecvError::Lagged(1)), Ok(1), Ok(2)]);
    assert_eq!(task::block_on(receiver.next()), None);
}

#[test]
fn a_stream_that_is_no_longer_polled_holds_nobody_up() {
    let (sender, mut abandoned) = broadcast::channel(4);
    let mut waits = abandoned.clone();
    let wakes = Arc::default();
    assert!(poll(pin!(abandoned.next())).is_pending());
    let mut recv = pin!(waits.recv());
    assert!(poll_with(recv.as_mut(), &wakes).is_pending());
    sender.send(1).unwrap();
    assert_eq!(wakes.count(), 1);
    // And a recv after that takes the place the stream has left.
    assert_eq!(task::block_on(abandoned.recv()), Ok(1));
}

#[test]
fn a_clone_that_panics_reads_nothing() {
    #[derive(Debug)]
    struct PanicsOnce(Arc<AtomicUsize>);
    impl Clone for PanicsOnce {
        fn clone(&self) -> PanicsOnce {
            assert_ne!(self.0.fetch_add(1, Ordering::SeqCst), 0, "not clonable yet");
            PanicsOnce(Arc::clone(&self.0))
        }
    }
    let (sender, mut receiver) = broadcast::channel(1);
    let _other = receiver.clone();
    sender.send(PanicsOnce(Arc::default())).unwrap();
    let first = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| receiver.try_recv()));
    assert!(first.is_err());
    assert_eq!((sender.len(), receiver.len()), (1, 1));
    assert!(receiver.try_recv().is_ok());
}

#[test]
fn what_is_read_ahead_counts_as_unread() {
    let alive = Arc::new(AtomicUsize::new(0));
    let (sender, mut receiver) = broadcast::channel(64);
    for _ in 0..40 {
        assert!(sender.send(Counted::new(&alive)).is_ok());
    }
    for left in (0..40).rev() {
        drop(receiver.try_recv().unwrap());
        assert_eq!((sender.len(), receiver.len()), (left, left));
        assert_eq!(alive.load(Ordering::SeqCst), left);
    }
}

#[test]
fn what_falls_out_after_it_was_taken_ahead_is_missed() {
    let (sender, mut receiver) = broadcast::channel(4);
    for value in 0..4 {
        sender.send(value).unwrap();
    }
    assert_eq!(receiver.try_recv(), Ok(0));
    // With 5 values unread by it, a channel of 4 cannot have the 1 any more.
    sender.send(4).unwrap();
    sender.send(5).unwrap();
    let mut copy = receiver.clone();
    for receiver in [&mut receiver, &mut copy] {
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Lagged(1)));
        for value in 2..6 {
            assert_eq!(receiver.try_recv(), Ok(value));
        }
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    }
}

#[test]
fn a_clone_that_panics_ahead_loses_nothing() {
    /// Panics when it is cloned for the first time, if it is told to.
    struct PanicsOnce(u32, AtomicUsize);
    impl Clone for PanicsOnce {
        fn clone(&self) -> PanicsOnce {
            assert!(self.1.fetch_sub(1, Ordering::SeqCst) != 1, "on purpose");
            PanicsOnce(self.0, AtomicUsize::new(0))
        }
    }
    let (sender, mut receiver) = broadcast::channel(8);
    let _other = receiver.clone();
    for value in 0..4 {
        let panics = AtomicUsize::new(usize::from(value == 2));
        assert!(sender.send(PanicsOnce(value, panics)).is_ok());
    }
    let result = catch_unwind(AssertUnwindSafe(|| {
        receiver.try_recv().map(|value| value.0)
    }));
    assert!(result.is_err());
    for value in 0..4 {
        assert_eq!(receiver.try_recv().map(|got| got.0), Ok(value));
    }
}

/// A broadcast channel in its plainest form: all that was ever sent, and where each receiver stands.
struct PlainList {
    capacity: usize,
    sent: usize,
    positions: Vec<usize>,
}

impl PlainList {
    /// What the receiver gets that stands there.
    fn receive(&mut self, receiver: usize) -> Result<usize, TryRecvError> {
        let position = &mut self.positions[receiver];
        let oldest = self.sent.saturating_sub(self.capacity);
        if *position < oldest {
            let missed = oldest - *position;
            *position = oldest;
            return Err(TryRecvError::Lagged(missed as u64));
        }
        if *position == self.sent {
            return Err(TryRecvError::Empty);
        }
        *position += 1;
        Ok(*position - 1)
    }

    fn unread(&self) -> usize {
        let slowest = self.positions.iter().min();
        slowest.map_or(0, |&position| (self.sent - position).min(self.capacity))
    }
}

#[test]
fn it_does_what_a_plain_list_does() {
    // Numerical Recipes' generator: any will do, as long as the steps are the same in every run.
    let mut seed = 1_u32;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as usize % below
    };
    for capacity in [1, 2, 5, 16, 17, 40] {
        let (sender, receiver) = broadcast::channel(capacity);
        let mut receivers = vec![receiver];
        let mut plain = PlainList {
            capacity,
            sent: 0,
            positions: vec![0],
        };
        for _ in 0..10_000 {
            let who = random(receivers.len());
            match random(40) {
                0 if receivers.len() < 20 => {
                    receivers.push(receivers[who].clone());
                    plain.positions.push(plain.positions[who]);
                }
                1 if receivers.len() < 20 => {
                    receivers.push(sender.subscribe());
                    plain.positions.push(plain.sent);
                }
                2 | 3 if receivers.len() > 1 => {
                    drop(receivers.swap_remove(who));
                    plain.positions.swap_remove(who);
                }
                4..=12 => {
                    for _ in 0..random(30) {
                        assert_eq!(sender.send(plain.sent), Ok(receivers.len()));
                        plain.sent += 1;
                    }
                }
                13..20 => assert_eq!(receivers[who].try_recv(), plain.receive(who)),
                _ => {
                    let got = match poll(pin!(receivers[who].recv())) {
                        Poll::Pending => Err(TryRecvError::Empty),
                        Poll::Ready(result) => result.map_err(TryRecvError::from),
                    };
                    assert_eq!(got, plain.receive(who));
                }
            }
            assert_eq!(sender.len(), plain.unread());
            assert_eq!(receivers[0].len(), plain.sent - plain.positions[0]);
        }
    }
}

/// What one receiver saw: the values in order, and how many it missed before each.
async fn read_to_the_end<T: Clone>(mut receiver: Receiver<T>, pause_every: usize) -> Vec<Got<T>> {
    let mut log = Vec::new();
    loop {
        match receiver.recv().await {
            Ok(value) => log.push(Got::Value(value)),
            Err(RecvError::Lagged(missed)) => log.push(Got::Missed(missed)),
            Err(RecvError::Closed) => return log,
        }
        if pause_every > 0 && log.len() % pause_every == 0 {
            thread::yield_now();
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Got<T> {
    Value(T),
    Missed(u64),
}

/// Checks one receiver's log: per sender ascending, and nothing unaccounted for.
fn check(log: &[Got<(usize, u64)>], senders: usize, each: u64) {
    let mut next = vec![0; senders];
    let (mut received, mut missed) = (0, 0);
    for got in log {
        match *got {
            Got::Missed(count) => missed += count,
            Got::Value((sender, number)) => {
                assert!(
                    number >= next[sender],
                    "sender {sender}: {number} came late"
                );
                if missed == 0 {
                    assert_eq!(number, next[sender], "a hole without a word of lag");
                }
                next[sender] = number + 1;
                received += 1;
            }
        }
    }
    assert_eq!(received + missed, senders as u64 * each);
    // The newest values never fall out: somebody's last one was received.
    assert!(next.contains(&each));
}

#[test]
fn received_and_missed_add_up_under_concurrency() {
    const SENDERS: usize = 3;
    const EACH: u64 = 1000;
    const CAPACITY: usize = 16;
    let (sender, receiver) = broadcast::channel(CAPACITY);
    let start = Barrier::new(SENDERS);
    let logs: Vec<_> = thread::scope(|scope| {
        // 0 reads as fast as it can, the others pause more or less often.
        let readers: Vec<_> = [0, 1, 7]
            .map(|pause_every| {
                let receiver = receiver.clone();
                scope.spawn(move || task::block_on(read_to_the_end(receiver, pause_every)))
            })
            .into();
        drop(receiver);
        for id in 0..SENDERS {
            let (sender, start) = (sender.clone(), &start);
            scope.spawn(move || {
                start.wait();
                for number in 0..EACH {
                    assert_eq!(sender.send((id, number)), Ok(3));
                    assert!(sender.len() <= CAPACITY);
                }
            });
        }
        drop(sender);
        readers
            .into_iter()
            .map(|reader| reader.join().unwrap())
            .collect()
    });
    for log in &logs {
        check(log, SENDERS, EACH);
    }
}

#[test]
fn receivers_agree_on_the_order_of_what_they_got() {
    const EACH: u64 = 200;
    let (sender, receiver) = broadcast::channel(1000);
    let logs: Vec<_> = thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|_| {
                let receiver = receiver.clone();
                scope.spawn(move || task::block_on(read_to_the_end(receiver, 3)))
            })
            .collect();
        for id in 0..4_usize {
            let sender = sender.clone();
            scope.spawn(move || {
                (0..EACH).for_each(|number| assert!(sender.send((id, number)).is_ok()));
            });
        }
        drop((sender, receiver));
        readers
            .into_iter()
            .map(|reader| reader.join().unwrap())
            .collect()
    });
    check(&logs[0], 4, EACH);
    assert_eq!(logs[0].len() as u64, 4 * EACH, "nobody misses anything");
    assert!(logs.iter().all(|log| *log == logs[0]));
}

#[test]
fn receivers_that_come_and_go_upset_nobody() {
    const SENT: u64 = 2000;
    let alive = Arc::new(AtomicUsize::new(0));
    let (sender, receiver) = broadcast::channel(8);
    thread::scope(|scope| {
        let steady = scope.spawn(move || task::block_on(read_to_the_end(receiver, 5)));
        for _ in 0..2 {
            let weak = sender.downgrade();
            scope.spawn(move || {
                let mut kept = VecDeque::new();
                while let Some(sender) = weak.upgrade() {
                    let mut receiver = sender.subscribe();
                    drop(sender);
                    let _ = receiver.try_recv();
                    kept.push_back(receiver.clone());
                    kept.push_back(receiver);
                    if kept.len() > 6 {
                        kept.drain(..4);
                    }
                }
            });
        }
        for number in 0..SENT {
            let value = (number, Counted::new(&alive));
            assert!(sender.send(value).is_ok());
        }
        drop(sender);
        let (mut last, mut sum) = (None, 0);
        for got in steady.join().unwrap() {
            match got {
                Got::Missed(count) => sum += count,
                Got::Value((number, _)) => {
                    assert!(last < Some(number));
                    (last, sum) = (Some(number), sum + 1);
                }
            }
        }
        assert_eq!((last, sum), (Some(SENT - 1), SENT));
    });
    assert_eq!(alive.load(Ordering::SeqCst), 0);
}

#[test]
fn tasks_talk_over_it() {
    let (sender, receiver) = broadcast::channel(64);
    let tasks: Vec<_> = (0..20)
        .map(|_| task::spawn(read_to_the_end(receiver.clone(), 0)))
        .collect();
    drop(receiver);
    task::block_on(async {
        for value in 0..1000_u32 {
            sender.send(value).unwrap();
            if value % 10 == 0 {
                task::yield_now().await;
            }
        }
        drop(sender);
        for task in tasks {
            let sum: u64 = task
                .await
                .iter()
                .map(|got| match got {
                    Got::Value(_) => 1,
                    Got::Missed(count) => *count,
                })
                .sum();
            assert_eq!(sum, 1000);
        }
    });
}
