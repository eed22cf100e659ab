//! Locks and channels: what async-std says of them.

use async_std::channel::{self, RecvError, SendError, TryRecvError, TrySendError};
use async_std::prelude::*;
use async_std::sync::{
    Arc, Mutex, MutexGuard, MutexGuardArc, RwLock, RwLockUpgradableReadGuard, Weak,
};
use async_std::task::{self, block_on};

#[test]
fn a_mutex_lets_one_in_at_a_time() {
    let sum = Arc::new(Mutex::new(0));
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let sum = Arc::clone(&sum);
            task::spawn(async move {
                for _ in 0..100 {
                    let mut sum: MutexGuard<'_, i32> = sum.lock().await;
                    let before = *sum;
                    task::yield_now().await;
                    *sum = before + 1;
                }
            })
        })
        .collect();
    block_on(async {
        for task in tasks {
            task.await;
        }
        assert_eq!(*sum.lock().await, 1000);
        let guard: MutexGuardArc<i32> = sum.lock_arc().await;
        assert!(sum.try_lock().is_none() && sum.try_lock_arc().is_none());
        drop(guard);
        let weak: Weak<_> = Arc::downgrade(&sum);
        drop(weak);
        assert_eq!(Arc::try_unwrap(sum).unwrap().into_inner(), 1000);
    });
}

#[test]
fn a_read_write_lock_has_readers_an_upgrade_and_guards_that_own_it() {
    block_on(async {
        let lock = Arc::new(RwLock::new(1));
        let (one, two) = (lock.read().await, lock.read_arc().await);
        assert_eq!(*one + *two, 2);
        assert!(lock.try_write().is_none());
        drop((one, two));
        let upgradable: RwLockUpgradableReadGuard<'_, i32> = lock.upgradable_read().await;
        let mut writer = RwLockUpgradableReadGuard::upgrade(upgradable).await;
        *writer += 1;
        assert!(lock.try_read().is_none());
        drop(writer);
        *lock.write_arc().await += 1;
        assert_eq!(*lock.read().await, 3);
    });
}

#[cfg(feature = "unstable")]
#[test]
fn a_condition_variable_and_a_barrier_bring_tasks_together() {
    use async_std::sync::{Barrier, Condvar};
    use std::time::Duration;

    let shared = Arc::new((Mutex::new(false), Condvar::new(), Barrier::new(2)));
    let theirs = Arc::clone(&shared);
    let waiting = task::spawn(async move {
        let (lock, condvar, barrier) = &*theirs;
        let guard = condvar.wait_until(lock.lock().await, |ready| *ready).await;
        drop(guard);
        barrier.wait().await.is_leader()
    });
    block_on(async {
        let (lock, condvar, barrier) = &*shared;
        *lock.lock().await = true;
        condvar.notify_all();
        let leads = barrier.wait().await.is_leader();
        assert_ne!(leads, waiting.await);
        let (_guard, result) = condvar
            .wait_timeout(lock.lock().await, Duration::from_millis(1))
            .await;
        assert!(result.timed_out());
    });
}

#[test]
fn a_bounded_channel_makes_the_sender_wait() {
    block_on(async {
        let (sender, receiver) = channel::bounded(1);
        sender.send(1).await.unwrap();
        assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
        let sending = task::spawn(async move { sender.send(2).await });
        assert_eq!(receiver.recv().await, Ok(1));
        assert_eq!(receiver.recv().await, Ok(2));
        sending.await.unwrap();
        assert_eq!(receiver.recv().await, Err(RecvError));
    });
}

#[test]
fn a_channel_without_receivers_gives_the_message_back() {
    block_on(async {
        let (sender, receiver) = channel::unbounded();
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        drop(receiver);
        assert_eq!(sender.send("message").await, Err(SendError("message")));
    });
}

#[test]
fn a_receiver_is_a_stream_until_the_channel_is_closed() {
    block_on(async {
        let (sender, mut receiver) = channel::unbounded();
        for number in 0..3 {
            sender.send(number).await.unwrap();
        }
        assert!(sender.close());
        let mut sum = 0;
        while let Some(number) = receiver.next().await {
            sum += number;
        }
        assert_eq!(sum, 3);
    });
}
