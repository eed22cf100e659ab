//! What unix systems have.

#[cfg(feature = "default")]
pub mod fs;
pub mod io;
#[cfg(feature = "default")]
pub mod net;
#[cfg(feature = "unstable")]
pub mod process;
