//! Tasks with names.

use super::{JoinHandle, workers};
use crate::io;
use std::future::Future;

#[cfg(feature = "tokio1")]
use super::in_tokio::in_tokio;

/// Without the feature `tokio1` a future stays what it is.
#[cfg(not(feature = "tokio1"))]
fn in_tokio<F>(future: F) -> F {
    future
}

/// Starts a task with a name.
///
/// # Examples
///
/// ```
/// use async_std::task;
///
/// let builder = task::Builder::new().name("worker bee".to_string());
/// let handle = builder.spawn(async { task::current().name().map(str::to_owned) }).unwrap();
/// assert_eq!(handle.task().name(), Some("worker bee"));
/// assert_eq!(task::block_on(handle).as_deref(), Some("worker bee"));
/// ```
#[derive(Debug, Default)]
pub struct Builder {
    /// The name, if one was given.
    name: Option<String>,
}

impl Builder {
    /// A builder of a task without a name.
    pub fn new() -> Builder {
        Builder::default()
    }

    /// Sets the task's name.
    pub fn name(mut self, name: String) -> Builder {
        self.name = Some(name);
        self
    }

    /// Runs a future on the worker threads.
    ///
    /// # Errors
    ///
    /// If no worker thread can be started, or `ASYNC_STD_THREAD_COUNT` is no number of threads.
    pub fn spawn<F, T>(self, future: F) -> io::Result<JoinHandle<T>>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        workers::start()?;
        self.build()
            .spawn(in_tokio(future))
            .map(JoinHandle::of_task)
    }

    /// Runs a future on the calling thread, while that is in a `block_on` or runs tasks.
    ///
    /// # Errors
    ///
    /// None today.
    #[cfg(feature = "unstable")]
    pub fn local<F, T>(self, future: F) -> io::Result<JoinHandle<T>>
    where
        F: Future<Output = T> + 'static,
        T: 'static,
    {
        self.build()
            .local(in_tokio(future))
            .map(JoinHandle::of_task)
    }

    /// Runs a future on the calling thread until it ends.
    pub fn blocking<F, T>(self, future: F) -> T
    where
        F: Future<Output = T>,
    {
        self.build().blocking(in_tokio(future))
    }

    /// parklet's builder of the same task.
    fn build(self) -> parklet::task::Builder {
        let builder = parklet::task::Builder::new();
        match self.name {
            Some(name) => builder.name(name),
            None => builder,
        }
    }
}
