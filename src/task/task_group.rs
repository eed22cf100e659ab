//! Tasks that belong together, and end together.
//!
//! ```text
//!   a member ends ──► its waker puts its number among the due ──► and wakes who waits in `join_next`
//!                     `join_next` polls the handles of the due, and of nobody else
//! ```
//!
//! A new member is due at once: its handle has to be polled to know whom to wake.

use crate::budget;
use crate::task::{AbortHandle, JoinError, JoinHandle, spawn, spawn_local};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::future::{Future, poll_fn};
use std::mem;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker, ready};

/// Tasks that belong together: they are awaited together, and none outlives the group unnoticed.
///
/// A group grows and shrinks: [`spawn`](TaskGroup::spawn) adds a task, [`join_next`](TaskGroup::join_next) gives the output
/// of whichever ends next, so a server may have its connections in one. Where all outputs are wanted there is
/// [`join_all`](TaskGroup::join_all), and where one error ends the matter [`try_join_all`](TaskGroup::try_join_all), which
/// cancels the others.
///
/// **Dropping a group aborts its tasks.** A `JoinHandle` that is dropped detaches its task, since whoever has one task
/// knows it by name. Of a group that goes away, because of a `?`, a panic or a timeout around the function that has it,
/// nobody would know what it leaves running. A drop cannot wait: the futures of tasks that are being polled at that moment
/// are dropped when the poll ends. [`cancel`](TaskGroup::cancel) waits for that, and [`detach`](TaskGroup::detach) lets
/// the tasks go on where that is meant.
///
/// The idea is that of structured concurrency: trio's nurseries, Kotlin's scopes, tokio's `JoinSet`.
///
/// # Examples
///
/// ```
/// use parklet::task::{self, TaskGroup};
///
/// task::block_on(async {
///     let mut group = TaskGroup::new();
///     for number in 1..=3 {
///         group.spawn(async move { number * number });
///     }
///     let mut sum = 0;
///     while let Some(square) = group.join_next().await {
///         sum += square?;
///     }
///     assert_eq!(sum, 14);
///     Ok::<_, task::JoinError>(())
/// })
/// # .unwrap();
/// ```
pub struct TaskGroup<T> {
    /// Those whose output was not given out yet.
    members: HashMap<u64, JoinHandle<T>>,
    /// How many there have been: the number of the next one.
    spawned: u64,
    /// Whose handles are to be polled.
    due: Arc<Due>,
}

/// The members whose handles are to be polled, and who is to be told of them. A lock, since "nobody is due, so leave the
/// waker" must be one step.
#[derive(Default)]
struct Due(Mutex<DueMembers>);

#[derive(Default)]
struct DueMembers {
    /// Their numbers, in the order in which they ended.
    numbers: VecDeque<u64>,
    /// Wakes who waits in `join_next`.
    waker: Option<Waker>,
}

/// What a member's end wakes.
struct MemberEnds {
    /// Which member.
    number: u64,
    /// Where to say so.
    due: Arc<Due>,
}

impl<T> TaskGroup<T> {
    /// A group without tasks.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::task::{self, TaskGroup};
    /// let mut group = TaskGroup::<u32>::new();
    /// assert!(task::block_on(group.join_next()).is_none());
    /// ```
    pub fn new() -> TaskGroup<T> {
        TaskGroup {
            members: HashMap::new(),
            spawned: 0,
            due: Arc::default(),
        }
    }

    /// Spawns a task onto the worker threads, as [`task::spawn`](crate::task::spawn) does, and adds it.
    ///
    /// The handle can abort this one task; `join_next` then says that it was aborted.
    ///
    /// # Panics
    ///
    /// As [`task::spawn`](crate::task::spawn).
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::task::{self, TaskGroup};
    /// # task::block_on(async {
    /// let mut group = TaskGroup::new();
    /// let switch = group.spawn(std::future::pending::<()>());
    /// switch.abort();
    /// assert!(group.join_next().await.unwrap().unwrap_err().is_aborted());
    /// # });
    /// ```
    pub fn spawn<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        self.add(spawn(future))
    }

    /// Spawns a task that stays on this thread, as [`task::spawn_local`](crate::task::spawn_local) does, and adds it.
    ///
    /// # Panics
    ///
    /// As [`task::spawn_local`](crate::task::spawn_local).
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::task::{self, TaskGroup};
    /// use std::rc::Rc;
    ///
    /// # task::block_on(async {
    /// let mut group = TaskGroup::new();
    /// group.spawn_local(async { Rc::new(7) });
    /// assert_eq!(*group.join_next().await.unwrap().unwrap(), 7);
    /// # });
    /// ```
    pub fn spawn_local<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
        T: 'static,
    {
        self.add(spawn_local(future))
    }

    /// Waits until a task of the group ends, however it ends, and takes it out: those that ended first come first. `None`
    /// when the group is empty.
    ///
    /// # Errors
    ///
    /// In the `Option`: [`JoinError`] if the task panicked or was aborted. The others go on.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a task is taken out only with its output.
    ///
    /// # Examples
    ///
    /// No more than two at a time:
    ///
    /// ```
    /// # use parklet::task::{self, TaskGroup};
    /// # task::block_on(async {
    /// let mut group = TaskGroup::new();
    /// for job in 0..10 {
    ///     if group.len() == 2 {
    ///         group.join_next().await;
    ///     }
    ///     group.spawn(async move { job });
    /// }
    /// assert_eq!(group.join_all().await.last(), Some(&9));
    /// # });
    /// ```
    pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        let (_, result) = self.next_ended().await?;
        Some(result)
    }

    /// Waits for all tasks; gives their outputs in the order in which they were spawned.
    ///
    /// # Panics
    ///
    /// If a task panicked or was aborted, as awaiting its handle does; before that the others are
    /// [cancelled](TaskGroup::cancel).
    ///
    /// # Cancel safety
    ///
    /// Dropped midway, it drops the group: the tasks are aborted, and outputs are lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::task::{self, TaskGroup};
    /// # task::block_on(async {
    /// let mut group = TaskGroup::new();
    /// for letter in ["a", "b", "c"] {
    ///     group.spawn(async move { letter });
    /// }
    /// assert_eq!(group.join_all().await, ["a", "b", "c"]);
    /// # });
    /// ```
    pub async fn join_all(mut self) -> Vec<T> {
        let mut outputs = Vec::with_capacity(self.len());
        while let Some((number, result)) = self.next_ended().await {
            outputs.push((number, self.expect_output(result).await));
        }
        in_order(outputs)
    }

    /// Aborts all tasks of the group and waits until their futures have been dropped; the group is empty then, and may be
    /// used again. Outputs of those that had ended are dropped.
    ///
    /// # Panics
    ///
    /// If a task panicked, with the payload of the first one, after all have ended.
    ///
    /// # Cancel safety
    ///
    /// Nothing is aborted before the first poll. Dropped later, the abort holds, and what is left stays in the group.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::task::{self, TaskGroup};
    /// # task::block_on(async {
    /// let mut group = TaskGroup::new();
    /// group.spawn(std::future::pending::<()>());
    /// group.cancel().await;
    /// assert!(group.is_empty());
    /// # });
    /// ```
    pub async fn cancel(&mut self) {
        self.abort_all();
        let mut panic = None;
        while let Some(result) = self.join_next().await {
            let error = result.err().filter(JoinError::is_panic);
            panic = panic.or(error);
        }
        if let Some(error) = panic {
            resume_unwind(error.into_panic());
        }
    }

    /// Asks for all tasks to be aborted, and returns at once. They stay in the group until
    /// [`join_next`](TaskGroup::join_next) has told of their end.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::task::{self, TaskGroup};
    /// # task::block_on(async {
    /// let mut group = TaskGroup::new();
    /// group.spawn(std::future::pending::<()>());
    /// group.abort_all();
    /// assert_eq!(group.len(), 1);
    /// assert!(group.join_next().await.unwrap().is_err());
    /// # });
    /// ```
    pub fn abort_all(&self) {
        self.members.values().for_each(JoinHandle::abort);
    }

    /// Lets the tasks go on by themselves.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::{channel, task::{self, TaskGroup}};
    /// # task::block_on(async {
    /// let (sender, receiver) = channel::bounded(1);
    /// let mut group = TaskGroup::new();
    /// group.spawn(async move { sender.send("still here").await });
    /// group.detach();
    /// assert_eq!(receiver.recv().await, Ok("still here"));
    /// # });
    /// ```
    pub fn detach(mut self) {
        mem::take(&mut self.members);
    }

    /// How many tasks are in the group: those that go on, and those whose end was not told yet.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::task::{self, TaskGroup};
    /// # task::block_on(async {
    /// let mut group = TaskGroup::new();
    /// group.spawn(async {});
    /// assert_eq!(group.len(), 1);
    /// group.join_next().await;
    /// assert_eq!(group.len(), 0);
    /// # });
    /// ```
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is no task in the group.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::task::TaskGroup;
    /// assert!(TaskGroup::<u32>::new().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Takes a task in.
    fn add(&mut self, handle: JoinHandle<T>) -> AbortHandle {
        let switch = handle.abort_handle();
        self.members.insert(self.spawned, handle);
        self.due.add(self.spawned);
        self.spawned += 1;
        switch
    }

    /// The next task to end: its number, and what came of it.
    async fn next_ended(&mut self) -> Option<(u64, Result<T, JoinError>)> {
        poll_fn(|cx| self.poll_next_ended(cx)).await
    }

    fn poll_next_ended(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<(u64, Result<T, JoinError>)>> {
        ready!(budget::charge(cx));
        while !self.is_empty() {
            let number = ready!(self.due.poll_next(cx));
            // It may have been due twice, and be gone.
            let Some(handle) = self.members.get_mut(&number) else {
                continue;
            };
            let waker = Waker::from(Arc::new(MemberEnds {
                number,
                due: Arc::clone(&self.due),
            }));
            if let Poll::Ready(result) = handle.poll_join(&Context::from_waker(&waker)) {
                self.members.remove(&number);
                return Poll::Ready(Some((number, result)));
            }
        }
        Poll::Ready(None)
    }

    /// The output, or a panic once the others have been cancelled.
    async fn expect_output(&mut self, result: Result<T, JoinError>) -> T {
        match result {
            Ok(output) => output,
            Err(error) => {
                self.cancel().await;
                if error.is_panic() {
                    resume_unwind(error.into_panic());
                }
                panic!("{error}")
            }
        }
    }
}

impl<T, E> TaskGroup<Result<T, E>> {
    /// Waits for all tasks, unless one fails; gives their outputs in the order in which they were spawned.
    ///
    /// # Errors
    ///
    /// The first one that a task returns. The others are [cancelled](TaskGroup::cancel) before this returns it: what they
    /// held has been dropped.
    ///
    /// # Panics
    ///
    /// As [`join_all`](TaskGroup::join_all).
    ///
    /// # Cancel safety
    ///
    /// Dropped midway, it drops the group: the tasks are aborted, and outputs are lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::task::{self, TaskGroup};
    /// # task::block_on(async {
    /// let mut group = TaskGroup::new();
    /// group.spawn(std::future::pending());
    /// group.spawn(async { "7".parse::<u32>() });
    /// group.spawn(async { "seven".parse::<u32>() });
    /// let error = group.try_join_all().await.unwrap_err();
    /// assert_eq!(error.to_string(), "invalid digit found in string");
    /// # });
    /// ```
    pub async fn try_join_all(mut self) -> Result<Vec<T>, E> {
        let mut outputs = Vec::with_capacity(self.len());
        while let Some((number, result)) = self.next_ended().await {
            match self.expect_output(result).await {
                Ok(output) => outputs.push((number, output)),
                Err(error) => {
                    self.cancel().await;
                    return Err(error);
                }
            }
        }
        Ok(in_order(outputs))
    }
}

/// The outputs in the order of their numbers.
fn in_order<T>(mut outputs: Vec<(u64, T)>) -> Vec<T> {
    outputs.sort_unstable_by_key(|&(number, _)| number);
    outputs.into_iter().map(|(_, output)| output).collect()
}

impl<T> Default for TaskGroup<T> {
    fn default() -> TaskGroup<T> {
        TaskGroup::new()
    }
}

impl<T> Drop for TaskGroup<T> {
    fn drop(&mut self) {
        self.abort_all();
    }
}

impl<T> fmt::Debug for TaskGroup<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.members.values()).finish()
    }
}

impl Due {
    /// Puts a member among the due, and tells who waits.
    fn add(&self, number: u64) {
        let mut due = self.lock();
        due.numbers.push_back(number);
        let waker = due.waker.take();
        drop(due);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The member that has been due for longest.
    fn poll_next(&self, cx: &Context<'_>) -> Poll<u64> {
        let mut due = self.lock();
        if let Some(number) = due.numbers.pop_front() {
            return Poll::Ready(number);
        }
        let replaced = due.waker.replace(cx.waker().clone());
        drop(due);
        drop(replaced);
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, DueMembers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for MemberEnds {
    fn wake(self: Arc<Self>) {
        self.due.add(self.number);
    }
}
