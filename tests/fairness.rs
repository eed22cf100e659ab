//! Nobody starves: not beside tasks that wake each other for ever, not beside one that yields or is always ready.
//!
//! Each test has an endless neighbour, and one worker or one thread to share with it. What must get its turn ends the
//! test. Should the worker shut it out, the watcher would help sooner or later; so where turns are promised, they are
//! counted.

mod common;

use common::{Event, watchdog, with_workers};
use parklet::io::{ReadExt, WriteExt};
use parklet::net::{TcpListener, TcpStream};
use parklet::sync::Mutex;
use parklet::{channel, task};
use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Waker};
use std::time::Duration;

/// What the endless neighbours must let live: a task, a spawn from outside, a timer and a socket.
async fn ordinary_life() {
    for _ in 0..20 {
        task::yield_now().await;
    }
    task::spawn(async { task::yield_now().await }).await;
    task::sleep(Duration::from_millis(1)).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = task::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut text = [0; 4];
        stream.read_exact(&mut text).await.unwrap();
        stream.write_all(&text).await.unwrap();
    });
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"ping").await.unwrap();
    let mut text = [0; 4];
    stream.read_exact(&mut text).await.unwrap();
    assert_eq!(&text, b"ping");
    server.await;
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
type Turns = Arc<AtomicUsize>;

/// How many turns the neighbours have from one turn of a task to its next, and from a spawn outside to its start. Both
/// are medians: now and then the system takes a thread off its core for thousands of turns.
fn turns_between(neighbours: &Turns) -> (usize, usize) {
    fn median(mut counts: Vec<usize>) -> usize {
        counts.sort_unstable();
        counts[counts.len() / 2]
    }
    let turns = Arc::clone(neighbours);
    let between = task::block_on(task::spawn(async move {
        let mut counts = Vec::new();
        for _ in 0..51 {
            let before = turns.load(Ordering::Relaxed);
            task::yield_now().await;
            counts.push(turns.load(Ordering::Relaxed) - before);
        }
        median(counts)
    }));
    let until_start = (0..51).map(|_| {
        let turns = Arc::clone(neighbours);
        let before = turns.load(Ordering::Relaxed);
        task::block_on(task::spawn(async move {
            turns.load(Ordering::Relaxed) - before
        }))
    });
    (between, median(until_start.collect()))
}

/// Where a task leaves its waker for another one.
#[derive(Default)]
struct WakerPlace(std::sync::Mutex<Option<Waker>>);

impl WakerPlace {
    fn put(&self, waker: &Waker) {
        let replaced = self.0.lock().unwrap().replace(waker.clone());
        drop(replaced);
    }

    fn wake(&self) {
        let waker = self.0.lock().unwrap().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

#[test]
fn two_tasks_that_wake_each_other_for_ever_starve_nobody() {
    with_workers([1], || {
        let turns = Turns::default();
        let places: [Arc<WakerPlace>; 2] = Default::default();
        for (own, other) in [(0, 1), (1, 0)] {
            let [own, other] = [own, other].map(|index: usize| Arc::clone(&places[index]));
            let turns = Arc::clone(&turns);
            task::spawn(poll_fn(move |cx| {
                turns.fetch_add(1, Ordering::Relaxed);
                own.put(cx.waker());
                other.wake();
                Poll::<()>::Pending
            }))
            .detach();
        }
        let (between, until_start) = turns_between(&turns);
        assert!(turns.load(Ordering::Relaxed) > 0);
        assert!(between <= 20, "{between} turns of others before the next");
        assert!(
            until_start <= 1000,
            "{until_start} turns of others before the first"
        );
        task::block_on(task::spawn(ordinary_life()));
        task::block_on(ordinary_life());
    });
}

#[test]
fn tasks_that_yield_for_ever_starve_nobody() {
    with_workers([1], || {
        let turns = Turns::default();
        for _ in 0..3 {
            let turns = Arc::clone(&turns);
            task::spawn(async move {
                loop {
                    turns.fetch_add(1, Ordering::Relaxed);
                    task::yield_now().await;
                }
            })
            .detach();
        }
        let (between, until_start) = turns_between(&turns);
        assert!(between <= 20, "{between} turns of others before the next");
        assert!(
            until_start <= 1000,
            "{until_start} turns of others before the first"
        );
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
            let mutex = Mutex::new(0_u64);
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
