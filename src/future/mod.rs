//! Futures combined: with a deadline, with each other, with a handle that stops them.
//!
//! | here | what it does | as in |
//! |---|---|---|
//! | [`timeout`] | gives a future so long and no longer | async-std |
//! | [`abortable`] | stops a future from elsewhere | futures |
//! | [`join`], [`try_join`] | waits for both; futures-lite's [`zip`] and [`try_zip`] by other names | async-std |
//! | [`race`] | waits for the first, fair if both are ready | futures-lite |
//! | [`or`] | waits for the first, the left one if both are ready | futures-lite |
//! | [`ready`], [`pending`], [`poll_fn`], [`poll_once`], [`yield_now`] | the small ones | both |
//! | [`FutureExt`] | the same as methods | async-std |
//!
//! Combinators poll their futures in one task: they take turns, and none runs beside another. To use more than one
//! thread, `task::spawn` them.

mod abortable;
mod delay;
mod flatten;
mod future_ext;
mod join;
mod or;
mod own_budget;
mod timeout;
mod try_race;

pub use self::abortable::{AbortHandle, Abortable, Aborted, abortable};
pub use self::delay::Delay;
pub use self::flatten::Flatten;
pub use self::future_ext::FutureExt;
pub use self::join::{join, join as zip, try_join, try_join as try_zip};
pub use self::or::or;
pub use self::own_budget::OwnBudget;
pub use self::timeout::{Timeout, TimeoutError, timeout};
pub use self::try_race::TryRace;
pub use futures_lite::future::{
    PollFn, PollOnce, Race, YieldNow, poll_fn, poll_once, race, yield_now,
};
#[doc(no_inline)]
pub use std::future::{Future, IntoFuture, Pending, Ready, pending, ready};

/// The future of [`join`].
pub type Join<A, B> = futures_lite::future::Zip<A, OwnBudget<B>>;

/// The future of [`try_join`].
pub type TryJoin<A, T, B, U> = futures_lite::future::TryZip<A, T, OwnBudget<B>, U>;

/// The future of [`or`].
pub type Or<A, B> = futures_lite::future::Or<A, OwnBudget<B>>;
