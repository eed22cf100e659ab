//! Values that belong to a task, as thread-locals belong to a thread.

use crate::executor::current;
use std::fmt;

/// Declares task-local values: each task has its own, made when the task first uses it.
///
/// A task may move between threads, so a thread-local is of no use to it. The form is that of `std::thread_local!`, the
/// meaning async-std's; values have to be `Send`. The future in a [`block_on`](crate::task::block_on) is a task too.
///
/// # Examples
///
/// ```
/// use parklet::task;
/// use std::cell::Cell;
///
/// parklet::task_local! {
///     /// How many requests this task has answered.
///     static ANSWERED: Cell<u32> = Cell::new(0);
/// }
///
/// task::block_on(async {
///     ANSWERED.with(|answered| answered.set(1));
///     let other = task::spawn(async { ANSWERED.with(Cell::get) });
///     assert_eq!(other.await, 0);
///     assert_eq!(ANSWERED.with(Cell::get), 1);
/// });
/// ```
#[macro_export]
macro_rules! task_local {
    () => {};
    ($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty = $init:expr; $($rest:tt)*) => {
        $crate::task_local!($(#[$attribute])* $visibility static $name: $type = $init);
        $crate::task_local!($($rest)*);
    };
    ($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty = $init:expr) => {
        $(#[$attribute])*
        $visibility static $name: $crate::task::LocalKey<$type> = {
            fn init() -> $type {
                $init
            }
            $crate::task::LocalKey::new(init)
        };
    };
}

/// The key of a task-local value, from [`task_local!`](crate::task_local!).
pub struct LocalKey<T: 'static> {
    /// Makes a task's value when the task first asks for it. The key's own address tells it from other keys.
    init: fn() -> T,
}

impl<T> LocalKey<T> {
    /// For the macro; a key must be a `static`, as its methods demand.
    #[doc(hidden)]
    pub const fn new(init: fn() -> T) -> LocalKey<T> {
        LocalKey { init }
    }
}

impl<T: Send + 'static> LocalKey<T> {
    /// Calls `with` with the current task's value.
    ///
    /// # Panics
    ///
    /// Outside a task; [`try_with`](LocalKey::try_with) returns an error there.
    pub fn with<R>(&'static self, with: impl FnOnce(&T) -> R) -> R {
        let result = self.try_with(with);
        result.expect(
            "LocalKey::with() called outside a task; LocalKey::try_with() returns an error there",
        )
    }

    /// Calls `with` with the current task's value, if there is a current task.
    ///
    /// # Errors
    ///
    /// [`AccessError`] outside a task.
    ///
    /// # Examples
    ///
    /// ```
    /// parklet::task_local! { static NUMBER: u32 = 7; }
    /// assert!(NUMBER.try_with(|number| *number).is_err());
    /// ```
    pub fn try_with<R>(&'static self, with: impl FnOnce(&T) -> R) -> Result<R, AccessError> {
        // A static of a type that is not of size zero has an address to itself.
        let key = std::ptr::from_ref(self).addr();
        current::with_local(key, self.init, with).ok_or(AccessError)
    }
}

impl<T> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").finish_non_exhaustive()
    }
}

/// A task-local value was asked for outside a task; from [`LocalKey::try_with`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessError;

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a task-local value was asked for outside a task")
    }
}

impl std::error::Error for AccessError {}
