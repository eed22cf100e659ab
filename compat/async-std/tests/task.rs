//! Tasks: what async-std says of them.

use async_std::task::{self, Context, Poll};
use std::cell::Cell;
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

#[test]
fn a_task_gives_its_output_to_who_awaits_it() {
    assert_eq!(task::block_on(task::spawn(async { 6 * 7 })), 42);
}

#[test]
fn dropping_the_handle_detaches() {
    let (sender, receiver) = mpsc::channel();
    drop(task::spawn(async move {
        task::yield_now().await;
        sender.send(()).unwrap();
    }));
    receiver.recv().unwrap();
}

#[test]
fn the_panic_of_a_task_reaches_who_awaits_it_and_the_worker_lives_on() {
    for _ in 0..64 {
        let handle = task::spawn(async { panic!("on purpose") });
        let panic = catch_unwind(AssertUnwindSafe(|| task::block_on(handle))).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"on purpose"));
    }
    assert_eq!(task::block_on(task::spawn(async { 1 })), 1);
}

/// Sends when it is dropped.
struct Dropped(mpsc::Sender<()>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.send(()).unwrap();
    }
}

#[test]
fn cancel_returns_when_the_future_is_gone() {
    let (sender, receiver) = mpsc::channel();
    let dropped = Dropped(sender);
    let handle = task::spawn(async move {
        let _dropped = dropped;
        pending::<()>().await;
    });
    assert_eq!(task::block_on(handle.cancel()), None);
    receiver.try_recv().unwrap();
}

#[test]
fn a_blocking_closure_runs_beside_the_tasks_and_is_no_task() {
    let (sender, receiver) = mpsc::channel();
    let job = task::spawn_blocking(move || {
        receiver.recv().unwrap();
        task::try_current().is_none()
    });
    let sent = task::block_on(task::spawn(async move { sender.send(()) }));
    sent.unwrap();
    assert!(task::block_on(job));
}

#[test]
fn the_handle_of_a_blocking_closure_has_a_task_of_its_own() {
    let (one, two) = (task::spawn_blocking(|| 1), task::spawn_blocking(|| 2));
    assert_ne!(one.task().id(), two.task().id());
    assert_eq!(one.task().id(), one.task().id());
    assert_eq!(one.task().name(), None);
}

#[test]
fn a_builder_names_its_task() {
    let named = || task::Builder::new().name("one".to_string());
    let name = async { task::current().name().map(str::to_owned) };
    assert_eq!(named().blocking(name).as_deref(), Some("one"));

    let (go, wait) = mpsc::channel::<()>();
    let handle = named().spawn(async move { wait.recv().unwrap() }).unwrap();
    assert_eq!(handle.task().name(), Some("one"));
    go.send(()).unwrap();
    task::block_on(handle);
}

#[test]
fn handles_can_be_named_stored_and_sent() {
    fn assert_send_sync_unpin<T: Send + Sync + Unpin + std::fmt::Debug>() {}
    assert_send_sync_unpin::<task::JoinHandle<String>>();

    struct Server {
        accepting: Option<task::JoinHandle<u32>>,
    }
    let mut server = Server {
        accepting: Some(task::spawn(async { 7 })),
    };
    assert_eq!(task::block_on(server.accepting.take().unwrap()), 7);
}

#[test]
fn sleep_is_never_early() {
    let begin = Instant::now();
    task::block_on(task::sleep(Duration::from_millis(20)));
    assert!(begin.elapsed() >= Duration::from_millis(20));
}

/// Counts its polls, and is ready at the third.
struct ThirdPoll(u32);

impl Future for ThirdPoll {
    type Output = u32;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u32> {
        self.0 += 1;
        if self.0 < 3 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.0)
    }
}

#[test]
fn a_future_is_polled_again_when_it_is_woken_during_the_poll() {
    assert_eq!(task::block_on(ThirdPoll(0)), 3);
    assert_eq!(task::block_on(task::spawn(ThirdPoll(0))), 3);
}

async_std::task_local! {
    /// Of each task.
    pub static COUNT: Cell<u32> = Cell::new(1);
    static WORD: Arc<str> = Arc::from("word");
}

#[test]
fn task_locals_belong_to_a_task() {
    task::block_on(async {
        COUNT.with(|count| count.set(2));
        let other = task::spawn(async { COUNT.with(Cell::get) });
        assert_eq!(other.await, 1);
        assert_eq!(COUNT.with(Cell::get), 2);
        assert_eq!(WORD.with(Arc::clone).as_ref(), "word");
    });
    assert!(COUNT.try_with(Cell::get).is_err());
}
