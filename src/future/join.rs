//! Two futures, both of which are waited for.

use super::{Join, OwnBudget, TryJoin};
use futures_lite::future::{try_zip, zip};
use std::future::Future;

/// Waits for both futures and returns both outputs.
///
/// # Cancel safety
///
/// Dropping it drops both futures, with the output of one that was ready already.
///
/// # Examples
///
/// ```
/// use parklet::future;
///
/// # parklet::task::block_on(async {
/// assert_eq!(future::join(async { 1 }, async { "two" }).await, (1, "two"));
/// # });
/// ```
pub fn join<A: Future, B: Future>(left: A, right: B) -> Join<A, B> {
    zip(left, OwnBudget::new(right))
}

/// Waits for both futures, but no longer when one of them fails.
///
/// # Errors
///
/// The first error; the other future is dropped with the `TryJoin`.
///
/// # Cancel safety
///
/// Dropping it drops both futures, with the output of one that was ready already. So does an error.
///
/// # Examples
///
/// ```
/// use parklet::future;
///
/// # parklet::task::block_on(async {
/// let both = future::try_join(future::ready(Ok(1)), future::ready(Ok::<_, String>("two")));
/// assert_eq!(both.await, Ok((1, "two")));
///
/// let failed = future::try_join(future::pending::<Result<(), _>>(), future::ready(Err::<(), _>("no")));
/// assert_eq!(failed.await, Err("no"));
/// # });
/// ```
pub fn try_join<T, U, E, A, B>(left: A, right: B) -> TryJoin<A, T, B, U>
where
    A: Future<Output = Result<T, E>>,
    B: Future<Output = Result<U, E>>,
{
    try_zip(left, OwnBudget::new(right))
}
