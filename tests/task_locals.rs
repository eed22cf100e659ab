//! Values that belong to a task, and who a task is: its number and its name.

mod common;

use common::{Drops, Event, Log, OnDrop, own_waker, panic_message, pend_once, watchdog};
use parklet::executor::LocalExecutor;
use parklet::task::{self, AccessError};
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::Waker;
use std::thread;

#[test]
fn each_task_has_its_own_value_made_when_it_first_asks() {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    task::task_local! {
        static COUNT: Cell<usize> = {
            MADE.fetch_add(1, Ordering::SeqCst);
            Cell::new(10)
        };
    }
    let _watchdog = watchdog();
    task::block_on(async {
        task::spawn(async {}).await;
        assert_eq!(MADE.load(Ordering::SeqCst), 0, "nobody has asked");
        let mut tasks = Vec::new();
        for number in 0..50 {
            tasks.push(task::spawn(async move {
                for step in 0..10 {
                    COUNT.with(|count| {
                        assert_eq!(count.get(), 10 + number * step);
                        count.set(count.get() + number);
                    });
                    task::yield_now().await;
                }
            }));
        }
        for task in tasks {
            task.await;
        }
        assert_eq!(MADE.load(Ordering::SeqCst), 50);
        assert_eq!(COUNT.with(Cell::get), 10);
    });
}

#[test]
fn the_macro_takes_attributes_visibility_and_several_values() {
    mod keys {
        parklet::task_local! {
            /// One.
            pub(super) static ONE: u8 = 1;
            #[allow(dead_code, reason = "an attribute")]
            static TWO: &'static str = "two";
            pub(crate) static THREE: Vec<u8> = vec![3; 3]
        }
    }
    task::block_on(async {
        assert_eq!(keys::ONE.with(|one| *one), 1);
        assert_eq!(keys::THREE.with(Vec::len), 3);
    });
}

#[test]
fn block_on_counts_as_a_task_also_inside_another() {
    task::task_local! { static DEPTH: Cell<u32> = Cell::new(0); }
    let _watchdog = watchdog();
    task::block_on(async {
        DEPTH.with(|value| value.set(1));
        let outer = task::current().id();
        task::block_on(async {
            assert_ne!(task::current().id(), outer);
            assert_eq!(DEPTH.with(Cell::get), 0);
            DEPTH.with(|value| value.set(2));
            let local = task::spawn_local(async { DEPTH.with(Cell::get) });
            assert_eq!(local.await, 0);
        });
        assert_eq!(task::current().id(), outer);
        assert_eq!(DEPTH.with(Cell::get), 1);
    });
    task::block_on(async { assert_eq!(DEPTH.with(Cell::get), 0) });
}

#[test]
fn outside_a_task_there_is_no_value() {
    task::task_local! { static NUMBER: u32 = 7; }
    assert_eq!(NUMBER.try_with(|number| *number), Err(AccessError));
    assert_eq!(
        AccessError.to_string(),
        "a task-local value was asked for outside a task"
    );
    let payload = catch_unwind(|| NUMBER.with(|number| *number)).unwrap_err();
    assert!(panic_message(&*payload).starts_with("LocalKey::with() called outside a task"));
}

/// Adds to a log when it is dropped.
struct Logs(Log, &'static str);

impl Drop for Logs {
    fn drop(&mut self) {
        self.0.add(self.1);
    }
}

#[test]
fn values_are_dropped_with_their_task_before_its_joiner_is_woken() {
    task::task_local! { static VALUE: RefCell<Option<Logs>> = RefCell::new(None); }
    async fn live(log: Log) {
        VALUE.with(|value| *value.borrow_mut() = Some(Logs(log.clone(), "value")));
        let _future = Logs(log, "future");
        task::yield_now().await;
    }
    let _watchdog = watchdog();
    let log = Log::default();
    task::block_on(async {
        // By reference: it does not take the end of the handle to drop them.
        let mut handle = task::spawn(live(log.clone()));
        (&mut handle).await;
        log.expect(["future", "value"]);
        let mut handle = task::spawn_local(live(log.clone()));
        (&mut handle).await;
        log.expect(["future", "value"]);
        let panics = task::spawn({
            let log = log.clone();
            async move {
                live(log).await;
                panic!("out of cheese");
            }
        });
        assert!(panics.join().await.unwrap_err().is_panic());
        log.expect(["future", "value"]);
        let started = Event::default();
        let aborted = task::spawn({
            let (log, started) = (log.clone(), started.clone());
            async move {
                live(log.clone()).await;
                log.add("started");
                started.set();
                pending::<()>().await;
            }
        });
        started.wait().await;
        log.expect(["future", "started"]);
        assert_eq!(aborted.cancel().await, None);
        log.expect(["value"]);
    });
    task::block_on(live(log.clone()));
    log.expect(["future", "value"]);
    let payload = catch_unwind(AssertUnwindSafe(|| {
        task::block_on(async {
            live(log.clone()).await;
            panic!("out of cheese");
        });
    }));
    assert!(payload.is_err());
    log.expect(["future", "value"]);
}

#[test]
fn the_destructor_of_one_value_may_use_another_and_knows_its_task() {
    struct Last(Log);
    impl Drop for Last {
        fn drop(&mut self) {
            let name = task::current().name().unwrap().to_owned();
            FIRST.with(|first| self.0.add(format!("{name} {first}")));
            // Not made before: it is made now, and dropped too.
            LATE.with(|late| *late.borrow_mut() = Some(Logs(self.0.clone(), "late")));
        }
    }
    task::task_local! {
        static FIRST: String = String::from("first");
        static LAST: RefCell<Option<Last>> = RefCell::new(None);
        static LATE: RefCell<Option<Logs>> = RefCell::new(None);
    }
    async fn live(log: Log) {
        FIRST.with(|first| assert_eq!(first, "first"));
        LAST.with(|last| *last.borrow_mut() = Some(Last(log)));
    }
    let _watchdog = watchdog();
    let log = Log::default();
    let named = task::Builder::new().name("bee".into());
    task::block_on(named.clone().spawn(live(log.clone())).unwrap());
    log.expect(["bee first", "late"]);
    named.blocking(live(log.clone()));
    log.expect(["bee first", "late"]);
}

#[test]
fn a_value_whose_destructor_brings_it_back_is_given_up_in_the_end() {
    struct Undead(Drops);
    impl Drop for Undead {
        fn drop(&mut self) {
            drop(self.0.guard());
            let again = Undead(self.0.clone());
            GRAVE.with(|grave| *grave.borrow_mut() = Some(again));
        }
    }
    task::task_local! {
        static BELOW: RefCell<Option<Logs>> = RefCell::new(None);
        static GRAVE: RefCell<Option<Undead>> = RefCell::new(None);
    }
    let _watchdog = watchdog();
    let (log, drops) = (Log::default(), Drops::default());
    task::block_on(task::spawn({
        let (log, drops) = (log.clone(), drops.clone());
        async move {
            BELOW.with(|below| *below.borrow_mut() = Some(Logs(log, "below")));
            GRAVE.with(|grave| *grave.borrow_mut() = Some(Undead(drops)));
        }
    }));
    log.expect(["below"]);
    assert!((1..100).contains(&drops.count()), "{}", drops.count());
}

#[test]
fn a_panic_while_a_value_is_made_reaches_the_task_and_the_next_use_tries_again() {
    static ATTEMPTS: AtomicUsize = AtomicUsize::new(0);
    task::task_local! {
        static SHY: usize = match ATTEMPTS.fetch_add(1, Ordering::SeqCst) {
            0 => panic!("not now"),
            attempt => attempt,
        };
    }
    let _watchdog = watchdog();
    let attempt = task::block_on(task::spawn(async {
        let payload = catch_unwind(|| SHY.with(|shy| *shy)).unwrap_err();
        assert_eq!(panic_message(&*payload), "not now");
        SHY.with(|shy| *shy)
    }));
    assert_eq!(attempt, 1);
}

#[test]
fn a_value_may_use_its_own_key_while_it_is_made() {
    task::task_local! {
        static TURTLES: u32 = if BOTTOM.with(|bottom| bottom.replace(true)) { 1 } else { TURTLES.with(|below| below + 1) };
        static BOTTOM: Cell<bool> = Cell::new(false);
    }
    task::block_on(async {
        // The inner one was there first, and stays.
        assert_eq!(TURTLES.with(|turtles| *turtles), 1);
        assert_eq!(TURTLES.with(|turtles| *turtles), 1);
    });
}

#[test]
fn a_destructor_runs_as_its_task_however_the_task_ends() {
    task::task_local! { static MARK: Cell<u32> = Cell::new(0); }
    /// Says who is dropped, and what its mark is.
    async fn live(log: Log, wait: impl Future<Output = ()>) {
        MARK.with(|value| value.set(7));
        let _guard = OnDrop(move || {
            let name = task::current().name().unwrap().to_owned();
            log.add(format!("{name} {}", MARK.with(Cell::get)));
        });
        wait.await;
    }
    let _watchdog = watchdog();
    let log = Log::default();
    let named = task::Builder::new().name("bee".into());

    let started = Event::default();
    let aborted = named.clone().spawn(live(log.clone(), {
        let started = started.clone();
        async move {
            started.set();
            pending::<()>().await;
        }
    }));
    task::block_on(async {
        started.wait().await;
        aborted.unwrap().cancel().await;
    });
    log.expect(["bee 7"]);

    // Let go of by its last waker, and that inside another task.
    let (sender, receiver) = mpsc::channel::<Waker>();
    let lost = live(log.clone(), async move {
        sender.send(own_waker().await).unwrap();
        pend_once().await;
    });
    named.spawn(lost).unwrap().detach();
    let waker = receiver.recv().unwrap();
    task::block_on(async {
        let id = task::current().id();
        drop(waker);
        assert_eq!(task::current().id(), id);
    });
    while log.is_empty() {
        // The poll that sent the waker has not ended yet, and will be the last to let go.
        thread::yield_now();
    }
    log.expect(["bee 7"]);
}

#[test]
fn names_are_told_by_the_task_by_its_handle_and_after_its_end() {
    let _watchdog = watchdog();
    task::block_on(async {
        let named = task::Builder::new().name("worker bee".into());
        let handle = named.clone().spawn(async { task::current() }).unwrap();
        assert_eq!(handle.task().name(), Some("worker bee"));
        let id = handle.task().id();
        while !handle.is_finished() {
            task::yield_now().await;
        }
        assert_eq!(handle.task().name(), Some("worker bee"));
        let seen = handle.await;
        assert_eq!((seen.id(), seen.name()), (id, Some("worker bee")));

        let local = named.clone().local(async { task::current() }).unwrap();
        assert_eq!(local.task().name(), Some("worker bee"));
        assert_eq!(local.await.name(), Some("worker bee"));

        let nameless = task::spawn(async { task::current() });
        let id = nameless.task().id();
        let seen = nameless.await;
        assert_eq!((seen.id(), seen.name()), (id, None));
    });
    let named = task::Builder::new().name("main".into());
    assert_eq!(
        named.blocking(async { task::current() }).name(),
        Some("main")
    );
    assert_eq!(task::block_on(async { task::current() }).name(), None);
}

#[test]
fn outside_a_task_nobody_is_current() {
    assert!(task::try_current().is_none());
    let payload = catch_unwind(task::current).unwrap_err();
    assert_eq!(
        panic_message(&*payload),
        "task::current() called outside a task; task::try_current() returns None there"
    );
    task::block_on(async { assert!(task::try_current().is_some()) });
    assert!(task::try_current().is_none());
    let executor = LocalExecutor::new();
    let handle = executor.spawn(async { task::try_current().is_some() });
    executor.try_tick();
    assert!(handle.is_finished() && task::try_current().is_none());
}

#[test]
fn no_two_tasks_have_the_same_number() {
    let _watchdog = watchdog();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            thread::spawn(|| {
                let mut ids = Vec::new();
                for _ in 0..3000 {
                    ids.push(task::block_on(async { task::current().id() }));
                }
                ids.push(task::spawn(async {}).task().id());
                ids
            })
        })
        .collect();
    let ids: Vec<_> = threads
        .into_iter()
        .flat_map(|thread| thread.join().unwrap())
        .collect();
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
}
