//! The async mutex: a value, and the lock that tasks wait for.

#![allow(
    unsafe_code,
    reason = "a lent-out lock needs a cell, and std's safe locks have guards that are not Send"
)]

use super::mutex_state::{Acquire, MutexState};
use std::cell::UnsafeCell;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// A lock for tasks: to wait for it is to await it, and it may be held across an `.await`.
///
/// Where nothing is awaited while it is locked, `std::sync::Mutex` is the better choice. This one is for the other
/// case: its guard is `Send`, so a task that holds it may move between threads, and those who wait are tasks, not
/// threads.
///
/// The lock is fair. It is handed to whoever has waited longest, and nobody gets in between. It is not poisoned by a
/// panic: the guard is dropped and the next one finds the value as it was left.
///
/// Like async-lock's and tokio's. When it is free, locking and unlocking are one compare-and-swap each.
///
/// # Examples
///
/// ```
/// use parklet::sync::Mutex;
///
/// # parklet::task::block_on(async {
/// let log = Mutex::new(Vec::new());
/// log.lock().await.push("hello");
/// assert_eq!(*log.lock().await, ["hello"]);
/// # });
/// ```
pub struct Mutex<T: ?Sized> {
    /// Who holds it, who waits.
    state: MutexState,
    /// Only the holder touches it.
    value: UnsafeCell<T>,
}

// SAFETY: through `&Mutex` the value is reached only while the lock is held, by one thread at a time (rule 1 of
// `mutex_state.rs`), so sharing the mutex moves the value between threads but never shares it: `Send` is enough.
unsafe impl<T: Send + ?Sized> Sync for Mutex<T> {}

impl<T> Mutex<T> {
    /// A new mutex, unlocked; also in a `static`.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::sync::Mutex;
    ///
    /// static COUNT: Mutex<u32> = Mutex::new(0);
    ///
    /// *COUNT.try_lock().unwrap() += 1;
    /// ```
    pub const fn new(value: T) -> Mutex<T> {
        Mutex {
            state: MutexState::new(),
            value: UnsafeCell::new(value),
        }
    }

    /// The value, since nobody else has the mutex any more.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::Mutex;
    /// assert_eq!(Mutex::new(7).into_inner(), 7);
    /// ```
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits for the lock; it is unlocked when the guard is dropped.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe. A dropped `lock()` leaves the queue, and if the lock had been handed to it, hands it on to the
    /// next; the place in the queue is lost. A future that is kept but no longer polled keeps its turn, and stops
    /// everybody behind it: drop it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::Mutex;
    /// # parklet::task::block_on(async {
    /// let mutex = Mutex::new(10);
    /// *mutex.lock().await += 1;
    /// assert_eq!(mutex.into_inner(), 11);
    /// # });
    /// ```
    pub fn lock(&self) -> Lock<'_, T> {
        Lock {
            acquire: self.state.acquire(),
            mutex: self,
        }
    }

    /// Takes the lock if it is free, without waiting. It is not free while somebody waits for it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::Mutex;
    /// let mutex = Mutex::new(());
    /// let guard = mutex.try_lock();
    /// assert!(guard.is_some());
    /// assert!(mutex.try_lock().is_none());
    /// ```
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.state.try_acquire().then(|| MutexGuard::new(self))
    }

    /// Waits for the lock; the guard, and the future too, own the mutex instead of borrowing it.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, as [`lock`](Mutex::lock) is.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::sync::{Arc, Mutex};
    ///
    /// # parklet::task::block_on(async {
    /// let mutex = Arc::new(Mutex::new(1));
    /// let guard = mutex.lock_arc().await;
    /// std::thread::spawn(move || assert_eq!(*guard, 1)).join().unwrap();
    /// # });
    /// ```
    pub fn lock_arc(self: &Arc<Self>) -> impl Future<Output = MutexGuardArc<T>> + use<T> {
        let mutex = Arc::clone(self);
        async move {
            mutex.state.acquire().await;
            MutexGuardArc::new(mutex)
        }
    }

    /// Takes the lock if it is free; the guard owns the mutex instead of borrowing it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::{Arc, Mutex};
    /// let mutex = Arc::new(Mutex::new(1));
    /// let guard = mutex.try_lock_arc().unwrap();
    /// assert!(mutex.try_lock_arc().is_none());
    /// # drop(guard);
    /// ```
    pub fn try_lock_arc(self: &Arc<Self>) -> Option<MutexGuardArc<T>> {
        self.state
            .try_acquire()
            .then(|| MutexGuardArc::new(Arc::clone(self)))
    }

    /// The value without locking: `&mut self` says that nobody else is there.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::Mutex;
    /// let mut mutex = Mutex::new(1);
    /// *mutex.get_mut() = 2;
    /// assert_eq!(mutex.into_inner(), 2);
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Mutex<T> {
        Mutex::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Mutex<T> {
        Mutex::new(value)
    }
}

impl<T: fmt::Debug + ?Sized> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut mutex = f.debug_struct("Mutex");
        match self.try_lock() {
            Some(guard) => mutex.field("value", &&*guard),
            None => mutex.field("value", &format_args!("<locked>")),
        };
        mutex.finish()
    }
}

/// The future of [`Mutex::lock`].
#[must_use = "futures do nothing unless awaited or polled"]
pub struct Lock<'a, T: ?Sized> {
    /// Waits for the turn.
    acquire: Acquire<'a>,
    /// What will be locked.
    mutex: &'a Mutex<T>,
}

impl<'a, T: ?Sized> Future for Lock<'a, T> {
    type Output = MutexGuard<'a, T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<MutexGuard<'a, T>> {
        ready!(Pin::new(&mut self.acquire).poll(cx));
        Poll::Ready(MutexGuard::new(self.mutex))
    }
}

impl<T: ?Sized> fmt::Debug for Lock<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").finish_non_exhaustive()
    }
}

/// A locked [`Mutex`]: leads to the value, and unlocks when dropped.
///
/// It is `Send` where the value is, so a task may hold it across an `.await` and wake up on another thread.
#[must_use = "a guard that is dropped at once unlocks at once"]
pub struct MutexGuard<'a, T: ?Sized> {
    /// The mutex, held for as long as this guard exists.
    mutex: &'a Mutex<T>,
    /// A guard is as good as a `&mut T`: it may be sent or shared where that may.
    value: PhantomData<&'a mut T>,
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// Only for who has just acquired the lock.
    fn new(mutex: &'a Mutex<T>) -> MutexGuard<'a, T> {
        MutexGuard {
            mutex,
            value: PhantomData,
        }
    }

    /// The mutex that this guard has locked; not a method, since those are the value's.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::{Mutex, MutexGuard};
    /// let mutex = Mutex::new(1);
    /// let guard = mutex.try_lock().unwrap();
    /// assert!(MutexGuard::source(&guard).try_lock().is_none());
    /// ```
    pub fn source(guard: &MutexGuard<'a, T>) -> &'a Mutex<T> {
        guard.mutex
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: rule 1 of `mutex_state.rs` gives the value to this guard alone, and it is borrowed.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: rule 1 of `mutex_state.rs` gives the value to this guard alone, and it is borrowed mutably.
        unsafe { &mut *self.mutex.value.get() }
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        self.mutex.state.release();
    }
}

impl<T: fmt::Debug + ?Sized> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: fmt::Display + ?Sized> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// A locked [`Mutex`] in an [`Arc`]: like [`MutexGuard`], but it borrows nothing.
#[must_use = "a guard that is dropped at once unlocks at once"]
pub struct MutexGuardArc<T: ?Sized> {
    /// The mutex, held for as long as this guard exists.
    mutex: Arc<Mutex<T>>,
    /// A guard is as good as a `T`: the `Arc` alone would let it be shared where only `Send` is promised.
    value: PhantomData<T>,
}

impl<T: ?Sized> MutexGuardArc<T> {
    /// Only for who has just acquired the lock.
    fn new(mutex: Arc<Mutex<T>>) -> MutexGuardArc<T> {
        MutexGuardArc {
            mutex,
            value: PhantomData,
        }
    }

    /// The mutex that this guard has locked; not a method, since those are the value's.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::{Arc, Mutex, MutexGuardArc};
    /// let mutex = Arc::new(Mutex::new(1));
    /// let guard = mutex.try_lock_arc().unwrap();
    /// assert!(Arc::ptr_eq(&mutex, MutexGuardArc::source(&guard)));
    /// ```
    pub fn source(guard: &MutexGuardArc<T>) -> &Arc<Mutex<T>> {
        &guard.mutex
    }
}

impl<T: ?Sized> Deref for MutexGuardArc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: rule 1 of `mutex_state.rs` gives the value to this guard alone, and it is borrowed.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuardArc<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: rule 1 of `mutex_state.rs` gives the value to this guard alone, and it is borrowed mutably.
        unsafe { &mut *self.mutex.value.get() }
    }
}

impl<T: ?Sized> Drop for MutexGuardArc<T> {
    fn drop(&mut self) {
        self.mutex.state.release();
    }
}

impl<T: fmt::Debug + ?Sized> fmt::Debug for MutexGuardArc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: fmt::Display + ?Sized> fmt::Display for MutexGuardArc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// A guard leads to a `&T`, so it may be shared only where that may:
///
/// ```compile_fail,E0277
/// # use parklet::sync::{Arc, Mutex};
/// fn share(_: impl Sync) {}
/// share(Arc::new(Mutex::new(std::cell::Cell::new(1))).try_lock_arc().unwrap());
/// ```
///
/// ```compile_fail,E0277
/// # use parklet::sync::Mutex;
/// fn share(_: impl Sync) {}
/// share(Mutex::new(std::cell::Cell::new(1)).try_lock().unwrap());
/// ```
///
/// and a mutex only where its value may at least be sent:
///
/// ```compile_fail,E0277
/// # use parklet::sync::Mutex;
/// fn share(_: impl Sync) {}
/// share(Mutex::new(std::rc::Rc::new(1)));
/// ```
#[cfg(doctest)]
struct WhatIsNotShared;
