//! What a line from the server says, and what messages look like.
//!
//! A message's text is `SENDER NUMBER TIME` and padding, so whoever receives it knows who posted it, as which of its
//! messages, and when it was due. Nearly all lines are messages of one group, so they are first compared with what these
//! begin with; whatever looks different is parsed as the JSON it is.

use std::io::Write;

use parklet::chat::FromServer;
use parklet::chat::extended::Reply;

/// One message of ours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Message {
    pub(crate) sender: u64,
    /// Which of the sender's messages, from 0.
    pub(crate) number: u64,
    /// When it was due, in nanoseconds since the run began.
    pub(crate) due: u64,
    /// Which message of the group, for those who said Hello.
    pub(crate) id: Option<u64>,
}

/// What a line says.
#[derive(Debug, PartialEq)]
pub(crate) enum Line {
    Message(Message),
    /// So many messages were dropped here.
    Dropped(u64),
    /// All that was asked before has been done.
    Done,
    /// A sign of life is wanted.
    Ping,
    /// Nothing that matters here.
    Other,
    /// Something was refused, or cannot be understood.
    Wrong(String),
}

/// What a message of the group begins with on the wire, up to its text. The name needs no escapes.
pub(crate) fn head(group: &str) -> Vec<u8> {
    format!("{{\"Message\":{{\"group_name\":\"{group}\",\"message\":\"").into_bytes()
}

/// Makes `line` a request to post a message of so many bytes.
pub(crate) fn write_post(line: &mut Vec<u8>, group: &str, message: &Message, size: usize) {
    line.clear();
    let infallible = "memory takes everything";
    write!(
        line,
        "{{\"Post\":{{\"group_name\":\"{group}\",\"message\":\""
    )
    .expect(infallible);
    let begin = line.len();
    write!(
        line,
        "{} {} {} ",
        message.sender, message.number, message.due
    )
    .expect(infallible);
    line.resize(line.len().max(begin + size), b'.');
    line.extend_from_slice(b"\"}}\n");
}

/// Reads a line, whose messages begin with `head`.
pub(crate) fn read(line: &[u8], head: &[u8]) -> Line {
    match read_as_expected(line, head) {
        Some(message) => Line::Message(message),
        None => read_as_json(line),
    }
}

fn read_as_expected(line: &[u8], head: &[u8]) -> Option<Message> {
    let mut rest = line.strip_prefix(head)?;
    let (sender, number, due) = read_text(&mut rest)?;
    let end = rest.iter().position(|&byte| byte == b'"')?;
    let rest = &rest[end + 1..];
    let mut id = None;
    if rest != b"}}" {
        const ID: &[u8] = b"\"id\":";
        let begin = rest.windows(ID.len()).position(|window| window == ID)?;
        id = Some(read_number(&mut &rest[begin + ID.len()..])?);
    }
    Some(Message {
        sender,
        number,
        due,
        id,
    })
}

/// Sender, number and time.
fn read_text(text: &mut &[u8]) -> Option<(u64, u64, u64)> {
    let mut next = || {
        let number = read_number(text)?;
        *text = text.strip_prefix(b" ")?;
        Some(number)
    };
    Some((next()?, next()?, next()?))
}

fn read_number(text: &mut &[u8]) -> Option<u64> {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(length);
    *text = rest;
    let mut number: Option<u64> = None;
    for digit in digits {
        let next = number.unwrap_or(0).checked_mul(10)?;
        number = Some(next.checked_add(u64::from(digit - b'0'))?);
    }
    number
}

fn read_as_json(line: &[u8]) -> Line {
    let text = || String::from_utf8_lossy(line).into_owned();
    if let Ok(reply) = serde_json::from_slice::<Reply>(line) {
        return match reply {
            Reply::Message { message, id, .. } => of_text(&message, Some(id), text),
            Reply::Lagged { dropped, .. } => Line::Dropped(dropped),
            Reply::Pong {} => Line::Done,
            Reply::Ping {} => Line::Ping,
            Reply::Error { .. } => Line::Wrong(text()),
            _ => Line::Other,
        };
    }
    match serde_json::from_slice::<FromServer>(line) {
        Ok(FromServer::Message { message, .. }) => of_text(&message, None, text),
        Ok(FromServer::Error(error)) => match dropped(&error) {
            Some(dropped) => Line::Dropped(dropped),
            // What a base client asks for to learn that all before it has been done.
            None if error == format!("Group '{NOWHERE}' does not exist") => Line::Done,
            None => Line::Wrong(text()),
        },
        Err(_) => Line::Wrong(text()),
    }
}

/// A group that is not there.
pub(crate) const NOWHERE: &str = "nowhere to be found";

fn of_text(message: &str, id: Option<u64>, line: impl FnOnce() -> String) -> Line {
    match read_text(&mut message.as_bytes()) {
        Some((sender, number, due)) => Line::Message(Message {
            sender,
            number,
            due,
            id,
        }),
        None => Line::Wrong(line()),
    }
}

/// How many, in the book's words for it.
fn dropped(error: &str) -> Option<u64> {
    let rest = error.strip_prefix("Dropped ")?;
    let (number, rest) = rest.split_once(' ')?;
    rest.starts_with("messages from ").then_some(())?;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: Message = Message {
        sender: 7,
        number: 12,
        due: 345,
        id: None,
    };

    #[test]
    fn what_is_posted_is_read_from_either_protocol_and_in_any_order_of_fields() {
        let head = head("g");
        let mut post = Vec::new();
        write_post(&mut post, "g", &MESSAGE, 48);
        let text = String::from_utf8(post).unwrap();
        let base = text.replace("Post", "Message");
        assert_eq!(
            read_as_expected(base.trim_end().as_bytes(), &head),
            Some(MESSAGE)
        );

        let with_id = Message {
            id: Some(3),
            ..MESSAGE
        };
        let extended = base.replace("\"}}\n", "\",\"from\":\"a\",\"id\":3,\"time\":9}}");
        assert_eq!(read_as_expected(extended.as_bytes(), &head), Some(with_id));
        let shuffled = br#"{"Message":{"time":9,"id":3,"message":"7 12 345 .","group_name":"g"}}"#;
        assert_eq!(read(shuffled, &head), Line::Message(with_id));
    }

    #[test]
    fn what_is_no_message_is_told_apart() {
        let read = |line: &str| read(line.as_bytes(), b"?");
        let lagged = r#"{"Lagged":{"group_name":"g","dropped":4}}"#;
        assert_eq!(read(lagged), Line::Dropped(4));
        assert_eq!(
            read(r#"{"Error":"Dropped 5 messages from g."}"#),
            Line::Dropped(5)
        );
        assert_eq!(
            read(r#"{"Error":"Group 'nowhere to be found' does not exist"}"#),
            Line::Done
        );
        assert_eq!(read(r#"{"Pong":{}}"#), Line::Done);
        assert!(matches!(
            read(r#"{"Error":"Group 'g' does not exist"}"#),
            Line::Wrong(_)
        ));
        assert!(matches!(read("?"), Line::Wrong(_)));
    }
}
