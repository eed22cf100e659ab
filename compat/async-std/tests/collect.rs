//! Collecting streams: into all that std's collections are.

use async_std::path::PathBuf;
use async_std::prelude::*;
use async_std::stream::{self, Extend, FromStream, IntoStream};
use async_std::task::block_on;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::num::Wrapping;
use std::rc::Rc;
use std::sync::Arc;

/// Collects an iterator's items.
fn collect<C: FromStream<I::Item>, I>(items: I) -> C
where
    I: IntoIterator<Item: Send, IntoIter: Send>,
{
    block_on(stream::from_iter(items).collect())
}

#[test]
fn each_of_stds_collections_can_be_collected_into() {
    assert_eq!(collect::<Vec<_>, _>(0..3), [0, 1, 2]);
    assert_eq!(collect::<VecDeque<_>, _>(0..3), [0, 1, 2]);
    assert_eq!(
        collect::<LinkedList<_>, _>(0..3),
        LinkedList::from([0, 1, 2])
    );
    assert_eq!(
        collect::<BinaryHeap<_>, _>(0..3).into_sorted_vec(),
        [0, 1, 2]
    );
    assert_eq!(collect::<BTreeSet<_>, _>([2, 1, 2]), BTreeSet::from([1, 2]));
    assert_eq!(collect::<HashSet<_>, _>([2, 1, 2]), HashSet::from([1, 2]));
    assert_eq!(
        collect::<BTreeMap<_, _>, _>([(1, 'a')]),
        BTreeMap::from([(1, 'a')])
    );
    assert_eq!(
        collect::<HashMap<_, _>, _>([(1, 'a')]),
        HashMap::from([(1, 'a')])
    );
    assert_eq!(*collect::<Box<[_]>, _>(0..2), [0, 1]);
    assert_eq!(*collect::<Rc<[_]>, _>(0..2), [0, 1]);
    assert_eq!(*collect::<Arc<[_]>, _>(0..2), [0, 1]);
    assert_eq!(collect::<Cow<'_, [i32]>, _>(0..2), Cow::Borrowed(&[0, 1]));
    assert_eq!(collect::<String, _>(['a', 'b']), "ab");
    assert_eq!(collect::<String, _>([&'a', &'b']), "ab");
    assert_eq!(collect::<String, _>(["a", "b"]), "ab");
    assert_eq!(collect::<String, _>([String::from("a")]), "a");
    assert_eq!(collect::<String, _>([Cow::Borrowed("a")]), "a");
    assert_eq!(collect::<PathBuf, _>(["a", "b"]), PathBuf::from("a/b"));
    collect::<(), _>([(), ()]);
}

#[test]
fn an_option_or_a_result_collects_until_the_first_failure() {
    assert_eq!(
        collect::<Option<Vec<_>>, _>([Some(1), Some(2)]),
        Some(vec![1, 2])
    );
    assert_eq!(collect::<Option<Vec<_>>, _>([Some(1), None]), None);
    assert_eq!(
        collect::<Result<Vec<_>, &str>, _>([Ok(1), Ok(2)]),
        Ok(vec![1, 2])
    );

    let mut taken = 0;
    let results = [Ok(1), Err("no"), Ok(3)]
        .into_iter()
        .inspect(|_| taken += 1);
    assert_eq!(collect::<Result<Vec<i32>, &str>, _>(results), Err("no"));
    assert_eq!(taken, 2);
}

#[test]
fn a_collection_is_extended() {
    block_on(async {
        let mut numbers = vec![1];
        Extend::extend(&mut numbers, stream::once(2)).await;
        stream::extend(&mut numbers, stream::from_iter([3])).await;
        assert_eq!(numbers, [1, 2, 3]);

        let mut text = String::from("a");
        stream::extend(&mut text, stream::from_iter(["b", "c"])).await;
        assert_eq!(text, "abc");
        let mut path = PathBuf::from("a");
        stream::extend(&mut path, stream::once("b")).await;
        assert_eq!(path, PathBuf::from("a/b"));
        Extend::extend(&mut (), stream::once(())).await;
    });
}

/// No stream itself.
struct Pair(i32, i32);

impl IntoStream for Pair {
    type Item = i32;
    type IntoStream = stream::FromIter<std::array::IntoIter<i32, 2>>;

    fn into_stream(self) -> Self::IntoStream {
        stream::from_iter([self.0, self.1])
    }
}

#[test]
fn what_can_be_turned_into_a_stream_is_collected_and_flattened() {
    block_on(async {
        assert_eq!(Vec::from_stream(Pair(1, 2)).await, [1, 2]);
        let flat = stream::from_iter([Pair(1, 2), Pair(3, 4)]).flatten();
        assert_eq!(flat.collect::<Vec<_>>().await, [1, 2, 3, 4]);
    });
}

#[test]
fn numbers_are_summed_up_and_multiplied() {
    block_on(async {
        assert_eq!(stream::from_iter(1..=5).sum::<i32>().await, 15);
        assert_eq!(stream::from_iter(1u8..=5).product::<u8>().await, 120);
        assert_eq!(stream::from_iter([0.5, 0.25]).sum::<f64>().await, 0.75);
        let wrapped = stream::from_iter([Wrapping(200u8), Wrapping(100)]);
        assert_eq!(wrapped.sum::<Wrapping<u8>>().await, Wrapping(44));
        let numbers = [2, 3];
        assert_eq!(
            <i32 as stream::Sum<&i32>>::sum(stream::from_iter(&numbers)).await,
            5
        );
        assert_eq!(
            <i32 as stream::Product<&i32>>::product(stream::from_iter(&numbers)).await,
            6
        );
    });
}

#[test]
fn the_sum_of_options_and_results_ends_at_the_first_failure() {
    block_on(async {
        assert_eq!(
            stream::from_iter([Some(1), Some(2)])
                .sum::<Option<i32>>()
                .await,
            Some(3)
        );
        assert_eq!(
            stream::from_iter([Some(1), None])
                .product::<Option<i32>>()
                .await,
            None
        );
        let results = || stream::from_iter([Ok(2), Ok(3), Err("no"), Err("never")]);
        assert_eq!(
            results().take(2).product::<Result<i32, &str>>().await,
            Ok(6)
        );
        assert_eq!(results().sum::<Result<i32, &str>>().await, Err("no"));
    });
}

#[test]
fn a_collecting_future_can_be_sent() {
    fn assert_send<T: Send>(value: T) -> T {
        value
    }
    let collecting = assert_send(stream::repeat(1u8).take(3).collect::<Vec<_>>());
    assert_eq!(block_on(async_std::task::spawn(collecting)), [1, 1, 1]);
}
