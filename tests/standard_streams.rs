//! Standard input and output, each test in a process of its own, through pipes and a terminal.

mod own_process;

use futures_lite::StreamExt;
use futures_lite::future::{poll_once, zip};
use own_process::{PATIENCE, again, finish, listen, say};
use parklet::io::{self, ErrorKind, prelude::*};
use parklet::task::{block_on, spawn};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt;
use std::process::{self, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Starts the process with a pipe as its standard input, writes `input` there, closes it, and gives what is said.
fn listen_after(test: &mut process::Command, input: &[u8]) -> Vec<String> {
    let mut child = test.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    listen(child)
}

#[test]
fn the_program_exits_though_a_read_of_stdin_is_pending() {
    if let Some(mut test) = again("the_program_exits_though_a_read_of_stdin_is_pending") {
        let mut child = test.stdin(Stdio::piped()).spawn().unwrap();
        let held_open = child.stdin.take();
        assert_eq!(listen(child), ["TimedOut"]);
        drop(held_open);
        return;
    }
    let mut line = String::new();
    let stdin = io::stdin();
    let read = io::timeout(Duration::from_millis(50), stdin.read_line(&mut line));
    say(block_on(read).unwrap_err().kind());
}

#[test]
fn lines_come_through_a_pipe_and_the_last_one_needs_no_newline() {
    if let Some(mut test) = again("lines_come_through_a_pipe_and_the_last_one_needs_no_newline") {
        let said = listen_after(&mut test, b"one\ntwo\r\n\nf\xffur\nlast");
        assert_eq!(
            said,
            [
                r#"Ok("one")"#,
                r#"Ok("two")"#,
                r#"Ok("")"#,
                "Err(InvalidData)",
                r#"Ok("last")"#,
                r#""end""#,
                "0",
            ]
        );
        return;
    }
    block_on(async {
        let mut lines = io::stdin().lines();
        while let Some(line) = lines.next().await {
            say(line.map_err(|error| error.kind()));
        }
        say("end");
        say(io::stdin().read_line(&mut String::new()).await.unwrap());
    });
}

#[test]
fn a_read_of_stdin_that_is_dropped_midway_loses_nothing() {
    if let Some(mut test) = again("a_read_of_stdin_that_is_dropped_midway_loses_nothing") {
        let mut child = test.stdin(Stdio::piped()).spawn().unwrap();
        // The process says "waiting" when it has begun a read and dropped it; only then comes the input.
        let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while line != "said: \"waiting\"\n" {
            line.clear();
            assert_ne!(stdout.read_line(&mut line).unwrap(), 0);
        }
        child
            .stdin
            .take()
            .unwrap()
            .write_all(b"one\ntwo\nthree")
            .unwrap();
        let mut said = String::new();
        stdout.read_to_string(&mut said).unwrap();
        assert!(child.wait().unwrap().success());
        assert!(said.contains("said: \"one\\n two\\nthr ee\""), "{said}");
        return;
    }
    block_on(async {
        let stdin = io::stdin();
        let mut first = String::new();
        assert!(poll_once(stdin.read_line(&mut first)).await.is_none());
        assert!(poll_once(io::stdin().read(&mut [0; 9])).await.is_none());
        drop(stdin);
        say("waiting");

        io::stdin().read_line(&mut first).await.unwrap();
        let mut second = [0; 7];
        io::stdin().read_exact(&mut second).await.unwrap();
        let mut rest = String::new();
        io::stdin().read_to_string(&mut rest).await.unwrap();
        say(format!(
            "{first} {} {rest}",
            str::from_utf8(&second).unwrap()
        ));
    });
}

#[test]
fn what_std_has_read_ahead_is_seen() {
    if let Some(mut test) = again("what_std_has_read_ahead_is_seen") {
        let said = listen_after(&mut test, b"one\ntwo\n");
        assert_eq!(said, [r#"("one\n", "two\n")"#]);
        return;
    }
    let (mut one, mut two) = (String::new(), String::new());
    std::io::stdin().read_line(&mut one).unwrap();
    block_on(io::stdin().read_line(&mut two)).unwrap();
    say((one, two));
}

#[test]
fn two_readers_share_the_input_and_both_are_woken() {
    if let Some(mut test) = again("two_readers_share_the_input_and_both_are_woken") {
        let said = listen_after(&mut test, b"same\nsame\n");
        assert_eq!(said, [r#"("same\n", "same\n")"#]);
        return;
    }
    let read_line = || {
        spawn(async {
            let mut line = String::new();
            io::stdin().read_line(&mut line).await.unwrap();
            line
        })
    };
    say(block_on(zip(read_line(), read_line())));
}

#[test]
fn a_terminal_gives_line_by_line_and_its_end_is_not_for_ever() {
    if let Some(mut test) = again("a_terminal_gives_line_by_line_and_its_end_is_not_for_ever") {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let terminal = OpenOptions::new()
            .read(true)
            .write(true)
            .open(OsStr::from_bytes(name.as_bytes()))
            .unwrap();
        let mut master = File::from(master);
        let child = test.stdin(Stdio::from(terminal)).spawn().unwrap();
        // Control-D ends what was typed: at the start of a line that is the end of the input, once.
        master.write_all(b"typed\n\x04again\n\x04").unwrap();
        assert_eq!(listen(child), [r#""typed\n""#, r#""""#, r#""again\n""#]);
        return;
    }
    block_on(async {
        for _ in 0..3 {
            let mut line = String::new();
            io::stdin().read_line(&mut line).await.unwrap();
            say(line);
        }
    });
}

#[test]
fn what_was_written_is_in_the_kernel_and_in_order_with_println() {
    if let Some(mut test) = again("what_was_written_is_in_the_kernel_and_in_order_with_println") {
        let mut child = test.stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = Vec::new();
        child
            .stdout
            .take()
            .unwrap()
            .read_to_end(&mut stdout)
            .unwrap();
        let mut stderr = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut stderr)
            .unwrap();
        child.wait().unwrap();
        let stdout = String::from_utf8(stdout).unwrap();
        assert!(stdout.ends_with("one two three four"), "{stdout}");
        assert_eq!(stderr, "and an error");
        return;
    }
    block_on(async {
        print!("one ");
        io::stdout().write_all(b"two ").await.unwrap();
        print!("three");
        let mut stdout = io::stdout();
        stdout.write_all(b" four").await.unwrap();
        stdout.flush().await.unwrap();
        io::stderr().write_all(b"and an error").await.unwrap();
    });
    // Nothing that is in a buffer of this process gets out from here.
    process::abort();
}

/// More than a pipe holds, so that whoever writes it must wait for the reader.
const MUCH: usize = 1 << 20;

#[test]
fn a_full_pipe_blocks_no_task_and_a_repeated_write_is_not_doubled() {
    if let Some(mut test) = again("a_full_pipe_blocks_no_task_and_a_repeated_write_is_not_doubled")
    {
        let folder = tempfile::tempdir().unwrap();
        let (reader, writer) = std::io::pipe().unwrap();
        let go = folder.path().join("go");
        let mut child = test.stdout(writer).env("GO", &go).spawn().unwrap();
        drop(test);
        // The process makes the file while its write waits for room: its thread is not the one that waits.
        let started = std::time::Instant::now();
        while !go.exists() {
            assert!(
                started.elapsed() < PATIENCE,
                "a write that waits blocks the thread"
            );
            thread::sleep(Duration::from_millis(1));
        }
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let mut output = Vec::new();
            let mut reader = reader;
            let _ = sender.send(reader.read_to_end(&mut output).map(|_| output));
        });
        let output = receiver.recv_timeout(PATIENCE).unwrap().unwrap();
        assert!(child.wait().unwrap().success());
        let marked = output.iter().filter(|byte| **byte == b'#').count();
        assert_eq!(marked, 2 * MUCH);
        return;
    }
    let go = std::env::var_os("GO").unwrap();
    block_on(async {
        let much = vec![b'#'; MUCH];
        let mut stdout = io::stdout();
        let write = async {
            // As much as the pipe takes; then a write is dropped while it waits for room, and repeated.
            let mut written = 0;
            while let Some(more) = poll_a_while(stdout.write(&much[written..])).await {
                written += more.unwrap();
            }
            fs::write(go, "").unwrap();
            stdout.write_all(&much[written..]).await.unwrap();
            stdout.write_all(&much).await
        };
        write.await.unwrap();
    });
    process::exit(0);
}

/// The output of a future if it has one within a moment.
async fn poll_a_while<T>(future: impl Future<Output = io::Result<T>>) -> Option<io::Result<T>> {
    match io::timeout(Duration::from_millis(200), future).await {
        Err(error) if error.kind() == ErrorKind::TimedOut => None,
        result => Some(result),
    }
}

#[test]
fn an_unused_stream_starts_no_thread() {
    if let Some(mut test) = again("an_unused_stream_starts_no_thread") {
        finish(test.spawn().unwrap());
        return;
    }
    let threads = || fs::read_dir("/proc/self/task").unwrap().count();
    let before = threads();
    let stdin = io::stdin();
    let stdout = io::stdout();
    let stderr = io::stderr();
    assert_eq!(threads(), before);
    drop((stdin, stdout, stderr));
}
