//! The page for those who watch the server: `/metrics` in Prometheus's text format, and `/health`.
//!
//! Anybody may knock at its port and say anything, or nothing. So a request has a largest size and a time limit, and
//! only so many are served at once; the others wait in the kernel's queue, where they cost the server nothing.

use std::fmt::Write as _;
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use httparse::{EMPTY_HEADER, Request, Status};
use parklet::chat::server::{Counts as ChatCounts, DELIVERY_TIMES, Metrics};
use parklet::future;
use parklet::io::{self, ReadExt, WriteExt};
use parklet::net::{SocketAddr, TcpListener, TcpStream};
use parklet::{runtime, task};

use crate::history::{Counts, KeptOnDisk};
use crate::traffic::Traffic;

/// How many requests are served at once. One is what a scraper needs; the others are for those who only hold on.
const AT_ONCE: usize = 16;

/// How long a request may take, from the connection to its end. A scraper is near and quick.
const TIME_LIMIT: Duration = Duration::from_secs(2);

/// The longest request taken. Prometheus sends some 300 bytes.
const MAX_REQUEST: usize = 4096;

/// The most headers in it.
const MAX_HEADERS: usize = 64;

/// How long nobody is accepted after that has failed, as when descriptors have run out.
const BACK_OFF: Duration = Duration::from_millis(50);

/// The type of a text that is for people.
const PLAIN: &str = "text/plain; charset=utf-8";

/// What is said of a request beyond these limits.
const TOO_LARGE: &str = "431 Request Header Fields Too Large";

/// What is known about the server.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    /// What the chat counts.
    pub(crate) chat: Arc<Metrics>,
    /// What the connections count.
    pub(crate) traffic: Arc<Traffic>,
    /// Where messages are kept, if they were to be: nowhere, if that could not be opened.
    pub(crate) history: OnceLock<Option<KeptOnDisk>>,
    /// The server was told to stop.
    pub(crate) is_stopping: AtomicBool,
}

/// An answer: the status line's end, the type of the text, the text.
type Answer = (&'static str, &'static str, String);

/// Serves the page at `address` from now on, and returns the address it is.
pub(crate) async fn serve(address: &str, watched: &Arc<Watched>) -> io::Result<SocketAddr> {
    let listener = Arc::new(TcpListener::bind(address).await?);
    let address = listener.local_addr()?;
    for _ in 0..AT_ONCE {
        let (listener, watched) = (listener.clone(), watched.clone());
        let serving = async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        // Whoever is too slow, or goes, is not missed.
                        let _ = future::timeout(TIME_LIMIT, talk(stream, &watched)).await;
                    }
                    Err(_) => task::sleep(BACK_OFF).await,
                }
            }
        };
        task::Builder::new()
            .name("metrics".into())
            .spawn(serving)?
            .detach();
    }
    Ok(address)
}

/// Takes a request, answers it, and sees to it that the answer arrives.
async fn talk(mut stream: TcpStream, watched: &Watched) -> io::Result<()> {
    let mut buffer = [0; MAX_REQUEST];
    let mut length = 0;
    let (status, kind, text) = loop {
        if let Some(answer) = answer(&buffer[..length], watched) {
            break answer;
        }
        match stream.read(&mut buffer[length..]).await? {
            0 if length < MAX_REQUEST => return Ok(()),
            0 => break refusal(TOO_LARGE),
            more => length += more,
        }
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        text.len()
    );
    let has_text = !buffer[..length].starts_with(b"HEAD ");
    let answer = head + if has_text { &text } else { "" };
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown(Shutdown::Write)?;
    // To close while bytes lie unread would throw away what the other side has not read either.
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}

/// The answer to what has come so far, if that is a whole request, or never becomes one.
fn answer(bytes: &[u8], watched: &Watched) -> Option<Answer> {
    let mut headers = [EMPTY_HEADER; MAX_HEADERS];
    let mut request = Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(Status::Partial) => return None,
        Ok(Status::Complete(_)) => {}
        Err(httparse::Error::TooManyHeaders) => return Some(refusal(TOO_LARGE)),
        Err(_) => return Some(refusal("400 Bad Request")),
    }
    if !matches!(request.method, Some("GET" | "HEAD")) {
        return Some(refusal("405 Method Not Allowed\r\nAllow: GET, HEAD"));
    }
    let path = request.path.unwrap_or_default();
    Some(match path.split('?').next().unwrap_or_default() {
        "/metrics" => (
            "200 OK",
            "text/plain; version=0.0.4; charset=utf-8",
            prometheus(watched),
        ),
        "/health" if watched.is_stopping.load(Ordering::Relaxed) => {
            ("503 Service Unavailable", PLAIN, "stopping\n".to_owned())
        }
        "/health" => ("200 OK", PLAIN, "ok\n".to_owned()),
        _ => refusal("404 Not Found"),
    })
}

/// An answer that says no more than its status.
fn refusal(status: &'static str) -> Answer {
    let text = status.lines().next().unwrap_or_default();
    (status, PLAIN, format!("{text}\n"))
}

/// All numbers, in Prometheus's text format.
fn prometheus(watched: &Watched) -> String {
    let (chat, traffic) = (watched.chat.read(), &watched.traffic);
    let numbers = [
        (
            "connections",
            "gauge",
            "Clients that are connected.",
            traffic.open(),
        ),
        (
            "accepted_total",
            "counter",
            "Clients that were accepted.",
            traffic.accepted(),
        ),
        (
            "received_bytes_total",
            "counter",
            "Bytes that came from clients.",
            traffic.received(),
        ),
        (
            "sent_bytes_total",
            "counter",
            "Bytes that went to clients.",
            traffic.sent(),
        ),
        (
            "groups",
            "gauge",
            "Groups that have members, or kept messages.",
            chat.groups,
        ),
        (
            "posts_total",
            "counter",
            "Messages that were posted to groups.",
            chat.posts,
        ),
        (
            "deliveries_total",
            "counter",
            "Messages that were passed on to members.",
            chat.deliveries,
        ),
        (
            "replayed_total",
            "counter",
            "Kept messages that were sent to clients that joined.",
            chat.replayed,
        ),
        (
            "dropped_total",
            "counter",
            "Messages that members did not get, since they fell behind.",
            chat.dropped,
        ),
        (
            "lags_total",
            "counter",
            "Times that a member fell behind.",
            chat.lags,
        ),
        (
            "failed_logins_total",
            "counter",
            "Logins that were refused.",
            chat.failed_logins,
        ),
    ];
    let history = watched.history.get().map(numbers_of_history);
    let mut text = String::new();
    for number in numbers.into_iter().chain(history.into_iter().flatten()) {
        add(&mut text, "chat", number);
    }
    for number in numbers_of_runtime() {
        add(&mut text, "runtime", number);
    }
    push_delivery_times(&mut text, &chat);
    text
}

/// How long deliveries took, as a histogram.
fn push_delivery_times(text: &mut String, chat: &ChatCounts) {
    let name = "parklet_chat_delivery_seconds";
    let help = "From the post of a message to when it was passed on to a member.";
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} histogram");
    for (end, number) in DELIVERY_TIMES.iter().zip(chat.delivered_within) {
        let end = end.as_secs_f64();
        let _ = writeln!(text, "{name}_bucket{{le=\"{end}\"}} {number}");
    }
    let (count, sum) = (chat.deliveries, chat.delivery_time.as_secs_f64());
    let _ = writeln!(
        text,
        "{name}_bucket{{le=\"+Inf\"}} {count}\n{name}_sum {sum}\n{name}_count {count}"
    );
}

/// A number: its name, its kind, what it is, and it.
type Number = (&'static str, &'static str, &'static str, u64);

/// The numbers of a history that was to be there.
fn numbers_of_history(history: &Option<KeptOnDisk>) -> [Number; 6] {
    let counts = match history {
        Some(history) => history.counts(),
        None => Counts {
            failures: 1,
            ..Counts::default()
        },
    };
    [
        (
            "history_up",
            "gauge",
            "Whether messages are kept now.",
            u64::from(counts.is_up),
        ),
        (
            "history_messages",
            "gauge",
            "Messages that are kept.",
            counts.messages,
        ),
        (
            "history_queued_bytes",
            "gauge",
            "Bytes of them that are not on disk yet.",
            counts.queued,
        ),
        (
            "history_dropped_total",
            "counter",
            "Messages that were not kept.",
            counts.dropped,
        ),
        (
            "history_flushes_total",
            "counter",
            "Writes to the disk.",
            counts.flushes,
        ),
        (
            "history_failures_total",
            "counter",
            "Times that the disk failed.",
            counts.failures,
        ),
    ]
}

/// The numbers of the threads beneath it all.
fn numbers_of_runtime() -> [Number; 9] {
    let runtime = runtime::metrics();
    [
        (
            "workers",
            "gauge",
            "Tasks that may run at a time.",
            runtime.workers as u64,
        ),
        (
            "busy_workers",
            "gauge",
            "Workers that run tasks or look for one.",
            runtime.busy_workers as u64,
        ),
        (
            "queued_tasks",
            "gauge",
            "Tasks that wait to be polled.",
            runtime.queued_tasks as u64,
        ),
        ("polls_total", "counter", "Polls of tasks.", runtime.polls),
        (
            "steals_total",
            "counter",
            "Times that a worker took tasks of another one.",
            runtime.steals,
        ),
        (
            "parks_total",
            "counter",
            "Times that a worker went to sleep.",
            runtime.parks,
        ),
        (
            "blocking_threads",
            "gauge",
            "Threads for blocking calls.",
            runtime.blocking_threads as u64,
        ),
        (
            "idle_blocking_threads",
            "gauge",
            "Those of them that have nothing to do.",
            runtime.idle_blocking_threads as u64,
        ),
        (
            "queued_blocking_calls",
            "gauge",
            "Blocking calls that wait for a thread.",
            runtime.queued_blocking_calls as u64,
        ),
    ]
}

/// Adds a number of `of` to the page.
fn add(text: &mut String, of: &str, (name, kind, help, number): Number) {
    let name = format!("parklet_{of}_{name}");
    let _ = writeln!(
        text,
        "# HELP {name} {help}
# TYPE {name} {kind}
{name} {number}"
    );
}
