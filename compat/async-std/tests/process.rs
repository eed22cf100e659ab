//! Other programs: what async-std says of them.

use async_std::io::prelude::*;
use async_std::os::unix::process::CommandExt;
use async_std::prelude::*;
use async_std::process::{
    self, Child, ChildStdin, ChildStdout, Command, ExitStatus, Output, Stdio,
};
use async_std::task::block_on;
use std::os::unix::process::ExitStatusExt;

#[test]
fn a_program_is_talked_to_through_pipes() {
    block_on(async {
        let mut command = Command::new("cat");
        let mut child: Child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin: ChildStdin = child.stdin.take().unwrap();
        let mut stdout: ChildStdout = child.stdout.take().unwrap();
        stdin.write_all(b"hello").await.unwrap();
        drop(stdin);
        let mut heard = String::new();
        stdout.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "hello");
        assert!(child.status().await.unwrap().success());
    });
}

#[test]
fn output_and_status_wait_for_the_end() {
    block_on(async {
        let mut shell = Command::new("sh");
        let output: Output = shell
            .args(["-c", "echo out; echo err >&2; exit 3"])
            .output()
            .await
            .unwrap();
        assert_eq!(
            (&output.stdout[..], &output.stderr[..]),
            (&b"out\n"[..], &b"err\n"[..])
        );
        assert_eq!(output.status.code(), Some(3));
        let status: ExitStatus = Command::new("false").status().await.unwrap();
        assert!(!status.success());
    });
}

#[test]
fn a_child_can_be_killed_and_asked() {
    block_on(async {
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        assert_ne!(child.id(), process::id());
        assert_eq!(child.try_status().unwrap(), None);
        child.kill().unwrap();
        assert_eq!(child.status().await.unwrap().signal(), Some(9));
    });
}

#[test]
fn a_program_that_is_not_there_is_an_error() {
    let error = Command::new("no such program").spawn().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn unix_says_who_runs_it_under_which_name() {
    block_on(async {
        let mut shell = Command::new("sh");
        let shell = shell
            .arg0("name")
            .args(["-c", "echo $0; read line; echo $line"]);
        let shell = shell.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = shell.spawn().unwrap();
        child
            .stdin
            .as_mut()
            .unwrap()
            .write_all(b"line\n")
            .await
            .unwrap();
        let mut lines = async_std::io::BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().await.unwrap().unwrap(), "name");
        assert_eq!(lines.next().await.unwrap().unwrap(), "line");
    });
    let error = Command::new("no such program").exec();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
}
