//! Two futures, the first of which is waited for.

use super::{Or, OwnBudget};
use std::future::Future;

/// Waits for whichever is ready first; if both are, it is the left one.
///
/// For two that are to have the same chance there is [`race`](super::race).
///
/// # Cancel safety
///
/// The one that is not first is dropped before it is ready: both should be cancel safe.
///
/// # Examples
///
/// ```
/// use parklet::future;
///
/// # parklet::task::block_on(async {
/// assert_eq!(future::or(future::pending(), future::ready(1)).await, 1);
/// assert_eq!(future::or(future::ready(1), future::ready(2)).await, 1);
/// # });
/// ```
pub fn or<T, A, B>(left: A, right: B) -> Or<A, B>
where
    A: Future<Output = T>,
    B: Future<Output = T>,
{
    futures_lite::future::or(left, OwnBudget::new(right))
}
