//! One run of one workload on one runtime, in a process of its own: what it may use, and how it reports.
//!
//! A report is a line on the standard output, `metric value`; the arena reads it at the other end.

use std::time::{Duration, Instant};

use super::contender::Contender;

/// Something to be measured. Its name is the same on every runtime.
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) run: fn(Run),
}

impl Workload {
    pub(crate) const fn new(name: &'static str, run: fn(Run)) -> Workload {
        Workload { name, run }
    }
}

/// How long the whole comparison may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Does everything once: a test of the bench, not a measurement.
    Tiny,
    /// Ends within 90 seconds.
    Quick,
    /// Takes what it needs.
    Full,
}

/// What a workload is given.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    /// Whose turn it is.
    pub(crate) contender: &'static Contender,
    pub(crate) form: Form,
}

impl Run {
    /// How long a run measures, at least.
    fn time(self) -> Duration {
        match self.form {
            Form::Tiny => Duration::ZERO,
            Form::Quick => Duration::from_millis(15),
            Form::Full => Duration::from_millis(200),
        }
    }

    /// One of three, by the form.
    pub(crate) fn pick<T>(self, tiny: T, quick: T, full: T) -> T {
        match self.form {
            Form::Tiny => tiny,
            Form::Quick => quick,
            Form::Full => full,
        }
    }

    /// Turns of a loop, each of which does so many operations, until the time is up; the end reports the nanoseconds
    /// that an operation took.
    ///
    /// The first turns warm up threads, caches and pools, and do not count.
    pub(crate) fn batches(self, operations: u64) -> Batches {
        Batches {
            time: self.time(),
            operations,
            begin: Instant::now(),
            warm: None,
            turns: 0,
        }
    }

    /// How many tasks sleep at once, and how long: so long that even the slowest has started them all before.
    pub(crate) fn many_sleeps(self) -> (usize, Duration) {
        let (sleeps, milliseconds) = self.pick((1_000, 20), (20_000, 150), (100_000, 1_000));
        (sleeps, Duration::from_millis(milliseconds))
    }

    /// Reports a figure.
    pub(crate) fn report(self, metric: &str, value: f64) {
        println!("{metric} {value}");
    }
}

/// See [`Run::batches`].
pub(crate) struct Batches {
    /// How long to measure.
    time: Duration,
    /// Operations of a turn.
    operations: u64,
    begin: Instant,
    /// When what counts began.
    warm: Option<Instant>,
    /// Turns begun since.
    turns: u64,
}

impl Iterator for Batches {
    type Item = ();

    fn next(&mut self) -> Option<()> {
        let now = Instant::now();
        let Some(warm) = self.warm else {
            // The first call is before the first turn, the next one after it.
            if self.turns == 0 || now - self.begin < self.time / 4 {
                self.turns = 1;
            } else {
                self.warm = Some(now);
            }
            return Some(());
        };
        let measured = now - warm;
        if measured < self.time {
            self.turns += 1;
            return Some(());
        }
        let operations = self.turns * self.operations;
        println!("time {}", measured.as_nanos() as f64 / operations as f64);
        None
    }
}
