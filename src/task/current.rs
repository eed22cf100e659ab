//! Which task is running.

use crate::executor::current;
use crate::task::TaskId;
use std::fmt;
use std::sync::Arc;

/// A task's public identity: its id, and its name if it has one.
///
/// It says who a task is and gives no power over it; that is [`JoinHandle`](crate::task::JoinHandle)'s. As async-std's
/// `Task`, after `std::thread::Thread`.
///
/// # Examples
///
/// ```
/// use parklet::task;
///
/// let (one, other) = task::block_on(async {
///     let handle = task::spawn(async {});
///     (task::current().id(), handle.task().id())
/// });
/// assert_ne!(one, other);
/// ```
#[derive(Clone)]
pub struct Task {
    /// Unique in the process.
    id: TaskId,
    /// From `Builder::name`.
    name: Option<Arc<str>>,
}

impl Task {
    /// An identity.
    pub(crate) fn new(id: TaskId, name: Option<Arc<str>>) -> Task {
        Task { id, name }
    }

    /// The task's number, unique in the process.
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// The name from [`Builder::name`](crate::task::Builder::name).
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("id", &self.id)
            .field("name", &self.name)
            .finish()
    }
}

/// The task that is calling. The future in a [`block_on`](crate::task::block_on) counts as one.
///
/// # Panics
///
/// Outside a task; [`try_current`] returns `None` there.
///
/// # Examples
///
/// ```
/// use parklet::task;
///
/// task::block_on(async {
///     println!("I am task {}", task::current().id());
/// });
/// ```
pub fn current() -> Task {
    try_current()
        .expect("task::current() called outside a task; task::try_current() returns None there")
}

/// The task that is calling, or `None` outside a task.
///
/// # Examples
///
/// ```
/// use parklet::task;
///
/// assert!(task::try_current().is_none());
/// ```
pub fn try_current() -> Option<Task> {
    current::current().map(|(id, name)| Task::new(id, name))
}
