//! Thread-local: which task is being polled here; and the table of what few tasks have: a name, task-local values.
//!
//! Most tasks have neither, so neither has a place in the cell. The table is keyed by id; the state word's mark NAMED says
//! whether to look. A value in the table is touched only by the thread that polls its task, which is what makes it as
//! good as a thread-local: one task is polled by one thread at a time (rule 1 of `task/state.rs`).

#![allow(
    unsafe_code,
    reason = "a home of unsafe: task-local values, lent while their task is polled; ids in two parts"
)]

use std::any::Any;
use std::cell::{Cell, UnsafeCell};
use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

/// Ids are handed to threads in blocks, so that a spawn does not touch a shared counter.
const ID_BLOCK: u64 = 1024;

/// Shards of the table: enough that tasks with task-locals seldom meet on one lock.
const SHARDS: usize = 16;

/// How often values that a destructor brought back are dropped again before they are left to leak; std's number is 5.
const DESTRUCTOR_ROUNDS: usize = 5;

/// The number of a task, unique in the process and never used again.
///
/// From [`Task::id`](crate::task::Task::id). Numbers say nothing about the order in which tasks were spawned.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(NonZeroU64);

impl TaskId {
    /// The bits of an id: enough for a billion tasks a second for two years. A cell keeps them in two parts, so that it is a
    /// word smaller than with a whole word for them.
    const BITS: u32 = 56;

    /// The upper 24 bits, and the lower 32.
    pub(crate) fn split(self) -> (u32, u32) {
        let id = self.0.get();
        ((id >> 32) as u32, id as u32)
    }

    /// Back from [`TaskId::split`].
    ///
    /// # Safety
    /// The parts are those of one id.
    #[inline]
    pub(crate) unsafe fn joined(high: u32, low: u32) -> TaskId {
        let id = u64::from(high) << 32 | u64::from(low);
        // SAFETY: no id is zero.
        TaskId(unsafe { NonZeroU64::new_unchecked(id) })
    }

    /// A number that no task has had.
    #[inline]
    pub(crate) fn next() -> TaskId {
        /// Takes a new block.
        #[cold]
        fn first_of_a_block() -> u64 {
            static NEXT_BLOCK: AtomicU64 = AtomicU64::new(0);
            // Relaxed: the ids have to differ and nothing else.
            let id = NEXT_BLOCK.fetch_add(1, Ordering::Relaxed) * ID_BLOCK + 1;
            assert!(id >> TaskId::BITS == 0, "the ids of tasks have run out");
            id
        }
        thread_local! {
            /// The next id of this thread's block.
            static NEXT: Cell<u64> = const { Cell::new(0) };
        }
        let id = NEXT.with(|next| {
            let mut id = next.get();
            if id.is_multiple_of(ID_BLOCK) {
                id = first_of_a_block();
            }
            next.set(id + 1);
            id
        });
        TaskId(NonZeroU64::new(id).expect("the first block begins at one"))
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskId({})", self.0)
    }
}

/// In `CURRENT`, beside the id: the table knows the task.
const NAMED: u64 = 1 << 63;

thread_local! {
    /// The innermost task that is being polled on this thread: its id, and a mark; 0 if there is none. One word, since each
    /// poll puts aside what is here. Without a destructor, so that it can be read while the thread ends.
    static CURRENT: Cell<u64> = const { Cell::new(0) };
}

/// Runs code of a task's: a poll, or the destructor of its future. Says afterwards whether the table knows the task by now.
#[inline(always)]
pub(crate) fn run_as<T>(task: TaskId, is_named: bool, code: impl FnOnce() -> T) -> (T, bool) {
    /// The task whose code called this one's; it goes on even after a panic.
    struct Around(u64);

    impl Drop for Around {
        #[inline]
        fn drop(&mut self) {
            CURRENT.set(self.0);
        }
    }

    let mark = if is_named { NAMED } else { 0 };
    let _around = Around(CURRENT.replace(task.0.get() | mark));
    let result = code();
    (result, CURRENT.get() & NAMED != 0)
}

/// The task that is being polled on this thread.
fn current_id() -> Option<TaskId> {
    NonZeroU64::new(CURRENT.get() & !NAMED).map(TaskId)
}

/// Notes that the table knows the task that is being polled.
fn mark_current() {
    CURRENT.set(CURRENT.get() | NAMED);
}

/// The task that is being polled on this thread, and its name.
pub(crate) fn current() -> Option<(TaskId, Option<Arc<str>>)> {
    let task = current_id()?;
    let is_named = CURRENT.get() & NAMED != 0;
    Some((task, if is_named { name(task) } else { None }))
}

/// Gives the task that is calling a name.
pub(crate) fn set_current_name(name: String) {
    if let Some(task) = current_id() {
        set_name(task, name);
        mark_current();
    }
}

/// What the table knows of one task.
#[derive(Default)]
struct Extras {
    /// From `Builder`; kept until the cell is freed, so that a handle can still tell it.
    name: Option<Arc<str>>,
    /// From `task_local!`; dropped when the task finishes.
    locals: Option<Arc<Locals>>,
}

/// One shard of the table.
type Shard = Mutex<HashMap<TaskId, Extras>>;

/// The lock is held for a look-up only: no name, no value, nothing of the user's is dropped or run under it.
static TABLE: LazyLock<[Shard; SHARDS]> =
    LazyLock::new(|| std::array::from_fn(|_| Shard::default()));

/// The shard of one task.
fn shard(task: TaskId) -> MutexGuard<'static, HashMap<TaskId, Extras>> {
    let index = usize::try_from(task.0.get() % SHARDS as u64).expect("less than SHARDS");
    TABLE[index].lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives the task a name.
pub(crate) fn set_name(task: TaskId, name: String) {
    shard(task).entry(task).or_default().name = Some(name.into());
}

/// The name that the task was given.
pub(crate) fn name(task: TaskId) -> Option<Arc<str>> {
    shard(task)
        .get(&task)
        .and_then(|extras| extras.name.clone())
}

/// Drops the task-local values of a task that has finished. They may still use one another meanwhile.
pub(crate) fn drop_locals(task: TaskId) {
    let Some(locals) = shard(task)
        .get(&task)
        .and_then(|extras| extras.locals.clone())
    else {
        return;
    };
    run_as(task, true, || {
        for _ in 0..DESTRUCTOR_ROUNDS {
            // One at a time, each taken out before it is dropped: the others can still be found by its destructor. The latest
            // goes first, since it may lean on earlier ones; what it brings back stands behind it and has the next round.
            // SAFETY: rule 1: the task has finished, and whoever finishes it calls this.
            for place in (0..unsafe { locals.len() }).rev() {
                // SAFETY: as above.
                let value = unsafe { locals.remove(place) };
                super::task::contain(move || drop(value));
            }
        }
    });
    let taken = shard(task)
        .get_mut(&task)
        .and_then(|extras| extras.locals.take());
    drop(taken);
}

/// Takes the task off the table: its cell is being freed.
pub(crate) fn forget(task: TaskId) {
    drop_locals(task);
    let extras = shard(task).remove(&task);
    drop(extras);
}

/// Lends the current task's value under `key` to `with`, made by `init` if there is none yet. `None` outside a task.
pub(crate) fn with_local<T: Send + 'static, R>(
    key: usize,
    init: fn() -> T,
    with: impl FnOnce(&T) -> R,
) -> Option<R> {
    let task = current_id()?;
    let locals = shard(task)
        .entry(task)
        .or_default()
        .locals
        .get_or_insert_default()
        .clone();
    mark_current();
    // SAFETY: rule 1: the task is being polled on this thread.
    let value: *const T = if let Some(value) = unsafe { locals.find(key) } {
        value
    } else {
        // User code, which may use other task-locals; a value that it made under this very key wins.
        let value = Box::new(init());
        // SAFETY: as above.
        let found = unsafe { locals.find(key) };
        // SAFETY: as above.
        found.unwrap_or_else(|| unsafe { locals.push(key, value) })
    };
    // SAFETY: rule 2 of `Locals`: the box stays where it is while its task is polled, which is at least until `with`
    // returns, since this is a call from within that poll.
    Some(with(unsafe { &*value }))
}

/// The task-local values of one task.
///
/// 1. Only the thread that polls the task, or that finishes it, calls the methods, so there is one caller at a time.
/// 2. A value is boxed, and leaves the list only when its task is finished; no poll, and so no `with_local`, is then
///    under way but those that the value's own destructor begins and ends, after it has left the list.
#[derive(Default)]
struct Locals(UnsafeCell<Vec<(usize, Box<dyn Any + Send>)>>);

// SAFETY: by rule 1 there is one caller at a time, and the values are `Send`.
unsafe impl Send for Locals {}
// SAFETY: as above.
unsafe impl Sync for Locals {}

impl Locals {
    /// The value under a key.
    ///
    /// # Safety
    /// Rule 1: the caller polls the task on this thread, or finishes it.
    unsafe fn find<T: 'static>(&self, key: usize) -> Option<*const T> {
        // SAFETY: rule 1, and no reference into the list outlives a method.
        let list = unsafe { &*self.0.get() };
        let (_, value) = list.iter().find(|(of, _)| *of == key)?;
        value.downcast_ref::<T>().map(std::ptr::from_ref)
    }

    /// Adds a value.
    ///
    /// # Safety
    /// Rule 1: the caller polls the task on this thread, or finishes it.
    unsafe fn push<T: Send + 'static>(&self, key: usize, value: Box<T>) -> *const T {
        // SAFETY: rule 1, and no reference into the list outlives a method.
        let list = unsafe { &mut *self.0.get() };
        list.push((key, value));
        // Found again rather than remembered: a pointer taken before the box moved would be stale to the compiler.
        // SAFETY: the caller's promise.
        let pushed = unsafe { self.find(key) };
        pushed.expect("it was pushed just now")
    }

    /// How many there are.
    ///
    /// # Safety
    /// Rule 1: the caller polls the task on this thread, or finishes it.
    unsafe fn len(&self) -> usize {
        // SAFETY: rule 1, and no reference into the list outlives a method.
        unsafe { &*self.0.get() }.len()
    }

    /// Takes a value out; those behind it move up.
    ///
    /// # Safety
    /// Rule 1: the caller polls the task on this thread, or finishes it.
    unsafe fn remove(&self, place: usize) -> Box<dyn Any + Send> {
        // SAFETY: rule 1, and no reference into the list outlives a method.
        let list = unsafe { &mut *self.0.get() };
        list.remove(place).1
    }
}

impl Drop for Locals {
    fn drop(&mut self) {
        // Values that kept coming back in `drop_locals`: dropping them here could go on for ever. The list itself is freed.
        self.0.get_mut().drain(..).for_each(std::mem::forget);
    }
}
