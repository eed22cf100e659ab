//! The read-write lock: who reads beside whom, who is next, and what happens to those who go away.

mod common;

use common::{Waiter, poll, watchdog, with_workers};
use parklet::future::race;
use parklet::sync::{
    RwLock, RwLockReadGuard, RwLockUpgradableReadGuard, RwLockUpgradableReadGuardArc,
    RwLockWriteGuard, RwLockWriteGuardArc,
};
use parklet::task;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::thread;

#[track_caller]
fn assert_is_free(lock: &RwLock<impl Sized>) {
    assert!(lock.try_write().is_some(), "somebody holds it");
}

#[test]
fn many_read_at_once_and_one_writes_alone() {
    let lock = RwLock::new(1);
    let readers: Vec<_> = (0..10).map(|_| lock.try_read().unwrap()).collect();
    assert!(lock.try_write().is_none());
    assert!(poll(pin!(lock.read())).is_ready());
    drop(readers);

    let mut writer = lock.try_write().unwrap();
    *writer = 2;
    assert!(lock.try_read().is_none());
    assert!(lock.try_write().is_none());
    assert!(lock.try_upgradable_read().is_none());
    assert!(poll(pin!(lock.read())).is_pending());
    drop(writer);
    assert_eq!(lock.try_read().as_deref(), Some(&2));
    assert_is_free(&lock);
}

#[test]
fn a_writer_that_waits_keeps_new_readers_out() {
    let lock = RwLock::new(0);
    let reads = lock.try_read();
    let mut writer = Waiter::new(lock.write());
    assert!(lock.try_read().is_none());
    let mut late = Waiter::new(lock.read());

    drop(reads);
    assert_eq!(late.wakes.count(), 0);
    let writes = writer.get();
    assert!(late.poll().is_pending());
    drop(writes);
    drop(late.get());
    assert_is_free(&lock);
}

#[test]
fn readers_that_waited_come_before_the_next_writer_and_all_together() {
    let lock = RwLock::new(0);
    let writes = lock.try_write();
    let mut next = Waiter::new(lock.write());
    let mut readers: Vec<_> = (0..3).map(|_| Waiter::new(lock.read())).collect();

    drop(writes);
    assert!(next.poll().is_pending(), "those who waited to read have it");
    // Let in before they are polled; and who comes only now waits for the writer.
    let mut late = Waiter::new(lock.read());
    let guards: Vec<_> = readers.iter_mut().map(Waiter::get).collect();
    assert!(next.poll().is_pending());
    drop(guards);
    let writes = next.get();
    assert!(late.poll().is_pending());
    drop(writes);
    drop(late.get());
    assert_is_free(&lock);
}

#[test]
fn writers_and_upgradable_readers_come_in_the_order_of_asking() {
    let lock = RwLock::new(0);
    let mut first = lock.try_write();
    let mut second = Waiter::new(lock.write());
    let mut third = Waiter::new(lock.upgradable_read());
    let mut fourth = Waiter::new(lock.write());

    drop(first.take());
    assert!(third.poll().is_pending());
    drop(second.get());
    assert!(fourth.poll().is_pending());
    let upgradable = third.get();
    assert!(fourth.poll().is_pending());
    assert!(lock.try_read().is_some(), "the fourth is not up yet");
    drop(upgradable);
    drop(fourth.get());
    assert_is_free(&lock);
}

#[test]
fn an_upgradable_reader_becomes_the_writer_before_all_others() {
    let lock = RwLock::new(1);
    let other = lock.try_read().unwrap();
    let upgradable = lock.try_upgradable_read().unwrap();
    let mut writer = Waiter::new(lock.write());
    assert_eq!(*upgradable, 1);

    let upgradable = RwLockUpgradableReadGuard::try_upgrade(upgradable).unwrap_err();
    let mut upgrade = Waiter::new(RwLockUpgradableReadGuard::upgrade(upgradable));
    assert!(
        lock.try_read().is_none(),
        "an upgrade keeps new readers out"
    );
    drop(other);
    let mut writes = upgrade.get();
    assert!(writer.poll().is_pending());
    *writes = 2;
    drop(writes);
    assert_eq!(*writer.get(), 2);
    assert_is_free(&lock);
}

#[test]
fn a_writer_becomes_a_reader_and_nobody_writes_in_between() {
    let lock = RwLock::new(1);
    let mut writes = lock.try_write().unwrap();
    let mut next = Waiter::new(lock.write());
    let mut reader = Waiter::new(lock.read());
    *writes = 2;
    let reads: RwLockReadGuard<'_, _> = RwLockWriteGuard::downgrade(writes);
    assert_eq!((*reads, *reader.get()), (2, 2));
    assert!(next.poll().is_pending());
    drop(reads);
    *next.get() += 1;
    assert_eq!(*lock.try_read().unwrap(), 3);
}

#[test]
fn a_writer_becomes_an_upgradable_reader_and_a_writer_again() {
    let lock = RwLock::new(1);
    let writes = lock.try_write().unwrap();
    let mut next = Waiter::new(lock.write());
    let mut reader = Waiter::new(lock.read());
    let upgradable = RwLockWriteGuard::downgrade_to_upgradable(writes);
    let reads = reader.get();
    assert!(next.poll().is_pending());
    let mut upgrade = Waiter::new(RwLockUpgradableReadGuard::upgrade(upgradable));
    drop(reads);
    let upgradable = RwLockWriteGuard::downgrade_to_upgradable(upgrade.get());
    let reads = RwLockUpgradableReadGuard::downgrade(upgradable);
    // Now the next one is up, and waits for the reader.
    assert!(next.poll().is_pending());
    assert!(lock.try_read().is_none());
    drop(reads);
    drop(next.get());
    assert_is_free(&lock);
}

#[test]
fn owned_guards_do_the_same_and_give_the_lock_back() {
    let lock = Arc::new(RwLock::new(1));
    let reads = lock.try_read_arc().unwrap();
    let upgradable = lock.try_upgradable_read_arc().unwrap();
    assert!(lock.try_write_arc().is_none());
    let upgradable = RwLockUpgradableReadGuardArc::try_upgrade(upgradable).unwrap_err();
    let mut upgrade = Waiter::new(RwLockUpgradableReadGuardArc::upgrade(upgradable));
    drop(reads);
    let mut writes = upgrade.get();
    *writes = 2;
    let mut reader = Waiter::new(lock.read_arc());
    let mut writer = Waiter::new(lock.write_arc());
    let mut upgradable = Waiter::new(lock.upgradable_read_arc());
    let reads = RwLockWriteGuardArc::downgrade(writes);
    assert_eq!((*reads, *reader.get()), (2, 2));
    drop(reads);
    drop(writer.get());
    drop(upgradable.get());
    let writes = lock.try_write_arc().unwrap();
    let reads = RwLockWriteGuardArc::downgrade_to_upgradable(writes);
    assert!(lock.try_read().is_some());
    drop(RwLockUpgradableReadGuardArc::downgrade(reads));
    drop((reader, writer, upgrade, upgradable));
    assert_is_free(&lock);
    assert_eq!(Arc::strong_count(&lock), 1);
}

#[test]
fn a_reader_that_is_dropped_after_being_let_in_stops_reading() {
    let lock = RwLock::new(0);
    let writes = lock.try_write();
    let dropped = Waiter::new(lock.read());
    let waiting = Waiter::new(lock.read());
    drop(writes);
    let mut writer = Waiter::new(lock.write());
    assert_eq!((dropped.wakes.count(), waiting.wakes.count()), (1, 1));
    drop(dropped);
    assert_eq!(writer.wakes.count(), 0);
    drop(waiting);
    drop(writer.get());
    assert_is_free(&lock);
}

#[test]
fn a_writer_that_is_dropped_in_line_leaves_its_place_to_the_next() {
    let lock = RwLock::new(0);
    let writes = lock.try_write();
    let not_yet = Waiter::new(lock.write());
    let handed = Waiter::new(lock.upgradable_read());
    let mut next = Waiter::new(lock.write());
    drop(not_yet);
    drop(writes);
    assert_eq!((handed.wakes.count(), next.wakes.count()), (1, 0));
    drop(handed);
    drop(next.get());
    assert_is_free(&lock);
}

#[test]
fn a_writer_that_is_dropped_while_others_read_lets_in_who_waited_for_it() {
    let lock = RwLock::new(0);
    let reads = lock.try_read();
    let dropped = Waiter::new(lock.write());
    let mut reader = Waiter::new(lock.read());
    let mut next = Waiter::new(lock.write());
    drop(dropped);
    let late = reader.get();
    assert!(next.poll().is_pending());
    drop(reads);
    assert!(next.poll().is_pending());
    drop(late);
    drop(next.get());
    assert_is_free(&lock);
}

#[test]
fn a_dropped_upgrade_unlocks() {
    let lock = Arc::new(RwLock::new(0));
    let reads = lock.try_read();
    let upgrade = Waiter::new(RwLockUpgradableReadGuard::upgrade(
        lock.try_upgradable_read().unwrap(),
    ));
    let mut reader = Waiter::new(lock.read());
    drop(upgrade);
    drop(reader.get());
    let upgrade = Waiter::new(RwLockUpgradableReadGuardArc::upgrade(
        lock.try_upgradable_read_arc().unwrap(),
    ));
    drop(upgrade);
    drop(reads);
    assert_is_free(&lock);

    // Never polled, the guard is still what it was, and dropped as such.
    drop(RwLockUpgradableReadGuard::upgrade(
        lock.try_upgradable_read().unwrap(),
    ));
    assert_is_free(&lock);
}

#[test]
fn a_dropped_waiter_leaves_no_waker_behind() {
    let lock = RwLock::new(0);
    let check = |waiter: Waiter<Pin<Box<dyn Future<Output = ()> + '_>>>| {
        assert_eq!(Arc::strong_count(&waiter.wakes), 2);
        let Waiter { future, wakes } = waiter;
        drop(future);
        assert_eq!(Arc::strong_count(&wakes), 1);
    };
    let reads = lock.try_read();
    check(Waiter::new(Box::pin(async { drop(lock.write().await) })));
    drop(reads);
    let _writes = lock.try_write();
    check(Waiter::new(Box::pin(async { drop(lock.read().await) })));
    check(Waiter::new(Box::pin(async { drop(lock.write().await) })));
}

#[test]
fn a_panic_while_it_is_locked_unlocks_it() {
    let lock = RwLock::new(vec![1]);
    for write in [false, true] {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _reads = (!write).then(|| lock.try_read().unwrap());
            let _writes = write.then(|| lock.try_write().unwrap().push(2));
            panic!("while locked");
        }));
        assert!(panicked.is_err());
    }
    assert_eq!(lock.into_inner(), [1, 2]);
}

#[test]
fn a_waker_that_panics_does_not_keep_the_lock() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("woken on purpose");
        }
    }
    let waker = Waker::from(Arc::new(Panics));
    let lock = RwLock::new(0);
    for end in ["unlock", "read", "upgradable read"] {
        let writes = lock.try_write().unwrap();
        let mut reader = Box::pin(lock.read());
        assert!(
            reader
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
        let panicked = catch_unwind(AssertUnwindSafe(|| match end {
            "unlock" => drop(writes),
            "read" => drop(RwLockWriteGuard::downgrade(writes)),
            _ => drop(RwLockWriteGuard::downgrade_to_upgradable(writes)),
        }));
        assert!(panicked.is_err(), "{end}");
        assert!(poll(reader.as_mut()).is_ready());
        drop(reader);
        assert_is_free(&lock);
    }
}

#[test]
fn guards_go_where_their_value_may_go() {
    fn is_send_and_sync<T: Send + Sync>(_: &T) {}
    let lock = Arc::new(RwLock::new(1));
    is_send_and_sync(&lock);
    is_send_and_sync(&lock.try_read().unwrap());
    is_send_and_sync(&lock.try_read_arc().unwrap());
    is_send_and_sync(&lock.try_upgradable_read().unwrap());
    is_send_and_sync(&lock.try_upgradable_read_arc().unwrap());
    is_send_and_sync(&lock.try_write().unwrap());
    is_send_and_sync(&lock.try_write_arc().unwrap());
    is_send_and_sync(&lock.read());
    is_send_and_sync(&lock.read_arc());
    is_send_and_sync(&lock.write());
    is_send_and_sync(&lock.write_arc());
}

#[test]
fn unsized_values_can_be_locked() {
    let lock: Arc<RwLock<[u8]>> = Arc::new(RwLock::new([1, 2, 3]));
    lock.try_write().unwrap()[0] = 9;
    assert_eq!(*lock.try_read_arc().unwrap(), [9, 2, 3]);
}

#[test]
fn it_says_what_is_in_it_or_that_it_is_locked() {
    let lock = RwLock::from(7);
    assert_eq!(format!("{lock:?}"), "RwLock { value: 7 }");
    let guard = lock.try_write().unwrap();
    assert_eq!(format!("{lock:?}"), "RwLock { value: <locked> }");
    assert_eq!(format!("{guard:?} {guard}"), "7 7");
    let guard = RwLockWriteGuard::downgrade(guard);
    assert_eq!(
        format!("{guard:?} {guard} {lock:?}"),
        "7 7 RwLock { value: 7 }"
    );
    drop(guard);
    assert_eq!(RwLock::<u32>::default().into_inner(), 0);
}

#[test]
fn who_never_has_to_wait_lets_others_run() {
    let lock = RwLock::new(0);
    let reads = async {
        loop {
            drop(lock.read().await);
        }
    };
    let writes = async {
        loop {
            drop(lock.write().await);
        }
    };
    let turns_to_and_fro = async {
        let mut reads = lock.upgradable_read().await;
        loop {
            let writes = RwLockUpgradableReadGuard::upgrade(reads).await;
            reads = RwLockWriteGuard::downgrade_to_upgradable(writes);
        }
    };
    let _watchdog = watchdog();
    task::block_on(async {
        race(task::yield_now(), reads).await;
        race(task::yield_now(), writes).await;
        race(task::yield_now(), turns_to_and_fro).await;
    });
    assert_is_free(&lock);
}

/// Two numbers that are the same whenever nobody writes, and how many look at them.
#[derive(Default)]
struct Pair {
    lock: RwLock<(u64, u64)>,
    readers: AtomicUsize,
}

impl Pair {
    async fn read(&self) {
        let pair = self.lock.read().await;
        self.readers.fetch_add(1, Ordering::SeqCst);
        let seen = *pair;
        task::yield_now().await;
        assert_eq!(*pair, seen);
        assert_eq!(pair.0, pair.1);
        self.readers.fetch_sub(1, Ordering::SeqCst);
    }

    async fn write(&self) {
        let mut pair = self.lock.write().await;
        assert_eq!(self.readers.load(Ordering::SeqCst), 0);
        pair.0 += 1;
        task::yield_now().await;
        pair.1 += 1;
    }

    async fn upgrade(&self) {
        let pair = self.lock.upgradable_read().await;
        let seen = pair.0;
        task::yield_now().await;
        let mut pair = RwLockUpgradableReadGuard::upgrade(pair).await;
        assert_eq!(pair.0, seen, "nobody wrote in between");
        assert_eq!(self.readers.load(Ordering::SeqCst), 0);
        pair.0 += 1;
        task::yield_now().await;
        pair.1 += 1;
        let pair = RwLockWriteGuard::downgrade(pair);
        assert_eq!(*pair, (seen + 1, seen + 1), "nobody wrote in between");
    }
}

#[test]
fn every_write_counts_and_nobody_reads_half_of_one() {
    const TASKS: usize = 24;
    const ROUNDS: u64 = 50;
    with_workers([1, 2, 8], || {
        let pair = Arc::new(Pair::default());
        let tasks: Vec<_> = (0..TASKS)
            .map(|number| {
                let pair = Arc::clone(&pair);
                task::spawn(async move {
                    for _ in 0..ROUNDS {
                        match number % 4 {
                            0 => pair.write().await,
                            1 => pair.upgrade().await,
                            _ => pair.read().await,
                        }
                    }
                })
            })
            .collect();
        task::block_on(async {
            for task in tasks {
                task.await;
            }
        });
        let count = ROUNDS * TASKS as u64 / 2;
        assert_eq!(*pair.lock.try_read().unwrap(), (count, count));
    });
}

#[test]
fn nothing_is_lost_when_waiters_come_and_go() {
    const THREADS: u64 = 4;
    const ROUNDS: u64 = 300;
    let _watchdog = watchdog();
    let pair = Pair::default();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let pair = &pair;
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    // Some wait a moment and go away, with the lock or without it.
                    let lock = &pair.lock;
                    let mut impatient: Pin<Box<dyn Future<Output = ()>>> = match round % 3 {
                        0 => Box::pin(async { drop(lock.read().await) }),
                        1 => Box::pin(async { drop(lock.write().await) }),
                        _ => Box::pin(async {
                            let reads = lock.upgradable_read().await;
                            drop(RwLockUpgradableReadGuard::upgrade(reads).await);
                        }),
                    };
                    let is_done = poll(pin!(&mut impatient)).is_ready();
                    if (thread + round) % 2 == 0 {
                        thread::yield_now();
                    }
                    if !is_done {
                        let _maybe_done = poll(pin!(&mut impatient));
                    }
                    drop(impatient);
                    task::block_on(async {
                        pair.write().await;
                        pair.read().await;
                    });
                }
            });
        }
    });
    let count = THREADS * ROUNDS;
    assert_eq!(pair.lock.into_inner(), (count, count));
}

#[test]
fn neither_a_stream_of_readers_nor_one_of_writers_starves_the_others() {
    // Every one asks again before the one before has ended, so the lock is never free.
    with_workers([1, 2, 8], || {
        task::block_on(async {
            let lock = Arc::new(RwLock::new(0_u64));
            let readers: Vec<_> = (0..3)
                .map(|_| {
                    let lock = Arc::clone(&lock);
                    task::spawn(async move {
                        let mut reads = lock.read_arc().await;
                        loop {
                            let next = task::spawn(lock.read_arc());
                            task::yield_now().await;
                            drop(reads);
                            reads = next.await;
                        }
                    })
                })
                .collect();
            for _ in 0..100 {
                *lock.write().await += 1;
            }
            for reader in readers {
                reader.cancel().await;
            }
            let writers: Vec<_> = (0..3)
                .map(|_| {
                    let lock = Arc::clone(&lock);
                    task::spawn(async move {
                        let mut writes = lock.write_arc().await;
                        loop {
                            let next = task::spawn(lock.write_arc());
                            task::yield_now().await;
                            drop(writes);
                            writes = next.await;
                        }
                    })
                })
                .collect();
            for _ in 0..100 {
                assert_eq!(*lock.read().await, 100);
            }
            for writer in writers {
                writer.cancel().await;
            }
        });
    });
}
