//! Accounts, private groups, and what was said before.

use std::io::Write;
use std::net::SocketAddr;
use std::process::Command;

use parklet::chat::server::Builder;
use rustix::termios::LocalModes;
use tempfile::NamedTempFile;

use crate::chat_support::memory_history::MemoryHistory;
use crate::chat_support::{Program, Server, address_in, example};
use crate::terminal::Terminal;

/// A server with the account of Anna, whose password is `swordfish`.
fn server_with_anna() -> (Program, SocketAddr, NamedTempFile) {
    let mut hashing =
        Program::start(Command::new(example("chat_server")).args(["hash-password", "anna"]));
    hashing.type_in("swordfish\n");
    let mut accounts = NamedTempFile::new().unwrap();
    accounts
        .write_all(hashing.wait().stdout.as_bytes())
        .unwrap();
    let mut command = Command::new(example("chat_server"));
    command
        .args(["127.0.0.1:0", "--users"])
        .arg(accounts.path());
    let server = Program::start(&mut command);
    let address = address_in(&server.line());
    (server, address, accounts)
}

/// Types a password once it is asked for, and hidden.
#[track_caller]
fn type_password(terminal: &mut Terminal, prompt: &str, password: &str) {
    terminal.line_is(prompt);
    terminal.hides_what_is_typed();
    terminal.type_in(password);
    terminal.type_in("\r");
}

/// Nothing of this was ever shown, and the arrow up does not bring it back.
#[track_caller]
fn was_never_seen(terminal: &mut Terminal, secret: &str, prompt: &str) {
    terminal.type_in("\x1b[A");
    terminal.type_in("\x15");
    terminal.line_is(prompt);
    let seen = terminal.rows();
    assert!(!seen.iter().any(|row| row.contains(secret)), "{seen:#?}");
}

#[test]
fn a_server_with_accounts_is_told_the_password_that_is_asked_for() {
    let (_server, address, _accounts) = server_with_anna();
    let mut anna = Terminal::start(&[&address.to_string(), "--name", "anna"]);
    anna.shows("this server needs an account: open with Hello, its name and its token");
    type_password(&mut anna, "password of anna: ", "hunter2");
    anna.shows("there is no such account, or its password is another one");
    type_password(&mut anna, "password of anna: ", "swordfish");
    anna.shows("as anna; /help lists the commands");
    was_never_seen(&mut anna, "swordfish", "> ");
}

#[test]
fn the_password_may_be_typed_first() {
    let (_server, address, _accounts) = server_with_anna();
    let mut anna = Terminal::start(&[&address.to_string(), "--name", "anna", "--login"]);
    type_password(&mut anna, "password of anna: ", "swordfish");
    anna.shows("as anna; /help lists the commands");
    // And again, later.
    anna.type_in("/login\r");
    type_password(&mut anna, "password of anna: ", "swordfish");
    anna.shows("connected again, as anna");
}

#[test]
fn ctrl_c_at_a_password_ends_the_client_and_gives_the_terminal_back() {
    let server = Server::start();
    let mut anna = Terminal::start(&[&server.address.to_string(), "--login", "--name", "anna"]);
    anna.line_is("password of anna: ");
    anna.hides_what_is_typed();
    anna.type_in("sword\x03");
    assert_eq!(anna.end(), Some(130));
    assert!(
        anna.modes()
            .local_modes
            .contains(LocalModes::ECHO | LocalModes::ICANON)
    );
}

#[test]
fn a_script_has_its_password_in_a_file_or_a_variable() {
    let (_server, address, _accounts) = server_with_anna();
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(b"swordfish\n").unwrap();
    let command = || {
        let mut command = Command::new(example("chat_client"));
        command.args([&address.to_string(), "--json", "--name", "anna"]);
        command
    };
    let from_file = Program::start(command().arg("--password-file").arg(file.path()));
    assert!(
        from_file
            .line()
            .starts_with("{\"Welcome\":{\"name\":\"anna\"")
    );
    assert_eq!(from_file.wait().code, Some(0));
    let from_variable = Program::start(command().env("CHAT_CLIENT_PASSWORD", "swordfish"));
    assert!(
        from_variable
            .line()
            .starts_with("{\"Welcome\":{\"name\":\"anna\"")
    );
    assert_eq!(from_variable.wait().code, Some(0));
    let wrong = Program::start(command().env("CHAT_CLIENT_PASSWORD", "hunter2")).wait();
    assert_eq!(wrong.code, Some(1));
    let says = "chat_client: there is no such account, or its password is another one\n";
    assert_eq!(wrong.stderr, says);
    let nowhere = Program::start(command().args(["--password-file", "/nowhere"])).wait();
    assert_eq!(nowhere.code, Some(2));
}

#[test]
fn the_password_of_a_private_group_is_asked_for() {
    let server = Server::start();
    let address = server.address.to_string();
    let mut anna = Terminal::start(&[&address, "--name", "anna"]);
    anna.type_in("/create crew\r");
    type_password(
        &mut anna,
        "password of crew, or nothing, for invitations only: ",
        "ahoy",
    );
    anna.line_is("crew> ");

    let mut ben = Terminal::start(&[&address, "--name", "ben"]);
    ben.type_in("/join crew\r");
    ben.shows("the group crew is private: it takes its password or an invitation");
    // What comes meanwhile waits, and a wrong one is asked for again.
    let mut carl = server.connect();
    carl.hello("carl", "");
    carl.send("{\"Direct\":{\"to\":\"ben\",\"message\":\"hello\"}}\n{\"Ping\":{}}\n");
    assert_eq!(carl.line(), "{\"Pong\":{}}\n");
    type_password(&mut ben, "password of crew: ", "hello");
    ben.wait_until("the question again", |screen| {
        screen.contents().matches("password of crew:").count() == 2
    });
    type_password(&mut ben, "password of crew: ", "ahoy");
    ben.line_is("crew> ");
    ben.shows("carl \u{2192} ben: hello");
    ben.type_in("here I am\r");
    anna.shows("ben: here I am");
    was_never_seen(&mut ben, "ahoy", "crew> ");

    // Who gives up is where they were.
    let mut dora = Terminal::start(&[&address, "--name", "dora"]);
    dora.type_in("/join crew\r");
    type_password(&mut dora, "password of crew: ", "");
    dora.line_is("> ");
}

#[test]
fn who_is_invited_needs_no_password() {
    let server = Server::start();
    let address = server.address.to_string();
    let mut anna = Terminal::start(&[&address, "--name", "anna"]);
    let mut ben = Terminal::start(&[&address, "--name", "ben"]);
    ben.line_is("> ");
    anna.type_in("/create crew\r");
    type_password(
        &mut anna,
        "password of crew, or nothing, for invitations only: ",
        "",
    );
    anna.line_is("crew> ");
    anna.type_in("/invite ben\r");
    ben.shows("(anna invites you to crew; /join crew)");
    ben.type_in("/join crew\r");
    ben.line_is("crew> ");
    anna.shows("(ben joined)");
}

#[test]
fn what_was_said_before_is_shown_on_joining_and_on_demand() {
    let history = MemoryHistory::default();
    let builder = Builder::new().history(history.shared());
    let server = Server::start_built(builder, |listener| listener);
    let mut ben = server.connect();
    ben.join("g");
    for number in 1..=5 {
        ben.post("g", &format!("number {number}"));
        ben.line();
    }
    let mut anna = Terminal::start(&[&server.address.to_string(), "--name", "anna"]);
    anna.type_in("/join g\r");
    anna.shows("somebody: number 1");
    anna.shows("somebody: number 5");
    anna.line_is("g> ");
    anna.type_in("/history 2\r");
    anna.shows("-- the last 2 messages of g --");
    anna.line_is("g> ");
    anna.wait_until("the last one twice", |screen| {
        let rows = screen.contents();
        rows.matches("number 5").count() == 2 && rows.matches("number 1").count() == 1
    });
}

#[test]
fn what_was_said_while_the_connection_was_lost_is_shown_once() {
    let history = MemoryHistory::default();
    let builder = Builder::new().history(history.shared());
    let server = Server::start_built(builder, |listener| listener);
    let mut anna = Terminal::start(&[&server.address.to_string(), "--name", "anna"]);
    anna.type_in("/join g\r");
    anna.line_is("g> ");
    let mut ben = server.connect();
    ben.post("g", "one");
    anna.shows("somebody: one");
    // Another name is another connection; what is posted in between is replayed.
    anna.type_in("half a li");
    anna.line_is("g> half a li");
    anna.type_in("\x15/name berta\r");
    for number in 0..20 {
        ben.post("g", &format!("number {number}."));
    }
    anna.shows("connected again, as berta");
    anna.shows("somebody: number 19.");
    let seen = anna.rows();
    for number in 0..20 {
        let text = format!("number {number}.");
        let times = seen.iter().filter(|row| row.ends_with(&text)).count();
        assert_eq!(times, 1, "{text} in {seen:#?}");
    }
}
