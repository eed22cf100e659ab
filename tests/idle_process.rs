//! A process that has nothing to do does nothing, and one that is told to end, ends.

mod common;

use common::own_process::{again, finish};
use common::{Event, in_own_process, thread_names, with_workers};
use parklet::io::{ReadExt, WriteExt};
use parklet::net::{TcpListener, TcpStream, UdpSocket};
use parklet::task;
use std::collections::BTreeMap;
use std::fs;
use std::future::pending;
use std::thread;
use std::time::{Duration, Instant};

/// A little of everything that makes the reactor work.
async fn traffic() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut text = [0; 4];
        stream.read_exact(&mut text).await.unwrap();
        task::sleep(Duration::from_millis(1)).await;
        stream.write_all(&text).await.unwrap();
    };
    let client = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"ping").await.unwrap();
        let mut text = [0; 4];
        stream.read_exact(&mut text).await.unwrap();
        assert_eq!(&text, b"ping");
    };
    futures_lite::future::zip(server, client).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket
        .send_to(b"x", socket.local_addr().unwrap())
        .await
        .unwrap();
    socket.recv_from(&mut [0; 8]).await.unwrap();
}

#[test]
fn a_program_that_never_spawns_has_one_thread() {
    in_own_process(&[], || {
        // The test harness has some of its own.
        let before = thread_names();
        task::block_on(async {
            traffic().await;
            let local = task::spawn_local(traffic());
            let sleeps = parklet::future::timeout(Duration::from_millis(5), pending::<()>());
            assert!(sleeps.await.is_err());
            local.await;
            task::block_on(traffic());
            assert_eq!(thread_names(), before);
        });
        assert_eq!(thread_names(), before);
    });
}

/// What the kernel's books say of each thread but this one: time on a core, time in line for one, turns, and switches.
fn activity() -> BTreeMap<String, String> {
    let own = fs::read_link("/proc/thread-self").unwrap();
    let own = own.file_name().unwrap().to_str().unwrap().to_owned();
    fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(|entry| {
            let entry = entry.unwrap();
            let thread = entry.file_name().into_string().unwrap();
            let read = |file: &str| fs::read_to_string(entry.path().join(file)).ok();
            let status = read("status")?;
            let switches = status.lines().filter(|line| line.contains("ctxt_switches"));
            // Not every kernel keeps the first.
            let schedstat = read("schedstat").unwrap_or_default();
            let books = format!("{schedstat}{}", switches.collect::<Vec<_>>().join(" "));
            (thread != own).then_some((thread, books))
        })
        .collect()
}

/// Waits until no thread of the process has been on a core for two seconds; fails if that does not come.
fn expect_idleness() {
    // Threads that nobody needs any more end after ten seconds.
    let patience = Instant::now() + Duration::from_secs(30);
    let mut before = activity();
    loop {
        thread::sleep(Duration::from_secs(2));
        let after = activity();
        if before == after {
            return;
        }
        assert!(Instant::now() < patience, "{before:#?}\n{after:#?}");
        before = after;
    }
}

#[test]
fn after_traffic_an_idle_process_does_nothing() {
    with_workers([1, 2, 8], || {
        let tasks: Vec<_> = (0..50).map(|_| task::spawn(traffic())).collect();
        task::block_on(async {
            for task in tasks {
                task.await;
            }
            // Nested, so that there are spare threads too, and helped out, so that there is a watcher.
            task::spawn(async { task::block_on(task::spawn(traffic())) }).await;
            let blocked = Event::default();
            let ends = blocked.clone();
            task::spawn(async move {
                task::spawn(async move { ends.set() }).detach();
                blocked.block();
            })
            .await;
        });
        // What waits, costs nothing: tasks, local tasks, sockets, and timers that are not due.
        for _ in 0..10 {
            task::spawn(pending::<()>()).detach();
            task::spawn(task::sleep(Duration::from_secs(3600))).detach();
            task::spawn(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                listener.accept().await.unwrap();
            })
            .detach();
        }
        let waits = thread::spawn(|| {
            task::block_on(async {
                task::spawn_local(pending::<()>()).detach();
                task::sleep(Duration::from_secs(3600)).await;
            });
        });
        expect_idleness();
        // And it still works.
        task::block_on(task::spawn(traffic()));
        drop(waits);
    });
}

#[test]
fn a_process_whose_only_worker_is_blocked_is_idle_too() {
    with_workers([1], || {
        let (end, started) = (Event::default(), Event::default());
        task::spawn({
            let (end, started) = (end.clone(), started.clone());
            async move {
                started.set();
                end.block();
            }
        })
        .detach();
        started.block();
        task::block_on(traffic());
        task::spawn(pending::<()>()).detach();
        expect_idleness();
        task::block_on(traffic());
        end.set();
    });
}

#[test]
fn a_block_on_that_waits_is_idle_too() {
    in_own_process(&[], || {
        let end = Event::default();
        let waits = thread::spawn({
            let end = end.clone();
            move || {
                task::block_on(async {
                    traffic().await;
                    task::spawn_local(task::sleep(Duration::from_secs(3600))).detach();
                    end.wait().await;
                });
            }
        });
        expect_idleness();
        end.set();
        waits.join().unwrap();
    });
}

#[test]
fn the_process_ends_though_tasks_do_not() {
    let test = "the_process_ends_though_tasks_do_not";
    for workers in ["1", "2"] {
        let Some(mut process) = again(test) else {
            let (blocked, busy) = (Event::default(), Event::default());
            task::spawn({
                let blocked = blocked.clone();
                async move {
                    blocked.set();
                    loop {
                        thread::park();
                    }
                }
            })
            .detach();
            task::spawn({
                let busy = busy.clone();
                async move {
                    loop {
                        task::yield_now().await;
                        busy.set();
                    }
                }
            })
            .detach();
            task::spawn(pending::<()>()).detach();
            task::spawn(task::sleep(Duration::MAX)).detach();
            task::spawn(async { task::block_on(pending::<()>()) }).detach();
            task::spawn(async { task::spawn_local(pending::<()>()).await }).detach();
            task::spawn_local(pending::<()>()).detach();
            thread::spawn(|| task::block_on(pending::<()>()));
            blocked.block();
            return busy.block();
        };
        process.env("PARKLET_THREADS", workers);
        // Fails if it takes more than a minute.
        finish(process.spawn().unwrap());
    }
}
