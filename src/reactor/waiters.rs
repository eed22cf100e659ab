//! The tasks that wait for one source.
//!
//! Nearly always that is one task a direction, so each direction has one waker in the source's own line. Everybody
//! else stands in a list on the heap: further tasks on the same direction (an edge is reported once, so it must wake
//! all of them), and futures such as `readable()`, which have a [`Place`] because they take their waker with them when
//! they are dropped.
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
pub(super) struct Waiters {
    /// The first task that polled for reading.
    read: Option<Waker>,
    /// The first task that polled for writing.
    write: Option<Waker>,
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
pub(super) struct Place(u64);

impl Place {
    /// For the `poll_` functions, which cannot know that their task has gone away.
    pub(super) const NOBODY: Place = Place(0);
    /// For a future that has not waited yet.
    pub(super) const NOT_YET: Place = Place(u64::MAX);
}

impl Waiters {
    /// Stores a waker; what comes back is no longer needed. A future keeps its place, a task that polls again its entry,
    /// and different tasks have one each.
    pub(super) fn store(
        &mut self,
        direction: Direction,
        place: &mut Place,
        waker: Waker,
    ) -> Option<Waker> {
        if *place == Place::NOBODY {
            let first = self.first(direction);
            match first {
                None => {
                    *first = Some(waker);
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
    pub(super) fn crowd_out(&mut self, direction: Direction) -> Option<Waker> {
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
    pub(super) fn remove(&mut self, place: &Place) -> Option<Waker> {
        let list = &mut self.more.as_mut()?.list;
        let index = list.iter().position(|waiter| waiter.place == *place)?;
        Some(list.remove(index).waker)
    }

    /// Moves the wakers that wait for any of `readiness` to `woken`.
    pub(super) fn take(&mut self, readiness: Readiness, woken: &mut Vec<Waker>) {
        for direction in [Direction::Read, Direction::Write] {
            if readiness.contains(direction.ready()) {
                woken.extend(self.first(direction).take());
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
    pub(super) fn wanted(&self) -> Readiness {
        let more = self.more.iter().flat_map(|more| &more.list);
        let more = more.fold(Readiness::NONE, |wanted, waiter| {
            wanted.and(waiter.direction.ready())
        });
        let of = |waker: &Option<Waker>, readiness| match waker {
            Some(_) => readiness,
            None => Readiness::NONE,
        };
        more.and(of(&self.read, Readiness::READ))
            .and(of(&self.write, Readiness::WRITE))
    }

    /// The entry in the source's own line.
    fn first(&mut self, direction: Direction) -> &mut Option<Waker> {
        match direction {
            Direction::Read => &mut self.read,
            Direction::Write => &mut self.write,
        }
    }
}
