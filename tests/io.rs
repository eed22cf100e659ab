//! What `parklet::io` adds to futures-io and futures-lite, but for the standard streams.

use futures_lite::StreamExt;
use futures_lite::future::{poll_once, yield_now};
use parklet::io::{
    self, BufRead, BufReader, BufWriter, ErrorKind, LineTooLong, Read, Write, prelude::*,
};
use parklet::task::block_on;
use std::collections::VecDeque;
use std::fs;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

/// Gives what is said to it piece by piece, and is pending at each `None`.
struct Script(VecDeque<Option<&'static [u8]>>);

impl Script {
    fn new(pieces: impl IntoIterator<Item = Option<&'static str>>) -> BufReader<Script> {
        let pieces = pieces.into_iter().map(|piece| piece.map(str::as_bytes));
        BufReader::new(Script(pieces.collect()))
    }
}

impl Read for Script {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut().0.pop_front() {
            Some(Some(piece)) => {
                buf[..piece.len()].copy_from_slice(piece);
                Poll::Ready(Ok(piece.len()))
            }
            Some(None) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            None => Poll::Ready(Ok(0)),
        }
    }
}

/// A writer that everybody can look into; takes a byte at a time, and is pending before each.
#[derive(Default, Clone)]
struct SlowSink {
    written: Arc<Mutex<Vec<u8>>>,
    was_pending: bool,
}

impl SlowSink {
    fn text(&self) -> String {
        String::from_utf8(self.written.lock().unwrap().clone()).unwrap()
    }
}

impl Write for SlowSink {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.was_pending = !self.was_pending;
        if self.was_pending {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.written.lock().unwrap().push(buf[0]);
        Poll::Ready(Ok(1))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

/// Says in the plainest way what `input` is in lines of at most `max` bytes.
fn lines_of(input: &str, max: usize) -> Vec<Result<&str, ()>> {
    input
        .split_inclusive('\n')
        .map(|line| {
            if line.trim_end_matches('\n').len() <= max {
                Ok(line)
            } else {
                Err(())
            }
        })
        .collect()
}

/// Every text over `a`, carriage return and newline of up to six bytes.
fn small_texts() -> Vec<String> {
    let mut texts = vec![String::new()];
    let mut longest = texts.clone();
    for _ in 0..6 {
        longest = longest
            .iter()
            .flat_map(|text| ['a', '\r', '\n'].map(|next| format!("{text}{next}")))
            .collect();
        texts.extend_from_slice(&longest);
    }
    texts
}

fn too_long(error: &io::Error) -> LineTooLong {
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    *error.get_ref().unwrap().downcast_ref().unwrap()
}

#[test]
fn the_maximum_counts_the_bytes_before_the_newline_in_every_bounded_form() {
    block_on(async {
        for text in small_texts() {
            for max in 0..4 {
                for capacity in [1, 2, 64] {
                    let case = format!("{text:?}, max {max}, buffer {capacity}");
                    let reader = || BufReader::with_capacity(capacity, text.as_bytes());
                    let expected = lines_of(&text, max);

                    let pieces: Vec<_> = reader().split_bounded(b'\n', max).collect().await;
                    let lines: Vec<_> = reader().lines_bounded(max).collect().await;
                    assert_eq!(pieces.len(), expected.len(), "{case}");
                    assert_eq!(lines.len(), expected.len(), "{case}");

                    let mut bytes_from = reader();
                    let mut text_from = reader();
                    for ((piece, line), expected) in pieces.iter().zip(&lines).zip(&expected) {
                        let mut bytes = Vec::new();
                        let byte_read = bytes_from.read_until_bounded(b'\n', &mut bytes, max).await;
                        let mut string = String::from("before ");
                        let text_read = text_from.read_line_bounded(&mut string, max).await;
                        match expected {
                            Ok(expected) => {
                                let bare = expected.strip_suffix('\n');
                                let without = bare.unwrap_or(expected);
                                assert_eq!(piece.as_ref().unwrap(), without.as_bytes(), "{case}");
                                let stripped =
                                    bare.map(|bare| bare.strip_suffix('\r').unwrap_or(bare));
                                assert_eq!(
                                    line.as_ref().unwrap(),
                                    stripped.unwrap_or(expected),
                                    "{case}"
                                );
                                assert_eq!(byte_read.unwrap(), expected.len(), "{case}");
                                assert_eq!(bytes, expected.as_bytes(), "{case}");
                                assert_eq!(text_read.unwrap(), expected.len(), "{case}");
                                assert_eq!(string, format!("before {expected}"), "{case}");
                            }
                            Err(()) => {
                                for error in [
                                    piece.as_ref().unwrap_err(),
                                    line.as_ref().unwrap_err(),
                                    &byte_read.unwrap_err(),
                                    &text_read.unwrap_err(),
                                ] {
                                    assert_eq!(too_long(error).max(), max, "{case}");
                                    let message = format!("line is longer than {max} bytes");
                                    assert_eq!(error.to_string(), message);
                                }
                                // Of the long line, so much is taken, and the reader stands behind it.
                                assert_eq!(bytes.len(), max, "{case}");
                                assert_eq!(string, "before ", "{case}");
                                bytes_from.read_until(b'\n', &mut bytes).await.unwrap();
                                let mut rest = Vec::new();
                                text_from.read_until(b'\n', &mut rest).await.unwrap();
                                assert_eq!(bytes[max..], rest, "{case}");
                                assert!(
                                    text.as_bytes()
                                        .windows(bytes.len())
                                        .any(|part| part == bytes)
                                );
                            }
                        }
                    }
                    let mut bytes = Vec::new();
                    let end = bytes_from.read_until_bounded(b'\n', &mut bytes, max).await;
                    assert_eq!(end.unwrap(), 0, "{case}");
                    let end = text_from.read_line_bounded(&mut String::new(), max).await;
                    assert_eq!(end.unwrap(), 0, "{case}");
                }
            }
        }
    });
}

/// So much that nobody could hold it: what is read is counted, and what is held shows in the process's memory.
const ENDLESS: u64 = 1 << 28;

fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.unwrap().trim().strip_suffix(" kB").unwrap();
    kilobytes.parse::<u64>().unwrap() * 1024
}

#[test]
fn an_endless_line_is_neither_read_on_nor_held() {
    block_on(async {
        let mut reader = BufReader::new(io::repeat(b'a').take(ENDLESS));
        let mut line = Vec::new();
        let read = reader.read_until_bounded(b'\n', &mut line, 1000).await;
        assert_eq!(too_long(&read.unwrap_err()).max(), 1000);
        assert_eq!(line, [b'a'; 1000]);
        // Not more was taken from below than one buffer.
        assert!(reader.get_ref().limit() > ENDLESS - 100_000);

        let before = peak_memory();
        let endless = io::repeat(b'a').take(ENDLESS).chain(&b"\nnext\n"[..]);
        let mut lines = BufReader::with_capacity(1 << 20, endless).lines_bounded(1000);
        assert!(lines.next().await.unwrap().is_err());
        assert_eq!(lines.next().await.unwrap().unwrap(), "next");
        assert!(lines.next().await.is_none());
        assert!(peak_memory() - before < ENDLESS / 8);
    });
}

#[test]
fn a_line_that_is_not_text_is_one_error_and_the_next_line_follows() {
    block_on(async {
        let input = &b"one\nt\xffo\nthree\n"[..];
        let mut lines = input.lines_bounded(10);
        assert_eq!(lines.next().await.unwrap().unwrap(), "one");
        let error = lines.next().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert_eq!(error.to_string(), "line is not valid UTF-8 after byte 1");
        assert_eq!(lines.next().await.unwrap().unwrap(), "three");

        let mut input = &input[4..];
        let mut line = String::from("before");
        let error = input.read_line_bounded(&mut line, 10).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert_eq!(line, "before");
        input.read_line_bounded(&mut line, 10).await.unwrap();
        assert_eq!(line, "beforethree\n");
    });
}

#[test]
fn a_reader_s_own_error_ends_no_stream_and_loses_no_bytes() {
    /// Fails at each `None` of a script, once.
    struct Failing(Script);
    impl Read for Failing {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            match Pin::new(&mut self.0).poll_read(cx, buf) {
                Poll::Pending => Poll::Ready(Err(ErrorKind::ConnectionReset.into())),
                ready => ready,
            }
        }
    }
    block_on(async {
        let script = Script::new([
            Some("on"),
            None,
            Some("e\nmuch too"),
            None,
            Some("long\ntwo"),
        ]);
        let mut lines = BufReader::new(Failing(script.into_inner())).lines_bounded(5);
        let mut seen = Vec::new();
        while let Some(line) = lines.next().await {
            seen.push(line.map_err(|error| error.kind()));
        }
        assert_eq!(
            seen,
            [
                Err(ErrorKind::ConnectionReset),
                Ok("one".to_owned()),
                Err(ErrorKind::InvalidData),
                Err(ErrorKind::ConnectionReset),
                Ok("two".to_owned()),
            ]
        );
    });
}

#[test]
fn dropping_next_midway_loses_nothing_of_the_line() {
    block_on(async {
        let script = || {
            Script::new([
                Some("he"),
                None,
                Some("llo\n"),
                None,
                Some("much too long"),
                None,
                Some("and longer"),
                None,
                Some("\nbye"),
                None,
            ])
        };

        let mut lines = script().lines_bounded(5);
        assert!(poll_once(lines.next()).await.is_none());
        assert_eq!(lines.next().await.unwrap().unwrap(), "hello");
        assert!(poll_once(lines.next()).await.is_none());
        assert!(lines.next().await.unwrap().is_err());
        // In the middle of what is skipped, twice.
        assert!(poll_once(lines.next()).await.is_none());
        assert!(poll_once(lines.next()).await.is_none());
        assert!(poll_once(lines.next()).await.is_none());
        assert_eq!(lines.next().await.unwrap().unwrap(), "bye");
        assert!(lines.next().await.is_none());

        let mut pieces = script().split_bounded(b'\n', 30);
        assert!(poll_once(pieces.next()).await.is_none());
        assert_eq!(pieces.next().await.unwrap().unwrap(), b"hello");

        // futures-lite's, which the module's table calls cancel safe as well.
        let mut lines = script().lines();
        assert!(poll_once(lines.next()).await.is_none());
        assert_eq!(lines.next().await.unwrap().unwrap(), "hello");
        let mut pieces = script().split(b'\n');
        assert!(poll_once(pieces.next()).await.is_none());
        assert_eq!(pieces.next().await.unwrap().unwrap(), b"hello");
    });
}

#[test]
fn dropping_read_until_midway_leaves_what_was_read_in_the_buffer() {
    block_on(async {
        let mut reader = Script::new([Some("he"), None, Some("llo\n")]);
        let mut line = Vec::new();
        assert!(
            poll_once(reader.read_until_bounded(b'\n', &mut line, 5))
                .await
                .is_none()
        );
        assert_eq!(line, b"he");
        let read = reader.read_until_bounded(b'\n', &mut line, 5).await;
        assert_eq!((read.unwrap(), &line[..]), (4, &b"hello\n"[..]));

        let mut reader = Script::new([Some("he"), None, Some("llo\n")]);
        let mut line = Vec::new();
        assert!(
            poll_once(reader.read_until(b'\n', &mut line))
                .await
                .is_none()
        );
        assert_eq!(line, b"he");
        let mut reader = Script::new([Some("he"), None, Some("llo\n")]);
        let mut all = Vec::new();
        assert!(poll_once(reader.read_to_end(&mut all)).await.is_none());
        reader.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, b"hello\n");
    });
}

#[test]
fn copy_moves_everything_between_unsized_ends_and_counts_it() {
    block_on(async {
        let input: Vec<u8> = (0..100_000_u32).map(|i| (i % 251) as u8).collect();
        let mut slice = &input[..];
        let mut output = Vec::new();
        let reader: &mut (dyn Read + Unpin) = &mut slice;
        let writer: &mut (dyn Write + Unpin) = &mut output;
        assert_eq!(io::copy(reader, writer).await.unwrap(), 100_000);
        assert_eq!(output, input);
    });
}

/// Ends at once, and must not be asked again.
struct EndsOnce {
    has_ended: bool,
}

impl Read for EndsOnce {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        _buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        assert!(!self.has_ended, "read again after the end");
        self.has_ended = true;
        Poll::Ready(Ok(0))
    }
}

/// Needs three polls for a flush.
struct FlushesLate {
    polls: u32,
}

impl Write for FlushesLate {
    fn poll_write(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.polls += 1;
        if self.polls < 3 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

#[test]
fn copy_does_not_read_again_after_the_end_while_it_waits_for_the_flush() {
    block_on(async {
        let mut writer = FlushesLate { polls: 0 };
        let copied = io::copy(&mut EndsOnce { has_ended: false }, &mut writer).await;
        assert_eq!(copied.unwrap(), 0);
        assert_eq!(writer.polls, 3);
    });
}

#[test]
fn copy_flushes_a_buffered_writer_whenever_the_reader_has_nothing() {
    block_on(async {
        let mut reader = Script::new([
            Some("question"),
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            Some("!"),
        ]);
        let sink = SlowSink::default();
        let mut writer = BufWriter::new(sink.clone());
        let mut copy = Box::pin(io::copy(&mut reader, &mut writer));
        for _ in 0..17 {
            assert!(poll_once(copy.as_mut()).await.is_none());
        }
        assert_eq!(sink.text(), "question");
        assert_eq!(copy.await.unwrap(), 9);
        assert_eq!(sink.text(), "question!");
    });
}

#[test]
fn a_writer_that_takes_nothing_is_an_error() {
    block_on(async {
        let mut none = [];
        let mut full = io::Cursor::new(&mut none[..]);
        let error = io::copy(&mut &b"hello"[..], &mut full).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WriteZero);
        let error = write!(full, "hello").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WriteZero);
    });
}

#[test]
fn write_formats_once_and_writes_it_all() {
    block_on(async {
        let mut sink = SlowSink::default();
        let number = 2;
        write!(sink, "{}-{number}", String::from("one"))
            .await
            .unwrap();
        writeln!(sink, "!").await.unwrap();
        assert_eq!(sink.text(), "one-2!\n");
    });
}

#[test]
fn an_io_timeout_is_an_error_of_its_kind_and_a_ready_future_beats_it() {
    block_on(async {
        let ready = io::timeout(Duration::ZERO, async { Ok(1) }).await;
        assert_eq!(ready.unwrap(), 1);
        let soon = io::timeout(Duration::MAX, async {
            yield_now().await;
            Ok(2)
        });
        assert_eq!(soon.await.unwrap(), 2);

        let failed = io::timeout(Duration::MAX, async {
            Err::<(), _>(ErrorKind::BrokenPipe.into())
        });
        assert_eq!(failed.await.unwrap_err().kind(), ErrorKind::BrokenPipe);

        let never = std::future::pending::<io::Result<()>>();
        let error = io::timeout(Duration::from_millis(2), never)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(error.to_string(), "timed out after 2ms");
    });
}

#[test]
fn what_the_module_offers_is_send_and_sync_and_unpin() {
    fn check<T: Send + Sync + Unpin>() {}
    check::<io::Stdin>();
    check::<io::StdinLines>();
    check::<io::Stdout>();
    check::<io::Stderr>();
    check::<io::LinesBounded<BufReader<&[u8]>>>();
    check::<io::SplitBounded<BufReader<&[u8]>>>();
    check::<io::ReadUntilBounded<'_, dyn BufRead + Send + Sync + Unpin>>();
    check::<io::ReadLineBounded<'_, dyn BufRead + Send + Sync + Unpin>>();
    check::<io::WriteFmt<'_, dyn Write + Send + Sync + Unpin>>();
}
