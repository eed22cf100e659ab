//! Child processes: their ends, their pipes, and that nothing of them stays behind.

mod common;

use common::{CountWakes, in_own_process, poll_once, watchdog};
use parklet::future::{join, try_join};
use parklet::io::{self, ErrorKind, prelude::*};
use parklet::process::{Child, Command, Stdio};
use parklet::task;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::pin::pin;
use std::time::Duration;

/// A program that goes on until its standard input ends.
fn waits_for_input() -> Command {
    let mut command = Command::new("cat");
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    command
}

/// Whether the system knows the process still, be it as a zombie.
fn is_known(id: u32) -> bool {
    fs::exists(format!("/proc/{id}")).unwrap()
}

/// Waits until the system has forgotten the process.
async fn is_forgotten(id: u32) {
    while is_known(id) {
        task::sleep(Duration::from_millis(1)).await;
    }
}

#[test]
fn waiting_for_a_process_blocks_nobody() {
    let _watchdog = watchdog();
    task::block_on(async {
        let mut child = waits_for_input().spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        assert_eq!(child.try_status().unwrap(), None);
        // On the same thread: it would hang if waiting for the process blocked it.
        let (status, ()) = join(child.status(), async {
            task::yield_now().await;
            drop(stdin);
        })
        .await;
        assert!(status.unwrap().success());
        // The status stays.
        assert!(child.status().await.unwrap().success());
        assert!(child.try_status().unwrap().unwrap().success());
    });
}

#[test]
fn a_wait_that_is_dropped_loses_nothing_and_the_end_wakes_the_next() {
    let _watchdog = watchdog();
    task::block_on(async {
        let mut child = waits_for_input().spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let (count, waker) = CountWakes::new();
        {
            let mut dropped = pin!(child.status());
            assert!(poll_once(dropped.as_mut(), &waker).is_pending());
        }
        drop(stdin);
        assert!(child.status().await.unwrap().success());
        assert_eq!(count.count(), 0);
    });
}

#[test]
fn waiting_closes_the_input_that_nobody_took() {
    let _watchdog = watchdog();
    task::block_on(async {
        let mut child = waits_for_input().spawn().unwrap();
        assert!(child.status().await.unwrap().success());
        let child = waits_for_input().spawn().unwrap();
        assert!(child.output().await.unwrap().status.success());
    });
}

#[test]
fn a_process_that_is_killed_says_so() {
    let _watchdog = watchdog();
    task::block_on(async {
        let mut child = waits_for_input().spawn().unwrap();
        let _stdin = child.stdin.take();
        child.kill().unwrap();
        assert_eq!(child.status().await.unwrap().signal(), Some(9));
        // It has ended and been waited for: another process may have its number by now.
        child.kill().unwrap();
    });
}

#[test]
fn a_process_that_was_waited_for_leaves_no_zombie_and_no_descriptor() {
    in_own_process(&[], || {
        task::block_on(async {
            let open = || fs::read_dir("/proc/self/fd").unwrap().count();
            Command::new("true").status().await.unwrap();
            let before = open();
            let mut child = waits_for_input().stdout(Stdio::piped()).spawn().unwrap();
            let id = child.id();
            assert!(is_known(id));
            // Its descriptor, and two pipes.
            assert_eq!(open(), before + 3);
            child.status().await.unwrap();
            assert!(!is_known(id));
            drop(child);
            assert_eq!(open(), before);
        });
    });
}

#[test]
fn a_process_that_is_dropped_goes_on_and_leaves_no_zombie() {
    in_own_process(&[("PARKLET_THREADS", "1")], || {
        let (id, stdin) = task::block_on(async {
            let mut child = waits_for_input().spawn().unwrap();
            (child.id(), child.stdin.take().unwrap())
        });
        assert!(is_known(id));
        // Reaped in the background, also when no thread is in a `block_on`.
        drop(stdin);
        while is_known(id) {
            std::thread::yield_now();
        }
    });
}

#[test]
fn a_process_that_has_ended_when_it_is_dropped_starts_no_thread() {
    in_own_process(&[], || {
        task::block_on(async {
            let mut child = waits_for_input().stdout(Stdio::piped()).spawn().unwrap();
            drop(child.stdin.take());
            let mut rest = Vec::new();
            let mut stdout = child.stdout.take().unwrap();
            stdout.read_to_end(&mut rest).await.unwrap();
            // Its output has ended, and it is about to; only now is its status not fetched.
            let state = format!("/proc/{}/stat", child.id());
            while !fs::read_to_string(&state).unwrap().contains(") Z ") {
                task::yield_now().await;
            }
            let id = child.id();
            drop(child);
            assert!(!is_known(id));
        });
        let workers = common::thread_names();
        assert!(
            !workers.iter().any(|name| name.starts_with("parklet-")),
            "{workers:?}"
        );
    });
}

#[test]
fn kill_on_drop_ends_the_process_and_whoever_waits_for_it() {
    let _watchdog = watchdog();
    task::block_on(async {
        let mut child: Child = waits_for_input().kill_on_drop(true).spawn().unwrap();
        let (id, stdin) = (child.id(), child.stdin.take());
        drop(child);
        is_forgotten(id).await;
        drop(stdin);

        // The future of `status` owns the child.
        let mut command = Command::new("sleep");
        let nap = command.arg("1000").kill_on_drop(true).status();
        let error = io::timeout(Duration::from_millis(1), nap)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    });
}

#[test]
fn much_goes_in_and_comes_out_of_both_without_a_deadlock() {
    let _watchdog = watchdog();
    // Far more than pipes hold, to one, then to the other, while the input waits.
    let script = "tee /dev/stderr";
    let sent: Vec<u8> = (0..1 << 20).map(|n: u32| n.to_le_bytes()[1]).collect();
    task::block_on(async {
        let mut child = Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let feed = async {
            stdin.write_all(&sent).await?;
            stdin.close().await
        };
        let (output, ()) = try_join(child.output(), feed).await.unwrap();
        assert!(output.status.success());
        assert!(output.stdout == sent && output.stderr == sent);
    });
}

#[test]
fn an_input_that_is_closed_takes_nothing_and_a_child_that_is_gone_neither() {
    let _watchdog = watchdog();
    task::block_on(async {
        let mut child = waits_for_input().spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.close().await.unwrap();
        stdin.close().await.unwrap();
        let error = stdin.write(b"x").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        assert_eq!(
            error.to_string(),
            "cannot write to the child: its standard input was closed"
        );
        let refused = Stdio::try_from(stdin).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::BrokenPipe);
        child.status().await.unwrap();

        let mut child = Command::new("true").stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        child.status().await.unwrap();
        // Until its `exec`, the child of another test may have a copy of the other end.
        let error = loop {
            match stdin.write(b"x").await {
                Ok(_) => task::yield_now().await,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn a_pipe_of_ours_blocks_again_in_another_child() {
    let _watchdog = watchdog();
    task::block_on(async {
        // The second reads before the first has written: a descriptor that does not block would end it with an error.
        let mut first = waits_for_input().stdout(Stdio::piped()).spawn().unwrap();
        let between: Stdio = first.stdout.take().unwrap().try_into().unwrap();
        let second = Command::new("cat")
            .stdin(between)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = first.stdin.take().unwrap();
        let feed = async {
            task::sleep(Duration::from_millis(20)).await;
            stdin.write_all(b"through two").await?;
            drop(stdin);
            first.status().await
        };
        let (output, _) = try_join(second.output(), feed).await.unwrap();
        assert!(output.status.success());
        assert_eq!(output.stdout, b"through two");
    });
}

#[test]
fn streams_are_what_was_said_and_else_what_std_makes_of_them() {
    in_own_process(&[], || {
        task::block_on(async {
            let mut command = Command::new("sh");
            command.args(["-c", "cat; echo out; echo err >&2"]);
            // No input, two pipes.
            let output = command.output().await.unwrap();
            assert_eq!(
                (&*output.stdout, &*output.stderr),
                (&b"out\n"[..], &b"err\n"[..])
            );
            // What was said holds.
            let output = command.stderr(Stdio::null()).output().await.unwrap();
            assert_eq!(
                (&*output.stdout, &*output.stderr),
                (&b"out\n"[..], &b""[..])
            );
            // And `output` leaves nothing behind in the command.
            let mut child = command.spawn().unwrap();
            assert!(child.stdout.is_none() && child.stdin.is_none());
            child.status().await.unwrap();
        });
    });
}

#[test]
fn what_cannot_be_started_is_named() {
    let _watchdog = watchdog();
    task::block_on(async {
        let error = Command::new("/no/such/program").spawn().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let message = "cannot start \"/no/such/program\": No such file or directory (os error 2)";
        assert_eq!(error.to_string(), message);
        let error = Command::new("a\0b").status().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let error = Command::new("/").output().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        let error = Command::new("true").current_dir("/no").status().await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::NotFound);
    });
}

#[test]
fn many_processes_end_at_once() {
    let _watchdog = watchdog();
    task::block_on(async {
        let mut group = task::TaskGroup::new();
        for number in 0..30 {
            group.spawn(async move {
                let script = format!("exit {number}");
                let status = Command::new("sh").args(["-c", &script]).status().await;
                status.unwrap().code()
            });
        }
        let codes = group.join_all().await;
        assert!(codes.into_iter().eq((0..30).map(Some)));
    });
}
