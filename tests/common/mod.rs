//! What several test programs need: a watchdog, a process of one's own, an event, a log, wakers and futures that count.

#![allow(dead_code, reason = "no test program uses all of it")]

#[path = "../own_process/mod.rs"]
pub(crate) mod own_process;

use parklet::io::{ReadExt, WriteExt};
use parklet::net::{TcpListener, TcpStream};
use parklet::task;
use std::fmt::Debug;
use std::future::{Future, poll_fn};
use std::io::Write;
use std::pin::Pin;
use std::process::{Stdio, abort};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ends the process if the test has not ended in time, since a hung test tells nobody which one it is.
#[must_use = "the watchdog sleeps when this is dropped"]
pub(crate) struct Watchdog {
    /// Dropped with this, which is what the thread waits for.
    _test_ended: mpsc::Sender<()>,
}

/// Watches the calling test.
pub(crate) fn watchdog() -> Watchdog {
    let (sender, receiver) = mpsc::channel::<()>();
    let test = test_name();
    thread::spawn(move || {
        if receiver.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            // Past the capture of the test's output, which an abort would lose.
            let _ = writeln!(std::io::stderr(), "test {test} hung for {PATIENCE:?}");
            abort();
        }
    });
    Watchdog {
        _test_ended: sender,
    }
}

/// The test harness runs each test on a thread of the test's name.
pub(crate) fn test_name() -> String {
    thread::current()
        .name()
        .expect("called on the test's own thread")
        .to_owned()
}

/// Runs `body` in a process of its own with the given environment, and fails if it does: for what depends on the number
/// of workers, or on what else the process does.
#[track_caller]
pub(crate) fn in_own_process(environment: &[(&str, &str)], body: impl FnOnce()) {
    let Some(mut process) = own_process::again(&test_name()) else {
        let _watchdog = watchdog();
        return body();
    };
    let output = process
        .env_remove("PARKLET_THREADS")
        .envs(environment.iter().copied())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "with {environment:?}: {}\n{said}",
        output.status
    );
}

/// Runs `body` in a process of its own for each of these numbers of workers.
#[track_caller]
pub(crate) fn with_workers<const N: usize>(counts: [usize; N], body: impl Fn()) {
    if own_process::again(&test_name()).is_none() {
        return in_own_process(&[], body);
    }
    for count in counts {
        in_own_process(&[("PARKLET_THREADS", &count.to_string())], &body);
    }
}

/// The names of the process's threads, in the order in which they were started.
pub(crate) fn thread_names() -> Vec<String> {
    let mut threads: Vec<(u32, String)> = std::fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(|entry| {
            let entry = entry.unwrap();
            // It may have ended since the directory was read.
            let name = std::fs::read_to_string(entry.path().join("comm")).ok()?;
            let number = entry.file_name().to_str()?.parse().ok()?;
            Some((number, name.trim_end().to_owned()))
        })
        .collect();
    threads.sort();
    threads.into_iter().map(|(_, name)| name).collect()
}

/// Something that happens once, to be awaited by tasks or by threads.
#[derive(Debug, Default, Clone)]
pub(crate) struct Event(Arc<Mutex<EventState>>);

#[derive(Debug, Default)]
struct EventState {
    /// Whether it has happened.
    happened: bool,
    /// Who waits for it.
    wakers: Vec<Waker>,
}

impl Event {
    /// Lets it happen.
    pub(crate) fn set(&self) {
        let mut state = self.0.lock().unwrap();
        state.happened = true;
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        for waker in wakers {
            waker.wake();
        }
    }

    /// Whether it has happened.
    pub(crate) fn is_set(&self) -> bool {
        self.0.lock().unwrap().happened
    }

    /// Waits for it in a task.
    pub(crate) async fn wait(&self) {
        poll_fn(|cx| {
            let mut state = self.0.lock().unwrap();
            if state.happened {
                return Poll::Ready(());
            }
            state.wakers.push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Blocks the thread until it happens, without any help of the runtime's.
    pub(crate) fn block(&self) {
        struct Unpark(thread::Thread);
        impl Wake for Unpark {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut wait = Box::pin(self.wait());
        while wait
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
        {
            thread::park();
        }
    }
}

/// What happened, in order.
#[derive(Debug, Default, Clone)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// Adds an entry.
    pub(crate) fn add(&self, entry: impl Into<String>) {
        self.0.lock().unwrap().push(entry.into());
    }

    /// Whether nothing was added since the last comparison.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().unwrap().is_empty()
    }

    /// All that was added since the last time.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// Compares it.
    #[track_caller]
    pub(crate) fn expect<S: AsRef<str> + Debug>(&self, entries: impl AsRef<[S]>) {
        let found = self.take();
        let expected: Vec<&str> = entries.as_ref().iter().map(AsRef::as_ref).collect();
        assert_eq!(found, expected);
    }
}

/// Calls a closure when it is dropped.
pub(crate) struct OnDrop<F: FnMut()>(pub(crate) F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Counts how many of its guards have been dropped.
#[derive(Debug, Default, Clone)]
pub(crate) struct Drops(Arc<AtomicUsize>);

impl Drops {
    /// Something to be dropped.
    pub(crate) fn guard(&self) -> impl Send + Sync + 'static {
        let count = Arc::clone(&self.0);
        OnDrop(move || {
            count.fetch_add(1, Ordering::SeqCst);
        })
    }

    /// How many have been dropped.
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// A waker that counts how often it is woken.
#[derive(Debug, Default)]
pub(crate) struct CountWakes(AtomicUsize);

impl Wake for CountWakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl CountWakes {
    /// The count, and a waker that raises it.
    pub(crate) fn new() -> (Arc<CountWakes>, Waker) {
        let count = Arc::new(CountWakes::default());
        let waker = Waker::from(Arc::clone(&count));
        (count, waker)
    }

    /// How often.
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Polls once.
pub(crate) fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

/// Polls once; what comes of it wakes the counter.
pub(crate) fn poll_with<F: Future>(
    future: Pin<&mut F>,
    wakes: &Arc<CountWakes>,
) -> Poll<F::Output> {
    poll_once(future, &Waker::from(Arc::clone(wakes)))
}

/// A future that waits, polled once, and who counts its wakes.
pub(crate) struct Waiter<F> {
    /// In a box, so that many of them can stand in a list.
    pub(crate) future: Pin<Box<F>>,
    /// What it leaves its waker for.
    pub(crate) wakes: Arc<CountWakes>,
}

impl<F: Future> Waiter<F> {
    #[track_caller]
    pub(crate) fn new(future: F) -> Waiter<F> {
        let mut waiter = Waiter {
            future: Box::pin(future),
            wakes: Arc::default(),
        };
        assert!(waiter.poll().is_pending());
        waiter
    }

    pub(crate) fn poll(&mut self) -> Poll<F::Output> {
        poll_with(self.future.as_mut(), &self.wakes)
    }

    /// What it waited for, for which it has been woken.
    #[track_caller]
    pub(crate) fn get(&mut self) -> F::Output {
        assert!(self.wakes.count() > 0, "it was not woken");
        let Poll::Ready(output) = self.poll() else {
            panic!("it still waits");
        };
        output
    }
}

/// Polls once; what comes of it wakes nobody.
pub(crate) fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    poll_once(future, Waker::noop())
}

/// The waker of whoever awaits this.
pub(crate) async fn own_waker() -> Waker {
    poll_fn(|cx| Poll::Ready(cx.waker().clone())).await
}

/// Returns `Pending` once, without asking to be woken.
pub(crate) async fn pend_once() {
    let mut has_pended = false;
    poll_fn(|_| {
        if std::mem::replace(&mut has_pended, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

/// A panic's message.
pub(crate) fn panic_message(payload: &(dyn std::any::Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .expect("the payload is a message")
}

/// A question over TCP and its answer, for which the server takes as long as `thinking`: sockets and spawning at work.
pub(crate) async fn serve_and_ask(thinking: impl Future<Output = ()> + Send + 'static) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = task::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut text = [0; 4];
        stream.read_exact(&mut text).await.unwrap();
        thinking.await;
        stream.write_all(&text).await.unwrap();
    });
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"ping").await.unwrap();
    let mut text = [0; 4];
    stream.read_exact(&mut text).await.unwrap();
    assert_eq!(&text, b"ping");
    server.await;
}
