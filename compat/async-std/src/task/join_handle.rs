//! Awaiting a task's output.

use super::{Context, Poll, Task, block_on};
use parklet::task::{SpawnBlocking, current};
use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;

/// Awaits the output of a task or of a blocking closure. Dropping it detaches.
///
/// # Panics
///
/// Awaiting it resumes the panic of the task.
#[derive(Debug)]
pub struct JoinHandle<T> {
    /// Who runs.
    running: Running<T>,
    /// Its public identity. A blocking closure is no task of parklet's: it gets one when it is asked for.
    task: OnceLock<Task>,
}

/// What a handle is a handle to.
#[derive(Debug)]
enum Running<T> {
    Task(parklet::task::JoinHandle<T>),
    Job(SpawnBlocking<T>),
}

impl<T> JoinHandle<T> {
    /// The handle to a task.
    pub(super) fn of_task(task: parklet::task::JoinHandle<T>) -> JoinHandle<T> {
        JoinHandle {
            task: OnceLock::from(task.task()),
            running: Running::Task(task),
        }
    }

    /// The handle to a blocking closure.
    pub(super) fn of_job(job: SpawnBlocking<T>) -> JoinHandle<T> {
        JoinHandle {
            running: Running::Job(job),
            task: OnceLock::new(),
        }
    }

    /// Who the task is: its id, and its name if it has one.
    pub fn task(&self) -> &Task {
        self.task.get_or_init(|| block_on(async { current() }))
    }

    /// Stops the task, and returns once its future has been dropped: `Some` if it had finished before.
    ///
    /// A blocking closure that runs already is waited for.
    ///
    /// # Panics
    ///
    /// If the task panicked, with the same payload.
    ///
    /// # Examples
    ///
    /// ```
    /// use async_std::task;
    ///
    /// let never = task::spawn(std::future::pending::<()>());
    /// assert_eq!(task::block_on(never.cancel()), None);
    /// ```
    pub async fn cancel(self) -> Option<T> {
        match self.running {
            Running::Task(task) => task.cancel().await,
            Running::Job(job) => job.cancel().await,
        }
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        match &mut self.running {
            Running::Task(task) => Pin::new(task).poll(cx),
            Running::Job(job) => Pin::new(job).poll(cx),
        }
    }
}
