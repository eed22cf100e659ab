//! A limit on how long an I/O future may take.

use super::{Error, ErrorKind, Result};
use crate::reactor::Timer;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

/// Awaits `future` for at most `duration`, counted from the first poll; what it has become by then wins, also against
/// a duration of zero. Any duration is fine, `Duration::MAX` too.
///
/// For futures of other outputs there is `future::timeout`. Both are async-std's, which counts from the call.
///
/// # Errors
///
/// `TimedOut` when the time is over, and whatever `future` gives.
///
/// # Cancel safety
///
/// As cancel safe as `future`, which is dropped when the time is over.
///
/// # Examples
///
/// ```
/// use parklet::io;
/// use std::time::Duration;
///
/// let never = std::future::pending::<io::Result<()>>();
/// let error = parklet::task::block_on(io::timeout(Duration::from_millis(1), never)).unwrap_err();
/// assert_eq!(error.kind(), io::ErrorKind::TimedOut);
/// assert_eq!(error.to_string(), "timed out after 1ms");
/// ```
pub async fn timeout<F, T>(duration: Duration, future: F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let mut future = pin!(future);
    let mut timer = None;
    poll_fn(|cx| {
        if let Poll::Ready(result) = future.as_mut().poll(cx) {
            return Poll::Ready(result);
        }
        let timer = timer.get_or_insert_with(|| Timer::after(duration));
        Pin::new(timer).poll(cx).map(|_| {
            let message = format!("timed out after {duration:?}");
            Err(Error::new(ErrorKind::TimedOut, message))
        })
    })
    .await
}
