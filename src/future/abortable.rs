//! A future that can be stopped from elsewhere.
//!
//! The future and its handle share one cell: the waker of the task that polls, until someone puts "aborted" in its
//! place. `spawn`ed tasks have this built in (`JoinHandle::abort`); here it stands as plain code, for any future.

use pin_project_lite::pin_project;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Wraps a future, so that the handle can stop it.
///
/// The names are futures'. Unlike there, an aborted future is dropped at the next poll, and not only with the
/// `Abortable`.
///
/// # Cancel safety
///
/// As cancel safe as the future itself: to abort it is to drop it between two polls.
///
/// # Examples
///
/// ```
/// use parklet::future::{self, Aborted};
///
/// # parklet::task::block_on(async {
/// let (never, handle) = future::abortable(future::pending::<()>());
/// std::thread::spawn(move || handle.abort());
/// assert_eq!(never.await, Err(Aborted));
/// # });
/// ```
pub fn abortable<F: Future>(future: F) -> (Abortable<F>, AbortHandle) {
    let switch = Arc::new(Switch(Mutex::new(SwitchState::On { poller: None })));
    let handle = AbortHandle {
        switch: Arc::clone(&switch),
    };
    let abortable = Abortable {
        future: Some(future),
        watch: Watch { switch },
    };
    (abortable, handle)
}

pin_project! {
    /// A future that can be stopped; from [`abortable`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless awaited or polled"]
    pub struct Abortable<F> {
        // The future, until it is ready or aborted.
        #[pin]
        future: Option<F>,
        // Tells when it is aborted.
        watch: Watch,
    }
}

/// Stops its future; clones stop the same one. From [`abortable`].
#[derive(Debug, Clone)]
pub struct AbortHandle {
    /// What is switched.
    switch: Arc<Switch>,
}

/// The output of a future that was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aborted;

/// Whether the future may go on; shared with the handles.
#[derive(Debug)]
struct Switch(Mutex<SwitchState>);

#[derive(Debug)]
enum SwitchState {
    /// It may; this is who polled it last.
    On { poller: Option<Waker> },
    /// It has been aborted.
    Off,
}

/// The future's side of the switch; when it goes, the handles keep no waker.
#[derive(Debug)]
struct Watch {
    /// What is switched.
    switch: Arc<Switch>,
}

impl AbortHandle {
    /// Stops the future: whoever awaits it gets [`Aborted`], and it is dropped then, where it is polled. Nothing
    /// happens if it was ready before.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::future::{self, Aborted};
    /// # parklet::task::block_on(async {
    /// let (future, handle) = future::abortable(async { 7 });
    /// handle.abort();
    /// assert_eq!(future.await, Err(Aborted));
    /// # });
    /// ```
    pub fn abort(&self) {
        let before = mem::replace(&mut *self.switch.lock(), SwitchState::Off);
        if let SwitchState::On {
            poller: Some(waker),
        } = before
        {
            waker.wake();
        }
    }

    /// Whether it was told to stop; the future may have been ready before that.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::future;
    /// let (_future, handle) = future::abortable(async { 7 });
    /// assert!(!handle.is_aborted());
    /// handle.abort();
    /// assert!(handle.is_aborted());
    /// ```
    pub fn is_aborted(&self) -> bool {
        matches!(*self.switch.lock(), SwitchState::Off)
    }
}

impl<F: Future> Future for Abortable<F> {
    type Output = Result<F::Output, Aborted>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        // The waker is left before the future is polled: an abort during the poll leads to another one.
        if this.watch.leave_waker(cx.waker()).is_err() {
            this.future.set(None);
            return Poll::Ready(Err(Aborted));
        }
        let future = this.future.as_mut().as_pin_mut();
        let poll = future
            .expect("an abortable future polled again after it was ready")
            .poll(cx);
        if poll.is_ready() {
            this.future.set(None);
            this.watch.forget_waker();
        }
        poll.map(Ok)
    }
}

impl Watch {
    /// Has this task woken by an abort, unless that has been already.
    fn leave_waker(&self, waker: &Waker) -> Result<(), Aborted> {
        let replaced = match &mut *self.switch.lock() {
            SwitchState::Off => return Err(Aborted),
            SwitchState::On {
                poller: Some(poller),
            } if poller.will_wake(waker) => None,
            SwitchState::On { poller } => poller.replace(waker.clone()),
        };
        drop(replaced);
        Ok(())
    }

    fn forget_waker(&self) {
        let forgotten = match &mut *self.switch.lock() {
            SwitchState::On { poller } => poller.take(),
            SwitchState::Off => None,
        };
        drop(forgotten);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.forget_waker();
    }
}

impl Switch {
    fn lock(&self) -> MutexGuard<'_, SwitchState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Error for Aborted {}

impl fmt::Display for Aborted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the future was aborted")
    }
}
