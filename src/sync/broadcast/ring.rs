//! The values of a broadcast channel, and how many receivers still have to read each.
//!
//! ```text
//!                        first                end
//! position in the stream  7   8   9   10  11   12
//! value                   h   i   j   k   l          at most `capacity` of them
//! receivers to read it    1   2   2   3   3          never 0, never fewer than of the one before
//!                         ▲   ▲       ▲
//!                         one receiver reads 7 next, one 8, one 10
//! ```
//!
//! 1. Every value has a position, counted from the first one ever sent. A receiver is nothing but the position it
//!    reads next.
//! 2. A value goes when nobody has to read it any more, or when one more than `capacity` comes. Receivers read in
//!    order, so it is always the value at `first` that goes.
//! 3. A receiver that stands before `first` has missed exactly the values in between: as long as it had not read one
//!    of them, that one could go only by falling out.
//!
//! Plain data: `channel.rs` has the lock. Whoever gets a value out of here drops it after the unlock.

use std::collections::VecDeque;

/// The values that somebody still has to read.
#[derive(Debug)]
pub(super) struct Ring<T> {
    /// The values, oldest first. It grows as needed, since most channels never fill up.
    values: VecDeque<Unread<T>>,
    /// The position of the oldest one kept.
    first: u64,
    /// How many are kept at most.
    capacity: usize,
}

/// A value that somebody still has to read.
#[derive(Debug)]
struct Unread<T> {
    /// The value.
    value: T,
    /// How many receivers have to read it.
    readers: usize,
}

/// What a receiver finds at its position.
#[derive(Debug)]
pub(super) enum Read<T> {
    /// The next value.
    Value(T),
    /// So many values fell out before they were read.
    Lagged(u64),
    /// Nothing yet.
    Nothing,
}

impl<T> Ring<T> {
    pub(super) fn new(capacity: usize) -> Ring<T> {
        Ring {
            values: VecDeque::new(),
            first: 0,
            capacity,
        }
    }

    /// The position of the next value to be sent.
    pub(super) fn end(&self) -> u64 {
        self.first + self.values.len() as u64
    }

    /// Adds a value that so many receivers have to read, and gives back the one that falls out for it.
    pub(super) fn push(&mut self, value: T, readers: usize) -> Option<T> {
        let evicted = if self.values.len() == self.capacity {
            self.pop_first()
        } else {
            None
        };
        self.values.push_back(Unread { value, readers });
        evicted
    }

    /// Reads at a position and moves it on. The last receiver to read a value gets the value itself.
    pub(super) fn read(&mut self, position: &mut u64) -> Read<T>
    where
        T: Clone,
    {
        if *position < self.first {
            let missed = self.first - *position;
            *position = self.first;
            return Read::Lagged(missed);
        }
        let index = self.index(*position);
        let Some(unread) = self.values.get_mut(index) else {
            return Read::Nothing;
        };
        let own = if unread.readers > 1 {
            // Cloned first: should this panic, then nothing has been read.
            let own = Some(unread.value.clone());
            unread.readers -= 1;
            own
        } else {
            debug_assert_eq!(index, 0, "rule 2: the value that goes is the oldest");
            self.pop_first()
        };
        *position += 1;
        own.map_or(Read::Nothing, Read::Value)
    }

    /// One more receiver stands at this position.
    pub(super) fn join(&mut self, position: u64) {
        let index = self.index(position);
        for unread in self.values.range_mut(index..) {
            unread.readers += 1;
        }
    }

    /// A receiver at this position reads no more; gives back what was kept for it alone.
    pub(super) fn leave(&mut self, position: u64) -> Vec<T> {
        let index = self.index(position);
        for unread in self.values.range_mut(index..) {
            unread.readers -= 1;
        }
        let unwanted = self.values.iter().take_while(|unread| unread.readers == 0);
        let count = unwanted.count();
        self.first += count as u64;
        let freed = self.values.drain(..count);
        freed.map(|unread| unread.value).collect()
    }

    /// Where in `values` the value at this position is, or will be.
    fn index(&self, position: u64) -> usize {
        let index = position.saturating_sub(self.first);
        usize::try_from(index).map_or(self.values.len(), |index| index.min(self.values.len()))
    }

    fn pop_first(&mut self) -> Option<T> {
        let unread = self.values.pop_front()?;
        self.first += 1;
        Some(unread.value)
    }
}

#[cfg(test)]
mod tests {
    use super::{Read, Ring};

    /// Reads until there is nothing: values as they are, lag as a negative number.
    fn read_all(ring: &mut Ring<i64>, position: &mut u64) -> Vec<i64> {
        std::iter::from_fn(|| match ring.read(position) {
            Read::Value(value) => Some(value),
            Read::Lagged(missed) => Some(-i64::try_from(missed).unwrap()),
            Read::Nothing => None,
        })
        .collect()
    }

    fn readers(ring: &Ring<i64>) -> Vec<usize> {
        ring.values.iter().map(|unread| unread.readers).collect()
    }

    #[test]
    fn the_drawing_is_true() {
        let mut ring = Ring::new(5);
        for value in 0..7 {
            assert_eq!(ring.push(value, 1).is_some(), value >= 5);
        }
        let (mut slow, mut middle, mut fast) = (2, 7, 7);
        assert_eq!(read_all(&mut ring, &mut slow), [2, 3, 4, 5, 6]);
        for value in 7..12 {
            ring.push(value, 3);
        }
        ring.read(&mut middle);
        for _ in 0..3 {
            ring.read(&mut fast);
        }
        assert_eq!((slow, middle, fast), (7, 8, 10));
        assert_eq!((ring.first, ring.end()), (7, 12));
        assert_eq!(readers(&ring), [1, 2, 2, 3, 3]);
    }

    #[test]
    fn a_value_goes_with_its_last_reader() {
        let mut ring = Ring::new(3);
        let (mut one, mut two) = (0, 0);
        ring.push(1, 2);
        ring.push(2, 2);
        assert_eq!(read_all(&mut ring, &mut one), [1, 2]);
        assert_eq!(ring.values.len(), 2);
        assert!(matches!(ring.read(&mut two), Read::Value(1)));
        assert_eq!(ring.values.len(), 1);
        assert_eq!(ring.leave(two), [2]);
        assert_eq!((ring.values.len(), ring.end()), (0, 2));
    }

    #[test]
    fn lag_is_counted_from_where_the_receiver_stood() {
        let mut ring = Ring::new(2);
        let mut position = 0;
        for value in 0..5 {
            ring.push(value, 1);
        }
        assert_eq!(read_all(&mut ring, &mut position), [-3, 3, 4]);
        for value in 5..8 {
            ring.push(value, 1);
        }
        assert_eq!(read_all(&mut ring, &mut position), [-1, 6, 7]);
    }

    #[test]
    fn a_copy_reads_what_the_original_would() {
        let mut ring = Ring::new(2);
        let mut original = 0;
        for value in 0..3 {
            ring.push(value, 1);
        }
        let mut copy = original;
        ring.join(copy);
        assert_eq!(readers(&ring), [2, 2]);
        assert_eq!(read_all(&mut ring, &mut original), [-1, 1, 2]);
        assert_eq!(read_all(&mut ring, &mut copy), [-1, 1, 2]);
        assert_eq!(ring.values.len(), 0);
    }
}
