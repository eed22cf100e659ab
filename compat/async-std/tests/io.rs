//! Readers and writers: what async-std says of them.

use async_std::io::prelude::*;
use async_std::io::{self, BufReader, BufWriter, Cursor, SeekFrom};
use async_std::prelude::*;
use async_std::task::block_on;
use std::pin::Pin;
use std::task::{Context, Poll};

#[test]
fn the_traits_are_those_of_futures_io() {
    fn reads_for_futures<T: futures_util::io::AsyncRead + futures_util::io::AsyncBufRead>(_: T) {}
    fn reads_for_async_std<T: io::Read + io::BufRead>(_: T) {}
    reads_for_futures(io::empty());
    reads_for_async_std(futures_util::io::empty());
}

#[test]
fn read_line_appends_and_tells_how_much() {
    block_on(async {
        let mut input = &b"first\nsecond"[..];
        let mut text = String::from("> ");
        assert_eq!(input.read_line(&mut text).await.unwrap(), 6);
        assert_eq!(input.read_line(&mut text).await.unwrap(), 6);
        assert_eq!(input.read_line(&mut text).await.unwrap(), 0);
        assert_eq!(text, "> first\nsecond");
    });
}

#[test]
fn what_is_no_text_is_an_error_and_leaves_the_text_alone() {
    block_on(async {
        let mut text = String::from("before");
        let error = (&b"\xff\n"[..]).read_line(&mut text).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert_eq!(error.to_string(), "stream did not contain valid UTF-8");
        let error = (&b"\xff"[..]).read_to_string(&mut text).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert_eq!(text, "before");
    });
}

#[test]
fn read_to_string_and_read_to_end_append() {
    block_on(async {
        let long = "ä".repeat(10_000);
        let mut text = String::from("> ");
        assert_eq!(
            long.as_bytes().read_to_string(&mut text).await.unwrap(),
            20_000
        );
        assert_eq!(text, format!("> {long}"));

        let mut bytes = vec![1];
        assert_eq!((&[2, 3][..]).read_to_end(&mut bytes).await.unwrap(), 2);
        assert_eq!(bytes, [1, 2, 3]);
    });
}

#[test]
fn read_exact_tells_an_early_end() {
    block_on(async {
        let mut room = [0; 3];
        (&b"abcd"[..]).read_exact(&mut room).await.unwrap();
        assert_eq!(&room, b"abc");
        let error = (&b"ab"[..]).read_exact(&mut room).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    });
}

#[test]
fn take_chain_bytes_and_by_ref_work_together() {
    block_on(async {
        let mut cursor = Cursor::new(b"abcdef".to_vec());
        let mut begin = String::new();
        cursor
            .by_ref()
            .take(2)
            .read_to_string(&mut begin)
            .await
            .unwrap();
        let mut rest = String::new();
        let mut chained = cursor.chain(&b"!"[..]);
        chained.read_to_string(&mut rest).await.unwrap();
        assert_eq!((begin.as_str(), rest.as_str()), ("ab", "cdef!"));

        let mut limited: io::Take<io::Repeat> = io::repeat(7).take(2);
        limited.set_limit(3);
        let mut bytes: io::Bytes<io::Take<io::Repeat>> = limited.bytes();
        let mut count = 0;
        while let Some(byte) = bytes.next().await {
            assert_eq!(byte.unwrap(), 7);
            count += 1;
        }
        assert_eq!(count, 3);
    });
}

#[test]
fn lines_and_split_are_streams() {
    block_on(async {
        let mut lines: io::Lines<BufReader<&[u8]>> =
            BufReader::new(&b"one\r\ntwo\n\nfour"[..]).lines();
        for line in ["one", "two", "", "four"] {
            assert_eq!(lines.next().await.unwrap().unwrap(), line);
        }
        assert!(lines.next().await.is_none());

        let mut parts: io::Split<Cursor<&[u8]>> = Cursor::new(&b"a,b"[..]).split(b',');
        assert_eq!(parts.next().await.unwrap().unwrap(), b"a");
        assert_eq!(parts.next().await.unwrap().unwrap(), b"b");
        assert!(parts.next().await.is_none());
    });
}

#[test]
fn seeking_a_buffered_reader_forgets_its_buffer() {
    block_on(async {
        let mut reader = BufReader::with_capacity(4, Cursor::new(b"0123456789".to_vec()));
        let mut digit = [0];
        reader.read_exact(&mut digit).await.unwrap();
        assert_eq!(reader.buffer(), b"123");
        assert_eq!(reader.seek(SeekFrom::Current(4)).await.unwrap(), 5);
        reader.read_exact(&mut digit).await.unwrap();
        assert_eq!(&digit, b"5");
    });
}

#[test]
fn a_buffered_writer_gives_its_writer_back_flushed() {
    block_on(async {
        let mut writer = BufWriter::with_capacity(8, Cursor::new(Vec::new()));
        writer.write_all(b"abc").await.unwrap();
        assert_eq!(writer.buffer(), b"abc");
        assert!(writer.get_ref().get_ref().is_empty());
        let inner = writer.into_inner().await.unwrap();
        assert_eq!(inner.into_inner(), b"abc");
    });
}

#[test]
fn write_formats_and_flushes() {
    block_on(async {
        let mut writer = BufWriter::new(Vec::new());
        write!(writer, "{} and {}", 1, 2).await.unwrap();
        assert_eq!(writer.get_ref(), b"1 and 2");
        writeln!(writer).await.unwrap();
        assert_eq!(writer.get_ref(), b"1 and 2\n");
    });
}

/// Gives one byte and then fails.
struct Failing(bool);

impl io::Read for Failing {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        room: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        room[0] = b'a';
        Poll::Ready(Ok(1))
    }
}

#[test]
fn copy_counts_flushes_and_says_what_failed() {
    block_on(async {
        let mut writer = BufWriter::new(Vec::new());
        assert_eq!(io::copy(&mut &b"hello"[..], &mut writer).await.unwrap(), 5);
        assert_eq!(writer.get_ref(), b"hello");

        let error = io::copy(&mut Failing(false), &mut writer)
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "io::copy failed");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    });
}

#[test]
fn empty_sink_and_the_standard_streams_are_there() {
    block_on(async {
        let mut nothing = Vec::new();
        io::empty().read_to_end(&mut nothing).await.unwrap();
        assert!(nothing.is_empty());
        io::sink().write_all(b"gone").await.unwrap();
        io::stderr().write_all(b"").await.unwrap();
        io::stdout().flush().await.unwrap();
        let _: io::Stdin = io::stdin();
    });
}

#[cfg(feature = "unstable")]
#[test]
fn the_print_family_is_awaited() {
    block_on(async {
        async_std::print!("one, {}\n", 2).await;
        async_std::println!().await;
        async_std::println!("three {word}", word = "words").await;
        async_std::eprint!("four\n").await;
        async_std::eprintln!().await;
        async_std::eprintln!("{:?}", 5).await;
    });
}

#[cfg(not(feature = "unstable"))]
#[test]
fn without_unstable_copy_takes_references_unsized_ones_too() {
    block_on(async {
        let (mut input, mut output) = (&b"text"[..], Vec::new());
        let reader: &mut (dyn io::Read + Unpin) = &mut input;
        let writer: &mut (dyn io::Write + Unpin) = &mut output;
        assert_eq!(io::copy(reader, writer).await.unwrap(), 4);
        assert_eq!(output, b"text");
    });
}
