//! The `_blocking` methods: the same locks for plain threads, which wait by blocking.
//!
//! Each is the method without the suffix, awaited by `park_until.rs`: the thread stands in the same queue as the tasks and
//! has its turn like them. None needs an executor. In a task they would stop a worker thread, so they are for threads
//! beside the runtime, for callbacks of C libraries, for destructors.
//!
//! Names and meaning are async-lock's, which are async-std's.

use super::park_until::park_until;
use super::{
    Barrier, BarrierWaitResult, Mutex, MutexGuard, MutexGuardArc, OnceCell, RwLock,
    RwLockReadGuard, RwLockReadGuardArc, RwLockUpgradableReadGuard, RwLockUpgradableReadGuardArc,
    RwLockWriteGuard, RwLockWriteGuardArc, Semaphore, SemaphoreGuard, SemaphoreGuardArc,
};
use std::future::ready;
use std::sync::Arc;

impl<T: ?Sized> Mutex<T> {
    /// [`lock`](Mutex::lock) for a plain thread, which it blocks; in a task it would stop a worker.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::sync::{Arc, Mutex};
    /// use parklet::task;
    ///
    /// let total = Arc::new(Mutex::new(0));
    /// let thread = std::thread::spawn({
    ///     let total = Arc::clone(&total);
    ///     move || *total.lock_blocking() += 1
    /// });
    /// task::block_on(async { *total.lock().await += 1 });
    /// thread.join().unwrap();
    /// assert_eq!(*total.lock_blocking(), 2);
    /// ```
    pub fn lock_blocking(&self) -> MutexGuard<'_, T> {
        park_until(self.lock())
    }

    /// [`lock_arc`](Mutex::lock_arc) for a plain thread, which it blocks.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::sync::{Arc, Mutex};
    ///
    /// let guard = Arc::new(Mutex::new(7)).lock_arc_blocking();
    /// assert_eq!(*guard, 7);
    /// ```
    pub fn lock_arc_blocking(self: &Arc<Self>) -> MutexGuardArc<T> {
        park_until(self.lock_arc())
    }
}

impl<T: ?Sized> RwLock<T> {
    /// [`read`](RwLock::read) for a plain thread, which it blocks; in a task it would stop a worker.
    ///
    /// # Panics
    ///
    /// As [`read`](RwLock::read).
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::RwLock;
    /// let lock = RwLock::new(7);
    /// let guard = lock.read_blocking();
    /// assert_eq!(*guard, 7);
    /// assert!(lock.try_write().is_none());
    /// ```
    pub fn read_blocking(&self) -> RwLockReadGuard<'_, T> {
        park_until(self.read())
    }

    /// [`upgradable_read`](RwLock::upgradable_read) for a plain thread, which it blocks.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::RwLock;
    /// let lock = RwLock::new(7);
    /// let guard = lock.upgradable_read_blocking();
    /// assert_eq!(*guard, 7);
    /// assert!(lock.try_upgradable_read().is_none());
    /// ```
    pub fn upgradable_read_blocking(&self) -> RwLockUpgradableReadGuard<'_, T> {
        park_until(self.upgradable_read())
    }

    /// [`write`](RwLock::write) for a plain thread, which it blocks; in a task it would stop a worker.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::RwLock;
    /// let lock = RwLock::new(7);
    /// *lock.write_blocking() += 1;
    /// assert_eq!(*lock.read_blocking(), 8);
    /// ```
    pub fn write_blocking(&self) -> RwLockWriteGuard<'_, T> {
        park_until(self.write())
    }

    /// [`read_arc`](RwLock::read_arc) for a plain thread, which it blocks.
    ///
    /// # Panics
    ///
    /// As [`read`](RwLock::read).
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::{Arc, RwLock};
    /// let guard = Arc::new(RwLock::new(7)).read_arc_blocking();
    /// assert_eq!(*guard, 7);
    /// ```
    pub fn read_arc_blocking(self: &Arc<Self>) -> RwLockReadGuardArc<T> {
        park_until(self.read_arc())
    }

    /// [`upgradable_read_arc`](RwLock::upgradable_read_arc) for a plain thread, which it blocks.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::{Arc, RwLock};
    /// let guard = Arc::new(RwLock::new(7)).upgradable_read_arc_blocking();
    /// assert_eq!(*guard, 7);
    /// ```
    pub fn upgradable_read_arc_blocking(self: &Arc<Self>) -> RwLockUpgradableReadGuardArc<T> {
        park_until(self.upgradable_read_arc())
    }

    /// [`write_arc`](RwLock::write_arc) for a plain thread, which it blocks.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::{Arc, RwLock};
    /// let lock = Arc::new(RwLock::new(7));
    /// *lock.write_arc_blocking() += 1;
    /// assert_eq!(*lock.read_blocking(), 8);
    /// ```
    pub fn write_arc_blocking(self: &Arc<Self>) -> RwLockWriteGuardArc<T> {
        park_until(self.write_arc())
    }
}

impl<'a, T: ?Sized> RwLockUpgradableReadGuard<'a, T> {
    /// [`upgrade`](RwLockUpgradableReadGuard::upgrade) for a plain thread, which it blocks.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::sync::{RwLock, RwLockUpgradableReadGuard};
    ///
    /// let lock = RwLock::new(7);
    /// let reads = lock.upgradable_read_blocking();
    /// *RwLockUpgradableReadGuard::upgrade_blocking(reads) += 1;
    /// assert_eq!(lock.into_inner(), 8);
    /// ```
    pub fn upgrade_blocking(guard: Self) -> RwLockWriteGuard<'a, T> {
        park_until(Self::upgrade(guard))
    }
}

impl<T: ?Sized> RwLockUpgradableReadGuardArc<T> {
    /// [`upgrade`](RwLockUpgradableReadGuardArc::upgrade) for a plain thread, which it blocks.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::sync::{Arc, RwLock, RwLockUpgradableReadGuardArc};
    ///
    /// let lock = Arc::new(RwLock::new(7));
    /// let reads = lock.upgradable_read_arc_blocking();
    /// *RwLockUpgradableReadGuardArc::upgrade_blocking(reads) += 1;
    /// assert_eq!(*lock.read_blocking(), 8);
    /// ```
    pub fn upgrade_blocking(guard: Self) -> RwLockWriteGuardArc<T> {
        park_until(Self::upgrade(guard))
    }
}

impl Semaphore {
    /// [`acquire`](Semaphore::acquire) for a plain thread, which it blocks; in a task it would stop a worker.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::Semaphore;
    /// let semaphore = Semaphore::new(1);
    /// let permit = semaphore.acquire_blocking();
    /// assert!(semaphore.try_acquire().is_none());
    /// # drop(permit);
    /// ```
    pub fn acquire_blocking(&self) -> SemaphoreGuard<'_> {
        park_until(self.acquire())
    }

    /// [`acquire_arc`](Semaphore::acquire_arc) for a plain thread, which it blocks.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::{Arc, Semaphore};
    /// let semaphore = Arc::new(Semaphore::new(1));
    /// let permit = semaphore.acquire_arc_blocking();
    /// assert!(semaphore.try_acquire().is_none());
    /// # drop(permit);
    /// ```
    pub fn acquire_arc_blocking(self: &Arc<Self>) -> SemaphoreGuardArc {
        park_until(self.acquire_arc())
    }
}

impl Barrier {
    /// [`wait`](Barrier::wait) for a plain thread, which it blocks: threads and tasks may be of one group.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::sync::Barrier;
    ///
    /// let barrier = Barrier::new(2);
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| barrier.wait_blocking());
    ///     parklet::task::block_on(barrier.wait());
    /// });
    /// ```
    pub fn wait_blocking(&self) -> BarrierWaitResult {
        park_until(self.wait())
    }
}

impl<T> OnceCell<T> {
    /// [`get_or_init`](OnceCell::get_or_init) for a plain thread, which it blocks; the value is made by a closure.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::OnceCell;
    /// static CELL: OnceCell<u32> = OnceCell::new();
    ///
    /// assert_eq!(CELL.get_or_init_blocking(|| 1), &1);
    /// assert_eq!(CELL.get_or_init_blocking(|| 2), &1);
    /// ```
    pub fn get_or_init_blocking(&self, init: impl FnOnce() -> T) -> &T {
        park_until(self.get_or_init(|| ready(init())))
    }

    /// [`get_or_try_init`](OnceCell::get_or_try_init) for a plain thread, which it blocks; the value is made by a closure.
    ///
    /// # Errors
    ///
    /// The initializer's, if it was this call that tried.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::OnceCell;
    /// let cell = OnceCell::new();
    /// assert_eq!(cell.get_or_try_init_blocking(|| Err("not now")), Err("not now"));
    /// assert_eq!(cell.get_or_try_init_blocking(|| Ok::<_, ()>(1)), Ok(&1));
    /// ```
    pub fn get_or_try_init_blocking<E>(
        &self,
        init: impl FnOnce() -> Result<T, E>,
    ) -> Result<&T, E> {
        park_until(self.get_or_try_init(|| ready(init())))
    }

    /// [`set`](OnceCell::set) for a plain thread, which it blocks while another makes a value.
    ///
    /// # Errors
    ///
    /// The value, if the cell has one already.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::OnceCell;
    /// let cell = OnceCell::new();
    /// assert_eq!(cell.set_blocking(1), Ok(&1));
    /// assert_eq!(cell.set_blocking(2), Err(2));
    /// ```
    pub fn set_blocking(&self, value: T) -> Result<&T, T> {
        park_until(self.set(value))
    }

    /// [`wait`](OnceCell::wait) for a plain thread, which it blocks.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::sync::{Arc, OnceCell};
    ///
    /// let cell = Arc::new(OnceCell::new());
    /// std::thread::spawn({
    ///     let cell = Arc::clone(&cell);
    ///     move || cell.set_blocking(7).map(drop)
    /// });
    /// assert_eq!(cell.wait_blocking(), &7);
    /// ```
    pub fn wait_blocking(&self) -> &T {
        park_until(self.wait())
    }
}
