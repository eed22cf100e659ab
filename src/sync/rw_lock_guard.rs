//! The guards of a read-write lock, and what one becomes of another.
//!
//! ```text
//!                        upgrade, try_upgrade
//!  RwLockUpgradableRead ──────────────────────► RwLockWrite
//!         Guard         ◄────────────────────── Guard
//!           │            downgrade_to_upgradable  │
//!           │                                     │
//!           └────────► RwLockReadGuard ◄──────────┘
//!           downgrade                    downgrade
//! ```
//!
//! A guard that becomes another is forgotten, since its part of the lock lives on in the other. `rw_lock_guard_arc.rs`
//! has the same with an `Arc` in the place of the reference.

#![allow(unsafe_code, reason = "they reach into the lock's cell")]

use super::rw_lock::RwLock;
use super::rw_lock_state::AndThen;
use crate::budget;
use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::ops::{Deref, DerefMut};

/// A guard leads to the value that its lock guards.
macro_rules! impl_leads_to_value {
    ([$($generics:tt)*] $Guard:ty) => {
        impl<$($generics)*> Deref for $Guard {
            type Target = T;

            fn deref(&self) -> &T {
                // SAFETY: whoever has a guard may read by rule 2 of `rw_lock_state.rs`, and the guard is borrowed.
                unsafe { &*self.lock.value.get() }
            }
        }

        impl<$($generics)*> fmt::Debug for $Guard
        where
            T: fmt::Debug,
        {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(f)
            }
        }

        impl<$($generics)*> fmt::Display for $Guard
        where
            T: fmt::Display,
        {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(f)
            }
        }
    };
}

pub(super) use impl_leads_to_value;

/// A [`RwLock`] that is being read: leads to the value, and stops reading when dropped.
#[must_use = "a guard that is dropped at once stops reading at once"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    /// The lock, in which this guard is counted.
    lock: &'a RwLock<T>,
}

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    /// Only for who has just begun to read.
    pub(super) fn new(lock: &'a RwLock<T>) -> RwLockReadGuard<'a, T> {
        RwLockReadGuard { lock }
    }
}

impl_leads_to_value!(['a, T: ?Sized] RwLockReadGuard<'a, T>);

impl<T: ?Sized> Drop for RwLockReadGuard<'_, T> {
    fn drop(&mut self) {
        self.lock.state.stop_reading();
    }
}

/// A [`RwLock`] that is being read by someone who may become its writer. It stops reading when dropped.
#[must_use = "a guard that is dropped at once stops reading at once"]
pub struct RwLockUpgradableReadGuard<'a, T: ?Sized> {
    /// The lock, whose turn this guard has.
    lock: &'a RwLock<T>,
}

impl<'a, T: ?Sized> RwLockUpgradableReadGuard<'a, T> {
    /// Only for who has just taken the turn.
    pub(super) fn new(lock: &'a RwLock<T>) -> RwLockUpgradableReadGuard<'a, T> {
        RwLockUpgradableReadGuard { lock }
    }

    /// The lock, with the turn.
    fn into_lock(self) -> &'a RwLock<T> {
        let lock = self.lock;
        mem::forget(self);
        lock
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
    /// use parklet::sync::{RwLock, RwLockUpgradableReadGuard};
    ///
    /// # parklet::task::block_on(async {
    /// let lock = RwLock::new(Some("once"));
    /// let reads = lock.upgradable_read().await;
    /// if reads.is_some() {
    ///     // Still so, since nobody could write.
    ///     let mut writes = RwLockUpgradableReadGuard::upgrade(reads).await;
    ///     assert_eq!(writes.take(), Some("once"));
    /// }
    /// # });
    /// ```
    pub async fn upgrade(guard: Self) -> RwLockWriteGuard<'a, T> {
        // To and fro without end has to let others run; until then the guard keeps the turn.
        poll_fn(|cx| budget::charge(cx)).await;
        let lock = guard.into_lock();
        lock.state.claim().await;
        RwLockWriteGuard::new(lock)
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
    /// # use parklet::sync::{RwLock, RwLockUpgradableReadGuard};
    /// let lock = RwLock::new(1);
    /// let other = lock.try_read().unwrap();
    /// let reads = lock.try_upgradable_read().unwrap();
    /// let reads = RwLockUpgradableReadGuard::try_upgrade(reads).unwrap_err();
    ///
    /// drop(other);
    /// *RwLockUpgradableReadGuard::try_upgrade(reads).unwrap() = 2;
    /// assert_eq!(lock.into_inner(), 2);
    /// ```
    pub fn try_upgrade(guard: Self) -> Result<RwLockWriteGuard<'a, T>, Self> {
        if guard.lock.state.try_claim() {
            Ok(RwLockWriteGuard::new(guard.into_lock()))
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
    /// # use parklet::sync::{RwLock, RwLockUpgradableReadGuard};
    /// let lock = RwLock::new(1);
    /// let reads = RwLockUpgradableReadGuard::downgrade(lock.try_upgradable_read().unwrap());
    /// assert!(lock.try_upgradable_read().is_some());
    /// assert!(lock.try_write().is_none());
    /// # drop(reads);
    /// ```
    pub fn downgrade(guard: Self) -> RwLockReadGuard<'a, T> {
        // Nobody else can have claimed; the turn is passed on with the guard.
        let is_let_in = guard.lock.state.try_read();
        debug_assert!(is_let_in, "who has the turn has not claimed");
        RwLockReadGuard::new(guard.lock)
    }
}

impl_leads_to_value!(['a, T: ?Sized] RwLockUpgradableReadGuard<'a, T>);

impl<T: ?Sized> Drop for RwLockUpgradableReadGuard<'_, T> {
    fn drop(&mut self) {
        self.lock.state.pass_turn_on();
    }
}

/// A [`RwLock`] that is being written: leads to the value, and unlocks when dropped.
#[must_use = "a guard that is dropped at once unlocks at once"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    /// The lock, which this guard has claimed, and whose turn it has.
    lock: &'a RwLock<T>,
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// Only for who has just claimed.
    pub(super) fn new(lock: &'a RwLock<T>) -> RwLockWriteGuard<'a, T> {
        RwLockWriteGuard { lock }
    }

    /// The lock, with the claim.
    fn into_lock(self) -> &'a RwLock<T> {
        let lock = self.lock;
        mem::forget(self);
        lock
    }

    /// Becomes a reader. Nobody writes in between, and all who wait to read are let in.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::{RwLock, RwLockWriteGuard};
    /// let lock = RwLock::new(1);
    /// let mut writes = lock.try_write().unwrap();
    /// *writes = 2;
    /// let reads = RwLockWriteGuard::downgrade(writes);
    /// assert_eq!(*reads, 2);
    /// assert!(lock.try_read().is_some());
    /// ```
    pub fn downgrade(guard: Self) -> RwLockReadGuard<'a, T> {
        let reads = RwLockReadGuard::new(guard.into_lock());
        reads.lock.state.stop_writing(AndThen::Read);
        reads
    }

    /// Becomes an upgradable reader. Nobody writes in between, and all who wait to read are let in.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::{RwLock, RwLockWriteGuard};
    /// let lock = RwLock::new(1);
    /// let reads = RwLockWriteGuard::downgrade_to_upgradable(lock.try_write().unwrap());
    /// assert!(lock.try_read().is_some());
    /// assert!(lock.try_write().is_none());
    /// # drop(reads);
    /// ```
    pub fn downgrade_to_upgradable(guard: Self) -> RwLockUpgradableReadGuard<'a, T> {
        let reads = RwLockUpgradableReadGuard::new(guard.into_lock());
        reads.lock.state.unclaim(AndThen::Stop);
        reads
    }
}

impl_leads_to_value!(['a, T: ?Sized] RwLockWriteGuard<'a, T>);

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: rule 2 of `rw_lock_state.rs` gives the value to this guard alone, and it is borrowed mutably.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T: ?Sized> Drop for RwLockWriteGuard<'_, T> {
    fn drop(&mut self) {
        self.lock.state.stop_writing(AndThen::Stop);
    }
}
