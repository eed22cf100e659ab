//! Nobody starves: not beside tasks that wake each other for ever, not beside one that yields or is always ready.
//!
//! Each test has an endless neighbour, and one worker or one thread to share with it. What must get its turn ends the
//! test. Should the worker shut it out, the watcher would help sooner or later; so two tests count turns on the worker.

mod common;

use common::{Event, serve_and_ask, watchdog, with_workers};
use parklet::fs::File;
use parklet::io::{SeekFrom, prelude::*};
use parklet::sync;
use parklet::{channel, task};
use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// What the endless neighbours must let live: a task, a spawn from outside, a timer and a socket.
async fn ordinary_life() {
    for _ in 0..20 {
        task::yield_now().await;
    }
    task::spawn(async { task::yield_now().await }).await;
    task::sleep(Duration::from_millis(1)).await;
    serve_and_ask(async {}).await;
}

/// Lives beside `neighbours`, spawned before, on the one worker and on the main thread.
fn live_beside(neighbours: impl Fn()) {
    with_workers([1], || {
        neighbours();
        task::block_on(task::spawn(ordinary_life()));
        task::block_on(ordinary_life());
    });
}

/// Counts what the neighbours do meanwhile.
#[derive(Default, Clone)]
struct Turns(Arc<AtomicUsize>);

thread_local! {
    /// The number of the last turn that a neighbour had on this thread.
    static LAST_HERE: Cell<usize> = const { Cell::new(0) };
}

impl Turns {
    /// A neighbour has a turn.
    fn take_one(&self) {
        LAST_HERE.set(self.0.fetch_add(1, Ordering::Relaxed) + 1);
    }

    /// How many they had in all.
    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// How many since then, if it is the worker that they share with the caller. When the system takes the worker off its
    /// core, the watcher sends a thread that helps out, and what happens there is no sample.
    fn shared_since(&self, before: usize) -> Option<usize> {
        let now = self.count();
        let is_worker = thread::current().name() == Some("parklet-0");
        (is_worker && LAST_HERE.get() == now && now > before).then(|| now - before)
    }

    /// The median of some samples, or a failure if they do not come; `sample` waits as long as it is told to.
    fn median_of(
        &self,
        what: &str,
        mut sample: impl FnMut(Duration) -> Result<Option<usize>, mpsc::RecvTimeoutError>,
    ) -> usize {
        const SAMPLES: usize = 21;
        /// They take a few milliseconds. The watchdog waits longer, and has less to say.
        const PATIENCE: Duration = Duration::from_secs(20);
        let (begin, before) = (Instant::now(), self.count());
        let mut counts = Vec::new();
        while counts.len() < SAMPLES {
            let left = PATIENCE.saturating_sub(begin.elapsed());
            let Ok(count) = sample(left) else {
                panic!(
                    "{} of {SAMPLES} samples in {PATIENCE:?} of {what}, while the neighbours had {} turns",
                    counts.len(),
                    self.count() - before
                );
            };
            counts.extend(count);
        }
        counts.sort_unstable();
        counts[SAMPLES / 2]
    }
}

/// Checks how many turns the neighbours have from one turn of a task to its next, and from a spawn outside to its start.
///
/// The calling thread spawns and waits, no more: in a `block_on` it might have a part in the work.
fn expect_turns_between(neighbours: &Turns) {
    let (sender, samples) = mpsc::channel();
    let turns = neighbours.clone();
    task::spawn(async move {
        loop {
            let (thread, before) = (thread::current().id(), turns.count());
            task::yield_now().await;
            let sample = turns.shared_since(before);
            let is_sample = sample.is_some() && thread::current().id() == thread;
            // Until nobody listens any more.
            if is_sample && sender.send(sample).is_err() {
                return;
            }
        }
    })
    .detach();
    let between = neighbours.median_of("how often a task that yields has a turn", |left| {
        samples.recv_timeout(left)
    });
    assert!(between <= 10, "{between} turns of others before the next");
    drop(samples);

    let until_start = neighbours.median_of("how soon a spawned task starts", |left| {
        let (sender, sample) = mpsc::channel();
        let (turns, before) = (neighbours.clone(), neighbours.count());
        task::spawn(async move { sender.send(turns.shared_since(before)) }).detach();
        sample.recv_timeout(left)
    });
    assert!(
        until_start <= 200,
        "{until_start} turns of others before the first"
    );
}

#[test]
fn two_tasks_that_wake_each_other_for_ever_starve_nobody() {
    with_workers([1], || {
        let turns = Turns::default();
        // Whose turn it is, so that there is never more than one of the two in a queue; and their wakers.
        let whose = Arc::new(AtomicUsize::new(0));
        let wakers: Arc<[Mutex<Option<Waker>>; 2]> = Arc::default();
        for own in [1, 0] {
            let (turns, whose, wakers) = (turns.clone(), Arc::clone(&whose), Arc::clone(&wakers));
            let started = Event::default();
            task::spawn({
                let started = started.clone();
                poll_fn(move |cx| {
                    wakers[own]
                        .lock()
                        .unwrap()
                        .get_or_insert_with(|| cx.waker().clone());
                    if whose.load(Ordering::SeqCst) == own {
                        turns.take_one();
                        let other = wakers[1 - own].lock().unwrap().clone().unwrap();
                        whose.store(1 - own, Ordering::SeqCst);
                        other.wake();
                    }
                    started.set();
                    Poll::<()>::Pending
                })
            })
            .detach();
            started.block();
        }
        expect_turns_between(&turns);
        task::block_on(task::spawn(ordinary_life()));
        task::block_on(ordinary_life());
    });
}

#[test]
fn tasks_that_yield_for_ever_starve_nobody() {
    with_workers([1], || {
        let turns = Turns::default();
        for _ in 0..3 {
            let turns = turns.clone();
            task::spawn(async move {
                loop {
                    turns.take_one();
                    task::yield_now().await;
                }
            })
            .detach();
        }
        expect_turns_between(&turns);
        task::block_on(task::spawn(ordinary_life()));
        task::block_on(ordinary_life());
    });
}

#[test]
fn two_tasks_that_send_each_other_messages_for_ever_starve_nobody() {
    fn pass_on(from: channel::Receiver<()>, to: channel::Sender<()>) {
        task::spawn(async move {
            while from.recv().await.is_ok() {
                to.send(()).await.unwrap();
            }
        })
        .detach();
    }
    live_beside(|| {
        let (there, here) = (channel::bounded(1), channel::bounded(1));
        there.0.try_send(()).unwrap();
        pass_on(there.1, here.0);
        pass_on(here.1, there.0);
    });
}

#[test]
fn a_task_that_spawns_its_successor_for_ever_starves_nobody() {
    fn again() {
        task::spawn(async { again() }).detach();
    }
    live_beside(again);
}

#[test]
fn local_tasks_of_a_worker_and_its_other_tasks_share_it() {
    live_beside(|| {
        task::block_on(task::spawn(async {
            for _ in 0..2 {
                task::spawn_local(async {
                    loop {
                        task::yield_now().await;
                    }
                })
                .detach();
            }
        }));
    });
    with_workers([1], || {
        // The other way round: the local task lives beside endless others.
        for _ in 0..3 {
            task::spawn(async {
                loop {
                    task::yield_now().await;
                }
            })
            .detach();
        }
        let lived = Event::default();
        let lives = lived.clone();
        task::spawn(async move {
            let not_send = Rc::new(());
            task::spawn_local(async move {
                ordinary_life().await;
                drop(not_send);
                lives.set();
            })
            .detach();
        })
        .detach();
        lived.block();
    });
}

#[test]
fn a_task_whose_channel_is_always_ready_starves_nobody() {
    live_beside(|| {
        let (sender, receiver) = channel::unbounded();
        sender.try_send(0_u64).unwrap();
        task::spawn(async move {
            // Never empty, never full: without a budget this poll would not end.
            while let Ok(number) = receiver.recv().await {
                sender.send(number + 1).await.unwrap();
            }
        })
        .detach();
    });
}

#[test]
fn a_task_whose_mutex_is_always_free_starves_nobody() {
    live_beside(|| {
        task::spawn(async {
            let mutex = sync::Mutex::new(0_u64);
            loop {
                *mutex.lock().await += 1;
            }
        })
        .detach();
    });
}

#[test]
fn a_task_whose_socket_is_always_ready_starves_nobody() {
    live_beside(|| {
        task::spawn(async {
            let socket = parklet::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let itself = socket.local_addr().unwrap();
            let mut buffer = [0; 8];
            loop {
                socket.send_to(b"x", itself).await.unwrap();
                socket.recv_from(&mut buffer).await.unwrap();
            }
        })
        .detach();
    });
}

#[test]
fn the_budget_of_a_poll_is_counted_in_operations() {
    let _watchdog = watchdog();
    task::block_on(async {
        let (sender, receiver) = channel::unbounded();
        for number in 0..10_000 {
            sender.try_send(number).unwrap();
        }
        let turns = Rc::new(Cell::new(0));
        let neighbour = task::spawn_local({
            let turns = Rc::clone(&turns);
            async move {
                loop {
                    turns.set(turns.get() + 1);
                    task::yield_now().await;
                }
            }
        });
        let reader = task::spawn_local(async move {
            for number in 0..10_000 {
                assert_eq!(receiver.recv().await, Ok(number));
            }
        });
        reader.await;
        neighbour.abort();
        // 128 a poll.
        assert!((50..200).contains(&turns.get()), "{}", turns.get());
    });
}

#[test]
fn reads_and_jumps_in_a_file_are_counted_too() {
    let _watchdog = watchdog();
    task::block_on(async {
        let mut file = File::open("Cargo.toml").await.unwrap();
        let mut byte = [0];
        file.read_exact(&mut byte).await.unwrap();
        let turns = Rc::new(Cell::new(0));
        let neighbour = task::spawn_local({
            let turns = Rc::clone(&turns);
            async move {
                loop {
                    turns.set(turns.get() + 1);
                    task::yield_now().await;
                }
            }
        });
        let reader = task::spawn_local(async move {
            for _ in 0..5_000 {
                // Back to the byte that was read, which needs no job.
                assert_eq!(file.seek(SeekFrom::Current(-1)).await.unwrap(), 0);
                file.read_exact(&mut byte).await.unwrap();
            }
        });
        reader.await;
        neighbour.abort();
        // 128 a poll.
        assert!((50..200).contains(&turns.get()), "{}", turns.get());
    });
}

#[test]
fn a_block_on_that_is_always_ready_lets_its_thread_drive() {
    let _watchdog = watchdog();
    // One thread, in a process of its own: nobody else looks for events.
    common::in_own_process(&[], || {
        task::block_on(async {
            let woken = Rc::new(Cell::new(false));
            task::spawn_local({
                let woken = Rc::clone(&woken);
                async move {
                    task::sleep(Duration::from_millis(1)).await;
                    woken.set(true);
                }
            })
            .detach();
            while !woken.get() {
                task::yield_now().await;
            }
        });
    });
}

#[test]
fn a_yield_is_one_turn_and_no_more() {
    let _watchdog = watchdog();
    let log = common::Log::default();
    task::block_on(async {
        let tasks = ["a", "b"].map(|name| {
            let log = log.clone();
            task::spawn_local(async move {
                for turn in 0..3 {
                    log.add(format!("{name}{turn}"));
                    task::yield_now().await;
                }
            })
        });
        for task in tasks {
            task.await;
        }
    });
    log.expect(["a0", "b0", "a1", "b1", "a2", "b2"]);
}
