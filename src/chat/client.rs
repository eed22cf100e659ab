//! The terminal side: commands from one reader become requests, and what the server sends becomes lines of text.
//!
//! ```text
//! join rust
//! post rust hello, everybody
//! ```
//!
//! [`run`] knows no terminal. The program in `examples/chat_client/` gives it the process's own streams, and a test gives
//! it bytes.

use std::convert::Infallible;
use std::fmt::{self, Write as _};
use std::future::poll_fn;
use std::time::Duration;

use super::protocol::{
    ChatError, ChatResult, FromClient, FromServer, JsonLines, receive_as_json_bounded, send_as_json,
};
use super::server::ChatStream;
use crate::channel;
use crate::future;
use crate::io::{self, BufRead, BufReadBoundedExt, BufReader, Write, WriteExt};
use crate::stream::StreamExt;
use crate::task;

/// The longest command, in bytes. Far more than a server takes, far less than a machine has.
const MAX_COMMAND_LENGTH: usize = 1024 * 1024;

/// The longest line taken from the server, in bytes: it may well take longer ones than ours does.
const MAX_REPLY_LENGTH: usize = 1024 * 1024;

/// How long the server may be silent after the last command before it is taken to have nothing more to say. Ours ends
/// the connection when it has done all that was asked; the book's leaves it open as long as a group was joined.
const SILENCE: Duration = Duration::from_secs(2);

/// After how many bytes replies are shown, even if more of them lie ready.
const MAX_SHOWN_BYTES: usize = 64 * 1024;

/// How much of a command a complaint quotes, in characters.
const MAX_QUOTED: usize = 40;

/// Why a conversation came to its end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum End {
    /// There were no more commands; all of them have been sent, and the replies shown.
    Commands,
    /// The server closed the connection.
    Server,
    /// Nobody reads the output any more.
    Output,
}

/// Sends the `commands` to `server` and writes what it says to `output`, until one of the three ends.
///
/// A command is a line: `join GROUP`, or `post GROUP MESSAGE...`; empty lines are passed over. A line that is no command
/// is told to `complain`, as `command 3: expected "join" or "post", found "jion"` (3 is the number of the line), and the
/// next one is read. So is a line of the server that cannot be understood.
///
/// When there are no more commands the server is told so, and what it still has to say is shown until it closes the
/// connection, or is silent for two seconds.
///
/// # Errors
///
/// `commands` could not be read, or the connection broke.
///
/// # Cancel safety
///
/// Not cancel safe: a command may have been sent in part.
///
/// ```no_run
/// use parklet::chat::client;
/// use parklet::net::TcpStream;
/// use parklet::{io, task};
///
/// task::block_on(async {
///     let server = TcpStream::connect("127.0.0.1:8080").await?;
///     let commands = &b"join rust\npost rust hello\n"[..];
///     let end = client::run(server, commands, io::stdout(), |text| eprintln!("{text}")).await?;
///     println!("{end:?}");
///     # Ok::<(), parklet::chat::ChatError>(())
/// })
/// # .unwrap();
/// ```
pub async fn run<S, C, O>(
    server: S,
    commands: C,
    output: O,
    complain: impl Fn(&str),
) -> ChatResult<End>
where
    S: ChatStream,
    C: BufRead + Unpin,
    O: Write + Unpin,
{
    let (reader, writer) = server.split();
    let replies = receive_as_json_bounded(BufReader::new(reader), MAX_REPLY_LENGTH);
    // Nothing is sent over this channel: that its one end is dropped tells the other that the commands have ended.
    let (sending, sent) = channel::bounded::<Infallible>(1);

    let mut outcome = None;
    let talk = async {
        outcome = Some(send_commands::<S, C>(commands, writer, &complain).await);
        // If sending failed, the server may have said why: listen on.
        drop(sending);
        future::pending().await
    };
    let end = future::or(show_replies(replies, output, sent, &complain), talk).await?;
    match (outcome, end) {
        (Some(Err(error)), End::Commands) => Err(error),
        (Some(Ok(())), End::Server) => Ok(End::Commands),
        _ => Ok(end),
    }
}

/// Sends a request for each command, and the end of them.
async fn send_commands<S: ChatStream, C: BufRead + Unpin>(
    commands: C,
    mut writer: S::Writer,
    complain: &impl Fn(&str),
) -> ChatResult<()> {
    // As bytes: a command that is no text is one bad command among others.
    let mut commands = commands.split_bounded(b'\n', MAX_COMMAND_LENGTH);
    let mut number = 0_u64;
    while let Some(command) = commands.next().await {
        number += 1;
        let request = match command {
            Ok(command) => parse_command(&command),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(error.to_string()),
            Err(error) => return Err(error.into()),
        };
        match request {
            Ok(Some(request)) => {
                send_as_json(&mut writer, &request).await?;
                writer.flush().await?;
            }
            Ok(None) => {}
            Err(problem) => complain(&format!("command {number}: {problem}")),
        }
    }
    Ok(poll_fn(|cx| S::poll_shutdown_write(&mut writer, cx)).await?)
}

/// What is asked by a command; nothing by an empty line.
fn parse_command(line: &[u8]) -> Result<Option<FromClient>, String> {
    let line = str::from_utf8(line).map_err(|error| error.to_string())?;
    let (verb, rest) = split_word(line);
    let (group, rest) = split_word(rest);
    let group_name = group.to_string();
    match (verb, group, rest) {
        ("", ..) => Ok(None),
        ("join" | "post", "", _) => Err(format!("{verb:?} needs the name of a group")),
        ("join", _, "") => Ok(Some(FromClient::Join { group_name })),
        ("join", ..) => Err(format!(
            "\"join\" takes one group, found {} after it",
            quoted(rest)
        )),
        ("post", _, "") => Err("\"post\" needs a message after the group".to_string()),
        ("post", ..) => Ok(Some(FromClient::Post {
            group_name,
            message: rest.to_string(),
        })),
        _ => Err(format!(
            "expected \"join\" or \"post\", found {}",
            quoted(verb)
        )),
    }
}

/// The first word of `text`, and what comes after it; neither begins or ends with white space.
fn split_word(text: &str) -> (&str, &str) {
    let text = text.trim();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim_start())
}

/// `text` in quotes, but only its beginning if it is long.
fn quoted(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED) {
        Some((length, _)) => format!("{:?}...", &text[..length]),
        None => format!("{text:?}"),
    }
}

/// Shows what the server sends until it has no more, or was silent for a while after the commands were `sent`.
async fn show_replies<S, O>(
    mut replies: JsonLines<S, FromServer>,
    mut output: O,
    sent: channel::Receiver<Infallible>,
    complain: &impl Fn(&str),
) -> ChatResult<End>
where
    S: BufRead + Unpin,
    O: Write + Unpin,
{
    let mut end = None;
    while end.is_none() {
        let silence = async {
            let _ = sent.recv().await;
            task::sleep(SILENCE).await;
            Err(End::Commands)
        };
        let mut next = future::or(async { Ok(replies.next().await) }, silence).await;

        // Whatever has come already is shown in one piece.
        let mut text = String::new();
        loop {
            match next {
                Ok(Some(Ok(reply))) => push_reply(&mut text, &reply),
                Ok(Some(Err(ChatError::Io(error)))) => end = Some(Err(error.into())),
                Ok(Some(Err(error))) => complain(&format!("from the server: {error}")),
                Ok(None) => end = Some(Ok(End::Server)),
                Err(silent) => end = Some(Ok(silent)),
            }
            if end.is_some() || text.len() >= MAX_SHOWN_BYTES {
                break;
            }
            match future::poll_once(replies.next()).await {
                Some(reply) => next = Ok(reply),
                None => break,
            }
        }
        let shown = async {
            output.write_all(text.as_bytes()).await?;
            output.flush().await
        };
        if shown.await.is_err() {
            return Ok(End::Output);
        }
    }
    end.expect("the loop above ends with one")
}

/// Appends the line that shows `reply`.
fn push_reply(text: &mut String, reply: &FromServer) {
    // Writing to a string does not fail.
    let _ = match reply {
        FromServer::Message {
            group_name,
            message,
        } => writeln!(
            text,
            "message posted to {}: {}",
            Shown(group_name),
            Shown(message)
        ),
        FromServer::Error(error) => writeln!(text, "error from server: {}", Shown(error)),
    };
}

/// Text as it may be written to a terminal. It is a stranger's, so a control character, which might end the line or
/// clear the screen, is shown as its escape.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.0.split_inclusive(char::is_control) {
            let last = part.chars().next_back();
            match last.filter(|last| last.is_control() && *last != '\t') {
                Some(last) => write!(
                    f,
                    "{}{}",
                    &part[..part.len() - last.len_utf8()],
                    last.escape_default()
                )?,
                None => f.write_str(part)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(command: &str) -> String {
        parse_command(command.as_bytes()).unwrap_err()
    }

    #[test]
    fn a_command_becomes_its_request() {
        let join = FromClient::Join {
            group_name: "rust".to_string(),
        };
        let post = FromClient::Post {
            group_name: "rust".to_string(),
            message: "hello,  everybody".to_string(),
        };
        assert_eq!(parse_command(b" join  rust\r"), Ok(Some(join)));
        assert_eq!(
            parse_command(b"post rust  hello,  everybody"),
            Ok(Some(post))
        );
        assert_eq!(parse_command(b" \t\r"), Ok(None));
    }

    #[test]
    fn a_bad_command_is_told_what_is_wrong_with_it() {
        assert_eq!(
            problem("jion a"),
            "expected \"join\" or \"post\", found \"jion\""
        );
        assert_eq!(problem("join"), "\"join\" needs the name of a group");
        assert_eq!(problem("post"), "\"post\" needs the name of a group");
        assert_eq!(
            problem("join a b"),
            "\"join\" takes one group, found \"b\" after it"
        );
        assert_eq!(
            problem("post a"),
            "\"post\" needs a message after the group"
        );
        assert_eq!(
            parse_command(b"join \xff").unwrap_err(),
            "invalid utf-8 sequence of 1 bytes from index 5"
        );
        let quote = format!("\"{}\"...", "x".repeat(MAX_QUOTED));
        assert_eq!(
            problem(&"x".repeat(1000)),
            format!("expected \"join\" or \"post\", found {quote}")
        );
    }

    #[test]
    fn what_is_shown_cannot_steer_the_terminal() {
        let mut text = String::new();
        let message = "red \u{1b}[31m\nline\ttwo ä".to_string();
        let group_name = "g".to_string();
        push_reply(
            &mut text,
            &FromServer::Message {
                group_name,
                message,
            },
        );
        assert_eq!(text, "message posted to g: red \\u{1b}[31m\\nline\ttwo ä\n");
    }
}
