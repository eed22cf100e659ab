//! Says in an `io::Error` what was attempted.
//!
//! `Connection refused (os error 111)` alone does not say who refused. An explained error reads
//! `cannot connect to 127.0.0.1:1: Connection refused (os error 111)`, keeps its kind, and has the system's error, with
//! its number, as its `source()`. The idea is async-std's; there the cause is left out of the message.

use std::fmt::{self, Display};
use std::{error, io};

/// Adds the attempt to the error of a result.
pub(crate) trait Explain {
    /// The message becomes `ATTEMPT: CAUSE`; `attempt` is called for an error only.
    fn explain<A: Display>(self, attempt: impl FnOnce() -> A) -> Self;
}

impl<T> Explain for io::Result<T> {
    fn explain<A: Display>(self, attempt: impl FnOnce() -> A) -> io::Result<T> {
        self.map_err(|cause| explained(cause, attempt()))
    }
}

/// The error that says `ATTEMPT: CAUSE`.
pub(crate) fn explained(cause: io::Error, attempt: impl Display) -> io::Error {
    let attempt = attempt.to_string();
    io::Error::new(cause.kind(), Explained { attempt, cause })
}

/// What an explained error carries.
#[derive(Debug)]
struct Explained {
    /// The deed and its object, such as `cannot bind 127.0.0.1:80`.
    attempt: String,
    /// What the system said.
    cause: io::Error,
}

impl Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.attempt, self.cause)
    }
}

impl error::Error for Explained {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&self.cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;

    #[test]
    fn an_explained_error_keeps_its_kind_and_its_cause() {
        let refused = io::Error::from_raw_os_error(111);
        let kind = refused.kind();
        let error = io::Result::<()>::Err(refused)
            .explain(|| "cannot connect to 127.0.0.1:1")
            .unwrap_err();

        assert_eq!(
            error.to_string(),
            "cannot connect to 127.0.0.1:1: Connection refused (os error 111)"
        );
        assert_eq!(error.kind(), kind);
        let source = error.source().unwrap().downcast_ref::<io::Error>().unwrap();
        assert_eq!(source.raw_os_error(), Some(111));
    }
}
