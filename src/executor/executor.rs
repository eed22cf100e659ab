//! Executor objects: the same tasks, your own threads, borrowed futures.
//!
//! An executor object is a queue of tasks and nothing more; it runs while somebody awaits [`Executor::run`] or
//! [`Executor::tick`], on whatever threads they are awaited. It owns its unfinished tasks: when it is dropped, it drops
//! their futures. That is also what lets them borrow: should the executor be leaked, its list leaks with it, and no waker
//! that survives elsewhere can be the last to let go of a future whose borrows have ended.

#![allow(
    unsafe_code,
    reason = "a home of unsafe: tasks that borrow, dropped with their executor"
)]

use super::current::TaskId;
use super::task::{JoinHandle, Place, Runnable, Schedule, TaskRef, spawn_unchecked};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// So many tasks are run in one poll of `run`, so that it is a good neighbour to what it is awaited beside.
const TASKS_PER_POLL: usize = 64;

/// A queue of tasks that run on the threads which await [`run`](Executor::run) or [`tick`](Executor::tick).
///
/// As async-executor's, but for the handles, which are [`JoinHandle`]s: dropping one detaches its task. Futures are `Send`,
/// may borrow whatever outlives the executor, and are dropped with it.
///
/// # Examples
///
/// ```
/// use parklet::executor::Executor;
/// use parklet::task;
///
/// let name = String::from("borrowed");
/// let executor = Executor::new();
/// let length = executor.spawn(async { name.len() });
/// assert_eq!(task::block_on(executor.run(length)), 8);
/// ```
pub struct Executor<'a> {
    /// What the tasks and the runners share.
    tasks: Arc<ExecutorTasks>,
    /// Invariant in `'a`: a shorter borrow must not be taken for one that outlives the executor. A function, since several
    /// threads may share an executor.
    borrows: PhantomData<fn(&'a ()) -> &'a ()>,
}

/// The tasks of one executor. The locks are held to push and to pop; no user code runs under them.
#[derive(Default)]
struct ExecutorTasks {
    /// Tasks to run, oldest first, and who waits for more.
    queue: Mutex<ExecutorQueue>,
    /// One reference to each unfinished task.
    unfinished: Mutex<HashMap<TaskId, TaskRef>>,
}

#[derive(Default)]
struct ExecutorQueue {
    /// Tasks to run.
    runnables: VecDeque<Runnable>,
    /// Runners that found nothing, by the number they were given.
    waiting: VecDeque<(u64, Waker)>,
    /// The next runner's number.
    next_runner: u64,
    /// The executor has been dropped: what is woken now is over.
    is_closed: bool,
}

impl<'a> Executor<'a> {
    /// An executor without tasks.
    pub fn new() -> Executor<'a> {
        Executor {
            tasks: Arc::default(),
            borrows: PhantomData,
        }
    }

    /// Whether every task has finished.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::executor::Executor;
    /// let executor = Executor::new();
    /// executor.spawn(async {}).detach();
    /// assert!(!executor.is_empty());
    /// assert!(executor.try_tick());
    /// assert!(executor.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.tasks.unfinished().is_empty()
    }

    /// Adds a task.
    pub fn spawn<T: Send + 'a>(
        &self,
        future: impl Future<Output = T> + Send + 'a,
    ) -> JoinHandle<T> {
        // SAFETY: the future is `Send`. `unfinished` holds its `TaskRef` until it is gone, and is emptied when the executor
        // is dropped, which `'a` outlives.
        unsafe { self.tasks.spawn(future) }
    }

    /// Adds a task for each of the futures; their handles are pushed to `handles`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::executor::Executor;
    /// # use parklet::task;
    /// let executor = Executor::new();
    /// let mut handles = Vec::new();
    /// executor.spawn_many((1..=3).map(|n| async move { n * n }), &mut handles);
    /// let squares = task::block_on(executor.run(async {
    ///     let mut squares = Vec::new();
    ///     for handle in handles {
    ///         squares.push(handle.await);
    ///     }
    ///     squares
    /// }));
    /// assert_eq!(squares, [1, 4, 9]);
    /// ```
    pub fn spawn_many<T: Send + 'a, F: Future<Output = T> + Send + 'a>(
        &self,
        futures: impl IntoIterator<Item = F>,
        handles: &mut impl Extend<JoinHandle<T>>,
    ) {
        handles.extend(futures.into_iter().map(|future| self.spawn(future)));
    }

    /// Runs one task if one is ready; tells whether.
    pub fn try_tick(&self) -> bool {
        let runnable = self.tasks.queue().runnables.pop_front();
        runnable.map(Runnable::run).is_some()
    }

    /// Waits until a task is ready and runs it.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a task is taken from the queue only to be run in the same poll.
    pub async fn tick(&self) {
        self.tasks.tick().await;
    }

    /// Runs tasks until `future` is ready, and returns its output.
    ///
    /// Any number of threads may do this at the same time; they share the tasks.
    ///
    /// # Cancel safety
    ///
    /// `future` is dropped with this; the tasks stay.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::executor::Executor;
    /// # use parklet::{channel, task};
    /// let executor = Executor::new();
    /// let (stop, stopped) = channel::bounded::<()>(1);
    /// std::thread::scope(|scope| {
    ///     for _ in 0..2 {
    ///         scope.spawn(|| task::block_on(executor.run(stopped.recv())));
    ///     }
    ///     let sum = executor.spawn(async { 1 + 2 });
    ///     assert_eq!(task::block_on(sum), 3);
    ///     stop.close();
    /// });
    /// ```
    pub async fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.tasks.run(future).await
    }
}

impl ExecutorTasks {
    /// Adds a task.
    ///
    /// # Safety
    /// The futures and outputs are `Send` or this is only used on one thread; and the executor is dropped or leaked before
    /// their borrows end.
    unsafe fn spawn<F: Future>(self: &Arc<Self>, future: F) -> JoinHandle<F::Output> {
        // SAFETY: `unfinished` is the owner that `spawn_unchecked` asks for; the rest is the caller's promise.
        let (runnable, handle) =
            unsafe { spawn_unchecked(future, ExecutorSchedule(Arc::clone(self))) };
        let task = runnable.task().clone();
        self.unfinished().insert(task.id(), task);
        runnable.schedule(Place::Next);
        handle
    }

    async fn tick(&self) {
        let mut runner = Runner {
            tasks: self,
            number: None,
        };
        poll_fn(|cx| {
            if runner.run_one() {
                Poll::Ready(())
            } else {
                runner.wait(cx)
            }
        })
        .await;
    }

    async fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        let mut runner = Runner {
            tasks: self,
            number: None,
        };
        poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(output);
            }
            for _ in 0..TASKS_PER_POLL {
                if !runner.run_one() {
                    return runner
                        .wait(cx)
                        .map(|()| unreachable!("a runner only waits"));
                }
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await
    }

    /// Drops the tasks. The executor's borrow has ended, so no runner is left, and what is woken from now on is over.
    fn close(&self) {
        let mut queue = self.queue();
        queue.is_closed = true;
        let left = std::mem::take(&mut queue.runnables);
        drop(queue);
        let unfinished = std::mem::take(&mut *self.unfinished());
        for task in unfinished.into_values() {
            task.drop_future();
        }
        drop(left);
    }

    fn queue(&self) -> MutexGuard<'_, ExecutorQueue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unfinished(&self) -> MutexGuard<'_, HashMap<TaskId, TaskRef>> {
        self.unfinished
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// One `run` or `tick` that may wait for tasks.
struct Runner<'e> {
    /// What it runs.
    tasks: &'e ExecutorTasks,
    /// Its number, if it has waited since it ran a task.
    number: Option<u64>,
}

impl ExecutorQueue {
    /// Takes a runner off the list. `None`: it has been woken.
    fn stop_waiting(&mut self, number: u64) -> Option<(u64, Waker)> {
        let mut waiting = self.waiting.iter();
        let place = waiting.position(|(waiting, _)| *waiting == number)?;
        self.waiting.remove(place)
    }
}

impl Runner<'_> {
    /// Runs one task if one is ready; tells whether.
    fn run_one(&mut self) -> bool {
        let mut queue = self.tasks.queue();
        let Some(runnable) = queue.runnables.pop_front() else {
            return false;
        };
        // It may be polled for another reason than its being woken. From now on it is busy, and who wakes a task is to
        // call a runner that is not.
        let number = self.number.take();
        let own = number.and_then(|number| queue.stop_waiting(number));
        drop(queue);
        drop(own);
        runnable.run();
        true
    }

    /// Leaves the waker, unless a task came meanwhile.
    fn wait(&mut self, cx: &Context<'_>) -> Poll<()> {
        let mut queue = self.tasks.queue();
        if !queue.runnables.is_empty() {
            drop(queue);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let number = *self.number.get_or_insert_with(|| {
            queue.next_runner += 1;
            queue.next_runner
        });
        let place = queue
            .waiting
            .iter()
            .position(|(waiting, _)| *waiting == number);
        let replaced = match place {
            Some(place) if queue.waiting[place].1.will_wake(cx.waker()) => None,
            Some(place) => Some(std::mem::replace(
                &mut queue.waiting[place].1,
                cx.waker().clone(),
            )),
            None => {
                queue.waiting.push_back((number, cx.waker().clone()));
                None
            }
        };
        drop(queue);
        drop(replaced);
        Poll::Pending
    }
}

impl Drop for Runner<'_> {
    fn drop(&mut self) {
        let mut queue = self.tasks.queue();
        let own = self.number.and_then(|number| queue.stop_waiting(number));
        // If it was woken for a task that it will not run now, somebody else has to.
        let heir = if own.is_none() && !queue.runnables.is_empty() {
            queue.waiting.pop_front()
        } else {
            None
        };
        drop(queue);
        drop(own);
        if let Some((_, waker)) = heir {
            waker.wake();
        }
    }
}

/// Brings a task back to its executor.
#[derive(Clone)]
struct ExecutorSchedule(Arc<ExecutorTasks>);

impl Schedule for ExecutorSchedule {
    fn schedule(&self, runnable: Runnable, _place: Place) {
        let mut queue = self.0.queue();
        if queue.is_closed {
            drop(queue);
            return drop(runnable);
        }
        queue.runnables.push_back(runnable);
        let runner = queue.waiting.pop_front();
        drop(queue);
        if let Some((_, waker)) = runner {
            waker.wake();
        }
    }

    fn finished(&self, task: TaskId) {
        let task = self.0.unfinished().remove(&task);
        drop(task);
    }
}

impl Default for Executor<'_> {
    fn default() -> Self {
        Executor::new()
    }
}

impl Drop for Executor<'_> {
    fn drop(&mut self) {
        self.tasks.close();
    }
}

impl fmt::Debug for Executor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor")
            .field("unfinished", &self.tasks.unfinished().len())
            .finish()
    }
}

/// An [`Executor`] for futures that are not `Send`; it stays on its thread.
///
/// # Examples
///
/// ```
/// use parklet::executor::LocalExecutor;
/// use parklet::task;
/// use std::rc::Rc;
///
/// let shared = Rc::new(1);
/// let executor = LocalExecutor::new();
/// let handle = executor.spawn({ let shared = shared.clone(); async move { *shared + 1 } });
/// assert_eq!(task::block_on(executor.run(handle)), 2);
/// ```
#[derive(Default)]
pub struct LocalExecutor<'a> {
    /// The same queue and list; what is different is that they are used on one thread.
    executor: Executor<'a>,
    /// Neither `Send` nor `Sync`.
    home: PhantomData<Rc<()>>,
}

impl<'a> LocalExecutor<'a> {
    /// An executor without tasks, for the calling thread.
    pub fn new() -> LocalExecutor<'a> {
        LocalExecutor::default()
    }

    /// Whether every task has finished.
    pub fn is_empty(&self) -> bool {
        self.executor.is_empty()
    }

    /// Adds a task.
    pub fn spawn<T: 'a>(&self, future: impl Future<Output = T> + 'a) -> JoinHandle<T> {
        // SAFETY: the executor does not leave its thread, so tasks are run and dropped on this one alone; the borrows are
        // kept as in `Executor::spawn`.
        unsafe { self.executor.tasks.spawn(future) }
    }

    /// Adds a task for each of the futures; their handles are pushed to `handles`.
    pub fn spawn_many<T: 'a, F: Future<Output = T> + 'a>(
        &self,
        futures: impl IntoIterator<Item = F>,
        handles: &mut impl Extend<JoinHandle<T>>,
    ) {
        handles.extend(futures.into_iter().map(|future| self.spawn(future)));
    }

    /// Runs one task if one is ready; tells whether.
    pub fn try_tick(&self) -> bool {
        self.executor.try_tick()
    }

    /// Waits until a task is ready and runs it.
    ///
    /// # Cancel safety
    ///
    /// As [`Executor::tick`].
    pub async fn tick(&self) {
        self.executor.tick().await;
    }

    /// Runs tasks until `future` is ready, and returns its output.
    ///
    /// # Cancel safety
    ///
    /// As [`Executor::run`].
    pub async fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.executor.run(future).await
    }
}

impl fmt::Debug for LocalExecutor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalExecutor")
            .field("unfinished", &self.executor.tasks.unfinished().len())
            .finish()
    }
}
