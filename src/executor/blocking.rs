//! One blocking call as a future: the closure runs on a thread of the pool, its value comes back through a lock.
//!
//! ```text
//!   the task                                      a thread of the blocking pool
//!   spawn(closure) ──────── queue ──────────────► run: value = closure()
//!   poll: no value yet, leave the waker           (the thread lets the pool know that it is free again)
//!   poll: take the value   ◄───────────────────── deliver: lock, store the value, take the waker, unlock, wake
//! ```
//!
//! The form is that of *Programming Rust* (chapter 20): a future needs no more than a place for the value and a place
//! for the waker, shared by the two sides. Two things differ. The thread comes from a pool (`blocking_pool.rs`), for
//! a new one costs some 15 us. And the value is a `Result`, so that a panic travels like any other outcome.
//!
//! Running and delivering are two steps, since whoever sees the value may submit the next call at once, and shall meet
//! the thread that has just become free.

use std::fmt;
use std::future::{self, Future};
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;

use super::blocking_pool::{BlockingPool, Job, Ticket};
use crate::primitive::Mutex;

/// The value a blocking closure will return, as a future; made by [`spawn_blocking`](crate::task::spawn_blocking).
///
/// The closure runs whether or not this is polled. Dropping the future detaches the job: it runs (or goes on) to its
/// end and its value is dropped on the pool's thread. [`cancel`](SpawnBlocking::cancel) takes back a job that has
/// not started.
///
/// # Panics
///
/// Awaiting it resumes the panic of the closure, with its payload.
///
/// # Cancel safety
///
/// It is polled by reference without loss: a `race` or `timeout` around `&mut job` that ends first leaves the value
/// where it is, for the next poll.
pub struct SpawnBlocking<T> {
    /// Where the closure's thread leaves the value, and we the waker.
    shared: Arc<Mutex<Shared<T>>>,
    /// The pool that has the job, for `cancel`.
    pool: Arc<BlockingPool>,
    /// The job's place in the pool's queue, for `cancel`.
    ticket: Ticket,
}

/// What the two sides of a job share. A lock, since "no value yet, so leave the waker" must be one step: a value
/// stored in between would wake nobody.
struct Shared<T> {
    /// The closure's value, or the payload of its panic.
    value: Option<thread::Result<T>>,
    /// Whom to wake when the value is there: the task that polled last.
    waker: Option<Waker>,
}

/// The pool's side of a job.
struct Call<F, T> {
    /// The closure, later its value: they share the memory.
    stage: Stage<F, T>,
    /// Where the awaiter looks for the value.
    shared: Arc<Mutex<Shared<T>>>,
}

/// How far a [`Call`] has come.
enum Stage<F, T> {
    Waiting(F),
    Running,
    Done(thread::Result<T>),
}

impl<F, T> Job for Call<F, T>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    fn run(&mut self) {
        if let Stage::Waiting(closure) = mem::replace(&mut self.stage, Stage::Running) {
            // Whoever awaits the value sees the panic too, so nothing half-changed stays hidden.
            self.stage = Stage::Done(panic::catch_unwind(AssertUnwindSafe(closure)));
        }
    }

    fn deliver(self: Box<Self>) {
        let Call { stage, shared } = *self;
        let Stage::Done(value) = stage else {
            return;
        };
        let mut awaited = shared.lock().unwrap();
        awaited.value = Some(value);
        let waker = awaited.waker.take();
        drop(awaited);
        // Before the wake: if nobody awaits the value any more, it is dropped here.
        drop(shared);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl BlockingPool {
    /// Queues the closure for a thread of this pool. It starts as soon as there is one; nobody need poll the future.
    pub(crate) fn spawn<F, T>(self: &Arc<Self>, closure: F) -> SpawnBlocking<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let shared = Arc::new(Mutex::new(Shared {
            value: None,
            waker: None,
        }));
        let ticket = self.submit(Box::new(Call {
            stage: Stage::Waiting(closure),
            shared: Arc::clone(&shared),
        }));
        SpawnBlocking {
            shared,
            pool: Arc::clone(self),
            ticket,
        }
    }
}

impl<T> Future for SpawnBlocking<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        self.poll_value(cx)
            .map(|value| value.unwrap_or_else(|payload| panic::resume_unwind(payload)))
    }
}

impl<T> SpawnBlocking<T> {
    /// The value, or this waker left to be woken with it.
    fn poll_value(&self, cx: &mut Context<'_>) -> Poll<thread::Result<T>> {
        let mut shared = self.shared.lock().unwrap();
        if let Some(value) = shared.value.take() {
            return Poll::Ready(value);
        }
        let replaced = shared.waker.replace(cx.waker().clone());
        // A waker's drop may run anybody's code, so it waits for the unlock.
        drop(shared);
        drop(replaced);
        Poll::Pending
    }

    /// The value, or the payload of the closure's panic: what `std::thread::JoinHandle::join` returns.
    ///
    /// # Errors
    ///
    /// What the closure panicked with.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it detaches the job, and the value is lost. Await `&mut job` to keep it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::task;
    /// # task::block_on(async {
    /// let payload = task::spawn_blocking(|| panic!("out of cheese")).join().await.unwrap_err();
    /// assert_eq!(payload.downcast_ref(), Some(&"out of cheese"));
    /// # });
    /// ```
    pub async fn join(self) -> thread::Result<T> {
        future::poll_fn(|cx| self.poll_value(cx)).await
    }

    /// Takes the job back if no thread has started it, and waits for it otherwise.
    ///
    /// `None` means that the closure never ran and never will; it has been dropped, here. A call that blocks cannot
    /// be interrupted, so a job that has started is waited for, and its value returned.
    ///
    /// # Panics
    ///
    /// Resumes the panic of a closure that had started.
    ///
    /// # Cancel safety
    ///
    /// The job is taken back at the first poll. Dropping the future before that, or while it waits for a job that
    /// has started, detaches the job.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::task;
    ///
    /// task::block_on(async {
    ///     let job = task::spawn_blocking(|| 6 * 7);
    ///     match job.cancel().await {
    ///         Some(value) => assert_eq!(value, 42), // a thread was quicker
    ///         None => println!("it never ran"),
    ///     }
    /// });
    /// ```
    pub async fn cancel(self) -> Option<T> {
        match self.pool.take_back(self.ticket) {
            Some(_never_run) => None,
            None => Some(self.await),
        }
    }

    /// Whether the closure has returned or panicked, so that awaiting the value would not wait.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::task;
    /// use std::sync::mpsc;
    ///
    /// let (go, wait) = mpsc::channel::<()>();
    /// let job = task::spawn_blocking(move || wait.recv());
    /// assert!(!job.is_finished());
    /// go.send(()).unwrap();
    /// assert!(task::block_on(job).is_ok());
    /// ```
    pub fn is_finished(&self) -> bool {
        self.shared.lock().unwrap().value.is_some()
    }
}

/// A detached job wakes nobody: the waker goes now, since the call may block for ever and a waker keeps its task.
impl<T> Drop for SpawnBlocking<T> {
    fn drop(&mut self) {
        let waker = self.shared.lock().map(|mut shared| shared.waker.take());
        drop(waker);
    }
}

impl<T> fmt::Debug for SpawnBlocking<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpawnBlocking")
            .field("ticket", &self.ticket)
            .finish_non_exhaustive()
    }
}
