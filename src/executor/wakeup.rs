//! The waker of a `block_on`: a flag, then an unpark.
//!
//! A thread's parker is shared by all its `block_on`s, however deeply nested, so each needs a flag of its own to remember its
//! wakes. Flag and waker are kept for the thread's next `block_on`, which so allocates nothing; unless somebody still has a
//! clone of the waker: then it would wake a stranger.

use super::parker::{Parker, Unparker};
use super::seated;
use std::cell::{Cell, RefCell, RefMut};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::task::{Wake, Waker};

thread_local! {
    /// What the last `block_on` of this thread left for the next one.
    static KEPT: Cell<Option<Box<Kit>>> = const { Cell::new(None) };
}

/// Holders of a flag of which nobody has a waker: the kit and the kit's own waker.
const UNCLONED: usize = 2;

/// One `block_on`'s waker, as its thread has it.
pub(super) struct Wakeup(Box<Kit>);

/// What a thread keeps from one `block_on` to the next.
struct Kit {
    /// Sleeps until the waker is woken, among others.
    parker: Rc<Parker>,
    /// The flag.
    flag: Arc<Flag>,
    /// The waker that raises it.
    waker: Waker,
    /// Wakers of what became ready; kept for its memory.
    ready: RefCell<Vec<Waker>>,
}

/// What the waker's clones share.
struct Flag {
    /// Whether the future has been woken since its last poll began.
    is_woken: AtomicBool,
    /// Whose thread it is.
    home: usize,
    /// Rouses the thread.
    unparker: Arc<Unparker>,
}

impl Flag {
    fn raise(&self) {
        self.is_woken.store(true, Ordering::Release);
        // At home the thread is awake, and looks at the flag before it sleeps.
        if seated::thread_address() != self.home {
            self.unparker.unpark();
        }
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.raise();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.raise();
    }
}

impl Wakeup {
    /// A waker that nobody has, and that has not been woken.
    #[inline]
    pub(super) fn new() -> Wakeup {
        // A thread-local may be gone when another one's destructor calls `block_on`.
        let kept = KEPT.try_with(Cell::take).ok().flatten();
        Wakeup(kept.unwrap_or_else(Kit::new))
    }

    /// Keeps it for the thread's next `block_on`; not needed after a panic.
    #[inline]
    pub(super) fn keep(self) {
        // Then nobody else has a clone, and nobody can make one.
        if Arc::strong_count(&self.0.flag) == UNCLONED {
            self.0.flag.is_woken.store(false, Ordering::Relaxed);
            let _ = KEPT.try_with(|kept| kept.set(Some(self.0)));
        }
    }

    /// The waker.
    #[inline]
    pub(super) fn waker(&self) -> &Waker {
        &self.0.waker
    }

    /// The thread's parker.
    #[inline]
    pub(super) fn parker(&self) -> &Parker {
        &self.0.parker
    }

    /// Room for the wakers of what became ready.
    pub(super) fn ready(&self) -> RefMut<'_, Vec<Waker>> {
        self.0.ready.borrow_mut()
    }

    /// Whether the future has been woken.
    #[inline]
    pub(super) fn is_woken(&self) -> bool {
        self.0.flag.is_woken.load(Ordering::Relaxed)
    }

    /// Lowers the flag before a poll, if it has been raised.
    #[inline]
    pub(super) fn lower(&self) -> bool {
        // The swap acquires what was written before the wake that the poll answers; and no load of the poll goes before it,
        // as it might before a store: then a wake between the two would be lost.
        self.is_woken() && self.0.flag.is_woken.swap(false, Ordering::AcqRel)
    }

    /// Whether the waker has been cloned once, and that clone is still there: so one thing can wake the future, and no other.
    /// The wakes of clones that are gone have been seen then: a look at the flag that comes after tells of them.
    pub(super) fn is_left_at_one_place(&self) -> bool {
        let is_left = Arc::strong_count(&self.0.flag) == UNCLONED + 1;
        // The count is read without an order, and each clone releases what it did as it goes.
        fence(Ordering::Acquire);
        is_left
    }
}

impl Kit {
    #[cold]
    fn new() -> Box<Kit> {
        let parker = Parker::current();
        let flag = Arc::new(Flag {
            is_woken: AtomicBool::new(false),
            home: seated::thread_address(),
            unparker: Arc::clone(parker.unparker()),
        });
        let waker = Waker::from(Arc::clone(&flag));
        Box::new(Kit {
            parker,
            flag,
            waker,
            ready: RefCell::default(),
        })
    }
}
