//! A person at a terminal: what they type becomes orders, and what comes becomes lines above the one they are typing.

mod hear;
mod obey;

use std::io::{self, Write};
use std::os::unix::net::UnixStream as Pipe;
use std::pin::pin;
use std::time::Duration;

use parklet::channel::{self, Receiver, Sender};
use parklet::chat::session::Session;
use parklet::future;
use parklet::io::ReadExt;
use parklet::os::unix::net::UnixStream;
use parklet::task;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level::pipe;

use crate::dial::Dialer;
use crate::editor::{Answer, Ask, Editor};
use crate::link::{Event, Link, Order};
use crate::rooms::Rooms;
use crate::screen::Screen;
use crate::text::{Look, clean};
use crate::words::Words;

/// How many events may wait to be shown. With more, the server is read no further, and drops what it cannot send.
const MAX_EVENTS: usize = 256;

/// How long parting from the server may take: long enough for a slow network, short enough not to be waited for.
const FAREWELL: Duration = Duration::from_secs(3);

/// How long the prompt waits for a server that says nothing of a join: longer than slow networks take.
const SETTLING: Duration = Duration::from_secs(5);

/// How the conversation ended.
pub(crate) enum End {
    /// They wanted it so.
    Quit,
    /// This signal asked for it.
    Signal(i32),
}

/// Talks until they have enough.
///
/// # Errors
///
/// There was no connection to begin with, or there is no terminal any more.
pub(crate) async fn talk(
    dialer: Dialer,
    mut session: Session,
    asks_password: bool,
) -> Result<End, String> {
    let signal = signal().map_err(|error| format!("cannot wait for signals: {error}"))?;
    let screen = Screen::default();
    let words = Words::default();
    let mut editor = Editor::start(screen.clone(), words.clone())?;
    let mut signal = pin!(signal);
    if asks_password {
        editor.ask(Ask::Secret {
            prompt: password_prompt(session.name()),
        });
        let answer = async { Ok(editor.answer().await) };
        let interrupted = async { Err(signal.as_mut().await) };
        match future::or(answer, interrupted).await {
            Ok(Answer::Secret(password)) => session.set_token(Some(password)),
            Ok(Answer::Failed(why)) => return Err(why),
            Ok(Answer::Interrupted) => return Ok(End::Signal(SIGINT)),
            Ok(_) => return Ok(End::Quit),
            Err(signal) => return Ok(End::Signal(signal)),
        }
        editor.has_answered();
    }
    let name = session.name().to_owned();
    let (ordering, orders) = channel::unbounded();
    let (telling, events) = channel::bounded(MAX_EVENTS);
    let link = Link::new(dialer, session, orders, telling);
    let person = Person {
        screen: screen.clone(),
        look: Look::of_environment(),
        words,
        rooms: Rooms::default(),
        name,
        joining: None,
        is_settling: false,
        is_base: false,
        connection: Connection::None,
        asked: Asked::Line,
        editor,
        orders: ordering,
        events,
    };
    let (kept, end) = future::join(link.keep(), person.listen(signal)).await;
    screen.end();
    let _ = write!(io::stdout(), "{}", screen.take_rest());
    kept?;
    end
}

/// Waits for the signals that end programs, of which ctrl-C is one while no line is being edited.
fn signal() -> io::Result<impl Future<Output = i32>> {
    let mut waits = Vec::new();
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        let (read, write) = Pipe::pair()?;
        pipe::register(signal, write)?;
        let mut read = UnixStream::from(read);
        waits.push(Box::pin(async move {
            let _ = read.read(&mut [0]).await;
            signal
        }));
    }
    let [interrupt, terminate, hang_up] = waits.try_into().unwrap_or_else(|_| unreachable!());
    Ok(future::or(interrupt, future::or(terminate, hang_up)))
}

/// Whether there is a connection to say something over.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Connection {
    /// There has never been one.
    None,
    There,
    Lost,
}

/// What was asked last.
#[derive(Clone)]
enum Asked {
    Line,
    /// Another name.
    Name,
    /// The password of the account.
    Password,
    /// The password of a private group that is to be joined.
    ToJoin(String),
    /// The password of one that is to be made.
    ToCreate(String),
}

fn password_prompt(name: &str) -> String {
    format!("password of {}: ", clean(name))
}

/// What wakes whoever listens to both sides.
enum Happening {
    Event(Option<Event>),
    Answer(Answer),
    /// The server is silent about a join.
    Settled,
}

struct Person {
    screen: Screen,
    look: Look,
    words: Words,
    rooms: Rooms,
    /// Their name, as the others see it.
    name: String,
    /// The group that was joined last, until that is known to be done.
    joining: Option<String>,
    /// It is not known yet, and no line is asked for before, since a password may have to be.
    is_settling: bool,
    /// The server has the book's protocol only.
    is_base: bool,
    connection: Connection,
    /// What they were asked.
    asked: Asked,
    editor: Editor,
    orders: Sender<Order>,
    events: Receiver<Event>,
}

impl Person {
    /// Listens to the person and to the server, until one of them ends it.
    async fn listen(mut self, signal: impl Future<Output = i32>) -> Result<End, String> {
        let signal = async { Ok(End::Signal(signal.await)) };
        let end = future::or(self.converse(), signal).await;
        // What was said last is to reach the server.
        drop(self.orders);
        if self.connection == Connection::There {
            let parted = async { while self.events.recv().await.is_ok() {} };
            let _ = future::timeout(FAREWELL, parted).await;
        }
        end
    }

    async fn converse(&mut self) -> Result<End, String> {
        loop {
            let may_ask = !self.editor.is_busy() && !self.is_settling;
            if may_ask && self.connection != Connection::None {
                let plain = self.rooms.prompt();
                let prompt = (plain.clone(), self.look.prompt(&plain));
                self.ask(Asked::Line, Ask::Line { prompt });
            }
            let event = async { Happening::Event(self.events.recv().await.ok()) };
            let answer = async { Happening::Answer(self.editor.answer().await) };
            let is_settling = self.is_settling;
            let settled = async {
                if !is_settling {
                    return future::pending().await;
                }
                task::sleep(SETTLING).await;
                Happening::Settled
            };
            match future::or(answer, future::or(event, settled)).await {
                Happening::Settled => self.is_settling = false,
                Happening::Event(Some(event)) => self.hear(event)?,
                // The link says why.
                Happening::Event(None) => return Ok(End::Quit),
                Happening::Answer(answer) => {
                    self.editor.has_answered();
                    if let Some(end) = self.take(answer)? {
                        return Ok(end);
                    }
                }
            }
        }
    }

    fn ask(&mut self, asked: Asked, ask: Ask) {
        self.asked = asked;
        self.editor.ask(ask);
    }

    fn ask_password(&mut self, asked: Asked, prompt: String) {
        self.ask(asked, Ask::Secret { prompt });
    }

    /// Does what was answered.
    fn take(&mut self, answer: Answer) -> Result<Option<End>, String> {
        let asked = std::mem::replace(&mut self.asked, Asked::Line);
        match (answer, asked) {
            (Answer::Line(name), Asked::Name) => self.order(Order::Rename(name.trim().to_owned())),
            (Answer::Line(line), _) => {
                if self.obey(&line) {
                    return Ok(Some(End::Quit));
                }
            }
            (Answer::Secret(password), Asked::ToJoin(group_name)) => {
                if password.expose().is_empty() {
                    self.rooms.leave(&group_name);
                } else {
                    self.order_join(group_name, Some(password));
                }
            }
            (Answer::Secret(password), Asked::ToCreate(group_name)) => {
                let password = Some(password).filter(|password| !password.expose().is_empty());
                self.rooms.enter(&group_name);
                self.joining = Some(group_name.clone());
                self.order(Order::Create(group_name, password));
                self.settle();
            }
            (Answer::Secret(password), _) => self.order(Order::LogIn(password)),
            // Not this group, then; and else, enough of all.
            (Answer::End, Asked::ToJoin(group_name)) => self.rooms.leave(&group_name),
            (Answer::End, Asked::ToCreate(_)) => {}
            (Answer::End, Asked::Password) if self.connection == Connection::There => {}
            (Answer::End, _) => return Ok(Some(End::Quit)),
            (Answer::Interrupted, _) => return Ok(Some(End::Signal(SIGINT))),
            (Answer::Failed(why), _) => return Err(why),
        }
        Ok(None)
    }

    fn order(&self, order: Order) {
        // It ends only after this does.
        let _ = self.orders.try_send(order);
    }

    fn aside(&self, text: &str) {
        self.screen.show(&self.look.aside(text));
    }

    fn trouble(&self, text: &str) {
        self.screen.show(&self.look.trouble(text));
    }
}
