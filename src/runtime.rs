//! Setting up the worker threads in code; what they do, in numbers ([`metrics`]).
//!
//! Nothing has to be: the first task that is spawned starts them, one a core, or as many as the environment variable
//! `PARKLET_THREADS` says. Who wants it otherwise says so before, with a [`Builder`]. The names are tokio's.

mod metrics;

pub use self::metrics::{Metrics, metrics};

use crate::executor::pool::{self, Settings};
use std::io;

/// Sets up the worker threads of the process.
///
/// # Examples
///
/// ```
/// use parklet::{runtime, task};
///
/// let builder = runtime::Builder::new().worker_threads(2).thread_name("bee");
/// builder.build_global()?;
/// let name = task::block_on(task::spawn(async { std::thread::current().name().map(str::to_owned) }));
/// assert_eq!(name.as_deref(), Some("bee"));
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug, Default)]
#[must_use = "nothing is set up before `build_global`"]
pub struct Builder {
    /// What was said so far.
    settings: Settings,
}

impl Builder {
    /// As without a builder.
    pub fn new() -> Builder {
        Builder::default()
    }

    /// How many worker threads there are, from 1 to 1024; what `PARKLET_THREADS` says no longer counts.
    pub fn worker_threads(mut self, count: usize) -> Builder {
        self.settings.workers = Some(count);
        self
    }

    /// What each worker thread is called, instead of `parklet-0`, `parklet-1` and so on. Linux shows the first 15 bytes.
    pub fn thread_name(mut self, name: impl Into<String>) -> Builder {
        self.settings.thread_name = Some(name.into());
        self
    }

    /// Starts the worker threads that [`task::spawn`](crate::task::spawn) uses.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if they have been started, by a spawned task or by another builder; `InvalidInput` if the number or
    /// the name cannot be; the system's error if not one thread can be started.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::{runtime, task};
    /// use std::io::ErrorKind;
    ///
    /// task::block_on(task::spawn(async {}));
    /// let error = runtime::Builder::new().worker_threads(1).build_global().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    /// ```
    pub fn build_global(self) -> io::Result<()> {
        if let Some(name) = &self.settings.thread_name
            && name.contains('\0')
        {
            let message =
                format!("cannot name the worker threads {name:?}: there is a zero byte in it");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        pool::start(self.settings)
    }
}
