//! Spawning with a name.

use crate::executor::{block_on, current, local, pool};
use crate::task::JoinHandle;
use std::future::Future;
use std::io;

/// Configures a task before it is spawned: gives it a name.
///
/// As async-std's, in the shape of `std::thread::Builder`.
///
/// # Examples
///
/// ```
/// use parklet::task;
///
/// task::block_on(async {
///     let handle = task::Builder::new()
///         .name("greeter".to_string())
///         .spawn(async { task::current().name().map(str::to_owned) })?;
///     assert_eq!(handle.await.as_deref(), Some("greeter"));
///     Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
#[derive(Debug, Default, Clone)]
#[must_use = "a builder spawns nothing until `spawn`, `local` or `blocking` is called"]
pub struct Builder {
    /// The task's name.
    name: Option<String>,
}

impl Builder {
    /// A builder for a task without a name.
    pub fn new() -> Builder {
        Builder::default()
    }

    /// Names the task. The name shows in [`Task::name`](crate::task::Task::name).
    pub fn name(mut self, name: String) -> Builder {
        self.name = Some(name);
        self
    }

    /// Spawns as [`task::spawn`](crate::task::spawn) does.
    ///
    /// # Errors
    ///
    /// Where [`task::spawn`](crate::task::spawn) panics: if `PARKLET_THREADS` is no number of threads, or if not one
    /// worker thread can be started.
    pub fn spawn<F>(self, future: F) -> io::Result<JoinHandle<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        pool::try_spawn(future, self.name)
    }

    /// Spawns as [`task::spawn_local`](crate::task::spawn_local) does.
    ///
    /// # Errors
    ///
    /// None today; the signature is async-std's.
    pub fn local<F>(self, future: F) -> io::Result<JoinHandle<F::Output>>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        Ok(local::spawn_local(future, self.name))
    }

    /// Runs the future to its end on the calling thread, as [`task::block_on`](crate::task::block_on) does.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::task;
    ///
    /// let name = task::Builder::new().name("main".into()).blocking(async { task::current().name().unwrap().to_owned() });
    /// assert_eq!(name, "main");
    /// ```
    pub fn blocking<F: Future>(self, future: F) -> F::Output {
        block_on(async {
            if let Some(name) = self.name {
                current::set_current_name(name);
            }
            future.await
        })
    }
}
