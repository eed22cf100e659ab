//! What the blocking pool does when no thread can be created: it tries again in a while.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::Instant;

use super::BlockingPool;
use crate::reactor::Timer;

/// Another attempt to create a thread, when it is due.
///
/// A timer whose waker does the work itself, on the thread that drives the reactor. A spawned task would need a worker,
/// and where no thread can be created there may be none.
pub(super) struct Retry {
    /// When to try. A timer may wake before: it asks for polls where nobody else drives. It need not be answered, for
    /// there the next job that is submitted after this is an attempt, too.
    due: Instant,
    /// Kept until it has fired: it ends with the waker. A lock only because wakers are shared.
    timer: Mutex<Timer>,
    /// The pool that lacks a thread.
    pool: Arc<BlockingPool>,
}

impl Retry {
    /// Sets the timer.
    pub(super) fn begin(pool: Arc<BlockingPool>, due: Instant) {
        let timer = Mutex::new(Timer::at(due));
        let retry = Arc::new(Retry { due, timer, pool });
        let waker = Waker::from(Arc::clone(&retry));
        let mut timer = retry.timer.lock().unwrap();
        if Pin::new(&mut *timer)
            .poll(&mut Context::from_waker(&waker))
            .is_ready()
        {
            waker.wake_by_ref();
        }
    }
}

impl Wake for Retry {
    fn wake(self: Arc<Self>) {
        if Instant::now() >= self.due {
            let call = self.pool.lock().call(self.pool.max_threads);
            self.pool.carry_out(call);
        }
    }
}
