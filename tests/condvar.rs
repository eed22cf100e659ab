//! The condition variable: who is notified, in which order, and what becomes of the turn of those who go away.

mod common;

use common::{Waiter, with_workers};
use parklet::sync::{Condvar, Mutex, MutexGuard};
use parklet::task;
use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// Long enough that it is never over in a test.
const LONG: Duration = Duration::from_secs(3600);

/// A value, and who is told of its changes.
#[derive(Default)]
struct Scene {
    mutex: Mutex<u32>,
    changed: Condvar,
}

impl Scene {
    fn lock(&self) -> MutexGuard<'_, u32> {
        self.mutex.try_lock().expect("nobody holds it")
    }

    /// Somebody who waits, with the mutex unlocked again.
    #[track_caller]
    fn waiter<'a>(&'a self) -> Waiter<impl Future<Output = MutexGuard<'a, u32>> + use<'a>> {
        Waiter::new(self.changed.wait(self.lock()))
    }
}

/// How often each of them was woken.
fn wakes<F>(waiters: &[Waiter<F>]) -> Vec<usize> {
    waiters.iter().map(|waiter| waiter.wakes.count()).collect()
}

#[test]
fn waiting_unlocks_the_mutex_and_locks_it_again() {
    let scene = Scene::default();
    let mut waiter = scene.waiter();
    *scene.lock() = 7;
    scene.changed.notify_one();
    let guard = waiter.get();
    assert_eq!(*guard, 7);
    assert!(scene.mutex.try_lock().is_none());
}

#[test]
fn a_notified_waiter_waits_for_the_mutex() {
    let scene = Scene::default();
    let mut waiter = scene.waiter();
    let guard = scene.lock();
    scene.changed.notify_one();
    assert!(waiter.poll().is_pending());
    drop(guard);
    assert_eq!(waiter.wakes.count(), 2);
    assert_eq!(*waiter.get(), 0);
}

#[test]
fn notifications_go_to_the_first_and_are_not_kept() {
    let scene = Scene::default();
    scene.changed.notify_one();
    scene.changed.notify_all();
    let mut waiters: Vec<_> = (0..3).map(|_| scene.waiter()).collect();
    assert_eq!(wakes(&waiters), [0, 0, 0], "nobody was there");
    scene.changed.notify_one();
    assert_eq!(wakes(&waiters), [1, 0, 0]);
    scene.changed.notify_one();
    assert_eq!(wakes(&waiters), [1, 1, 0]);
    scene.changed.notify_all();
    assert_eq!(wakes(&waiters), [1, 1, 1]);
    for waiter in &mut waiters {
        drop(waiter.get());
    }
}

#[test]
fn who_joins_after_all_were_notified_waits() {
    let scene = Scene::default();
    let mut first = scene.waiter();
    scene.changed.notify_all();
    let mut late = scene.waiter();
    drop(first.get());
    assert_eq!(late.wakes.count(), 0);
    assert!(late.poll().is_pending());
}

#[test]
fn a_waiter_that_is_dropped_after_being_notified_passes_its_turn_on() {
    let scene = Scene::default();
    let (dropped, mut next) = (scene.waiter(), scene.waiter());
    scene.changed.notify_one();
    assert_eq!((dropped.wakes.count(), next.wakes.count()), (1, 0));
    drop(dropped);
    drop(next.get());
}

#[test]
fn a_waiter_that_is_dropped_while_it_waits_for_the_mutex_passes_its_turn_on() {
    let scene = Scene::default();
    let (mut dropped, mut next) = (scene.waiter(), scene.waiter());
    let guard = scene.lock();
    scene.changed.notify_one();
    assert!(dropped.poll().is_pending());
    drop(dropped);
    drop(guard);
    drop(next.get());
    assert!(scene.mutex.try_lock().is_some());
}

#[test]
fn a_turn_that_was_used_is_not_passed_on() {
    let scene = Scene::default();
    let (mut first, second) = (scene.waiter(), scene.waiter());
    scene.changed.notify_one();
    let guard = first.get();
    drop(first);
    drop(guard);
    assert_eq!(second.wakes.count(), 0);
}

#[test]
fn a_waiter_that_is_dropped_before_it_is_notified_leaves_nothing_behind() {
    let scene = Scene::default();
    let (dropped, mut next) = (scene.waiter(), scene.waiter());
    assert_eq!(Arc::strong_count(&dropped.wakes), 2);
    let Waiter { future, wakes } = dropped;
    drop(future);
    assert_eq!(Arc::strong_count(&wakes), 1);
    scene.changed.notify_one();
    drop(next.get());
}

#[test]
fn a_wait_that_is_never_polled_unlocks_the_mutex() {
    let scene = Scene::default();
    drop(scene.changed.wait(scene.lock()));
    drop(scene.changed.wait_timeout(scene.lock(), LONG));
    assert!(scene.mutex.try_lock().is_some());
}

#[test]
fn it_waits_until_the_condition_holds() {
    let scene = Scene::default();
    let holds = task::block_on(scene.changed.wait_until(scene.lock(), |_| true));
    drop(holds);
    let mut waiter = Waiter::new(scene.changed.wait_until(scene.lock(), |value| *value == 2));
    for value in [1, 2] {
        *scene.lock() = value;
        scene.changed.notify_all();
        assert_eq!(waiter.poll().is_ready(), value == 2);
    }
}

#[test]
fn a_condition_may_change_the_value() {
    let scene = Scene::default();
    let take = |value: &mut u32| std::mem::take(value) > 0;
    let mut waiter = Waiter::new(scene.changed.wait_until(scene.lock(), take));
    *scene.lock() = 7;
    scene.changed.notify_one();
    assert_eq!(*waiter.get(), 0);
}

#[test]
fn the_time_runs_out_and_then_no_turn_is_taken() {
    let scene = Scene::default();
    for duration in [Duration::ZERO, Duration::from_millis(2)] {
        let wait = scene.changed.wait_timeout(scene.lock(), duration);
        let (guard, result) = task::block_on(wait);
        assert!(result.timed_out());
        assert!(scene.mutex.try_lock().is_none());
        drop(guard);
    }
    let mut next = scene.waiter();
    scene.changed.notify_one();
    drop(next.get());
}

#[test]
fn any_time_will_do_and_a_notification_ends_it() {
    let scene = Scene::default();
    for duration in [LONG, Duration::MAX] {
        let mut waiter = Waiter::new(scene.changed.wait_timeout(scene.lock(), duration));
        let until = |value: &mut u32| *value == 7;
        let mut until = Waiter::new(scene.changed.wait_timeout_until(
            scene.lock(),
            duration,
            until,
        ));
        *scene.lock() = 7;
        scene.changed.notify_all();
        let (guard, result) = waiter.get();
        assert!(!result.timed_out());
        drop(guard);
        let (mut guard, result) = until.get();
        assert!(!result.timed_out());
        *guard = 0;
    }
}

#[test]
fn a_notification_in_the_last_moment_is_used_or_passed_on() {
    let scene = Scene::default();
    let (mut waiter, mut next) = (
        Waiter::new(
            scene
                .changed
                .wait_timeout(scene.lock(), Duration::from_millis(1)),
        ),
        scene.waiter(),
    );
    // It is not polled while its time runs out.
    task::block_on(task::sleep(Duration::from_millis(5)));
    scene.changed.notify_one();
    let (guard, result) = waiter.get();
    assert!(!result.timed_out());
    drop(guard);
    assert!(next.poll().is_pending());

    let waiter = Waiter::new(scene.changed.wait_timeout(scene.lock(), LONG));
    drop(next);
    let mut next = scene.waiter();
    scene.changed.notify_one();
    drop(waiter);
    drop(next.get());
}

#[test]
fn when_the_time_is_over_the_condition_is_looked_at_once_more() {
    let scene = Scene::default();
    let wait = scene
        .changed
        .wait_timeout_until(scene.lock(), Duration::from_millis(2), |_| false);
    let (guard, result) = task::block_on(wait);
    assert!(result.timed_out());
    drop(guard);

    let mut waiter = Waiter::new(scene.changed.wait_timeout_until(
        scene.lock(),
        Duration::from_millis(50),
        |value| *value == 7,
    ));
    // Nobody notifies, but by the time it looks the value is there.
    *scene.lock() = 7;
    let (_guard, result) = task::block_on(async { waiter.future.as_mut().await });
    assert!(!result.timed_out());
}

#[test]
fn it_goes_where_the_value_may_go() {
    fn is_send_and_sync<T: Send + Sync>(_: &T) {}
    fn is_send<T: Send>(_: &T) {}
    let scene = Scene::default();
    is_send_and_sync(&scene.changed);
    is_send(&scene.changed.wait(scene.lock()));
    is_send(&scene.changed.wait_timeout(scene.lock(), LONG));
    let wait = scene
        .changed
        .wait_timeout_until(scene.lock(), LONG, |_| true);
    is_send(&wait);
    drop(wait);
    assert_eq!(format!("{:?}", scene.changed), "Condvar { .. }");
}

#[test]
fn unsized_values_can_be_waited_for() {
    let mutex: Arc<Mutex<[u32]>> = Arc::new(Mutex::new([1, 2]));
    let changed = Condvar::new();
    let mut waiter = Waiter::new(changed.wait(mutex.try_lock().unwrap()));
    changed.notify_one();
    assert_eq!(waiter.get().len(), 2);
}

/// A queue with so much room, the classic of condition variables.
#[derive(Default)]
struct BoundedQueue {
    numbers: Mutex<VecDeque<u64>>,
    has_number: Condvar,
    has_room: Condvar,
}

impl BoundedQueue {
    async fn push(&self, number: u64) {
        let numbers = self.numbers.lock().await;
        let has_room = |numbers: &mut VecDeque<u64>| numbers.len() < 2;
        let mut numbers = self.has_room.wait_until(numbers, has_room).await;
        numbers.push_back(number);
        self.has_number.notify_one();
    }

    async fn pop(&self) -> u64 {
        let mut numbers = self.numbers.lock().await;
        loop {
            if let Some(number) = numbers.pop_front() {
                self.has_room.notify_one();
                return number;
            }
            (numbers, _) = self.has_number.wait_timeout(numbers, Duration::MAX).await;
        }
    }
}

#[test]
fn every_number_comes_through_a_queue_made_of_it() {
    const TASKS: u64 = 8;
    const NUMBERS: u64 = 200;
    with_workers([1, 2, 8], || {
        let queue = Arc::new(BoundedQueue::default());
        let pushing: Vec<_> = (0..TASKS)
            .map(|task| {
                let queue = Arc::clone(&queue);
                task::spawn(async move {
                    for number in 0..NUMBERS {
                        queue.push(task * NUMBERS + number).await;
                    }
                })
            })
            .collect();
        let popping: Vec<_> = (0..TASKS)
            .map(|_| {
                let queue = Arc::clone(&queue);
                task::spawn(async move {
                    let mut popped = Vec::new();
                    for _ in 0..NUMBERS {
                        popped.push(queue.pop().await);
                    }
                    popped
                })
            })
            .collect();
        let mut popped = task::block_on(async {
            for task in pushing {
                task.await;
            }
            let mut popped = Vec::new();
            for task in popping {
                popped.extend(task.await);
            }
            popped
        });
        popped.sort_unstable();
        assert_eq!(popped, (0..TASKS * NUMBERS).collect::<Vec<_>>());
    });
}

#[test]
fn no_turn_is_lost_when_waiters_come_and_go() {
    const TURNS: u32 = 300;
    with_workers([1, 2, 8], || {
        let scene = Arc::new(Scene::default());
        let impatient: Vec<_> = (0..3)
            .map(|_| {
                let scene = Arc::clone(&scene);
                task::spawn(async move {
                    loop {
                        // Waits a moment and goes away, with a turn or without one.
                        let guard = scene.mutex.lock().await;
                        let wait = async { drop(scene.changed.wait(guard).await) };
                        parklet::future::race(wait, task::yield_now()).await;
                        // What it may have taken from the patient one.
                        scene.changed.notify_one();
                    }
                })
            })
            .collect();
        let patient = task::spawn({
            let scene = Arc::clone(&scene);
            async move {
                let mut value = scene.mutex.lock().await;
                for turn in 1..=TURNS {
                    value = scene
                        .changed
                        .wait_until(value, |value| *value >= turn)
                        .await;
                }
            }
        });
        task::block_on(async {
            for _ in 0..TURNS {
                *scene.mutex.lock().await += 1;
                scene.changed.notify_one();
                task::yield_now().await;
            }
            patient.await;
            for task in impatient {
                task.cancel().await;
            }
        });
        assert_eq!(*scene.lock(), TURNS);
    });
}
