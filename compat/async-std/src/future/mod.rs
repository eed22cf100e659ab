//! Futures: std's and parklet's, and async-std's methods on them.

#[cfg(feature = "unstable")]
mod flatten;
#[cfg(feature = "std")]
mod future_ext;
#[cfg(feature = "unstable")]
mod into_future;

#[cfg(feature = "std")]
pub use future_ext::FutureExt;
#[cfg(feature = "unstable")]
pub use into_future::IntoFuture;

#[cfg(any(feature = "unstable", feature = "default"))]
pub use parklet::future::{TimeoutError, timeout};
pub use std::future::Future;
#[cfg(feature = "std")]
pub use std::future::{pending, poll_fn, ready};
