//! `Async<T>` over real descriptors: nothing is lost, nobody is forgotten, nothing is left behind.

use std::fs;
use std::future::Future;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use parklet::future;
use parklet::io::{ReadExt, WriteExt};
use parklet::reactor::Async;
use parklet::task::{self, block_on};
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd};
use rustix::fs::{FileType, Mode};

use reactor_support::{HANGS, HandTask};

mod reactor_support;

/// Runs a future to its end.
fn run<T>(future: impl Future<Output = T>) -> T {
    block_on(future::timeout(HANGS, future)).expect("it hangs")
}

fn pair() -> (Async<UnixStream>, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    (Async::new(ours).unwrap(), theirs)
}

fn tcp_pair() -> (Async<TcpStream>, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let theirs = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (Async::new(listener.accept().unwrap().0).unwrap(), theirs)
}

fn pipe() -> (OwnedFd, OwnedFd) {
    rustix::pipe::pipe().unwrap()
}

/// Polls a read once.
fn poll_read<T>(io: &Async<T>, task: &HandTask) -> Poll<io::Result<usize>>
where
    for<'a> &'a T: Read,
{
    io.poll_read_with(&mut task.cx(), |mut io| io.read(&mut [0; 64]))
}

/// Returns when the reactor has taken in every event that had happened before the call: those of one wait may come in
/// any order, but not those of two.
fn let_events_arrive() {
    for _ in 0..2 {
        let (ours, mut theirs) = pair();
        let task = HandTask::new();
        assert!(poll_read(&ours, &task).is_pending());
        theirs.write_all(b"x").unwrap();
        run(ours.readable()).unwrap();
        task.wait_for_wake();
    }
}

#[test]
fn bytes_go_both_ways() {
    let (left, right) = UnixStream::pair().unwrap();
    let (left, right) = (Async::new(left).unwrap(), Async::new(right).unwrap());
    run(future::zip(
        async {
            let mut answer = [0; 4];
            (&left).read_exact(&mut answer).await.unwrap();
            assert_eq!(&answer, b"ping");
            (&left).write_all(b"pong").await.unwrap();
        },
        async {
            (&right).write_all(b"ping").await.unwrap();
            let mut answer = [0; 4];
            (&right).read_exact(&mut answer).await.unwrap();
            assert_eq!(&answer, b"pong");
        },
    ));
}

#[test]
fn more_than_the_kernel_holds_goes_through() {
    const LENGTH: usize = 8 << 20;
    let (left, right) = UnixStream::pair().unwrap();
    let (left, mut right) = (Async::new(left).unwrap(), Async::new(right).unwrap());
    let (_, received) = run(future::zip(
        async {
            (&left).write_all(&vec![7; LENGTH]).await.unwrap();
            left.get_ref().shutdown(Shutdown::Write).unwrap();
        },
        async {
            let mut received = Vec::new();
            right.read_to_end(&mut received).await.unwrap();
            received
        },
    ));
    assert_eq!(received.len(), LENGTH);
    assert!(received.iter().all(|&byte| byte == 7));
}

#[test]
fn data_and_end_that_arrive_together_are_both_seen() {
    for _ in 0..100 {
        let (ours, mut theirs) = tcp_pair();
        let task = HandTask::new();
        assert!(poll_read(&ours, &task).is_pending());

        theirs.write_all(b"hello").unwrap();
        theirs.shutdown(Shutdown::Write).unwrap();
        task.wait_for_wake();
        let mut all = Vec::new();
        run((&ours).read_to_end(&mut all)).unwrap();
        assert_eq!(all, b"hello");
    }
}

#[test]
fn a_reset_is_told_once_and_does_not_spin() {
    let (ours, theirs) = tcp_pair();
    // Unread input makes the close a reset.
    ours.get_ref().write_all(b"unread").unwrap();
    let task = HandTask::new();
    assert!(poll_read(&ours, &task).is_pending());
    drop(theirs);
    task.wait_for_wake();
    let error = run((&ours).read(&mut [0; 8])).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(run((&ours).read(&mut [0; 8])).unwrap(), 0);
}

#[test]
fn every_task_that_waits_in_one_direction_is_woken() {
    let (ours, mut theirs) = pair();
    let tasks: Vec<_> = (0..5).map(|_| HandTask::new()).collect();
    for task in &tasks {
        assert!(poll_read(&ours, task).is_pending());
    }
    run(future::zip(
        future::zip(
            async {
                ours.readable().await.unwrap();
            },
            async {
                ours.readable().await.unwrap();
            },
        ),
        async { theirs.write_all(b"x").unwrap() },
    ));
    for (number, task) in tasks.into_iter().enumerate() {
        assert_eq!(task.all_wakes(), 1, "task {number}");
    }
}

#[test]
fn a_task_that_polls_again_is_woken_once() {
    let (ours, mut theirs) = pair();
    let task = HandTask::new();
    for _ in 0..10 {
        assert!(poll_read(&ours, &task).is_pending());
        assert_eq!(task.wakers_kept(), 1);
    }
    theirs.write_all(b"x").unwrap();
    assert_eq!(task.all_wakes(), 1);
}

#[test]
fn a_wait_that_is_dropped_takes_its_waker_along() {
    let (ours, _theirs) = pair();
    let task = HandTask::new();
    {
        let mut readable = pin!(ours.readable());
        assert!(readable.as_mut().poll(&mut task.cx()).is_pending());
        let mut read = pin!(ours.read_with(|mut io| io.read(&mut [0; 8])));
        assert!(read.as_mut().poll(&mut task.cx()).is_pending());
        assert_eq!(task.wakers_kept(), 2);
    }
    assert_eq!(task.wakers_kept(), 0);
    assert_eq!(task.all_wakes(), 0);
}

#[test]
fn a_wait_that_moves_to_another_task_wakes_that_one() {
    let (ours, mut theirs) = pair();
    let (first, second) = (HandTask::new(), HandTask::new());
    let mut readable = pin!(ours.readable());
    assert!(readable.as_mut().poll(&mut first.cx()).is_pending());
    assert!(readable.as_mut().poll(&mut second.cx()).is_pending());
    assert_eq!(first.wakers_kept(), 0);
    theirs.write_all(b"x").unwrap();
    second.wait_for_wake();
    assert!(readable.as_mut().poll(&mut second.cx()).is_ready());
    assert_eq!((first.all_wakes(), second.all_wakes()), (0, 1));
}

#[test]
fn readable_asks_the_kernel_each_time() {
    let (ours, mut theirs) = pair();
    let pends = |when| {
        let_events_arrive();
        let task = HandTask::new();
        let mut readable = pin!(ours.readable());
        assert!(
            readable.as_mut().poll(&mut task.cx()).is_pending(),
            "{when}"
        );
        let_events_arrive();
        assert!(
            readable.as_mut().poll(&mut task.cx()).is_pending(),
            "{when}"
        );
    };
    pends("nothing was written");

    theirs.write_all(b"four").unwrap();
    for _ in 0..4 {
        // Reads behind the reactor's back, and less than is there.
        run(ours.readable()).unwrap();
        assert_eq!(ours.get_ref().read(&mut [0; 1]).unwrap(), 1);
    }
    pends("all was read");
}

#[test]
fn poll_readable_waits_for_what_comes_next() {
    let (ours, mut theirs) = pair();
    let task = HandTask::new();
    for _ in 0..3 {
        assert!(ours.poll_readable(&mut task.cx()).is_pending());
        let_events_arrive();
        assert!(
            ours.poll_readable(&mut task.cx()).is_pending(),
            "nothing came yet"
        );
        theirs.write_all(b"x").unwrap();
        task.wait_for_wake();
        assert!(ours.poll_readable(&mut task.cx()).is_ready());
        assert_eq!(ours.get_ref().read(&mut [0; 8]).unwrap(), 1);
    }
    assert_eq!(task.all_wakes(), 3);
}

#[test]
fn writable_waits_for_room() {
    let (ours, mut theirs) = pair();
    run(ours.writable()).unwrap();
    let mut filled = 0;
    while let Ok(written) = ours.get_ref().write(&[0; 4096]) {
        filled += written;
    }
    let task = HandTask::new();
    assert!(ours.poll_writable(&mut task.cx()).is_pending());
    let_events_arrive();
    assert!(
        ours.poll_writable(&mut task.cx()).is_pending(),
        "it is full"
    );

    theirs.read_exact(&mut vec![0; filled]).unwrap();
    task.wait_for_wake();
    assert!(ours.poll_writable(&mut task.cx()).is_ready());
    assert!(ours.get_ref().write(&[0]).is_ok());
}

#[test]
fn pipes_and_eventfds_work_like_sockets() {
    let (reader, writer) = pipe();
    let (reader, writer) = (Async::new(reader).unwrap(), Async::new(writer).unwrap());
    let read = |fd: &OwnedFd| Ok(rustix::io::read(fd, &mut [0; 8])?);
    let (read_bytes, ()) = run(future::zip(reader.read_with(read), async {
        let written = writer.write_with(|fd| Ok(rustix::io::write(fd, b"pipe")?));
        assert_eq!(written.await.unwrap(), 4);
    }));
    assert_eq!(read_bytes.unwrap(), 4);
    drop(writer);
    assert_eq!(
        run(reader.read_with(read)).unwrap(),
        0,
        "its writers are gone"
    );

    let counter = Async::new(eventfd(0, EventfdFlags::empty()).unwrap()).unwrap();
    let (count, ()) = run(future::zip(
        counter.read_with(|fd| {
            let mut count = [0; 8];
            rustix::io::read(fd, &mut count)?;
            Ok(u64::from_ne_bytes(count))
        }),
        async {
            rustix::io::write(counter.get_ref(), &5_u64.to_ne_bytes()).unwrap();
        },
    ));
    assert_eq!(count.unwrap(), 5);
}

#[test]
fn a_fifo_that_gets_a_new_writer_is_waited_for_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &path, FileType::Fifo, Mode::RWXU, 0).unwrap();
    let open = |writes: bool| {
        fs::OpenOptions::new()
            .read(!writes)
            .write(writes)
            .custom_flags(if writes { 0 } else { 0o4000 })
            .open(&path)
            .unwrap()
    };

    let reader = Async::new(open(false)).unwrap();
    let mut writer = open(true);
    writer.write_all(b"first").unwrap();
    drop(writer);
    let mut all = Vec::new();
    run((&reader).read_to_end(&mut all)).unwrap();
    assert_eq!(all, b"first");

    // The kernel said "closed" before, and would say EAGAIN now.
    let mut writer = open(true);
    let task = HandTask::new();
    assert!(poll_read(&reader, &task).is_pending());
    writer.write_all(b"second").unwrap();
    task.wait_for_wake();
    assert!(matches!(poll_read(&reader, &task), Poll::Ready(Ok(6))));
}

#[test]
fn a_closed_descriptor_leaves_nothing_behind() {
    let (ours, mut theirs) = pair();
    let inode = inode_of(&ours);
    let (task, late) = (HandTask::new(), HandTask::new());
    assert!(poll_read(&ours, &task).is_pending());
    assert_eq!(registrations_of(inode), 1);

    // A second number for the same socket would keep it in the set, had it not been taken out.
    let duplicate = ours.get_ref().try_clone().unwrap();
    drop(ours);
    assert_eq!(registrations_of(inode), 0);
    assert_eq!(task.all_wakes(), 1, "who waited learns that it is gone");

    let duplicate = Async::new(duplicate).unwrap();
    assert!(poll_read(&duplicate, &late).is_pending());
    theirs.write_all(b"x").unwrap();
    assert_eq!(late.all_wakes(), 1);
}

/// How many entries of the process's epoll sets are for the file with this inode number.
fn registrations_of(inode: u64) -> usize {
    let mut registrations = 0;
    let wanted = format!("ino:{inode:x} ");
    for fd in fs::read_dir("/proc/self/fd").unwrap() {
        let fd = fd.unwrap();
        let is_set = |target: std::path::PathBuf| target.as_os_str() == "anon_inode:[eventpoll]";
        if fs::read_link(fd.path()).is_ok_and(is_set) {
            let fdinfo = format!("/proc/self/fdinfo/{}", fd.file_name().display());
            let entries = fs::read_to_string(fdinfo).unwrap_or_default();
            let entries = entries.lines().filter(|line| line.starts_with("tfd:"));
            registrations += entries.filter(|line| line.contains(&wanted)).count();
        }
    }
    registrations
}

/// The number by which the kernel knows the file, whatever descriptors there are.
fn inode_of(io: impl AsFd) -> u64 {
    let owner = io.as_fd().try_clone_to_owned().unwrap();
    fs::File::from(owner).metadata().unwrap().ino()
}

#[test]
fn a_connection_is_registered_when_it_first_has_to_wait() {
    run(async {
        let listener = parklet::net::TcpListener::bind("127.0.0.1:0")
            .await
            .unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        let inode = inode_of(&server);

        client.write_all(b"question").unwrap();
        wait_without_reactor(&server);
        assert_eq!(server.read(&mut [0; 64]).await.unwrap(), 8);
        server.write_all(b"answer").await.unwrap();
        assert_eq!(registrations_of(inode), 0, "it never waited");

        // What comes before it is registered counts too: the rest of a half-closed connection, here.
        client.write_all(b"more").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        wait_without_reactor(&server);
        assert_eq!(server.read(&mut [0; 64]).await.unwrap(), 4);
        assert_eq!(registrations_of(inode), 1);
        assert_eq!(server.read(&mut [0; 64]).await.unwrap(), 0);
        drop(server);
        assert_eq!(registrations_of(inode), 0);
    });
}

/// Returns when a read would find something.
fn wait_without_reactor(io: impl AsFd) {
    let mut io = [PollFd::new(&io, PollFlags::IN)];
    assert_eq!(rustix::event::poll(&mut io, None).unwrap(), 1);
}

#[test]
fn a_reused_number_gets_no_stale_event() {
    let mut reused = 0;
    for round in 0..500 {
        let (ours, mut theirs) = pair();
        let former = HandTask::new();
        assert!(poll_read(&ours, &former).is_pending());
        let number = ours.as_raw_fd();
        theirs.write_all(b"x").unwrap();
        drop(ours);

        // Takes the lowest free number, which is usually that one, and the source that was put back last.
        let (heir, _theirs) = pair();
        reused += usize::from(heir.as_raw_fd() == number);
        let task = HandTask::new();
        assert!(poll_read(&heir, &task).is_pending());
        if round % 50 == 0 {
            let_events_arrive();
        }
        assert!(poll_read(&heir, &task).is_pending());
        assert_eq!(task.wakes(), 0, "round {round}");
    }
    assert!(reused > 0, "no number was ever reused");
}

#[test]
fn what_cannot_be_waited_for_is_refused_by_name() {
    let file = tempfile::tempfile().unwrap();
    let number = file.as_raw_fd();
    let error = Async::new(file).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    let message = error.to_string();
    let expected = format!("cannot wait for events of descriptor {number}: ");
    assert!(message.starts_with(&expected), "{message}");
}

#[test]
fn a_descriptor_is_registered_once_at_a_time() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let ours = Arc::new(ours);
    let first = Async::new(Arc::clone(&ours)).unwrap();
    let second = Async::new(Arc::clone(&ours)).unwrap_err();
    assert_eq!(second.kind(), io::ErrorKind::AlreadyExists);

    drop(first.into_inner().unwrap());
    let again = Async::new(ours).unwrap();
    theirs.write_all(b"x").unwrap();
    run(again.readable()).unwrap();
    assert_eq!(
        again
            .into_inner()
            .unwrap()
            .as_ref()
            .read(&mut [0; 8])
            .unwrap(),
        1
    );
}

#[test]
fn an_operation_that_was_interrupted_is_made_again() {
    let (ours, _theirs) = pair();
    let mut calls = 0;
    let result = run(ours.read_with(|_| {
        calls += 1;
        match calls {
            1 => Err(io::ErrorKind::Interrupted.into()),
            calls => Ok(calls),
        }
    }));
    assert_eq!(result.unwrap(), 2);
}

#[test]
fn closing_flushes_and_does_not_shut_down() {
    let (mut ours, mut theirs) = pair();
    run(ours.close()).unwrap();
    run((&ours).write_all(b"still open")).unwrap();
    let mut received = [0; 10];
    theirs.read_exact(&mut received).unwrap();
    assert_eq!(&received, b"still open");
}

#[test]
fn a_busy_descriptor_lets_its_neighbours_run() {
    // Always readable, so that a task which reads it never has to wait.
    let zeros = Async::new(UnixStream::pair().unwrap().0).unwrap();
    let stopped = Arc::new(AtomicUsize::new(0));
    let neighbour = Arc::clone(&stopped);
    run(async move {
        let neighbour = task::spawn_local(async move { neighbour.store(1, Ordering::SeqCst) });
        while stopped.load(Ordering::SeqCst) == 0 {
            // The other end is closed: at the end, again and again.
            assert_eq!((&zeros).read(&mut [0; 8]).await.unwrap(), 0);
        }
        neighbour.await;
    });
}

#[test]
fn events_reach_other_executors() {
    use futures_lite::future::block_on;

    let (ours, mut theirs) = pair();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| block_on((&ours).read(&mut [0; 8])).unwrap());
        theirs.write_all(b"hello").unwrap();
        assert_eq!(reader.join().unwrap(), 5);
    });
}

#[test]
fn other_executors_are_served_while_parklets_only_thread_is_stuck() {
    // Nothing is spawned: the only thread of ours blocks, in the middle of its `block_on`, on one that is not ours.
    block_on(async {
        let stranger = std::thread::spawn(|| {
            let (ours, mut theirs) = pair();
            futures_lite::future::block_on(async {
                std::thread::spawn(move || {
                    let mut byte = [0];
                    while theirs.read(&mut byte).unwrap() == 1 {
                        theirs.write_all(&byte).unwrap();
                    }
                });
                for _ in 0..100 {
                    (&ours).write_all(b"x").await.unwrap();
                    (&ours).read_exact(&mut [0]).await.unwrap();
                }
            });
        });
        stranger.join().unwrap();
    });
}
