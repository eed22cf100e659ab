//! A whole conversation: what up to four clients say to one server, over streams in memory.
//!
//! The first two bytes of an input are settings. Then come lines: the first byte of each says whose it is (`a` to `d`, and a
//! capital hangs up behind it), the rest is sent as it stands, with the line break. So the lines of `docs/PROTOCOL.md` are
//! inputs. Whatever is said, nothing panics, all are parted from, and whatever is answered is the JSON of a reply.

#![no_main]

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use libfuzzer_sys::fuzz_target;
use parklet::chat::extended::{ErrorCode, Reply};
use parklet::chat::server::{Accept, Builder, ChatStream, Metrics};
use parklet::chat::{Access, FromServer, LagPolicy, Limits, Secret, Users};
use parklet::io::{Read, Write};
use parklet::task;

const CLIENTS: usize = 4;

/// How much is read or written at once, at most.
const CHUNKS: [usize; 8] = [usize::MAX, 1, 2, 3, 7, 16, 64, 1000];

/// What the clients say, in turn, and what they hear.
struct Script {
    /// Who says what next.
    lines: VecDeque<Line>,
    clients: [Client; CLIENTS],
    /// How many of the clients' streams there are.
    open: usize,
    /// Whoever waits until there are none.
    watcher: Option<Waker>,
    chunk: usize,
    /// Every second operation has to wait.
    stalls: bool,
    operations: u64,
}

/// What one client says at once.
struct Line {
    client: usize,
    bytes: VecDeque<u8>,
    /// It hangs up behind it.
    is_last: bool,
}

#[derive(Default)]
struct Client {
    /// Its reader, while others are to speak.
    waker: Option<Waker>,
    /// The server reads no more from it.
    is_deaf: bool,
    /// It has hung up.
    has_hung_up: bool,
    heard: Vec<u8>,
}

impl Script {
    /// Lets whoever is next speak.
    fn go_on(&mut self) {
        while let Some(line) = self.lines.front() {
            let client = &mut self.clients[line.client];
            if line.bytes.is_empty() || client.is_deaf || client.has_hung_up {
                client.has_hung_up |= line.is_last;
                self.lines.pop_front();
                continue;
            }
            if let Some(waker) = client.waker.take() {
                waker.wake();
            }
            return;
        }
        for client in &mut self.clients {
            if let Some(waker) = client.waker.take() {
                waker.wake();
            }
        }
    }

    /// Whether this operation has to wait; it is woken at once.
    fn stalls(&mut self, cx: &mut Context<'_>) -> bool {
        self.operations += 1;
        let stalls = self.stalls && self.operations % 2 == 1;
        if stalls {
            cx.waker().wake_by_ref();
        }
        stalls
    }
}

/// One direction of one client's stream; both, before it is taken apart.
struct Memory {
    script: Arc<Mutex<Script>>,
    client: usize,
    reads: bool,
    writes: bool,
}

impl Drop for Memory {
    fn drop(&mut self) {
        let mut script = self.script.lock().unwrap();
        if self.reads {
            script.clients[self.client].is_deaf = true;
            script.go_on();
        }
        if self.writes {
            script.open -= 1;
            if script.open == 0
                && let Some(watcher) = script.watcher.take()
            {
                watcher.wake();
            }
        }
    }
}

impl Read for Memory {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut script = self.script.lock().unwrap();
        if script.stalls(cx) {
            return Poll::Pending;
        }
        let at_most = script.chunk.min(buf.len());
        if script.clients[self.client].has_hung_up {
            return Poll::Ready(Ok(0));
        }
        let Some(line) = script.lines.front_mut() else {
            return Poll::Ready(Ok(0));
        };
        if line.client != self.client {
            script.clients[self.client].waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let length = io::Read::read(&mut line.bytes, &mut buf[..at_most])?;
        script.go_on();
        Poll::Ready(Ok(length))
    }
}

impl Write for Memory {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut script = self.script.lock().unwrap();
        if script.stalls(cx) {
            return Poll::Pending;
        }
        let length = buf.len().min(script.chunk);
        script.clients[self.client]
            .heard
            .extend_from_slice(&buf[..length]);
        Poll::Ready(Ok(length))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl ChatStream for Memory {
    type Reader = Memory;
    type Writer = Memory;

    fn split(mut self) -> (Memory, Memory) {
        let writer = Memory {
            script: self.script.clone(),
            client: self.client,
            reads: false,
            writes: true,
        };
        self.writes = false;
        (self, writer)
    }

    fn poll_shutdown_write(_: &mut Memory, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Brings the clients, and then nobody.
struct Door(Mutex<Vec<Memory>>);

impl Accept for Door {
    type Stream = Memory;

    fn accept(&self) -> impl Future<Output = io::Result<(Memory, String)>> + Send {
        poll_fn(|_| match self.0.lock().unwrap().pop() {
            Some(stream) => Poll::Ready(Ok((stream, "10.1.2.3:4567".to_string()))),
            None => Poll::Pending,
        })
    }
}

/// Accounts whose passwords are easy to guess, also for a fuzzer.
struct Accounts(Access);

impl Users for Accounts {
    fn access(&self) -> Access {
        self.0
    }

    fn verify(&self, name: &str, token: &Secret) -> Option<String> {
        (*token == Secret::from("sesame")).then(|| name.to_string())
    }
}

/// What is to be said, and how.
fn script(input: &[u8], settings: u8) -> Script {
    let lines = input.split_inclusive(|byte| *byte == b'\n');
    let lines = lines.filter_map(|line| {
        let (who, said) = line.split_first()?;
        Some(Line {
            client: usize::from(*who) % CLIENTS,
            bytes: said.iter().copied().collect(),
            is_last: who.is_ascii_uppercase(),
        })
    });
    let mut script = Script {
        lines: lines.collect(),
        clients: Default::default(),
        open: CLIENTS,
        watcher: None,
        chunk: CHUNKS[usize::from(settings & 7)],
        stalls: settings & 8 != 0,
        operations: 0,
    };
    script.go_on();
    script
}

fn server(settings: u8) -> Builder {
    let mut limits = Limits::default();
    if settings & 1 != 0 {
        limits.line_length = 200;
        limits.message_length = 20;
        limits.name_length = 8;
        limits.group_length = 8;
        limits.groups_per_client = 2;
        limits.invitations_per_group = 1;
        limits.clients = 3;
        limits.outbox_messages = 2;
        limits.outbox_bytes = 100;
        limits.failed_logins = 1;
    }
    if settings & 2 != 0 {
        limits.posts_per_second = Some(1);
        limits.posts_burst = 3;
    }
    let lag_policy = match settings & 4 {
        0 => LagPolicy::Skip,
        _ => LagPolicy::Disconnect,
    };
    let access = match settings & 24 {
        8 => Access::Accounts,
        16 => Access::AccountsAndGuests,
        _ => Access::Anyone,
    };
    Builder::new()
        .limits(limits)
        .lag_policy(lag_policy)
        .users(Accounts(access))
        .log(|_| {})
}

/// Every line must be what the server can say, in its only form; and once a client was welcomed, in the extended one.
fn check(heard: &[u8]) {
    assert!(heard.is_empty() || heard.ends_with(b"\n"), "half a line");
    let mut is_welcome = false;
    for line in heard.split_inclusive(|byte| *byte == b'\n') {
        let line = std::str::from_utf8(&line[..line.len() - 1]).expect("a line that is no text");
        let again = if let Ok(reply) = serde_json::from_str::<Reply>(line) {
            let unknown = matches!(
                reply,
                Reply::Error {
                    code: ErrorCode::Unknown,
                    ..
                }
            );
            assert!(!unknown, "an error code that nobody knows: {line}");
            is_welcome |= matches!(reply, Reply::Welcome { .. });
            serde_json::to_string(&reply)
        } else {
            assert!(!is_welcome, "no reply of the extended protocol: {line}");
            let reply: FromServer = serde_json::from_str(line).expect(line);
            serde_json::to_string(&reply)
        };
        assert_eq!(again.unwrap(), line);
    }
}

fuzz_target!(|input: &[u8]| {
    let [chunks, limits, lines @ ..] = input else {
        return;
    };
    let script = Arc::new(Mutex::new(script(lines, *chunks)));
    let streams = (0..CLIENTS).map(|client| Memory {
        script: script.clone(),
        client,
        reads: true,
        writes: true,
    });
    let door = Door(Mutex::new(streams.collect()));
    let metrics = Arc::new(Metrics::default());
    let all_gone = poll_fn(|cx| {
        let mut script = script.lock().unwrap();
        script.watcher = Some(cx.waker().clone());
        match script.open {
            0 => Poll::Ready(()),
            _ => Poll::Pending,
        }
    });
    task::block_on(server(*limits).metrics(metrics.clone()).run(door, all_gone));
    assert_eq!(metrics.read().groups, 0, "a group without members");
    for client in &script.lock().unwrap().clients {
        check(&client.heard);
    }
});
