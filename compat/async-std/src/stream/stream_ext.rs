//! async-std's methods on streams: a table. What it does not name here is futures-lite's or in the file of its family.

use super::compare::{Cmp, Eq, Holds, Ne, PartialCmp};
use super::extreme::{ByKey, Compare, Extreme};
use super::try_fold::TryFold;
use super::{
    Chain, Cloned, Copied, Filter, Fuse, Inspect, Map, Scan, Skip, SkipWhile, StepBy, Stream, Take,
    TakeWhile, Zip,
};
use futures_lite::stream::{
    AllFuture, AnyFuture, Cycle, Enumerate, FilterMap, FindFuture, FindMapFuture, FoldFuture,
    ForEachFuture, LastFuture, NextFuture, NthFuture, PositionFuture, StreamExt as Lite,
    TryForEachFuture,
};
use std::cmp::Ordering;

#[cfg(feature = "unstable")]
use {
    super::{
        Delay, FlatMap, Flatten, FromStream, IntoStream, Merge, Product, Sum, Throttle, Timeout,
    },
    futures_lite::stream::{CountFuture, PartitionFuture, UnzipFuture},
    std::future::Future,
    std::pin::Pin,
    std::time::Duration,
};

/// Methods on streams.
///
/// # Examples
///
/// ```
/// use async_std::stream::{self, StreamExt};
///
/// # async_std::task::block_on(async {
/// let words = stream::from_iter(["one", "three", "two"]);
/// assert_eq!(words.clone().max_by_key(|word| word.len()).await, Some("three"));
/// assert!(words.lt(stream::once("two")).await);
/// # });
/// ```
pub trait StreamExt: Stream {
    // One by one.

    /// The next item.
    fn next(&mut self) -> NextFuture<'_, Self>
    where
        Self: Unpin,
    {
        Lite::next(self)
    }

    /// The item after `n` others.
    fn nth(&mut self, n: usize) -> NthFuture<'_, Self>
    where
        Self: Unpin + Sized,
    {
        Lite::nth(self, n)
    }

    /// The last item.
    fn last(self) -> LastFuture<Self>
    where
        Self: Sized,
    {
        Lite::last(self)
    }

    // Some of the items.

    /// The first `n` items.
    fn take(self, n: usize) -> Take<Self>
    where
        Self: Sized,
    {
        Lite::take(self, n)
    }

    /// The items before the first that is refused.
    fn take_while<P>(self, predicate: P) -> TakeWhile<Self, P>
    where
        Self: Sized,
        P: FnMut(&Self::Item) -> bool,
    {
        Lite::take_while(self, predicate)
    }

    /// The items after the first `n`.
    fn skip(self, n: usize) -> Skip<Self>
    where
        Self: Sized,
    {
        Lite::skip(self, n)
    }

    /// The items from the first that is refused.
    fn skip_while<P>(self, predicate: P) -> SkipWhile<Self, P>
    where
        Self: Sized,
        P: FnMut(&Self::Item) -> bool,
    {
        Lite::skip_while(self, predicate)
    }

    /// The first item, and then every `step`th.
    ///
    /// # Panics
    ///
    /// If `step` is 0.
    fn step_by(self, step: usize) -> StepBy<Self>
    where
        Self: Sized,
    {
        Lite::step_by(self, step)
    }

    /// The items that are accepted.
    fn filter<P>(self, predicate: P) -> Filter<Self, P>
    where
        Self: Sized,
        P: FnMut(&Self::Item) -> bool,
    {
        Lite::filter(self, predicate)
    }

    /// What becomes of the items that become something.
    fn filter_map<B, F>(self, f: F) -> FilterMap<Self, F>
    where
        Self: Sized,
        F: FnMut(Self::Item) -> Option<B>,
    {
        Lite::filter_map(self, f)
    }

    /// Nothing more after the first end.
    fn fuse(self) -> Fuse<Self>
    where
        Self: Sized,
    {
        Lite::fuse(self)
    }

    // Other items.

    /// What becomes of the items.
    fn map<B, F>(self, f: F) -> Map<Self, F>
    where
        Self: Sized,
        F: FnMut(Self::Item) -> B,
    {
        Lite::map(self, f)
    }

    /// What becomes of the items, and of a state beside them, until it becomes nothing.
    fn scan<St, B, F>(self, initial_state: St, f: F) -> Scan<Self, St, F>
    where
        Self: Sized,
        F: FnMut(&mut St, Self::Item) -> Option<B>,
    {
        Lite::scan(self, initial_state, f)
    }

    /// The items, each shown to a closure.
    fn inspect<F>(self, f: F) -> Inspect<Self, F>
    where
        Self: Sized,
        F: FnMut(&Self::Item),
    {
        Lite::inspect(self, f)
    }

    /// The items with their number, from 0.
    fn enumerate(self) -> Enumerate<Self>
    where
        Self: Sized,
    {
        Lite::enumerate(self)
    }

    /// Clones of the items.
    fn cloned<'a, T>(self) -> Cloned<Self>
    where
        Self: Sized + Stream<Item = &'a T>,
        T: Clone + 'a,
    {
        Lite::cloned(self)
    }

    /// Copies of the items.
    fn copied<'a, T>(self) -> Copied<Self>
    where
        Self: Sized + Stream<Item = &'a T>,
        T: Copy + 'a,
    {
        Lite::copied(self)
    }

    /// What becomes of the items are streams, and these one after the other.
    #[cfg(feature = "unstable")]
    fn flat_map<U, F>(self, f: F) -> FlatMap<Self, U, F>
    where
        Self: Sized,
        U: Stream,
        F: FnMut(Self::Item) -> U,
    {
        Lite::flat_map(self, f)
    }

    /// The items are streams, and these one after the other.
    #[cfg(feature = "unstable")]
    fn flatten(self) -> Flatten<Self>
    where
        Self: Sized,
        Self::Item: IntoStream,
    {
        Flatten::new(self)
    }

    // Several streams.

    /// This stream's items, and then the other's.
    fn chain<U>(self, other: U) -> Chain<Self, U>
    where
        Self: Sized,
        U: Stream<Item = Self::Item> + Sized,
    {
        Lite::chain(self, other)
    }

    /// The same items over and over.
    fn cycle(self) -> Cycle<Self>
    where
        Self: Clone + Sized,
    {
        Lite::cycle(self)
    }

    /// Pairs of both streams' items, until one ends.
    fn zip<U>(self, other: U) -> Zip<Self, U>
    where
        Self: Sized,
        U: Stream,
    {
        Lite::zip(self, other)
    }

    /// Both streams' items as they come, until both have ended.
    #[cfg(feature = "unstable")]
    fn merge<U>(self, other: U) -> Merge<Self, U>
    where
        Self: Sized,
        U: Stream<Item = Self::Item> + Sized,
    {
        Merge::new(self, other)
    }

    // Time.

    /// The items, the first of them not before `dur` is over.
    #[cfg(feature = "unstable")]
    fn delay(self, dur: Duration) -> Delay<Self>
    where
        Self: Sized,
    {
        Delay::new(self, dur)
    }

    /// The items, with `d` at least from one to the next.
    #[cfg(feature = "unstable")]
    fn throttle(self, d: Duration) -> Throttle<Self>
    where
        Self: Sized,
    {
        Throttle::new(self, d)
    }

    /// The items, and an error for each `dur` without one.
    #[cfg(feature = "unstable")]
    fn timeout(self, dur: Duration) -> Timeout<Self>
    where
        Self: Stream + Sized,
    {
        Timeout::new(self, dur)
    }

    // All of them become one value.

    /// What becomes of a value and all items, one by one.
    fn fold<B, F>(self, init: B, f: F) -> FoldFuture<Self, F, B>
    where
        Self: Sized,
        F: FnMut(B, Self::Item) -> B,
    {
        Lite::fold(self, init, f)
    }

    /// What becomes of a value and all items, until one fails.
    fn try_fold<B, F, E>(&mut self, init: B, f: F) -> TryFold<'_, Self, F, B>
    where
        Self: Unpin + Sized,
        F: FnMut(B, Self::Item) -> Result<B, E>,
    {
        TryFold::new(self, init, f)
    }

    /// Gives each item to a closure.
    fn for_each<F>(self, f: F) -> ForEachFuture<Self, F>
    where
        Self: Sized,
        F: FnMut(Self::Item),
    {
        Lite::for_each(self, f)
    }

    /// Gives each item to a closure, until it fails.
    fn try_for_each<F, E>(&mut self, f: F) -> TryForEachFuture<'_, Self, F>
    where
        Self: Unpin + Sized,
        F: FnMut(Self::Item) -> Result<(), E>,
    {
        Lite::try_for_each(self, f)
    }

    /// How many there are.
    #[cfg(feature = "unstable")]
    fn count(self) -> CountFuture<Self>
    where
        Self: Sized,
    {
        Lite::count(self)
    }

    /// All items in a collection.
    #[cfg(feature = "unstable")]
    fn collect<'a, B>(self) -> Pin<Box<dyn Future<Output = B> + 'a + Send>>
    where
        Self: Sized + 'a + Send,
        B: FromStream<Self::Item>,
        Self::Item: Send,
    {
        FromStream::from_stream(self)
    }

    /// The items that are accepted, and the others.
    #[cfg(feature = "unstable")]
    fn partition<B, F>(self, f: F) -> PartitionFuture<Self, F, B>
    where
        Self: Sized,
        F: FnMut(&Self::Item) -> bool,
        B: Default + std::iter::Extend<Self::Item>,
    {
        Lite::partition(self, f)
    }

    /// The first halves of all pairs, and the second ones.
    #[cfg(feature = "unstable")]
    fn unzip<A, B, FromA, FromB>(self) -> UnzipFuture<Self, FromA, FromB>
    where
        FromA: Default + std::iter::Extend<A>,
        FromB: Default + std::iter::Extend<B>,
        Self: Stream<Item = (A, B)> + Sized,
    {
        Lite::unzip(self)
    }

    /// The sum of all items.
    #[cfg(feature = "unstable")]
    fn sum<'a, S>(self) -> Pin<Box<dyn Future<Output = S> + 'a>>
    where
        Self: Sized + Stream<Item = S> + 'a,
        S: Sum<Self::Item>,
    {
        Sum::sum(self)
    }

    /// The product of all items.
    #[cfg(feature = "unstable")]
    fn product<'a, P>(self) -> Pin<Box<dyn Future<Output = P> + 'a>>
    where
        Self: Sized + Stream<Item = P> + 'a,
        P: Product,
    {
        Product::product(self)
    }

    // A search.

    /// Whether all items are accepted.
    fn all<F>(&mut self, f: F) -> AllFuture<'_, Self, F>
    where
        Self: Unpin + Sized,
        F: FnMut(Self::Item) -> bool,
    {
        Lite::all(self, f)
    }

    /// Whether an item is accepted.
    fn any<F>(&mut self, f: F) -> AnyFuture<'_, Self, F>
    where
        Self: Unpin + Sized,
        F: FnMut(Self::Item) -> bool,
    {
        Lite::any(self, f)
    }

    /// The first item that is accepted.
    fn find<P>(&mut self, p: P) -> FindFuture<'_, Self, P>
    where
        Self: Unpin + Sized,
        P: FnMut(&Self::Item) -> bool,
    {
        Lite::find(self, p)
    }

    /// What becomes of the first item that becomes something.
    fn find_map<F, B>(&mut self, f: F) -> FindMapFuture<'_, Self, F>
    where
        Self: Unpin + Sized,
        F: FnMut(Self::Item) -> Option<B>,
    {
        Lite::find_map(self, f)
    }

    /// The number of the first item that is accepted, from 0.
    fn position<P>(&mut self, predicate: P) -> PositionFuture<'_, Self, P>
    where
        Self: Unpin + Sized,
        P: FnMut(Self::Item) -> bool,
    {
        Lite::position(self, predicate)
    }

    /// The stream by reference, to use it again after an adapter.
    #[cfg(feature = "unstable")]
    fn by_ref(&mut self) -> &mut Self {
        self
    }

    // The least and the greatest; the first of several.

    /// The least item.
    fn min(self) -> Extreme<Self, Compare<Self::Item>, Self::Item>
    where
        Self: Sized,
        Self::Item: Ord,
    {
        Extreme::new(self, Ordering::Less, Ord::cmp)
    }

    /// The greatest item.
    fn max(self) -> Extreme<Self, Compare<Self::Item>, Self::Item>
    where
        Self: Sized,
        Self::Item: Ord,
    {
        Extreme::new(self, Ordering::Greater, Ord::cmp)
    }

    /// The least item, as compared by a closure.
    fn min_by<F>(self, compare: F) -> Extreme<Self, F, Self::Item>
    where
        Self: Sized,
        F: FnMut(&Self::Item, &Self::Item) -> Ordering,
    {
        Extreme::new(self, Ordering::Less, compare)
    }

    /// The greatest item, as compared by a closure.
    fn max_by<F>(self, compare: F) -> Extreme<Self, F, Self::Item>
    where
        Self: Sized,
        F: FnMut(&Self::Item, &Self::Item) -> Ordering,
    {
        Extreme::new(self, Ordering::Greater, compare)
    }

    /// The item with the least key.
    fn min_by_key<B, F>(self, key_by: F) -> ByKey<Self, F, B>
    where
        Self: Sized,
        B: Ord,
        F: FnMut(&Self::Item) -> B,
    {
        ByKey::new(self, Ordering::Less, key_by)
    }

    /// The item with the greatest key.
    fn max_by_key<B, F>(self, key_by: F) -> ByKey<Self, F, B>
    where
        Self: Sized,
        B: Ord,
        F: FnMut(&Self::Item) -> B,
    {
        ByKey::new(self, Ordering::Greater, key_by)
    }

    // Two streams compared: item by item, and then by length.

    /// How this stream stands to the other.
    fn cmp<S>(self, other: S) -> Cmp<Self, S>
    where
        Self: Sized + Stream,
        S: Stream<Item = Self::Item>,
        Self::Item: Ord,
    {
        Cmp::new(self, other)
    }

    /// How this stream stands to the other, if that can be said.
    fn partial_cmp<S>(self, other: S) -> PartialCmp<Self, S>
    where
        Self: Sized + Stream,
        S: Stream,
        Self::Item: PartialOrd<S::Item>,
    {
        PartialCmp::new(self, other)
    }

    /// Whether both have the same items.
    fn eq<S>(self, other: S) -> Eq<Self, S>
    where
        Self: Sized + Stream,
        S: Sized + Stream,
        Self::Item: PartialEq<S::Item>,
    {
        Eq::new(self, other)
    }

    /// Whether they have not the same items.
    fn ne<S>(self, other: S) -> Ne<Self, S>
    where
        Self: Sized,
        S: Sized + Stream,
        Self::Item: PartialEq<S::Item>,
    {
        Ne::new(self, other)
    }

    /// Whether this one comes before the other.
    fn lt<S>(self, other: S) -> Holds<Self, S>
    where
        Self: Sized + Stream,
        S: Stream,
        Self::Item: PartialOrd<S::Item>,
    {
        Holds::new(self, other, Ordering::is_lt)
    }

    /// Whether this one does not come after the other.
    fn le<S>(self, other: S) -> Holds<Self, S>
    where
        Self: Sized + Stream,
        S: Stream,
        Self::Item: PartialOrd<S::Item>,
    {
        Holds::new(self, other, Ordering::is_le)
    }

    /// Whether this one comes after the other.
    fn gt<S>(self, other: S) -> Holds<Self, S>
    where
        Self: Sized + Stream,
        S: Stream,
        Self::Item: PartialOrd<S::Item>,
    {
        Holds::new(self, other, Ordering::is_gt)
    }

    /// Whether this one does not come before the other.
    fn ge<S>(self, other: S) -> Holds<Self, S>
    where
        Self: Sized + Stream,
        S: Stream,
        Self::Item: PartialOrd<S::Item>,
    {
        Holds::new(self, other, Ordering::is_ge)
    }
}

impl<S: Stream + ?Sized> StreamExt for S {}
