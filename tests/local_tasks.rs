//! Tasks of `spawn_local`: where they run, when, and where they end.

mod common;

use common::{
    Drops, Event, Log, OnDrop, own_waker, panic_message, pend_once, watchdog, with_workers,
};
use parklet::task::{self, JoinHandle};
use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::task::Waker;
use std::thread::{self, ThreadId};
use std::time::Duration;

#[test]
fn block_on_runs_tasks_that_are_not_send_in_the_order_of_spawning_and_waking() {
    let _watchdog = watchdog();
    let log = Rc::new(RefCell::new(Vec::new()));
    task::block_on(async {
        let tasks: Vec<JoinHandle<Rc<str>>> = ["a", "b", "c"]
            .into_iter()
            .map(|name| {
                let log = Rc::clone(&log);
                task::spawn_local(async move {
                    log.borrow_mut().push(format!("{name}1"));
                    task::yield_now().await;
                    log.borrow_mut().push(format!("{name}2"));
                    name.into()
                })
            })
            .collect();
        assert!(log.borrow().is_empty(), "not while this one runs");
        for (task, name) in tasks.into_iter().zip(["a", "b", "c"]) {
            assert_eq!(&*task.await, name);
        }
    });
    assert_eq!(*log.borrow(), ["a1", "b1", "c1", "a2", "b2", "c2"]);
}

#[test]
fn a_local_task_waits_for_the_next_block_on_of_its_thread() {
    let _watchdog = watchdog();
    let polls = Rc::new(Cell::new(0));
    let handle = task::spawn_local({
        let polls = Rc::clone(&polls);
        async move {
            for _ in 0..3 {
                polls.set(polls.get() + 1);
                task::yield_now().await;
            }
        }
    });
    assert_eq!(polls.get(), 0);
    // Another thread's `block_on` does not help.
    thread::spawn(|| task::block_on(task::yield_now()))
        .join()
        .unwrap();
    assert_eq!(polls.get(), 0);
    // Begun in one, continued in another.
    task::block_on(task::yield_now());
    assert!((1..3).contains(&polls.get()), "{}", polls.get());
    task::block_on(handle);
    assert_eq!(polls.get(), 3);
}

#[test]
fn local_tasks_spawn_and_await_others() {
    let _watchdog = watchdog();
    fn fibonacci(n: u32) -> JoinHandle<u32> {
        task::spawn_local(async move {
            match n {
                0 | 1 => n,
                _ => {
                    let (left, right) = (fibonacci(n - 1), fibonacci(n - 2));
                    left.await + right.await
                }
            }
        })
    }
    assert_eq!(task::block_on(async { fibonacci(10).await }), 55);
}

#[test]
fn neither_the_main_future_nor_a_local_task_shuts_the_other_out() {
    let _watchdog = watchdog();
    let end = Rc::new(Cell::new(false));
    let yields_until = |end: Rc<Cell<bool>>| async move {
        while !end.get() {
            task::yield_now().await;
        }
    };
    task::block_on(async {
        let busy = [(); 3].map(|()| task::spawn_local(yields_until(Rc::clone(&end))));
        // Timers too.
        let sleeps = task::spawn_local(task::sleep(Duration::from_millis(1)));
        for _ in 0..100 {
            task::yield_now().await;
        }
        sleeps.await;
        end.set(true);
        for busy in busy {
            busy.await;
        }
    });
    end.set(false);
    let ends = Rc::clone(&end);
    task::block_on(async move {
        // Busy itself, until a local task ends it.
        task::spawn_local(async move {
            task::sleep(Duration::from_millis(1)).await;
            ends.set(true);
        })
        .detach();
        yields_until(end).await;
    });
}

/// Notes on which threads it was polled.
async fn note_threads(threads: Rc<RefCell<Vec<ThreadId>>>, polls: usize) {
    for _ in 0..polls {
        threads.borrow_mut().push(thread::current().id());
        task::yield_now().await;
    }
}

#[test]
fn inside_a_spawned_task_a_local_task_runs_on_the_worker_that_polls_it() {
    with_workers([1, 2, 8], || {
        task::block_on(async {
            let tasks: Vec<_> = (0..20)
                .map(|_| {
                    task::spawn(async {
                        // Within one poll: this task may be polled elsewhere next.
                        let local = {
                            let home = thread::current().id();
                            let threads = Rc::default();
                            task::spawn_local(async move {
                                note_threads(Rc::clone(&threads), 10).await;
                                assert_eq!(*threads.borrow(), [home; 10]);
                                home
                            })
                        };
                        local.await
                    })
                })
                .collect();
            for task in tasks {
                assert_ne!(task.await, thread::current().id());
            }
        });
    });
}

#[test]
fn a_local_task_goes_on_at_home_after_its_worker_gave_its_seat_away() {
    with_workers([1, 2], || {
        let (go, done) = (Event::default(), Event::default());
        let home = task::block_on(task::spawn({
            let (go, done) = (go.clone(), done.clone());
            async move {
                let home = thread::current().id();
                task::spawn_local(async move {
                    go.wait().await;
                    assert_eq!(thread::current().id(), home);
                    task::sleep(Duration::from_millis(1)).await;
                    assert_eq!(thread::current().id(), home);
                    done.set();
                })
                .detach();
                // Another thread takes the seat.
                task::block_on(task::spawn(async {}));
                home
            }
        }));
        assert_ne!(home, thread::current().id());
        // While it has no seat; and later, when it may have one again.
        go.set();
        done.block();
    });
}

#[test]
fn foreign_wakes_come_home_while_home_sleeps_runs_or_is_elsewhere() {
    let _watchdog = watchdog();
    let home = thread::current().id();
    let (sender, receiver) = mpsc::channel::<Waker>();
    let foreign = thread::spawn(move || {
        for waker in receiver {
            waker.wake_by_ref();
            drop(waker);
        }
    });
    let local = |polls: usize| {
        let (sender, not_send) = (sender.clone(), Rc::new(()));
        task::spawn_local(async move {
            for _ in 0..polls {
                sender.send(own_waker().await).unwrap();
                pend_once().await;
                assert_eq!(thread::current().id(), home);
            }
            drop(not_send);
        })
    };
    let tasks: Vec<_> = (0..10).map(|_| local(100)).collect();
    // Nested and not, and in between none at all.
    task::block_on(async { task::block_on(task::yield_now()) });
    thread::sleep(Duration::from_millis(1));
    task::block_on(async {
        for task in tasks {
            task.await;
        }
    });
    drop(sender);
    foreign.join().unwrap();
}

#[test]
fn unfinished_local_tasks_are_dropped_at_home_when_their_thread_ends() {
    let _watchdog = watchdog();
    let (sender, receiver) = mpsc::channel();
    let log = Log::default();
    let handles = thread::spawn({
        let log = log.clone();
        move || {
            let home = thread::current().id();
            let guard = |name: &'static str| {
                let (log, not_send) = (log.clone(), Rc::new(()));
                OnDrop(move || {
                    let _ = &not_send;
                    assert_eq!(thread::current().id(), home);
                    log.add(name);
                })
            };
            let queued = guard("queued");
            let sleeping = guard("sleeping");
            let woken = guard("woken from elsewhere");
            let yielding = guard("yielding");
            let handles = [
                task::spawn_local(async move {
                    let _guard = yielding;
                    loop {
                        task::yield_now().await;
                    }
                }),
                task::spawn_local({
                    let sender = sender.clone();
                    async move {
                        let _guard = sleeping;
                        sender.send(own_waker().await).unwrap();
                        pend_once().await;
                    }
                }),
                task::spawn_local(async move {
                    let _guard = woken;
                    let waker = own_waker().await;
                    let elsewhere = thread::spawn(move || waker.wake());
                    pend_once().await;
                    drop(elsewhere);
                }),
            ];
            task::block_on(async {
                for _ in 0..2 {
                    task::yield_now().await;
                }
            });
            let [yielding, sleeping, woken] = handles;
            let queued = task::spawn_local(async move { drop(queued) });
            [yielding, sleeping, woken, queued]
        }
    })
    .join()
    .unwrap();
    // The third one may have had its wake in time.
    for handle in handles {
        assert!(handle.is_finished());
        let id = handle.task().id();
        if let Err(error) = task::block_on(handle.join()) {
            assert_eq!(error.to_string(), format!("task {id} was aborted"));
        }
    }
    let waker = receiver.recv().unwrap();
    waker.wake_by_ref();
    waker.wake();
    let mut dropped = log.take();
    dropped.sort_unstable();
    assert_eq!(
        dropped,
        ["queued", "sleeping", "woken from elsewhere", "yielding"]
    );
}

#[test]
fn an_output_goes_at_home_though_a_waker_elsewhere_outlives_the_task() {
    let _watchdog = watchdog();
    let home = thread::current().id();
    let dropped = Rc::new(Cell::new(false));
    let (sender, receiver) = mpsc::channel::<Waker>();
    task::spawn_local({
        let (dropped, sender) = (Rc::clone(&dropped), sender);
        async move {
            sender.send(own_waker().await).unwrap();
            OnDrop(move || {
                assert_eq!(thread::current().id(), home);
                dropped.set(true);
            })
        }
    })
    .detach();
    task::block_on(task::yield_now());
    let waker = receiver.recv().unwrap();
    assert!(dropped.get());
    thread::spawn(move || drop(waker)).join().unwrap();
}

#[test]
fn the_end_of_a_thread_tells_who_awaits_its_local_tasks() {
    let _watchdog = watchdog();
    let (sender, receiver) = mpsc::channel();
    let (started, end) = (Event::default(), Event::default());
    let thread = thread::spawn({
        let (started, end) = (started.clone(), end.clone());
        move || {
            sender.send(task::spawn_local(pending::<()>())).unwrap();
            started.set();
            end.block();
        }
    });
    let handle = receiver.recv().unwrap();
    let waits = Event::default();
    let join = task::spawn({
        let waits = waits.clone();
        let mut join = Box::pin(handle.join());
        poll_fn(move |cx| {
            let joined = join.as_mut().poll(cx);
            waits.set();
            joined
        })
    });
    waits.block();
    end.set();
    assert!(task::block_on(join).unwrap_err().is_aborted());
    thread.join().unwrap();
}

#[test]
fn a_thread_that_is_ending_takes_no_more_local_tasks() {
    type Calls = OnDrop<Box<dyn FnMut()>>;
    thread_local! {
        static LAST: RefCell<Option<Calls>> = const { RefCell::new(None) };
    }
    let _watchdog = watchdog();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        // Registered first, so it goes last.
        LAST.with_borrow_mut(|last| {
            *last = Some(OnDrop(Box::new(move || {
                let payload = catch_unwind(|| task::spawn_local(async {})).unwrap_err();
                let message = panic_message(&*payload).to_owned();
                // The rest works still.
                let seven = task::block_on(async { task::spawn(async { 7 }).await });
                sender.send((message, seven)).unwrap();
            })));
        });
        task::block_on(task::spawn_local(async {}));
    })
    .join()
    .unwrap();
    let (message, seven) = receiver.recv().unwrap();
    assert_eq!(
        message,
        "task::spawn_local() called while its thread is ending"
    );
    assert_eq!(seven, 7);
}

#[test]
fn what_the_destructors_of_local_tasks_do_as_their_thread_ends_is_harmless() {
    let _watchdog = watchdog();
    let drops = Drops::default();
    let spawned = Event::default();
    thread::spawn({
        let (drops, spawned) = (drops.clone(), spawned.clone());
        move || {
            let (guard, neighbour) = (drops.guard(), Rc::new(RefCell::new(None::<Waker>)));
            task::spawn_local({
                let neighbour = Rc::clone(&neighbour);
                async move {
                    let _guard = OnDrop(|| {
                        // Wakes the neighbour, who may be gone already, spawns, and blocks.
                        if let Some(waker) = neighbour.take() {
                            waker.wake();
                        }
                        let refused =
                            catch_unwind(AssertUnwindSafe(|| task::spawn_local(async {})));
                        assert!(refused.is_err());
                        let spawned = spawned.clone();
                        task::block_on(task::spawn(async move { spawned.set() }));
                    });
                    let _counted = guard;
                    pending::<()>().await;
                }
            })
            .detach();
            let guard = drops.guard();
            task::spawn_local(async move {
                let _counted = guard;
                *neighbour.borrow_mut() = Some(own_waker().await);
                pending::<()>().await;
            })
            .detach();
            task::block_on(async {
                for _ in 0..2 {
                    task::yield_now().await;
                }
            });
        }
    })
    .join()
    .unwrap();
    assert!(spawned.is_set());
    assert_eq!(drops.count(), 2);
}

#[test]
fn local_tasks_of_many_threads_do_not_meet() {
    let _watchdog = watchdog();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            thread::spawn(|| {
                let threads = Rc::default();
                task::block_on(async {
                    let tasks: Vec<_> = (0..10)
                        .map(|_| task::spawn_local(note_threads(Rc::clone(&threads), 10)))
                        .collect();
                    for task in tasks {
                        task.await;
                    }
                });
                assert_eq!(*threads.borrow(), [thread::current().id(); 100]);
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn a_local_task_that_blocks_its_thread_holds_up_that_thread_alone() {
    let _watchdog = watchdog();
    let is_blocked = Arc::new(AtomicBool::new(false));
    let end = Event::default();
    let blocked = thread::spawn({
        let (is_blocked, end) = (Arc::clone(&is_blocked), end.clone());
        move || {
            task::block_on(async {
                task::spawn_local(async move {
                    is_blocked.store(true, Ordering::SeqCst);
                    end.block();
                })
                .await;
            });
        }
    });
    task::block_on(async {
        while !is_blocked.load(Ordering::SeqCst) {
            task::yield_now().await;
        }
        task::spawn_local(task::sleep(Duration::from_millis(1))).await;
        task::spawn(task::sleep(Duration::from_millis(1))).await;
        end.set();
    });
    blocked.join().unwrap();
}
