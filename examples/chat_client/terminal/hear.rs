//! What the server says is shown.

use parklet::chat::extended::{ErrorCode, Reply, Request};
use parklet::chat::session::News;

use super::{Asked, Connection, Person, password_prompt};
use crate::commands;
use crate::editor::Ask;
use crate::link::Event;
use crate::rooms::Incoming;
use crate::text::clean;

impl Person {
    /// Shows what happened.
    pub(super) fn hear(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::News(News::Reply(reply)) => self.hear_reply(reply),
            Event::News(News::Missed {
                group_name,
                messages,
            }) => {
                let messages = count(usize::try_from(messages).unwrap_or(usize::MAX), "message");
                let text = format!("({messages} while you were away, not kept by the server)");
                let line = self.look.aside(&text);
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
}

/// `1 member`, `2 members`.
fn count(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        number => format!("{number} {what}s"),
    }
}
