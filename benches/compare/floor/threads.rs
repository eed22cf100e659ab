//! Two threads that hand something to each other.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;

use crate::arena::run::{Run, Workload};

pub(crate) const WORKLOADS: &[Workload] = &[
    Workload::new("wake/thread", hand_over),
    Workload::new("spawn_blocking/burst", burst),
    Workload::new("spawn_blocking/one_by_one", one_by_one),
];

/// One number: even for one thread, odd for the other.
fn hand_over(run: Run) {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    const END: u64 = u64::MAX;
    let first = thread::current();
    let second = thread::spawn(move || {
        let mut answered = 0;
        loop {
            let number = NUMBER.load(Ordering::Acquire);
            if number == END {
                return answered;
            }
            if number.is_multiple_of(2) {
                thread::park();
                continue;
            }
            answered += 1;
            NUMBER.store(number + 1, Ordering::Release);
            first.unpark();
        }
    });
    let mut sent = 0;
    for _ in run.batches(100) {
        for _ in 0..100 {
            let number = NUMBER.load(Ordering::Relaxed) + 1;
            NUMBER.store(number, Ordering::Release);
            second.thread().unpark();
            while NUMBER.load(Ordering::Acquire) == number {
                thread::park();
            }
            sent += 1;
        }
    }
    NUMBER.store(END, Ordering::Release);
    second.thread().unpark();
    assert_eq!(second.join().unwrap(), sent);
}

type Job = Box<dyn FnOnce() -> u64 + Send>;

/// Starts the thread that does the jobs; it sends back the sum of so many.
fn start(jobs_of_a_sum: u64) -> (mpsc::Sender<Job>, mpsc::Receiver<u64>) {
    let (sender, jobs) = mpsc::channel::<Job>();
    let (sums, receiver) = mpsc::channel();
    thread::spawn(move || {
        let (mut done, mut sum) = (0, 0);
        while let Ok(job) = jobs.recv() {
            sum += job();
            done += 1;
            if done == jobs_of_a_sum {
                let _ = sums.send(sum);
                (done, sum) = (0, 0);
            }
        }
    });
    (sender, receiver)
}

fn burst(run: Run) {
    let (jobs, sums) = start(10_000);
    for _ in run.batches(10_000) {
        for number in 0..10_000 {
            jobs.send(Box::new(move || black_box(number))).unwrap();
        }
        assert_eq!(sums.recv(), Ok(10_000 * 9_999 / 2));
    }
}

fn one_by_one(run: Run) {
    let (jobs, sums) = start(1);
    for _ in run.batches(100) {
        for number in 0..100 {
            jobs.send(Box::new(move || black_box(number))).unwrap();
            assert_eq!(sums.recv(), Ok(number));
        }
    }
}
