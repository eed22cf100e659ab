//! (skeleton)

#[cfg(not(parklet_loom))]
pub(crate) mod blocking;
#[cfg(not(parklet_loom))]
pub(crate) mod blocking_pool;
