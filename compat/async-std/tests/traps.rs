//! Twenty traps for a reimplementation of async-std: what its users lean on beyond the names. Each is a test here; the
//! files beside this one have more on some of them.

use async_std::channel;
use async_std::fs::{self, File, OpenOptions};
use async_std::future;
use async_std::io::prelude::*;
use async_std::io::{self, SeekFrom};
use async_std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use async_std::path::{Path, PathBuf};
use async_std::prelude::*;
use async_std::stream;
use async_std::sync::{Arc, Mutex, MutexGuardArc, RwLock};
use async_std::task::{self, block_on};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, Instant};

// 1. Two signatures of `io::copy`; the other one is tested in io.rs, without the feature.

#[test]
fn copy_takes_values_and_references_with_unstable() {
    block_on(async {
        let mut written = Vec::new();
        io::copy(&b"by value, "[..], &mut written).await.unwrap();
        let (mut reader, writer): (&mut (dyn Read + Unpin), &mut (dyn Write + Unpin)) =
            (&mut &b"by reference"[..], &mut written);
        io::copy(&mut reader, writer).await.unwrap();
        assert_eq!(written, b"by value, by reference");
    });
}

// 2. Channels of both versions of async-channel, with types that are `Unpin`.

#[test]
fn channels_have_both_versions_methods_and_need_no_pinning() {
    fn assert_unpin<T: Unpin>(value: T) -> T {
        value
    }
    block_on(async {
        let (sender, mut receiver) = channel::bounded(1);
        assert_unpin(sender.send(1)).await.unwrap();
        assert_eq!(sender.force_send(2), Ok(Some(1)));
        assert_eq!(receiver.next().await, Some(2));
        assert!(
            assert_unpin(receiver.recv())
                .timeout(Duration::ZERO)
                .await
                .is_err()
        );
        drop(receiver);
        assert_unpin(sender.closed()).await;
    });
}

// 3. `block_on` in `block_on`, and whose tasks it runs.

#[test]
fn block_on_nests_and_the_outermost_one_runs_the_threads_local_tasks() {
    let local = block_on(async {
        let log = std::rc::Rc::new(RefCell::new(Vec::new()));
        let theirs = std::rc::Rc::clone(&log);
        let local = task::spawn_local(async move {
            // Inside a local task, and inside that on a worker.
            block_on(async { theirs.borrow_mut().push("local") });
            block_on(task::spawn(async { block_on(task::spawn(async { 1 })) }))
        });
        assert_eq!(local.await, 1);
        log.take()
    });
    assert_eq!(local, ["local"]);
}

#[test]
fn spawned_tasks_run_while_the_thread_that_spawned_them_blocks() {
    block_on(async {
        let (sender, receiver) = mpsc::channel();
        task::spawn(async move { sender.send(()).unwrap() });
        receiver.recv().unwrap();
    });
}

#[test]
fn a_spawned_task_may_spawn_a_local_one_where_it_runs() {
    let value = task::spawn(async {
        let (sender, receiver) = channel::bounded(1);
        task::spawn_local(
            async move { sender.send(std::rc::Rc::new(7).as_ref() + 1).await.unwrap() },
        );
        receiver.recv().await.unwrap()
    });
    assert_eq!(block_on(value), 8);
}

// 4. Errors with context.

#[test]
fn an_error_names_the_attempt_and_keeps_kind_and_cause() {
    block_on(async {
        let error = File::open("no/such").await.unwrap_err();
        assert_eq!(error.to_string(), "could not open `no/such`");
        assert_eq!(
            (error.kind(), error.raw_os_error()),
            (io::ErrorKind::NotFound, None)
        );
        let cause = error.source().unwrap().downcast_ref::<io::Error>().unwrap();
        assert_eq!(cause.raw_os_error(), Some(2));

        let error = TcpStream::connect("no such host.invalid:80")
            .await
            .unwrap_err();
        assert!(
            error.to_string().contains("no such host.invalid"),
            "{error}"
        );
        assert!(error.source().is_some());
    });
}

// 5. A file has one cursor for reads and writes.

#[test]
fn reading_and_writing_meet_at_one_cursor_and_a_drop_loses_nothing() {
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .open(&path)
            .await?;
        file.write_all(b"0123456789").await?;
        file.seek(SeekFrom::Start(2)).await?;
        let mut two = [0; 2];
        file.read_exact(&mut two).await?;
        assert_eq!(&two, b"23");
        // Not where reading ahead has come to, but behind what was read.
        file.write_all(b"ab").await?;
        (&file).read_exact(&mut two).await?;
        assert_eq!(&two, b"67");
        file.write_all(b"cd").await?;
        drop(file);
        assert_eq!(fs::read_to_string(&path).await?, "0123ab67cd");
        io::Result::Ok(())
    })
    .unwrap();
}

// 6. The attributes lead to this crate: attributes.rs has what else stands on the function.

#[async_std::test(an_argument_that_is_ignored)]
async fn a_test_is_a_task_of_this_crate() -> Result<(), &'static str> {
    parklet::task::try_current().map(drop).ok_or("it is not")
}

// 7. Constructors take plain closures; collecting goes by own traits.

#[test]
fn closures_are_plain_and_collecting_is_boxed() {
    block_on(async {
        let mut left = 2;
        let counting = stream::from_fn(|| {
            left -= 1;
            (left >= 0).then_some(left)
        });
        let collected: Vec<i32> = counting.collect().await;
        assert_eq!(collected, [1, 0]);
        let pairs: Option<HashMap<i32, char>> = stream::from_iter([Some((1, 'a'))]).collect().await;
        assert_eq!(pairs.unwrap()[&1], 'a');
        let boxed: std::pin::Pin<Box<dyn Future<Output = String> + Send>> =
            stream::once('a').collect();
        assert_eq!(boxed.await, "a");
    });
}

// 8. Adapters have names.

/// A type of a user's that names what it is made of.
#[allow(clippy::type_complexity, reason = "the names are the point")]
struct Named<'a> {
    mapped: stream::Map<stream::Take<stream::Repeat<u8>>, fn(u8) -> u8>,
    zipped: stream::Zip<
        stream::Skip<stream::Empty<()>>,
        stream::Chain<stream::Once<()>, stream::Once<()>>,
    >,
    filtered: stream::Filter<stream::FromIter<std::vec::IntoIter<u8>>, fn(&u8) -> bool>,
    merged: stream::Merge<stream::Fuse<stream::Pending<()>>, stream::StepBy<stream::Interval>>,
    lines: io::Lines<io::BufReader<io::Chain<&'a [u8], io::Take<io::Empty>>>>,
}

#[test]
fn a_struct_can_hold_adapters_by_name() {
    block_on(async {
        let text = &b"one\ntwo"[..];
        let mut named = Named {
            mapped: stream::repeat(1).take(2).map(|n| n + 1),
            zipped: stream::empty()
                .skip(1)
                .zip(stream::once(()).chain(stream::once(()))),
            filtered: stream::from_iter(vec![1, 2]).filter(|n| *n > 1),
            merged: stream::pending()
                .fuse()
                .merge(stream::interval(Duration::from_millis(1)).step_by(2)),
            lines: io::BufReader::new(text.chain(io::empty().take(1))).lines(),
        };
        assert_eq!(named.mapped.next().await, Some(2));
        assert_eq!(named.zipped.next().await, None);
        assert_eq!(named.filtered.next().await, Some(2));
        assert_eq!(named.merged.next().await, Some(()));
        assert_eq!(named.lines.next().await.unwrap().unwrap(), "one");
    });
}

// 9. Task-locals belong to a task.

thread_local! {
    /// What destructors have said on this thread.
    static SAID: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Says what it finds in another task-local when it is dropped.
struct Parting;

impl Drop for Parting {
    fn drop(&mut self) {
        let word = WORD.try_with(|word| word.borrow().clone());
        SAID.with(|said| said.borrow_mut().push(format!("{word:?}")));
    }
}

async_std::task_local! {
    static PARTING: Parting = Parting;
    static WORD: RefCell<String> = RefCell::new(String::from("unset"));
    static MADE: Cell<u32> = { SAID.with(|said| said.borrow_mut().push("made".into())); Cell::new(0) };
}

#[test]
fn task_locals_are_made_when_asked_for_and_there_for_each_others_destructors() {
    block_on(async {
        WORD.with(|word| *word.borrow_mut() = "set".into());
        PARTING.with(|_| ());
        assert!(
            SAID.with(|said| said.borrow().is_empty()),
            "nobody asked for it"
        );
        MADE.with(|made| made.set(1));
    });
    let said = SAID.with(RefCell::take);
    assert_eq!(said[0], "made");
    assert_eq!(
        said.len(),
        2,
        "each is dropped once, with its task: {said:?}"
    );
    assert!(catch_unwind(task::current).is_err(), "this is no task");
    assert!(task::try_current().is_none());
}

// 10. The number and the name of the workers; and they survive their tasks.

/// A process of its own that runs the test below with these variables: whether it succeeds, and all it says.
fn workers_with(count: &str, name: &str) -> (bool, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "--exact",
            "the_workers_of_this_process",
            "--ignored",
            "--nocapture",
        ])
        .env_remove("PARKLET_THREADS")
        .env("ASYNC_STD_THREAD_COUNT", count)
        .env("ASYNC_STD_THREAD_NAME", name);
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[test]
fn the_variables_say_how_many_workers_there_are_and_their_name() {
    for (count, name) in [("5", "bees"), ("1", "ants")] {
        let expected = format!("{count} are called {name}\n");
        // On a loaded machine others may have come to help before they were counted.
        let is_so = (0..10).any(|_| {
            let (succeeds, said) = workers_with(count, name);
            assert!(succeeds, "{said}");
            said.contains(&expected)
        });
        assert!(is_so, "never {expected}");
    }
}

#[test]
fn a_bad_number_of_workers_is_a_panic_that_quotes_it() {
    for bad in ["two", "0", "-1", ""] {
        let (succeeds, said) = workers_with(bad, "bees");
        assert!(
            !succeeds && said.contains("cannot spawn task") && said.contains(bad),
            "{said}"
        );
    }
}

/// Prints the workers of its process, for the tests above.
#[test]
#[ignore = "the tests above run it, in a process of its own"]
fn the_workers_of_this_process() {
    let expected = std::env::var("ASYNC_STD_THREAD_NAME").unwrap();
    let named_so = || {
        let threads = std::fs::read_dir("/proc/self/task").unwrap();
        let names = threads
            .filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("comm")).ok());
        names.filter(|name| name.trim() == expected).count()
    };
    drop(task::spawn(async {}));
    // A thread takes its name itself, after it was started.
    let count = std::env::var("ASYNC_STD_THREAD_COUNT")
        .unwrap()
        .parse()
        .unwrap();
    while named_so() < count {
        std::thread::yield_now();
    }
    println!("{} are called {expected}", named_so());
}

#[test]
fn a_worker_survives_a_task_that_panics() {
    let panics = (0..100).map(|_| task::spawn(async { panic!("on purpose") }));
    for handle in panics.collect::<Vec<_>>() {
        assert!(catch_unwind(AssertUnwindSafe(|| block_on(handle))).is_err());
    }
    assert_eq!(block_on(task::spawn(async { 1 })), 1);
}

// 11. `race` asks the left one first. That nothing clashes without `unstable` is tested in future.rs.

#[test]
fn race_takes_the_left_one_when_both_are_ready() {
    for _ in 0..100 {
        assert_eq!(block_on(future::ready(1).race(future::ready(2))), 1);
    }
}

// 12. Paths are own types that go everywhere.

#[test]
fn paths_of_both_kinds_go_where_paths_go() {
    async fn there_is(path: impl AsRef<Path>) -> bool {
        path.as_ref().exists().await
    }
    block_on(async {
        let std_path = std::path::PathBuf::from("src");
        let path: PathBuf = std_path.clone().into();
        assert!(there_is("src").await && there_is(&std_path).await && there_is(&path).await);
        assert!(std::fs::exists(&path).unwrap());
        let back: std::path::PathBuf = path.into();
        assert_eq!(back, std_path);
        let kept: std::fs::Metadata = fs::metadata("src").await.unwrap();
        assert!(kept.is_dir());
    });
}

// 13. Locks of async-lock 3, with guards that own them.

#[test]
fn guards_can_own_their_lock() {
    block_on(async {
        let mutex = Arc::new(Mutex::new(1));
        let guard: MutexGuardArc<i32> = mutex.lock_arc().await;
        assert_eq!(task::spawn(async move { *guard }).await, 1);
        let lock = Arc::new(RwLock::new(2));
        let guard = lock.read_arc().await;
        assert_eq!(task::spawn(async move { *guard }).await, 2);
        assert_eq!(*lock.upgradable_read().await, 2);
    });
}

// 14. All addresses are tried.

#[test]
fn connect_goes_through_all_addresses_and_datagrams_through_any() {
    block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        // Nobody can listen on port 0.
        let none = "127.0.0.1:0".parse().unwrap();
        assert!(TcpStream::connect(&[none, address][..]).await.is_ok());
        assert!(TcpStream::connect(&[address, none][..]).await.is_ok());
        assert!(TcpStream::connect(&[none][..]).await.is_err());
        assert!(TcpStream::connect(&[][..]).await.is_err());

        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let port = socket.local_addr().unwrap().port();
        socket.send_to(b"x", ("localhost", port)).await.unwrap();
        assert_eq!(socket.recv(&mut [0]).await.unwrap(), 1);
    });
}

// 15. The print macros are futures.

#[test]
fn printing_is_awaited() {
    fn assert_future<F: Future<Output = ()>>(future: F) -> F {
        future
    }
    block_on(assert_future(async_std::print!("{}", "")));
    block_on(assert_future(async_std::eprint!("")));
    block_on(async { async_std::println!("a {}", "line").await });
}

// 16. std's items by async-std's paths.

#[test]
fn stds_items_are_stds() {
    fn same<T>(_: Option<T>, _: Option<T>) {}
    same::<async_std::io::Error>(None, None::<std::io::Error>);
    same::<async_std::io::Result<async_std::io::ErrorKind>>(
        None,
        None::<std::io::Result<std::io::ErrorKind>>,
    );
    same::<async_std::net::SocketAddr>(None, None::<std::net::SocketAddr>);
    same::<async_std::sync::Arc<async_std::sync::Weak<()>>>(None, None::<Arc<std::sync::Weak<()>>>);
    same::<async_std::task::Poll<async_std::task::Waker>>(
        None,
        None::<std::task::Poll<std::task::Waker>>,
    );
    same::<async_std::pin::Pin<Box<()>>>(None, None::<std::pin::Pin<Box<()>>>);
    same::<async_std::path::Component<'_>>(None, None::<std::path::Component<'_>>);
    same::<async_std::fs::Permissions>(None, None::<std::fs::Permissions>);
    let ready = |polled| {
        async_std::task::ready!(polled);
        std::task::Poll::Ready(1)
    };
    assert!(ready(std::task::Poll::Ready(())).is_ready() && async_std::path::MAIN_SEPARATOR == '/');
}

// 17. Closing a socket only flushes it.

#[test]
fn the_peer_sees_the_end_after_a_shutdown_and_not_after_a_close() {
    use futures_util::io::AsyncWriteExt as _;
    block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut ours = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (mut theirs, _) = listener.accept().await.unwrap();
        ours.close().await.unwrap();
        assert!(
            theirs
                .read(&mut [0])
                .timeout(Duration::from_millis(20))
                .await
                .is_err(),
            "it saw the end"
        );
        WriteExt::write_all(&mut ours, b"x").await.unwrap();
        assert_eq!(theirs.read(&mut [0]).await.unwrap(), 1);
        ours.shutdown(Shutdown::Write).unwrap();
        assert_eq!(theirs.read(&mut [0]).await.unwrap(), 0);
    });
}

// 18. `cancel` waits until the future is gone.

#[test]
fn cancel_gives_what_a_finished_task_has_and_drops_what_an_unfinished_one_is() {
    block_on(async {
        let (done, finished) = channel::bounded(1);
        let handle = task::spawn_local(async move {
            done.try_send(()).unwrap();
            1
        });
        // It has finished before this task comes back: both run on this thread.
        finished.recv().await.unwrap();
        task::yield_now().await;
        assert_eq!(handle.cancel().await, Some(1));

        let held = Arc::new(());
        let theirs = Arc::clone(&held);
        let handle = task::spawn(async move {
            let _theirs = theirs;
            future::pending::<()>().await;
        });
        assert_eq!(handle.cancel().await, None);
        assert_eq!(Arc::strong_count(&held), 1);
    });
}

// 19. Times.

#[test]
fn an_interval_begins_with_a_period_and_no_duration_is_too_long() {
    block_on(async {
        let begin = Instant::now();
        let mut interval: stream::Interval = stream::interval(Duration::from_millis(20));
        interval.next().await;
        assert!(begin.elapsed() >= Duration::from_millis(20));
        assert_eq!(
            future::timeout(Duration::MAX, future::ready(1)).await,
            Ok(1)
        );
        assert_eq!(
            future::timeout(Duration::ZERO, future::ready(1)).await,
            Ok(1)
        );
        assert!(
            stream::interval(Duration::MAX)
                .next()
                .timeout(Duration::from_millis(1))
                .await
                .is_err()
        );
        assert!(
            task::sleep(Duration::MAX)
                .timeout(Duration::from_millis(1))
                .await
                .is_err()
        );
    });
}

// 20. A defect of the original that is not copied.

#[test]
fn after_a_panic_has_left_block_on_local_tasks_still_run() {
    let panic = catch_unwind(|| block_on(async { panic!("on purpose") }));
    assert!(panic.is_err());
    assert_eq!(block_on(async { task::spawn_local(async { 1 }).await }), 1);
}
