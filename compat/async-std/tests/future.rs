//! Futures: what async-std says of them.

use async_std::future::{self, TimeoutError};
use async_std::{io, task};
use std::time::Duration;

#[test]
fn timeout_lets_a_ready_future_win_even_with_no_time() {
    let ready = future::timeout(Duration::ZERO, future::ready(1));
    assert_eq!(task::block_on(ready), Ok(1));
}

#[test]
fn timeout_takes_any_duration() {
    let forever = future::timeout(Duration::MAX, async {
        task::sleep(Duration::from_millis(1)).await;
        1
    });
    assert_eq!(task::block_on(forever), Ok(1));
}

#[test]
fn timeout_ends_what_takes_too_long() {
    let never = future::timeout(Duration::from_millis(1), future::pending::<()>());
    let _: TimeoutError = task::block_on(never).unwrap_err();
}

#[test]
fn io_timeout_gives_an_io_error() {
    let never = io::timeout(
        Duration::from_millis(1),
        future::pending::<io::Result<()>>(),
    );
    let error = task::block_on(never).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert_eq!(error.to_string(), "future timed out");

    let failing = io::timeout(Duration::MAX, async {
        Err::<(), _>(io::ErrorKind::NotFound.into())
    });
    let error = task::block_on(failing).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}

#[test]
fn poll_fn_makes_a_future_of_a_closure() {
    let mut polls = 0;
    let future = future::poll_fn(|cx| {
        polls += 1;
        cx.waker().wake_by_ref();
        if polls == 3 {
            task::Poll::Ready(polls)
        } else {
            task::Poll::Pending
        }
    });
    assert_eq!(task::block_on(future), 3);
}

#[cfg(feature = "unstable")]
mod methods {
    use async_std::future::{self, IntoFuture};
    use async_std::prelude::*;
    use async_std::task::block_on;
    use std::time::{Duration, Instant};

    #[test]
    fn join_waits_for_both() {
        assert_eq!(block_on(future::ready(1).join(async { "two" })), (1, "two"));
    }

    #[test]
    fn try_join_stops_at_an_error() {
        let both = future::ready(Ok::<_, &str>(1)).try_join(future::ready(Ok(2)));
        assert_eq!(block_on(both), Ok((1, 2)));
        let stuck = future::pending::<Result<(), _>>().try_join(future::ready(Err::<(), _>("no")));
        assert_eq!(block_on(stuck), Err("no"));
    }

    #[test]
    fn try_race_gives_an_error_only_when_both_failed() {
        let race = future::ready(Err("no")).try_race(future::ready(Ok(1)));
        assert_eq!(block_on(race), Ok(1));
        let race = future::ready(Err::<(), _>("one")).try_race(future::ready(Err("two")));
        assert_eq!(block_on(race), Err("two"));
    }

    #[test]
    fn delay_waits_before_the_first_poll() {
        let begin = Instant::now();
        let polled = block_on(async { Instant::now() }.delay(Duration::from_millis(10)));
        assert!(polled - begin >= Duration::from_millis(10));
    }

    #[test]
    fn timeout_is_a_method_too() {
        let never = future::pending::<()>().timeout(Duration::from_millis(1));
        assert!(block_on(never).is_err());
        assert_eq!(block_on(future::ready(1).timeout(Duration::MAX)), Ok(1));
    }

    /// Not a future itself.
    struct Order(u32);

    impl IntoFuture for Order {
        type Output = u32;
        type Future = std::future::Ready<u32>;

        fn into_future(self) -> Self::Future {
            std::future::ready(self.0)
        }
    }

    #[test]
    #[allow(clippy::async_yields_async, reason = "that is what is flattened")]
    fn flatten_awaits_what_comes_out_of_a_future() {
        assert_eq!(block_on(async { async { 1 } }.flatten()), 1);
        assert_eq!(block_on(async { Order(2) }.flatten()), 2);
    }
}

#[cfg(not(feature = "unstable"))]
#[test]
fn without_unstable_the_methods_of_other_crates_do_not_clash() {
    use async_std::prelude::*;
    use futures_util::FutureExt as _;

    let nested = future::ready(future::ready(1)).map(|inner| inner.map(|n| n + 1));
    assert_eq!(task::block_on(nested.flatten()), 2);
    fn assert_is_of_async_std<F: FutureExt>(_: F) {}
    assert_is_of_async_std(future::ready(1));
}
