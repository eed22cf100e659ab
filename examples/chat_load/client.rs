//! One client: says hello, joins its group, posts, reads, and keeps account of what comes.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::ready;
use std::time::{Duration, Instant};

use parklet::io::{Read, WriteExt};
use parklet::net::TcpStream;
use parklet::sync::Semaphore;
use parklet::task;

use crate::account::Account;
use crate::arguments::Rate;
use crate::lines::{self, Line, Message, NOWHERE};
use crate::run::Shared;

/// How much is read at once. All clients of a thread read into the same buffer, and keep only what is left of a line.
const READ_AT_ONCE: usize = 64 * 1024;

thread_local! {
    static READING: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_AT_ONCE].into());
}

/// What a client shares with who posts on its behalf, and with the run.
pub(crate) struct Seen {
    /// How many messages of its group it has accounted for.
    pub(crate) total: AtomicU64,
    /// The server has closed the connection.
    pub(crate) has_ended: AtomicBool,
    /// With no rate set, how many messages it may post before one of those has come back.
    pub(crate) window: Semaphore,
}

/// A client that is connected and in its group.
pub(crate) struct Client {
    pub(crate) number: u64,
    pub(crate) group: usize,
    pub(crate) stream: TcpStream,
    pub(crate) seen: Arc<Seen>,
    account: Account,
    /// It reads nothing until the end, so how long that took says nothing.
    pub(crate) is_slow: bool,
    /// What has come of a line whose end has not.
    begun: Vec<u8>,
    /// All that was asked has been done.
    is_done: bool,
    /// How many more messages it was let post since some of its own came back.
    released: u64,
}

impl Client {
    /// Connects, joins the group and waits until that is done. Nobody has posted yet.
    pub(crate) async fn connect(shared: &Shared, number: u64, group: usize) -> io::Result<Self> {
        Self::connect_with(shared, number, group, Account::default()).await
    }

    async fn connect_with(
        shared: &Shared,
        number: u64,
        group: usize,
        account: Account,
    ) -> io::Result<Self> {
        let stream = TcpStream::connect(shared.address).await?;
        stream.set_nodelay(true)?;
        let name = &shared.groups[group].name;
        let join = format!("{{\"Join\":{{\"group_name\":\"{name}\"}}}}\n");
        let requests = if shared.plan.base {
            // The refusal says that the join before it has been done.
            format!("{join}{{\"Post\":{{\"group_name\":\"{NOWHERE}\",\"message\":\"\"}}}}\n")
        } else {
            format!("{{\"Hello\":{{\"name\":\"{name}-{number}\"}}}}\n{join}{{\"Ping\":{{}}}}\n")
        };
        (&stream).write_all(requests.as_bytes()).await?;
        let mut client = Self {
            number,
            group,
            stream,
            seen: Arc::new(Seen {
                total: AtomicU64::new(0),
                has_ended: AtomicBool::new(false),
                window: Semaphore::new(0),
            }),
            account,
            is_slow: number < shared.plan.slow as u64,
            begun: Vec::new(),
            is_done: false,
            released: 0,
        };
        while !client.is_done {
            client.read(shared).await?;
        }
        Ok(client)
    }

    /// Reads until the connection ends.
    pub(crate) async fn read_all(mut self, shared: Arc<Shared>) {
        if let Err(error) = async {
            loop {
                self.read(&shared).await?;
            }
            #[allow(unreachable_code, reason = "it says what the loop's errors are")]
            Ok::<(), io::Error>(())
        }
        .await
        {
            self.seen.has_ended.store(true, Ordering::Release);
            shared.wrong(format!("client {}: {error}", self.number));
        }
    }

    /// Comes, joins, posts a message, waits until it has come back, and goes.
    pub(crate) async fn come_and_go(shared: &Shared, number: u64, group: usize) -> io::Result<()> {
        let account = Account::of_late_comer();
        let mut client = Self::connect_with(shared, number, group, account).await?;
        let mut line = Vec::new();
        post(
            shared,
            &client.stream,
            number,
            group,
            0,
            shared.now(),
            &mut line,
        )
        .await?;
        // Even who has just come can fall behind, and this can be the message that was dropped.
        while client.released == 0 {
            client.read(shared).await?;
        }
        Ok(())
    }

    /// Reads what has come, and takes it into account.
    async fn read(&mut self, shared: &Shared) -> io::Result<()> {
        let mut stream = self.stream.clone();
        let wants_pong = poll_fn(|cx| {
            READING.with_borrow_mut(|buffer| {
                let length = ready!(Pin::new(&mut stream).poll_read(cx, buffer))?;
                if length == 0 {
                    let error = "the server has closed the connection";
                    return io::Result::Err(io::Error::other(error)).into();
                }
                Ok(self.take(&buffer[..length], shared)).into()
            })
        })
        .await?;
        if wants_pong {
            (&self.stream).write_all(b"{\"Pong\":{}}\n").await?;
        }
        Ok(())
    }

    /// Takes what has come into account, and returns whether the server wants a sign of life.
    fn take(&mut self, bytes: &[u8], shared: &Shared) -> bool {
        let mut begun = std::mem::take(&mut self.begun);
        let mut rest = bytes;
        if !begun.is_empty() {
            begun.extend_from_slice(bytes);
            rest = &begun;
        }
        let now = shared.now();
        let head = &shared.groups[self.group].head;
        let (mut deliveries, mut wants_pong) = (0, false);
        let mut released = self.released;
        while let Some(end) = line_end(rest) {
            match lines::read(&rest[..end], head) {
                Line::Message(message) => {
                    deliveries += 1;
                    if message.sender == self.number {
                        released = released.max(message.number + 1);
                    }
                    if !self.is_slow {
                        shared.latency.add(now.saturating_sub(message.due));
                    }
                    if let Err(problem) = self.account.message(&message) {
                        shared.wrong(format!("client {}: {problem}", self.number));
                    }
                }
                Line::Dropped(dropped) => {
                    self.account.dropped(dropped);
                    shared.dropped.fetch_add(dropped, Ordering::Relaxed);
                    // All that it waits for may be among them. Its next message tells, by the number.
                    released += 1;
                }
                Line::Done => self.is_done = true,
                Line::Ping => wants_pong = true,
                Line::Other => {}
                Line::Wrong(line) => {
                    shared.wrong(format!("client {} was told {line}", self.number));
                }
            }
            rest = &rest[end + 1..];
        }
        self.begun = rest.to_vec();
        shared.deliveries.fetch_add(deliveries, Ordering::Relaxed);
        if released > self.released {
            let more = released - self.released;
            self.released = released;
            self.seen.window.add_permits(more as usize);
        }
        self.seen
            .total
            .store(self.account.total(), Ordering::Release);
        wants_pong
    }
}

/// Where the first line's break is.
fn line_end(bytes: &[u8]) -> Option<usize> {
    // std's search is the platform's memchr.
    let length = io::BufRead::skip_until(&mut &*bytes, b'\n').expect("slices can always be read");
    (length > 0 && bytes[length - 1] == b'\n').then(|| length - 1)
}

/// Who posts on a client's behalf, beside its reading.
pub(crate) struct Sender {
    pub(crate) number: u64,
    pub(crate) group: usize,
    pub(crate) stream: TcpStream,
    pub(crate) seen: Arc<Seen>,
    /// Which of the senders it is.
    pub(crate) place: usize,
    /// How many there are.
    pub(crate) senders: usize,
}

impl Sender {
    /// Posts until the time is up.
    pub(crate) async fn post_all(self, shared: Arc<Shared>) -> io::Result<()> {
        let mut line = Vec::new();
        let until = shared.plan.duration;
        for number in 0.. {
            let due = match shared.plan.rate {
                Rate::Max => {
                    self.seen.window.acquire().await.forget();
                    Duration::from_nanos(shared.now())
                }
                Rate::PerSecond(rate) => {
                    let before = number as f64 * self.senders as f64 + self.place as f64;
                    let due = Duration::try_from_secs_f64(before / rate).unwrap_or(Duration::MAX);
                    sleep_until(&shared, due.min(until)).await;
                    due
                }
            };
            if due >= until {
                break;
            }
            let (stream, due) = (&self.stream, due.as_nanos() as u64);
            post(
                &shared,
                stream,
                self.number,
                self.group,
                number,
                due,
                &mut line,
            )
            .await?;
        }
        Ok(())
    }
}

/// Sleeps until so much time of the run has gone by.
pub(crate) async fn sleep_until(shared: &Shared, time: Duration) {
    let at = shared.start() + time;
    task::sleep(at.saturating_duration_since(Instant::now())).await;
}

/// Posts one message.
async fn post(
    shared: &Shared,
    stream: &TcpStream,
    sender: u64,
    group: usize,
    number: u64,
    due: u64,
    line: &mut Vec<u8>,
) -> io::Result<()> {
    let message = Message {
        sender,
        number,
        due,
        id: None,
    };
    let group = &shared.groups[group];
    lines::write_post(line, &group.name, &message, shared.plan.size);
    group.posts.fetch_add(1, Ordering::Relaxed);
    let mut stream = stream;
    pin!(stream.write_all(line)).await
}
