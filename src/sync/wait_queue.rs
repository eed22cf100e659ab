//! The one queue of waiters beneath every primitive: who waits for a lock, a slot or a message, and whose turn it is.
//!
//! A waiter's life, as its future sees it; the arrows are methods of [`WaitQueue`]:
//!
//! ```text
//!                 wait                notify_one, notify_all
//! no ticket ─────────────► WAITING ──────────────────────────► NOTIFIED
//!     ▲                     │ ▲ ▲                                │ │
//!     │                     │ │ └──── wait: the turn came to ────┘ │
//!     │  served, withdraw   │ │       nothing, so to the front     │
//!     ├─────────────────────┘ └────── wait: renews the waker       │
//!     │                               of who waits already         │
//!     │                                                            │
//!     └── served: the turn is used; withdraw: it is passed on ─────┘
//! ```
//!
//! 1. *First come, first served.* `notify_one` gives one turn, to the waiter at the front. A waiter whose turn came to
//!    nothing, because somebody else was quicker, waits at the front again.
//! 2. *To be notified is to be gone.* `notify_one` takes the place out of the list, and no number is given twice. So a
//!    ticket whose place is gone, or carries another number, has been notified: exactly once.
//! 3. *Looking and joining are one step.* A primitive looks at what is waited for and calls `wait` under the same lock
//!    under which others change it and notify. Otherwise the change falls in between, and nobody wakes the waiter.
//! 4. *A turn is used or passed on.* A notified waiter that goes away without what it waited for notifies the next one:
//!    the futures call `withdraw` when they are dropped.
//! 5. *The last waker counts.* Every poll renews the waker, since a future may move between tasks while it waits.
//! 6. *Wakers leave by move.* Under the lock none is called or dropped, since either may run any code at all, such as
//!    code that takes this very lock. They go to a [`Wakes`], which works after the unlock (`waking_lock.rs`).
//!
//! The places stand in a slab, linked in both directions, so every step takes constant time and the memory of a place
//! is used again: a wait allocates only when there have never been so many at once. event-listener boxes each wait;
//! tokio links nodes that live in the futures, which costs unsafe code in every primitive. The queue has no lock of its
//! own: it lies under the lock of the state it belongs to (rule 3).

use super::waking_lock::Wakes;
use crate::primitive::is_broken;
use std::num::NonZeroU64;
use std::task::Waker;

/// The index that means: no place.
const NONE: u32 = u32::MAX;

/// An empty queue keeps this many places (32 KiB): a thousand members of one group come and go without an allocation,
/// and a burst of a million waiters does not hold its memory for ever.
const PLACES_KEPT: usize = 1024;

/// Tasks that wait, in the order in which they came.
#[derive(Debug)]
pub(crate) struct WaitQueue {
    /// The slab: taken places, linked from `front` to `back`, and free ones, linked from `free`.
    places: Vec<Place>,
    /// The place of the waiter whose turn is next.
    front: u32,
    /// The place of the waiter that came last.
    back: u32,
    /// The first free place.
    free: u32,
    /// How many tickets have been given out: the number on the last one.
    tickets: u64,
}

/// A waiter's way back to its place. It stays in the waiter's future, which has to return it (rule 4).
#[derive(Debug)]
pub(crate) struct Ticket {
    /// The index of the place.
    place: u32,
    /// The number the place carries as long as it is this waiter's.
    number: NonZeroU64,
}

impl Ticket {
    /// The number on it: no other ticket of the queue has it.
    #[inline]
    pub(crate) fn number(&self) -> NonZeroU64 {
        self.number
    }
}

/// What a ticket was worth when it was returned.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a notified waiter that leaves has to use its turn or pass it on (rule 4)"]
pub(crate) enum Left {
    /// The waiter had not been notified.
    Waiting,
    /// The waiter had been notified: the turn is the caller's.
    Notified,
}

/// One place of the slab.
#[derive(Debug)]
struct Place {
    /// The number of the waiter's ticket; `None` in a free place.
    number: Option<NonZeroU64>,
    /// Wakes the waiter; `None` in a free place.
    waker: Option<Waker>,
    /// The place before this one.
    before: u32,
    /// The place behind this one; among free places, the next free one.
    behind: u32,
}

impl WaitQueue {
    pub(crate) const fn new() -> WaitQueue {
        WaitQueue {
            places: Vec::new(),
            front: NONE,
            back: NONE,
            free: NONE,
            tickets: 0,
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.front == NONE
    }

    /// Whether this waiter still waits; if not, it has been notified (rule 2).
    pub(crate) fn is_waiting(&self, ticket: &Ticket) -> bool {
        self.places
            .get(ticket.place as usize)
            .is_some_and(|place| place.number == Some(ticket.number))
    }

    /// Waits, or goes on waiting, with this waker: without a ticket at the back, with a notified one at the front.
    pub(crate) fn wait(&mut self, ticket: &mut Option<Ticket>, waker: &Waker, wakes: &mut Wakes) {
        match ticket {
            Some(waiting) if self.is_waiting(waiting) => {
                let kept = &mut self.places[waiting.place as usize].waker;
                let is_same = kept.as_ref().is_some_and(|kept| kept.will_wake(waker));
                if !is_same && !is_broken("wait_queue_first_waker_stays") {
                    wakes.retire(kept.replace(waker.clone()));
                }
            }
            Some(_notified) => *ticket = Some(self.join_front(waker.clone())),
            None => *ticket = Some(self.join_back(waker.clone())),
        }
    }

    /// The number on the ticket of the waiter at the front.
    #[inline]
    pub(crate) fn next_number(&self) -> Option<NonZeroU64> {
        self.places.get(self.front as usize)?.number
    }

    /// Gives a turn to the waiter at the front; false if nobody waits.
    #[inline]
    pub(crate) fn notify_one(&mut self, wakes: &mut Wakes) -> bool {
        if self.is_empty() {
            return false;
        }
        let next = if is_broken("wait_queue_last_comes_first") {
            self.back
        } else {
            self.front
        };
        wakes.wake(self.remove(next));
        true
    }

    /// Gives a turn to everyone who waits now.
    #[inline]
    pub(crate) fn notify_all(&mut self, wakes: &mut Wakes) {
        if !self.is_empty() {
            wakes.reserve(self.places.len());
            while self.notify_one(wakes) {}
        }
    }

    /// The waiter has what it waited for: it leaves, and its turn, if it had one, is used.
    #[inline]
    pub(crate) fn served(&mut self, ticket: &mut Option<Ticket>, wakes: &mut Wakes) {
        if let Some(ticket) = ticket.take() {
            let (Left::Waiting | Left::Notified) = self.leave(ticket, wakes);
        }
    }

    /// The waiter goes away without what it waited for; a turn it had goes to the next one.
    pub(crate) fn withdraw(&mut self, ticket: &mut Option<Ticket>, wakes: &mut Wakes) {
        let Some(ticket) = ticket.take() else { return };
        match self.leave(ticket, wakes) {
            Left::Waiting => {}
            Left::Notified if is_broken("wait_queue_turn_not_passed_on") => {}
            Left::Notified => {
                self.notify_one(wakes);
            }
        }
    }

    /// Returns a ticket; what its turn means is left to the caller.
    pub(crate) fn leave(&mut self, ticket: Ticket, wakes: &mut Wakes) -> Left {
        if !self.is_waiting(&ticket) {
            return Left::Notified;
        }
        let waker = self.remove(ticket.place);
        wakes.retire(waker);
        Left::Waiting
    }

    /// A new place at the back.
    fn join_back(&mut self, waker: Waker) -> Ticket {
        let ticket = self.take_place(waker, self.back, NONE);
        match self.back {
            NONE => self.front = ticket.place,
            last => self.places[last as usize].behind = ticket.place,
        }
        self.back = ticket.place;
        ticket
    }

    /// A new place at the front.
    fn join_front(&mut self, waker: Waker) -> Ticket {
        let ticket = self.take_place(waker, NONE, self.front);
        match self.front {
            NONE => self.back = ticket.place,
            first => self.places[first as usize].before = ticket.place,
        }
        self.front = ticket.place;
        ticket
    }

    /// A free place, or a new one, with a number of its own.
    fn take_place(&mut self, waker: Waker, before: u32, behind: u32) -> Ticket {
        let index = match self.free {
            NONE => u32::try_from(self.places.len()).expect("fewer than 2^32 waiters"),
            free => free,
        };
        self.tickets += 1;
        let number = if is_broken("wait_queue_number_given_twice") {
            NonZeroU64::MIN
        } else {
            NonZeroU64::new(self.tickets).expect("counted from one")
        };
        let place = Place {
            number: Some(number),
            waker: Some(waker),
            before,
            behind,
        };
        if self.free == NONE {
            self.places.push(place);
        } else {
            let free = &mut self.places[index as usize];
            self.free = free.behind;
            *free = place;
        }
        Ticket {
            place: index,
            number,
        }
    }

    /// Takes a place out of the list.
    fn remove(&mut self, index: u32) -> Option<Waker> {
        let place = &mut self.places[index as usize];
        let (before, behind) = (place.before, place.behind);
        let waker = place.waker.take();
        place.number = None;
        place.behind = self.free;
        self.free = index;
        match before {
            NONE => self.front = behind,
            before => self.places[before as usize].behind = behind,
        }
        match behind {
            NONE => self.back = before,
            behind => self.places[behind as usize].before = before,
        }
        if self.is_empty() {
            self.places.clear();
            self.places.shrink_to(PLACES_KEPT);
            self.free = NONE;
        }
        waker
    }
}

#[cfg(test)]
#[cfg(not(parklet_loom))]
mod tests {
    use super::{Left, PLACES_KEPT, Ticket, WaitQueue};
    use crate::sync::waking_lock::Wakes;
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};
    use std::task::{Wake, Waker};

    /// Writes down the names of those who are woken.
    struct Named {
        name: usize,
        woken: Arc<Mutex<Vec<usize>>>,
    }

    impl Wake for Named {
        fn wake(self: Arc<Self>) {
            self.woken.lock().unwrap().push(self.name);
        }
    }

    /// A queue, and who has been woken.
    struct Scene {
        queue: WaitQueue,
        woken: Arc<Mutex<Vec<usize>>>,
    }

    impl Scene {
        fn new() -> Scene {
            Scene {
                queue: WaitQueue::new(),
                woken: Arc::default(),
            }
        }

        fn wait(&mut self, name: usize, ticket: &mut Option<Ticket>) {
            let woken = Arc::clone(&self.woken);
            let waker = Waker::from(Arc::new(Named { name, woken }));
            self.queue.wait(ticket, &waker, &mut Wakes::default());
        }

        fn join(&mut self, name: usize) -> Option<Ticket> {
            let mut ticket = None;
            self.wait(name, &mut ticket);
            ticket
        }

        fn notify_one(&mut self) -> bool {
            self.queue.notify_one(&mut Wakes::default())
        }

        fn leave(&mut self, ticket: Option<Ticket>) -> Left {
            self.queue.leave(ticket.unwrap(), &mut Wakes::default())
        }

        fn woken(&self) -> Vec<usize> {
            std::mem::take(&mut *self.woken.lock().unwrap())
        }
    }

    #[test]
    fn who_lost_its_turn_waits_at_the_front_again() {
        let mut scene = Scene::new();
        let mut first = scene.join(1);
        let _second = scene.join(2);
        assert!(scene.notify_one());
        scene.wait(1, &mut first);
        assert!(scene.notify_one());
        assert!(scene.notify_one());
        assert!(!scene.notify_one());
        assert_eq!(scene.woken(), [1, 1, 2]);
    }

    #[test]
    fn a_turn_is_passed_on_and_a_place_just_left() {
        let mut scene = Scene::new();
        let (mut first, mut second) = (scene.join(1), scene.join(2));
        let _third = scene.join(3);
        scene.notify_one();
        scene.queue.withdraw(&mut second, &mut Wakes::default());
        assert_eq!(scene.woken(), [1]);
        scene.queue.withdraw(&mut first, &mut Wakes::default());
        assert_eq!(scene.woken(), [3]);
        assert!(scene.queue.is_empty());
    }

    #[test]
    fn a_used_turn_is_not_passed_on() {
        let mut scene = Scene::new();
        let mut first = scene.join(1);
        let _second = scene.join(2);
        scene.notify_one();
        scene.queue.served(&mut first, &mut Wakes::default());
        assert_eq!(scene.woken(), [1]);
        assert!(!scene.queue.is_empty());
    }

    #[test]
    fn memory_is_used_again_and_a_burst_is_given_back() {
        let mut scene = Scene::new();
        let stays = scene.join(0);
        for name in 1..10_000 {
            let ticket = scene.join(name);
            assert_eq!(scene.leave(ticket), Left::Waiting);
        }
        assert_eq!(scene.queue.places.len(), 2);

        let crowd: Vec<_> = (0..2 * PLACES_KEPT).map(|name| scene.join(name)).collect();
        assert!(scene.queue.places.capacity() > 2 * PLACES_KEPT);
        scene.queue.notify_all(&mut Wakes::default());
        assert_eq!(scene.woken().len(), crowd.len() + 1);
        assert!(scene.queue.places.capacity() <= PLACES_KEPT);
        assert_eq!(scene.leave(stays), Left::Notified);
    }

    #[test]
    fn it_does_what_a_plain_deque_does() {
        // Numerical Recipes' generator: any will do, as long as the steps are the same in every run.
        let mut seed = 1_u32;
        let mut random = |below: usize| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as usize % below
        };
        let mut scene = Scene::new();
        let mut waiting = VecDeque::new();
        let mut notified = Vec::new();
        let mut tickets: Vec<Option<Ticket>> = Vec::new();
        for _ in 0..20_000 {
            match random(5) {
                0 | 1 => {
                    let name = tickets.len();
                    tickets.push(scene.join(name));
                    waiting.push_back(name);
                }
                2 => {
                    let next = waiting.pop_front();
                    assert_eq!(scene.notify_one(), next.is_some());
                    assert_eq!(scene.woken(), next.as_slice());
                    notified.extend(next);
                }
                3 if !waiting.is_empty() => {
                    let name = waiting.remove(random(waiting.len())).unwrap();
                    assert_eq!(scene.leave(tickets[name].take()), Left::Waiting);
                }
                4 if !notified.is_empty() => {
                    let name = notified.swap_remove(random(notified.len()));
                    if random(2) == 0 {
                        assert_eq!(scene.leave(tickets[name].take()), Left::Notified);
                    } else {
                        scene.wait(name, &mut tickets[name]);
                        waiting.push_front(name);
                    }
                }
                _ => {}
            }
            assert_eq!(scene.queue.is_empty(), waiting.is_empty());
        }
        assert!(tickets.len() > 5_000);
    }
}
