//! No wake is lost, none makes two polls, and a waker may outlive everything.

mod common;

use common::{CountWakes, Drops, Event, Log, OnDrop, own_waker, pend_once, watchdog, with_workers};
use parklet::executor::LocalExecutor;
use parklet::task;
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;

/// Polls are logged, and do what the script says until it ends.
struct Scripted<F> {
    log: Log,
    polls: usize,
    script: F,
}

/// A future whose poll number `n` calls `script(n, waker)`, and is ready when that returns true.
fn scripted<F: FnMut(usize, &Waker) -> bool>(log: &Log, script: F) -> Scripted<F> {
    Scripted {
        log: log.clone(),
        polls: 0,
        script,
    }
}

impl<F: FnMut(usize, &Waker) -> bool + Unpin> Future for Scripted<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.polls += 1;
        let polls = self.polls;
        self.log.add(format!("poll {polls}"));
        if (self.script)(polls, cx.waker()) {
            self.log.add("ready");
            Poll::Ready(())
        } else {
            self.log.add("pending");
            Poll::Pending
        }
    }
}

/// Wakes by a waker of its own, whose reference goes with it.
fn wake_by_value(waker: &Waker) {
    let waker = waker.clone();
    waker.wake();
}

#[test]
fn a_yield_and_a_wake_in_one_poll_make_one_more_poll() {
    let log = Log::default();
    let executor = LocalExecutor::new();
    executor
        .spawn({
            let log = log.clone();
            let mut polls = 0;
            poll_fn(move |cx| {
                log.add("poll");
                polls += 1;
                wake_by_value(cx.waker());
                let _ = pin!(task::yield_now()).poll(cx);
                wake_by_value(cx.waker());
                if polls < 2 {
                    Poll::Pending
                } else {
                    Poll::Ready(())
                }
            })
        })
        .detach();
    while executor.try_tick() {
        log.add("tick");
    }
    log.expect(["poll", "tick", "poll", "tick"]);
}

#[test]
fn a_yield_behind_a_waker_of_its_own_wakes_that_one() {
    let executor = LocalExecutor::new();
    let (wakes, waker) = CountWakes::new();
    let polls = Rc::new(Cell::new(0));
    executor
        .spawn({
            let polls = Rc::clone(&polls);
            let mut yielding = Box::pin(task::yield_now());
            poll_fn(move |_| {
                polls.set(polls.get() + 1);
                // As a combinator does that wants to know which of its futures was woken.
                let _ = yielding.as_mut().poll(&mut Context::from_waker(&waker));
                Poll::<()>::Pending
            })
        })
        .detach();
    while executor.try_tick() {}
    assert_eq!([wakes.count(), polls.get()], [1, 1]);
}

#[test]
fn a_yield_belongs_to_the_task_that_yields_and_to_no_other() {
    let outer = LocalExecutor::new();
    let polls = Rc::new(Cell::new(0));
    outer
        .spawn({
            let polls = Rc::clone(&polls);
            async move {
                let inner = LocalExecutor::new();
                inner
                    .spawn(async {
                        loop {
                            task::yield_now().await;
                        }
                    })
                    .detach();
                poll_fn(|_| {
                    polls.set(polls.get() + 1);
                    // The inner task yields while the outer one is polled.
                    for _ in 0..3 {
                        assert!(inner.try_tick());
                    }
                    Poll::<()>::Pending
                })
                .await;
            }
        })
        .detach();
    while outer.try_tick() {}
    assert_eq!(polls.get(), 1, "nobody woke the outer task");
}

#[test]
fn a_wake_during_poll_polls_again_once() {
    let log = Log::default();
    let executor = LocalExecutor::new();
    executor
        .spawn(scripted(&log, {
            let log = log.clone();
            move |poll, waker| {
                if poll == 1 {
                    for _ in 0..3 {
                        waker.wake_by_ref();
                        wake_by_value(waker);
                        log.add("wake");
                    }
                }
                false
            }
        }))
        .detach();
    while executor.try_tick() {
        log.add("tick");
    }
    log.expect([
        "poll 1", "wake", "wake", "wake", "pending", "tick", "poll 2", "pending", "tick",
    ]);
}

#[test]
fn a_wake_during_poll_from_another_thread_is_not_lost() {
    with_workers([1, 2, 8], || {
        let log = Log::default();
        let handle = task::spawn(scripted(&log, {
            let log = log.clone();
            move |poll, waker| {
                if poll == 1 {
                    let waker = waker.clone();
                    thread::spawn(move || waker.wake()).join().unwrap();
                    log.add("wake");
                }
                poll == 2
            }
        }));
        task::block_on(handle);
        log.expect(["poll 1", "wake", "pending", "poll 2", "ready"]);
    });
}

#[test]
fn wakes_while_a_task_is_queued_make_one_poll() {
    let log = Log::default();
    let executor = LocalExecutor::new();
    let (sender, receiver) = mpsc::channel();
    executor
        .spawn(scripted(&log, move |_, waker| {
            sender.send(waker.clone()).unwrap();
            false
        }))
        .detach();
    assert!(executor.try_tick());
    let waker = receiver.recv().unwrap();
    for _ in 0..3 {
        waker.wake_by_ref();
        wake_by_value(&waker);
        let waker = waker.clone();
        thread::spawn(move || waker.wake()).join().unwrap();
    }
    while executor.try_tick() {}
    log.expect(["poll 1", "pending", "poll 2", "pending"]);
}

#[test]
fn a_task_sees_what_was_written_before_its_wake() {
    let _watchdog = watchdog();
    for _ in 0..200 {
        // Plain relaxed stores: it is the wake that must publish them.
        let written = Arc::new(AtomicU32::new(0));
        let (sender, receiver) = mpsc::channel::<Waker>();
        let seen = task::spawn({
            let written = Arc::clone(&written);
            async move {
                sender.send(own_waker().await).unwrap();
                poll_fn(|_| match written.load(Ordering::Relaxed) {
                    0 => Poll::Pending,
                    number => Poll::Ready(number),
                })
                .await
            }
        });
        let waker = receiver.recv().unwrap();
        written.store(7, Ordering::Relaxed);
        waker.wake();
        assert_eq!(task::block_on(seen), 7);
    }
}

#[test]
fn a_waker_is_harmless_after_its_task() {
    let _watchdog = watchdog();
    let (sender, receiver) = mpsc::channel::<Waker>();
    let drops = Drops::default();
    let log = Log::default();
    task::block_on(async {
        for handle in [
            task::spawn({
                let (sender, guard, log) = (sender.clone(), drops.guard(), log.clone());
                async move {
                    sender.send(own_waker().await).unwrap();
                    drop(guard);
                    log.add("end");
                }
            }),
            task::spawn_local({
                let (sender, guard, log) = (sender.clone(), drops.guard(), log.clone());
                async move {
                    sender.send(own_waker().await).unwrap();
                    drop(guard);
                    log.add("end");
                }
            }),
        ] {
            handle.await;
        }
        sender.send(own_waker().await).unwrap();
    });
    drop(sender);
    for waker in receiver {
        waker.wake_by_ref();
        let another = waker.clone();
        assert!(another.will_wake(&waker));
        thread::spawn(move || another.wake()).join().unwrap();
        drop(waker);
    }
    task::block_on(task::spawn(async {}));
    log.expect(["end", "end"]);
    assert_eq!(drops.count(), 2);
}

#[test]
fn wakers_of_one_task_know_each_other_and_no_others() {
    let _watchdog = watchdog();
    task::block_on(async {
        let wakers = || async {
            let first = own_waker().await;
            task::yield_now().await;
            (first, own_waker().await)
        };
        let (a, also_a) = task::spawn(wakers()).await;
        let (b, also_b) = task::spawn(wakers()).await;
        assert!(a.will_wake(&also_a) && b.will_wake(&also_b));
        assert!(!a.will_wake(&b) && !b.will_wake(&a));
        let own = own_waker().await;
        assert!(own.will_wake(&own_waker().await) && !own.will_wake(&a));
    });
}

/// A detached task that gives its waker away and sleeps; counts its future's end.
fn sleeper(drops: &Drops) -> Waker {
    let (sender, receiver) = mpsc::channel();
    let guard = drops.guard();
    task::spawn(async move {
        let _guard = guard;
        sender.send(own_waker().await).unwrap();
        pend_once().await;
    })
    .detach();
    receiver.recv().unwrap()
}

/// Waits until as many futures are gone.
fn wait_for(drops: &Drops, count: usize) {
    while drops.count() < count {
        thread::yield_now();
    }
    assert_eq!(drops.count(), count);
}

#[test]
fn a_task_is_freed_with_the_last_of_its_wakers() {
    let _watchdog = watchdog();
    let drops = Drops::default();
    let waker = sleeper(&drops);
    let mut others: Vec<Waker> = (0..10).map(|_| waker.clone()).collect();
    drop(waker);
    let last = others.pop();
    drop(others);
    assert_eq!(drops.count(), 0);
    drop(last);
    wait_for(&drops, 1);

    // A waker that is used and given up at once: the task ends by itself.
    let drops = Drops::default();
    sleeper(&drops).wake();
    wait_for(&drops, 1);

    // The last one is dropped on another thread, and the future with it unless its poll had not ended.
    let drops = Drops::default();
    let waker = sleeper(&drops);
    thread::spawn(move || drop(waker)).join().unwrap();
    wait_for(&drops, 1);
}

#[test]
fn a_task_that_leaves_no_waker_is_freed_when_its_poll_ends() {
    let _watchdog = watchdog();
    let drops = Drops::default();
    for _ in 0..100 {
        let guard = drops.guard();
        task::spawn(async move {
            let _guard = guard;
            pend_once().await;
        })
        .detach();
    }
    wait_for(&drops, 100);
}

#[test]
fn a_handle_keeps_a_task_that_nobody_can_wake() {
    let _watchdog = watchdog();
    let drops = Drops::default();
    let (started, guard) = (Event::default(), drops.guard());
    let handle = task::spawn({
        let started = started.clone();
        async move {
            let _guard = guard;
            started.set();
            pend_once().await;
        }
    });
    started.block();
    let switch = handle.abort_handle();
    drop(handle);
    assert_eq!(drops.count(), 0);
    switch.abort();
    while !switch.is_finished() {
        thread::yield_now();
    }
    assert_eq!(drops.count(), 1);
}

#[test]
fn a_future_that_wakes_its_task_as_it_is_dropped_is_dropped_once() {
    let _watchdog = watchdog();
    let drops = Drops::default();
    let woken = Arc::new(AtomicUsize::new(0));
    task::block_on(async {
        for _ in 0..50 {
            let (started, guard, woken) = (Event::default(), drops.guard(), Arc::clone(&woken));
            let handle = task::spawn({
                let started = started.clone();
                async move {
                    let waker = own_waker().await;
                    let _wakes = OnDrop(|| {
                        waker.wake_by_ref();
                        wake_by_value(&waker);
                        woken.fetch_add(1, Ordering::SeqCst);
                    });
                    let _guard = guard;
                    started.set();
                    pend_once().await;
                }
            });
            started.wait().await;
            assert_eq!(handle.cancel().await, None);
        }
    });
    assert_eq!((drops.count(), woken.load(Ordering::SeqCst)), (50, 50));
}

#[test]
fn a_task_is_polled_by_one_thread_at_a_time_however_many_wake_it() {
    with_workers([2, 8], || {
        let polls = Arc::new(AtomicUsize::new(0));
        let enough = Arc::new(AtomicBool::new(false));
        let (sender, receiver) = mpsc::channel();
        let handle = task::spawn({
            let (polls, enough) = (Arc::clone(&polls), Arc::clone(&enough));
            let is_polled = AtomicBool::new(false);
            let mut is_first = true;
            poll_fn(move |cx| {
                assert!(
                    !is_polled.swap(true, Ordering::SeqCst),
                    "polled twice at once"
                );
                if std::mem::take(&mut is_first) {
                    sender.send(cx.waker().clone()).unwrap();
                }
                polls.fetch_add(1, Ordering::SeqCst);
                std::hint::spin_loop();
                assert!(is_polled.swap(false, Ordering::SeqCst));
                match enough.load(Ordering::SeqCst) {
                    true => Poll::Ready(()),
                    false => Poll::Pending,
                }
            })
        });
        let waker = receiver.recv().unwrap();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while polls.load(Ordering::SeqCst) < 2000 {
                        waker.wake_by_ref();
                    }
                });
            }
        });
        enough.store(true, Ordering::SeqCst);
        waker.wake();
        task::block_on(handle);
    });
}

/// One task of the storm below: it answers each letter by taking it, and a letter is put only after the one before has
/// been taken. So every wake matters: if one is lost, its letter is never taken, and the storm does not end.
#[derive(Default)]
struct Mailbox {
    /// How many letters were put.
    put: AtomicUsize,
    /// How many were taken.
    taken: AtomicUsize,
    /// Whom to wake for a letter.
    waker: Mutex<Option<Waker>>,
}

impl Mailbox {
    /// Takes letters until there were as many.
    async fn take_all(&self, letters: usize) {
        poll_fn(|cx| {
            let stored = self.waker.lock().unwrap().replace(cx.waker().clone());
            drop(stored);
            let put = self.put.load(Ordering::SeqCst);
            self.taken.store(put, Ordering::SeqCst);
            if put == letters {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    /// Puts a letter, if the one before was taken and it was not the last.
    fn put(&self, letters: usize) {
        let taken = self.taken.load(Ordering::SeqCst);
        if taken < letters
            && self
                .put
                .compare_exchange(taken, taken + 1, Ordering::SeqCst, Ordering::SeqCst)
                .is_ok()
        {
            let waker = self.waker.lock().unwrap().take();
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

/// Several threads wake all tasks at random until each has had its letters.
fn storm(mailboxes: &[Arc<Mailbox>], letters: usize) {
    thread::scope(|scope| {
        for seed in 1..=3_u64 {
            scope.spawn(move || {
                let mut random = seed;
                while mailboxes
                    .iter()
                    .any(|mailbox| mailbox.put.load(Ordering::SeqCst) < letters)
                {
                    for _ in 0..mailboxes.len() {
                        random = random
                            .wrapping_mul(6_364_136_223_846_793_005)
                            .wrapping_add(1);
                        let index = (random >> 33) as usize % mailboxes.len();
                        mailboxes[index].put(letters);
                    }
                }
            });
        }
    });
}

#[test]
fn no_wake_of_a_storm_is_lost_by_the_pool() {
    const TASKS: usize = 50;
    const LETTERS: usize = 200;
    with_workers([1, 2, 8], || {
        let mailboxes: Vec<Arc<Mailbox>> = (0..TASKS).map(|_| Arc::default()).collect();
        let tasks: Vec<_> = mailboxes
            .iter()
            .map(|mailbox| {
                let mailbox = Arc::clone(mailbox);
                task::spawn(async move { mailbox.take_all(LETTERS).await })
            })
            .collect();
        storm(&mailboxes, LETTERS);
        task::block_on(async {
            for task in tasks {
                task.await;
            }
        });
    });
}

#[test]
fn no_wake_of_a_storm_is_lost_by_local_tasks() {
    const TASKS: usize = 20;
    const LETTERS: usize = 100;
    let _watchdog = watchdog();
    let mailboxes: Vec<Arc<Mailbox>> = (0..TASKS).map(|_| Arc::default()).collect();
    let foreign = thread::spawn({
        let mailboxes = mailboxes.clone();
        move || storm(&mailboxes, LETTERS)
    });
    let home = thread::current().id();
    task::block_on(async {
        let tasks: Vec<_> = mailboxes
            .iter()
            .map(|mailbox| {
                let (mailbox, not_send) = (Arc::clone(mailbox), Rc::new(()));
                task::spawn_local(async move {
                    mailbox.take_all(LETTERS).await;
                    assert_eq!(thread::current().id(), home);
                    drop(not_send);
                })
            })
            .collect();
        for task in tasks {
            task.await;
        }
    });
    foreign.join().unwrap();
}

#[test]
fn no_wake_of_a_storm_is_lost_by_block_on() {
    const LETTERS: usize = 500;
    let _watchdog = watchdog();
    let mailboxes: Vec<Arc<Mailbox>> = (0..3).map(|_| Arc::default()).collect();
    thread::scope(|scope| {
        for mailbox in &mailboxes {
            scope.spawn(|| task::block_on(mailbox.take_all(LETTERS)));
        }
        storm(&mailboxes, LETTERS);
    });
}

#[test]
fn each_task_of_a_ring_wakes_the_next() {
    const TASKS: usize = 10;
    const ROUNDS: usize = 200;
    with_workers([1, 2, 8], || {
        let channels: Vec<_> = (0..TASKS).map(|_| parklet::channel::bounded(1)).collect();
        let tasks: Vec<_> = (0..TASKS)
            .map(|place| {
                let receiver = channels[place].1.clone();
                let sender = channels[(place + 1) % TASKS].0.clone();
                task::spawn(async move {
                    for _ in 0..ROUNDS {
                        let token: usize = receiver.recv().await.unwrap();
                        sender.send(token + 1).await.unwrap();
                    }
                })
            })
            .collect();
        task::block_on(async {
            channels[0].0.send(0).await.unwrap();
            for task in tasks {
                task.await;
            }
            assert_eq!(channels[0].1.recv().await, Ok(TASKS * ROUNDS));
        });
    });
}
