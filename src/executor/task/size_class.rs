//! The sizes that recycled cells come in, so that a task can have the memory of one of another type.

use std::alloc::Layout;

/// The allocator of glibc has eight bytes of its own before what it hands out, and gives away multiples of 16 in all. Sizes
/// that are short of such a multiple by eight waste nothing; elsewhere they are as good as any.
const ALLOCATORS_OWN: usize = 8;

/// Every cell of a class is aligned so: malloc's own alignment.
const ALIGN: usize = 16;

/// Up to this size, counting the allocator's own, classes are `FINE` apart, so that a small task has no more memory than
/// it asks for; above, `COARSE`.
const FINE_END: usize = 256;
const FINE: usize = 16;
const FINE_CLASSES: usize = FINE_END / FINE;
const COARSE: usize = 64;
/// Larger tasks are rare, and malloc costs little beside what they do.
const LARGEST: usize = 1024;
/// How many classes there are.
pub(crate) const CLASSES: usize = FINE_CLASSES + (LARGEST - FINE_END) / COARSE;

/// The class for a layout, if there is one.
pub(crate) const fn class_of(layout: Layout) -> Option<usize> {
    let size = layout.size() + ALLOCATORS_OWN;
    if layout.align() > ALIGN || size > LARGEST {
        None
    } else if size <= FINE_END {
        Some(size.div_ceil(FINE) - 1)
    } else {
        Some(FINE_CLASSES + (size - FINE_END).div_ceil(COARSE) - 1)
    }
}

/// The layout of all cells of a class.
pub(crate) const fn layout_of(class: usize) -> Layout {
    let size = if class < FINE_CLASSES {
        (class + 1) * FINE
    } else {
        FINE_END + (class + 1 - FINE_CLASSES) * COARSE
    };
    match Layout::from_size_align(size - ALLOCATORS_OWN, ALIGN) {
        Ok(layout) => layout,
        Err(_) => panic!("a class is smaller than the address space"),
    }
}

#[cfg(all(test, not(parklet_loom)))]
mod tests {
    use super::*;

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

    #[test]
    fn a_class_wastes_little_and_each_size_has_the_smallest_that_fits() {
        for size in 1..=LARGEST - ALLOCATORS_OWN {
            let class = class_of(layout(size, 8)).unwrap();
            let room = layout_of(class).size();
            let step = if size + ALLOCATORS_OWN <= FINE_END {
                FINE
            } else {
                COARSE
            };
            assert!((size..size + step).contains(&room), "{size}: {room}");
            assert_eq!(class_of(layout(room, ALIGN)), Some(class));
        }
        // A header of 40 bytes and 64 of state.
        assert_eq!(layout_of(class_of(layout(104, 8)).unwrap()).size(), 104);
    }

    #[test]
    fn what_is_too_large_or_too_strictly_aligned_has_no_class() {
        assert_eq!(class_of(layout(LARGEST - ALLOCATORS_OWN + 1, 8)), None);
        assert_eq!(class_of(layout(64, 32)), None);
        assert_eq!(
            class_of(layout(LARGEST - ALLOCATORS_OWN, 8)),
            Some(CLASSES - 1)
        );
    }
}
