//! The runtime's numbers are true. Each test has a process of its own, since the numbers are the process's.

mod common;

use common::in_own_process;
use parklet::runtime::{Metrics, metrics};
use parklet::task;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

/// Waits until the numbers are so; the test's watchdog says if they never are.
fn wait_for(is_so: impl Fn(&Metrics) -> bool) -> Metrics {
    loop {
        let metrics = metrics();
        if is_so(&metrics) {
            return metrics;
        }
        thread::yield_now();
    }
}

#[test]
fn before_anything_is_spawned_there_is_nothing() {
    in_own_process(&[], || {
        assert_eq!(metrics(), Metrics::default());
        task::block_on(task::yield_now());
        assert_eq!(metrics(), Metrics::default());
    });
}

#[test]
fn workers_are_busy_poll_and_go_to_sleep() {
    in_own_process(&[("PARKLET_THREADS", "2")], || {
        let (sender, receiver) = mpsc::channel();
        // Awaited by nobody, so that it is polled by workers alone.
        task::spawn(async move {
            for _ in 0..100 {
                task::yield_now().await;
            }
            sender.send(metrics()).unwrap();
        })
        .detach();
        let inside = receiver.recv().unwrap();
        assert_eq!(inside.workers, 2);
        assert!(inside.busy_workers <= 2, "{inside:?}");
        let after = wait_for(|metrics| metrics.busy_workers == 0 && metrics.parks >= 2);
        // One for each of them, and the last.
        assert_eq!(after.polls, 101, "{after:?}");
        assert_eq!(after.queued_tasks, 0);

        let busy = task::spawn(async {
            loop {
                task::yield_now().await;
            }
        });
        wait_for(|metrics| metrics.busy_workers == 1);
        busy.abort();
        wait_for(|metrics| metrics.busy_workers == 0);
    });
}

#[test]
fn tasks_that_wait_for_a_worker_are_counted_wherever_they_are() {
    in_own_process(&[("PARKLET_THREADS", "1")], || {
        let (sender, receiver) = mpsc::channel();
        task::spawn(async move {
            // The watcher finds help for a worker that stands still: then there are fewer, and it is tried again.
            loop {
                let tasks: Vec<_> = (0..5).map(|_| task::spawn(async {})).collect();
                // And one from outside the pool.
                let outside = thread::spawn(|| task::spawn(async {})).join().unwrap();
                let queued = metrics().queued_tasks;
                for task in tasks {
                    task.await;
                }
                outside.await;
                assert!(queued <= 6, "{queued}");
                if queued == 6 {
                    break;
                }
            }
            sender.send(()).unwrap();
        })
        .detach();
        receiver.recv().unwrap();
        wait_for(|metrics| metrics.queued_tasks == 0);
    });
}

#[test]
fn what_a_worker_takes_of_another_one_is_counted() {
    in_own_process(&[("PARKLET_THREADS", "2")], || {
        task::block_on(task::spawn(async {
            while metrics().steals == 0 {
                let (sender, receiver) = mpsc::channel();
                for _ in 0..2 {
                    let sender = sender.clone();
                    task::spawn(async move { sender.send(()).unwrap() }).detach();
                }
                // Blocks its thread, so that another one has to come for them.
                receiver.recv().unwrap();
                task::yield_now().await;
            }
        }));
    });
}

#[test]
fn blocking_calls_and_their_threads_are_counted() {
    in_own_process(&[], || {
        const THREADS: usize = 512;
        let (end, ended) = mpsc::channel::<()>();
        let ended = Arc::new(Mutex::new(ended));
        let calls: Vec<_> = (0..THREADS + 3)
            .map(|_| {
                let ended = Arc::clone(&ended);
                task::spawn_blocking(move || ended.lock().unwrap().recv().unwrap_err())
            })
            .collect();
        let all = wait_for(|metrics| metrics.queued_blocking_calls == 3);
        assert_eq!(all.blocking_threads, THREADS);
        assert_eq!(all.idle_blocking_threads, 0);
        drop(end);
        task::block_on(async {
            for call in calls {
                call.await;
            }
        });
        let idle = wait_for(|metrics| metrics.idle_blocking_threads == metrics.blocking_threads);
        assert_eq!(idle.queued_blocking_calls, 0);
        assert_eq!(idle.workers, 0);
    });
}
