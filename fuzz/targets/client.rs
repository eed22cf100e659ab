//! What a client makes of a hostile server: the plain one, which shows what comes, and the session of one with a name.
//!
//! The first byte of an input is how much comes at once, the rest is what the server sends. Nothing panics, no control
//! character of the server's reaches the terminal, and there is an end.

#![no_main]

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use libfuzzer_sys::fuzz_target;
use parklet::chat::client::{self, End};
use parklet::chat::extended::Reply;
use parklet::chat::receive_as_json;
use parklet::chat::server::ChatStream;
use parklet::chat::session::Session;
use parklet::io::{BufReader, Read, Write};
use parklet::stream::StreamExt;
use parklet::task;

/// How much is read at once, at most.
const CHUNKS: [usize; 8] = [usize::MAX, 1, 2, 3, 7, 16, 64, 1000];

/// A server that has said all it has to say, and takes everything.
struct Said {
    bytes: Vec<u8>,
    at: usize,
    chunk: usize,
}

impl Read for Said {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let rest = &self.bytes[self.at..];
        let length = rest.len().min(buf.len()).min(self.chunk);
        buf[..length].copy_from_slice(&rest[..length]);
        self.at += length;
        Poll::Ready(Ok(length))
    }
}

impl Write for Said {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl ChatStream for Said {
    type Reader = Said;
    type Writer = parklet::io::Sink;

    fn split(self) -> (Said, parklet::io::Sink) {
        (self, parklet::io::sink())
    }

    fn poll_shutdown_write(_: &mut parklet::io::Sink, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// The plain client: what it shows are lines, and nothing in them steers the terminal.
async fn check_client(server: Said, lines: usize) {
    let mut shown = Vec::new();
    let complaints = Cell::new(0);
    let complain = |_: &str| complaints.set(complaints.get() + 1);
    let end = client::run(server, &b"join g\npost g m\n"[..], &mut shown, complain).await;
    assert!(matches!(end, Ok(End::Server | End::Commands)), "{end:?}");
    let shown = String::from_utf8(shown).expect("it shows text");
    let steers = |c: char| c.is_control() && c != '\n' && c != '\t';
    assert!(!shown.contains(steers), "{shown:?}");
    // Each line of the server is shown as one line, or complained of once.
    assert_eq!(shown.lines().count() + complaints.get(), lines);
}

/// The session: it answers what it is to answer, and the answers are requests.
async fn check_session(server: Said) {
    let mut session = Session::new("anna");
    let mut sent = vec![session.hello(), session.join("rust", None)];
    let mut replies = receive_as_json::<_, Reply>(BufReader::new(server));
    let mut welcomes = 0;
    while let Some(reply) = replies.next().await {
        if let Ok(reply) = reply {
            welcomes += usize::from(matches!(reply, Reply::Welcome { .. }));
            sent.extend(session.receive(reply).answers);
        }
    }
    assert!(!session.is_welcome() || welcomes > 0);
    sent.push(session.hello());
    sent.extend(session.joins());
    for request in sent {
        let json = serde_json::to_string(&request).expect("a request has a form in JSON");
        assert_eq!(serde_json::from_str(&json).ok(), Some(request));
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((chunk, bytes)) = input.split_first() else {
        return;
    };
    let said = || Said {
        bytes: bytes.to_vec(),
        at: 0,
        chunk: CHUNKS[usize::from(chunk & 7)],
    };
    task::block_on(async {
        check_client(said(), bytes.split_inclusive(|byte| *byte == b'\n').count()).await;
        check_session(said()).await;
    });
});
