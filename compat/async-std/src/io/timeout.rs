//! parklet's, with async-std's text.

use super::{Error, ErrorKind, Result};
use std::future::Future;
use std::time::Duration;

/// Gives an I/O future so long and no longer, counted from its first poll.
///
/// # Errors
///
/// `TimedOut` when the time is over, and the future's own.
pub async fn timeout<F, T>(dur: Duration, f: F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let in_time = parklet::future::timeout(dur, f).await;
    in_time.unwrap_or_else(|_| Err(Error::new(ErrorKind::TimedOut, "future timed out")))
}
