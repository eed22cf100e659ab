//! Tasks that stay on one thread.
//!
//! `spawn_local` takes futures that are not `Send`, so a task of its kind is polled and dropped on the thread that spawned
//! it, its *home*. Each thread has one local set: a queue that home fills and empties without a lock, an inbox for wakes
//! from other threads, and a list of the unfinished tasks. Whatever loop runs on the thread (a `block_on` at any depth, a
//! worker's) runs them; when the thread ends, the list drops those that are left, here at home.

#![allow(
    unsafe_code,
    reason = "a home of unsafe: tasks that are not `Send`, kept on their thread by this file"
)]

use super::current::TaskId;
use super::parker::{Parker, Unparker};
use super::task::{JoinHandle, Place, Runnable, Schedule, TaskRef, spawn_unchecked};
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

thread_local! {
    /// This thread's local set.
    static LOCAL: LocalSet = LocalSet::new();
    /// Whether there is one yet: most threads never need it, and are asked at every turn.
    static IS_MADE: Cell<bool> = const { Cell::new(false) };
}

/// Calls `then` with this thread's local set, if there is one.
#[inline]
fn with_made<T>(then: impl FnOnce(&LocalSet) -> T) -> Option<T> {
    if !IS_MADE.get() {
        return None;
    }
    LOCAL.try_with(then).ok()
}

/// What home alone uses.
struct LocalSet {
    /// Tasks to run, oldest first.
    queue: RefCell<VecDeque<Runnable>>,
    /// One reference to each unfinished task: as long as it stands here, no waker elsewhere can be the last to let go of a
    /// future that must not leave this thread.
    unfinished: RefCell<HashMap<TaskId, TaskRef>>,
    /// The way in from other threads.
    inbox: Arc<Inbox>,
}

/// What other threads use, and what each local task carries.
struct Inbox {
    /// Tasks that other threads woke; `None` once the thread has ended. The lock is held to push and to swap only.
    woken: Mutex<Option<VecDeque<Runnable>>>,
    /// Whether the lock is worth taking.
    has_mail: AtomicBool,
    /// Rouses home.
    home: Arc<Unparker>,
}

/// Spawns a future onto the calling thread's local set, with a name if it has one.
pub(crate) fn spawn_local<F>(future: F, name: Option<String>) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let inbox = LOCAL.try_with(|local| Arc::clone(&local.inbox));
    let inbox =
        inbox.unwrap_or_else(|_| panic!("task::spawn_local() called while its thread is ending"));
    // SAFETY: the inbox brings every runnable back to this thread; `unfinished` holds a `TaskRef` until the future is gone
    // and is emptied on this thread. A `JoinHandle` of an output that is not `Send` is not `Send` itself.
    let (runnable, handle) = unsafe { spawn_unchecked(future, LocalSchedule(inbox)) };
    if let Some(name) = name {
        handle.set_name(name);
    }
    let task = runnable.task().clone();
    LOCAL.with(|local| local.unfinished.borrow_mut().insert(task.id(), task));
    runnable.schedule(Place::Next);
    handle
}

/// Runs one of this thread's local tasks; false if none is ready.
#[inline]
pub(crate) fn run_one() -> bool {
    let next = with_made(LocalSet::next).flatten();
    next.map(Runnable::run).is_some()
}

/// Whether a local task is ready on this thread.
#[inline]
pub(crate) fn is_ready() -> bool {
    with_made(|local| {
        !local.queue.borrow().is_empty() || local.inbox.has_mail.load(Ordering::Acquire)
    })
    .unwrap_or(false)
}

/// Whether this thread is the home of a task that has not finished.
pub(crate) fn is_home() -> bool {
    with_made(|local| !local.unfinished.borrow().is_empty()).unwrap_or(false)
}

impl LocalSet {
    fn new() -> LocalSet {
        IS_MADE.set(true);
        let home = Arc::clone(Parker::current().unparker());
        let inbox = Inbox {
            woken: Mutex::new(Some(VecDeque::new())),
            has_mail: AtomicBool::new(false),
            home,
        };
        LocalSet {
            queue: RefCell::default(),
            unfinished: RefCell::default(),
            inbox: Arc::new(inbox),
        }
    }

    /// The next task to run, after what other threads woke has moved into the queue.
    fn next(&self) -> Option<Runnable> {
        if self.inbox.has_mail.load(Ordering::Acquire) {
            let mut woken = self.inbox.lock();
            self.inbox.has_mail.store(false, Ordering::Release);
            self.queue
                .borrow_mut()
                .extend(woken.iter_mut().flat_map(|woken| woken.drain(..)));
        }
        self.queue.borrow_mut().pop_front()
    }
}

impl Drop for LocalSet {
    fn drop(&mut self) {
        // The destructors of the futures may do anything; what they spawn is refused, what they wake finds no queue.
        let mail = self.inbox.lock().take();
        let unfinished = std::mem::take(self.unfinished.get_mut());
        for task in unfinished.into_values() {
            task.drop_future();
        }
        drop(mail);
    }
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, Option<VecDeque<Runnable>>> {
        self.woken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Brings a local task home.
#[derive(Clone)]
struct LocalSchedule(Arc<Inbox>);

impl LocalSchedule {
    /// Calls `then` with the local set if this thread is the task's home.
    fn at_home<T>(&self, then: impl FnOnce(&LocalSet) -> T) -> Option<T> {
        with_made(|local| Arc::ptr_eq(&local.inbox, &self.0).then(|| then(local))).flatten()
    }
}

impl Schedule for LocalSchedule {
    fn schedule(&self, runnable: Runnable, _place: Place) {
        let mut runnable = Some(runnable);
        self.at_home(|local| local.queue.borrow_mut().extend(runnable.take()));
        if runnable.is_none() {
            // The loop that runs here looks into the queue before it sleeps.
            return;
        }
        let mut woken = self.0.lock();
        if let Some(woken) = &mut *woken {
            woken.extend(runnable.take());
            self.0.has_mail.store(true, Ordering::Release);
        }
        drop(woken);
        self.0.home.unpark();
        // Left over if home has ended: the task is over, and its last references may go from any thread.
        drop(runnable);
    }

    fn finished(&self, task: TaskId) {
        let ended = self.at_home(|local| local.unfinished.borrow_mut().remove(&task));
        drop(ended);
    }
}
