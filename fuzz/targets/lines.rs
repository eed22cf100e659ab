//! Lines with a maximum length, in all four forms, against the same lines cut by hand.
//!
//! An input is two bytes for the maximum, one that says how many lengths of chunks follow, these, and then the bytes that
//! are read. Wherever the chunks end, the lines and the errors are the same.

#![no_main]

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_lite::StreamExt;
use libfuzzer_sys::fuzz_target;
use parklet::io::{BufRead, BufReadBoundedExt, Read};
use parklet::task;

/// What ends a piece where it is not a newline.
const DELIMITER: u8 = b';';

/// Bytes that come in chunks of the given lengths, again and again; one of length 0 is a wait.
struct Chunks<'a> {
    bytes: &'a [u8],
    lengths: &'a [u8],
    next: usize,
    /// How much of the present chunk has not been consumed.
    left: usize,
}

impl<'a> Chunks<'a> {
    fn new(bytes: &'a [u8], lengths: &'a [u8]) -> Self {
        Self {
            bytes,
            lengths,
            next: 0,
            left: 0,
        }
    }
}

impl Read for Chunks<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let available = std::task::ready!(self.as_mut().poll_fill_buf(cx))?;
        let length = available.len().min(buf.len());
        buf[..length].copy_from_slice(&available[..length]);
        self.consume(length);
        Poll::Ready(Ok(length))
    }
}

impl BufRead for Chunks<'_> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if this.left == 0 && !this.bytes.is_empty() {
            let length = this.lengths.get(this.next).copied();
            this.next = (this.next + 1) % (this.lengths.len() + 1);
            match length {
                Some(0) => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                // Behind the last length comes a chunk of one byte, so that there is an end to waits.
                length => this.left = usize::from(length.unwrap_or(1)).min(this.bytes.len()),
            }
        }
        Poll::Ready(Ok(&this.bytes[..this.left]))
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        let this = self.get_mut();
        assert!(amount <= this.left, "consumed what was not there");
        this.left -= amount;
        this.bytes = &this.bytes[amount..];
    }
}

/// An error as its kind and text.
fn told<T>(result: io::Result<T>) -> Result<T, (io::ErrorKind, String)> {
    result.map_err(|error| (error.kind(), error.to_string()))
}

fn too_long(max: usize) -> (io::ErrorKind, String) {
    let text = format!("line is longer than {max} bytes");
    (io::ErrorKind::InvalidData, text)
}

/// `bytes` as text, or the error of a line that is none.
fn text(bytes: &[u8]) -> Result<&str, (io::ErrorKind, String)> {
    std::str::from_utf8(bytes).map_err(|error| {
        let text = format!("line is not valid UTF-8 after byte {}", error.valid_up_to());
        (io::ErrorKind::InvalidData, text)
    })
}

/// The pieces of `bytes`, each with the delimiter that ended it.
fn pieces(bytes: &[u8], delimiter: u8) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(move |byte| *byte == delimiter)
}

fn without(piece: &[u8], delimiter: u8) -> &[u8] {
    piece.strip_suffix(&[delimiter]).unwrap_or(piece)
}

async fn check_split(bytes: &[u8], lengths: &[u8], max: usize) {
    let mut split = Chunks::new(bytes, lengths).split_bounded(DELIMITER, max);
    for piece in pieces(bytes, DELIMITER) {
        let piece = without(piece, DELIMITER);
        let expected = match piece.len() <= max {
            true => Ok(piece.to_vec()),
            false => Err(too_long(max)),
        };
        assert_eq!(split.next().await.map(told), Some(expected));
    }
    assert!(split.next().await.is_none());
}

async fn check_lines(bytes: &[u8], lengths: &[u8], max: usize) {
    let mut lines = Chunks::new(bytes, lengths).lines_bounded(max);
    for whole in pieces(bytes, b'\n') {
        let mut line = without(whole, b'\n');
        let expected = if line.len() > max {
            Err(too_long(max))
        } else {
            if line.len() < whole.len() {
                line = without(line, b'\r');
            }
            text(line).map(str::to_string)
        };
        assert_eq!(lines.next().await.map(told), Some(expected));
    }
    assert!(lines.next().await.is_none());
}

/// What one read of a line takes of `bytes`: its length, and whether that is all of the line.
fn one_line(bytes: &[u8], delimiter: u8, max: usize) -> (usize, bool) {
    let whole = pieces(bytes, delimiter).next().unwrap_or_default();
    match without(whole, delimiter).len() <= max {
        true => (whole.len(), true),
        false => (max, false),
    }
}

async fn check_read_until(mut bytes: &[u8], lengths: &[u8], max: usize) {
    let mut reader = Chunks::new(bytes, lengths);
    loop {
        let mut buf = b"before".to_vec();
        let result = told(reader.read_until_bounded(DELIMITER, &mut buf, max).await);
        let (length, is_whole) = one_line(bytes, DELIMITER, max);
        let expected = match is_whole {
            true => Ok(length),
            false => Err(too_long(max)),
        };
        assert_eq!(result, expected);
        assert_eq!(buf, [b"before", &bytes[..length]].concat());
        bytes = &bytes[length..];
        if length == 0 {
            break;
        }
    }
}

async fn check_read_line(mut bytes: &[u8], lengths: &[u8], max: usize) {
    let mut reader = Chunks::new(bytes, lengths);
    loop {
        let mut buf = "before".to_string();
        let result = told(reader.read_line_bounded(&mut buf, max).await);
        let (length, is_whole) = one_line(bytes, b'\n', max);
        let expected = match is_whole {
            true => text(&bytes[..length]),
            false => Err(too_long(max)),
        };
        let appended = expected.as_deref().unwrap_or_default();
        assert_eq!(buf, format!("before{appended}"));
        assert_eq!(result, expected.map(str::len));
        bytes = &bytes[length..];
        if length == 0 {
            break;
        }
    }
}

fuzz_target!(|input: &[u8]| {
    let [low, high, chunks, rest @ ..] = input else {
        return;
    };
    // Small ones most of the time: they are exceeded by few bytes.
    let max = match high {
        0..128 => usize::from(*low % 16),
        128..255 => usize::from(*low),
        255 => usize::MAX - usize::from(*low),
    };
    let (lengths, bytes) = rest.split_at(usize::from(*chunks).min(rest.len()));
    task::block_on(async {
        check_split(bytes, lengths, max).await;
        check_lines(bytes, lengths, max).await;
        check_read_until(bytes, lengths, max).await;
        check_read_line(bytes, lengths, max).await;
    });
});
