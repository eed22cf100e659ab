//! Programs run where the kernel, or a sandbox, has no `epoll_pwait2` (Linux before 5.11, containers with an old list of
//! what is allowed, valgrind), no `membarrier` and no `pidfd_open`.
//!
//! Here a filter refuses the calls, in a process of its own, since a filter can never be taken off again.
// The other poller is not for Linux; it is tested there all the same, with the newer call.
#![cfg(all(target_os = "linux", not(parklet_portable_poller)))]
#![allow(
    unsafe_code,
    reason = "only the C library's `prctl` installs a filter of system calls"
)]

use std::ffi::{c_int, c_ulong};
use std::io;
use std::mem::MaybeUninit;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use parklet::net::{TcpListener, TcpStream};
use parklet::prelude::*;
use parklet::{channel, task};
use rustix::event::{Timespec, epoll};
use rustix::io::Errno;
use rustix::thread::{MembarrierCommand, membarrier};

mod own_process;

#[test]
fn a_kernel_that_does_not_know_the_calls_is_no_hindrance() {
    again_without(
        "a_kernel_that_does_not_know_the_calls_is_no_hindrance",
        Errno::NOSYS,
    );
}

#[test]
fn a_sandbox_that_forbids_the_calls_is_no_hindrance() {
    again_without(
        "a_sandbox_that_forbids_the_calls_is_no_hindrance",
        Errno::PERM,
    );
}

/// Runs a program in a process where the calls say `error`.
fn again_without(test: &str, error: Errno) {
    if let Some(mut again) = own_process::again(test) {
        own_process::finish(again.spawn().unwrap());
        return;
    }
    refuse(error).unwrap();
    let (set, mut buffer) = (
        epoll::create(epoll::CreateFlags::CLOEXEC).unwrap(),
        [MaybeUninit::uninit(); 1],
    );
    let refused = epoll::wait(&set, &mut buffer, Some(&Timespec::default()));
    assert_eq!(refused.err(), Some(error), "the filter works");
    let refused = membarrier(MembarrierCommand::RegisterPrivateExpedited);
    assert_eq!(refused.err(), Some(error), "the filter works");
    task::block_on(run()).unwrap();
    #[cfg(feature = "process")]
    task::block_on(wait_for_processes()).unwrap();
    task::block_on(task::spawn(hold_up_what_was_spawned()));
}

/// The watcher, which would use `membarrier`, sees to what waits for this thread.
async fn hold_up_what_was_spawned() {
    // Until the watcher, were it to sleep now, would be asleep.
    thread::sleep(Duration::from_millis(20));
    let (sender, receiver) = mpsc::channel();
    task::spawn(async move { sender.send(()).unwrap() }).detach();
    receiver.recv().unwrap();
}

/// Processes, whose end a thread has to wait for.
#[cfg(feature = "process")]
async fn wait_for_processes() -> io::Result<()> {
    use parklet::process::{Command, Stdio};

    let refused = rustix::process::pidfd_open(
        rustix::process::getpid(),
        rustix::process::PidfdFlags::empty(),
    );
    assert!(refused.is_err(), "the filter works");
    assert_eq!(Command::new("false").status().await?.code(), Some(1));

    // Waited for in vain, then for good; and one that is dropped, and leaves no zombie.
    let mut child = Command::new("cat").stdin(Stdio::piped()).spawn()?;
    let stdin = child.stdin.take();
    let patience = Duration::from_millis(1);
    let late = parklet::io::timeout(patience, child.status()).await;
    assert_eq!(late.unwrap_err().kind(), io::ErrorKind::TimedOut);
    drop(stdin);
    assert!(child.status().await?.success());
    let mut child = Command::new("cat").stdin(Stdio::piped()).spawn()?;
    let (stdin, id) = (child.stdin.take(), child.id());
    drop(child);
    drop(stdin);
    while std::fs::exists(format!("/proc/{id}"))? {
        task::sleep(patience).await;
    }
    Ok(())
}

/// What needs the reactor: timers, sockets, and to be roused from its wait.
async fn run() -> io::Result<()> {
    for microseconds in [0, 1, 400, 999, 1_000, 1_001, 2_500] {
        let (start, length) = (Instant::now(), Duration::from_micros(microseconds));
        task::sleep(length).await;
        assert!(start.elapsed() >= length, "{microseconds} us");
    }

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let echo = task::spawn(async move {
        let (stream, _) = listener.accept().await?;
        parklet::io::copy(&mut &stream, &mut &stream).await
    });
    let mut stream = TcpStream::connect(address).await?;
    for _ in 0..100 {
        stream.write_all(b"hello").await?;
        stream.read_exact(&mut [0; 5]).await?;
    }
    drop(stream);
    assert_eq!(echo.await?, 500);

    // Whoever waits for the kernel has to notice what comes from elsewhere, and a timer that is earlier than its own.
    let (sender, receiver) = channel::unbounded();
    let far = task::spawn(task::sleep(Duration::from_secs(3600)));
    thread::spawn(move || sender.send_blocking(()).unwrap());
    receiver.recv().await.unwrap();
    task::spawn(task::sleep(Duration::from_millis(1))).await;
    assert!(far.cancel().await.is_none());
    Ok(())
}

/// From now on the calls say `error` to this thread and to all that it starts.
fn refuse(error: Errno) -> io::Result<()> {
    /// One instruction for the kernel's packet filter.
    #[repr(C)]
    struct Instruction(u16, u8, u8, u32);
    /// Several.
    #[repr(C)]
    struct Program(u16, *const Instruction);
    unsafe extern "C" {
        fn prctl(option: c_int, ...) -> c_int;
    }
    const PR_SET_SECCOMP: c_int = 22;
    const SECCOMP_MODE_FILTER: c_ulong = 2;
    const PR_SET_NO_NEW_PRIVS: c_int = 38;
    /// The newer call's number, the same on all architectures that Rust's std knows.
    const EPOLL_PWAIT2: u32 = 441;
    /// The older one's.
    const MEMBARRIER: u32 = if cfg!(target_arch = "x86_64") {
        324
    } else {
        // As on all architectures that took the common table.
        283
    };

    /// The one for a process's descriptor: of the common table, too.
    const PIDFD_OPEN: u32 = 434;

    let number = u32::try_from(error.raw_os_error()).expect("positive");
    let program = [
        // Load the number of the call; if it is one of these, skip the others and fail with `error`; else allow.
        Instruction(0x20, 0, 0, 0),
        Instruction(0x15, 2, 0, EPOLL_PWAIT2),
        Instruction(0x15, 1, 0, MEMBARRIER),
        Instruction(0x15, 0, 1, PIDFD_OPEN),
        Instruction(0x06, 0, 0, 0x0005_0000 | number),
        Instruction(0x06, 0, 0, 0x7fff_0000),
    ];
    let program = Program(6, program.as_ptr());
    let (one, zero): (c_ulong, c_ulong) = (1, 0);
    // SAFETY: this option takes four numbers.
    let set = unsafe { prctl(PR_SET_NO_NEW_PRIVS, one, zero, zero, zero) };
    if set != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: this one takes a number and a program, laid out as the kernel wants it and alive during the call.
    let set = unsafe { prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &raw const program) };
    if set != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
