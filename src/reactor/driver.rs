//! (skeleton) One turn: wait, dispatch, fire timers.
#![allow(
    dead_code,
    clippy::todo,
    missing_debug_implementations,
    reason = "skeleton"
)]
use std::task::Waker;
use std::time::Duration;

pub(crate) struct Reactor {}
pub(crate) struct Driver<'a>(&'a Reactor);

impl Reactor {
    /// The process's reactor, if anything has used it yet.
    pub(crate) fn get() -> Option<&'static Reactor> {
        None
    }
    /// The process's reactor, made on first use.
    pub(crate) fn start() -> &'static Reactor {
        static R: Reactor = Reactor {};
        &R
    }
    /// The driver token, if nobody has it. Dropping the `Driver` gives it back.
    pub(crate) fn try_drive(&self) -> Option<Driver<'_>> {
        None
    }
    /// Makes the driver's wait, the present one or the next, return at once.
    pub(crate) fn notify(&self) {}
}
impl Driver<'_> {
    /// Waits for events, a timer, `notify` or the timeout, whichever is first; the wakers of what became ready are
    /// pushed to `woken` and *not* called: the caller wakes them after it has given the token back.
    pub(crate) fn turn(&mut self, _timeout: Option<Duration>, _woken: &mut Vec<Waker>) {
        todo!()
    }
}
