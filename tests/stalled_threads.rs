//! Nothing waits for a thread that stands still: not the tasks it spawned or woke, not its neighbours, not the reactor.
//!
//! Tasks here block their threads as they should not, in calls that only another task can end. With the promise broken
//! such a test hangs, and the watchdog tells which.

mod common;

use common::{Event, poll_once, serve_and_ask, with_workers};
use parklet::future;
use parklet::reactor::Async;
use parklet::task::{self, Poll};
use std::future::poll_fn;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};
use waker_fn::waker_fn;

/// Spawns a task and blocks the thread until the task has run.
fn spawn_and_block() {
    let (sender, receiver) = mpsc::channel();
    task::spawn(async move { sender.send(()) }).detach();
    receiver.recv().unwrap();
}

#[test]
fn a_task_starts_though_the_block_on_that_spawned_it_blocks() {
    with_workers([1, 2, 8], || task::block_on(async { spawn_and_block() }));
}

/// The other way round: the task waits for the future that spawned it, which has to go on though it is the last thing that
/// its thread would come to if it ran the task.
#[test]
fn a_block_on_goes_on_though_the_task_it_spawned_blocks() {
    with_workers([1, 2, 8], || {
        task::block_on(async {
            let (sender, receiver) = mpsc::channel();
            let started = Event::default();
            let blocks = task::spawn({
                let started = started.clone();
                async move {
                    started.set();
                    receiver.recv().unwrap();
                }
            });
            started.wait().await;
            task::sleep(Duration::from_millis(1)).await;
            sender.send(()).unwrap();
            blocks.await;
        });
    });
}

#[test]
fn a_block_on_that_awaits_a_task_and_more_goes_on_though_the_task_blocks() {
    with_workers([1, 2, 8], || {
        task::block_on(async {
            let (sender, receiver) = mpsc::channel();
            let mut blocks = task::spawn(async move { receiver.recv().unwrap() });
            let in_time = future::timeout(Duration::from_millis(1), &mut blocks).await;
            assert!(in_time.is_err());
            sender.send(()).unwrap();
            blocks.await;
        });
    });
}

#[test]
fn the_local_tasks_of_a_block_on_go_on_though_the_task_it_awaits_blocks() {
    with_workers([1, 2, 8], || {
        task::block_on(async {
            let (sender, receiver) = mpsc::channel();
            let local = task::spawn_local(async move {
                task::sleep(Duration::from_millis(1)).await;
                sender.send(()).unwrap();
            });
            task::spawn(async move { receiver.recv().unwrap() }).await;
            local.await;
        });
    });
}

#[test]
fn a_task_starts_though_the_task_that_spawned_it_blocks() {
    with_workers([1, 2, 8], || {
        task::block_on(task::spawn(async { spawn_and_block() }));
    });
}

#[test]
fn a_task_starts_though_a_local_task_on_a_worker_spawned_it_and_blocks() {
    with_workers([1, 2, 8], || {
        task::block_on(task::spawn(async {
            task::spawn_local(async { spawn_and_block() }).await;
        }));
    });
}

#[test]
fn a_task_starts_though_its_spawner_keeps_spawning_and_never_pauses() {
    with_workers([1, 2], || {
        task::block_on(task::spawn(async {
            let started = Arc::new(AtomicBool::new(false));
            while !started.load(Ordering::Acquire) {
                let started = Arc::clone(&started);
                task::spawn(async move { started.store(true, Ordering::Release) }).detach();
            }
        }));
    });
}

#[test]
fn a_task_goes_on_though_the_task_that_woke_it_blocks() {
    with_workers([1, 2, 8], || {
        let (call, started) = (Event::default(), Event::default());
        let (sender, receiver) = mpsc::channel();
        task::spawn({
            let (call, started) = (call.clone(), started.clone());
            async move {
                started.set();
                call.wait().await;
                sender.send(())
            }
        })
        .detach();
        task::block_on(task::spawn(async move {
            started.wait().await;
            call.set();
            receiver.recv().unwrap();
        }));
    });
}

#[test]
fn a_task_that_yielded_goes_on_though_its_neighbour_blocks() {
    with_workers([1, 2], || {
        let (sender, receiver) = mpsc::channel();
        let yielded = Event::default();
        let yielder = task::spawn({
            let yielded = yielded.clone();
            async move {
                for _ in 0..100 {
                    task::yield_now().await;
                    yielded.set();
                }
                sender.send(())
            }
        });
        task::block_on(task::spawn(async move {
            yielded.wait().await;
            receiver.recv().unwrap();
        }));
        task::block_on(yielder).unwrap();
    });
}

/// While a `block_on` waits for a task and nothing else, it may run the task itself.
#[test]
fn a_block_on_goes_on_though_the_task_it_no_longer_awaits_blocks() {
    with_workers([1, 2, 8], || {
        task::block_on(task::spawn(async {}));
        for _ in 0..20 {
            let (sender, receiver) = mpsc::channel();
            task::block_on(async {
                let task = task::spawn(async move { receiver.recv().unwrap() });
                let _ = future::timeout(Duration::ZERO, task).await;
                // What wakes the future now is in the very place where the task's handle was.
                task::sleep(Duration::from_millis(1)).await;
                sender.send(()).unwrap();
            });
        }
    });
}

/// A task that yields and has no neighbour is run next by its own thread, so nobody else is told of it; but a local task of
/// that thread comes first.
#[test]
fn a_task_that_yielded_goes_on_though_a_local_task_of_its_thread_blocks() {
    with_workers([1, 2, 8], || {
        task::block_on(task::spawn(async {
            // Until the watcher, had it nothing to see all the while, would be asleep.
            thread::sleep(Duration::from_millis(20));
            let (sender, receiver) = mpsc::channel();
            task::spawn_local(async move { receiver.recv().unwrap() }).detach();
            task::yield_now().await;
            sender.send(()).unwrap();
        }));
    });
}

#[test]
fn a_chain_of_tasks_each_blocked_on_the_next_ends() {
    fn link(left: u32) {
        if left > 0 {
            let (sender, receiver) = mpsc::channel();
            task::spawn(async move {
                link(left - 1);
                sender.send(())
            })
            .detach();
            receiver.recv().unwrap();
        }
    }
    with_workers([1, 2, 8], || {
        task::block_on(task::spawn(async { link(20) }));
    });
}

#[test]
fn blocked_tasks_get_a_thread_each_until_all_have_met() {
    const TASKS: usize = 20;
    with_workers([1, 2, 8], || {
        let all_there = Arc::new(Barrier::new(TASKS));
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| {
                let all_there = Arc::clone(&all_there);
                task::spawn(async move { all_there.wait().is_leader() })
            })
            .collect();
        task::block_on(async {
            let mut leaders = 0;
            for task in tasks {
                leaders += usize::from(task.await);
            }
            assert_eq!(leaders, 1);
        });
    });
}

/// Holds up every worker, by computing or by blocking, until the result is set; returns when they are all held up.
fn hold_up_workers(workers: usize, compute: bool) -> Event {
    let end = Event::default();
    // More than workers, so that none of them finds anything else to do.
    let all_there = Arc::new(Barrier::new(workers + 2));
    for _ in 0..=workers {
        let (end, all_there) = (end.clone(), Arc::clone(&all_there));
        task::spawn(async move {
            all_there.wait();
            if !compute {
                end.block();
            }
            while !end.is_set() {
                std::hint::spin_loop();
            }
        })
        .detach();
    }
    all_there.wait();
    end
}

/// Timers, sockets, spawning and waking: what others should go on doing.
async fn ordinary_life() {
    task::sleep(Duration::from_millis(1)).await;
    serve_and_ask(task::sleep(Duration::from_millis(1))).await;
}

#[test]
fn timers_sockets_and_tasks_go_on_while_every_worker_blocks() {
    for workers in [1, 2, 8] {
        with_workers([workers], || {
            let end = hold_up_workers(workers, false);
            // Here, on a thread that has no part in the pool, and in the pool.
            task::block_on(ordinary_life());
            task::block_on(task::spawn(ordinary_life()));
            end.set();
        });
    }
}

#[test]
fn timers_sockets_and_tasks_go_on_while_every_worker_computes() {
    for workers in [1, 2] {
        with_workers([workers], || {
            let end = hold_up_workers(workers, true);
            task::block_on(ordinary_life());
            task::block_on(task::spawn(ordinary_life()));
            end.set();
        });
    }
}

/// While all workers are held up and nothing else happens, the watcher is who waits for the kernel. A busy `block_on`
/// looks for events now and then; where the two met, the watcher went to sleep for good.
#[test]
fn a_busy_block_on_does_not_drive_the_last_driver_away() {
    with_workers([1], || {
        let end = hold_up_workers(1, false);
        for _ in 0..20 {
            task::block_on(async {
                // Rouses the watcher, which comes to rest again some 10 ms later, while this thread is busy.
                task::spawn(async {}).await;
                let start = Instant::now();
                while start.elapsed() < Duration::from_millis(12) {
                    task::yield_now().await;
                }
                task::sleep(Duration::from_millis(1)).await;
            });
        }
        end.set();
    });
}

/// A worker that drove wakes a batch of tasks without calling for help. Here the batch, who waits for one socket, begins
/// with a waker that takes its time, and goes on with a task that blocks until the last of the batch has run.
#[test]
fn the_rest_of_a_batch_of_events_is_run_though_the_first_blocks() {
    async fn wait(socket: &Async<UnixStream>, waits: &Event) {
        let mut readable = pin!(socket.readable());
        assert!(poll_fn(|cx| Poll::Ready(readable.as_mut().poll(cx).is_pending())).await);
        waits.set();
        readable.await.unwrap();
    }
    with_workers([1, 2], || {
        let (socket, mut peer) = UnixStream::pair().unwrap();
        let socket = Arc::new(Async::new(socket).unwrap());
        let dallying = waker_fn(|| {
            // Until the watcher has come to rest.
            thread::sleep(Duration::from_millis(30));
        });
        let mut readable = pin!(socket.readable());
        task::block_on(async {
            assert!(poll_once(readable.as_mut(), &dallying).is_pending());
        });
        let (sender, receiver) = mpsc::channel();
        let (first_waits, last_waits) = (Event::default(), Event::default());
        let first = task::spawn({
            let (socket, first_waits) = (Arc::clone(&socket), first_waits.clone());
            async move {
                wait(&socket, &first_waits).await;
                receiver.recv()
            }
        });
        first_waits.block();
        let last = task::spawn({
            let (socket, last_waits) = (Arc::clone(&socket), last_waits.clone());
            async move {
                wait(&socket, &last_waits).await;
                sender.send(())
            }
        });
        last_waits.block();
        peer.write_all(b"x").unwrap();
        task::block_on(first).unwrap();
        task::block_on(last).unwrap();
    });
}

/// A thread that gave its seat away waits for another errand, and runs the local tasks that live on it meanwhile. One of
/// these blocks just when somebody is needed to take a seat.
#[test]
fn tasks_go_on_though_a_local_task_blocks_the_thread_that_would_take_a_seat() {
    with_workers([1, 2], || {
        let (blocked, end, go) = (Event::default(), Event::default(), Event::default());
        task::block_on(task::spawn({
            let (blocked, end, go) = (blocked.clone(), end.clone(), go.clone());
            async move {
                task::spawn_local(async move {
                    go.wait().await;
                    blocked.set();
                    end.block();
                })
                .detach();
                // Another thread takes the seat, and this one comes back without.
                task::block_on(task::spawn(async {}));
            }
        }));
        go.set();
        blocked.block();
        task::block_on(task::spawn(async {
            task::block_on(ordinary_life());
        }));
        task::block_on(ordinary_life());
        end.set();
    });
}
