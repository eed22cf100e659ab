//! The combinators as methods.

use super::{Delay, Flatten, Join, Or, Timeout, TryJoin, TryRace, join, or, timeout, try_join};
use std::future::{Future, IntoFuture};
use std::time::Duration;

/// The combinators of this module as methods of every future; in [`prelude`](crate::prelude).
///
/// Those of `async_std::prelude::FutureExt`, with its names. futures' and futures-lite's traits of the same name have
/// methods in common with it: where both are in scope, call `FutureExt::race(a, b)`.
pub trait FutureExt: Future {
    /// Gives this future so long to become ready: [`timeout`] as a method.
    ///
    /// # Cancel safety
    ///
    /// As cancel safe as the future itself.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::{future::{self, FutureExt}, task};
    /// use std::time::Duration;
    ///
    /// task::block_on(async {
    ///     let never = future::pending::<()>();
    ///     assert!(never.timeout(Duration::from_millis(5)).await.is_err());
    /// });
    /// ```
    fn timeout(self, duration: Duration) -> Timeout<Self>
    where
        Self: Sized,
    {
        timeout(duration, self)
    }

    /// Starts this future later: it is polled when so long has passed since the `Delay` was first polled.
    ///
    /// # Cancel safety
    ///
    /// As cancel safe as the future itself; before the time is over, it has not been touched.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::{future::{self, FutureExt}, task};
    /// use std::time::{Duration, Instant};
    ///
    /// task::block_on(async {
    ///     let start = Instant::now();
    ///     assert_eq!(future::ready(7).delay(Duration::from_millis(5)).await, 7);
    ///     assert!(start.elapsed() >= Duration::from_millis(5));
    /// });
    /// ```
    fn delay(self, duration: Duration) -> Delay<Self>
    where
        Self: Sized,
    {
        Delay::new(duration, self)
    }

    /// Awaits this future, and then the future that came out of it.
    ///
    /// # Cancel safety
    ///
    /// As cancel safe as both futures.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::future::FutureExt;
    ///
    /// # parklet::task::block_on(async {
    /// assert_eq!(async { async { 1 } }.flatten().await, 1);
    /// # });
    /// ```
    fn flatten(self) -> Flatten<Self, <Self::Output as IntoFuture>::IntoFuture>
    where
        Self: Sized,
        Self::Output: IntoFuture,
    {
        Flatten::new(self)
    }

    /// Waits for whichever is ready first; if both are, it is this one, as in async-std.
    ///
    /// The function [`race`](super::race), which is futures-lite's, gives both the same chance.
    ///
    /// # Cancel safety
    ///
    /// The one that is not first is dropped before it is ready: both should be cancel safe.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::future::{self, FutureExt};
    ///
    /// # parklet::task::block_on(async {
    /// let first = future::pending().race(future::ready(1)).race(future::ready(2));
    /// assert_eq!(first.await, 1);
    /// # });
    /// ```
    fn race<F>(self, other: F) -> Or<Self, F>
    where
        Self: Sized,
        F: Future<Output = Self::Output>,
    {
        or(self, other)
    }

    /// Waits for whichever succeeds first.
    ///
    /// # Errors
    ///
    /// If both fail, the error that came last.
    ///
    /// # Cancel safety
    ///
    /// The one that is not first is dropped before it is ready: both should be cancel safe.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::future::{self, FutureExt};
    ///
    /// # parklet::task::block_on(async {
    /// let first = future::ready(Err("no")).try_race(future::ready(Ok(1)));
    /// assert_eq!(first.await, Ok(1));
    /// # });
    /// ```
    fn try_race<F, T, E>(self, other: F) -> TryRace<Self, F>
    where
        Self: Future<Output = Result<T, E>> + Sized,
        F: Future<Output = Result<T, E>>,
    {
        TryRace::new(self, other)
    }

    /// Waits for both: [`join`] as a method.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops both futures, with the output of one that was ready already.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::future::{self, FutureExt};
    ///
    /// # parklet::task::block_on(async {
    /// assert_eq!(future::ready(1).join(future::ready("two")).await, (1, "two"));
    /// # });
    /// ```
    fn join<F>(self, other: F) -> Join<Self, F>
    where
        Self: Sized,
        F: Future,
    {
        join(self, other)
    }

    /// Waits for both, but no longer when one fails: [`try_join`] as a method.
    ///
    /// # Errors
    ///
    /// The first error.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops both futures, with the output of one that was ready already. So does an error.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::future::{self, FutureExt};
    ///
    /// # parklet::task::block_on(async {
    /// let both = future::ready(Ok(1)).try_join(future::ready(Err::<(), _>("no")));
    /// assert_eq!(both.await, Err("no"));
    /// # });
    /// ```
    fn try_join<F, T, U, E>(self, other: F) -> TryJoin<Self, T, F, U>
    where
        Self: Future<Output = Result<T, E>> + Sized,
        F: Future<Output = Result<U, E>>,
    {
        try_join(self, other)
    }
}

impl<F: Future + ?Sized> FutureExt for F {}
