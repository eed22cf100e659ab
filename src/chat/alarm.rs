//! A point in time at which a connection has to do something, and hardly ever has to look at it before.

use std::future::Future;
use std::pin::Pin;
use std::task::Context;
use std::time::{Duration, Instant};

use crate::task;

/// Rings once.
pub(crate) struct Alarm {
    at: Instant,
    sleep: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// The sleep was polled, and will wake the task.
    is_set: bool,
}

impl Alarm {
    /// One that rings after this time, or none if that is beyond all time.
    pub(crate) fn after(time: Duration) -> Option<Self> {
        Some(Self {
            at: Instant::now().checked_add(time)?,
            sleep: Box::pin(task::sleep(time)),
            is_set: false,
        })
    }

    /// Whether it rings; if not, the task is woken when it does. A connection is woken for every message, and then the
    /// clock tells more cheaply than the timers, which all share.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, is_new_waker: bool) -> bool {
        if self.is_set && !is_new_waker && Instant::now() < self.at {
            return false;
        }
        self.is_set = true;
        self.sleep.as_mut().poll(cx).is_ready()
    }
}
