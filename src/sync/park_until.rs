//! Waiting for a future on a plain thread, without any executor: what is behind the `_blocking` methods.
//!
//! This is `block_on` in its plainest form. The executor's own one also turns the reactor and runs tasks. Nothing of
//! that may happen here: whoever calls `send_blocking` wants a thread that waits, and nothing else.

use crate::budget;
use crate::primitive::ThreadParker;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll};
use waker_fn::waker_fn;

/// Polls the future on this thread until it is ready, parking in between.
pub(crate) fn park_until<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let parker = ThreadParker::new();
    let unparker = parker.unparker().clone();
    let waker = waker_fn(move || unparker.unpark());
    let mut cx = Context::from_waker(&waker);
    loop {
        // This thread may be inside some task's poll, whose budget is spent: it would never be refilled.
        let budget = budget::refill();
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        drop(budget);
        parker.park();
    }
}
