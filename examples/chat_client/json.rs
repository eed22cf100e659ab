//! `--json`: for scripts. Requests come in as lines of JSON, and what the server says goes out as such; `docs/CLIENT.md`
//! has the list. Hello, Pong, connecting again and joining again are done here.

use parklet::channel::{self, Receiver, Sender};
use parklet::chat::extended::{Reply, Request};
use parklet::chat::session::{News, Session};
use parklet::future;
use parklet::io::{self, BufReadBoundedExt, BufReader, WriteExt};
use parklet::stream::StreamExt;
use serde::Serialize;

use crate::dial::Dialer;
use crate::link::{Event, Link, Order};
use crate::text::clean_json;

/// The longest request, in bytes. Far more than a server takes, far less than a machine has.
const MAX_REQUEST: usize = 1024 * 1024;

/// How many events may wait to be written, and how many requests to be sent.
const MAX_EVENTS: usize = 256;

/// What is written besides the server's own lines.
#[derive(Serialize)]
enum Own<'a> {
    /// The server has the book's protocol only: this stands where `Welcome` would.
    Base {},
    /// The connection is lost, and is made again.
    Lost { why: &'a str, pause_ms: u128 },
    /// Messages of a group that were posted meanwhile, and have not come.
    Missed { group_name: &'a str, messages: u64 },
    /// There was no connection when this was to be sent, or the server cannot do it.
    NotSent { request: &'a Request },
    /// A line of the input was no request.
    BadRequest { line: u64, text: String },
    /// A line of the server was no reply.
    BadReply { text: &'a str },
}

/// Passes requests and replies on until there are no more requests.
///
/// # Errors
///
/// The server cannot be reached or refuses the name; or the input cannot be read.
pub(crate) async fn talk(dialer: Dialer, session: Session) -> Result<(), String> {
    let (ordering, orders) = channel::bounded(MAX_EVENTS);
    let (telling, events) = channel::bounded(MAX_EVENTS);
    let link = Link::new(dialer, session, orders, telling);
    // A message says that there is a connection: before the first one, the input is not read.
    let (connecting, connected) = channel::bounded(1);
    let (complaining, complaints) = channel::bounded(1);
    let input = read_requests(ordering, connected, complaining);
    let output = write_events(events, complaints, connecting);
    let talk = async {
        // The link ends when the input has, and the output when the link has.
        let (kept, (read, written)) = future::join(link.keep(), future::join(input, output)).await;
        kept.and(read).and(written)
    };
    talk.await
}

/// Makes orders of the requests on the standard input.
async fn read_requests(
    orders: Sender<Order>,
    connected: Receiver<()>,
    complaints: Sender<(u64, String)>,
) -> Result<(), String> {
    // Before the first connection there is nobody to ask.
    if connected.recv().await.is_err() {
        return Ok(());
    }
    let mut lines = BufReader::new(io::stdin()).split_bounded(b'\n', MAX_REQUEST);
    let mut number = 0;
    loop {
        // Without listeners there is nobody to ask for.
        let next = future::or(async { Some(lines.next().await) }, async {
            orders.closed().await;
            None
        });
        let Some(Some(line)) = next.await else {
            return Ok(());
        };
        number += 1;
        let request = match line {
            Ok(line) if line.trim_ascii().is_empty() => continue,
            Ok(line) => serde_json::from_slice(&line).map_err(|error| error.to_string()),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(error.to_string()),
            Err(error) => return Err(format!("cannot read the input: {error}")),
        };
        let order = match request {
            Ok(Request::Join {
                group_name,
                password,
                after,
            }) => Order::Join {
                group_name,
                password,
                after,
            },
            Ok(Request::Create {
                group_name,
                password,
            }) => Order::Create(group_name, password),
            Ok(Request::Leave { group_name }) => Order::Leave(group_name),
            Ok(Request::Hello { name, .. }) => Order::Rename(name),
            Ok(request) => Order::Ask(request),
            Err(problem) => {
                let _ = complaints.send((number, problem)).await;
                continue;
            }
        };
        let _ = orders.send(order).await;
    }
}

/// Writes what happens to the standard output, until nothing more does.
async fn write_events(
    events: Receiver<Event>,
    complaints: Receiver<(u64, String)>,
    connecting: Sender<()>,
) -> Result<(), String> {
    let mut output = io::stdout();
    loop {
        let event = async { Ok(events.recv().await) };
        let complaint = async {
            match complaints.recv().await {
                Ok(complaint) => Err(complaint),
                Err(_) => future::pending::<Result<_, _>>().await,
            }
        };
        let line = match future::or(complaint, event).await {
            Ok(Err(_)) => return Ok(()),
            Err((line, text)) => json(&Own::BadRequest { line, text }),
            Ok(Ok(event)) => match &event {
                Event::News(News::Reply(reply)) => {
                    if matches!(reply, Reply::Welcome { .. }) {
                        let _ = connecting.try_send(());
                    }
                    json(reply)
                }
                Event::News(News::Missed {
                    group_name,
                    messages,
                }) => json(&Own::Missed {
                    group_name,
                    messages: *messages,
                }),
                Event::News(_) => continue,
                Event::IsBase => {
                    let _ = connecting.try_send(());
                    json(&Own::Base {})
                }
                Event::Refused { text, .. } => return Err(text.clone()),
                Event::Lost { why, pause } => json(&Own::Lost {
                    why,
                    pause_ms: pause.as_millis(),
                }),
                Event::NotSent(request) => json(&Own::NotSent { request }),
                Event::BadLine(text) => json(&Own::BadReply { text }),
            },
        };
        let written = async {
            output.write_all(line.as_bytes()).await?;
            output.flush().await
        };
        if written.await.is_err() {
            // Like any program whose reader has gone: silently.
            return Ok(());
        }
    }
}

fn json(line: &impl Serialize) -> String {
    let json = serde_json::to_string(line).unwrap_or_default();
    clean_json(&json) + "\n"
}
