//! (skeleton) The std-shaped face of the executor.
#![allow(
    dead_code,
    unused_variables,
    clippy::todo,
    clippy::unused_async,
    missing_docs,
    missing_debug_implementations,
    reason = "skeleton"
)]
mod spawn_blocking;

pub use self::spawn_blocking::{SpawnBlocking, spawn_blocking};
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
pub use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

pub fn block_on<F: Future>(future: F) -> F::Output {
    todo!()
}
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    todo!()
}
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    todo!()
}
pub async fn sleep(duration: Duration) {
    todo!()
}
pub async fn yield_now() {
    todo!()
}
pub struct JoinHandle<T>(PhantomData<T>);
impl<T> JoinHandle<T> {
    pub fn abort(&self) {
        todo!()
    }
    pub async fn cancel(self) -> Option<T> {
        todo!()
    }
    pub async fn join(self) -> Result<T, JoinError> {
        todo!()
    }
    pub fn is_finished(&self) -> bool {
        todo!()
    }
    pub fn detach(self) {
        todo!()
    }
    pub fn task(&self) -> Task {
        todo!()
    }
}
impl<T> Future for JoinHandle<T> {
    type Output = T;
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        todo!()
    }
}
#[derive(Debug)]
pub struct JoinError;
pub struct Task;
