//! A person at a terminal: what they type becomes orders, and what comes becomes lines above the one they are typing.

use std::io::{self, Write};
use std::os::unix::net::UnixStream as Pipe;
use std::pin::pin;
use std::time::Duration;

use parklet::channel::{self, Receiver, Sender};
use parklet::chat::Secret;
use parklet::chat::extended::{ErrorCode, Reply, Request};
use parklet::chat::session::{News, Session};
use parklet::future;
use parklet::io::ReadExt;
use parklet::os::unix::net::UnixStream;
use parklet::task;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level::pipe;

use crate::commands::{self, Typed};
use crate::dial::Dialer;
use crate::editor::{Answer, Ask, Editor, Words};
use crate::link::{Event, Link, Order};
use crate::rooms::{Incoming, Rooms};
use crate::screen::Screen;
use crate::text::{Look, clean};

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

    /// Does what was typed. Returns whether it was to quit.
    fn obey(&mut self, line: &str) -> bool {
        let typed = match commands::parse(line) {
            Ok(typed) => typed,
            Err(problem) => {
                self.trouble(&problem);
                return false;
            }
        };
        let here = self.rooms.current().map(str::to_owned);
        match typed {
            Typed::Nothing => {}
            Typed::Quit => return true,
            Typed::Help => self.screen.show(&self.look.aside(commands::HELP)),
            Typed::Say(message) => match here {
                Some(group_name) => self.post(group_name, message),
                None => self.trouble("you are in no group; /join GROUP"),
            },
            Typed::Post {
                group_name,
                message,
            } => self.post(group_name, message),
            Typed::Join(group_name) => self.join(group_name),
            Typed::Leave(name) => match name.or(here) {
                Some(group_name) if self.rooms.has(&group_name) => {
                    self.rooms.leave(&group_name);
                    self.order(Order::Leave(group_name));
                }
                Some(group_name) => {
                    self.trouble(&format!("you are not in {}", clean(&group_name)));
                }
                None => self.trouble("you are in no group"),
            },
            Typed::Members(name) => match name.or(here) {
                Some(group_name) => self.order(Order::Ask(Request::Members { group_name })),
                None => self.trouble("you are in no group; /members GROUP"),
            },
            Typed::Direct { to, message } => {
                let who = format!(
                    "{} \u{2192} {}",
                    self.look.name(&self.name),
                    self.look.name(&to)
                );
                let now = jiff::Timestamp::now().as_millisecond();
                let line = self.look.message(now.unsigned_abs(), &who, &message);
                self.screen.show(&line);
                self.order(Order::Ask(Request::Direct { to, message }));
            }
            Typed::History(number) => match here {
                Some(group_name) => self.order(Order::Ask(Request::History {
                    group_name,
                    before: None,
                    after: None,
                    limit: Some(number),
                })),
                None => self.trouble("you are in no group"),
            },
            Typed::Create(group_name) => {
                let name = clean(&group_name);
                let prompt = format!("password of {name}, or nothing, for invitations only: ");
                self.ask_password(Asked::ToCreate(group_name), prompt);
            }
            Typed::Invite(name) => match here {
                Some(group_name) => self.order(Order::Ask(Request::Invite { group_name, name })),
                None => self.trouble("you are in no group"),
            },
            Typed::LogIn => {
                let prompt = password_prompt(&self.name);
                self.ask_password(Asked::Password, prompt);
            }
            Typed::Groups => self.order(Order::Ask(Request::Groups {})),
            Typed::Name(name) => self.order(Order::Rename(name)),
        }
        false
    }

    fn post(&mut self, group_name: String, message: String) {
        let request = Request::Post {
            group_name,
            message,
        };
        self.order(Order::Ask(request));
    }

    /// Goes to a group; joins it, if they are not in it.
    fn join(&mut self, group_name: String) {
        let is_new = !self.rooms.has(&group_name);
        let unread = self.rooms.enter(&group_name);
        self.words.add_group(&group_name);
        for line in unread {
            self.screen.show(&line);
        }
        if is_new {
            self.order_join(group_name, None);
        }
    }

    fn order_join(&mut self, group_name: String, password: Option<Secret>) {
        self.joining = Some(group_name.clone());
        self.order(Order::Join(group_name, password));
        self.settle();
    }

    /// Waits for the answer of the server to all that was ordered.
    fn settle(&mut self) {
        self.is_settling = true;
        self.order(Order::Ask(Request::Ping {}));
    }

    fn order(&self, order: Order) {
        // It ends only after this does.
        let _ = self.orders.try_send(order);
    }

    /// Shows what happened.
    fn hear(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::News(News::Reply(reply)) => self.hear_reply(reply),
            Event::News(News::Missed {
                group_name,
                messages,
            }) => {
                let text =
                    format!("{messages} messages came while you were away, and are not kept");
                let line = self.look.aside(&format!("({text})"));
                self.show_in(&group_name, line);
            }
            Event::News(_) => {}
            Event::IsBase => {
                if self.connection == Connection::None {
                    self.aside(
                        "connected; this server has no names: all there is are /join and /post",
                    );
                } else {
                    self.aside("connected again");
                }
                self.is_base = true;
                self.connection = Connection::There;
            }
            Event::Refused { code, text } => return self.hear_refusal(code, &clean(&text)),
            Event::Lost { why, .. } => {
                if self.connection != Connection::Lost {
                    self.trouble(&format!("{}; connecting again ..", clean(&why)));
                }
                self.connection = Connection::Lost;
                self.is_settling = false;
            }
            Event::NotSent(Request::Ping {}) => self.is_settling = false,
            Event::NotSent(request) if self.is_base && self.connection == Connection::There => {
                let what = match request {
                    Request::Leave { .. } => "leave a group",
                    _ => "do that",
                };
                self.trouble(&format!("this server cannot {what}"));
            }
            Event::NotSent(request) => {
                let text = match request {
                    Request::Post { message, .. } | Request::Direct { message, .. } => {
                        format!("not sent, there is no connection: {}", clean(&message))
                    }
                    _ => "there is no connection now".to_owned(),
                };
                self.trouble(&text);
            }
            Event::BadLine(problem) => {
                self.trouble(&format!("from the server: {}", clean(&problem)));
            }
        }
        Ok(())
    }

    /// The server refuses the name or the password. Who is just typing something else is not interrupted.
    fn hear_refusal(&mut self, code: ErrorCode, text: &str) -> Result<(), String> {
        let is_about_name = matches!(
            code,
            ErrorCode::NameTaken | ErrorCode::BadName | ErrorCode::Limit
        );
        let is_about_password = matches!(code, ErrorCode::BadLogin | ErrorCode::AccountNeeded);
        self.is_settling = false;
        if self.editor.is_busy() {
            self.connection = Connection::Lost;
            self.trouble(&format!("{text}; /name NAME or /login tries again"));
        } else if is_about_name {
            let prompt = format!("{text}; another name: ");
            self.ask(Asked::Name, Ask::Word { prompt });
        } else if is_about_password {
            println!("{}", self.look.trouble(text));
            let prompt = password_prompt(&self.name);
            self.ask_password(Asked::Password, prompt);
        } else {
            return Err(text.to_owned());
        }
        Ok(())
    }

    fn hear_reply(&mut self, reply: Reply) {
        match reply {
            Reply::Welcome { name, server, .. } => {
                let again = match self.connection {
                    Connection::None => format!("connected to {}", clean(&server)),
                    _ => "connected again,".to_owned(),
                };
                let help = match self.connection {
                    Connection::None => "; /help lists the commands",
                    _ => "",
                };
                self.aside(&format!("{again} as {}{help}", clean(&name)));
                self.connection = Connection::There;
                self.name = name;
            }
            Reply::Message {
                group_name,
                message,
                from,
                time,
                ..
            } => {
                let who = self.who(from.as_deref());
                if let Some(name) = &from {
                    self.words.add_name(name);
                }
                let line = self.look.message(time, &who, &message);
                self.show_in(&group_name, line);
            }
            Reply::Direct {
                from,
                message,
                time,
            } => {
                self.words.add_name(&from);
                let who = format!(
                    "{} \u{2192} {}",
                    self.look.name(&from),
                    self.look.name(&self.name)
                );
                self.screen.show(&self.look.message(time, &who, &message));
            }
            Reply::Groups { groups, total } => {
                for group in &groups {
                    self.words.add_group(&group.group_name);
                    let members = count(group.members, "member");
                    let unread = match self.rooms.unread(&group.group_name) {
                        0 => String::new(),
                        unread => format!(", {unread} unread"),
                    };
                    let name = clean(&group.group_name);
                    self.screen.show(&format!("  {name}: {members}{unread}"));
                }
                let shown = groups.len();
                if shown < total {
                    self.aside(&format!("and {} more", total - shown));
                } else if total == 0 {
                    self.aside("there are no groups; /join GROUP makes one");
                }
            }
            Reply::Members {
                group_name,
                names,
                total,
            } => {
                for name in &names {
                    self.words.add_name(name);
                }
                let mut who: Vec<String> = names.iter().map(|name| self.look.name(name)).collect();
                if who.len() < total {
                    who.push(format!("{} more", total - who.len()));
                }
                let name = clean(&group_name);
                self.screen.show(&format!("  {name}: {}", who.join(", ")));
            }
            Reply::Joined { group_name, name } if name == self.name => {
                self.joining.take_if(|joining| *joining == group_name);
            }
            Reply::Joined { group_name, name } => self.notice(&group_name, &name, "joined"),
            Reply::Left { group_name, name } => self.notice(&group_name, &name, "left"),
            Reply::Lagged {
                group_name,
                dropped,
            } => {
                let messages = count(usize::try_from(dropped).unwrap_or(usize::MAX), "message");
                let text =
                    format!("({messages} were dropped: they came faster than they were read)");
                let line = self.look.trouble(&text);
                self.show_in(&group_name, line);
            }
            Reply::History {
                group_name,
                messages,
                ..
            } => {
                let kept = count(messages.len(), "message");
                self.aside(&format!("-- the last {kept} of {} --", clean(&group_name)));
                for kept in messages {
                    let who = self.who(kept.from.as_deref());
                    self.screen
                        .show(&self.look.message(kept.time, &who, &kept.message));
                }
                self.aside("--");
            }
            Reply::Invited { group_name, by } => {
                self.words.add_group(&group_name);
                let typed = clean(&commands::quote(&group_name));
                let (by, group) = (clean(&by), clean(&group_name));
                self.aside(&format!("({by} invites you to {group}; /join {typed})"));
            }
            Reply::Error { code, text, about } => self.hear_error(code, &text, about.as_deref()),
            Reply::Pong {} => self.is_settling = false,
            // Signs of life; and what newer servers say.
            _ => {}
        }
    }

    /// Something was not done. If it was a join, the group is left, unless its password helps.
    fn hear_error(&mut self, code: ErrorCode, text: &str, about: Option<&str>) {
        let is_of_a_limit = matches!(about, Some("group_length" | "groups_per_client"));
        let joining = self.joining.clone().filter(|joining| match code {
            ErrorCode::Limit => is_of_a_limit,
            ErrorCode::LoginThrottled => true,
            ErrorCode::Private
            | ErrorCode::NotPrivate
            | ErrorCode::GroupExists
            | ErrorCode::NoSuchGroup => about == Some(joining),
            _ => false,
        });
        match joining {
            Some(group_name) if code == ErrorCode::Private && !self.editor.is_busy() => {
                self.joining = None;
                let prompt = format!("{}\npassword of {}: ", clean(text), clean(&group_name));
                self.ask_password(Asked::ToJoin(group_name), prompt);
                return;
            }
            Some(group_name) => {
                self.joining = None;
                self.rooms.leave(&group_name);
            }
            // A private group that could not be joined again.
            None if code == ErrorCode::Private => self.rooms.leave(about.unwrap_or_default()),
            None => {}
        }
        self.trouble(&clean(text));
    }

    /// Who said something.
    fn who(&self, from: Option<&str>) -> String {
        match from {
            Some(name) => self.look.name(name),
            None => self.look.aside("somebody"),
        }
    }

    /// Says who comes and goes, in the group in front.
    fn notice(&self, group_name: &str, name: &str, what: &str) {
        self.words.add_name(name);
        if self.rooms.current() == Some(group_name) {
            self.aside(&format!("({} {what})", clean(name)));
        }
    }

    /// Shows a line of a group now, if it is the one in front; else when they go there.
    fn show_in(&mut self, group_name: &str, line: String) {
        match self.rooms.take(group_name, line) {
            Incoming::Show(line) => self.screen.show(&line),
            Incoming::FirstUnread => {
                let typed = clean(&commands::quote(group_name));
                self.aside(&format!(
                    "(unread in {}; /join {typed} shows it)",
                    clean(group_name)
                ));
            }
            Incoming::Kept => {}
        }
    }

    fn aside(&self, text: &str) {
        self.screen.show(&self.look.aside(text));
    }

    fn trouble(&self, text: &str) {
        self.screen.show(&self.look.trouble(text));
    }
}

/// `1 member`, `2 members`.
fn count(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        number => format!("{number} {what}s"),
    }
}
