//! The reactor, and one turn of it: wait, take in the events, collect the timers that are due.
//!
//! Whoever holds the driver token, a [`Driver`], waits for all. A turn wakes nobody: it returns the wakers, since to
//! wake is to run foreign code, and since the caller may want to hand the token on first.

use std::io;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::task::Waker;
use std::time::Duration;

use super::deadlines::Deadlines;
use super::poller::Poller;
use super::source_table::SourceTable;
use super::{last_resort, lock, timer_slack};

/// The process's reactor.
static REACTOR: OnceLock<Reactor> = OnceLock::new();

/// What all threads wait for: one in a process, made on first use.
#[derive(Debug)]
pub(crate) struct Reactor {
    /// The kernel's side.
    pub(super) poller: Poller,
    /// The registered descriptors.
    pub(super) sources: SourceTable,
    /// The timers that somebody waits for.
    pub(super) deadlines: Deadlines,
    /// Whether the driver token is taken.
    driven: AtomicBool,
    /// How many turns have been taken; only who has the token writes it.
    turns: AtomicUsize,
}

impl Reactor {
    /// The process's reactor, if anything has used it yet.
    pub(crate) fn get() -> Option<&'static Reactor> {
        REACTOR.get()
    }

    /// The process's reactor, made on first use.
    ///
    /// # Panics
    ///
    /// If it cannot be made, since the process has no descriptors left.
    pub(crate) fn start() -> &'static Reactor {
        Reactor::try_start().unwrap_or_else(|error| panic!("{error}"))
    }

    /// [`start`](Reactor::start), for those who can report an error.
    pub(super) fn try_start() -> io::Result<&'static Reactor> {
        /// So that of two threads one makes it and the other gets it.
        static STARTING: Mutex<()> = Mutex::new(());

        if let Some(reactor) = REACTOR.get() {
            return Ok(reactor);
        }
        let _starting = lock(&STARTING);
        if let Some(reactor) = REACTOR.get() {
            return Ok(reactor);
        }
        let poller = Poller::new().map_err(|error| {
            io::Error::new(error.kind(), format!("cannot start the reactor: {error}"))
        })?;
        Ok(REACTOR.get_or_init(|| Reactor::over(poller)))
    }

    /// A reactor that nobody drives.
    fn over(poller: Poller) -> Reactor {
        Reactor {
            poller,
            sources: SourceTable::default(),
            deadlines: Deadlines::new(),
            driven: AtomicBool::new(false),
            turns: AtomicUsize::new(0),
        }
    }

    /// The reactor, for those who hold something that is registered with it.
    pub(super) fn started() -> &'static Reactor {
        REACTOR.get().expect("a registration keeps the reactor")
    }

    /// The driver token, if nobody has it. Dropping the [`Driver`] gives it back.
    ///
    /// Taking and giving back are sequentially consistent. So between a thread that writes itself down as standing by
    /// and then tries the token, and one that gives the token back and then looks who stands by, one sees the other,
    /// provided that writing down and looking are sequentially consistent too.
    pub(crate) fn try_drive(&self) -> Option<Driver<'_>> {
        // Looking first keeps the word in every core's cache while somebody drives.
        let taken = self.is_driven() || self.driven.swap(true, Ordering::SeqCst);
        // Not `then_some`: dropping a `Driver` that was made in vain would give somebody else's token away.
        (!taken).then(|| Driver { reactor: self })
    }

    /// Whether somebody has the token.
    pub(super) fn is_driven(&self) -> bool {
        self.driven.load(Ordering::SeqCst)
    }

    /// How many turns have been taken.
    pub(crate) fn turns(&self) -> usize {
        self.turns.load(Ordering::Relaxed)
    }

    /// Makes the driver's wait, the present one or the next, return at once. Several calls before that are one.
    pub(crate) fn notify(&self) {
        self.poller.notify();
    }
}

/// The driver token: the right and the duty to wait for the kernel.
#[derive(Debug)]
pub(crate) struct Driver<'a> {
    /// What is driven.
    reactor: &'a Reactor,
}

impl Driver<'_> {
    /// Waits for events, a timer, [`notify`](Reactor::notify), a signal or the timeout (`None`: never), whichever is
    /// first. The wakers of what became ready are pushed to `woken` and *not* called: the caller wakes them after it has
    /// given the token back.
    ///
    /// With a timeout of zero, or a far one, this is one system call and no more.
    ///
    /// # Panics
    ///
    /// If the kernel refuses to wait: somebody closed the reactor's descriptor, and no I/O will ever end.
    pub(crate) fn turn(&mut self, timeout: Option<Duration>, woken: &mut Vec<Waker>) {
        let Reactor {
            poller,
            sources,
            deadlines,
            turns,
            ..
        } = self.reactor;
        turns.store(self.reactor.turns().wrapping_add(1), Ordering::Relaxed);
        let timeout = deadlines.begin_sleep(timeout);
        let sharpened = timer_slack::sharpen_wait(timeout);
        let waited = poller.wait(timeout, |key, readiness| {
            sources.report(key, readiness, woken);
        });
        drop(sharpened);
        deadlines.end_sleep(woken);
        if let Err(error) = waited {
            panic!("cannot wait for I/O events: {error}");
        }
    }

    /// Gives the token back and leaves it to the caller who drives next.
    pub(super) fn give_back(self) {
        self.reactor.driven.store(false, Ordering::SeqCst);
        mem::forget(self);
    }
}

impl Drop for Driver<'_> {
    fn drop(&mut self) {
        self.reactor.driven.store(false, Ordering::SeqCst);
        last_resort::token_is_free();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reactor of its own, so that no other test drives it.
    fn reactor() -> Reactor {
        Reactor::over(Poller::new().unwrap())
    }

    #[test]
    fn the_token_is_one_and_comes_back() {
        let reactor = reactor();
        let driver = reactor.try_drive().expect("nobody drives");
        for _ in 0..2 {
            assert!(reactor.try_drive().is_none(), "it is taken, and stays so");
        }
        drop(driver);
        reactor.try_drive().expect("it was given back").give_back();
        assert!(!reactor.is_driven());
    }

    #[test]
    fn a_turn_that_may_not_sleep_collects_what_is_there() {
        let reactor = reactor();
        let mut driver = reactor.try_drive().unwrap();
        let mut woken = Vec::new();
        driver.turn(Some(Duration::ZERO), &mut woken);
        assert!(woken.is_empty());

        let soon = std::time::Instant::now() + Duration::from_millis(1);
        reactor.deadlines.insert(Some(soon), Waker::noop().clone());
        while std::time::Instant::now() < soon {}
        driver.turn(Some(Duration::ZERO), &mut woken);
        assert_eq!(woken.len(), 1, "the timer that is due");
    }

    #[test]
    fn timers_that_are_due_together_come_in_the_order_of_their_deadlines() {
        /// Says its number when it is woken.
        struct Numbered(u64, std::sync::mpsc::Sender<u64>);
        impl std::task::Wake for Numbered {
            fn wake(self: std::sync::Arc<Self>) {
                self.1.send(self.0).unwrap();
            }
        }
        let reactor = reactor();
        let start = std::time::Instant::now();
        let (sender, woken_numbers) = std::sync::mpsc::channel();
        for number in [7, 2, 9, 4, 0, 5, 8, 1, 6, 3] {
            let deadline = start + Duration::from_micros(number * 30);
            let waker = Waker::from(std::sync::Arc::new(Numbered(number, sender.clone())));
            reactor.deadlines.insert(Some(deadline), waker);
        }
        while start.elapsed() < Duration::from_micros(300) {}
        let mut woken = Vec::new();
        let zero = Some(Duration::ZERO);
        reactor.try_drive().unwrap().turn(zero, &mut woken);
        woken.into_iter().for_each(Waker::wake);
        drop(sender);
        assert_eq!(
            woken_numbers.iter().collect::<Vec<_>>(),
            [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
        );
    }

    #[test]
    fn an_endless_turn_ends_when_a_timer_is_due_and_when_notified() {
        let reactor = reactor();
        let mut driver = reactor.try_drive().unwrap();
        let soon = std::time::Instant::now() + Duration::from_millis(5);
        reactor.deadlines.insert(Some(soon), Waker::noop().clone());
        let mut woken = Vec::new();
        while woken.is_empty() {
            driver.turn(None, &mut woken);
        }
        assert!(std::time::Instant::now() >= soon, "never early");

        std::thread::scope(|scope| {
            scope.spawn(|| reactor.notify());
            driver.turn(None, &mut woken);
        });
        driver.turn(Some(Duration::from_nanos(1)), &mut woken);
        reactor.notify();
        driver.turn(Some(Duration::MAX), &mut woken);
    }
}
