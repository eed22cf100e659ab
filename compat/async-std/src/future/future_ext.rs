//! async-std's methods on futures.

use std::future::Future;

#[cfg(feature = "unstable")]
use {
    super::IntoFuture,
    super::flatten::Flatten,
    parklet::future::{self, Delay, Join, Or, TryJoin, TryRace},
    std::time::Duration,
};

/// Methods on futures. All of them want the feature `unstable`, so without it they clash with no other trait's.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "unstable")]
/// # async_std::task::block_on(async {
/// use async_std::future;
/// use async_std::prelude::*;
///
/// assert_eq!(future::ready(1).join(future::ready(2)).await, (1, 2));
/// assert_eq!(future::pending().race(future::ready(3)).await, 3);
/// # });
/// ```
pub trait FutureExt: Future {
    /// Waits before the future is polled for the first time.
    #[cfg(feature = "unstable")]
    fn delay(self, dur: Duration) -> Delay<Self>
    where
        Self: Sized,
    {
        future::FutureExt::delay(self, dur)
    }

    /// Awaits this future, and then the future that came out of it.
    #[cfg(feature = "unstable")]
    fn flatten(self) -> Flatten<Self, <Self::Output as IntoFuture>::Future>
    where
        Self: Sized,
        Self::Output: IntoFuture,
    {
        Flatten::Outer { future: self }
    }

    /// Waits for whichever is ready first; if both are, it is this one.
    #[cfg(feature = "unstable")]
    fn race<F>(self, other: F) -> Or<Self, F>
    where
        Self: Sized,
        F: Future<Output = Self::Output>,
    {
        future::FutureExt::race(self, other)
    }

    /// Waits for whichever succeeds first, or for both errors, of which the later one counts.
    #[cfg(feature = "unstable")]
    fn try_race<F, T, E>(self, other: F) -> TryRace<Self, F>
    where
        Self: Future<Output = Result<T, E>> + Sized,
        F: Future<Output = Self::Output>,
    {
        future::FutureExt::try_race(self, other)
    }

    /// Waits for both.
    #[cfg(feature = "unstable")]
    fn join<F>(self, other: F) -> Join<Self, F>
    where
        Self: Sized,
        F: Future,
    {
        future::FutureExt::join(self, other)
    }

    /// Waits for both, or for the first error.
    #[cfg(feature = "unstable")]
    fn try_join<F, A, B, E>(self, other: F) -> TryJoin<Self, A, F, B>
    where
        Self: Future<Output = Result<A, E>> + Sized,
        F: Future<Output = Result<B, E>>,
    {
        future::FutureExt::try_join(self, other)
    }

    /// Gives the future so long and no longer, counted from its first poll.
    #[cfg(all(feature = "default", feature = "unstable"))]
    fn timeout(self, dur: Duration) -> future::Timeout<Self>
    where
        Self: Sized,
    {
        future::timeout(dur, self)
    }
}

impl<F: Future + ?Sized> FutureExt for F {}
