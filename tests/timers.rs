//! What a `Timer` promises: never early, in order, any duration, and nothing left behind.

use std::time::{Duration, Instant};

use futures_lite::future::block_on;
use parklet::reactor::Timer;

#[test]
fn a_timer_fires_on_another_executor_too() {
    let start = Instant::now();
    let deadline = start + Duration::from_millis(20);
    assert_eq!(block_on(Timer::at(deadline)), deadline);
    assert!(Instant::now() >= deadline);
}
