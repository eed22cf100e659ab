//! What an `io::Error` says of the attempt, in async-std's words.
//!
//! parklet's own errors read `ATTEMPT: CAUSE`, with the system's error as `source()`; async-std's read `ATTEMPT` alone,
//! with other words, or are the system's error itself. Programs and tests compare such texts.

use std::fmt::{self, Display};
use std::io;

/// Words an error as async-std does.
pub(crate) trait Context {
    /// The message becomes `attempt`, the kind stays, and the system's error is the `source()`.
    fn context<A: Display>(self, attempt: impl FnOnce() -> A) -> Self;

    /// Where async-std adds nothing: the system's error, which has a number.
    #[cfg(feature = "default")]
    fn bare(self) -> Self;
}

impl<T> Context for io::Result<T> {
    fn context<A: Display>(self, attempt: impl FnOnce() -> A) -> io::Result<T> {
        self.map_err(|error| {
            let error = bare(error);
            let attempt = attempt().to_string();
            io::Error::new(error.kind(), Attempt { attempt, error })
        })
    }

    #[cfg(feature = "default")]
    fn bare(self) -> io::Result<T> {
        self.map_err(bare)
    }
}

/// The system's error beneath parklet's explanation, if there is one.
#[cfg(feature = "default")]
fn bare(error: io::Error) -> io::Error {
    let number = error
        .get_ref()
        .and_then(|explained| explained.source())
        .and_then(|source| source.downcast_ref::<io::Error>())
        .and_then(io::Error::raw_os_error);
    number.map_or(error, io::Error::from_raw_os_error)
}

/// Without parklet's own operations nothing is explained twice.
#[cfg(not(feature = "default"))]
fn bare(error: io::Error) -> io::Error {
    error
}

/// What an error with context carries.
#[derive(Debug)]
struct Attempt {
    /// The deed and its object, such as ``could not open `a.txt` ``.
    attempt: String,
    /// Why it failed.
    error: io::Error,
}

impl Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.attempt)
    }
}

impl std::error::Error for Attempt {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}
