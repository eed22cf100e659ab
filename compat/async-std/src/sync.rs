//! Tasks that wait for each other: parklet's locks, and std's names beside them.

pub use parklet::sync::{
    Mutex, MutexGuard, MutexGuardArc, RwLock, RwLockReadGuard, RwLockUpgradableReadGuard,
    RwLockWriteGuard,
};
pub use std::sync::{Arc, Weak};

#[cfg(feature = "unstable")]
pub use parklet::sync::{Barrier, BarrierWaitResult, Condvar};
