//! Sums and products of streams.

use futures_core::Stream;
use futures_lite::StreamExt;
use std::future::Future;
use std::num::Wrapping;
use std::ops::{Add, Mul};
use std::pin::Pin;

/// What is the sum of a stream: the result of [`StreamExt::sum`](super::StreamExt::sum).
pub trait Sum<A = Self>: Sized {
    /// Awaits all items, and adds them up.
    fn sum<'a, S>(stream: S) -> Pin<Box<dyn Future<Output = Self> + 'a>>
    where
        S: Stream<Item = A> + 'a;
}

/// What is the product of a stream: the result of [`StreamExt::product`](super::StreamExt::product).
pub trait Product<A = Self>: Sized {
    /// Awaits all items, and multiplies them.
    fn product<'a, S>(stream: S) -> Pin<Box<dyn Future<Output = Self> + 'a>>
    where
        S: Stream<Item = A> + 'a;
}

/// One of both, of numbers and of references to them: trait, method, operation, where it begins.
macro_rules! impl_of_numbers {
    ($Trait:ident, $method:ident, $operation:expr, $begin:expr, $($number:ty)*) => {$(
        impl_of_numbers!(@one [], $Trait, $method, $operation, $begin, $number, $number);
        impl_of_numbers!(@one ['n], $Trait, $method, $operation, $begin, $number, &'n $number);
    )*};
    (@one [$($lifetime:tt)*], $Trait:ident, $method:ident, $operation:expr, $begin:expr, $number:ty, $item:ty) => {
        impl<$($lifetime)*> $Trait<$item> for $number {
            fn $method<'a, S>(stream: S) -> Pin<Box<dyn Future<Output = Self> + 'a>>
            where
                S: Stream<Item = $item> + 'a,
            {
                Box::pin(async move { stream.fold($begin, $operation).await })
            }
        }
    };
}

/// Both, for whole numbers and for those that wrap around.
macro_rules! impl_of_integers {
    ($($integer:ty)*) => {
        impl_of_numbers!(Sum, sum, Add::add, 0, $($integer)*);
        impl_of_numbers!(Product, product, Mul::mul, 1, $($integer)*);
        impl_of_numbers!(Sum, sum, Add::add, Wrapping(0), $(Wrapping<$integer>)*);
        impl_of_numbers!(Product, product, Mul::mul, Wrapping(1), $(Wrapping<$integer>)*);
    };
}

impl_of_integers!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);
impl_of_numbers!(Sum, sum, Add::add, 0.0, f32 f64);
impl_of_numbers!(Product, product, Mul::mul, 1.0, f32 f64);

/// One of both, of options and results: until the first `None` or `Err`, which is the result then.
macro_rules! impl_of_fallible {
    ($Trait:ident, $method:ident) => {
        impl<T, U> $Trait<Option<U>> for Option<T>
        where
            T: $Trait<U>,
        {
            fn $method<'a, S>(stream: S) -> Pin<Box<dyn Future<Output = Option<T>> + 'a>>
            where
                S: Stream<Item = Option<U>> + 'a,
            {
                Box::pin(async move {
                    let mut all = true;
                    let value = T::$method(stream.map_while(|item| {
                        all = item.is_some();
                        item
                    }))
                    .await;
                    all.then_some(value)
                })
            }
        }

        impl<T, U, E> $Trait<Result<U, E>> for Result<T, E>
        where
            T: $Trait<U>,
        {
            fn $method<'a, S>(stream: S) -> Pin<Box<dyn Future<Output = Result<T, E>> + 'a>>
            where
                S: Stream<Item = Result<U, E>> + 'a,
            {
                Box::pin(async move {
                    let mut failure = None;
                    let value = T::$method(stream.map_while(|item| match item {
                        Ok(item) => Some(item),
                        Err(error) => {
                            failure = Some(error);
                            None
                        }
                    }))
                    .await;
                    failure.map_or(Ok(value), Err)
                })
            }
        }
    };
}

impl_of_fallible!(Sum, sum);
impl_of_fallible!(Product, product);
