//! What comes from the server, and the patience with it when nothing comes.

use std::convert::Infallible;
use std::time::{Duration, SystemTime};

use parklet::channel::{Receiver, Sender};
use parklet::chat::FromServer;
use parklet::chat::extended::{ErrorCode, Reply, Request};
use parklet::future;
use parklet::io::{self, BufReadBoundedExt};
use parklet::stream::StreamExt;
use parklet::task;

use super::{End, Event, Link, Protocol};
use crate::dial::Inbound;

/// The longest line taken from the server, in bytes: it may well send longer ones than ours does.
const MAX_LINE: usize = 1024 * 1024;

/// How long the server may be silent before it is asked whether it is there. Long enough to cost nothing; shorter than
/// what routers forget connections after.
const SILENCE: Duration = Duration::from_secs(60);

/// How long it may be silent after that, or before its `Welcome`, or after the last that was said to it.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long it may be silent after it was told that nothing more comes.
const FAREWELL: Duration = Duration::from_secs(2);

/// How many names like `anna-2` are tried after a connection was lost; the server may not have noticed yet that the one
/// with the right name is gone.
const SUFFIXES: std::ops::RangeInclusive<u32> = 2..=9;

impl Link {
    /// Takes in what comes until no more does.
    pub(super) async fn read(
        &self,
        inbound: Inbound,
        answers: Sender<Request>,
        written: Receiver<Infallible>,
    ) -> End {
        let mut lines = inbound.split_bounded(b'\n', MAX_LINE);
        let mut was_asked = false;
        let mut is_parting = false;
        loop {
            let patience = self.patience(is_parting, was_asked);
            let line = async { Happening::Line(lines.next().await) };
            let parting = async {
                match is_parting {
                    true => future::pending().await,
                    false => written.recv().await,
                }
                .map_or(Happening::Parting, |never| match never {})
            };
            let silence = async {
                match patience {
                    Some(patience) => task::sleep(patience).await,
                    None => future::pending().await,
                }
                Happening::Silence
            };
            let line = match future::or(line, future::or(parting, silence)).await {
                Happening::Line(line) => line,
                Happening::Parting => {
                    is_parting = true;
                    continue;
                }
                Happening::Silence
                    if self.session.borrow().is_welcome() && !was_asked && !is_parting =>
                {
                    was_asked = true;
                    let _ = answers.try_send(Request::Ping {});
                    continue;
                }
                Happening::Silence => return self.end("the server does not answer"),
            };
            was_asked = false;
            let line = match line {
                Some(Ok(line)) => line,
                Some(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                    self.tell(Event::BadLine(error.to_string())).await;
                    continue;
                }
                Some(Err(error)) => return self.end(&error.to_string()),
                None => return self.end("the server closed the connection"),
            };
            match self.understand(&line) {
                Ok(reply) => {
                    if let Some(end) = self.take(reply, &answers).await {
                        return end;
                    }
                }
                Err(end) => match end {
                    Misunderstood::Base => return End::FallBack,
                    Misunderstood::Bad(text) => self.tell(Event::BadLine(text)).await,
                },
            }
        }
    }

    /// How long the server may be silent now.
    fn patience(&self, is_parting: bool, was_asked: bool) -> Option<Duration> {
        if is_parting {
            return Some(FAREWELL);
        }
        // One that does not welcome us waits for another name, and one of the book's may have nothing to say.
        if self.is_refused.get() || self.protocol.get() == Protocol::Base {
            return None;
        }
        let is_welcome = self.session.borrow().is_welcome();
        Some(if is_welcome && !was_asked {
            SILENCE
        } else {
            PATIENCE
        })
    }

    /// What a line says, in the extended protocol's terms.
    fn understand(&self, line: &[u8]) -> Result<Reply, Misunderstood> {
        let bad = |error: serde_json::Error| Misunderstood::Bad(error.to_string());
        match self.protocol.get() {
            Protocol::Extended => serde_json::from_slice(line).map_err(bad),
            Protocol::Unknown => serde_json::from_slice(line).map_err(|_| Misunderstood::Base),
            Protocol::Base => match serde_json::from_slice(line).map_err(bad)? {
                FromServer::Message {
                    group_name,
                    message,
                } => Ok(Reply::Message {
                    group_name,
                    message,
                    from: None,
                    id: 0,
                    time: now(),
                }),
                FromServer::Error(text) => Ok(Reply::Error {
                    code: ErrorCode::Unknown,
                    text,
                    about: None,
                }),
            },
        }
    }

    /// Does what a reply asks, and passes on what is news.
    async fn take(&self, reply: Reply, answers: &Sender<Request>) -> Option<End> {
        match &reply {
            Reply::Error { code, text, .. } if self.protocol.get() == Protocol::Base => {
                debug_assert_eq!(*code, ErrorCode::Unknown);
                self.last_error.replace(Some(text.clone()));
            }
            Reply::Error { code, text, about } if !self.session.borrow().is_welcome() => {
                self.protocol.set(Protocol::Extended);
                return self
                    .take_refusal(*code, text, about.as_deref(), answers)
                    .await;
            }
            Reply::Welcome { .. } => {
                self.protocol.set(Protocol::Extended);
                self.was_connected.set(true);
                self.failures.set(0);
            }
            _ => self.was_connected.set(true),
        }
        let received = self.session.borrow_mut().receive(reply);
        for answer in received.answers {
            let _ = answers.try_send(answer);
        }
        for news in received.news {
            self.tell(Event::News(news)).await;
        }
        None
    }

    /// `Hello` was refused. What time may heal is as good as a lost connection; else somebody has to do something.
    async fn take_refusal(
        &self,
        code: ErrorCode,
        text: &str,
        about: Option<&str>,
        answers: &Sender<Request>,
    ) -> Option<End> {
        let was_connected = self.was_connected.get();
        let has_account = self.session.borrow().has_token();
        match code {
            ErrorCode::NameTaken if was_connected && !has_account => {
                if let Some(hello) = self.try_another_name() {
                    let _ = answers.try_send(hello);
                    return None;
                }
            }
            // The server has not noticed yet that the last connection is gone; or it looks at no passwords for now.
            ErrorCode::NameTaken | ErrorCode::LoginThrottled if was_connected => {
                return Some(End::Lost(text.to_owned()));
            }
            // There is no room.
            ErrorCode::Limit if about != Some("name_length") => {
                return Some(End::Lost(text.to_owned()));
            }
            _ => {}
        }
        self.is_refused.set(true);
        let text = text.to_owned();
        self.tell(Event::Refused { code, text }).await;
        None
    }

    /// `anna-2` after `anna`, `anna-3` after that.
    fn try_another_name(&self) -> Option<Request> {
        let mut session = self.session.borrow_mut();
        let name = session.name().to_owned();
        let numbered = name.rsplit_once('-').and_then(|(stem, number)| {
            let number: u32 = number.parse().ok()?;
            SUFFIXES.contains(&number).then_some((stem, number))
        });
        let (stem, number) = numbered.unwrap_or((&name, SUFFIXES.start() - 1));
        let number = number + 1;
        if !SUFFIXES.contains(&number) {
            return None;
        }
        session.rename(format!("{stem}-{number}"));
        Some(session.hello())
    }

    /// What it means that the connection ended with this.
    fn end(&self, why: &str) -> End {
        if self.orders.is_closed() {
            return End::Parted;
        }
        if self.protocol.get() == Protocol::Unknown {
            return End::FallBack;
        }
        End::Lost(why.to_owned())
    }
}

/// What the reader waits for.
enum Happening {
    /// A line, or that there are no more.
    Line(Option<io::Result<Vec<u8>>>),
    /// Nothing more is sent.
    Parting,
    /// Nothing has come for as long as one is patient.
    Silence,
}

/// Why a line is no reply of the extended protocol.
enum Misunderstood {
    /// It is the first one, and the book's.
    Base,
    Bad(String),
}

/// In milliseconds since the beginning of 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}
