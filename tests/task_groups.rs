//! Groups of tasks: who is told of whose end, and that nobody outlives a group that went away.

mod common;

use common::{CountWakes, Drops, Event, OnDrop, panic_message, poll_once, watchdog};
use parklet::future::race;
use parklet::task::{self, TaskGroup};
use std::cell::Cell;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;

#[test]
fn outputs_come_in_the_order_in_which_the_tasks_end() {
    let _watchdog = watchdog();
    task::block_on(async {
        let mut group = TaskGroup::new();
        let events = [Event::default(), Event::default(), Event::default()];
        for (number, event) in events.iter().enumerate() {
            let event = event.clone();
            group.spawn(async move {
                event.wait().await;
                number
            });
        }
        for number in [2, 0, 1] {
            events[number].set();
            assert_eq!(group.join_next().await.unwrap().unwrap(), number);
        }
        assert!(group.join_next().await.is_none());
    });
}

#[test]
fn an_end_wakes_who_waits_and_a_join_next_that_is_dropped_loses_nothing() {
    let _watchdog = watchdog();
    task::block_on(async {
        let mut group = TaskGroup::new();
        let go = Event::default();
        let (count, waker) = CountWakes::new();
        let mut members = Vec::new();
        for _ in 0..2 {
            let go = go.clone();
            members.push(group.spawn(async move { go.wait().await }));
        }
        {
            let mut next = pin!(group.join_next());
            assert!(poll_once(next.as_mut(), &waker).is_pending());
        }
        assert_eq!(count.count(), 0);
        go.set();
        while !members.iter().all(task::AbortHandle::is_finished) || count.count() == 0 {
            task::yield_now().await;
        }
        // Woken by one of them; nobody is told of the other, for nobody asked again.
        assert_eq!(count.count(), 1);
        for _ in 0..2 {
            assert!(group.join_next().await.unwrap().is_ok());
        }
        assert!(group.is_empty());
    });
}

#[test]
fn all_outputs_come_in_the_order_of_spawning() {
    let _watchdog = watchdog();
    task::block_on(async {
        let mut group = TaskGroup::new();
        for number in 0..100 {
            group.spawn(async move {
                for _ in 0..100 - number {
                    task::yield_now().await;
                }
                number
            });
        }
        assert_eq!(group.join_all().await, (0..100).collect::<Vec<_>>());
    });
}

#[test]
fn the_first_error_ends_the_others_before_it_is_returned() {
    let _watchdog = watchdog();
    // Whoever could still be woken is not dropped for want of references.
    let (drops, never) = (Drops::default(), Event::default());
    task::block_on(async {
        let mut group = TaskGroup::new();
        let begun = Event::default();
        for _ in 0..10 {
            let (guard, never, begun) = (drops.guard(), never.clone(), begun.clone());
            group.spawn(async move {
                let _guard = guard;
                begun.set();
                never.wait().await;
                Ok("not before the event")
            });
        }
        begun.wait().await;
        group.spawn(async { Ok("an output that is lost") });
        group.spawn(async { Err("the first error") });
        assert_eq!(group.try_join_all().await, Err("the first error"));
        assert_eq!(drops.count(), 10);

        let mut group = TaskGroup::<Result<_, &str>>::new();
        group.spawn(async { Ok(1) });
        group.spawn(async { Ok(2) });
        assert_eq!(group.try_join_all().await, Ok(vec![1, 2]));
    });
}

#[test]
fn a_panic_ends_the_others_and_comes_through() {
    let _watchdog = watchdog();
    let drops = Drops::default();
    let whole = |how: u8| {
        let panic = catch_unwind(AssertUnwindSafe(|| {
            task::block_on(async {
                let mut group = TaskGroup::<Result<(), ()>>::new();
                let guard = drops.guard();
                group.spawn(async move {
                    let _guard = guard;
                    pending().await
                });
                group.spawn(async { panic!("out of cheese") });
                match how {
                    0 => drop(group.join_all().await),
                    1 => drop(group.try_join_all().await),
                    _ => {
                        // It has ended already, and is told of all the same.
                        while !format!("{group:?}").contains("finished: true") {
                            task::yield_now().await;
                        }
                        group.cancel().await;
                    }
                }
            });
        }));
        panic.unwrap_err()
    };
    for how in 0..3 {
        assert_eq!(panic_message(&*whole(how)), "out of cheese");
        assert_eq!(drops.count(), usize::from(how) + 1);
    }
}

#[test]
fn a_panic_while_the_others_end_comes_through_instead_of_the_error() {
    let _watchdog = watchdog();
    let panic = catch_unwind(|| {
        task::block_on(async {
            let mut group = TaskGroup::<Result<(), &str>>::new();
            group.spawn(async {
                let _on_drop = OnDrop(|| panic!("while it was dropped"));
                pending().await
            });
            task::yield_now().await;
            group.spawn(async { Err("an error") });
            group.try_join_all().await
        })
    });
    match panic {
        Err(panic) => assert_eq!(panic_message(&*panic), "while it was dropped"),
        // The first task was aborted before it had begun.
        Ok(result) => assert_eq!(result, Err("an error")),
    }
}

#[test]
fn a_task_that_was_aborted_alone_is_told_of_and_ends_the_whole() {
    let _watchdog = watchdog();
    task::block_on(async {
        let mut group = TaskGroup::new();
        let switch = group.spawn(pending::<()>());
        let id = switch.task().id();
        switch.abort();
        let error = group.join_next().await.unwrap().unwrap_err();
        assert_eq!(error.to_string(), format!("task {id} was aborted"));
    });
    let panic = catch_unwind(|| {
        task::block_on(async {
            let mut group = TaskGroup::new();
            group.spawn(pending::<()>()).abort();
            group.join_all().await
        })
    });
    assert!(panic_message(&*panic.unwrap_err()).ends_with("was aborted"));
}

#[test]
fn a_group_that_is_dropped_aborts_its_tasks() {
    let _watchdog = watchdog();
    // Whoever could still be woken is not dropped for want of references.
    let (dropped, never) = (Event::default(), Event::default());
    task::block_on(async {
        let begun = Event::default();
        let work = async {
            let mut group = TaskGroup::new();
            let (begun, dropped, never) = (begun.clone(), dropped.clone(), never.clone());
            group.spawn(async move {
                let _on_drop = OnDrop(move || dropped.set());
                begun.set();
                never.wait().await;
            });
            group.join_next().await;
        };
        // Dropped midway, with the group in it.
        race(work, begun.wait()).await;
        dropped.wait().await;
    });
}

#[test]
fn a_detached_group_lets_its_tasks_go_on() {
    let _watchdog = watchdog();
    let (go, ended) = (Event::default(), Event::default());
    let mut group = TaskGroup::new();
    let switch = group.spawn({
        let (go, ended) = (go.clone(), ended.clone());
        async move {
            go.wait().await;
            ended.set();
        }
    });
    group.detach();
    assert!(!switch.is_finished());
    go.set();
    ended.block();
}

#[test]
fn cancelling_waits_until_everything_is_dropped_and_the_group_may_go_on() {
    let _watchdog = watchdog();
    let drops = Drops::default();
    task::block_on(async {
        let mut group = TaskGroup::new();
        for _ in 0..10 {
            let guard = drops.guard();
            group.spawn(async move {
                let _guard = guard;
                loop {
                    task::yield_now().await;
                }
            });
        }
        let guard = drops.guard();
        let ended = group.spawn(async move {
            drop(guard);
        });
        while !ended.is_finished() {
            task::yield_now().await;
        }
        group.cancel().await;
        assert_eq!((drops.count(), group.len()), (11, 0));

        group.spawn(async {});
        assert!(group.join_next().await.unwrap().is_ok());
    });
}

#[test]
fn outputs_that_nobody_took_are_dropped_with_the_group() {
    let _watchdog = watchdog();
    let drops = Drops::default();
    task::block_on(async {
        let mut group = TaskGroup::new();
        let guard = drops.guard();
        let switch = group.spawn(async move { guard });
        while !switch.is_finished() {
            task::yield_now().await;
        }
        assert_eq!(drops.count(), 0);
        drop(group);
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn local_tasks_are_members_like_others() {
    let _watchdog = watchdog();
    task::block_on(async {
        let total = Rc::new(Cell::new(0));
        let mut group = TaskGroup::new();
        for number in 1..=3 {
            let total = Rc::clone(&total);
            group.spawn_local(async move {
                task::yield_now().await;
                total.set(total.get() + number);
                total
            });
        }
        group.join_all().await;
        assert_eq!((total.get(), Rc::strong_count(&total)), (6, 1));
    });
}

#[test]
fn nobody_is_forgotten_while_tasks_end_come_and_are_aborted() {
    let _watchdog = watchdog();
    const TASKS: usize = 2_000;
    task::block_on(async {
        let drops = Drops::default();
        let mut group = TaskGroup::new();
        let (mut returned, mut aborted) = (0, 0);
        for number in 0..TASKS {
            let guard = drops.guard();
            let switch = group.spawn(async move {
                let _guard = guard;
                for _ in 0..number % 5 {
                    task::yield_now().await;
                }
            });
            if number % 7 == 0 {
                switch.abort();
            }
            if number % 3 == 0 {
                match group.join_next().await.unwrap() {
                    Ok(()) => returned += 1,
                    Err(_) => aborted += 1,
                }
            }
        }
        while let Some(result) = group.join_next().await {
            match result {
                Ok(()) => returned += 1,
                Err(_) => aborted += 1,
            }
        }
        assert_eq!(returned + aborted, TASKS);
        assert!(returned >= TASKS - TASKS.div_ceil(7), "{returned}");
        assert_eq!(drops.count(), TASKS);
    });
}
