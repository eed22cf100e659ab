//! A limit on how long an I/O future may take.

use super::{Error, ErrorKind, Result};
use crate::future;
use std::future::Future;
use std::time::Duration;

/// [`future::timeout`] for a future that gives an `io::Result`: running out of time is one more `io::Error`.
///
/// async-std's, but that there the time counts from the call and here from the first poll.
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
    match future::timeout(duration, future).await {
        Ok(result) => result,
        Err(_) => Err(Error::new(
            ErrorKind::TimedOut,
            format!("timed out after {duration:?}"),
        )),
    }
}
