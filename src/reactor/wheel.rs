//! A hierarchical timer wheel: setting and cancelling a timer cost the same however many there are.
//!
//! ```text
//!  level 7          level 1    level 0
//! ┌───────┬── ─ ─ ┬─────────┬─────────┬────────────────┐
//! │ 6 bit │       │  6 bit  │  6 bit  │     16 bit     │   a deadline, in nanoseconds
//! └───────┴── ─ ─ ┴─────────┴─────────┴────────────────┘
//!                              the tick ┘  65.5 us, kept but not sorted by
//! ```
//!
//! A level has 64 slots, one for each value of its six bits of the deadline. An entry lies at the level of the highest
//! bits in which its tick differs from the wheel's own, `now`: all entries of a level are therefore later than all of
//! the levels below, and within a level a later slot is later. The first occupied slot is a matter of counting zero bits.
//! When `now` reaches a slot of a higher level, its entries move down: each at most once a level. (Varghese and Lauck,
//! "Hashed and Hierarchical Timing Wheels", 1997; the levels by differing bits are the Linux kernel's and tokio's.)
//!
//! The wheel only sorts. Deadlines stay exact: a slot that is partly due gives out only what is due, in order, and the
//! driver sleeps to a nanosecond. Eight levels cover all 64 bits, so no deadline is too far; [`NEVER`] is in no slot.

use crate::primitive::is_broken;
use std::num::NonZeroU64;
use std::task::Waker;

/// A deadline that does not come.
pub(super) const NEVER: u64 = u64::MAX;

/// Bits of a deadline below the tick: 65.5 us, about what a sleeping thread is late anyway. Finer ticks would need more
/// moves from level to level, coarser ones more sorting within a slot.
const TICK_BITS: u32 = 16;

/// Bits of a level, so that its slots are the bits of one word. In a model the wheel has to fit a small stack.
const LEVEL_BITS: u32 = if cfg!(parklet_loom) { 2 } else { 6 };

/// Slots of a level.
const SLOTS: usize = 1 << LEVEL_BITS;

/// Levels, as many as it takes for all 64 bits.
const LEVELS: usize = ((u64::BITS - TICK_BITS) / LEVEL_BITS) as usize;

/// Entries whose memory is kept when the wheel is empty; what a burst took beyond is given back.
const KEPT_ENTRIES: usize = 1024;

/// The end of a list.
const NONE: u32 = u32::MAX;

/// A timer's place in the wheel. It stays valid, and means nothing, after the entry is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Where in `Wheel::entries`.
    index: u32,
    /// Which of those that were there.
    id: NonZeroU64,
}

/// Wakers by deadline.
#[derive(Debug)]
pub(super) struct Wheel {
    /// The tick up to which everything has been given out.
    now: u64,
    /// For each level, which of its slots have entries.
    occupied: [u64; LEVELS],
    /// The slots, level after level.
    slots: [Slot; SLOTS * LEVELS],
    /// The entries, each linked into the list of its slot, or into `free`.
    entries: Vec<Stored>,
    /// The first unused element of `entries`.
    free: u32,
    /// How many entries are in use.
    len: usize,
    /// The number of the latest entry.
    last_id: u64,
    /// What is due, while it is brought into order; kept for its memory.
    due: Vec<u32>,
}

/// A list of entries, oldest first.
#[derive(Clone, Copy, Debug)]
struct Slot {
    /// Its first entry.
    first: u32,
    /// Its last entry.
    last: u32,
    /// No entry is earlier than this. Cancelling the earliest leaves it as it is: at worst one wake-up is too early.
    earliest: u64,
}

/// One element of the slab.
#[derive(Debug)]
struct Stored {
    /// When it is due.
    deadline: u64,
    /// Whom to wake; `None` where the element is unused.
    waker: Option<Waker>,
    /// Which entry this is; an unused element keeps the number of its last.
    id: u64,
    /// The slot whose list it is in; `NONE` for an entry that never comes due.
    slot: u32,
    /// The entry before in the list.
    previous: u32,
    /// The entry after in the list.
    next: u32,
}

/// A slot without entries.
const EMPTY: Slot = Slot {
    first: NONE,
    last: NONE,
    earliest: NEVER,
};

impl Wheel {
    /// An empty wheel, at zero.
    pub(super) fn new() -> Wheel {
        Wheel {
            now: 0,
            occupied: [0; LEVELS],
            slots: [EMPTY; SLOTS * LEVELS],
            entries: Vec::new(),
            free: NONE,
            len: 0,
            last_id: 0,
            due: Vec::new(),
        }
    }

    /// Stores a waker under its deadline.
    pub(super) fn insert(&mut self, deadline: u64, waker: Waker) -> Entry {
        self.last_id += 1;
        let stored = Stored {
            deadline,
            waker: Some(waker),
            id: self.last_id,
            slot: NONE,
            previous: NONE,
            next: NONE,
        };
        let index = self.free;
        let index = if index == NONE {
            self.entries.push(stored);
            u32::try_from(self.entries.len() - 1).expect("fewer than 2^32 timers fit into memory")
        } else {
            self.free = std::mem::replace(&mut self.entries[index as usize], stored).next;
            index
        };
        self.len += 1;
        self.link(index);
        let id = NonZeroU64::new(self.last_id).expect("counts from one");
        Entry { index, id }
    }

    /// The waker of an entry, if it is here.
    pub(super) fn waker(&self, entry: Entry) -> Option<&Waker> {
        self.stored(entry)?.waker.as_ref()
    }

    /// Takes an entry out before its time.
    pub(super) fn remove(&mut self, entry: Entry) -> Option<Waker> {
        self.stored(entry)?;
        self.unlink(entry.index);
        let waker = self.release(entry.index);
        self.shrink();
        waker
    }

    /// No entry is due before this; `None` if none ever is.
    pub(super) fn next_deadline(&self) -> Option<u64> {
        self.first_slot().map(|slot| self.slots[slot].earliest)
    }

    /// Takes out all that is due at `now` and pushes the wakers to `woken`, in the order of their deadlines, and of
    /// their insertion where these are the same.
    pub(super) fn take_due(&mut self, now: u64, woken: &mut Vec<Waker>) {
        let tick = now >> TICK_BITS;
        while let Some(slot) = self.first_slot() {
            let begins = self.begin_of(slot);
            if begins > tick {
                break;
            }
            self.now = self.now.max(begins);
            if slot >= SLOTS {
                self.spread(slot);
            } else if !self.take_due_of(slot, now, woken) {
                break;
            }
        }
        self.now = self.now.max(tick);
        self.shrink();
    }

    /// Moves the entries of a slot that `now` has reached to lower levels.
    fn spread(&mut self, slot: usize) {
        let mut index = self.empty(slot);
        while index != NONE {
            let next = self.entries[index as usize].next;
            self.link(index);
            index = next;
        }
    }

    /// Takes out what is due of a slot of level 0; false if some of it is not.
    fn take_due_of(&mut self, slot: usize, now: u64, woken: &mut Vec<Waker>) -> bool {
        let mut due = std::mem::take(&mut self.due);
        let mut index = self.empty(slot);
        while index != NONE {
            let stored = &self.entries[index as usize];
            let next = stored.next;
            if stored.deadline <= now {
                due.push(index);
            } else {
                self.link(index);
            }
            index = next;
        }
        due.sort_by_key(|&index| self.entries[index as usize].deadline);
        woken.extend(due.drain(..).filter_map(|index| self.release(index)));
        self.due = due;
        self.occupied[0] & 1 << slot == 0
    }

    /// The occupied slot that comes first.
    fn first_slot(&self) -> Option<usize> {
        let level = self.occupied.iter().position(|&slots| slots != 0)?;
        Some(level * SLOTS + self.occupied[level].trailing_zeros() as usize)
    }

    /// The first tick of an occupied slot: the bits of `now` above its level, its own, and zeros.
    fn begin_of(&self, slot: usize) -> u64 {
        let shift = (slot / SLOTS) as u32 * LEVEL_BITS;
        let above = self.now >> (shift + LEVEL_BITS) << LEVEL_BITS;
        (above | (slot % SLOTS) as u64) << shift
    }

    /// Appends an entry to the slot of its deadline.
    fn link(&mut self, index: u32) {
        let stored = &mut self.entries[index as usize];
        (stored.slot, stored.previous, stored.next) = (NONE, NONE, NONE);
        if stored.deadline == NEVER {
            return;
        }
        // What is overdue waits in the present slot, where it is found first.
        let tick = (stored.deadline >> TICK_BITS).max(self.now);
        let level = (tick ^ self.now).checked_ilog2().unwrap_or(0) / LEVEL_BITS;
        let bit = (tick >> (level * LEVEL_BITS)) as usize % SLOTS;
        let slot = level as usize * SLOTS + bit;

        let list = &mut self.slots[slot];
        list.earliest = list.earliest.min(stored.deadline);
        stored.slot = slot as u32;
        stored.previous = std::mem::replace(&mut list.last, index);
        match stored.previous {
            NONE => list.first = index,
            previous => self.entries[previous as usize].next = index,
        }
        self.occupied[level as usize] |= 1 << bit;
    }

    /// Takes an entry out of its list.
    fn unlink(&mut self, index: u32) {
        let Stored {
            slot,
            previous,
            next,
            ..
        } = self.entries[index as usize];
        if slot == NONE {
            return;
        }
        let slot = slot as usize;
        match previous {
            NONE => self.slots[slot].first = next,
            previous => self.entries[previous as usize].next = next,
        }
        match next {
            NONE => self.slots[slot].last = previous,
            next => self.entries[next as usize].previous = previous,
        }
        if self.slots[slot].first == NONE {
            self.empty(slot);
        }
    }

    /// Empties a slot and returns the first of its entries, which are still linked to each other.
    fn empty(&mut self, slot: usize) -> u32 {
        self.occupied[slot / SLOTS] &= !(1 << (slot % SLOTS));
        std::mem::replace(&mut self.slots[slot], EMPTY).first
    }

    /// Ends an entry that is in no list.
    fn release(&mut self, index: u32) -> Option<Waker> {
        let stored = &mut self.entries[index as usize];
        stored.next = std::mem::replace(&mut self.free, index);
        self.len -= 1;
        stored.waker.take()
    }

    /// Gives the memory of a burst back. Numbers are never used twice, so old entries stay harmless.
    fn shrink(&mut self) {
        if self.len == 0 && self.entries.len() > KEPT_ENTRIES {
            self.entries = Vec::new();
            self.due = Vec::new();
            self.free = NONE;
        }
    }

    /// The element of an entry, if it is still that entry's.
    fn stored(&self, entry: Entry) -> Option<&Stored> {
        let stored = self.entries.get(entry.index as usize)?;
        let is_it = stored.id == entry.id.get() || is_broken("deadlines_rule_2");
        (is_it && stored.waker.is_some()).then_some(stored)
    }
}

#[cfg(all(test, not(parklet_loom)))]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex};
    use std::task::Wake;

    /// A waker that says who was woken.
    struct Numbered {
        number: u64,
        woken: Arc<Mutex<Vec<u64>>>,
    }

    impl Wake for Numbered {
        fn wake(self: Arc<Self>) {
            self.woken.lock().unwrap().push(self.number);
        }
    }

    /// A wheel whose entries have numbers.
    struct Watched {
        wheel: Wheel,
        woken: Arc<Mutex<Vec<u64>>>,
    }

    impl Watched {
        fn new() -> Watched {
            Watched {
                wheel: Wheel::new(),
                woken: Arc::default(),
            }
        }

        fn insert(&mut self, number: u64, deadline: u64) -> Entry {
            let woken = Arc::clone(&self.woken);
            let waker = Waker::from(Arc::new(Numbered { number, woken }));
            self.wheel.insert(deadline, waker)
        }

        /// The numbers that are due, in the order in which they come out.
        fn take_due(&mut self, now: u64) -> Vec<u64> {
            let mut due = Vec::new();
            self.wheel.take_due(now, &mut due);
            due.into_iter().for_each(Waker::wake);
            std::mem::take(&mut *self.woken.lock().unwrap())
        }
    }

    /// Pseudo-random numbers, the same in every run (Marsaglia's xorshift).
    struct Random(u64);

    impl Random {
        fn next(&mut self) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0
        }

        fn below(&mut self, end: u64) -> u64 {
            self.next() % end
        }

        /// Of any magnitude with the same likelihood, so that every level has its share.
        fn span(&mut self, bits: u64) -> u64 {
            self.next() >> (64 - 1 - self.below(bits))
        }
    }

    #[test]
    fn an_entry_comes_out_at_its_nanosecond_and_not_before() {
        for deadline in [0, 1, 65_535, 65_536, 1_000_000_007, 1 << 40, NEVER - 1] {
            let mut watched = Watched::new();
            watched.insert(1, deadline);
            if deadline > 0 {
                assert_eq!(watched.take_due(deadline - 1), [0; 0], "before {deadline}");
            }
            assert_eq!(watched.wheel.next_deadline(), Some(deadline));
            assert_eq!(watched.take_due(deadline), [1], "at {deadline}");
            assert_eq!(watched.wheel.next_deadline(), None);
        }
    }

    #[test]
    fn entries_of_one_slot_come_out_in_order() {
        let mut watched = Watched::new();
        for (number, deadline) in [(1, 900), (2, 300), (3, 600), (4, 300)] {
            watched.insert(number, deadline);
        }
        assert_eq!(watched.take_due(299), [0; 0]);
        assert_eq!(watched.take_due(600), [2, 4, 3]);
        assert_eq!(watched.wheel.next_deadline(), Some(900));
        assert_eq!(watched.take_due(1000), [1]);
    }

    #[test]
    fn what_never_comes_due_can_be_removed() {
        let mut watched = Watched::new();
        let entry = watched.insert(1, NEVER);
        assert_eq!(watched.wheel.next_deadline(), None);
        assert_eq!(watched.take_due(NEVER), [0; 0]);
        assert!(watched.wheel.remove(entry).is_some());
        // The wheel stands at the end of time by now, where everything is overdue.
        watched.insert(2, 5);
        assert_eq!(watched.take_due(NEVER), [2]);
    }

    #[test]
    fn an_old_entry_means_nothing_after_its_place_was_reused() {
        let mut watched = Watched::new();
        let old = watched.insert(1, 10);
        assert_eq!(watched.take_due(10), [1]);
        let new = watched.insert(2, 20);
        assert_eq!(old.index, new.index, "the place is reused");
        assert!(watched.wheel.remove(old).is_none());
        assert!(watched.wheel.waker(old).is_none());
        assert_eq!(watched.take_due(20), [2]);
    }

    #[test]
    fn a_burst_gives_its_memory_back() {
        let mut watched = Watched::new();
        let entries: Vec<_> = (0..10_000)
            .map(|number| watched.insert(number, number))
            .collect();
        assert_eq!(watched.take_due(4_999).len(), 5_000);
        for &entry in &entries {
            watched.wheel.remove(entry);
        }
        assert_eq!(watched.wheel.entries.capacity(), 0);
        assert_eq!(watched.wheel.len, 0);
        watched.insert(1, 5_000);
        assert!(
            watched.wheel.remove(entries[0]).is_none(),
            "an entry from before"
        );
        assert_eq!(watched.take_due(5_000), [1]);
    }

    /// The wheel does what a sorted map does, whatever is done to it.
    #[test]
    fn it_agrees_with_a_sorted_map() {
        for seed in 1..=60 {
            let random = &mut Random(0x9e37_79b9_7f4a_7c15 ^ seed << 40 | seed);
            let mut watched = Watched::new();
            // The model: deadline, then the order of setting, to the number; and each number's entry and key.
            let mut map = BTreeMap::new();
            let mut entries: Vec<(Entry, (u64, u64))> = Vec::new();
            let mut now = random.span(40);
            // Half of the seeds stay within a few slots, half use all levels.
            let bits = if seed % 2 == 0 { 20 } else { 50 };

            for order in 0..3_000 {
                let deadline = match random.below(20) {
                    0 => NEVER,
                    1 => now.saturating_sub(random.span(bits)),
                    _ => now.saturating_add(random.span(bits)),
                };
                let key = (deadline, order);
                let any = random.below(entries.len() as u64 + 1) as usize;
                match random.below(10) {
                    0..5 => {
                        let number = entries.len() as u64;
                        entries.push((watched.insert(number, deadline), key));
                        map.insert(key, number);
                    }
                    5 if any < entries.len() => {
                        let (entry, old) = entries[any];
                        let known = map.remove(&old).is_some();
                        assert_eq!(watched.wheel.remove(entry).is_some(), known, "seed {seed}");
                    }
                    6 if any < entries.len() => {
                        // As a timer is set anew.
                        let (entry, old) = &mut entries[any];
                        let waker = watched.wheel.remove(*entry);
                        let number = map.remove(old);
                        assert_eq!(waker.is_some(), number.is_some(), "seed {seed}");
                        if let (Some(waker), Some(number)) = (waker, number) {
                            (*entry, *old) = (watched.wheel.insert(deadline, waker), key);
                            map.insert(key, number);
                        }
                    }
                    7 => now = now.saturating_add(random.span(bits)),
                    _ => {
                        // As the driver does it: to the moment that the wheel names, or to some other.
                        match watched.wheel.next_deadline() {
                            Some(next) if random.below(2) == 0 => now = now.max(next),
                            _ => now = now.saturating_add(random.span(16)),
                        }
                        let later = map.split_off(&(now + 1, 0));
                        let due: Vec<u64> =
                            std::mem::replace(&mut map, later).into_values().collect();
                        assert_eq!(watched.take_due(now), due, "seed {seed}, now {now}");
                        let earliest = map.keys().next().map(|key| key.0);
                        let earliest = earliest.filter(|&deadline| deadline != NEVER);
                        let next = watched.wheel.next_deadline();
                        assert_eq!(next.is_some(), earliest.is_some(), "seed {seed}");
                        assert!(next <= earliest, "seed {seed}: {next:?} after {earliest:?}");
                    }
                }
                assert_eq!(watched.wheel.len, map.len(), "seed {seed}");
            }
        }
    }
}
