//! From a descriptor, or the key of its event, to its source.
//!
//! A source is found by its descriptor's number: these are small, and of those that are open no two are the same. So there is
//! no list of free sources, a socket needs no other number than its own, and of its registration it keeps one reference.
//!
//! Sources live in pages that are never freed nor moved: so an event finds its source without a lock, and an idle socket costs
//! 48 bytes. What makes reuse safe is the generation: closing a source changes it, and an event whose key has another
//! one is stale.
//!
//! ```text
//!   64 × 8             128 × 8                256 × 8
//!  ┌─┬─┬─┬─┬─┬─┬─┬─┬──┬──┬──┬─ ... ─┬──┬────┬────┬─ ...
//!  └─┴─┴─┴─┴─┴─┴─┴─┴──┴──┴──┴─ ... ─┴──┴────┴────┴─ ...
//! ```
//!
//! So a page is about an eighth of what lies before it: no more memory than that waits for sockets yet to come. A page is
//! made when the first descriptor falls into it.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::OnceLock;
use std::task::Waker;

use super::source::{Key, Readiness, Source};

/// Sources in the first page: 3 KiB, enough for a small program.
const FIRST_PAGE: usize = 64;

/// Pages of one size; then the size doubles.
const PAGES_OF_A_SIZE: usize = 8;

/// All pages, of 23 sizes: a place for each number that a descriptor can have.
const PAGES: usize = PAGES_OF_A_SIZE * 23;

/// All sources of the process.
#[derive(Debug)]
pub(super) struct SourceTable {
    /// The pages made so far.
    pages: [OnceLock<Box<[Source]>>; PAGES],
}

impl Default for SourceTable {
    fn default() -> SourceTable {
        SourceTable {
            pages: [const { OnceLock::new() }; PAGES],
        }
    }
}

impl SourceTable {
    /// Begins a life of a descriptor's source; none if it has begun already.
    pub(super) fn open(&'static self, fd: BorrowedFd<'_>) -> Option<&'static Source> {
        let index = u32::try_from(fd.as_raw_fd()).expect("a descriptor is no negative number");
        let (page, offset) = locate(index);
        let page = self.pages[page].get_or_init(|| {
            let first = index - u32::try_from(offset).expect("smaller than the index");
            let sources = (first..).map(Source::new);
            sources.take(size_of_page(page)).collect()
        });
        let source = &page[offset];
        source.open().then_some(source)
    }

    /// Hands an event to its source, which moves the wakers of those who waited for it to `woken`. A stale key does
    /// nothing.
    pub(super) fn report(&self, key: Key, readiness: Readiness, woken: &mut Vec<Waker>) {
        let (generation, index) = ((key >> 32) as u32, key as u32);
        let (page, offset) = locate(index);
        let page = self.pages.get(page).and_then(OnceLock::get);
        if let Some(source) = page.and_then(|page| page.get(offset)) {
            source.report(generation, readiness, woken);
        }
    }
}

/// The page of a source and its place there.
fn locate(index: u32) -> (usize, usize) {
    // Counted from as many sources below the first as make every doubling of the number a doubling of the size.
    let number = index as usize + FIRST_PAGE * PAGES_OF_A_SIZE;
    let doublings = (number / (FIRST_PAGE * PAGES_OF_A_SIZE)).ilog2() as usize;
    let size = FIRST_PAGE << doublings;
    let page = doublings * PAGES_OF_A_SIZE + number / size - PAGES_OF_A_SIZE;
    (page, number % size)
}

/// How many sources a page has.
fn size_of_page(page: usize) -> usize {
    FIRST_PAGE << (page / PAGES_OF_A_SIZE)
}

#[cfg(test)]
mod tests {
    use super::super::source::Direction;
    use super::*;
    use std::os::fd::AsFd;
    use std::sync::LazyLock;

    #[test]
    fn every_index_has_its_own_place() {
        assert_eq!(locate(0), (0, 0));
        let (mut page, mut offset) = (0, 0);
        for index in 1..10_000 {
            offset += 1;
            if offset == size_of_page(page) {
                (page, offset) = (page + 1, 0);
                assert!(size_of_page(page) * 8 <= index as usize + 512);
            }
            assert_eq!(locate(index), (page, offset), "index {index}");
        }
        let last = u32::try_from(i32::MAX).unwrap();
        assert!(locate(last).0 < PAGES);
    }

    #[test]
    fn a_key_finds_the_life_it_is_of() {
        static TABLE: LazyLock<SourceTable> = LazyLock::new(SourceTable::default);
        let table: &'static SourceTable = &TABLE;
        let (reader, _writer) = rustix::pipe::pipe().unwrap();
        let source = table.open(reader.as_fd()).unwrap();
        for direction in Direction::BOTH {
            source.clear(direction, source.state());
        }
        let first = source.key();
        drop(source.close());
        table.report(first, Readiness::BOTH, &mut Vec::new());
        assert!(!source.state().is_ready(Direction::Read), "it is stale");
        table.report(source.key(), Readiness::READ, &mut Vec::new());
        assert!(source.state().is_ready(Direction::Read));
        table.report(Key::MAX, Readiness::BOTH, &mut Vec::new());
    }
}
