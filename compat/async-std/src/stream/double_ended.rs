//! Streams that can be read from both ends.

use super::{FromIter, Once, Pending, Stream};
use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A stream with two ends.
///
/// # Examples
///
/// ```
/// use async_std::prelude::*;
/// use async_std::stream;
///
/// # async_std::task::block_on(async {
/// let mut numbers = stream::from_iter(1..=5);
/// assert_eq!(numbers.next_back().await, Some(5));
/// assert_eq!(numbers.next().await, Some(1));
/// assert_eq!(numbers.rfind(|n| n % 2 == 1).await, Some(3));
/// assert_eq!(numbers.rfold(0, |sum, n| sum + n).await, 2);
/// # });
/// ```
pub trait DoubleEndedStream: Stream {
    /// The last item that is left, if it is there already.
    fn poll_next_back(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>>;

    /// The last item that is left.
    fn next_back(&mut self) -> NthBack<'_, Self>
    where
        Self: Unpin,
    {
        NthBack { stream: self, n: 0 }
    }

    /// The item before the last `n`.
    fn nth_back(&mut self, n: usize) -> NthBack<'_, Self>
    where
        Self: Unpin + Sized,
    {
        NthBack { stream: self, n }
    }

    /// The last item that is accepted.
    fn rfind<P>(&mut self, p: P) -> RFind<'_, Self, P>
    where
        Self: Unpin + Sized,
        P: FnMut(&Self::Item) -> bool,
    {
        RFind {
            stream: self,
            predicate: p,
        }
    }

    /// What becomes of a value and all items, from the last to the first.
    fn rfold<B, F>(self, accum: B, f: F) -> RFold<Self, F, B>
    where
        Self: Sized,
        F: FnMut(B, Self::Item) -> B,
    {
        RFold {
            stream: self,
            fold: f,
            value: Some(accum),
        }
    }

    /// What becomes of a value and all items, from the last to the first, until one fails.
    fn try_rfold<B, F, E>(self, accum: B, f: F) -> TryRFold<Self, F, B>
    where
        Self: Sized,
        F: FnMut(B, Self::Item) -> Result<B, E>,
    {
        TryRFold {
            stream: self,
            fold: f,
            value: Some(accum),
        }
    }
}

impl<I: DoubleEndedIterator> DoubleEndedStream for FromIter<I> {
    fn poll_next_back(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<I::Item>> {
        Poll::Ready(self.iter.next_back())
    }
}

/// Its only item is the first and the last.
impl<T> DoubleEndedStream for Once<T> {
    fn poll_next_back(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.poll_next(cx)
    }
}

impl<T> DoubleEndedStream for Pending<T> {
    fn poll_next_back(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<T>> {
        Poll::Pending
    }
}

/// The future of [`DoubleEndedStream::next_back`] and [`DoubleEndedStream::nth_back`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct NthBack<'a, S: ?Sized> {
    /// Where the items come from.
    stream: &'a mut S,
    /// How many are still passed over.
    n: usize,
}

impl<S: DoubleEndedStream + Unpin + ?Sized> Future for NthBack<'_, S> {
    type Output = Option<S::Item>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        loop {
            let item = ready!(Pin::new(&mut *self.stream).poll_next_back(cx));
            if item.is_none() || self.n == 0 {
                return Poll::Ready(item);
            }
            self.n -= 1;
        }
    }
}

/// The future of [`DoubleEndedStream::rfind`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct RFind<'a, S, P> {
    /// Where the items come from.
    stream: &'a mut S,
    /// What accepts them.
    predicate: P,
}

impl<S, P> Unpin for RFind<'_, S, P> {}

impl<S, P> Future for RFind<'_, S, P>
where
    S: DoubleEndedStream + Unpin,
    P: FnMut(&S::Item) -> bool,
{
    type Output = Option<S::Item>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = &mut *self;
        while let Some(item) = ready!(Pin::new(&mut *this.stream).poll_next_back(cx)) {
            if (this.predicate)(&item) {
                return Poll::Ready(Some(item));
            }
        }
        Poll::Ready(None)
    }
}

pin_project! {
    /// The future of [`DoubleEndedStream::rfold`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct RFold<S, F, B> {
        #[pin]
        stream: S,
        fold: F,
        // `None` once it was given.
        value: Option<B>,
    }
}

impl<S, F, B> Future for RFold<S, F, B>
where
    S: DoubleEndedStream,
    F: FnMut(B, S::Item) -> B,
{
    type Output = B;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<B> {
        let mut this = self.project();
        while let Some(item) = ready!(this.stream.as_mut().poll_next_back(cx)) {
            let value = this.value.take().expect(POLLED_AGAIN);
            *this.value = Some((this.fold)(value, item));
        }
        Poll::Ready(this.value.take().expect(POLLED_AGAIN))
    }
}

pin_project! {
    /// The future of [`DoubleEndedStream::try_rfold`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct TryRFold<S, F, B> {
        #[pin]
        stream: S,
        fold: F,
        // `None` once it was given.
        value: Option<B>,
    }
}

impl<S, F, B, E> Future for TryRFold<S, F, B>
where
    S: DoubleEndedStream,
    F: FnMut(B, S::Item) -> Result<B, E>,
{
    type Output = Result<B, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<B, E>> {
        let mut this = self.project();
        while let Some(item) = ready!(this.stream.as_mut().poll_next_back(cx)) {
            let value = this.value.take().expect(POLLED_AGAIN);
            *this.value = Some((this.fold)(value, item)?);
        }
        Poll::Ready(Ok(this.value.take().expect(POLLED_AGAIN)))
    }
}

/// Said by a fold whose value is gone.
const POLLED_AGAIN: &str = "a future was polled after it was ready";
