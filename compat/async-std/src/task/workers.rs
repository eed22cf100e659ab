//! The worker threads, as async-std's variables want them.

use crate::io::{Error, ErrorKind, Result};
use parklet::runtime;
use std::env;
use std::sync::OnceLock;

/// How many workers there are; without it `PARKLET_THREADS`, or one a core.
const COUNT_VARIABLE: &str = "ASYNC_STD_THREAD_COUNT";

/// What they are called.
const NAME_VARIABLE: &str = "ASYNC_STD_THREAD_NAME";

/// async-std's name for them. Linux shows its first 15 bytes.
const NAME: &str = "async-std/runtime";

/// Starts the workers, if nobody has.
///
/// # Errors
///
/// If `ASYNC_STD_THREAD_COUNT` is no number of threads, or not one thread can be started.
pub(super) fn start() -> Result<()> {
    static STARTED: OnceLock<()> = OnceLock::new();
    if STARTED.get().is_some() {
        return Ok(());
    }
    let name = env::var(NAME_VARIABLE).unwrap_or_else(|_| NAME.to_owned());
    let mut workers = runtime::Builder::new().thread_name(name);
    if let Some(count) = count()? {
        workers = workers.worker_threads(count);
    }
    match workers.build_global() {
        // By parklet itself, or by another thread at this moment.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        started => started?,
    }
    STARTED.get_or_init(|| ());
    Ok(())
}

/// The number of workers that the variable asks for.
fn count() -> Result<Option<usize>> {
    let Some(text) = env::var_os(COUNT_VARIABLE) else {
        return Ok(None);
    };
    match text.to_str().and_then(|text| text.parse().ok()) {
        Some(count) => Ok(Some(count)),
        None => Err(Error::new(
            ErrorKind::InvalidInput,
            format!("{COUNT_VARIABLE} is {text:?}: expected the number of worker threads"),
        )),
    }
}
