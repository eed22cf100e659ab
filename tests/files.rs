//! Files: one cursor, and nothing lost or written twice, whatever is dropped midway.

mod common;

use common::own_process::again;
use common::{in_own_process, watchdog};
use futures_lite::future::{poll_once, zip};
use parklet::fs::{File, OpenOptions};
use parklet::io::{ErrorKind, SeekFrom, Write, prelude::*};
use parklet::task::{block_on, spawn, spawn_blocking, yield_now};
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use std::error::Error as _;
use std::fs;
use std::io::{Read as _, Seek as _, Write as _};
use std::os::fd::{AsFd, AsRawFd, IntoRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};

/// A path where nothing is yet, in a folder that goes with the first value.
fn nothing() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    (folder, path)
}

/// A file with these bytes.
fn with(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let (folder, path) = nothing();
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// To be read and written.
async fn open(path: &PathBuf) -> File {
    let options = File::options().read(true).write(true).open(path);
    options.await.unwrap()
}

/// A named pipe, at whose other end std holds it open, too: reads wait for bytes, and writes for room.
fn pipe() -> (tempfile::TempDir, PathBuf, fs::File) {
    let (folder, path) = nothing();
    mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let mut options = fs::File::options();
    let end = options.read(true).write(true).open(&path).unwrap();
    (folder, path, end)
}

/// Fills a pipe, so that a write has to wait; gives how much fits.
fn fill(pipe: &PathBuf) -> usize {
    let mut options = fs::File::options();
    let not_waiting = OFlags::NONBLOCK.bits().cast_signed();
    options.read(true).write(true).custom_flags(not_waiting);
    let mut pipe = options.open(pipe).unwrap();
    let mut size = 0;
    while let Ok(written) = pipe.write(&[b'.'; 4096]) {
        size += written;
    }
    size
}

/// Takes what [`fill`] put there.
fn drain(end: &fs::File, size: usize) {
    let mut end = end;
    let mut filling = vec![0; size];
    end.read_exact(&mut filling).unwrap();
    assert!(filling.iter().all(|&byte| byte == b'.'));
}

/// A task by hand: a waker, and where one waits until it is woken.
struct ByHand {
    waker: Waker,
    woken: mpsc::Receiver<()>,
}

impl ByHand {
    fn new() -> ByHand {
        struct Bell(mpsc::Sender<()>);
        impl Wake for Bell {
            fn wake(self: Arc<Self>) {
                let _ = self.0.send(());
            }
        }
        let (sender, woken) = mpsc::channel();
        let waker = Waker::from(Arc::new(Bell(sender)));
        ByHand { waker, woken }
    }

    fn write(&self, mut file: &File, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut file).poll_write(&mut Context::from_waker(&self.waker), bytes)
    }

    /// The same, from the second poll on.
    fn finish_write(&self, file: &File, bytes: &[u8]) -> std::io::Result<usize> {
        loop {
            self.woken.recv().unwrap();
            if let Poll::Ready(result) = self.write(file, bytes) {
                return result;
            }
        }
    }
}

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1);
        (self.0 >> 33) % end
    }

    fn bytes(&mut self, most: u64) -> Vec<u8> {
        let length = 1 + self.below(most);
        (0..length).map(|_| self.below(256) as u8).collect()
    }
}

#[test]
fn what_write_returned_from_is_in_the_file() {
    block_on(async {
        let (_folder, path) = nothing();
        let mut file = File::create(&path).await.unwrap();
        for length in 1..=50 {
            file.write_all(b"x").await.unwrap();
            assert_eq!(fs::read(&path).unwrap().len(), length);
        }
    });
}

#[test]
fn more_than_one_job_writes_or_reads_comes_whole() {
    block_on(async {
        let (_folder, path) = nothing();
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|byte| (byte % 251) as u8).collect();
        File::create(&path)
            .await
            .unwrap()
            .write_all(&bytes)
            .await
            .unwrap();
        assert!(fs::read(&path).unwrap() == bytes);
        let mut file = File::open(&path).await.unwrap();
        let mut read = vec![0; bytes.len()];
        file.read_exact(&mut read).await.unwrap();
        assert!(read == bytes);
        assert_eq!(file.read(&mut read).await.unwrap(), 0);
    });
}

/// Whatever is called in whatever order, and dropped midway, gives what std gives on a file of its own.
#[test]
fn any_sequence_of_calls_does_what_stds_file_does() {
    for seed in 0..20 {
        let mut numbers = Numbers(seed);
        let bytes = numbers.bytes(300_000);
        let ((_ours, our_path), (_theirs, their_path)) = (with(&bytes), with(&bytes));
        let mut options = fs::File::options();
        let mut std = options.read(true).write(true).open(&their_path).unwrap();
        block_on(async {
            let mut file = open(&our_path).await;
            // A call that was dropped may be under way; a write would wait for it, and dropped then, not begin.
            let mut may_be_busy = false;
            for step in 0..300 {
                let at = format!("seed {seed}, step {step}");
                match numbers.below(9) {
                    0..3 => {
                        let magnitude = numbers.below(16);
                        let mut buf = vec![0; 1 + numbers.below(1 << magnitude) as usize];
                        // Perhaps dropped midway, as often as one likes.
                        let mut read = poll_once(file.read(&mut buf)).await;
                        for _ in 0..numbers.below(3) {
                            if read.is_none() {
                                read = poll_once(file.read(&mut buf)).await;
                            }
                        }
                        if read.is_none() && numbers.below(4) > 0 {
                            read = Some(file.read(&mut buf).await);
                        }
                        may_be_busy = read.is_none();
                        let Some(read) = read else { continue };
                        let read = read.unwrap();
                        let mut expected = vec![0; read.max(1)];
                        let found = std.read(&mut expected).unwrap();
                        assert!(found == read && buf[..read] == expected[..read], "{at}");
                    }
                    3..5 => {
                        let bytes = numbers.bytes(20_000);
                        let mut written = if may_be_busy {
                            Some(file.write(&bytes).await)
                        } else {
                            poll_once(file.write(&bytes)).await
                        };
                        may_be_busy = false;
                        if written.is_none() {
                            match numbers.below(4) {
                                0 => file.flush().await.unwrap(),
                                1 => may_be_busy = true,
                                2 => written = Some(file.write(&bytes).await),
                                _ => {
                                    // A longer one that begins with it.
                                    let longer = [&bytes[..], b"and more"].concat();
                                    file.write_all(&longer).await.unwrap();
                                    std.write_all(&longer).unwrap();
                                    continue;
                                }
                            }
                        }
                        if let Some(written) = written {
                            assert_eq!(written.unwrap(), bytes.len());
                        }
                        std.write_all(&bytes).unwrap();
                    }
                    5 => {
                        let there = std.metadata().unwrap().len();
                        let to = match numbers.below(4) {
                            0 => SeekFrom::Start(numbers.below(400_000)),
                            1 => SeekFrom::End(numbers.below(1000) as i64 - 900),
                            2 => SeekFrom::Current(numbers.below(there + 1) as i64 - 100_000),
                            _ => SeekFrom::Current(numbers.below(100) as i64 - 50),
                        };
                        may_be_busy = false;
                        let ours = file.seek(to).await.map_err(|error| error.kind());
                        let theirs = std.seek(to).map_err(|error| error.kind());
                        assert_eq!(ours, theirs, "{at}, {to:?}");
                    }
                    6 => {
                        let ours = file.seek(SeekFrom::Current(0)).await;
                        assert_eq!(ours.unwrap(), std.stream_position().unwrap(), "{at}");
                    }
                    7 if numbers.below(5) == 0 => {
                        let size = numbers.below(400_000);
                        file.set_len(size).await.unwrap();
                        std.set_len(size).unwrap();
                    }
                    _ => {
                        let ours = file.metadata().await.unwrap().len();
                        // A write that was dropped may not have ended.
                        if ours != std.metadata().unwrap().len() {
                            file.flush().await.unwrap();
                            let ours = file.metadata().await.unwrap().len();
                            assert_eq!(ours, std.metadata().unwrap().len(), "{at}");
                        }
                    }
                }
            }
            file.flush().await.unwrap();
        });
        assert!(fs::read(our_path).unwrap() == fs::read(their_path).unwrap());
    }
}

#[test]
fn a_read_that_is_dropped_midway_loses_nothing() {
    let _watchdog = watchdog();
    let (_folder, path, mut end) = pipe();
    block_on(async {
        let mut file = open(&path).await;
        let mut buf = [0; 5];
        for _ in 0..3 {
            assert!(poll_once(file.read(&mut buf)).await.is_none());
        }
        end.write_all(b"hello, world").unwrap();
        file.read_exact(&mut buf).await.unwrap();
        assert_eq!(&buf, b"hello");
        // The first read asks for no more than that, the second one reads all there is.
        file.read_exact(&mut buf[..1]).await.unwrap();
        // What was read ahead of a pipe cannot be put back, and is still there after a write.
        let (written, _) = zip(file.clone().write(b"!"), async {}).await;
        assert_eq!(written.unwrap(), 1);
        let mut rest = [0; 7];
        file.read_exact(&mut rest).await.unwrap();
        assert_eq!(&rest, b" world!");
    });
}

#[test]
fn a_write_that_is_dropped_midway_and_repeated_is_written_once() {
    let _watchdog = watchdog();
    let (_folder, path, mut end) = pipe();
    let size = fill(&path);
    block_on(async {
        let mut file = open(&path).await;
        assert!(poll_once(file.write(b"once")).await.is_none());
        assert!(poll_once(file.write(b"once")).await.is_none());
        drain(&end, size);
        file.write_all(b"once, and more").await.unwrap();
        // The next write is another one, though it has the same bytes.
        file.write_all(b" and more").await.unwrap();
    });
    let mut found = [0; 23];
    end.read_exact(&mut found).unwrap();
    assert_eq!(&found, b"once, and more and more");
}

#[test]
fn a_write_that_is_dropped_midway_counts_as_done_after_anything_else() {
    let _watchdog = watchdog();
    let (_folder, path, mut end) = pipe();
    block_on(async {
        let mut file = open(&path).await;
        let size = fill(&path);
        assert!(poll_once(file.write(b"one")).await.is_none());
        drain(&end, size);
        file.flush().await.unwrap();
        file.write_all(b"one").await.unwrap();

        let size = {
            let mut found = [0; 6];
            end.read_exact(&mut found).unwrap();
            assert_eq!(&found, b"oneone");
            fill(&path)
        };
        assert!(poll_once(file.write(b"one")).await.is_none());
        drain(&end, size);
        file.write_all(b"two").await.unwrap();
        file.write_all(b"one").await.unwrap();
        let mut found = [0; 9];
        end.read_exact(&mut found).unwrap();
        assert_eq!(&found, b"onetwoone");
    });
}

#[test]
fn each_of_two_tasks_gets_the_result_of_its_own_write() {
    let _watchdog = watchdog();
    let (_folder, path, mut end) = pipe();
    let file = block_on(open(&path));
    let size = fill(&path);
    let (one, two) = (ByHand::new(), ByHand::new());
    assert!(one.write(&file, b"one").is_pending());
    assert!(two.write(&file, b"second").is_pending());
    drain(&end, size);
    // The second is quicker: it finds the first one's result, and must neither take it nor throw it away.
    assert_eq!(two.finish_write(&file, b"second").unwrap(), 6);
    let Poll::Ready(result) = one.write(&file, b"one") else {
        panic!("the first one is written again");
    };
    assert_eq!(result.unwrap(), 3);
    // Both may write the same again.
    for (task, bytes) in [(&one, &b"one"[..]), (&two, b"second")] {
        if task.write(&file, bytes).is_pending() {
            assert_eq!(task.finish_write(&file, bytes).unwrap(), bytes.len());
        }
    }
    let mut found = [0; 18];
    end.read_exact(&mut found).unwrap();
    assert_eq!(&found, b"onesecondonesecond");
}

#[test]
fn a_write_takes_no_part_of_its_own_from_another_task() {
    let _watchdog = watchdog();
    let (_folder, path, mut end) = pipe();
    let file = block_on(open(&path));
    let size = fill(&path);
    let (one, two) = (ByHand::new(), ByHand::new());
    assert!(one.write(&file, b"one").is_pending());
    assert!(two.write(&file, b"one line").is_pending());
    drain(&end, size);
    assert_eq!(two.finish_write(&file, b"one line").unwrap(), 8);
    let Poll::Ready(result) = one.write(&file, b"one") else {
        panic!("the first one is written again");
    };
    assert_eq!(result.unwrap(), 3);
    let mut found = [0; 11];
    end.read_exact(&mut found).unwrap();
    assert_eq!(&found, b"oneone line");
}

#[test]
fn two_clones_write_at_the_same_time_in_one_task() {
    let _watchdog = watchdog();
    let (_folder, path, mut end) = pipe();
    block_on(async {
        let mut file = open(&path).await;
        let mut clone = file.clone();
        let size = fill(&path);
        let other = async {
            yield_now().await;
            // The write below is under way; this one will be the first to see its end, and begin.
            assert!(poll_once(clone.write(b"other")).await.is_none());
            drain(&end, size);
            clone.write_all(b"other").await.unwrap();
        };
        zip(other, async { file.write_all(b"one").await.unwrap() }).await;
        file.write_all(b"!").await.unwrap();
    });
    let mut found = [0; 9];
    end.read_exact(&mut found).unwrap();
    assert_eq!(&found, b"oneother!");
}

#[test]
fn many_tasks_write_through_one_file_each_line_once() {
    const TASKS: usize = 16;
    const LINES: usize = 60;
    let _watchdog = watchdog();
    for is_cloned in [false, true] {
        let (_folder, path) = nothing();
        block_on(async {
            let file = Arc::new(File::create(&path).await.unwrap());
            let tasks: Vec<_> = (0..TASKS)
                .map(|task| {
                    let file = Arc::clone(&file);
                    spawn(async move {
                        let mut clone = File::clone(&file);
                        for line in 0..LINES {
                            let line = format!("{task} {line} {}\n", "-".repeat(line));
                            let written = if is_cloned {
                                clone.write(line.as_bytes()).await
                            } else {
                                (&*file).write(line.as_bytes()).await
                            };
                            assert_eq!(written.unwrap(), line.len());
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await;
            }
        });
        let text = fs::read_to_string(&path).unwrap();
        let mut next = [0; TASKS];
        for line in text.lines() {
            let words: Vec<_> = line.split(' ').collect();
            let task: usize = words[0].parse().unwrap();
            assert_eq!(words[1], next[task].to_string());
            assert_eq!(words[2], "-".repeat(next[task]));
            next[task] += 1;
        }
        assert_eq!(next, [LINES; TASKS]);
    }
}

#[test]
fn two_halves_are_polled_from_two_tasks() {
    let _watchdog = watchdog();
    let (_folder, path) = with(&[7; 100_000]);
    block_on(async {
        let file = Arc::new(open(&path).await);
        // Each byte is either read or overwritten, since there is one cursor.
        let reader = spawn({
            let file = Arc::clone(&file);
            async move {
                let mut read = 0;
                let mut buf = [0; 900];
                loop {
                    match (&*file).read(&mut buf).await.unwrap() {
                        0 => return read,
                        length => read += length,
                    }
                }
            }
        });
        let mut written = 0;
        while written < 20_000 {
            (&*file).write_all(&[9; 100]).await.unwrap();
            written += 100;
        }
        let read = reader.await;
        let bytes = fs::read(&path).unwrap();
        let nines = bytes.iter().filter(|&&byte| byte == 9).count();
        assert_eq!(nines, 20_000);
        let place = (&*file).seek(SeekFrom::Current(0)).await.unwrap();
        assert_eq!(place, (read + written) as u64);
    });
}

#[test]
fn a_failed_write_is_reported_once_at_whatever_comes_next() {
    type Call = fn(&mut File) -> Pin<Box<dyn Future<Output = std::io::Result<()>> + '_>>;
    let calls: [(&str, Call); 8] = [
        ("write", |file| {
            Box::pin(async { file.write(b"other").await.map(drop) })
        }),
        ("read", |file| {
            Box::pin(async { file.read(&mut [0]).await.map(drop) })
        }),
        ("flush", |file| Box::pin(file.flush())),
        ("close", |file| Box::pin(file.close())),
        ("seek", |file| {
            Box::pin(async { file.seek(SeekFrom::Current(0)).await.map(drop) })
        }),
        ("sync_all", |file| Box::pin(file.sync_all())),
        ("sync_data", |file| Box::pin(file.sync_data())),
        ("set_len", |file| Box::pin(file.set_len(1))),
    ];
    block_on(async {
        for (name, call) in calls {
            let mut file = open(&"/dev/full".into()).await;
            if poll_once(file.write(b"much")).await.is_none() {
                let error = call(&mut file).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::StorageFull, "{name}");
                assert_eq!(
                    error.to_string(),
                    "cannot write to \"/dev/full\": No space left on device (os error 28)"
                );
            }
            file.flush().await.unwrap();
            let error = file.write(b"much").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::StorageFull);
            file.flush().await.unwrap();
        }
    });
}

#[test]
fn a_failed_write_that_nobody_asked_for_is_said_on_the_standard_error() {
    let name = "a_failed_write_that_nobody_asked_for_is_said_on_the_standard_error";
    if let Some(mut test) = again(name) {
        let output = test.stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let line = "parklet: cannot write to \"/dev/full\": No space left on device (os error 28), after its write was dropped";
        assert!(output.status.success(), "{said}");
        assert_eq!(
            said.lines().filter(|said| *said == line).count(),
            2,
            "{said}"
        );
        return;
    }
    block_on(async {
        for is_taken_apart in [false, true] {
            let mut file = open(&"/dev/full".into()).await;
            while poll_once(file.write(b"much")).await.is_some() {}
            let number = file.as_raw_fd();
            let duplicate = is_taken_apart.then(|| OwnedFd::from(file.clone()));
            drop(file);
            // It is a device, for which nobody waits: the pool says it, and then closes the file.
            while fs::read_link(format!("/proc/self/fd/{number}")).is_ok() {
                std::thread::yield_now();
            }
            drop(duplicate);
        }
    });
}

#[test]
fn dropping_the_last_handle_waits_for_the_write() {
    let _watchdog = watchdog();
    block_on(async {
        for round in 0..100 {
            let (_folder, path) = nothing();
            let mut file = File::create(&path).await.unwrap();
            let clone = file.clone();
            drop(poll_once(file.write(&[round; 100_000])).await);
            drop(file);
            drop(clone);
            assert_eq!(fs::read(&path).unwrap(), [round; 100_000]);
        }
    });
}

#[test]
fn dropping_the_last_handle_writes_though_the_pool_has_no_thread_left() {
    in_own_process(&[], || {
        let (go, waits) = mpsc::channel::<()>();
        let waits = Arc::new(std::sync::Mutex::new(waits));
        let (started, starts) = mpsc::channel();
        for _ in 0..512 {
            let (waits, started) = (Arc::clone(&waits), started.clone());
            spawn_blocking(move || {
                started.send(()).unwrap();
                let _ = waits.lock().unwrap().recv();
            });
        }
        for _ in 0..512 {
            starts.recv().unwrap();
        }
        let (_folder, path) = nothing();
        let mut file = File::from(fs::File::create(&path).unwrap());
        assert!(block_on(poll_once(file.write(b"written"))).is_none());
        assert_eq!(fs::read(&path).unwrap(), b"");
        drop(file);
        assert_eq!(fs::read(&path).unwrap(), b"written");

        // The same on the way to std's, after which a clone writes: the pool's threads, when there are some again, do
        // that write and not the first once more.
        let mut file = File::from(fs::File::create(&path).unwrap());
        let mut clone = file.clone();
        assert!(block_on(poll_once(file.write(b"one"))).is_none());
        fs::File::try_from(file).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert!(block_on(poll_once(clone.write(b"two"))).is_none());
        drop(go);
        assert_eq!(block_on(clone.write(b"two")).unwrap(), 3);
        assert_eq!(fs::read(&path).unwrap(), b"onetwo");
    });
}

#[test]
fn dropping_a_pipe_does_not_wait_and_the_write_goes_on() {
    let _watchdog = watchdog();
    let (_folder, path, mut end) = pipe();
    let size = fill(&path);
    block_on(async {
        let mut file = open(&path).await;
        assert!(poll_once(file.write(b"late")).await.is_none());
    });
    drain(&end, size);
    let mut found = [0; 4];
    end.read_exact(&mut found).unwrap();
    assert_eq!(&found, b"late");
}

#[test]
fn the_end_of_a_file_is_not_permanent() {
    block_on(async {
        let (_folder, path) = with(b"data");
        let mut file = File::open(&path).await.unwrap();
        let mut text = String::new();
        for expected in ["data", "more", ""] {
            text.clear();
            file.read_to_string(&mut text).await.unwrap();
            assert_eq!(text, expected);
            assert_eq!(file.read(&mut [0]).await.unwrap(), 0);
            let mut options = fs::File::options();
            let mut other = options.append(true).open(&path).unwrap();
            if expected == "data" {
                other.write_all(b"more").unwrap();
            }
        }
    });
}

#[test]
fn a_file_that_is_cut_is_not_read_beyond_its_end() {
    block_on(async {
        let (_folder, path) = with(&[1; 50_000]);
        let mut file = open(&path).await;
        let mut buf = [0; 100];
        for _ in 0..3 {
            file.read_exact(&mut buf).await.unwrap();
        }
        file.set_len(350).await.unwrap();
        let mut rest = Vec::new();
        file.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, [1; 50]);
        file.set_len(360).await.unwrap();
        file.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest[50..], [0; 10]);
    });
}

#[test]
fn writes_that_append_go_to_the_end_wherever_it_is() {
    block_on(async {
        let (_folder, path) = with(b"begin ");
        let mut options = OpenOptions::new();
        options.append(true).read(true);
        let mut file = options.open(&path).await.unwrap();
        let mut first = [0; 2];
        file.read_exact(&mut first).await.unwrap();
        fs::write(&path, b"begun ").unwrap();
        file.write_all(b"and ended").await.unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"begun and ended");
        file.seek(SeekFrom::Start(1)).await.unwrap();
        file.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"eg");
    });
}

#[test]
fn buffers_without_length_do_nothing() {
    block_on(async {
        let (_folder, path) = with(b"data");
        let mut file = open(&path).await;
        assert_eq!(file.read(&mut []).await.unwrap(), 0);
        assert_eq!(file.write(&[]).await.unwrap(), 0);
        let mut text = String::new();
        file.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "data");
        // Without a hop, so even while something else is under way.
        assert!(matches!(poll_once(file.read(&mut [])).await, Some(Ok(0))));
        assert!(matches!(poll_once(file.write(&[])).await, Some(Ok(0))));
    });
}

#[test]
fn errors_name_the_attempt_and_the_path_and_keep_the_kind() {
    block_on(async {
        let (folder, path) = nothing();
        let missing = File::open(&path).await.unwrap_err();
        let cause = "No such file or directory (os error 2)";
        assert_eq!(
            missing.to_string(),
            format!("cannot open {path:?}: {cause}")
        );
        assert_eq!(missing.kind(), ErrorKind::NotFound);
        let source = missing.source().unwrap().downcast_ref::<std::io::Error>();
        assert_eq!(source.unwrap().raw_os_error(), Some(2));

        let nul = File::create("with\0nul").await.unwrap_err();
        assert_eq!(nul.kind(), ErrorKind::InvalidInput);
        let begin = "cannot create \"with\\0nul\": ";
        assert!(nul.to_string().starts_with(begin), "{nul}");

        let mut directory = File::open(folder.path()).await.unwrap();
        let error = directory.read(&mut [0]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::IsADirectory);
        let begin = format!("cannot read {:?}: ", folder.path());
        assert!(error.to_string().starts_with(&begin), "{error}");
        let error = File::create(folder.path()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::IsADirectory);

        let mut file = File::from(fs::File::create(&path).unwrap());
        let error = file.read(&mut [0]).await.unwrap_err();
        let begin = format!("cannot read descriptor {}: ", file.as_raw_fd());
        assert!(error.to_string().starts_with(&begin), "{error}");
        let error = file.seek(SeekFrom::Current(-1)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let mut file = File::open(&path).await.unwrap();
        let error = file.write(b"x").await.unwrap_err();
        let begin = format!("cannot write to {path:?}: ");
        assert!(error.to_string().starts_with(&begin), "{error}");
        let error = file.set_len(1).await.unwrap_err();
        let begin = format!("cannot set the length of {path:?}: ");
        assert!(error.to_string().starts_with(&begin), "{error}");

        let wrong = OpenOptions::new().open(&path).await.unwrap_err();
        assert_eq!(wrong.kind(), ErrorKind::InvalidInput);
        let mut options = File::options();
        let exists = options.write(true).create_new(true).open(&path).await;
        assert_eq!(exists.unwrap_err().kind(), ErrorKind::AlreadyExists);
    });
}

#[test]
fn options_of_unix_and_permissions_are_kept() {
    block_on(async {
        let (_folder, path) = nothing();
        let mut options = OpenOptions::default();
        options.write(true).create(true).truncate(true).mode(0o600);
        let file = options.open(&path).await.unwrap();
        assert_eq!(file.metadata().await.unwrap().mode() & 0o777, 0o600);
        file.set_permissions(fs::Permissions::from_mode(0o640))
            .await
            .unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
        file.sync_all().await.unwrap();
        file.sync_data().await.unwrap();
    });
}

#[test]
fn the_cursor_goes_along_into_std_and_to_clones() {
    block_on(async {
        let (_folder, path) = with(&(0..200).collect::<Vec<u8>>());
        let mut std = fs::File::open(&path).unwrap();
        std.seek(SeekFrom::Start(10)).unwrap();
        let mut file = File::from(std);
        let mut byte = [0];
        for expected in 10..15 {
            file.read_exact(&mut byte).await.unwrap();
            assert_eq!(byte, [expected]);
        }
        let mut clone = file.clone();
        clone.read_exact(&mut byte).await.unwrap();
        assert_eq!(byte, [15]);

        // With a clone left it is a duplicate, with the same cursor.
        let descriptor = file.as_raw_fd();
        let mut std = fs::File::try_from(file).unwrap();
        assert_ne!(std.as_raw_fd(), descriptor);
        assert_eq!(clone.as_fd().as_raw_fd(), descriptor);
        std.read_exact(&mut byte).unwrap();
        assert_eq!(byte, [16]);
        clone.read_exact(&mut byte).await.unwrap();
        assert_eq!(byte, [17]);

        let mut file = File::from(OwnedFd::from(clone));
        assert_eq!(file.seek(SeekFrom::Current(0)).await.unwrap(), 18);
        // A read under way is waited for, and put back.
        drop(poll_once(file.read(&mut [0; 50])).await);
        assert_eq!(
            fs::File::try_from(file).unwrap().stream_position().unwrap() % 50,
            18
        );
    });
}

#[test]
fn a_duplicate_that_goes_back_takes_the_cursor_along() {
    block_on(async {
        let (_folder, path) = with(&(0..200).collect::<Vec<u8>>());
        let std = fs::File::options().read(true).write(true).open(&path);
        let mut duplicate = std.unwrap();
        let mut file = File::from(duplicate.try_clone().unwrap());
        let mut byte = [0];
        for _ in 0..2 {
            // Of the second one on, the rest is read ahead.
            for expected in 0..5 {
                file.read_exact(&mut byte).await.unwrap();
                assert_eq!(byte, [expected]);
            }
            duplicate.rewind().unwrap();
            assert_eq!(file.seek(SeekFrom::Current(0)).await.unwrap(), 0);
        }
        for _ in 0..5 {
            file.read_exact(&mut byte).await.unwrap();
        }
        duplicate.rewind().unwrap();
        file.write_all(b"first").await.unwrap();
        assert!(fs::read(&path).unwrap().starts_with(b"first\x05"));
        file.read_exact(&mut byte).await.unwrap();
        assert_eq!(byte, [5]);
    });
}

#[test]
fn a_descriptor_taken_out_stays_open() {
    let (_folder, path) = with(b"data");
    let file = block_on(File::open(&path)).unwrap();
    let descriptor = file.into_raw_fd();
    let link = fs::read_link(format!("/proc/self/fd/{descriptor}")).unwrap();
    assert_eq!(link, path);
}

#[test]
fn handles_can_be_sent_and_shared() {
    fn is<T: Send + Sync + Unpin + 'static>(_: &T) {}
    let open = File::open("Cargo.toml");
    let file = block_on(open).unwrap();
    is(&file);
    assert!(format!("{file:?}").contains("Cargo.toml"));
}
