//! Runs one test of this binary again, in a process of its own.
//!
//! For what a process has once: its standard streams, its descriptor limit, its exit. The test calls [`again`] and gets
//! `None` in the new process, where it does its part, and the new process in the old one.

#![allow(
    dead_code,
    reason = "each test binary has its own copy and uses a part of it"
)]

use std::env;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Tells the new process that it is one.
const MARK: &str = "PARKLET_TEST_OWN_PROCESS";

/// Comes before what the new process says through [`say`], since the test harness writes to the same stream.
const SAID: &str = "said: ";

/// How long a process may take that does nothing slow: generous, for a loaded machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// In the test's process: a command that runs the test named `test` alone. In that new process: `None`.
pub(crate) fn again(test: &str) -> Option<Command> {
    if env::var_os(MARK).is_some() {
        return None;
    }
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(MARK, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    Some(command)
}

/// The same under a limit of the shell, such as `-n 64`.
pub(crate) fn again_under_limit(test: &str, limit: &str) -> Option<Command> {
    again(test).map(|test| {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &format!("ulimit {limit} && exec \"$0\" \"$@\"")])
            .arg(test.get_program())
            .args(test.get_args())
            .env(MARK, "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        shell
    })
}

/// From the new process to the one that waits for it.
pub(crate) fn say(what: impl std::fmt::Debug) {
    println!("\n{SAID}{what:?}");
}

/// Waits for the process, whose output must be piped, and gives what it said; panics if it fails or takes too long.
pub(crate) fn listen(child: Child) -> Vec<String> {
    let output = finish(child);
    String::from_utf8_lossy(&output)
        .lines()
        .filter_map(|line| line.strip_prefix(SAID))
        .map(str::to_owned)
        .collect()
}

/// Waits for the process, whose output must be piped, and gives all of that; panics if it fails or takes too long.
pub(crate) fn finish(mut child: Child) -> Vec<u8> {
    let mut stdout = child.stdout.take().unwrap();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut output = Vec::new();
        let read = stdout.read_to_end(&mut output);
        let _ = sender.send(read.map(|_| output));
    });
    let Ok(output) = receiver.recv_timeout(PATIENCE) else {
        child.kill().unwrap();
        child.wait().unwrap();
        panic!("the process did not end within {PATIENCE:?}");
    };
    let status = child.wait().unwrap();
    let output = output.unwrap();
    assert!(
        status.success(),
        "the process failed with {status}:\n{}",
        String::from_utf8_lossy(&output)
    );
    output
}

/// The time this process has spent on a processor, in ticks of 10 ms.
pub(crate) fn processor_ticks() -> u64 {
    processor_ticks_in(&mut File::open("/proc/self/stat").unwrap())
}

/// The same from `/proc/self/stat`, opened before descriptors ran out.
pub(crate) fn processor_ticks_in(stat: &mut File) -> u64 {
    let mut text = String::new();
    stat.seek(SeekFrom::Start(0)).unwrap();
    stat.read_to_string(&mut text).unwrap();
    // After the name, which may contain anything: the fields from the third on; user time is the 14th, system's next.
    let fields: Vec<&str> = text[text.rfind(')').unwrap() + 2..].split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}
