//! What is shown above the line that is being typed, whenever it comes.
//!
//! ```text
//!   tasks                     printer's thread              editor's thread
//!   show(text) ──► waiting ──► while a line is typed: ──────► clears the line, writes
//!                              rustyline's external printer   the text, draws the line
//! ```
//!
//! rustyline's printer writes past the editor when no line is being edited, and it finds that out by a flag which may have
//! changed before it writes: into a prompt that has just been drawn. So it is only called while the *gate* is open. The
//! editor's thread opens it when the line has been drawn, and closes it when the line ends, before the terminal leaves the
//! mode in which lines are edited. What comes meanwhile waits.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustyline::ExternalPrinter;

/// How many bytes wait, at most, while nothing can be shown. Nobody reads more than that.
const MAX_WAITING: usize = 256 * 1024;

/// How long the end of a line waits for a text that is just handed over. That takes microseconds, unless the editor has
/// not taken the one before it yet, since it prefers keys; then both stay with the editor until the next line, which does no
/// harm.
const HANDOVER: Duration = Duration::from_millis(20);

/// The place that texts are shown at, shared by all who show something.
#[derive(Clone, Default)]
pub(crate) struct Screen {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// A std mutex: nobody waits for long under it, and two of those who take it are no tasks.
    gate: Mutex<Gate>,
    /// Something in `gate` has changed.
    changed: Condvar,
}

#[derive(Default)]
struct Gate {
    /// A line is being edited.
    is_open: bool,
    /// The printer has been called and has not returned.
    is_printing: bool,
    /// It was waited for since it was called, so it does no harm.
    is_harmless: bool,
    /// Nothing more will be shown.
    is_over: bool,
    /// What is still to be shown, each with its line breaks.
    waiting: VecDeque<String>,
    /// How many bytes these have.
    bytes: usize,
    /// How many were thrown away since there were too many.
    lost: usize,
}

impl Gate {
    /// All that waits.
    fn take(&mut self) -> String {
        let mut text = String::with_capacity(self.bytes);
        if self.lost > 0 {
            text = format!("({} are not shown)\n", self.lost);
        }
        text.extend(self.waiting.drain(..));
        (self.bytes, self.lost) = (0, 0);
        text
    }
}

impl Screen {
    /// Shows `text`, in lines of its own: now, or as soon as a line is being edited.
    pub(crate) fn show(&self, text: &str) {
        let mut gate = self.lock();
        gate.bytes += text.len() + 1;
        gate.waiting.push_back(format!("{text}\n"));
        while gate.bytes > MAX_WAITING && gate.waiting.len() > 1 {
            let oldest = gate.waiting.pop_front().unwrap_or_default();
            gate.bytes -= oldest.len();
            gate.lost += 1;
        }
        self.shared.changed.notify_all();
    }

    /// What was not shown, when the editor has ended.
    pub(crate) fn take_rest(&self) -> String {
        self.lock().take()
    }

    /// A line has been drawn.
    pub(crate) fn open(&self) {
        self.lock().is_open = true;
        self.shared.changed.notify_all();
    }

    /// The line ends.
    pub(crate) fn close(&self) {
        let mut gate = self.lock();
        gate.is_open = false;
        let is_printing = |gate: &mut Gate| gate.is_printing;
        let _ = self
            .shared
            .changed
            .wait_timeout_while(gate, HANDOVER, is_printing);
    }

    /// The printer's thread: hands over what waits, whenever the gate is open.
    pub(crate) fn print_all(&self, mut printer: impl ExternalPrinter) {
        loop {
            let may_not_print =
                |gate: &mut Gate| !gate.is_over && (!gate.is_open || gate.waiting.is_empty());
            let gate = self.shared.changed.wait_while(self.lock(), may_not_print);
            let mut gate = gate.unwrap_or_else(PoisonError::into_inner);
            if gate.is_over {
                return;
            }
            let text = gate.take();
            (gate.is_printing, gate.is_harmless) = (true, false);
            drop(gate);
            let printed = printer.print(text);
            self.lock().is_printing = false;
            self.shared.changed.notify_all();
            if printed.is_err() {
                return;
            }
        }
    }

    /// Ends [`print_all`](Self::print_all).
    pub(crate) fn end(&self) {
        self.lock().is_over = true;
        self.shared.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Gate> {
        self.shared
            .gate
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
