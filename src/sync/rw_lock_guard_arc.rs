//! The guards of a read-write lock in an `Arc`: as those in `rw_lock_guard.rs`, but they borrow nothing.

#![allow(unsafe_code, reason = "they reach into the lock's cell")]

use super::rw_lock::RwLock;
use super::rw_lock_guard::impl_leads_to_value;
use super::rw_lock_state::AndThen;
use crate::budget;
use std::fmt;
use std::future::poll_fn;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::ptr;
use std::sync::Arc;

/// A [`RwLock`] in an [`Arc`] that is being read: like [`RwLockReadGuard`](super::RwLockReadGuard), but it borrows
/// nothing.
#[must_use = "a guard that is dropped at once stops reading at once"]
pub struct RwLockReadGuardArc<T: ?Sized> {
    /// The lock, in which this guard is counted.
    lock: Arc<RwLock<T>>,
}

impl<T: ?Sized> RwLockReadGuardArc<T> {
    /// Only for who has just begun to read.
    pub(super) fn new(lock: Arc<RwLock<T>>) -> RwLockReadGuardArc<T> {
        RwLockReadGuardArc { lock }
    }
}

impl_leads_to_value!([T: ?Sized] RwLockReadGuardArc<T>);

impl<T: ?Sized> Drop for RwLockReadGuardArc<T> {
    fn drop(&mut self) {
        self.lock.state.stop_reading();
    }
}

/// A [`RwLock`] in an [`Arc`] that is being read by someone who may become its writer: like
/// [`RwLockUpgradableReadGuard`](super::RwLockUpgradableReadGuard), but it borrows nothing.
#[must_use = "a guard that is dropped at once stops reading at once"]
pub struct RwLockUpgradableReadGuardArc<T: ?Sized> {
    /// The lock, whose turn this guard has.
    lock: Arc<RwLock<T>>,
}

impl<T: ?Sized> RwLockUpgradableReadGuardArc<T> {
    /// Only for who has just taken the turn.
    pub(super) fn new(lock: Arc<RwLock<T>>) -> RwLockUpgradableReadGuardArc<T> {
        RwLockUpgradableReadGuardArc { lock }
    }

    /// The lock, with the turn.
    fn into_lock(self) -> Arc<RwLock<T>> {
        let guard = ManuallyDrop::new(self);
        // SAFETY: the guard is not dropped and not used again, so its only field is moved out once.
        unsafe { ptr::read(&raw const guard.lock) }
    }

    /// Becomes the writer once the other readers have stopped. Nobody writes in between; nobody begins to read.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe in that the lock stays whole, but the guard is gone with the future: it does not read any more.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::sync::{Arc, RwLock, RwLockUpgradableReadGuardArc};
    ///
    /// # parklet::task::block_on(async {
    /// let lock = Arc::new(RwLock::new(1));
    /// let reads = lock.upgradable_read_arc().await;
    /// *RwLockUpgradableReadGuardArc::upgrade(reads).await += 1;
    /// assert_eq!(*lock.read().await, 2);
    /// # });
    /// ```
    pub async fn upgrade(guard: Self) -> RwLockWriteGuardArc<T> {
        // To and fro without end has to let others run; until then the guard keeps the turn.
        poll_fn(|cx| budget::charge(cx)).await;
        let lock = guard.into_lock();
        lock.state.claim().await;
        RwLockWriteGuardArc::new(lock)
    }

    /// Becomes the writer if nobody else reads, without waiting.
    ///
    /// # Errors
    ///
    /// The guard as it was, if somebody else reads.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::{Arc, RwLock, RwLockUpgradableReadGuardArc};
    /// let lock = Arc::new(RwLock::new(1));
    /// let other = lock.try_read().unwrap();
    /// let reads = lock.try_upgradable_read_arc().unwrap();
    /// let reads = RwLockUpgradableReadGuardArc::try_upgrade(reads).unwrap_err();
    /// drop(other);
    /// assert!(RwLockUpgradableReadGuardArc::try_upgrade(reads).is_ok());
    /// ```
    pub fn try_upgrade(guard: Self) -> Result<RwLockWriteGuardArc<T>, Self> {
        if guard.lock.state.try_claim() {
            Ok(RwLockWriteGuardArc::new(guard.into_lock()))
        } else {
            Err(guard)
        }
    }

    /// Becomes one of the other readers: somebody else may become the writer then.
    ///
    /// # Panics
    ///
    /// If there are more readers than the lock can count, which takes guards that were forgotten.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::{Arc, RwLock, RwLockUpgradableReadGuardArc};
    /// let lock = Arc::new(RwLock::new(1));
    /// let reads = lock.try_upgradable_read_arc().unwrap();
    /// let reads = RwLockUpgradableReadGuardArc::downgrade(reads);
    /// assert!(lock.try_upgradable_read().is_some());
    /// # drop(reads);
    /// ```
    pub fn downgrade(guard: Self) -> RwLockReadGuardArc<T> {
        // Nobody else can have claimed; the turn is passed on with the guard.
        let is_let_in = guard.lock.state.try_read();
        debug_assert!(is_let_in, "who has the turn has not claimed");
        RwLockReadGuardArc::new(Arc::clone(&guard.lock))
    }
}

impl_leads_to_value!([T: ?Sized] RwLockUpgradableReadGuardArc<T>);

impl<T: ?Sized> Drop for RwLockUpgradableReadGuardArc<T> {
    fn drop(&mut self) {
        self.lock.state.pass_turn_on();
    }
}

/// A [`RwLock`] in an [`Arc`] that is being written: like [`RwLockWriteGuard`](super::RwLockWriteGuard), but it borrows
/// nothing.
#[must_use = "a guard that is dropped at once unlocks at once"]
pub struct RwLockWriteGuardArc<T: ?Sized> {
    /// The lock, which this guard has claimed, and whose turn it has.
    lock: Arc<RwLock<T>>,
}

impl<T: ?Sized> RwLockWriteGuardArc<T> {
    /// Only for who has just claimed.
    pub(super) fn new(lock: Arc<RwLock<T>>) -> RwLockWriteGuardArc<T> {
        RwLockWriteGuardArc { lock }
    }

    /// The lock, with the claim.
    fn into_lock(self) -> Arc<RwLock<T>> {
        let guard = ManuallyDrop::new(self);
        // SAFETY: the guard is not dropped and not used again, so its only field is moved out once.
        unsafe { ptr::read(&raw const guard.lock) }
    }

    /// Becomes a reader. Nobody writes in between, and all who wait to read are let in.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::{Arc, RwLock, RwLockWriteGuardArc};
    /// let lock = Arc::new(RwLock::new(1));
    /// let reads = RwLockWriteGuardArc::downgrade(lock.try_write_arc().unwrap());
    /// assert_eq!(*reads, 1);
    /// assert!(lock.try_read().is_some());
    /// ```
    pub fn downgrade(guard: Self) -> RwLockReadGuardArc<T> {
        let reads = RwLockReadGuardArc::new(guard.into_lock());
        reads.lock.state.stop_writing(AndThen::Read);
        reads
    }

    /// Becomes an upgradable reader. Nobody writes in between, and all who wait to read are let in.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::{Arc, RwLock, RwLockWriteGuardArc};
    /// let lock = Arc::new(RwLock::new(1));
    /// let reads = RwLockWriteGuardArc::downgrade_to_upgradable(lock.try_write_arc().unwrap());
    /// assert!(lock.try_read().is_some());
    /// assert!(lock.try_write().is_none());
    /// # drop(reads);
    /// ```
    pub fn downgrade_to_upgradable(guard: Self) -> RwLockUpgradableReadGuardArc<T> {
        let reads = RwLockUpgradableReadGuardArc::new(guard.into_lock());
        reads.lock.state.unclaim(AndThen::Stop);
        reads
    }
}

impl_leads_to_value!([T: ?Sized] RwLockWriteGuardArc<T>);

impl<T: ?Sized> DerefMut for RwLockWriteGuardArc<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: rule 2 of `rw_lock_state.rs` gives the value to this guard alone, and it is borrowed mutably.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T: ?Sized> Drop for RwLockWriteGuardArc<T> {
    fn drop(&mut self) {
        self.lock.state.stop_writing(AndThen::Stop);
    }
}
