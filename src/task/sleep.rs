//! Waiting for time to pass.

use crate::reactor::Timer;
use std::future::poll_fn;
use std::time::Duration;

/// Waits until `duration` has passed since the call was first awaited; never less, on an idle machine hardly more.
///
/// Any duration is fine; [`Duration::MAX`] waits for ever.
///
/// # Cancel safety
///
/// Cancel safe: dropping the future takes its timer away.
///
/// # Examples
///
/// ```
/// use parklet::task;
/// use std::time::{Duration, Instant};
///
/// let start = Instant::now();
/// task::block_on(task::sleep(Duration::from_millis(5)));
/// assert!(start.elapsed() >= Duration::from_millis(5));
/// ```
pub async fn sleep(duration: Duration) {
    let mut timer = None;
    poll_fn(|cx| Timer::poll_after(&mut timer, duration, cx)).await;
}
