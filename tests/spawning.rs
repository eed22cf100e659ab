//! The pool: how many threads it has, what happens where there are none to be had, and that it starts when it is needed.

mod common;

use common::own_process::{again, again_under_limit, finish, listen, say};
use common::{Event, in_own_process, panic_message, thread_names, watchdog, with_workers};
use parklet::task;
use std::ffi::OsString;
use std::future::ready;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStringExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

/// The workers' names, and those of the threads that helped out.
fn pool_threads() -> Vec<String> {
    let mut names = thread_names();
    names.retain(|name| {
        name.strip_prefix("parklet-")
            .is_some_and(|number| number.parse::<u32>().is_ok())
    });
    names
}

/// Starts a pool in a process of its own and counts its threads.
fn count_workers(test: &str, setting: Option<&str>) -> Option<usize> {
    let mut process = again(test)?;
    process.env_remove("PARKLET_THREADS");
    if let Some(setting) = setting {
        process.env("PARKLET_THREADS", setting);
    }
    let said = listen(process.spawn().unwrap());
    Some(said[0].parse().unwrap())
}

#[test]
fn parklet_threads_says_how_many_workers_there_are() {
    let test = "parklet_threads_says_how_many_workers_there_are";
    let cores = thread::available_parallelism().unwrap().get();
    for (setting, workers) in [
        (None, cores),
        (Some("1"), 1),
        (Some("3"), 3),
        (Some("20"), 20),
    ] {
        // On a busy machine a thread that helps out may come on top, but not every time.
        let mut counts = Vec::new();
        while counts.last() != Some(&workers) {
            let Some(count) = count_workers(test, setting) else {
                task::block_on(task::spawn(ready(())));
                let expected =
                    std::env::var("PARKLET_THREADS").map_or(cores, |n| n.parse().unwrap());
                while pool_threads().len() < expected {
                    // A thread gives itself its name.
                    thread::yield_now();
                }
                return say(pool_threads().len());
            };
            counts.push(count);
            assert!(
                counts.len() < 20,
                "{setting:?}: {counts:?} workers, not {workers}"
            );
        }
    }
}

#[test]
fn a_bad_number_of_threads_is_refused_and_quoted() {
    let test = "a_bad_number_of_threads_is_refused_and_quoted";
    let bad = [
        "0",
        "-1",
        "two",
        "",
        " ",
        "1025",
        "1.5",
        "99999999999999999999",
    ]
    .map(OsString::from);
    let not_text = OsString::from_vec(vec![b'4', 0xff]);
    for setting in bad.into_iter().chain([not_text]) {
        let Some(mut process) = again(test) else {
            let setting = std::env::var_os("PARKLET_THREADS").unwrap();
            let expected = format!(
                "cannot start the worker threads: PARKLET_THREADS is {setting:?}: expected a whole number from 1 to 1024"
            );
            for _ in 0..2 {
                let error = task::Builder::new().spawn(ready(())).unwrap_err();
                assert_eq!(
                    (error.kind(), error.to_string()),
                    (ErrorKind::InvalidInput, expected.clone())
                );
                let payload = catch_unwind(|| task::spawn(ready(()))).unwrap_err();
                assert_eq!(panic_message(&*payload), expected);
            }
            // What needs no worker works.
            assert_eq!(
                task::block_on(async { task::spawn_local(ready(7)).await }),
                7
            );
            assert_eq!(pool_threads(), [""; 0]);
            return;
        };
        process
            .env("PARKLET_THREADS", setting)
            .stderr(Stdio::null());
        finish(process.spawn().unwrap());
    }
}

#[test]
fn the_pool_starts_with_the_first_spawn_and_once() {
    in_own_process(&[("PARKLET_THREADS", "2")], || {
        let before = thread_names();
        task::block_on(async {
            task::yield_now().await;
            task::spawn_local(task::yield_now()).await;
        });
        assert_eq!(thread_names(), before);
        // By many threads at once.
        let all_there = Barrier::new(8);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    all_there.wait();
                    assert_eq!(task::block_on(task::spawn(ready(7))), 7);
                });
            }
        });
        let patience = Instant::now() + Duration::from_secs(10);
        let firsts = || {
            let names = pool_threads();
            names.iter().filter(|name| *name == "parklet-0").count()
        };
        // A thread that a worker starts, the watcher, has the worker's name until it gives itself its own.
        while firsts() > 1 {
            assert!(Instant::now() < patience, "{:?}", pool_threads());
            thread::yield_now();
        }
    });
}

#[test]
fn tasks_are_spawned_from_outside_from_tasks_and_while_a_thread_ends() {
    with_workers([1, 2, 8], || {
        // Nobody is in a `block_on`.
        let handles: Vec<_> = (0..100).map(|number| task::spawn(ready(number))).collect();
        while !handles.iter().all(task::JoinHandle::is_finished) {
            thread::yield_now();
        }
        let sum = task::block_on(async {
            let mut sum = 0;
            for handle in handles {
                sum += handle.await;
            }
            sum
        });
        assert_eq!(sum, 4950);
        // From a task, each of which spawns two more.
        fn tree(depth: u32) -> task::JoinHandle<u32> {
            task::spawn(async move {
                match depth {
                    0 => 1,
                    _ => {
                        let (left, right) = (tree(depth - 1), tree(depth - 1));
                        left.await + right.await
                    }
                }
            })
        }
        assert_eq!(task::block_on(tree(10)), 1024);
        // From the destructor of a thread-local.
        thread_local! {
            static LAST: common::OnDrop<fn()> = const {
                common::OnDrop(|| assert_eq!(task::block_on(task::spawn(ready(7))), 7))
            };
        }
        thread::spawn(|| LAST.with(|_| task::block_on(task::spawn(ready(())))))
            .join()
            .unwrap();
    });
}

/// Takes so much of the address space that no thread's stack fits in any more.
fn hoard() -> Vec<Vec<u8>> {
    let mut hoard = Vec::with_capacity(4096);
    loop {
        let mut chunk: Vec<u8> = Vec::new();
        if chunk.try_reserve_exact(1 << 20).is_err() {
            // A little is left for everything else.
            hoard.pop();
            return hoard;
        }
        hoard.push(chunk);
    }
}

#[test]
fn without_a_single_thread_spawn_says_so_and_works_later() {
    let test = "without_a_single_thread_spawn_says_so_and_works_later";
    let Some(mut process) = again_under_limit(test, "-v 1000000") else {
        let _watchdog = watchdog();
        let hoard = hoard();
        let error = task::Builder::new().spawn(ready(())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        assert_eq!(
            error.to_string(),
            "cannot start worker thread parklet-0: Resource temporarily unavailable (os error 11)"
        );
        let payload = catch_unwind(|| task::spawn(ready(()))).unwrap_err();
        assert!(panic_message(&*payload).starts_with("cannot start worker thread parklet-"));
        assert_eq!(task::block_on(ready(7)), 7);
        drop(hoard);
        return assert_eq!(task::block_on(task::spawn(ready(7))), 7);
    };
    process
        .env("PARKLET_THREADS", "1")
        .env("MALLOC_ARENA_MAX", "1")
        .stderr(Stdio::null());
    finish(process.spawn().unwrap());
}

#[test]
fn with_fewer_threads_than_asked_for_the_pool_works() {
    let test = "with_fewer_threads_than_asked_for_the_pool_works";
    let Some(mut process) = again_under_limit(test, "-v 1000000") else {
        let _watchdog = watchdog();
        let tasks: Vec<_> = (0..100)
            .map(|number| {
                task::spawn(async move {
                    task::yield_now().await;
                    task::sleep(std::time::Duration::from_millis(1)).await;
                    number
                })
            })
            .collect();
        task::block_on(async {
            for (number, task) in tasks.into_iter().enumerate() {
                assert_eq!(task.await, number);
            }
        });
        let workers = pool_threads().len();
        return assert!((1..20).contains(&workers), "{workers}");
    };
    // Stacks so large that few fit in, and that what is left when one does not is enough for everything else.
    process
        .env("PARKLET_THREADS", "1024")
        .env("RUST_MIN_STACK", (64 << 20).to_string())
        .env("MALLOC_ARENA_MAX", "1")
        .stderr(Stdio::null());
    finish(process.spawn().unwrap());
}

#[test]
fn without_a_spare_thread_a_worker_that_blocks_on_serves_its_queue_itself() {
    fn nest(depth: u32) -> u32 {
        task::block_on(task::spawn(async move {
            task::sleep(std::time::Duration::from_millis(1)).await;
            match depth {
                0 => 7,
                _ => nest(depth - 1),
            }
        }))
    }
    let test = "without_a_spare_thread_a_worker_that_blocks_on_serves_its_queue_itself";
    let Some(mut process) = again_under_limit(test, "-v 1000000") else {
        let _watchdog = watchdog();
        task::block_on(task::spawn(ready(())));
        let hoard = hoard();
        for _ in 0..5 {
            assert_eq!(nest(5), 7);
        }
        drop(hoard);
        return assert_eq!(nest(5), 7);
    };
    process
        .env("PARKLET_THREADS", "1")
        .env("MALLOC_ARENA_MAX", "1")
        .stderr(Stdio::null());
    finish(process.spawn().unwrap());
}

/// Counts 100 tasks, of which some spawn others.
fn spawn_and_count(counted: &Arc<AtomicUsize>, all: &Event) {
    for number in 0..50 {
        let (counted, all) = (Arc::clone(counted), all.clone());
        let count = move || {
            if counted.fetch_add(1, Ordering::Relaxed) + 1 == 100 {
                all.set();
            }
        };
        task::spawn(async move {
            if number % 2 == 0 {
                task::yield_now().await;
            }
            count();
            task::spawn(async move { count() }).detach();
        })
        .detach();
    }
}

#[test]
fn what_a_block_on_leaves_behind_is_run_by_others() {
    with_workers([1, 2, 8], || {
        let (counted, all) = (Arc::default(), Event::default());
        task::block_on(async { spawn_and_count(&counted, &all) });
        all.block();
        // Once more, with a few turns here before it ends.
        let (counted, all) = (Arc::default(), Event::default());
        task::block_on(async {
            spawn_and_count(&counted, &all);
            task::yield_now().await;
            task::yield_now().await;
        });
        all.block();
    });
}

#[test]
fn what_a_block_on_leaves_behind_in_a_panic_is_run_by_others() {
    with_workers([1, 2, 8], || {
        let (counted, all) = (Arc::default(), Event::default());
        let ends = catch_unwind(AssertUnwindSafe(|| {
            task::block_on(async {
                spawn_and_count(&counted, &all);
                task::yield_now().await;
                panic!("ends here")
            })
        }));
        assert!(ends.is_err());
        all.block();
        task::block_on(async { task::spawn(ready(())).await });
    });
}

/// Many threads in `block_on`s of their own share the seats, fewer than there are threads.
#[test]
fn callers_share_the_seats() {
    with_workers([1, 2, 8], || {
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        task::block_on(async {
                            let tasks: Vec<_> = (0..20)
                                .map(|number| {
                                    task::spawn(async move {
                                        task::yield_now().await;
                                        task::spawn(ready(number)).await
                                    })
                                })
                                .collect();
                            let mut sum = 0;
                            for task in tasks {
                                sum += task.await;
                            }
                            assert_eq!(sum, 190);
                        });
                    }
                });
            }
        });
    });
}

#[test]
fn a_task_that_a_block_on_awaits_and_nothing_else_runs_on_its_thread() {
    with_workers([1, 2, 8], || {
        let here = thread::current().id();
        let ran_here = || {
            let thread = async { thread::current().id() };
            task::block_on(async { task::spawn(thread).await }) == here
        };
        // A worker that was taken off its core as it woke up, or the watcher, may be quicker for a while. Were it so always,
        // this would not end.
        while (0..100).filter(|_| ran_here()).count() <= 50 {}
    });
}
