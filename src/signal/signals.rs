//! Signals as a stream.

use super::Signal;
use crate::io::Explain;
use crate::reactor::Async;
use futures_core::Stream;
use signal_hook::consts::FORBIDDEN;
use signal_hook::low_level::{pipe, unregister};
use signal_hook::{SigId, flag};
use std::fmt;
use std::future::poll_fn;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

/// Waits for ctrl-C; from the first poll on it does not end the process by itself.
///
/// For more than one, or for other signals, there are [`Signals`].
///
/// # Errors
///
/// As those of [`Signals::new`].
///
/// # Cancel safety
///
/// Cancel safe: nobody else loses a signal by it. But one that comes when nobody waits is not seen by the next `ctrl_c()`.
///
/// # Examples
///
/// ```no_run
/// parklet::task::block_on(async {
///     println!("ctrl-C ends this program");
///     parklet::signal::ctrl_c().await
/// })?;
/// # Ok::<_, std::io::Error>(())
/// ```
pub async fn ctrl_c() -> io::Result<()> {
    let mut signals = Signals::new([Signal::INT])?;
    let signal = poll_fn(|cx| Pin::new(&mut signals).poll_next(cx)).await;
    signal.map(drop).ok_or_else(|| {
        let closed = "cannot wait for SIGINT: its pipe is closed";
        io::Error::new(io::ErrorKind::BrokenPipe, closed)
    })
}

/// Signals of some kinds, as a stream.
///
/// Each `Signals` sees all that come as long as it lives, whoever else waits for them. Of several of one kind that have come
/// since the last look, one is given. `next` is cancel safe. Dropping it closes what it opened, but the signals do not
/// become again what they were (see the [module](super)).
///
/// The stream does not end.
///
/// # Examples
///
/// ```
/// use parklet::signal::{Signal, Signals};
/// use parklet::stream::StreamExt;
///
/// # parklet::task::block_on(async {
/// let mut hangups = Signals::new([Signal::HUP])?;
/// # signal_hook::low_level::raise(1)?;
/// if let Some(signal) = hangups.next().await {
///     println!("{signal}: reading the configuration again");
/// }
/// # Ok::<_, std::io::Error>(())
/// # }).unwrap();
/// ```
#[must_use = "streams do nothing unless polled"]
pub struct Signals {
    /// A byte for each signal, or fewer when it is full.
    bytes: Async<UnixStream>,
    /// The kinds.
    kinds: Vec<Kind>,
    /// The one to look at first, so that none has to wait behind one that comes often.
    first: usize,
}

/// One kind of signal.
struct Kind {
    signal: Signal,
    /// Raised by the handler, before it writes the byte.
    has_come: Arc<AtomicBool>,
    /// What was registered with signal-hook.
    actions: Vec<SigId>,
}

impl Signals {
    /// Begins to watch for signals of these kinds: from here on they do not do what they did by themselves.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for what cannot be waited for (`KILL`, `STOP`, and those of faults in the program itself) or is no
    /// signal; the system's, above all `too many open files`. `cannot wait for signal 99: Invalid argument (os error 22)`
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::signal::{Signal, Signals};
    ///
    /// let signals = Signals::new([Signal::INT, Signal::TERM])?;
    ///
    /// let error = Signals::new([Signal::from_raw(9)]).unwrap_err();
    /// assert_eq!(error.to_string(), "cannot wait for SIGKILL: a process never sees it");
    /// # Ok::<_, std::io::Error>(())
    /// ```
    pub fn new(kinds: impl IntoIterator<Item = Signal>) -> io::Result<Signals> {
        let (bytes, handlers) = UnixStream::pair()?;
        let mut signals = Signals {
            bytes: Async::new(bytes)?,
            kinds: Vec::new(),
            first: 0,
        };
        for signal in kinds {
            if !signals.kinds.iter().any(|kind| kind.signal == signal) {
                let watched = signals.watch(signal, &handlers);
                watched.explain(|| format!("cannot wait for {signal}"))?;
            }
        }
        Ok(signals)
    }

    /// Adds a kind, whose handler writes into this end.
    fn watch(&mut self, signal: Signal, handlers: &UnixStream) -> io::Result<()> {
        let number = signal.as_raw();
        if FORBIDDEN.contains(&number) {
            let never = "a process never sees it";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, never));
        }
        // Here from the start, so that dropping it takes back what was registered before an error.
        self.kinds.push(Kind {
            signal,
            has_come: Arc::default(),
            actions: Vec::new(),
        });
        let Some(kind) = self.kinds.last_mut() else {
            return Ok(());
        };
        // Actions run in this order: whoever reads the byte finds the flag up.
        let has_come = Arc::clone(&kind.has_come);
        kind.actions.push(flag::register(number, has_come)?);
        let byte = handlers.try_clone()?;
        kind.actions.push(pipe::register(number, byte)?);
        Ok(())
    }

    /// One that has come since it was last looked for.
    fn take(&mut self) -> Option<Signal> {
        let count = self.kinds.len();
        for place in (self.first..count).chain(0..self.first) {
            let kind = &self.kinds[place];
            if kind.has_come.swap(false, Ordering::AcqRel) {
                self.first = (place + 1) % count;
                return Some(kind.signal);
            }
        }
        None
    }
}

impl Stream for Signals {
    type Item = Signal;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Signal>> {
        let this = self.get_mut();
        loop {
            if let Some(signal) = this.take() {
                return Poll::Ready(Some(signal));
            }
            // What has come since is in the bytes, for the flag is raised first; so no signal falls in between.
            let read = |mut bytes: &UnixStream| bytes.read(&mut [0; 64]);
            match this.bytes.poll_read_with(cx, read) {
                Poll::Ready(Ok(1..)) => {}
                // Nobody closes the other end, which is the handlers'; without kinds there is none.
                Poll::Ready(_) if this.kinds.is_empty() => return Poll::Pending,
                Poll::Ready(_) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for kind in &mut self.kinds {
            kind.actions.drain(..).for_each(|action| {
                unregister(action);
            });
        }
    }
}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = self.kinds.iter().map(|kind| kind.signal);
        f.debug_set().entries(kinds).finish()
    }
}
