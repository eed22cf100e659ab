//! Sees to it that nothing waits for a thread that stands still.
//!
//! Workers do not preempt tasks. A task may compute for a second, or block its thread in a call; then what waits in that
//! worker's queue, or for the driver that the worker was, would wait as long. The watcher is a thread that looks every
//! few milliseconds while such a thing is possible, and sleeps without a timeout while it is not: it is *armed* by a push of a
//! thread to its own seat, by a push from outside that finds all workers busy, and by a driver that leaves to run tasks. It
//! disarms itself when nothing has waited for some looks. An idle process has no watcher to speak of.
//!
//! What it does when it looks:
//! - a seat whose count has not moved since the last look is stuck: what waits there goes to the injector;
//! - if something has waited since the last look and a worker sleeps, that one is roused (so the batches of the driver, for
//!   which nobody is roused at once, get help when they take long; what a worker gets done in between is its own affair, and
//!   a second one would take the core of another program, most likely of the one that waits for the answers);
//! - if something has waited, no worker sleeps and nobody has moved at all, a spare thread is sent to help out;
//! - if nobody has driven the reactor since the last look, it takes a turn without waiting.
//!
//! Ordering: whoever arms first makes visible what there is to watch, then looks at `armed`; the watcher clears `armed`, then
//! looks whether there is something. With a full fence in between on both sides, one of the two sees the other. Those who push to
//! their own seat do so too often for that, and the watcher pays their fence (rule 3 of `idle.rs`).

use super::asymmetric;
use super::parker::{Duty, Parker, Unparker};
use super::pool::{self, Pool};
use super::queue::Seat;
use super::spares::Errand;
use super::task::wake_all;
use crate::reactor::{self, Reactor};
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;
use std::thread;
use std::time::Duration;

/// Two looks and the start of a thread have to fit into the 10 ms within which a task starts whatever its spawner does.
/// Longer would be late, shorter would cost a busy server more than the quarter of a percent of a core that it costs.
const PERIOD: Duration = Duration::from_millis(2);

/// So many looks in a row that find nothing, and the watcher sleeps. More keep it awake between requests that come in
/// quick succession, each of which would have to rouse it again.
const QUIET_LOOKS: u32 = 3;

/// The watcher of one pool.
#[derive(Debug, Default)]
pub(crate) struct Watcher {
    /// Whether it looks, or has been told to.
    is_armed: AtomicBool,
    /// Rouses its thread; `None` until one could be started.
    thread: Mutex<Option<Arc<Unparker>>>,
}

/// What the watcher saw last.
struct Sight {
    /// How many turns each seat had taken.
    ticks: Vec<u64>,
    /// How often nothing was left at each.
    ends: Vec<u64>,
    /// The count of the threads without a seat.
    help_ticks: u64,
    /// How many turns the reactor's drivers had taken.
    turns: usize,
}

impl Watcher {
    /// Asks the watcher to look.
    pub(super) fn arm(&self, pool: &'static Pool) {
        fence(Ordering::SeqCst);
        self.arm_unfenced(pool);
    }

    /// The same, by a thread that has pushed to its own seat. A load if the watcher looks already.
    #[inline]
    pub(super) fn arm_for_own_seat(&self, pool: &'static Pool) {
        asymmetric::light_fence();
        if !self.is_armed.load(Ordering::Relaxed) {
            self.arm_unfenced(pool);
        }
    }

    fn arm_unfenced(&self, pool: &'static Pool) {
        if self.is_armed.load(Ordering::SeqCst) || self.is_armed.swap(true, Ordering::SeqCst) {
            return;
        }
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        match &*thread {
            Some(unparker) => unparker.unpark(),
            None => match start(pool) {
                Ok(unparker) => *thread = Some(unparker),
                // No thread to be had: the next one who arms tries again.
                Err(_) => self.is_armed.store(false, Ordering::SeqCst),
            },
        }
    }

    /// Goes to sleep, unless something waits.
    fn disarm(&self, pool: &Pool) {
        let disarm = || self.is_armed.store(false, Ordering::SeqCst);
        let is_fenced = if asymmetric::is_available() {
            disarm();
            asymmetric::heavy_fence()
        } else {
            pool.idle.if_all_are_vacant(disarm);
            fence(Ordering::SeqCst);
            true
        };
        if !is_fenced || pool.has_work() {
            self.is_armed.store(true, Ordering::SeqCst);
        }
    }

    /// The watcher's thread.
    fn run(&self, pool: &'static Pool, parker: &Parker) {
        let mut sight = Sight::of(pool);
        let mut ready = Vec::new();
        let mut quiet_looks = 0;
        loop {
            if self.is_armed.load(Ordering::SeqCst) {
                parker.park(Duty::Guest, Some(PERIOD), &mut ready);
                let is_quiet = sight.look(pool, parker, &mut ready);
                quiet_looks = if is_quiet { quiet_looks + 1 } else { 0 };
                if quiet_looks >= QUIET_LOOKS {
                    self.disarm(pool);
                }
            } else {
                quiet_looks = 0;
                // If all workers are held up, nobody drives: then it is the watcher that waits for the kernel.
                parker.park(Duty::Stopgap, None, &mut ready);
                // A worker that stands by drives better, since it can run what it wakes; and it is called before anything is
                // run here (rule 2 of `parker.rs`).
                parker.settle();
                wake_all(&mut ready);
            }
        }
    }
}

/// Starts the watcher's thread.
fn start(pool: &'static Pool) -> std::io::Result<Arc<Unparker>> {
    let (sender, receiver) = std::sync::mpsc::channel();
    thread::Builder::new()
        .name("parklet-watcher".into())
        .spawn(move || {
            pool::sharpen_timers();
            let crew = reactor::join_crew();
            crew.report();
            let parker = Parker::current();
            // The receiver waits for this and for nothing else.
            let _ = sender.send(Arc::clone(parker.unparker()));
            pool.watcher.run(pool, &parker);
        })?;
    Ok(receiver
        .recv()
        .expect("the thread sends its unparker before anything else"))
}

/// How many turns the reactor's drivers have taken.
fn driver_turns() -> usize {
    Reactor::get().map_or(0, Reactor::turns)
}

impl Sight {
    fn of(pool: &Pool) -> Sight {
        Sight {
            ticks: pool.seats.iter().map(Seat::ticks).collect(),
            ends: pool.seats.iter().map(Seat::ends).collect(),
            help_ticks: pool.help_ticks(),
            turns: driver_turns(),
        }
    }

    /// One look, and what it asks for. True: nothing waits.
    fn look(&mut self, pool: &'static Pool, parker: &Parker, ready: &mut Vec<Waker>) -> bool {
        if driver_turns() == self.turns {
            parker.glance(ready);
            // Nobody to be called: a worker drives again when it has nothing to run, and until then there is the next look.
            parker.take_debt();
            wake_all(ready);
        }

        let now = Sight::of(pool);
        for ((seat, before), after) in pool.seats.iter().zip(&self.ticks).zip(&now.ticks) {
            if before == after {
                while let Some(runnable) = seat.slot.take().or_else(|| seat.steal()) {
                    pool.injector.push(runnable);
                }
            }
        }
        let nobody_moves = self.ticks == now.ticks && self.help_ticks == now.help_ticks;
        let mut seats = pool.seats.iter().zip(&self.ends).zip(&now.ends);
        let is_overdue = !pool.injector.is_empty()
            || seats.any(|((seat, before), after)| before == after && seat.has_work());
        *self = now;

        if is_overdue && !pool.idle.rouse() && nobody_moves {
            // If there is no thread to be had, the next look tries again.
            let _ = pool.spares.send(pool, Errand::HelpOut);
        }
        !pool.has_work()
    }
}
