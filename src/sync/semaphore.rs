//! The semaphore: at most so many at a time.

use super::semaphore_state::{MAX_PERMITS, SemaphoreState};
use std::fmt;
use std::future::Future;
use std::sync::Arc;

/// A number of permits: who has one may go on, the others wait for it.
///
/// It bounds how many tasks do something at a time: hold a connection, keep a file open, ask a server.
///
/// It is fair. A permit that comes back is handed to whoever has waited longest, and nobody gets in between. Permits are
/// taken one at a time, and there is no closing it: a task that has to be told of an end waits for a channel.
///
/// In async-lock's names, to which tokio's [`forget_permits`](Semaphore::forget_permits) is added. While permits are
/// free, taking and returning one is one compare-and-swap each.
///
/// # Examples
///
/// ```
/// use parklet::sync::{Arc, Semaphore};
/// use parklet::task;
///
/// task::block_on(async {
///     let connections = Arc::new(Semaphore::new(2));
///     let asking: Vec<_> = (0..10)
///         .map(|number| {
///             let connections = Arc::clone(&connections);
///             task::spawn(async move {
///                 // Never more than two are past this line.
///                 let _permit = connections.acquire().await;
///                 task::yield_now().await;
///                 number
///             })
///         })
///         .collect();
///     for (number, answer) in asking.into_iter().enumerate() {
///         assert_eq!(answer.await, number);
///     }
/// });
/// ```
pub struct Semaphore {
    /// How many permits are free, who waits.
    state: SemaphoreState,
}

impl Semaphore {
    /// The most permits that a semaphore can be given.
    pub const MAX_PERMITS: usize = MAX_PERMITS;

    /// A semaphore with so many permits; also in a `static`. With none, all wait until some are
    /// [added](Semaphore::add_permits).
    ///
    /// # Panics
    ///
    /// If there are more than [`MAX_PERMITS`](Semaphore::MAX_PERMITS), an eighth of what fits in a `usize`.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::sync::Semaphore;
    ///
    /// static FILES: Semaphore = Semaphore::new(100);
    ///
    /// assert_eq!(FILES.available_permits(), 100);
    /// ```
    pub const fn new(permits: usize) -> Semaphore {
        assert!(
            permits <= MAX_PERMITS,
            "a semaphore can have at most Semaphore::MAX_PERMITS permits"
        );
        Semaphore {
            state: SemaphoreState::new(permits),
        }
    }

    /// Waits for a permit; it is returned when the guard is dropped.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe. A dropped `acquire()` leaves the queue, and if a permit had been handed to it, hands it on to the
    /// next; the place in the queue is lost. A future that is kept but no longer polled keeps a permit that was handed
    /// to it: drop it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::Semaphore;
    /// # parklet::task::block_on(async {
    /// let semaphore = Semaphore::new(1);
    /// let permit = semaphore.acquire().await;
    /// assert!(semaphore.try_acquire().is_none());
    /// drop(permit);
    /// assert!(semaphore.try_acquire().is_some());
    /// # });
    /// ```
    pub async fn acquire(&self) -> SemaphoreGuard<'_> {
        self.state.acquire().await;
        SemaphoreGuard { semaphore: self }
    }

    /// Takes a permit if one is free, without waiting. None is free while somebody waits.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::Semaphore;
    /// let semaphore = Semaphore::new(1);
    /// let permit = semaphore.try_acquire();
    /// assert!(permit.is_some());
    /// assert!(semaphore.try_acquire().is_none());
    /// ```
    pub fn try_acquire(&self) -> Option<SemaphoreGuard<'_>> {
        self.state
            .try_acquire()
            .then(|| SemaphoreGuard { semaphore: self })
    }

    /// Waits for a permit; the guard, and the future too, own the semaphore instead of borrowing it.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, as [`acquire`](Semaphore::acquire) is.
    ///
    /// # Examples
    ///
    /// A permit that is taken before the task is spawned, so that no more tasks are spawned than may run:
    ///
    /// ```
    /// use parklet::sync::{Arc, Semaphore};
    /// use parklet::task;
    ///
    /// # task::block_on(async {
    /// let semaphore = Arc::new(Semaphore::new(3));
    /// for _ in 0..10 {
    ///     let permit = semaphore.acquire_arc().await;
    ///     task::spawn(async move {
    ///         task::yield_now().await;
    ///         drop(permit);
    ///     });
    /// }
    /// # });
    /// ```
    pub fn acquire_arc(self: &Arc<Self>) -> impl Future<Output = SemaphoreGuardArc> + use<> {
        let semaphore = Arc::clone(self);
        async move {
            semaphore.state.acquire().await;
            SemaphoreGuardArc {
                semaphore: Some(semaphore),
            }
        }
    }

    /// Takes a permit if one is free; the guard owns the semaphore instead of borrowing it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::{Arc, Semaphore};
    /// let semaphore = Arc::new(Semaphore::new(1));
    /// let permit = semaphore.try_acquire_arc().unwrap();
    /// assert!(semaphore.try_acquire_arc().is_none());
    /// # drop(permit);
    /// ```
    pub fn try_acquire_arc(self: &Arc<Self>) -> Option<SemaphoreGuardArc> {
        self.state.try_acquire().then(|| SemaphoreGuardArc {
            semaphore: Some(Arc::clone(self)),
        })
    }

    /// Adds so many permits: those who wait get theirs, the others are free.
    ///
    /// # Panics
    ///
    /// If more than [`MAX_PERMITS`](Semaphore::MAX_PERMITS) would be free; nothing is added then.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::Semaphore;
    /// let semaphore = Semaphore::new(1);
    /// semaphore.add_permits(2);
    /// assert_eq!(semaphore.available_permits(), 3);
    /// ```
    pub fn add_permits(&self, permits: usize) {
        if let Err(free) = self.state.try_add(permits) {
            panic!(
                "cannot add {permits} permits to {free} free ones: a semaphore can have at most {MAX_PERMITS}"
            );
        }
    }

    /// Takes up to so many free permits away for good, and returns how many there were to take.
    ///
    /// Permits that somebody has are not waited for; let [`SemaphoreGuard::forget`] see to those.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::Semaphore;
    /// let semaphore = Semaphore::new(3);
    /// assert_eq!(semaphore.forget_permits(1), 1);
    /// assert_eq!(semaphore.forget_permits(5), 2);
    /// assert!(semaphore.try_acquire().is_none());
    /// ```
    pub fn forget_permits(&self, permits: usize) -> usize {
        self.state.forget(permits)
    }

    /// How many permits are free. By the time you look at the number it may be another.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::Semaphore;
    /// let semaphore = Semaphore::new(5);
    /// let permit = semaphore.try_acquire();
    /// assert_eq!(semaphore.available_permits(), 4);
    /// # drop(permit);
    /// ```
    pub fn available_permits(&self) -> usize {
        self.state.free()
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("available_permits", &self.available_permits())
            .finish()
    }
}

/// A permit of a [`Semaphore`], returned when this is dropped.
#[derive(Debug)]
#[must_use = "a guard that is dropped at once returns its permit at once"]
pub struct SemaphoreGuard<'a> {
    /// Where the permit goes back to.
    semaphore: &'a Semaphore,
}

impl SemaphoreGuard<'_> {
    /// Keeps the permit from ever being returned: the semaphore has one less.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::Semaphore;
    /// let semaphore = Semaphore::new(2);
    /// semaphore.try_acquire().unwrap().forget();
    /// assert_eq!(semaphore.available_permits(), 1);
    /// ```
    pub fn forget(self) {
        std::mem::forget(self);
    }
}

impl Drop for SemaphoreGuard<'_> {
    fn drop(&mut self) {
        self.semaphore.state.add(1);
    }
}

/// A permit of a [`Semaphore`] in an [`Arc`]: like [`SemaphoreGuard`], but it borrows nothing.
#[derive(Debug)]
#[must_use = "a guard that is dropped at once returns its permit at once"]
pub struct SemaphoreGuardArc {
    /// Where the permit goes back to; `None` when it does not.
    semaphore: Option<Arc<Semaphore>>,
}

impl SemaphoreGuardArc {
    /// Keeps the permit from ever being returned: the semaphore has one less.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::{Arc, Semaphore};
    /// let semaphore = Arc::new(Semaphore::new(2));
    /// semaphore.try_acquire_arc().unwrap().forget();
    /// assert_eq!(semaphore.available_permits(), 1);
    /// assert_eq!(Arc::strong_count(&semaphore), 1);
    /// ```
    pub fn forget(mut self) {
        self.semaphore = None;
    }
}

impl Drop for SemaphoreGuardArc {
    fn drop(&mut self) {
        if let Some(semaphore) = &self.semaphore {
            semaphore.state.add(1);
        }
    }
}
