//! How a server tells all of its connections to stop.
//!
//! A connection is woken for every message, and only once to stop. So what it looks at each time is a flag, and the
//! channel that wakes it, whose lock all connections share, only to leave its waker there.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Context;

use crate::channel;
use crate::stream::Stream;

/// What stops all who hold a [`Stop`], when it is dropped.
pub(crate) struct Stopper {
    has_stopped: Arc<AtomicBool>,
    /// Nothing is ever sent: that it is dropped, right after the flag is set, wakes them.
    _stopping: channel::Sender<Infallible>,
}

/// Learns that the server stops.
#[derive(Clone)]
pub(crate) struct Stop {
    has_stopped: Arc<AtomicBool>,
    stopping: channel::Receiver<Infallible>,
}

/// One who stops, and one who learns of it, to be cloned for the others.
pub(crate) fn pair() -> (Stopper, Stop) {
    let has_stopped = Arc::new(AtomicBool::new(false));
    let (sender, stopping) = channel::bounded(1);
    let stopper = Stopper {
        has_stopped: has_stopped.clone(),
        _stopping: sender,
    };
    let stop = Stop {
        has_stopped,
        stopping,
    };
    (stopper, stop)
}

impl Drop for Stopper {
    fn drop(&mut self) {
        self.has_stopped.store(true, Ordering::Release);
    }
}

impl Stop {
    /// Whether the server stops; if not, the task is woken when it does. That takes a waker once, and again only when
    /// it `is_new_waker`.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, is_new_waker: bool) -> bool {
        self.has_stopped.load(Ordering::Acquire)
            || is_new_waker && Pin::new(&mut self.stopping).poll_next(cx).is_ready()
    }
}
