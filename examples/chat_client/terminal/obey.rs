//! What somebody typed is done.

use parklet::chat::Secret;
use parklet::chat::extended::Request;

use super::{Asked, Person, password_prompt};
use crate::commands::{self, Typed};
use crate::link::Order;
use crate::text::clean;

impl Person {
    /// Does what was typed. Returns whether it was to quit.
    pub(super) fn obey(&mut self, line: &str) -> bool {
        let typed = match commands::parse(line) {
            Ok(typed) => typed,
            Err(problem) => {
                self.trouble(&problem);
                return false;
            }
        };
        let is_in_the_book = matches!(
            typed,
            Typed::Nothing
                | Typed::Quit
                | Typed::Help
                | Typed::Say(_)
                | Typed::Post { .. }
                | Typed::Join(_)
        );
        if self.is_base && !is_in_the_book {
            self.trouble("this server cannot do that");
            return false;
        }
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

    pub(super) fn order_join(&mut self, group_name: String, password: Option<Secret>) {
        self.joining = Some(group_name.clone());
        self.order(Order::Join {
            group_name,
            password,
            after: None,
        });
        self.settle();
    }

    /// Waits for the answer of the server to all that was ordered.
    pub(super) fn settle(&mut self) {
        self.is_settling = true;
        self.order(Order::Ask(Request::Ping {}));
    }
}
