//! From streams to collections: the traits. Who implements them is in `collections.rs`.

use futures_core::Stream;
use std::future::Future;
use std::pin::Pin;

/// What can be turned into a stream; every stream is one.
pub trait IntoStream {
    /// What the stream gives.
    type Item;

    /// The stream.
    type IntoStream: Stream<Item = Self::Item>;

    /// Makes a stream of the value.
    fn into_stream(self) -> Self::IntoStream;
}

impl<S: Stream> IntoStream for S {
    type Item = S::Item;
    type IntoStream = S;

    fn into_stream(self) -> S {
        self
    }
}

/// What can be made of all items of a stream: the result of [`StreamExt::collect`](super::StreamExt::collect).
pub trait FromStream<T: Send> {
    /// Awaits all items.
    fn from_stream<'a, S: IntoStream<Item = T> + 'a>(
        stream: S,
    ) -> Pin<Box<dyn Future<Output = Self> + 'a + Send>>
    where
        S::IntoStream: Send;
}

/// What takes all items of a stream in.
pub trait Extend<A> {
    /// Awaits all items, and adds them.
    fn extend<'a, T: IntoStream<Item = A> + 'a>(
        &'a mut self,
        stream: T,
    ) -> Pin<Box<dyn Future<Output = ()> + 'a + Send>>
    where
        T::IntoStream: Send;
}

/// Awaits all items of a stream, and adds them to a collection.
///
/// # Examples
///
/// ```
/// use async_std::stream;
///
/// # async_std::task::block_on(async {
/// let mut numbers = vec![1];
/// stream::extend(&mut numbers, stream::from_iter(2..4)).await;
/// assert_eq!(numbers, [1, 2, 3]);
/// # });
/// ```
pub async fn extend<'a, C, T, S>(collection: &mut C, stream: S)
where
    C: Extend<T>,
    S: IntoStream<Item = T> + 'a,
    S::IntoStream: Send,
{
    Extend::extend(collection, stream).await;
}
