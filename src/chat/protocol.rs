//! What goes over the wire: one JSON value a line, in either direction.
//!
//! ```text
//! client ──► {"Join":{"group_name":"g"}}                  ──► server
//!            {"Post":{"group_name":"g","message":"m"}}
//! client ◄── {"Message":{"group_name":"g","message":"m"}} ◄── server
//!            {"Error":"Group 'h' does not exist"}
//! ```
//!
//! These are the bytes of the chat in *Programming Rust*, so either side also talks to the book's program. What is
//! added here is what a stranger's bytes ask for: a bad line is an error with its place and the next line is read as
//! if nothing had been, and a line has a greatest length, so that nobody can fill the memory of the other side.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::str::{self, Utf8Error};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::io::{self, BufRead, BufReadBoundedExt, LineTooLong, SplitBounded, Write, WriteExt};
use crate::stream::Stream;

/// The longest line that is taken unless told otherwise, in bytes without the line break: 64 KiB.
///
/// Long enough for any message a person types, short enough that 10,000 clients in the middle of one fit in memory.
pub const MAX_LINE_LENGTH: usize = 64 * 1024;

/// The longest cause that an error about a bad line carries, in characters.
///
/// The causes quote the line, and nobody is helped by getting back 64 KiB of it.
const MAX_CAUSE_LENGTH: usize = 200;

/// What a client asks of the server.
///
/// ```
/// use parklet::chat::FromClient;
///
/// let request: FromClient = serde_json::from_str(r#"{"Join":{"group_name":"rust"}}"#).unwrap();
/// assert_eq!(request, FromClient::Join { group_name: "rust".to_string() });
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum FromClient {
    /// From now on, send me what is posted to this group. A group is there as soon as somebody joins it.
    Join {
        /// The group's name: any text.
        group_name: String,
    },
    /// Send this to every member of the group; to me as well if I am one.
    Post {
        /// The group's name.
        group_name: String,
        /// The text.
        message: String,
    },
}

/// What the server tells a client.
///
/// ```
/// use parklet::chat::FromServer;
///
/// let reply = FromServer::Error("Group 'g' does not exist".to_string());
/// assert_eq!(serde_json::to_string(&reply).unwrap(), r#"{"Error":"Group 'g' does not exist"}"#);
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum FromServer {
    /// Somebody posted this to a group that you joined.
    Message {
        /// The group's name.
        group_name: String,
        /// The text.
        message: String,
    },
    /// A request was not understood or could not be done, or you read too slowly and messages were dropped.
    Error(String),
}

/// The result of all that sends or receives.
pub type ChatResult<T> = Result<T, ChatError>;

/// Why a value could not be sent or received.
///
/// ```
/// use parklet::chat::{FromClient, receive_as_json};
/// use parklet::{stream::StreamExt, task};
///
/// let mut requests = receive_as_json::<_, FromClient>(&b"{\"Jion\":{\"group_name\":\"g\"}}\n"[..]);
/// let error = task::block_on(requests.next()).unwrap().unwrap_err();
/// assert_eq!(error.to_string(), "line 1, column 7: unknown variant `Jion`, expected `Join` or `Post`");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum ChatError {
    /// A line is not the JSON of the value that was expected. The lines after it can still be received.
    BadLine {
        /// Which line, counted from 1.
        line: u64,
        /// Where in the line the reader gave up, in bytes counted from 1.
        column: usize,
        /// What is wrong there.
        cause: String,
    },
    /// A line is longer than what is taken. It is skipped; the lines after it can still be received.
    LineTooLong {
        /// Which line, counted from 1.
        line: u64,
        /// The longest line taken, in bytes.
        limit: usize,
    },
    /// The stream below failed.
    Io(io::Error),
}

impl fmt::Display for ChatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadLine {
                line,
                column,
                cause,
            } => write!(f, "line {line}, column {column}: {cause}"),
            Self::LineTooLong { line, limit } => {
                write!(f, "line {line} is longer than {limit} bytes")
            }
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ChatError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => error.source(),
            _ => None,
        }
    }
}

impl From<io::Error> for ChatError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// One packet as it goes over the wire, with its line break: made once, shared by all whom it is for.
pub(crate) type Frame = Arc<[u8]>;

/// Makes the line for `packet`.
pub(crate) fn frame<P: Serialize>(packet: &P) -> Frame {
    let line = line(packet).expect("what the server says has a form in JSON");
    line.into()
}

/// The JSON of `packet` and a line break.
fn line<P: Serialize + ?Sized>(packet: &P) -> io::Result<Vec<u8>> {
    let mut json = serde_json::to_vec(packet)?;
    json.push(b'\n');
    Ok(json)
}

/// Sends `packet` as one line of JSON. It does not flush.
///
/// # Errors
///
/// [`ChatError::Io`] when `outbound` fails, or when `packet` has no form in JSON (a map whose keys are no strings).
///
/// # Cancel safety
///
/// Not cancel safe: part of the line may have been written.
///
/// ```
/// use parklet::chat::{FromClient, send_as_json};
///
/// let mut wire = Vec::new();
/// let join = FromClient::Join { group_name: "rust".to_string() };
/// parklet::task::block_on(send_as_json(&mut wire, &join)).unwrap();
/// assert_eq!(wire, b"{\"Join\":{\"group_name\":\"rust\"}}\n");
/// ```
pub async fn send_as_json<S, P>(outbound: &mut S, packet: &P) -> ChatResult<()>
where
    S: Write + Unpin + ?Sized,
    P: Serialize + ?Sized,
{
    outbound.write_all(&line(packet)?).await?;
    Ok(())
}

/// Receives one value a line from `inbound`, as a stream. A last line without a line break counts.
///
/// A line that is no `P`, or longer than [`MAX_LINE_LENGTH`], is an error in the stream, and the next item is the next
/// line. An error of `inbound` is the last item.
///
/// ```
/// use parklet::chat::{FromClient, receive_as_json};
/// use parklet::{stream::StreamExt, task};
///
/// let wire = &b"hello?\n{\"Join\":{\"group_name\":\"rust\"}}\n"[..];
/// task::block_on(async {
///     let mut requests = receive_as_json::<_, FromClient>(wire);
///     assert!(requests.next().await.unwrap().is_err());
///     assert!(requests.next().await.unwrap().is_ok());
///     assert!(requests.next().await.is_none());
/// });
/// ```
pub fn receive_as_json<S, P>(inbound: S) -> JsonLines<S, P>
where
    S: BufRead + Unpin,
    P: DeserializeOwned,
{
    receive_as_json_bounded(inbound, MAX_LINE_LENGTH)
}

/// [`receive_as_json`] with another greatest length: `max` bytes, the line break not counted.
///
/// ```
/// use parklet::chat::{FromServer, protocol};
/// use parklet::{stream::StreamExt, task};
///
/// let wire = &b"{\"Error\":\"no\"}"[..];
/// let mut replies = protocol::receive_as_json_bounded::<_, FromServer>(wire, 10);
/// let error = task::block_on(replies.next()).unwrap().unwrap_err();
/// assert_eq!(error.to_string(), "line 1 is longer than 10 bytes");
/// ```
pub fn receive_as_json_bounded<S, P>(inbound: S, max: usize) -> JsonLines<S, P>
where
    S: BufRead + Unpin,
    P: DeserializeOwned,
{
    JsonLines {
        inbound: inbound.split_bounded(b'\n', max),
        lines: 0,
        ended: false,
        packet: PhantomData,
    }
}

/// The values on the lines of a reader: the stream that [`receive_as_json`] makes.
///
/// Waiting for the next one is cancel safe: a line that has come in part stays here.
pub struct JsonLines<S, P> {
    /// The lines as bytes: to serde, invalid UTF-8 is to be one bad line among others.
    inbound: SplitBounded<S>,
    /// How many lines have come.
    lines: u64,
    /// `inbound` has ended or failed, and is not asked again.
    ended: bool,
    /// What is on the lines.
    packet: PhantomData<fn() -> P>,
}

impl<S, P> fmt::Debug for JsonLines<S, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonLines")
            .field("lines", &self.lines)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

impl<S, P> Stream for JsonLines<S, P>
where
    S: BufRead + Unpin,
    P: DeserializeOwned,
{
    type Item = ChatResult<P>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let bytes = ready!(Pin::new(&mut self.inbound).poll_next(cx));
        let line = self.lines + 1;
        self.lines = line;
        Poll::Ready(match bytes {
            Some(Ok(bytes)) => Some(parse(line, &bytes)),
            Some(Err(error)) => Some(Err(match too_long(&error) {
                Some(limit) => ChatError::LineTooLong { line, limit },
                None => {
                    self.ended = true;
                    ChatError::Io(error)
                }
            })),
            None => {
                self.ended = true;
                None
            }
        })
    }
}

/// The limit that a line exceeded, if that is what `error` says.
fn too_long(error: &io::Error) -> Option<usize> {
    Some(error.get_ref()?.downcast_ref::<LineTooLong>()?.max())
}

/// Reads the value on line number `line`.
pub(crate) fn parse<P: DeserializeOwned>(line: u64, bytes: &[u8]) -> ChatResult<P> {
    // First of all: serde_json does not look at the bytes of strings that it skips.
    let text = str::from_utf8(bytes).map_err(|error| bad_utf8(line, error))?;
    serde_json::from_str(text).map_err(|error| bad_json(line, &error))
}

fn bad_utf8(line: u64, error: Utf8Error) -> ChatError {
    ChatError::BadLine {
        line,
        column: error.valid_up_to() + 1,
        cause: "invalid UTF-8".to_string(),
    }
}

fn bad_json(line: u64, error: &serde_json::Error) -> ChatError {
    // serde_json saw one line and calls it line 1.
    let place = format!(" at line {} column {}", error.line(), error.column());
    let mut cause = error.to_string();
    if let Some(length) = cause.strip_suffix(&place).map(str::len) {
        cause.truncate(length);
    }
    if let Some((length, _)) = cause.char_indices().nth(MAX_CAUSE_LENGTH) {
        cause.truncate(length);
        cause.push_str("...");
    }
    ChatError::BadLine {
        line,
        column: error.column().max(1),
        cause,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::StreamExt;
    use crate::task;

    /// What the lines of `wire` become, errors as their text.
    fn received(wire: &[u8]) -> Vec<Result<FromClient, String>> {
        let requests = receive_as_json_bounded(wire, 64);
        let texts = requests.map(|request| request.map_err(|error| error.to_string()));
        task::block_on(texts.collect())
    }

    fn join(group_name: &str) -> FromClient {
        let group_name = group_name.to_string();
        FromClient::Join { group_name }
    }

    #[test]
    fn a_bad_line_is_named_with_its_place_and_the_next_one_is_read() {
        let wire = b"{\"Join\":{\"group_name\":\"a\"}}\nhello\n\n{\"Join\":5}\n{\"Join\":{\"group_name\":\"b\"}}\n";
        assert_eq!(
            received(wire),
            [
                Ok(join("a")),
                Err("line 2, column 1: expected value".to_string()),
                Err("line 3, column 1: EOF while parsing a value".to_string()),
                Err(
                    "line 4, column 9: invalid type: integer `5`, expected struct variant FromClient::Join"
                        .to_string()
                ),
                Ok(join("b")),
            ]
        );
    }

    #[test]
    fn invalid_utf8_is_found_even_in_a_field_that_is_not_read() {
        let wire = b"{\"Join\":{\"group_name\":\"a\",\"x\":\"\xff\"}}\n";
        assert_eq!(
            received(wire),
            [Err("line 1, column 32: invalid UTF-8".to_string())]
        );
    }

    #[test]
    fn a_last_line_without_a_line_break_counts() {
        assert_eq!(received(br#"{"Join":{"group_name":"a"}}"#), [Ok(join("a"))]);
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped() {
        let mut wire = vec![b'x'; 100_000];
        wire.extend_from_slice(b"\n{\"Join\":{\"group_name\":\"a\"}}\n");
        assert_eq!(
            received(&wire),
            [
                Err("line 1 is longer than 64 bytes".to_string()),
                Ok(join("a"))
            ]
        );
    }

    #[test]
    fn a_cause_quotes_only_the_beginning_of_a_long_line() {
        let line = format!("{{\"{}\":1}}", "ä".repeat(10_000));
        let error = parse::<FromClient>(1, line.as_bytes()).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("unknown variant `äää"), "{text}");
        assert!(text.chars().count() < 300, "{text}");
    }
}
