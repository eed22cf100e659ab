//! The collections that a stream can be collected into: tables, since all of them go one way.
//!
//! A collection takes in what std's `Extend` takes in, item by item. What is made of a whole `Vec` is made of one. An `Option`
//! and a `Result` collect until the first `None` or `Err`.

use super::{Extend, FromStream, IntoStream};
#[cfg(feature = "default")]
use crate::path::{Path, PathBuf};
use futures_lite::StreamExt;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::future::Future;
use std::hash::{BuildHasher, Hash};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;

/// The future of everything here.
type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + 'a + Send>>;

/// Adds all items to what takes them one by one. A macro, since a future that names the item's type has to live no longer
/// than that, which the traits do not ask for.
macro_rules! extend_one_by_one {
    ($collection:expr, $stream:ident) => {
        let mut stream = pin!($stream);
        while let Some(item) = stream.next().await {
            std::iter::Extend::extend($collection, Some(item));
        }
    };
}

/// Collections that begin empty: their parameters, item and type.
macro_rules! impl_growing {
    ($([$($parameters:tt)*] $item:ty => $collection:ty;)*) => {$(
        impl<$($parameters)*> Extend<$item> for $collection {
            fn extend<'a, S: IntoStream<Item = $item> + 'a>(&'a mut self, stream: S) -> Boxed<'a, ()>
            where
                S::IntoStream: Send,
            {
                let stream = stream.into_stream();
                Box::pin(async move { extend_one_by_one!(self, stream); })
            }
        }

        impl<$($parameters)*> FromStream<$item> for $collection {
            fn from_stream<'a, S: IntoStream<Item = $item> + 'a>(stream: S) -> Boxed<'a, Self>
            where
                S::IntoStream: Send,
            {
                let stream = stream.into_stream();
                Box::pin(async move {
                    let mut collection = <$collection>::default();
                    extend_one_by_one!(&mut collection, stream);
                    collection
                })
            }
        }
    )*};
}

impl_growing! {
    [T: Send] T => Vec<T>;
    [T: Send] T => VecDeque<T>;
    [T: Send] T => LinkedList<T>;
    [T: Ord + Send] T => BinaryHeap<T>;
    [T: Ord + Send] T => BTreeSet<T>;
    [K: Ord + Send, V: Send] (K, V) => BTreeMap<K, V>;
    [T: Eq + Hash + Send, H: BuildHasher + Default + Send] T => HashSet<T, H>;
    [K: Eq + Hash + Send, V: Send, H: BuildHasher + Default + Send] (K, V) => HashMap<K, V, H>;
    [] char => String;
    ['b] &'b char => String;
    ['b] &'b str => String;
    [] String => String;
    ['b] Cow<'b, str> => String;
    [] () => ();
}

#[cfg(feature = "default")]
impl_growing! {
    [P: AsRef<Path> + Send] P => PathBuf;
}

/// What is made of a whole `Vec`: its parameters, item and type.
macro_rules! impl_of_vec {
    ($([$($parameters:tt)*] $item:ty => $whole:ty;)*) => {$(
        impl<$($parameters)*> FromStream<$item> for $whole {
            fn from_stream<'a, S: IntoStream<Item = $item> + 'a>(stream: S) -> Boxed<'a, Self>
            where
                S::IntoStream: Send,
            {
                let stream = stream.into_stream();
                Box::pin(async move { Vec::from_stream(stream).await.into() })
            }
        }
    )*};
}

impl_of_vec! {
    [T: Clone + Send] T => Cow<'_, [T]>;
    [T: Send] T => Box<[T]>;
    [T: Send] T => Rc<[T]>;
    [T: Send] T => Arc<[T]>;
}

impl<T: Send, V: FromStream<T>> FromStream<Option<T>> for Option<V> {
    fn from_stream<'a, S: IntoStream<Item = Option<T>> + 'a>(stream: S) -> Boxed<'a, Self>
    where
        S::IntoStream: Send,
    {
        let stream = stream.into_stream();
        Box::pin(async move {
            let mut all = true;
            let collected = V::from_stream(stream.map_while(|item| {
                all = item.is_some();
                item
            }))
            .await;
            all.then_some(collected)
        })
    }
}

impl<T: Send, E: Send, V: FromStream<T>> FromStream<Result<T, E>> for Result<V, E> {
    fn from_stream<'a, S: IntoStream<Item = Result<T, E>> + 'a>(stream: S) -> Boxed<'a, Self>
    where
        S::IntoStream: Send,
    {
        let stream = stream.into_stream();
        Box::pin(async move {
            let mut failure = None;
            let collected = V::from_stream(stream.map_while(|item| match item {
                Ok(item) => Some(item),
                Err(error) => {
                    failure = Some(error);
                    None
                }
            }))
            .await;
            failure.map_or(Ok(collected), Err)
        })
    }
}
