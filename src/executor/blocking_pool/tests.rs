//! Pools of a few threads, whose starter reports what it does or refuses. The pool as a user meets it is tested in
//! `tests/blocking_pool.rs`.

use std::future::Future;
use std::pin::Pin;
use std::sync::Barrier;
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc::{self, Receiver, Sender};
use std::task::{Context, Poll, Wake, Waker};

use futures_lite::future::block_on;

use super::*;
use crate::executor::blocking::SpawnBlocking;
use crate::task;

/// Longer than anything here takes; running out of it is a failure.
const PATIENCE: Duration = Duration::from_secs(30);

/// Means: threads do not leave in this test.
const FOREVER: Duration = Duration::MAX;

/// What a pool's threads do, in order.
#[derive(Debug, PartialEq, Eq)]
enum Event {
    Started(String),
    Refused,
    Ended(String),
}

/// A pool whose events can be read.
fn watched_pool(max_threads: usize, idle_time: Duration) -> (Arc<BlockingPool>, Receiver<Event>) {
    pool_that_is_refused(max_threads, idle_time, |_| false)
}

/// A pool whose events can be read, and for which creating a thread fails at the attempts that `refuse` says: it gets
/// the number of the thread.
fn pool_that_is_refused(
    max_threads: usize,
    idle_time: Duration,
    refuse: fn(usize) -> bool,
) -> (Arc<BlockingPool>, Receiver<Event>) {
    let (events, log) = mpsc::channel();
    let attempts = AtomicUsize::new(0);
    let starter = move |name: String, body: Box<dyn FnOnce() + Send>| {
        if refuse(attempts.fetch_add(1, Ordering::Relaxed) + 1) {
            let _ = events.send(Event::Refused);
            return Err(io::Error::from(io::ErrorKind::WouldBlock));
        }
        let _ = events.send(Event::Started(name.clone()));
        let events = events.clone();
        thread::Builder::new()
            .name(name.clone())
            .spawn(move || {
                body();
                let _ = events.send(Event::Ended(name));
            })
            .map(drop)
    };
    let pool = BlockingPool::new(max_threads, idle_time, Box::new(starter));
    (pool, log)
}

/// A job that says that it runs, waits to be let go, and returns its thread's name.
fn gated_job(pool: &Arc<BlockingPool>) -> (SpawnBlocking<String>, Gate) {
    let (running, is_running) = mpsc::channel();
    let (open, opened) = mpsc::channel::<()>();
    let job = pool.spawn(move || {
        running.send(()).unwrap();
        opened.recv().unwrap();
        thread::current().name().unwrap().to_owned()
    });
    (job, Gate { is_running, open })
}

struct Gate {
    is_running: Receiver<()>,
    open: Sender<()>,
}

impl Gate {
    fn wait_until_running(&self) {
        self.is_running
            .recv_timeout(PATIENCE)
            .expect("the job starts");
    }

    fn open(&self) {
        self.open.send(()).unwrap();
    }
}

/// Waits for what only the pool's own state shows.
fn wait_until(mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "this never happened");
        thread::yield_now();
    }
}

fn started(number: usize) -> Event {
    Event::Started(format!("parklet-blocking-{number}"))
}

fn ended(number: usize) -> Event {
    Event::Ended(format!("parklet-blocking-{number}"))
}

#[test]
fn a_job_that_blocks_does_not_hold_back_the_next() {
    let (pool, log) = watched_pool(8, FOREVER);
    let jobs: Vec<_> = (0..8).map(|_| gated_job(&pool)).collect();
    for (_, gate) in &jobs {
        gate.wait_until_running();
    }
    let mut names = Vec::new();
    for (job, gate) in jobs {
        gate.open();
        names.push(block_on(job));
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 8, "all eight were blocked at once: {names:?}");
    let starts: Vec<_> = log.try_iter().collect();
    assert_eq!(starts, (1..=8).map(started).collect::<Vec<_>>());
}

#[test]
fn the_number_of_threads_is_capped() {
    let (pool, log) = watched_pool(2, FOREVER);
    let at_once = AtomicUsize::new(0);
    let most = AtomicUsize::new(0);
    // Every job needs another beside it.
    let shared = Arc::new((at_once, most, Barrier::new(2)));
    let jobs: Vec<_> = (0..500)
        .map(|_| {
            let shared = Arc::clone(&shared);
            pool.spawn(move || {
                let (at_once, most, two) = &*shared;
                let now = at_once.fetch_add(1, Ordering::Relaxed) + 1;
                most.fetch_max(now, Ordering::Relaxed);
                two.wait();
                at_once.fetch_sub(1, Ordering::Relaxed);
            })
        })
        .collect();
    jobs.into_iter().for_each(block_on);
    assert_eq!(shared.1.load(Ordering::Relaxed), 2);
    assert_eq!(log.try_iter().collect::<Vec<_>>(), [started(1), started(2)]);
}

/// Awaits a job without sleeping, so that what comes after it comes at once.
fn spin_on<T>(mut job: SpawnBlocking<T>) -> T {
    let mut cx = Context::from_waker(Waker::noop());
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Poll::Ready(value) = Pin::new(&mut job).poll(&mut cx) {
            return value;
        }
        assert!(Instant::now() < deadline, "the job never ended");
        hint::spin_loop();
    }
}

#[test]
fn calls_awaited_one_after_the_other_share_one_thread() {
    let (pool, log) = watched_pool(8, FOREVER);
    for call in 0..200 {
        let job = pool.spawn(|| thread::current().name().map(str::to_owned));
        // Waiting for the wake, or without it: a value must not come before its thread can be called again.
        let name = if call % 2 == 0 {
            block_on(job)
        } else {
            spin_on(job)
        };
        assert_eq!(name.as_deref(), Some("parklet-blocking-1"));
        // Let it park now and then; at other times the next call finds it looking around, or on its way back.
        if call % 3 == 0 {
            wait_until(|| pool.lock().idle.len() == 1);
        }
    }
    assert_eq!(log.try_iter().collect::<Vec<_>>(), [started(1)]);
}

#[test]
fn a_value_comes_only_when_its_thread_counts_as_free() {
    let (pool, _log) = watched_pool(8, FOREVER);
    let (mut job, gate) = gated_job(&pool);
    gate.wait_until_running();
    // While the pool cannot hear that the thread is free again, there must be no value. No event says that it does not
    // come, so this looks for a while; a value that comes too early is there at once.
    let deaf = pool.lock();
    gate.open();
    // The call is over when the closure has been dropped.
    assert!(gate.is_running.recv().is_err());
    let mut cx = Context::from_waker(Waker::noop());
    let until = Instant::now() + Duration::from_millis(20);
    while Instant::now() < until {
        assert!(!job.is_finished());
        assert!(Pin::new(&mut job).poll(&mut cx).is_pending());
        thread::yield_now();
    }
    drop(deaf);
    assert_eq!(block_on(job), "parklet-blocking-1");
}

#[test]
fn the_thread_that_went_idle_last_is_called_first() {
    let (pool, _log) = watched_pool(8, FOREVER);
    let jobs: Vec<_> = (0..3).map(|_| gated_job(&pool)).collect();
    for (_, gate) in &jobs {
        gate.wait_until_running();
    }
    let mut last = String::new();
    for (idle, (job, gate)) in jobs.into_iter().enumerate() {
        gate.open();
        last = block_on(job);
        wait_until(|| pool.lock().idle.len() == idle + 1);
    }
    assert_eq!(
        block_on(pool.spawn(|| thread::current().name().unwrap().to_owned())),
        last
    );
}

#[test]
fn idle_threads_leave_and_new_ones_come() {
    let (pool, log) = watched_pool(4, Duration::from_millis(5));
    let jobs: Vec<_> = (0..3).map(|_| gated_job(&pool)).collect();
    for (_, gate) in &jobs {
        gate.wait_until_running();
    }
    for (job, gate) in jobs {
        gate.open();
        block_on(job);
    }
    let mut events: Vec<_> = (0..6)
        .map(|_| log.recv_timeout(PATIENCE).expect("three come and go"))
        .collect();
    events[3..].sort_by_key(|event| format!("{event:?}"));
    let expected: Vec<_> = (1..=3).map(started).chain((1..=3).map(ended)).collect();
    assert_eq!(events, expected);

    assert_eq!(block_on(pool.spawn(|| 7)), 7);
    assert_eq!(log.recv_timeout(PATIENCE), Ok(started(4)));
}

#[test]
fn a_job_that_meets_a_thread_about_to_leave_is_run() {
    let (pool, _log) = watched_pool(2, Duration::from_micros(30));
    let mut pause = 0;
    let sum: u64 = (0..2_000)
        .map(|number| {
            // Pauses around the idle time, so that jobs come while a thread decides to leave.
            pause = (pause + 7) % 60;
            let until = Instant::now() + Duration::from_micros(pause);
            while Instant::now() < until {
                hint::spin_loop();
            }
            block_on(pool.spawn(move || number))
        })
        .sum();
    assert_eq!(sum, 1_999_000);
}

#[test]
fn a_thread_survives_the_panic_of_its_job_and_of_an_unwanted_value() {
    struct PanicsOnDrop;
    impl Drop for PanicsOnDrop {
        fn drop(&mut self) {
            panic!("dropped on purpose");
        }
    }

    let (pool, log) = watched_pool(1, FOREVER);
    let job = pool.spawn(|| panic!("boom"));
    let payload = panic::catch_unwind(AssertUnwindSafe(|| block_on(job))).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"boom"));

    let (detached, is_detached) = mpsc::channel();
    let unwanted = pool.spawn(move || {
        is_detached.recv().unwrap();
        PanicsOnDrop
    });
    drop(unwanted);
    detached.send(()).unwrap();
    assert_eq!(block_on(pool.spawn(|| 7)), 7);
    assert_eq!(log.try_iter().collect::<Vec<_>>(), [started(1)]);
}

#[test]
fn cancel_takes_back_a_job_that_has_not_started() {
    let (pool, _log) = watched_pool(1, FOREVER);
    let (blocker, gate) = gated_job(&pool);
    gate.wait_until_running();
    let (ran, log) = mpsc::channel();
    let jobs: Vec<_> = (0..5)
        .map(|number| {
            let ran = ran.clone();
            pool.spawn(move || ran.send(number).unwrap())
        })
        .collect();
    drop(ran);
    for (number, job) in jobs.into_iter().enumerate() {
        if number % 2 == 1 {
            assert_eq!(block_on(job.cancel()), None);
        }
    }
    gate.open();
    block_on(blocker);
    // The channel closes when the last closure is gone: those taken back have been dropped.
    assert_eq!(log.iter().collect::<Vec<_>>(), [0, 2, 4]);
}

#[test]
fn cancel_waits_for_a_job_that_has_started() {
    let (pool, _log) = watched_pool(1, FOREVER);
    let (job, gate) = gated_job(&pool);
    gate.wait_until_running();
    let mut cancel = Box::pin(job.cancel());
    let mut cx = Context::from_waker(Waker::noop());
    assert!(cancel.as_mut().poll(&mut cx).is_pending());
    gate.open();
    assert_eq!(block_on(cancel).as_deref(), Some("parklet-blocking-1"));
}

#[test]
fn a_dropped_future_leaves_no_waker_behind() {
    struct Woken(AtomicUsize);
    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    let (pool, _log) = watched_pool(1, FOREVER);
    let (mut job, gate) = gated_job(&pool);
    gate.wait_until_running();
    let woken = Arc::new(Woken(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&woken));
    assert!(
        Pin::new(&mut job)
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    drop(waker);
    assert_eq!(Arc::strong_count(&woken), 2);
    drop(job);
    assert_eq!(Arc::strong_count(&woken), 1);
    gate.open();
    block_on(pool.spawn(|| ()));
    assert_eq!(woken.0.load(Ordering::Relaxed), 0);
}

#[test]
fn jobs_from_many_threads_are_all_run_once() {
    let (pool, _log) = watched_pool(4, Duration::from_micros(50));
    let sum: u64 = thread::scope(|scope| {
        let submitters: Vec<_> = (0..4_u64)
            .map(|submitter| {
                let pool = Arc::clone(&pool);
                scope.spawn(move || {
                    let jobs: Vec<_> = (0..500)
                        .map(|job| pool.spawn(move || submitter * 500 + job))
                        .collect();
                    jobs.into_iter().map(block_on).sum::<u64>()
                })
            })
            .collect();
        submitters
            .into_iter()
            .map(|submitter| submitter.join().unwrap())
            .sum()
    });
    assert_eq!(sum, 1_999_000);
}

#[test]
fn a_job_survives_that_no_thread_can_be_created() {
    let (pool, log) = pool_that_is_refused(4, FOREVER, |attempt| attempt <= 3);
    let job = pool.spawn(|| thread::current().name().map(str::to_owned));
    assert_eq!(log.recv(), Ok(Event::Refused));
    assert!(!job.is_finished());
    // parklet's own block_on: it drives the reactor, and with it the timer that tries again.
    let name = task::block_on(job);
    assert_eq!(name.as_deref(), Some("parklet-blocking-4"));
    assert_eq!(
        log.try_iter().collect::<Vec<_>>(),
        [Event::Refused, Event::Refused, started(4)]
    );
}

#[test]
fn a_detached_job_survives_that_no_thread_can_be_created() {
    let (pool, _log) = pool_that_is_refused(4, FOREVER, |attempt| attempt <= 3);
    let (ran, has_run) = crate::channel::bounded(1);
    drop(pool.spawn(move || block_on(ran.send(7)).unwrap()));
    drop(pool);
    assert_eq!(task::block_on(has_run.recv()), Ok(7));
}

#[test]
fn a_job_for_which_a_thread_was_refused_goes_to_one_that_gets_free() {
    let (pool, log) = pool_that_is_refused(4, FOREVER, |attempt| attempt > 1);
    let (blocker, gate) = gated_job(&pool);
    gate.wait_until_running();
    let job = pool.spawn(|| thread::current().name().map(str::to_owned));
    assert_eq!(
        [log.recv(), log.recv()],
        [Ok(started(1)), Ok(Event::Refused)]
    );
    gate.open();
    assert_eq!(block_on(blocker), "parklet-blocking-1");
    assert_eq!(block_on(job).as_deref(), Some("parklet-blocking-1"));
}

#[test]
fn after_a_refusal_not_every_job_asks_again() {
    let (pool, log) = pool_that_is_refused(4, FOREVER, |attempt| attempt <= 5);
    let start = Instant::now();
    let jobs: Vec<_> = (0..1_000).map(|job| pool.spawn(move || job)).collect();
    let attempts = log.try_iter().count() as u32;
    assert!(attempts >= 1);
    assert!((attempts - 1) * RETRY_AFTER <= start.elapsed());
    let sum: u64 = task::block_on(async {
        let mut sum = 0;
        for job in jobs {
            sum += job.await;
        }
        sum
    });
    assert_eq!(sum, 499_500);
}
