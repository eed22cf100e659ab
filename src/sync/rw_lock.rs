//! The async read-write lock: a value that many may read at once, or one may write.

#![allow(
    unsafe_code,
    reason = "a lent-out lock needs a cell, and std's safe locks have guards that are not Send"
)]

use super::rw_lock_guard::{RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard};
use super::rw_lock_guard_arc::{
    RwLockReadGuardArc, RwLockUpgradableReadGuardArc, RwLockWriteGuardArc,
};
use super::rw_lock_state::RwLockState;
use std::cell::UnsafeCell;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

/// A lock that many tasks may hold to read, or one to write; it may be held across an `.await`.
///
/// Where nothing is awaited while it is locked, `std::sync::RwLock` is the better choice, and where reading takes no
/// longer than locking, a [`Mutex`](super::Mutex).
///
/// Nobody starves. Writers come in the order in which they asked, and from the moment the first of them is up, nobody
/// else begins to read: it waits for those who read already. When it has ended, all who waited to read meanwhile are
/// let in together, before the next writer. So a reader waits for one writer at the most. That is why a task that reads
/// must not [`read`](RwLock::read) once more: a writer may be up in between, and the two wait for each other.
///
/// An *upgradable* reader reads beside the others, and can become the writer without letting anybody write in between.
/// There is one at a time; it waits in line with the writers.
///
/// The lock is not poisoned by a panic: the guard is dropped and the next one finds the value as it was left.
///
/// async-lock's names, and its writers' way; the readers' is from phase-fair locks (Brandenburg and Anderson, 2010).
/// Where nobody waits, beginning to read and stopping are one compare-and-swap each.
///
/// # Examples
///
/// ```
/// use parklet::sync::RwLock;
///
/// # parklet::task::block_on(async {
/// let lock = RwLock::new(5);
/// {
///     let first = lock.read().await;
///     let second = lock.read().await;
///     assert_eq!(*first + *second, 10);
/// }
/// *lock.write().await += 1;
/// assert_eq!(*lock.read().await, 6);
/// # });
/// ```
pub struct RwLock<T: ?Sized> {
    /// Who reads, who writes, who waits.
    pub(super) state: RwLockState,
    /// Reached through guards, by rules 1 and 2 of `rw_lock_state.rs`.
    pub(super) value: UnsafeCell<T>,
}

// SAFETY: through `&RwLock` several threads read the value at once, so it has to be `Sync`, and one thread writes it,
// which may move it out (rules 1 and 2 of `rw_lock_state.rs`), so it has to be `Send`.
unsafe impl<T: Send + Sync + ?Sized> Sync for RwLock<T> {}

impl<T> RwLock<T> {
    /// A new lock, held by nobody; also in a `static`.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::sync::RwLock;
    ///
    /// static LIMIT: RwLock<u32> = RwLock::new(10);
    ///
    /// *LIMIT.try_write().unwrap() = 20;
    /// assert_eq!(*LIMIT.try_read().unwrap(), 20);
    /// ```
    pub const fn new(value: T) -> RwLock<T> {
        RwLock {
            state: RwLockState::new(),
            value: UnsafeCell::new(value),
        }
    }

    /// The value, since nobody else has the lock any more.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::RwLock;
    /// assert_eq!(RwLock::new(7).into_inner(), 7);
    /// ```
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Waits until nobody writes or is about to, then reads, until the guard is dropped.
    ///
    /// # Panics
    ///
    /// If there are more readers than the lock can count, which takes guards that were forgotten.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe. A dropped `read()` leaves the queue, and if it had been let in, stops reading. A future that is kept
    /// but no longer polled keeps reading once it is let in, and stops every writer: drop it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::RwLock;
    /// # parklet::task::block_on(async {
    /// let lock = RwLock::new(1);
    /// let guard = lock.read().await;
    /// assert_eq!(*guard, 1);
    /// assert!(lock.try_read().is_some());
    /// assert!(lock.try_write().is_none());
    /// # });
    /// ```
    pub async fn read(&self) -> RwLockReadGuard<'_, T> {
        self.state.read().await;
        RwLockReadGuard::new(self)
    }

    /// Reads, if nobody writes or is about to, without waiting.
    ///
    /// # Panics
    ///
    /// If there are more readers than the lock can count, which takes guards that were forgotten.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::RwLock;
    /// let lock = RwLock::new(1);
    /// assert_eq!(lock.try_read().as_deref(), Some(&1));
    ///
    /// let writes = lock.try_write();
    /// assert!(lock.try_read().is_none());
    /// # drop(writes);
    /// ```
    pub fn try_read(&self) -> Option<RwLockReadGuard<'_, T>> {
        self.state.try_read().then(|| RwLockReadGuard::new(self))
    }

    /// Waits in line with the writers, then reads beside the other readers, and may become the writer.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, as [`Mutex::lock`](super::Mutex::lock) is: what was handed to a dropped one is handed on.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::sync::{RwLock, RwLockUpgradableReadGuard};
    ///
    /// # parklet::task::block_on(async {
    /// let lock = RwLock::new(1);
    /// let reads = lock.upgradable_read().await;
    /// assert!(lock.try_read().is_some());
    /// if *reads == 1 {
    ///     let mut writes = RwLockUpgradableReadGuard::upgrade(reads).await;
    ///     *writes = 2;
    /// }
    /// assert_eq!(*lock.read().await, 2);
    /// # });
    /// ```
    pub async fn upgradable_read(&self) -> RwLockUpgradableReadGuard<'_, T> {
        self.state.take_turn().await;
        RwLockUpgradableReadGuard::new(self)
    }

    /// Reads, and may become the writer, if nobody writes, waits to, or may become the writer too.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::RwLock;
    /// let lock = RwLock::new(1);
    /// let reads = lock.try_upgradable_read().unwrap();
    /// assert!(lock.try_read().is_some());
    /// assert!(lock.try_upgradable_read().is_none());
    /// # drop(reads);
    /// ```
    pub fn try_upgradable_read(&self) -> Option<RwLockUpgradableReadGuard<'_, T>> {
        self.state
            .try_take_turn()
            .then(|| RwLockUpgradableReadGuard::new(self))
    }

    /// Waits for its turn to write, then for those who read; it writes until the guard is dropped.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe. A dropped `write()` leaves its place to the next one and lets those read who waited for it. A future
    /// that is kept but no longer polled may stop everybody: drop it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::RwLock;
    /// # parklet::task::block_on(async {
    /// let lock = RwLock::new(1);
    /// *lock.write().await += 1;
    /// assert_eq!(lock.into_inner(), 2);
    /// # });
    /// ```
    pub async fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.state.take_turn().await;
        self.state.claim().await;
        RwLockWriteGuard::new(self)
    }

    /// Writes, if nobody else reads or writes or waits to write, without waiting.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::RwLock;
    /// let lock = RwLock::new(1);
    /// *lock.try_write().unwrap() += 1;
    ///
    /// let reads = lock.try_read();
    /// assert!(lock.try_write().is_none());
    /// # drop(reads);
    /// ```
    pub fn try_write(&self) -> Option<RwLockWriteGuard<'_, T>> {
        RwLockUpgradableReadGuard::try_upgrade(self.try_upgradable_read()?).ok()
    }

    /// Waits to [`read`](RwLock::read); the guard, and the future too, own the lock instead of borrowing it.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, as [`read`](RwLock::read) is.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::sync::{Arc, RwLock};
    ///
    /// # parklet::task::block_on(async {
    /// let lock = Arc::new(RwLock::new(1));
    /// let guard = lock.read_arc().await;
    /// std::thread::spawn(move || assert_eq!(*guard, 1)).join().unwrap();
    /// # });
    /// ```
    pub fn read_arc(self: &Arc<Self>) -> impl Future<Output = RwLockReadGuardArc<T>> + use<T> {
        let lock = Arc::clone(self);
        async move {
            lock.state.read().await;
            RwLockReadGuardArc::new(lock)
        }
    }

    /// [`try_read`](RwLock::try_read) with a guard that owns the lock.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::{Arc, RwLock};
    /// let lock = Arc::new(RwLock::new(1));
    /// assert_eq!(lock.try_read_arc().as_deref(), Some(&1));
    /// ```
    pub fn try_read_arc(self: &Arc<Self>) -> Option<RwLockReadGuardArc<T>> {
        self.state
            .try_read()
            .then(|| RwLockReadGuardArc::new(Arc::clone(self)))
    }

    /// [`upgradable_read`](RwLock::upgradable_read) with a guard and a future that own the lock.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, as [`upgradable_read`](RwLock::upgradable_read) is.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::{Arc, RwLock, RwLockUpgradableReadGuardArc};
    /// # parklet::task::block_on(async {
    /// let lock = Arc::new(RwLock::new(1));
    /// let reads = lock.upgradable_read_arc().await;
    /// *RwLockUpgradableReadGuardArc::upgrade(reads).await = 2;
    /// assert_eq!(*lock.try_read().unwrap(), 2);
    /// # });
    /// ```
    pub fn upgradable_read_arc(
        self: &Arc<Self>,
    ) -> impl Future<Output = RwLockUpgradableReadGuardArc<T>> + use<T> {
        let lock = Arc::clone(self);
        async move {
            lock.state.take_turn().await;
            RwLockUpgradableReadGuardArc::new(lock)
        }
    }

    /// [`try_upgradable_read`](RwLock::try_upgradable_read) with a guard that owns the lock.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::{Arc, RwLock};
    /// let lock = Arc::new(RwLock::new(1));
    /// let reads = lock.try_upgradable_read_arc();
    /// assert!(lock.try_upgradable_read_arc().is_none());
    /// # drop(reads);
    /// ```
    pub fn try_upgradable_read_arc(self: &Arc<Self>) -> Option<RwLockUpgradableReadGuardArc<T>> {
        self.state
            .try_take_turn()
            .then(|| RwLockUpgradableReadGuardArc::new(Arc::clone(self)))
    }

    /// Waits to [`write`](RwLock::write); the guard, and the future too, own the lock instead of borrowing it.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, as [`write`](RwLock::write) is.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::{Arc, RwLock};
    /// # parklet::task::block_on(async {
    /// let lock = Arc::new(RwLock::new(1));
    /// *lock.write_arc().await += 1;
    /// assert_eq!(*lock.read().await, 2);
    /// # });
    /// ```
    pub fn write_arc(self: &Arc<Self>) -> impl Future<Output = RwLockWriteGuardArc<T>> + use<T> {
        let lock = Arc::clone(self);
        async move {
            lock.state.take_turn().await;
            lock.state.claim().await;
            RwLockWriteGuardArc::new(lock)
        }
    }

    /// [`try_write`](RwLock::try_write) with a guard that owns the lock.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::{Arc, RwLock};
    /// let lock = Arc::new(RwLock::new(1));
    /// *lock.try_write_arc().unwrap() += 1;
    /// assert_eq!(*lock.try_read().unwrap(), 2);
    /// ```
    pub fn try_write_arc(self: &Arc<Self>) -> Option<RwLockWriteGuardArc<T>> {
        RwLockUpgradableReadGuardArc::try_upgrade(self.try_upgradable_read_arc()?).ok()
    }

    /// The value without locking: `&mut self` says that nobody else is there.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::RwLock;
    /// let mut lock = RwLock::new(1);
    /// *lock.get_mut() = 2;
    /// assert_eq!(lock.into_inner(), 2);
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> RwLock<T> {
        RwLock::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> RwLock<T> {
        RwLock::new(value)
    }
}

impl<T: fmt::Debug + ?Sized> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lock = f.debug_struct("RwLock");
        match self.try_read() {
            Some(guard) => lock.field("value", &&*guard),
            None => lock.field("value", &format_args!("<locked>")),
        };
        lock.finish()
    }
}

/// A lock may be shared only where its value may be both sent and shared:
///
/// ```compile_fail,E0277
/// # use parklet::sync::RwLock;
/// fn share(_: impl Sync) {}
/// share(RwLock::new(std::cell::Cell::new(1)));
/// ```
///
/// ```compile_fail,E0277
/// # use parklet::sync::RwLock;
/// fn share(_: impl Sync) {}
/// let mutex = std::sync::Mutex::new(1);
/// share(RwLock::new(mutex.lock().unwrap()));
/// ```
///
/// and its guards only so, since they lead to it:
///
/// ```compile_fail,E0277
/// # use parklet::sync::RwLock;
/// fn send(_: impl Send) {}
/// send(RwLock::new(std::cell::Cell::new(1)).try_read().unwrap());
/// ```
///
/// ```compile_fail,E0277
/// # use parklet::sync::{Arc, RwLock};
/// fn send(_: impl Send) {}
/// send(Arc::new(RwLock::new(std::cell::Cell::new(1))).try_read_arc().unwrap());
/// ```
#[cfg(doctest)]
struct WhatIsNotShared;
