//! A task that the test polls by hand: it knows when it was woken, and whether anybody could still wake it.

use std::cell::Cell;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Weak};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

/// Everything here takes milliseconds: this long means that it hangs.
pub(crate) const HANGS: Duration = Duration::from_secs(60);

/// A task that is polled by hand.
pub(crate) struct HandTask {
    pub(crate) waker: Waker,
    bell: Weak<Bell>,
    rung: Receiver<Instant>,
    wakes: Cell<usize>,
}

/// What its wakers ring. It goes with the last of them, and the sender with it.
struct Bell(Sender<Instant>);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        let _ = self.0.send(Instant::now());
    }
}

impl HandTask {
    pub(crate) fn new() -> HandTask {
        let (sender, rung) = mpsc::channel();
        let bell = Arc::new(Bell(sender));
        HandTask {
            bell: Arc::downgrade(&bell),
            waker: Waker::from(bell),
            rung,
            wakes: Cell::new(0),
        }
    }

    pub(crate) fn cx(&self) -> Context<'_> {
        Context::from_waker(&self.waker)
    }

    /// When it is woken next.
    pub(crate) fn wait_for_wake(&self) -> Instant {
        let woken = self.rung.recv_timeout(HANGS).expect("it is never woken");
        self.wakes.set(self.wakes.get() + 1);
        woken
    }

    /// How often it has been woken so far.
    #[allow(dead_code, reason = "each test file uses its part")]
    pub(crate) fn wakes(&self) -> usize {
        self.wakes
            .set(self.wakes.get() + self.rung.try_iter().count());
        self.wakes.get()
    }

    /// How many wakers somebody keeps, beside the task's own. To be asked where nobody wakes at the same time.
    pub(crate) fn wakers_kept(&self) -> usize {
        self.bell.strong_count() - 1
    }

    /// Returns when nobody has a waker any more, with the number of wakes that there ever were.
    pub(crate) fn all_wakes(self) -> usize {
        drop(self.waker);
        let mut wakes = self.wakes.get();
        loop {
            match self.rung.recv_timeout(HANGS) {
                Ok(_) => wakes += 1,
                Err(RecvTimeoutError::Disconnected) => return wakes,
                Err(RecvTimeoutError::Timeout) => panic!("somebody keeps a waker"),
            }
        }
    }
}
