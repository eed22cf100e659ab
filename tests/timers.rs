//! What a `Timer` promises: never early, in order, any duration, and nothing left behind.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use parklet::channel;
use parklet::future;
use parklet::prelude::*;
use parklet::reactor::Timer;
use parklet::task::block_on;

use reactor_support::{HANGS, HandTask};

mod reactor_support;

/// So far away that a test which waits for it hangs.
const FAR: Duration = Duration::from_secs(3600);

fn milliseconds(number: u64) -> Duration {
    Duration::from_millis(number)
}

fn poll(timer: &mut Timer, task: &HandTask) -> Poll<Instant> {
    Pin::new(timer).poll(&mut task.cx())
}

#[test]
fn a_timer_is_never_early_and_says_when_it_was_due() {
    block_on(async {
        for microseconds in [0, 1, 10, 65, 66, 500, 999, 1_000, 5_000, 20_000] {
            let start = Instant::now();
            let deadline = start + Duration::from_micros(microseconds);
            assert_eq!(Timer::at(deadline).await, deadline);
            assert!(Instant::now() >= deadline, "{microseconds} us");

            let length = Duration::from_micros(microseconds);
            let due = Timer::after(length).await;
            assert!(due <= Instant::now() && due >= start + length);
        }
    });
}

#[test]
fn ten_thousand_timers_all_fire() {
    block_on(async {
        let start = Instant::now();
        let mut timers: Vec<_> = (0..10_000_u64)
            .map(|number| Timer::after(Duration::from_micros(number * 7919 % 50_000)))
            .collect();
        let mut fired = 0;
        poll_fn(|cx| {
            timers.retain_mut(|timer| match Pin::new(timer).poll(cx) {
                Poll::Ready(due) => {
                    assert!(due <= Instant::now());
                    fired += 1;
                    false
                }
                Poll::Pending => true,
            });
            if timers.is_empty() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        assert_eq!(fired, 10_000);
        assert!(start.elapsed() >= Duration::from_micros(49_999));
    });
}

#[test]
fn any_duration_is_accepted() {
    block_on(async {
        for duration in [
            Duration::MAX,
            Duration::from_secs(u64::MAX / 2),
            FAR * 24 * 365 * 1000,
        ] {
            let task = HandTask::new();
            let mut timers = [
                Timer::after(duration),
                Timer::interval(duration),
                Timer::interval_at(Instant::now() + FAR, duration),
                Timer::never(),
            ];
            timers[3].set_after(duration);
            for timer in &mut timers {
                assert!(poll(timer, &task).is_pending());
            }
            Timer::after(milliseconds(1)).await;
            assert_eq!(task.wakers_kept(), 4);
            drop(timers);
            assert_eq!(task.all_wakes(), 0);
        }
        let mut last = Timer::interval_at(Instant::now(), Duration::MAX);
        assert!(last.next().await.is_some());
        assert!(!last.will_fire());
        assert!(!Timer::after(Duration::MAX).will_fire());
        assert!(future::timeout(Duration::MAX, async {}).await.is_ok());
    });
}

#[test]
fn a_cancelled_timer_leaves_nothing_behind() {
    let task = HandTask::new();
    let mut timer = Timer::after(FAR);
    assert_eq!(
        task.wakers_kept(),
        0,
        "nothing is stored before the first poll"
    );
    for _ in 0..3 {
        assert!(poll(&mut timer, &task).is_pending());
        assert_eq!(task.wakers_kept(), 1);
    }
    drop(timer);
    assert_eq!(task.wakers_kept(), 0);
    assert_eq!(task.all_wakes(), 0);
}

#[test]
fn the_task_that_polled_last_is_woken() {
    let (first, second) = (HandTask::new(), HandTask::new());
    let mut timer = Timer::after(FAR);
    assert!(poll(&mut timer, &first).is_pending());
    assert!(poll(&mut timer, &second).is_pending());
    timer.set_after(Duration::ZERO);
    second.wait_for_wake();
    assert!(poll(&mut timer, &second).is_ready());
    assert_eq!((first.all_wakes(), second.all_wakes()), (0, 1));
}

#[test]
fn setting_a_timer_moves_the_task_that_waits() {
    for mut timer in [Timer::never(), Timer::after(FAR), Timer::interval(FAR)] {
        let task = HandTask::new();
        assert!(poll(&mut timer, &task).is_pending());
        let deadline = Instant::now() + milliseconds(5);
        timer.set_at(deadline);
        assert!(task.wait_for_wake() >= deadline);
        assert_eq!(poll(&mut timer, &task), Poll::Ready(deadline));

        // After it has fired it is silent until it is set again; it remembers the task even then.
        assert!(!timer.will_fire());
        assert!(poll(&mut timer, &task).is_pending());
        timer.set_after(milliseconds(5));
        task.wait_for_wake();
        assert!(poll(&mut timer, &task).is_ready());
        assert_eq!(task.all_wakes(), 2);
    }
}

#[test]
fn a_timer_that_is_set_to_later_fires_later() {
    loop {
        let task = HandTask::new();
        let (early, late) = (
            Instant::now() + milliseconds(50),
            Instant::now() + milliseconds(60),
        );
        let mut timer = Timer::at(early);
        assert!(poll(&mut timer, &task).is_pending());
        timer.set_at(late);
        if Instant::now() > early {
            // This thread was held up, so it may have fired before it was set: that proves nothing.
            continue;
        }
        assert!(task.wait_for_wake() >= late);
        timer.set_after(Duration::MAX);
        assert!(poll(&mut timer, &task).is_pending());
        break;
    }
}

#[test]
fn an_earlier_timer_shortens_the_drivers_sleep() {
    let (far_task, task) = (HandTask::new(), HandTask::new());
    let mut far = Timer::after(FAR);
    assert!(poll(&mut far, &far_task).is_pending());
    let (stop, stopped) = channel::bounded(1);
    let start = Instant::now();
    thread::scope(|scope| {
        // That thread drives, with no nearer timer in sight; meanwhile this one sets some. It goes on for longer than
        // the other tests last, which would wake the driver by chance.
        scope.spawn(|| block_on(future::timeout(FAR, stopped.recv())));
        for _ in 0..100 {
            let mut near = Timer::after(milliseconds(10));
            assert!(poll(&mut near, &task).is_pending());
            task.wait_for_wake();
            assert!(poll(&mut near, &task).is_ready());
        }
        assert!(stop.try_send(()).is_ok());
    });
    assert!(start.elapsed() < HANGS);
}

#[test]
fn an_interval_ticks_at_exact_distances() {
    block_on(async {
        let period = milliseconds(2);
        let start = Instant::now();
        let mut ticks = Timer::interval_at(start, period);
        for number in 0..20 {
            let due = ticks.next().await.unwrap();
            assert_eq!(due, start + period * number);
            assert!(Instant::now() >= due);
        }
        let created = Instant::now();
        let first = Timer::interval(period).next().await.unwrap();
        assert!(
            first >= created + period,
            "the first comes after one period"
        );
    });
}

#[test]
fn a_late_interval_catches_up() {
    block_on(async {
        let period = milliseconds(1);
        let start = Instant::now();
        let mut ticks = Timer::interval_at(start, period);
        Timer::at(start + period * 5).await;
        for number in 0..=5 {
            let tick = Pin::new(&mut ticks).poll_next(&mut Context::from_waker(Waker::noop()));
            assert_eq!(
                tick,
                Poll::Ready(Some(start + period * number)),
                "without waiting"
            );
        }
        ticks.set_interval(FAR);
        assert!(
            pin!(ticks.next())
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
    });
}

#[test]
fn a_ready_timer_lets_its_neighbours_run() {
    let ran = Arc::new(AtomicUsize::new(0));
    let neighbour = Arc::clone(&ran);
    block_on(async move {
        let neighbour =
            parklet::task::spawn_local(async move { neighbour.store(1, Ordering::SeqCst) });
        let mut always = Timer::interval(Duration::ZERO);
        while ran.load(Ordering::SeqCst) == 0 {
            always.next().await;
        }
        neighbour.await;
    });
}

#[test]
fn a_timer_fires_on_another_executor_too() {
    let deadline = Instant::now() + milliseconds(20);
    let due = futures_lite::future::block_on(Timer::at(deadline));
    assert_eq!(due, deadline);
    assert!(Instant::now() >= deadline);
}
