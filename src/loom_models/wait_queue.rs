//! Models of `sync/wait_queue.rs`, `sync/waking_lock.rs` and `sync/mutex_state.rs`.
//!
//! Each rule has a variant that breaks it; with it the model beside its name has to fail:
//!
//! ```text
//! broken: wait_queue_last_comes_first       turns_come_in_order
//! broken: wait_queue_number_given_twice     a_ticket_is_not_mistaken_for_another
//! broken: wait_queue_looks_before_it_joins  a_waiter_that_joins_during_notify_is_woken
//! broken: wait_queue_turn_not_passed_on     a_dropped_waiter_passes_its_turn_on
//! broken: wait_queue_first_waker_stays      the_last_waker_counts
//! broken: waking_lock_wakes_before_unlock   a_waker_may_come_back_to_the_lock
//! broken: mutex_joins_without_a_mark        a_waiter_that_joins_during_release_is_woken
//! broken: mutex_release_is_relaxed          only_the_holder_touches_the_value
//! broken: mutex_hands_over_relaxed          a_handed_over_lock_is_seen_before_the_wake
//! broken: mutex_forgets_who_waits           everyone_who_waits_gets_the_lock
//! broken: mutex_dropped_waiter_keeps_it     a_dropped_waiter_hands_the_lock_on
//! ```

use crate::primitive::{Arc, ThreadParker, ThreadUnparker, is_broken};
use crate::sync::mutex_state::MutexState;
use crate::sync::wait_queue::{Ticket, WaitQueue};
use crate::sync::waking_lock::WakingLock;
use loom::cell::UnsafeCell;
use loom::thread;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc as StdArc, Mutex as StdMutex};
use std::task::{Context, Poll, Wake, Waker};

/// The simplest primitive on the queue, with the turns of a channel: so many permits, and who waits for one.
struct Permits {
    state: WakingLock<PermitState>,
}

struct PermitState {
    free: usize,
    waiters: WaitQueue,
}

/// Takes one permit for good.
struct TakePermit<'a> {
    permits: &'a Permits,
    ticket: Option<Ticket>,
}

impl Permits {
    fn none() -> Permits {
        Permits {
            state: WakingLock::new(PermitState {
                free: 0,
                waiters: WaitQueue::new(),
            }),
        }
    }

    fn add(&self) {
        self.state.with(|state, wakes| {
            state.free += 1;
            state.waiters.notify_one(wakes);
        });
    }

    /// More than anyone will take.
    fn add_for_all(&self) {
        self.state.with(|state, wakes| {
            state.free = usize::MAX;
            state.waiters.notify_all(wakes);
        });
    }

    fn take(&self) -> TakePermit<'_> {
        TakePermit {
            permits: self,
            ticket: None,
        }
    }
}

impl Future for TakePermit<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let TakePermit { permits, ticket } = &mut *self;
        // Rule 3 is kept by who uses the queue, so here it is broken by the model itself.
        let seen_before = if is_broken("wait_queue_looks_before_it_joins") {
            permits.state.with(|state, _| Some(state.free))
        } else {
            None
        };
        permits.state.with(|state, wakes| {
            if seen_before.unwrap_or(state.free) == 0 {
                state.waiters.wait(ticket, cx.waker(), wakes);
                return Poll::Pending;
            }
            state.free -= 1;
            state.waiters.served(ticket, wakes);
            Poll::Ready(())
        })
    }
}

impl Drop for TakePermit<'_> {
    fn drop(&mut self) {
        let TakePermit { permits, ticket } = self;
        permits
            .state
            .with(|state, wakes| state.waiters.withdraw(ticket, wakes));
    }
}

/// Unparks a thread. std's `Arc` around it, since `Wake` wants that one.
struct UnparkThread(ThreadUnparker);

impl Wake for UnparkThread {
    fn wake(self: StdArc<Self>) {
        self.0.unpark();
    }
}

/// Polls until ready; a wake that is lost is a deadlock, which loom reports.
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let parker = ThreadParker::new();
    let waker = Waker::from(StdArc::new(UnparkThread(parker.unparker().clone())));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        parker.park();
    }
}

/// Polls once, as a task that is not polled again unless something comes of it.
pub(super) fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn turns_come_in_order() {
    loom::model(|| {
        let permits = Arc::new(Permits::none());
        let (mut first, mut second) = (permits.take(), permits.take());
        assert!(poll(&mut first).is_pending());
        assert!(poll(&mut second).is_pending());

        let adder = thread::spawn({
            let permits = Arc::clone(&permits);
            move || permits.add()
        });
        adder.join().unwrap();
        let waits = |ticket: &Option<Ticket>| {
            let ticket = ticket.as_ref().unwrap();
            permits
                .state
                .with(|state, _| state.waiters.is_waiting(ticket))
        };
        assert!(!waits(&first.ticket));
        assert!(waits(&second.ticket));
    });
}

#[test]
fn a_waiter_that_joins_during_notify_is_woken() {
    loom::model(|| {
        let permits = Arc::new(Permits::none());
        let adder = thread::spawn({
            let permits = Arc::clone(&permits);
            move || permits.add()
        });
        block_on(permits.take());
        adder.join().unwrap();
    });
}

#[test]
fn a_dropped_waiter_passes_its_turn_on() {
    loom::model(|| {
        let permits = Arc::new(Permits::none());
        let mut dropped = permits.take();
        assert!(poll(&mut dropped).is_pending());

        let adder = thread::spawn({
            let permits = Arc::clone(&permits);
            move || permits.add()
        });
        let waiter = thread::spawn({
            let permits = Arc::clone(&permits);
            move || block_on(permits.take())
        });
        drop(dropped);
        adder.join().unwrap();
        waiter.join().unwrap();
    });
}

#[test]
fn a_waiter_that_came_too_late_gets_the_next_turn() {
    loom::model(|| {
        let permits = Arc::new(Permits::none());
        let mut slow = permits.take();
        assert!(poll(&mut slow).is_pending());

        let adder = thread::spawn({
            let permits = Arc::clone(&permits);
            move || {
                permits.add();
                permits.add();
            }
        });
        let other = thread::spawn({
            let permits = Arc::clone(&permits);
            move || block_on(permits.take())
        });
        block_on(slow);
        adder.join().unwrap();
        other.join().unwrap();
    });
}

#[test]
fn a_turn_for_all_reaches_whoever_has_joined() {
    loom::model(|| {
        let permits = Arc::new(Permits::none());
        let mut first = permits.take();
        assert!(poll(&mut first).is_pending());
        let second = thread::spawn({
            let permits = Arc::clone(&permits);
            move || block_on(permits.take())
        });
        permits.add_for_all();
        assert!(poll(&mut first).is_ready());
        second.join().unwrap();
    });
}

#[test]
fn the_last_waker_counts() {
    loom::model(|| {
        let permits = Arc::new(Permits::none());
        let mut waiter = permits.take();
        assert!(poll(&mut waiter).is_pending());
        let adder = thread::spawn({
            let permits = Arc::clone(&permits);
            move || permits.add()
        });
        block_on(waiter);
        adder.join().unwrap();
    });
}

/// A waker that comes back to the lock it was called from under.
struct ComesBack {
    permits: Arc<Permits>,
    found: StdMutex<Option<usize>>,
}

impl Wake for ComesBack {
    fn wake(self: StdArc<Self>) {
        let free = self.permits.state.with(|state, _| state.free);
        *self.found.lock().unwrap() = Some(free);
    }
}

#[test]
fn a_waker_may_come_back_to_the_lock() {
    loom::model(|| {
        let permits = Arc::new(Permits::none());
        let comes_back = StdArc::new(ComesBack {
            permits: Arc::clone(&permits),
            found: StdMutex::new(None),
        });
        let waker = Waker::from(StdArc::clone(&comes_back));
        let mut waiter = permits.take();
        let pending = Pin::new(&mut waiter).poll(&mut Context::from_waker(&waker));
        assert!(pending.is_pending());

        let adder = thread::spawn({
            let permits = Arc::clone(&permits);
            move || permits.add()
        });
        adder.join().unwrap();
        assert_eq!(*comes_back.found.lock().unwrap(), Some(1));
    });
}

/// A mutex as `Mutex<T>` is built, with a value that loom watches.
struct WatchedMutex {
    state: MutexState,
    value: UnsafeCell<()>,
}

impl WatchedMutex {
    fn new() -> Arc<WatchedMutex> {
        Arc::new(WatchedMutex {
            state: MutexState::new(),
            value: UnsafeCell::new(()),
        })
    }

    /// What a critical section does; loom stops the model if two threads are in it at once.
    fn touch_and_release(&self) {
        self.value.with_mut(|_| ());
        self.state.release();
    }

    fn lock_and_touch(&self) {
        block_on(self.state.acquire());
        self.touch_and_release();
    }
}

#[test]
fn only_the_holder_touches_the_value() {
    loom::model(|| {
        let mutex = WatchedMutex::new();
        let other = thread::spawn({
            let mutex = Arc::clone(&mutex);
            move || mutex.lock_and_touch()
        });
        mutex.lock_and_touch();
        other.join().unwrap();
        assert!(mutex.state.try_acquire());
    });
}

#[test]
fn a_waiter_that_joins_during_release_is_woken() {
    loom::model(|| {
        let mutex = WatchedMutex::new();
        assert!(mutex.state.try_acquire());
        let waiter = thread::spawn({
            let mutex = Arc::clone(&mutex);
            move || mutex.lock_and_touch()
        });
        mutex.touch_and_release();
        waiter.join().unwrap();
    });
}

#[test]
fn a_handed_over_lock_is_seen_before_the_wake() {
    loom::model(|| {
        let mutex = WatchedMutex::new();
        assert!(mutex.state.try_acquire());
        let waiter = thread::spawn({
            let mutex = Arc::clone(&mutex);
            move || {
                let mut acquire = mutex.state.acquire();
                while poll(&mut acquire).is_pending() {
                    thread::yield_now();
                }
                mutex.touch_and_release();
            }
        });
        mutex.touch_and_release();
        waiter.join().unwrap();
    });
}

#[test]
fn everyone_who_waits_gets_the_lock() {
    loom::model(|| {
        let mutex = WatchedMutex::new();
        assert!(mutex.state.try_acquire());
        let mut first = mutex.state.acquire();
        assert!(poll(&mut first).is_pending());
        let second = thread::spawn({
            let mutex = Arc::clone(&mutex);
            move || mutex.lock_and_touch()
        });
        mutex.touch_and_release();
        // Handed over: it is ours, whoever came in between.
        assert!(poll(&mut first).is_ready());
        mutex.touch_and_release();
        second.join().unwrap();
        assert!(mutex.state.try_acquire());
    });
}

#[test]
fn a_dropped_waiter_hands_the_lock_on() {
    loom::model(|| {
        let mutex = WatchedMutex::new();
        assert!(mutex.state.try_acquire());
        let mut dropped = mutex.state.acquire();
        assert!(poll(&mut dropped).is_pending());
        let releaser = thread::spawn({
            let mutex = Arc::clone(&mutex);
            move || mutex.touch_and_release()
        });
        let waiter = thread::spawn({
            let mutex = Arc::clone(&mutex);
            move || mutex.lock_and_touch()
        });
        drop(dropped);
        releaser.join().unwrap();
        waiter.join().unwrap();
        assert!(mutex.state.try_acquire());
    });
}

#[test]
fn a_ticket_is_not_mistaken_for_another() {
    loom::model(|| {
        let mutex = WatchedMutex::new();
        assert!(mutex.state.try_acquire());
        let mut dropped = mutex.state.acquire();
        assert!(poll(&mut dropped).is_pending());
        let waiter = thread::spawn({
            let mutex = Arc::clone(&mutex);
            move || mutex.lock_and_touch()
        });
        // The waiter may now take the very place that `dropped` has left.
        mutex.touch_and_release();
        drop(dropped);
        waiter.join().unwrap();
        assert!(mutex.state.try_acquire());
    });
}
