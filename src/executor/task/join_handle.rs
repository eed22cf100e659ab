//! Awaiting a task's output; detaching, aborting and cancelling it.

#![allow(
    unsafe_code,
    reason = "a home of unsafe: the joiner's slot and the output of a cell"
)]

use super::state::DropHandle;
use super::task_ref::TaskRef;
use crate::executor::current::{self, TaskId};
use crate::executor::seated;
use crate::task::Task;
use std::any::Any;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::panic::{RefUnwindSafe, UnwindSafe, resume_unwind};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// Awaits the output of a spawned task.
///
/// A `JoinHandle` is a future of the task's output, eight bytes wide. Dropping it *detaches* the task, which goes on by
/// itself; that is std's meaning, and async-std's. If the task panicked, awaiting the handle panics with the same
/// payload; if it was aborted, awaiting it panics and names the task. [`join`](JoinHandle::join) tells these cases apart
/// without a panic.
///
/// # Panics
///
/// Polling a handle that has returned its output panics.
///
/// # Cancel safety
///
/// `(&mut handle).await` is cancel safe: the output stays with the task until a poll returns it.
///
/// # Examples
///
/// ```
/// use parklet::task;
///
/// task::block_on(async {
///     let handle = task::spawn(async { 1 + 2 });
///     assert_eq!(handle.await, 3);
/// });
/// ```
#[must_use = "dropping a JoinHandle detaches the task; say `.detach()` where that is meant"]
pub struct JoinHandle<T> {
    /// The handle's reference. What HANDLE says of it: rule 4.
    task: ManuallyDrop<TaskRef>,
    /// What comes out.
    output: PhantomData<T>,
}

impl<T> JoinHandle<T> {
    /// The handle for the reference that `spawn` counted.
    pub(super) fn new(task: TaskRef) -> JoinHandle<T> {
        JoinHandle {
            task: ManuallyDrop::new(task),
            output: PhantomData,
        }
    }

    /// Puts the task on the list of names.
    pub(crate) fn set_name(&self, name: String) {
        self.task.state().set_named();
        current::set_name(self.task.id(), name);
    }

    /// Lets the task go on by itself; the same as dropping the handle, said aloud.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::{channel, task};
    /// # task::block_on(async {
    /// let (sender, receiver) = channel::bounded(1);
    /// task::spawn(async move { sender.send("still here").await }).detach();
    /// assert_eq!(receiver.recv().await, Ok("still here"));
    /// # });
    /// ```
    pub fn detach(self) {}

    /// Asks the executor to drop the task's future instead of polling it again, and returns at once.
    ///
    /// A task that is being polled ends when that poll returns; one that has finished is left alone. Awaiting the handle
    /// of an aborted task panics; [`join`](JoinHandle::join) returns an error there.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::task;
    /// # task::block_on(async {
    /// let handle = task::spawn(std::future::pending::<()>());
    /// handle.abort();
    /// assert!(handle.join().await.unwrap_err().is_aborted());
    /// # });
    /// ```
    pub fn abort(&self) {
        self.task.abort();
    }

    /// A handle that can only abort: it may be cloned, kept elsewhere, and outlive this one.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::task;
    /// # task::block_on(async {
    /// let handle = task::spawn(std::future::pending::<()>());
    /// let switch = handle.abort_handle();
    /// switch.abort();
    /// assert!(handle.join().await.is_err());
    /// # });
    /// ```
    pub fn abort_handle(&self) -> AbortHandle {
        AbortHandle {
            task: TaskRef::clone(&self.task),
        }
    }

    /// Whether the task has finished, by returning, by panicking or by being aborted.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::task;
    /// # task::block_on(async {
    /// let handle = task::spawn(std::future::pending::<()>());
    /// assert!(!handle.is_finished());
    /// # });
    /// ```
    pub fn is_finished(&self) -> bool {
        self.task.state().is_done()
    }

    /// Who the task is: its id, and its name if [`Builder`](crate::task::Builder) gave it one.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::task;
    /// # task::block_on(async {
    /// let handle = task::Builder::new().name("worker bee".into()).spawn(async {}).unwrap();
    /// assert_eq!(handle.task().name(), Some("worker bee"));
    /// # });
    /// ```
    pub fn task(&self) -> Task {
        identity(&self.task)
    }

    /// Aborts the task and returns once its future has been dropped: `Some` if it had finished before, otherwise `None`.
    ///
    /// As async-std's.
    ///
    /// # Panics
    ///
    /// If the task panicked, with the same payload.
    ///
    /// # Cancel safety
    ///
    /// Nothing is aborted before the first poll. Dropped later, the abort holds, the task is detached, and an output that
    /// it may have had is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::task;
    /// # task::block_on(async {
    /// let handle = task::spawn(std::future::pending::<()>());
    /// assert_eq!(handle.cancel().await, None);
    /// # });
    /// ```
    pub async fn cancel(self) -> Option<T> {
        self.abort();
        match self.join().await {
            Ok(output) => Some(output),
            Err(error) if error.is_aborted() => None,
            Err(error) => resume_unwind(error.into_panic()),
        }
    }

    /// Awaits the output and never panics: a panic or an abort of the task comes back as an error.
    ///
    /// # Errors
    ///
    /// [`JoinError`] if the task panicked or was aborted.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it detaches the task, and the output is lost. Await `&mut handle` to keep it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::task;
    /// # task::block_on(async {
    /// let error = task::spawn(async { panic!("out of cheese") }).join().await.unwrap_err();
    /// assert!(error.is_panic());
    /// assert!(error.to_string().ends_with("panicked: out of cheese"));
    /// # });
    /// ```
    pub async fn join(mut self) -> Result<T, JoinError> {
        std::future::poll_fn(|cx| self.poll_join(cx)).await
    }

    /// The output, or this waker stored to be woken with it.
    pub(crate) fn poll_join(&mut self, cx: &Context<'_>) -> Poll<Result<T, JoinError>> {
        if self.task.state().is_done() || !self.store_joiner(cx.waker()) {
            return Poll::Ready(self.take_output());
        }
        seated::note_awaited(self.task.id(), cx.waker());
        Poll::Pending
    }

    /// The output of a task that is done.
    fn take_output(&mut self) -> Result<T, JoinError> {
        assert!(
            self.task.state().take_output(),
            "JoinHandle polled after it returned its output"
        );
        // SAFETY: rule 4: the output is there, and ours, and not used again. `T` is its type since `spawn` made both.
        unsafe { self.task.output().read() }
    }

    /// Leaves the waker for the end of the task. False: the task is done.
    fn store_joiner(&mut self, waker: &Waker) -> bool {
        let slot = self.task.header().joiner();
        if self.task.state().has_joiner() {
            // SAFETY: rule 5: while JOINER is set nobody writes the slot. Should the task end now, the waker's owner is
            // another, but what is compared here stays as it is.
            let stored = unsafe { &*slot };
            if stored.will_wake(waker) {
                return !self.task.state().is_done();
            }
            if !self.task.state().clear_joiner() {
                return false;
            }
            // SAFETY: it was stored, and JOINER cleared before DONE.
            unsafe { slot.drop_in_place() };
        }
        let clone = waker.clone();
        // SAFETY: rule 5: JOINER is clear, so the slot is the handle's, and the handle is borrowed mutably.
        unsafe { slot.write(clone) };
        let is_stored = self.task.state().set_joiner();
        if !is_stored {
            // SAFETY: it was written just now, and JOINER not set.
            unsafe { slot.drop_in_place() };
        }
        is_stored
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        match self.poll_join(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(output)) => Poll::Ready(output),
            Poll::Ready(Err(error)) if error.is_panic() => resume_unwind(error.into_panic()),
            Poll::Ready(Err(_)) => panic!("task {} was aborted", self.task.id()),
        }
    }
}

// The handle owns nothing that is pinned: a `T` is only ever moved out of the cell.
impl<T> Unpin for JoinHandle<T> {}

// A panic leaves nothing half-changed behind the handle: what the task's panic was is in the output.
impl<T> UnwindSafe for JoinHandle<T> {}
impl<T> RefUnwindSafe for JoinHandle<T> {}

impl<T> Drop for JoinHandle<T> {
    #[inline]
    fn drop(&mut self) {
        let left = self.task.state().drop_handle();
        if left != DropHandle::Nothing {
            // SAFETY: taken out once, since nobody uses the handle after this.
            let task = unsafe { ManuallyDrop::take(&mut self.task) };
            if left != DropHandle::DropReference {
                // SAFETY: the word left it to this handle, of a task with this output.
                unsafe { drop_left::<T>(task, left) };
            }
        }
    }
}

/// Does what the word left to a handle that goes, beside dropping its reference.
///
/// # Safety
/// `left` is what `drop_handle` has just answered to the task's handle, which is not used again; `T` is the one that the task
/// was spawned with.
#[inline(never)]
unsafe fn drop_left<T>(task: TaskRef, left: DropHandle) {
    match left {
        DropHandle::Nothing | DropHandle::DropReference => {}
        // SAFETY: the word says that the reference was the last (rule 6).
        DropHandle::Free => unsafe { task.free() },
        // SAFETY: a waker is there, and the handle's, since JOINER was cleared before DONE (rule 5).
        DropHandle::DropJoiner => unsafe { task.header().joiner().drop_in_place() },
        // SAFETY: rule 4: the output is there, and the handle's. Its type is as in `take_output`.
        DropHandle::DropOutput => unsafe { task.output::<T>().drop_in_place() },
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle")
            .field("task", &self.task())
            .field("finished", &self.is_finished())
            .finish()
    }
}

/// Aborts a task from anywhere; from [`JoinHandle::abort_handle`].
///
/// # Examples
///
/// ```
/// # use parklet::task;
/// # task::block_on(async {
/// let handle = task::spawn(std::future::pending::<()>());
/// let switch = handle.abort_handle();
/// task::spawn(async move { switch.abort() }).await;
/// assert_eq!(handle.cancel().await, None);
/// # });
/// ```
#[derive(Clone)]
pub struct AbortHandle {
    /// Keeps the cell alive, but not the task: its future is dropped as usual.
    task: TaskRef,
}

impl AbortHandle {
    /// As [`JoinHandle::abort`].
    pub fn abort(&self) {
        self.task.abort();
    }

    /// As [`JoinHandle::is_finished`].
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::task;
    /// # task::block_on(async {
    /// let handle = task::spawn(async {});
    /// let switch = handle.abort_handle();
    /// handle.await;
    /// assert!(switch.is_finished());
    /// # });
    /// ```
    pub fn is_finished(&self) -> bool {
        self.task.state().is_done()
    }

    /// As [`JoinHandle::task`]. The name is there until the task ends.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::task;
    /// # task::block_on(async {
    /// let handle = task::spawn(async { task::current().id() });
    /// let switch = handle.abort_handle();
    /// assert_eq!(handle.await, switch.task().id());
    /// # });
    /// ```
    pub fn task(&self) -> Task {
        identity(&self.task)
    }
}

/// Who a task is: its id, and its name if it has one.
fn identity(task: &TaskRef) -> Task {
    let name = if task.state().is_named() {
        current::name(task.id())
    } else {
        None
    };
    Task::new(task.id(), name)
}

// As for `JoinHandle`.
impl UnwindSafe for AbortHandle {}
impl RefUnwindSafe for AbortHandle {}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortHandle")
            .field("task", &self.task.id())
            .field("finished", &self.is_finished())
            .finish()
    }
}

/// Why a task has no output: it panicked, or it was aborted.
///
/// # Examples
///
/// ```
/// # use parklet::task;
/// # task::block_on(async {
/// let handle = task::spawn(std::future::pending::<()>());
/// handle.abort();
/// let error = handle.join().await.unwrap_err();
/// assert!(error.to_string().ends_with("was aborted"));
/// # });
/// ```
pub struct JoinError {
    /// Which task.
    task: TaskId,
    /// What the panic carried; `None` for an abort. The lock is there because a payload need not be `Sync`, and the box
    /// because every task has room for an error.
    payload: Option<Box<Mutex<Box<dyn Any + Send>>>>,
}

impl JoinError {
    /// The error of an aborted task.
    pub(crate) fn aborted(task: TaskId) -> JoinError {
        JoinError {
            task,
            payload: None,
        }
    }

    /// The error of a task that panicked.
    pub(crate) fn panicked(task: TaskId, payload: Box<dyn Any + Send>) -> JoinError {
        JoinError {
            task,
            payload: Some(Box::new(Mutex::new(payload))),
        }
    }

    /// Whether the task panicked.
    pub fn is_panic(&self) -> bool {
        self.payload.is_some()
    }

    /// Whether the task was aborted.
    pub fn is_aborted(&self) -> bool {
        self.payload.is_none()
    }

    /// The payload of the panic, for [`std::panic::resume_unwind`].
    ///
    /// # Panics
    ///
    /// If the task did not panic but was aborted; [`is_panic`](JoinError::is_panic) tells.
    pub fn into_panic(self) -> Box<dyn Any + Send> {
        let Some(payload) = self.payload else {
            panic!("JoinError::into_panic() of {self}; is_panic() is false there")
        };
        payload.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(payload) = &self.payload else {
            return write!(f, "task {} was aborted", self.task);
        };
        let payload = payload.lock().unwrap_or_else(PoisonError::into_inner);
        let message = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        match message {
            Some(message) => write!(f, "task {} panicked: {message}", self.task),
            None => write!(f, "task {} panicked", self.task),
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinError({self})")
    }
}

impl std::error::Error for JoinError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_one_pointer_wide() {
        assert_eq!(size_of::<JoinHandle<[u64; 8]>>(), 8);
        assert_eq!(size_of::<Option<JoinHandle<()>>>(), 8);
        assert_eq!(size_of::<Result<(), JoinError>>(), 16);
    }
}
