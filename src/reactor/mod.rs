//! Who waits for the kernel. (skeleton)

mod driver;
mod registered;
mod timer;

pub(crate) use driver::{Driver, Reactor};
pub use registered::Async;
pub use timer::Timer;
