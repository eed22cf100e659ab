//! The tasks that wait for one source.
//!
//! Nearly always that is one task that reads, whose waker stands in the source itself. Everybody else stands in a list on the
//! heap: those who wait for room to write, which few ever do, further tasks that read (an edge is reported once, so it must
//! wake all of them), and futures such as `readable()`, which have a [`Place`] because they take their waker with them
//! when they are dropped.
//!
//! Nothing here runs foreign code: wakers are moved in and out, compared by address, and never cloned, woken or dropped.

use std::task::Waker;

use super::source::{Direction, Readiness};

/// Tasks without a place that may wait in the list for one source. Who comes from `poll_read` and goes without a word
/// (a task that gave up and ended, say) leaves a waker until the next event; on a silent socket these would add up. Past
/// this number the oldest is woken and forgotten: if it still waits it comes back.
const MOST_POLLERS: usize = 1024;

/// The tasks that wait for one source.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    /// The first task that polled to read.
    reader: Option<Waker>,
    /// The rest; boxed, since most sources never need it, and kept once made.
    more: Option<Box<More>>,
}

/// The list on the heap.
#[derive(Debug, Default)]
struct More {
    /// The place given out last.
    last_place: u64,
    /// Oldest first.
    list: Vec<Waiter>,
}

/// One entry of the list.
#[derive(Debug)]
struct Waiter {
    /// What it waits for.
    direction: Direction,
    /// Whose it is.
    place: Place,
    /// Its task.
    waker: Waker,
}

/// A future's place among the waiters: by this it finds its waker again, to replace or to remove it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place(u64);

impl Place {
    /// For the `poll_` functions, which cannot know that their task has gone away.
    pub(crate) const NOBODY: Place = Place(0);
    /// For a future that has not waited yet.
    pub(crate) const NOT_YET: Place = Place(u64::MAX);

    /// Whether a waker was stored for this place, and for no other.
    pub(crate) fn is_stored(&self) -> bool {
        *self != Place::NOBODY && *self != Place::NOT_YET
    }
}

impl Waiters {
    /// Stores a waker; what comes back is no longer needed. A future keeps its place, a task that polls again its entry,
    /// and different tasks have one each.
    pub(crate) fn store(
        &mut self,
        direction: Direction,
        place: &mut Place,
        waker: Waker,
    ) -> Option<Waker> {
        if *place == Place::NOBODY && direction == Direction::Read {
            match &mut self.reader {
                reader @ None => {
                    *reader = Some(waker);
                    return None;
                }
                Some(stored) if stored.will_wake(&waker) => return Some(waker),
                Some(_) => {}
            }
        }
        let more = self.more.get_or_insert_default();
        if *place == Place::NOT_YET {
            more.last_place += 1;
            *place = Place(more.last_place);
        }
        let known = more.list.iter_mut().find(|waiter| {
            waiter.direction == direction
                && waiter.place == *place
                && (*place != Place::NOBODY || waiter.waker.will_wake(&waker))
        });
        if let Some(waiter) = known {
            return Some(std::mem::replace(&mut waiter.waker, waker));
        }
        more.list.push(Waiter {
            direction,
            place: Place(place.0),
            waker,
        });
        None
    }

    /// The waker of the oldest task without a place, where there are too many; to be woken.
    pub(crate) fn crowd_out(&mut self, direction: Direction) -> Option<Waker> {
        let list = &mut self.more.as_mut()?.list;
        if list.len() <= MOST_POLLERS {
            return None;
        }
        let is_poller =
            |waiter: &Waiter| waiter.direction == direction && waiter.place == Place::NOBODY;
        let pollers = list.iter().filter(|waiter| is_poller(waiter)).count();
        let oldest = list.iter().position(is_poller)?;
        (pollers > MOST_POLLERS).then(|| list.remove(oldest).waker)
    }

    /// Takes a future's waker out, if no event has done so.
    pub(crate) fn remove(&mut self, place: &Place) -> Option<Waker> {
        let list = &mut self.more.as_mut()?.list;
        let index = list.iter().position(|waiter| waiter.place == *place)?;
        Some(list.remove(index).waker)
    }

    /// Moves the wakers that wait for any of `readiness` to `woken`.
    pub(crate) fn take(&mut self, readiness: Readiness, woken: &mut Vec<Waker>) {
        for direction in Direction::BOTH {
            if readiness.contains(direction.ready()) {
                if direction == Direction::Read {
                    woken.extend(self.reader.take());
                }
                if let Some(more) = &mut self.more {
                    let called = more
                        .list
                        .extract_if(.., |waiter| waiter.direction == direction);
                    woken.extend(called.map(|waiter| waiter.waker));
                }
            }
        }
    }

    /// The directions that somebody waits for.
    pub(crate) fn wanted(&self) -> Readiness {
        let list = self.more.iter().flat_map(|more| &more.list);
        let has = |direction: &Direction| {
            *direction == Direction::Read && self.reader.is_some()
                || list.clone().any(|waiter| waiter.direction == *direction)
        };
        let wanted = Direction::BOTH.into_iter().filter(has);
        wanted.fold(Readiness::NONE, |wanted, direction| {
            wanted.and(direction.ready())
        })
    }
}

#[cfg(all(test, not(parklet_loom)))]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::task::Wake;

    /// A task of its own.
    struct Task;

    impl Wake for Task {
        fn wake(self: Arc<Self>) {}
    }

    fn task() -> (Arc<Task>, Waker) {
        let task = Arc::new(Task);
        (Arc::clone(&task), Waker::from(task))
    }

    /// Stores a waker without a place.
    fn poll(waiters: &mut Waiters, waker: &Waker) -> Option<Waker> {
        waiters.store(Direction::Read, &mut { Place::NOBODY }, waker.clone())
    }

    fn woken(waiters: &mut Waiters, readiness: Readiness) -> usize {
        let mut woken = Vec::new();
        waiters.take(readiness, &mut woken);
        woken.len()
    }

    #[test]
    fn a_task_that_polls_again_is_kept_once_and_different_tasks_each() {
        let mut waiters = Waiters::default();
        let tasks: Vec<_> = (0..3).map(|_| task()).collect();
        for _ in 0..5 {
            for (_, waker) in &tasks {
                drop(poll(&mut waiters, waker));
            }
        }
        assert_eq!(woken(&mut waiters, Readiness::READ), 3);
    }

    #[test]
    fn a_direction_is_woken_by_itself() {
        let mut waiters = Waiters::default();
        let (_, waker) = task();
        let (mut reads, mut writes) = (Place::NOT_YET, Place::NOT_YET);
        waiters.store(Direction::Read, &mut reads, waker.clone());
        waiters.store(Direction::Write, &mut writes, waker.clone());
        waiters.store(Direction::Write, &mut { Place::NOBODY }, waker.clone());
        assert_eq!(waiters.wanted(), Readiness::BOTH);
        assert_eq!(woken(&mut waiters, Readiness::WRITE), 2);
        assert_eq!(waiters.wanted(), Readiness::READ);
        assert_eq!(woken(&mut waiters, Readiness::READ), 1);
    }

    #[test]
    fn a_future_replaces_and_removes_its_own_waker() {
        let mut waiters = Waiters::default();
        let ((first, waker), (second, other)) = (task(), task());
        let (mut place, mut neighbour) = (Place::NOT_YET, Place::NOT_YET);
        waiters.store(Direction::Read, &mut place, waker);
        waiters.store(Direction::Read, &mut neighbour, other.clone());
        assert_ne!(place, neighbour);

        drop(waiters.store(Direction::Read, &mut place, other));
        assert_eq!(Arc::strong_count(&first), 1, "moved to another task");
        drop(waiters.remove(&place));
        assert_eq!(Arc::strong_count(&second), 2, "the neighbour's is left");
        assert!(waiters.remove(&place).is_none());
        assert_eq!(woken(&mut waiters, Readiness::READ), 1);
    }

    #[test]
    fn tasks_that_went_away_do_not_add_up() {
        let mut waiters = Waiters::default();
        let mut oldest = None;
        let mut place = Place::NOT_YET;
        waiters.store(Direction::Read, &mut place, Waker::noop().clone());
        for round in 0..MOST_POLLERS + 2 {
            let (task, waker) = task();
            drop(poll(&mut waiters, &waker));
            if round == 1 {
                oldest = Some(task);
            }
            let crowded_out = waiters.crowd_out(Direction::Read);
            assert_eq!(crowded_out.is_some(), round > MOST_POLLERS, "round {round}");
        }
        assert_eq!(Arc::strong_count(&oldest.unwrap()), 1);
        assert!(waiters.remove(&place).is_some(), "one with a place stays");
    }
}
