//! Signals: what the system, a terminal or another process says to this one (feature `signal`).
//!
//! ```text
//!   kernel ──► signal-hook's handler: a flag, a byte into a socket ──► reactor ──► Signals: which flags are up?
//! ```
//!
//! A signal handler may do next to nothing, so it only raises a flag and writes a byte; from there on a signal is input like
//! any other. The handlers are signal-hook's, which share a signal between everybody in the process who wants it.
//!
//! **A signal that was waited for once never again does what it did by itself.** It does not end the process even when
//! nobody waits any more; so it is with signal-hook, and with tokio. Whoever wants a second ctrl-C to end a program that is
//! slow to end waits for the second one, too.
//!
//! The kernel keeps no count: of signals of one kind that come while one is waiting to be seen, one is left.
//!
//! # Examples
//!
//! A server that stops when it is told to, whichever way:
//!
//! ```
//! use parklet::future::race;
//! use parklet::signal::{Signal, Signals};
//! use parklet::stream::StreamExt;
//!
//! # async fn serve() -> Option<Signal> { signal_hook::low_level::raise(15).unwrap(); std::future::pending().await }
//! # parklet::task::block_on(async {
//! let mut signals = Signals::new([Signal::INT, Signal::TERM])?;
//! let told = race(serve(), signals.next()).await;
//! assert_eq!(told, Some(Signal::TERM));
//! # Ok::<_, std::io::Error>(())
//! # }).unwrap();
//! ```

mod number;
mod signals;

pub use self::number::Signal;
pub use self::signals::{Signals, ctrl_c};
