//! Streams: what async-std says of each of its methods.

use async_std::prelude::*;
use async_std::stream::{self, FusedStream, Stream};
use async_std::task::{Context, Poll, block_on};
use std::cmp::Ordering;
use std::pin::Pin;
use std::time::{Duration, Instant};

/// A stream that is not ready every other time.
#[derive(Clone, Debug)]
struct Hesitant<I>(I, bool);

impl<I: Iterator + Unpin> Stream for Hesitant<I> {
    type Item = I::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<I::Item>> {
        self.1 = !self.1;
        if self.1 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.0.next())
    }
}

/// The items, each of them late.
fn of<I: IntoIterator>(items: I) -> Hesitant<I::IntoIter> {
    Hesitant(items.into_iter(), false)
}

/// What is left of a stream.
fn rest<S: Stream<Item: Send> + Send>(stream: S) -> Vec<S::Item> {
    block_on(stream.collect())
}

#[test]
fn constructors() {
    assert_eq!(rest(stream::empty::<i32>()), []);
    assert_eq!(rest(stream::once(1)), [1]);
    assert_eq!(rest(stream::repeat(1).take(2)), [1, 1]);
    let mut n = 0;
    let counting = || {
        n += 1;
        n
    };
    assert_eq!(rest(stream::repeat_with(counting).take(3)), [1, 2, 3]);
    let mut n = 0;
    let until_two = stream::from_fn(|| {
        (n < 2).then(|| {
            n += 1;
            n
        })
    });
    assert_eq!(rest(until_two), [1, 2]);
    let powers: stream::Successors<_, u32> =
        stream::successors(Some(1), |n: &u32| n.checked_mul(1 << 16));
    assert_eq!(rest(powers), [1, 1 << 16]);
    let from_iter: stream::FromIter<std::ops::Range<i32>> = stream::from_iter(0..2);
    assert_eq!(from_iter.size_hint(), (2, Some(2)));
    assert_eq!(rest(from_iter), [0, 1]);
    assert!(
        block_on(async_std::future::timeout(
            Duration::from_millis(1),
            stream::pending::<()>().next()
        ))
        .is_err()
    );
}

#[test]
fn some_of_the_items() {
    assert_eq!(rest(of(1..9).take(2)), [1, 2]);
    assert_eq!(rest(of(1..9).skip(6)), [7, 8]);
    assert_eq!(rest(of(1..9).take_while(|n| *n < 3)), [1, 2]);
    assert_eq!(rest(of(1..9).skip_while(|n| *n < 7)), [7, 8]);
    assert_eq!(rest(of(1..9).step_by(3)), [1, 4, 7]);
    assert_eq!(rest(of(1..9).filter(|n| n % 4 == 0)), [4, 8]);
    assert_eq!(
        rest(of(["1", "a", "2"]).filter_map(|word| word.parse::<i32>().ok())),
        [1, 2]
    );
    let mut fused = of(1..2).fuse();
    assert_eq!(rest(fused.by_ref()), [1]);
    assert_eq!(block_on(fused.next()), None);
}

#[test]
fn other_items() {
    assert_eq!(rest(of(1..4).map(|n| n * 10)), [10, 20, 30]);
    assert_eq!(
        rest(of(1..9).scan(0, |sum, n| {
            *sum += n;
            (*sum < 10).then_some(*sum)
        })),
        [1, 3, 6]
    );
    let mut seen = Vec::new();
    assert_eq!(rest(of(1..3).inspect(|n| seen.push(*n))), [1, 2]);
    assert_eq!(seen, [1, 2]);
    assert_eq!(rest(of(["a", "b"]).enumerate()), [(0, "a"), (1, "b")]);
    assert_eq!(rest(of(&[1, 2]).cloned()), [1, 2]);
    assert_eq!(rest(of(&[1, 2]).copied()), [1, 2]);
    assert_eq!(rest(of([1, 2]).flat_map(|n| of(vec![n; n]))), [1, 2, 2]);
    assert_eq!(rest(of([of(0..2), of(2..4)]).flatten()), [0, 1, 2, 3]);
}

#[test]
fn several_streams() {
    assert_eq!(rest(of(1..3).chain(of(3..5))), [1, 2, 3, 4]);
    assert_eq!(rest(of(1..3).cycle().take(5)), [1, 2, 1, 2, 1]);
    assert_eq!(rest(of(1..9).zip(of("ab".chars()))), [(1, 'a'), (2, 'b')]);
}

#[test]
fn merged_streams_give_all_items_and_then_end() {
    let mut all = rest(of(0..5).merge(of(5..8)).merge(stream::once(8)));
    all.sort_unstable();
    assert_eq!(all, (0..9).collect::<Vec<_>>());
    assert_eq!(rest(stream::empty::<i32>().merge(stream::empty())), []);
}

#[test]
fn a_merged_stream_that_is_always_ready_does_not_starve_the_other() {
    let both = stream::repeat(1).merge(stream::repeat(2)).take(100);
    let ones = rest(both).iter().filter(|n| **n == 1).count();
    assert!((1..100).contains(&ones), "{ones} of 100");
}

#[test]
fn folds() {
    block_on(async {
        assert_eq!(
            of(1..4)
                .fold(String::new(), |text, n| text + &n.to_string())
                .await,
            "123"
        );
        assert_eq!(
            of(1i8..4)
                .try_fold(0i8, |sum, n| sum.checked_add(n).ok_or(n))
                .await,
            Ok(6)
        );
        let mut numbers = of([100i8, 100, 1]);
        assert_eq!(
            numbers
                .try_fold(0i8, |sum, n| sum.checked_add(n).ok_or("full"))
                .await,
            Err("full")
        );
        assert_eq!(numbers.next().await, Some(1));
        let mut sum = 0;
        of(1..4).for_each(|n| sum += n).await;
        assert_eq!(sum, 6);
        assert_eq!(
            of(1..4)
                .try_for_each(|n| if n < 2 { Ok(()) } else { Err(n) })
                .await,
            Err(2)
        );
        assert_eq!(of(1..4).count().await, 3);
        assert_eq!(of(1..4).last().await, Some(3));
        assert_eq!(
            of(1..9).partition::<Vec<_>, _>(|n| n % 3 == 0).await,
            (vec![3, 6], vec![1, 2, 4, 5, 7, 8])
        );
        let (numbers, letters): (Vec<_>, String) = of([(1, 'a'), (2, 'b')]).unzip().await;
        assert_eq!((numbers, letters), (vec![1, 2], "ab".to_string()));
    });
}

#[test]
fn searches() {
    block_on(async {
        assert!(of(1..4).all(|n| n < 4).await && !of(1..4).all(|n| n < 3).await);
        assert!(of(1..4).any(|n| n == 3).await && !of(1..4).any(|n| n == 4).await);
        assert_eq!(of(1..9).find(|n| n % 4 == 0).await, Some(4));
        assert_eq!(
            of(["a", "2"])
                .find_map(|word| word.parse::<i32>().ok())
                .await,
            Some(2)
        );
        assert_eq!(of(1..9).position(|n| n == 3).await, Some(2));
        let mut numbers = of(1..9);
        assert_eq!(
            (
                numbers.nth(1).await,
                numbers.nth(0).await,
                numbers.nth(9).await
            ),
            (Some(2), Some(3), None)
        );
    });
}

#[test]
fn the_least_and_the_greatest_are_the_first_of_their_kind() {
    block_on(async {
        assert_eq!(
            (of([2, 1, 3]).min().await, of([2, 1, 3]).max().await),
            (Some(1), Some(3))
        );
        assert_eq!(of(0..0).max().await, None);
        let words = || of(["one", "two", "three", "seven", "a", "b"]);
        assert_eq!(words().max_by_key(|word| word.len()).await, Some("three"));
        assert_eq!(words().min_by_key(|word| word.len()).await, Some("a"));
        let by_length = |left: &&str, right: &&str| left.len().cmp(&right.len());
        assert_eq!(words().max_by(by_length).await, Some("three"));
        assert_eq!(words().min_by(by_length).await, Some("a"));
    });
}

#[test]
fn streams_compare_item_by_item_and_then_by_length() {
    block_on(async {
        let (short, long, other) = (of(1..3), of(1..4), of(2..3));
        assert_eq!(short.clone().cmp(short.clone()).await, Ordering::Equal);
        assert_eq!(short.clone().cmp(long.clone()).await, Ordering::Less);
        assert_eq!(other.clone().cmp(long.clone()).await, Ordering::Greater);
        assert_eq!(
            stream::once(f64::NAN).partial_cmp(stream::once(1.0)).await,
            None
        );
        assert_eq!(
            long.clone().partial_cmp(short.clone()).await,
            Some(Ordering::Greater)
        );
        assert!(short.clone().eq(short.clone()).await && !short.clone().ne(short.clone()).await);
        // 1.13.2 says that a stream equals its beginning.
        assert!(short.clone().ne(long.clone()).await && !long.clone().eq(short.clone()).await);
        assert!(short.clone().lt(long.clone()).await && short.clone().le(short.clone()).await);
        assert!(other.clone().gt(long.clone()).await && other.clone().ge(other).await);
        assert!(!stream::once(f64::NAN).ge(stream::once(1.0)).await);
    });
}

#[test]
fn two_ends_meet() {
    block_on(async {
        let mut numbers = stream::from_iter(1..=6);
        assert_eq!(
            (numbers.next_back().await, numbers.nth_back(1).await),
            (Some(6), Some(4))
        );
        assert_eq!(numbers.rfind(|n| *n < 3).await, Some(2));
        assert_eq!(
            (numbers.next().await, numbers.next_back().await),
            (Some(1), None)
        );
        let text = stream::from_iter('a'..='c')
            .rfold(String::new(), |text, letter| text + &letter.to_string());
        assert_eq!(text.await, "cba");
        let sum = stream::from_iter([1i8, 100, 100])
            .try_rfold(0i8, |sum, n| sum.checked_add(n).ok_or("full"));
        assert_eq!(sum.await, Err("full"));
        assert_eq!(stream::once(1).next_back().await, Some(1));
    });
}

#[test]
fn markers_can_be_implemented_and_asked_for() {
    struct Three;
    impl Stream for Three {
        type Item = ();
        fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<()>> {
            Poll::Ready(None)
        }
        fn size_hint(&self) -> (usize, Option<usize>) {
            (3, Some(3))
        }
    }
    impl ExactSizeStream for Three {}
    impl FusedStream for Three {}
    fn length(stream: impl ExactSizeStream + FusedStream) -> usize {
        stream.len()
    }
    assert_eq!(
        (length(&mut Three), length(stream::pending::<()>())),
        (3, 0)
    );
}

#[test]
fn a_delay_is_waited_for_once() {
    let begin = Instant::now();
    let delayed = of(1..3).delay(Duration::from_millis(20));
    assert_eq!(rest(delayed), [1, 2]);
    assert!(begin.elapsed() >= Duration::from_millis(20));
}

#[test]
fn throttled_items_keep_their_distance() {
    let begin = Instant::now();
    let throttled = of(1..4).throttle(Duration::from_millis(10));
    assert_eq!(rest(throttled), [1, 2, 3]);
    // Twice between the three, and once before the end.
    assert!(begin.elapsed() >= Duration::from_millis(30));
}

#[test]
fn a_timeout_is_an_item_and_the_stream_goes_on() {
    block_on(async {
        let mut never = stream::pending::<()>().timeout(Duration::from_millis(1));
        for _ in 0..2 {
            let error: stream::TimeoutError = never.next().await.unwrap().unwrap_err();
            assert_eq!(error.to_string(), "stream has timed out");
        }
        let mut in_time = of(1..2).timeout(Duration::MAX);
        assert_eq!(
            (in_time.next().await, in_time.next().await),
            (Some(Ok(1)), None)
        );
    });
}
