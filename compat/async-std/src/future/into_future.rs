//! What can be turned into a future.

use std::future::Future;

/// Conversion into a future; every future is one.
///
/// async-std's trait, which is older than std's of the same name.
pub trait IntoFuture {
    /// What the future gives.
    type Output;

    /// The future.
    type Future: Future<Output = Self::Output>;

    /// Makes a future of the value.
    fn into_future(self) -> Self::Future;
}

impl<F: Future> IntoFuture for F {
    type Output = F::Output;
    type Future = F;

    fn into_future(self) -> F {
        self
    }
}
