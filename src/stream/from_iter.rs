//! An iterator as a stream.

use super::FromIter;

/// A stream of what an iterator yields; always ready.
///
/// # Examples
///
/// ```
/// use parklet::stream::{self, StreamExt};
///
/// # parklet::task::block_on(async {
/// let mut numbers = stream::from_iter([1, 2]);
/// assert_eq!(numbers.next().await, Some(1));
/// assert_eq!(numbers.next().await, Some(2));
/// assert_eq!(numbers.next().await, None);
/// # });
/// ```
pub fn from_iter<I: IntoIterator>(iterator: I) -> FromIter<I::IntoIter> {
    futures_lite::stream::iter(iterator)
}
