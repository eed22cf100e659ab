//! Measures one workload on parklet and on async-std, a short round of each in turn, and lets criterion judge the
//! rounds.
//!
//! A busy or virtual machine has slow spells of seconds to minutes. Criterion is done with one id before it begins the
//! next, so such a spell would hit one runtime and spare the other, and their ratio would say nothing. Here the first
//! id of a workload that criterion asks for measures *all* its runtimes in turn; criterion then gets the rounds of
//! each runtime as the samples of its id. [`SideBySide::finish`] prints the ratio of the medians.
//!
//! Both runtimes do the same work in the same words: `on_both_runtimes!` compiles one source text twice, which works
//! since parklet has async-std's names.
//!
//! Run by `cargo test --benches`, or with `--profile-time`, an id just does its work, and nothing is compared.

#![allow(
    dead_code,
    reason = "each bench is a program of its own and uses a part"
)]

use std::time::{Duration, Instant};
use std::{env, process};

use criterion::{Criterion, SamplingMode};

/// Rounds of each runtime: odd, so that the median is one of them, and enough that it moves by a percent or two.
const ROUNDS: usize = 31;

/// How long a round lasts, at least: long beside the 20 us of a thread switch, short beside a slow spell.
const ROUND_TIME: Duration = Duration::from_millis(25);

/// Compiles the given items twice, as modules `on_parklet` and `on_async_std`; `runtime` is the crate under test.
#[allow(unused_macros, reason = "the chat's two servers are not the same text")]
macro_rules! on_both_runtimes {
    ($($item:item)*) => {
        mod on_parklet {
            use parklet as runtime;
            $($item)*
        }
        mod on_async_std {
            use async_std as runtime;
            $($item)*
        }
    };
}

/// Does an operation that many times, and says what that cost: time, or CPU time.
pub(crate) type Work<'a> = Box<dyn FnMut(u64) -> Duration + 'a>;

/// Work that costs the time it takes.
pub(crate) fn timed<'a>(mut work: impl FnMut(u64) + 'a) -> Work<'a> {
    Box::new(move |operations| {
        let start = Instant::now();
        work(operations);
        start.elapsed()
    })
}

/// The benches of one program.
pub(crate) struct SideBySide {
    /// Keeps ids and filters, analyses samples.
    criterion: Criterion,
    /// Whether criterion measures, rather than tests, lists or profiles.
    measures: bool,
    /// What has been compared, for the table.
    compared: Vec<Comparison>,
}

/// One line of the table: medians in nanoseconds per operation.
struct Comparison {
    id: String,
    parklet: f64,
    async_std: f64,
    thread: Option<f64>,
}

impl SideBySide {
    /// Reads the command line, which is criterion's.
    pub(crate) fn new() -> SideBySide {
        let workers = ["PARKLET_THREADS", "ASYNC_STD_THREAD_COUNT"].map(env::var_os);
        if workers[0] != workers[1] {
            eprintln!("PARKLET_THREADS and ASYNC_STD_THREAD_COUNT differ: set both, or none");
            process::exit(2);
        }
        let asked = |argument| env::args().any(|given| given == argument);
        SideBySide {
            // What criterion warms up and times are rounds measured before: the shortest is enough.
            criterion: Criterion::default()
                .configure_from_args()
                .sample_size(ROUNDS)
                .warm_up_time(Duration::from_nanos(1))
                .nresamples(20_000),
            measures: asked("--bench")
                && !["--test", "--list", "--profile-time"]
                    .into_iter()
                    .any(asked),
            compared: Vec::new(),
        }
    }

    /// Measures a workload; `id` is topic/shape/size, to which the runtime's name is added.
    pub(crate) fn compare(&mut self, id: &str, parklet: Work<'_>, async_std: Work<'_>) {
        self.compare_all(id, vec![("parklet", parklet), ("async-std", async_std)]);
    }

    /// The same with plain threads beside the tasks.
    pub(crate) fn compare_with_threads(
        &mut self,
        id: &str,
        parklet: Work<'_>,
        async_std: Work<'_>,
        thread: Work<'_>,
    ) {
        self.compare_all(
            id,
            vec![
                ("parklet", parklet),
                ("async-std", async_std),
                ("std-thread", thread),
            ],
        );
    }

    fn compare_all(&mut self, id: &str, mut sides: Vec<(&str, Work<'_>)>) {
        let mut group = self.criterion.benchmark_group(id);
        group.sampling_mode(SamplingMode::Flat);
        let mut rounds: Option<Vec<Vec<f64>>> = None;
        for side in 0..sides.len() {
            let mut next = 0..;
            group.bench_function(sides[side].0, |bencher| {
                if !self.measures {
                    bencher.iter_custom(|operations| sides[side].1(operations));
                    return;
                }
                let rounds = rounds.get_or_insert_with(|| measure_in_turn(&mut sides));
                // One sample a round; the warm-up has taken some, so around the end to the beginning.
                let round = rounds[side][next.next().unwrap_or(0) % ROUNDS];
                bencher.iter_custom(|operations| {
                    Duration::from_nanos((round * operations as f64) as u64)
                });
            });
        }
        group.finish();
        if let Some(rounds) = rounds {
            let medians: Vec<f64> = rounds.into_iter().map(median).collect();
            self.compared.push(Comparison {
                id: id.to_owned(),
                parklet: medians[0],
                async_std: medians[1],
                thread: medians.get(2).copied(),
            });
        }
    }

    /// Prints what was compared, as a table.
    pub(crate) fn finish(&mut self) {
        self.criterion.final_summary();
        if self.compared.is_empty() {
            return;
        }
        println!(
            "\n| medians of {ROUNDS} rounds in turn | parklet | async-std | async-std / parklet | threads |"
        );
        println!("|---|---|---|---|---|");
        for Comparison {
            id,
            parklet,
            async_std,
            thread,
        } in &self.compared
        {
            println!(
                "| {id} | {} | {} | **{:.2}** | {} |",
                readable(*parklet),
                readable(*async_std),
                async_std / parklet,
                thread.map(readable).unwrap_or_default()
            );
        }
        println!();
    }
}

/// What one operation costs in each round of each side, in nanoseconds.
fn measure_in_turn(sides: &mut [(&str, Work<'_>)]) -> Vec<Vec<f64>> {
    let operations: Vec<u64> = sides
        .iter_mut()
        .map(|(_, work)| operations_per_round(work))
        .collect();
    let mut rounds = vec![Vec::with_capacity(ROUNDS); sides.len()];
    for round in 0..ROUNDS {
        for turn in 0..sides.len() {
            // Everyone is first in turn: what the one before leaves behind (caches, threads about to park) hits all.
            let side = (round + turn) % sides.len();
            let cost = sides[side].1(operations[side]);
            rounds[side].push(cost.as_nanos() as f64 / operations[side] as f64);
        }
    }
    rounds
}

/// Doubles until the work lasts a round; so it also warms up threads, caches and pools.
fn operations_per_round(work: &mut Work<'_>) -> u64 {
    // Starts what has to be started, such as a server: that is not part of a round.
    work(1);
    let mut operations = 1;
    loop {
        let start = Instant::now();
        work(operations);
        if start.elapsed() >= ROUND_TIME {
            return operations;
        }
        operations *= 2;
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Three digits and a unit.
fn readable(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        ..1e3 => (nanoseconds, "ns"),
        1e3..1e6 => (nanoseconds / 1e3, "us"),
        _ => (nanoseconds / 1e6, "ms"),
    };
    let digits = if value < 10.0 {
        2
    } else {
        usize::from(value < 100.0)
    };
    format!("{value:.digits$} {unit}")
}
