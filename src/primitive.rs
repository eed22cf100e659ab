//! std's atomics, cells and locks, or loom's: the only file that chooses between them.
//!
//! What the loom models check (`executor/task/{state,recycle,slot}.rs`, `executor/{parker,idle,blocking_pool}.rs`, `sync/`, `channel/`, `reactor/{source,deadlines,rest}.rs`) takes its primitives from here; the
//! rest of the crate uses std directly, since it is not built under `cfg(parklet_loom)`.

#[cfg(not(parklet_loom))]
pub(crate) use {
    crossbeam::sync::{Parker as ThreadParker, Unparker as ThreadUnparker},
    std::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence},
    std::sync::{Arc, Mutex, MutexGuard},
};

#[cfg(parklet_loom)]
pub(crate) use {
    self::locked_parker::{ThreadParker, ThreadUnparker},
    loom::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence},
    loom::sync::{Arc, Mutex, MutexGuard},
};

/// Whether a rule is to be broken, so that its model has to fail: the one that the variable `PARKLET_LOOM_BROKEN` names.
/// Read when the models run, so that all variants are one build; outside them it is false to the compiler.
#[cfg(parklet_loom)]
pub(crate) fn is_broken(rule: &str) -> bool {
    static BROKEN: std::sync::LazyLock<Option<String>> =
        std::sync::LazyLock::new(|| std::env::var("PARKLET_LOOM_BROKEN").ok());
    BROKEN.as_deref() == Some(rule)
}

/// Nothing is broken here.
#[cfg(not(parklet_loom))]
#[inline(always)]
pub(crate) const fn is_broken(_rule: &str) -> bool {
    false
}

/// crossbeam's `Parker` in the plainest form, since loom cannot look into crossbeam.
#[cfg(parklet_loom)]
mod locked_parker {
    use loom::sync::{Arc, Condvar, Mutex};
    use std::time::{Duration, Instant};

    #[derive(Debug, Default)]
    pub(crate) struct ThreadParker(ThreadUnparker);

    #[derive(Debug, Default, Clone)]
    pub(crate) struct ThreadUnparker(Arc<(Mutex<bool>, Condvar)>);

    impl ThreadParker {
        pub(crate) fn new() -> ThreadParker {
            ThreadParker::default()
        }

        pub(crate) fn unparker(&self) -> &ThreadUnparker {
            &self.0
        }

        pub(crate) fn park(&self) {
            let (token, roused) = &*self.0.0;
            let mut token = token.lock().unwrap();
            while !*token {
                token = roused.wait(token).unwrap();
            }
            *token = false;
        }

        /// A deadline that has passed ends the wait at once; any other is too far away for a model.
        pub(crate) fn park_deadline(&self, deadline: Instant) {
            if Instant::now() < deadline {
                return self.park();
            }
            let (token, _) = &*self.0.0;
            *token.lock().unwrap() = false;
        }

        /// In a model nothing may lean on a timeout, so there is none.
        pub(crate) fn park_timeout(&self, _timeout: Duration) {
            self.park();
        }
    }

    impl ThreadUnparker {
        pub(crate) fn unpark(&self) {
            let (token, roused) = &*self.0;
            *token.lock().unwrap() = true;
            roused.notify_one();
        }
    }
}
