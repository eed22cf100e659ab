//! A seat's queue; others steal from it.
//!
//! A seat is a place at which one thread at a time works: a slot for the task that is next, since the one that runs has
//! spawned or woken it and its data is warm, and a FIFO deque behind it. There are as many seats as workers; threads come and go (`idle.rs`).

use super::current::TaskId;
use super::injector::Injector;
use super::task::{Runnable, Slot};
use crossbeam::deque::{Steal, Stealer, Worker as Deque};
use crossbeam::utils::CachePadded;
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

/// The slot is run so often in a row before the deque has its turn: two tasks that wake one another must not shut out a
/// third. Of 3 and 1,000 the smaller costs nothing measurable.
const SLOT_RUNS: u32 = 3;

/// What all threads may see of a seat.
#[derive(Debug)]
pub(crate) struct Seat {
    /// The task to run next. Its thread's own, but the watcher takes it from a thread that stands still (`task/slot.rs`).
    pub(crate) slot: Slot,
    /// The thief's end of the deque.
    stealer: Stealer<Runnable>,
    /// What the watcher knows it by.
    counts: CachePadded<Counts>,
}

/// What happened at a seat, counted. One thread at a time writes, the one that sits there.
#[derive(Debug, Default)]
struct Counts {
    /// Turns: a task run, or a look for one in vain. A seat whose number stands still is stuck in a task, or asleep.
    ticks: AtomicU64,
    /// How often nothing was left to run; what waits at a seat whose number stands still has waited as long.
    ends: AtomicU64,
    /// How often tasks of others were taken.
    steals: AtomicU64,
    /// Ticks after which there was no task to run, here or elsewhere.
    vain_ticks: AtomicU64,
}

/// Adds one. One writer, so a load and a store will do.
fn count(counter: &AtomicU64) -> u64 {
    let count = counter.load(Ordering::Relaxed).wrapping_add(1);
    counter.store(count, Ordering::Relaxed);
    count
}

impl Seat {
    /// Whether something waits in the slot or the deque.
    pub(crate) fn has_work(&self) -> bool {
        !self.slot.is_empty() || !self.stealer.is_empty()
    }

    /// Whether a thief would find something.
    pub(crate) fn is_stealable(&self) -> bool {
        !self.stealer.is_empty()
    }

    /// How many turns have been taken here: tasks run, and looks in vain.
    pub(crate) fn ticks(&self) -> u64 {
        self.counts.ticks.load(Ordering::Relaxed)
    }

    /// How often nothing was left to run.
    pub(crate) fn ends(&self) -> u64 {
        self.counts.ends.load(Ordering::Relaxed)
    }

    /// How many tasks wait here.
    pub(crate) fn queued(&self) -> usize {
        usize::from(!self.slot.is_empty()) + self.stealer.len()
    }

    /// How many tasks were run here: the ticks that were not in vain.
    pub(crate) fn polls(&self) -> u64 {
        // Read first, since a tick comes before it is in vain.
        let vain = self.counts.vain_ticks.load(Ordering::Relaxed);
        self.ticks().saturating_sub(vain)
    }

    /// How often the thread here took tasks of others.
    pub(crate) fn steals(&self) -> u64 {
        self.counts.steals.load(Ordering::Relaxed)
    }

    /// Takes one task from the deque.
    pub(crate) fn steal(&self) -> Option<Runnable> {
        insist(|| self.stealer.steal())
    }
}

/// The seat as its thread sees it: the owner's end. There is one of it, so whoever has it sits there.
#[derive(Debug)]
pub(crate) struct LocalQueue {
    /// What others see.
    seat: &'static Seat,
    /// Which seat it is.
    index: usize,
    /// The owner's end.
    deque: Deque<Runnable>,
    /// How often in a row the slot was run.
    slot_runs: Cell<u32>,
}

/// So many seats, as all see them and as their threads will. They last as long as the process, as the pool does; so what
/// goes from thread to thread is a plain reference that nobody has to drop.
pub(super) fn seats(count: usize) -> (&'static [Seat], Vec<&'static mut LocalQueue>) {
    // FIFO: the LIFO flavour pays a fence for each pop, and serves the oldest last.
    let deques: Vec<_> = (0..count).map(|_| Deque::new_fifo()).collect();
    let seats = deques.iter().map(|deque| Seat {
        slot: Slot::new(),
        stealer: deque.stealer(),
        counts: CachePadded::default(),
    });
    let seats: &'static [Seat] = Vec::leak(seats.collect());
    let queues = deques.into_iter().zip(seats).enumerate();
    let queues = queues.map(|(index, (deque, seat))| LocalQueue {
        seat,
        index,
        deque,
        slot_runs: Cell::new(0),
    });
    (
        seats,
        queues
            .map(Box::new)
            .map(|queue| &mut *Box::leak(queue))
            .collect(),
    )
}

impl LocalQueue {
    /// Which seat it is.
    pub(crate) fn index(&self) -> usize {
        self.index
    }

    /// Whether nothing waits here.
    pub(crate) fn is_empty(&self) -> bool {
        self.seat.slot.is_empty() && self.deque.is_empty()
    }

    /// Puts a task before all others; behind them, if one stands there already. True: that is so, and thieves see it.
    #[must_use]
    pub(crate) fn push_next(&self, runnable: Runnable) -> bool {
        let left_over = self.seat.slot.put(runnable);
        left_over
            .map(|runnable| self.deque.push(runnable))
            .is_some()
    }

    /// Puts a task behind all others.
    pub(crate) fn push_last(&self, runnable: Runnable) {
        self.deque.push(runnable);
    }

    /// The next task to run.
    pub(crate) fn pop(&self) -> Option<Runnable> {
        let runs = self.slot_runs.get();
        if runs < SLOT_RUNS
            && let Some(runnable) = self.seat.slot.take()
        {
            self.slot_runs.set(runs + 1);
            return Some(runnable);
        }
        self.slot_runs.set(0);
        // A lone chain of tasks goes on in the slot: sent through the deque, a thief would carry it from core to core.
        let next = self.deque.pop().or_else(|| self.seat.slot.take());
        if next.is_none() {
            count(&self.seat.counts.ends);
        }
        next
    }

    /// Notes that a turn begins; the count of turns.
    pub(crate) fn tick(&self) -> u64 {
        count(&self.seat.counts.ticks)
    }

    /// Notes that the last tick was in vain.
    pub(crate) fn count_vain_tick(&self) {
        count(&self.seat.counts.vain_ticks);
    }

    /// Takes a share of the injector.
    pub(crate) fn take_share(&self, injector: &Injector, workers: usize) -> Option<Runnable> {
        injector.take_share(&self.deque, workers)
    }

    /// Takes half of what a victim has.
    pub(crate) fn steal_from(&self, victim: &Seat) -> Option<Runnable> {
        let stolen = insist(|| victim.stealer.steal_batch_and_pop(&self.deque))?;
        count(&self.seat.counts.steals);
        Some(stolen)
    }

    /// Takes this task out of the deque, if it is all there is, and if somebody waits for it still.
    pub(crate) fn take_only(&self, task: TaskId) -> Option<Runnable> {
        if self.deque.len() != 1 || !self.seat.slot.is_empty() {
            return None;
        }
        let runnable = self.deque.pop()?;
        if runnable.task().id() == task && runnable.is_awaited() {
            return Some(runnable);
        }
        self.deque.push(runnable);
        None
    }

    /// Moves what is in the slot to where thieves see it: the thread is about to leave.
    pub(crate) fn open_slot(&self) {
        if let Some(runnable) = self.seat.slot.take() {
            self.deque.push(runnable);
        }
    }
}

/// Asks again as long as another thread was in the way.
pub(super) fn insist(mut steal: impl FnMut() -> Steal<Runnable>) -> Option<Runnable> {
    loop {
        match steal() {
            Steal::Success(runnable) => return Some(runnable),
            Steal::Empty => return None,
            Steal::Retry => std::hint::spin_loop(),
        }
    }
}
