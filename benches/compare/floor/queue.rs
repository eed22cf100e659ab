//! What one thread does with a queue and calls: spawn, yield, lock, send.

use std::collections::{BTreeSet, VecDeque};
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::arena::run::{Run, Workload};

pub(crate) const WORKLOADS: &[Workload] = &[
    Workload::new("spawn/block_on", spawn),
    Workload::new("spawn/task", spawn),
    Workload::new("spawn/chained", chained),
    Workload::new("yield", yields),
    Workload::new("block_on/ready", ready),
    Workload::new("block_on/yield", one_yield),
    Workload::new("channel", channel),
    Workload::new("mutex/free", free),
    Workload::new("mutex/contended", contended),
    Workload::new("broadcast/burst", bursts),
    Workload::new("broadcast/wake", one_by_one),
    Workload::new("timeout/ready", ready),
    Workload::new("timeout/pends_once", timeout),
];

/// Ten thousand boxed calls into the queue, and out of it.
fn spawn(run: Run) {
    let mut queue: VecDeque<Box<dyn FnOnce() -> u64>> = VecDeque::new();
    for _ in run.batches(10_000) {
        for number in 0..10_000 {
            queue.push_back(Box::new(move || black_box(number)));
        }
        let sum: u64 = queue.drain(..).map(|call| call()).sum();
        assert_eq!(sum, 10_000 * 9_999 / 2);
    }
}

/// A boxed call that puts the next one into the queue.
struct Link(Box<dyn FnOnce(&mut Links) -> u64>);

type Links = VecDeque<Link>;

fn chained(run: Run) {
    fn link(number: u64, sum: u64) -> Link {
        Link(Box::new(move |queue| {
            if number < 1_000 {
                queue.push_back(link(number + 1, sum + black_box(number)));
            }
            sum
        }))
    }
    let mut queue = VecDeque::new();
    for _ in run.batches(1_000) {
        queue.push_back(link(0, 0));
        let mut sum = 0;
        while let Some(Link(call)) = queue.pop_front() {
            sum = call(&mut queue);
        }
        assert_eq!(sum, 1_000 * 999 / 2);
    }
}

/// Calls that go back into the queue as long as they return true; their sum is checked by the caller.
fn take_turns<'a>(calls: impl Iterator<Item = Box<dyn FnMut() -> bool + 'a>>) {
    let mut queue: VecDeque<_> = calls.collect();
    while let Some(mut call) = queue.pop_front() {
        if call() {
            queue.push_back(call);
        }
    }
}

fn yields(run: Run) {
    for _ in run.batches(200 * 1_000) {
        let sum = std::cell::Cell::new(0);
        take_turns((0..200).map(|_| {
            let (sum, mut turns) = (&sum, 0);
            Box::new(move || {
                turns = black_box(turns + 1);
                sum.set(sum.get() + 1);
                turns < 1_000
            }) as Box<dyn FnMut() -> bool>
        }));
        assert_eq!(sum.get(), 200 * 1_000);
    }
}

fn ready(run: Run) {
    let mut context = Context::from_waker(Waker::noop());
    for _ in run.batches(1_000) {
        let mut sum = 0_u64;
        for number in 0..1_000_u64 {
            let future = pin!(async move { black_box(number) });
            match black_box(future as Pin<&mut dyn Future<Output = u64>>).poll(&mut context) {
                Poll::Ready(number) => sum += number,
                Poll::Pending => unreachable!("it waits for nothing"),
            }
        }
        assert_eq!(sum, 1_000 * 999 / 2);
    }
}

/// Polls to the end a future that pends once, and does something in between.
fn poll_twice(number: u64, between: impl FnOnce()) -> u64 {
    let mut context = Context::from_waker(Waker::noop());
    let future = pin!(async {
        smol::future::yield_now().await;
        black_box(number)
    });
    let mut future: Pin<&mut dyn Future<Output = u64>> = black_box(future);
    assert!(future.as_mut().poll(&mut context).is_pending());
    between();
    match future.poll(&mut context) {
        Poll::Ready(number) => number,
        Poll::Pending => unreachable!("it pends once"),
    }
}

fn one_yield(run: Run) {
    for _ in run.batches(1_000) {
        let sum: u64 = (0..1_000).map(|number| poll_twice(number, || ())).sum();
        assert_eq!(sum, 1_000 * 999 / 2);
    }
}

/// A timer that is noted in an ordered set, and struck out again.
fn timeout(run: Run) {
    let mut timers = BTreeSet::new();
    for _ in run.batches(1_000) {
        let mut sum = 0;
        for number in 0..1_000 {
            let timer = (Instant::now() + Duration::from_secs(30), number);
            sum += poll_twice(number, || assert!(timers.insert(timer)));
            assert!(timers.remove(&timer));
        }
        assert_eq!(sum, 1_000 * 999 / 2);
    }
}

/// A hundred numbers into the queue, a hundred out of it.
fn channel(run: Run) {
    let mut queue = VecDeque::new();
    for _ in run.batches(10_000) {
        let (mut sent, mut sum) = (0, 0);
        while sent < 10_000 {
            for _ in 0..100 {
                queue.push_back(black_box(sent));
                sent += 1;
            }
            while let Some(number) = queue.pop_front() {
                sum += black_box(number);
            }
        }
        assert_eq!(sum, 10_000 * 9_999 / 2);
    }
}

/// One flag.
fn free(run: Run) {
    let locked = AtomicBool::new(false);
    for _ in run.batches(10_000) {
        let mut count = 0_u64;
        for _ in 0..10_000 {
            assert!(!locked.swap(true, Ordering::Acquire));
            count = black_box(count + 1);
            locked.store(false, Ordering::Release);
        }
        assert_eq!(count, 10_000);
    }
}

/// Each call is one that holds the lock; two trips through the queue stand for the wait and the yield.
fn contended(run: Run) {
    for _ in run.batches(64 * 100) {
        let count = std::cell::Cell::new(0);
        take_turns((0..64).map(|_| {
            let (count, mut turns) = (&count, 0);
            Box::new(move || {
                turns = black_box(turns + 1);
                count.set(count.get() + turns % 2);
                turns < 200
            }) as Box<dyn FnMut() -> bool>
        }));
        assert_eq!(count.get(), 64 * 100);
    }
}

/// A queue for each receiver.
fn bursts(run: Run) {
    let mut queues = vec![VecDeque::new(); 100];
    for _ in run.batches(1_024 * 100) {
        for number in 0..1_024_u64 {
            for queue in &mut queues {
                queue.push_back(black_box(number));
            }
        }
        for queue in &mut queues {
            let sum: u64 = queue.drain(..).map(black_box).sum();
            assert_eq!(sum, 1_024 * 1_023 / 2);
        }
    }
}

/// A call for each receiver and message, through the queue of what is ready.
fn one_by_one(run: Run) {
    let mut sums = vec![0_u64; 100];
    let mut ready = VecDeque::new();
    for _ in run.batches(1_024 * 100) {
        sums.fill(0);
        let mut receivers: Vec<_> = sums
            .iter_mut()
            .map(|sum| Box::new(|number| *sum += number) as Box<dyn FnMut(u64)>)
            .collect();
        for number in 0..1_024 {
            ready.extend(0..receivers.len());
            while let Some(receiver) = ready.pop_front() {
                receivers[receiver](black_box(number));
            }
        }
        drop(receivers);
        assert!(sums.iter().all(|&sum| sum == 1_024 * 1_023 / 2));
    }
}
