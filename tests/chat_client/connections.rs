//! The connection is lost and made again; and servers that are not as ours.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;

use rustix::process::Signal;

use crate::chat_support::{Client, Program, Server, address_in, delivery, example, server_program};
use crate::terminal::{Terminal, rows};

/// A server in the hands of the test.
struct Script {
    listener: TcpListener,
    address: String,
}

/// One connection to it.
struct Line {
    lines: BufReader<TcpStream>,
}

impl Script {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        Self { listener, address }
    }

    fn accept(&self) -> Line {
        let (socket, _) = self.listener.accept().unwrap();
        socket
            .set_read_timeout(Some(crate::chat_support::GUARD))
            .unwrap();
        Line {
            lines: BufReader::new(socket),
        }
    }

    /// A client comes, says Hello and is welcomed.
    fn welcome(&self, name: &str) -> Line {
        let mut line = self.accept();
        assert!(
            line.hears()
                .starts_with(&format!("{{\"Hello\":{{\"name\":\"{name}\""))
        );
        line.says(&format!(
            r#"{{"Welcome":{{"name":"{name}","server":"the script","features":["notices"],"limits":{{}}}}}}"#
        ));
        line
    }
}

impl Line {
    fn says(&mut self, line: &str) {
        writeln!(self.lines.get_mut(), "{line}").unwrap();
    }

    fn message(&mut self, id: u64, text: &str) {
        self.says(&format!(
            r#"{{"Message":{{"group_name":"g","message":"{text}","from":"ben","id":{id},"time":0}}}}"#
        ));
    }

    fn hears(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line
    }
}

fn anna(address: &str) -> Terminal {
    Terminal::start(&[address, "--name", "anna"])
}

/// A server program at this address, which another one may have had before.
fn server_at(address: SocketAddr) -> Program {
    let server = Program::start(Command::new(example("chat_server")).arg(address.to_string()));
    assert_eq!(address_in(&server.line()), address);
    server
}

#[test]
fn a_client_comes_back_when_the_server_does() {
    let (server, address) = server_program();
    let mut anna = anna(&address.to_string());
    anna.type_in("/join g\r");
    anna.line_is("g> ");
    anna.type_in("half a li");
    server.signal(Signal::KILL);
    drop(server);
    anna.shows("connecting again ..");
    anna.line_is("g> half a li");

    let _server = server_at(address);
    anna.shows("connected again, as anna");
    anna.line_is("g> half a li");
    let mut ben = Client::connect(address);
    ben.hello("ben", "");
    ben.send("{\"Join\":{\"group_name\":\"g\"}}\n");
    anna.type_in("ne\r");
    let line = ben.line();
    assert!(
        line.contains("\"message\":\"half a line\",\"from\":\"anna\""),
        "{line}"
    );
    anna.shows("anna: half a line");
}

#[test]
fn what_is_said_while_there_is_no_connection_is_not_lost_in_silence() {
    let (server, address) = server_program();
    let mut anna = anna(&address.to_string());
    anna.type_in("/join g\r");
    anna.line_is("g> ");
    server.signal(Signal::KILL);
    drop(server);
    anna.shows("connecting again ..");
    anna.type_in("hello?\r");
    anna.shows("not sent, there is no connection: hello?");
    // Leaving is remembered, and needs no connection.
    anna.type_in("/leave\r");
    anna.line_is("> ");
    anna.type_in("/quit\r");
    assert_eq!(anna.end(), Some(0));
}

#[test]
fn what_was_missed_is_told() {
    let script = Script::new();
    let mut anna = anna(&script.address);
    let mut line = script.welcome("anna");
    anna.type_in("/join g\r");
    assert_eq!(line.hears(), "{\"Join\":{\"group_name\":\"g\"}}\n");
    // That the join is done is known by the answer to this.
    assert_eq!(line.hears(), "{\"Ping\":{}}\n");
    line.says(r#"{"Pong":{}}"#);
    line.message(7, "seven");
    anna.shows("ben: seven");
    drop(line);

    let mut line = script.welcome("anna");
    assert_eq!(line.hears(), "{\"Join\":{\"group_name\":\"g\"}}\n");
    line.message(11, "eleven");
    anna.shows("(3 messages while you were away, not kept by the server)");
    anna.shows("ben: eleven");
    line.says(r#"{"Lagged":{"group_name":"g","dropped":2}}"#);
    line.message(14, "fourteen");
    anna.shows("(2 messages were dropped: they came faster than they were read)");
    anna.shows("ben: fourteen");
    // What Lagged told is no gap besides.
    let seen = anna.rows();
    let gaps = seen
        .iter()
        .filter(|row| row.contains("while you were away"));
    assert_eq!(gaps.count(), 1, "{seen:#?}");
    // A ping is answered without anybody's doing.
    line.says(r#"{"Ping":{}}"#);
    assert_eq!(line.hears(), "{\"Pong\":{}}\n");
}

#[test]
fn a_name_that_is_taken_is_asked_for() {
    let server = Server::start();
    let mut other = server.connect();
    other.hello("anna", "");
    let mut anna = anna(&server.address.to_string());
    anna.line_is("the name anna is taken; another name: ");
    anna.type_in("berta\r");
    anna.shows("as berta; /help lists the commands");
    // And it can be changed later.
    anna.type_in("/join g\r");
    anna.line_is("g> ");
    anna.type_in("/name carla\r");
    anna.shows("connected again, as carla");
    anna.type_in("hello\r");
    anna.shows("carla: hello");
}

#[test]
fn who_comes_back_before_the_old_connection_is_noticed_gets_a_name_like_the_old_one() {
    let script = Script::new();
    let anna = anna(&script.address);
    drop(script.welcome("anna"));
    let mut line = script.accept();
    line.hears();
    line.says(r#"{"Error":{"code":"name_taken","text":"the name anna is taken","about":"anna"}}"#);
    assert!(line.hears().starts_with("{\"Hello\":{\"name\":\"anna-2\""));
    line.says(r#"{"Welcome":{"name":"anna-2","server":"the script","features":[],"limits":{}}}"#);
    anna.shows("connected again, as anna-2");
}

#[test]
fn a_server_of_the_books_is_spoken_to_as_in_the_book() {
    let script = Script::new();
    let mut anna = anna(&script.address);
    // It knows no Hello, and closes.
    script.accept().hears();
    let mut line = script.accept();
    anna.shows("connected; this server has no names: all there is are /join and /post");
    anna.type_in("/join g\r");
    assert_eq!(line.hears(), "{\"Join\":{\"group_name\":\"g\"}}\n");
    anna.line_is("g> ");
    anna.type_in("hello\r");
    assert_eq!(
        line.hears(),
        "{\"Post\":{\"group_name\":\"g\",\"message\":\"hello\"}}\n"
    );
    line.says(delivery("g", "hello").trim_end());
    anna.shows("somebody: hello");
    anna.type_in("/members\r");
    anna.shows("this server cannot do that");
    // It is still one after the connection was lost.
    drop(line);
    let mut line = script.accept();
    assert_eq!(line.hears(), "{\"Join\":{\"group_name\":\"g\"}}\n");
    anna.shows("connected again");
}

#[test]
fn a_server_that_answers_hello_with_the_books_error_is_of_the_books() {
    let script = Script::new();
    let anna = anna(&script.address);
    let mut line = script.accept();
    line.hears();
    line.says(r#"{"Error":"unknown variant `Hello`"}"#);
    let _line = script.accept();
    anna.shows("connected; this server has no names: all there is are /join and /post");
}

#[test]
fn who_has_a_password_never_goes_on_without_a_name() {
    let script = Script::new();
    let mut command = Command::new(example("chat_client"));
    command
        .args([&script.address, "--json", "--name", "anna"])
        .env("CHAT_CLIENT_PASSWORD", "swordfish");
    let client = Program::start(&mut command);
    script.accept().hears();
    let ended = client.wait();
    let says = "chat_client: the server took the name and the password and said nothing\n";
    assert_eq!((ended.code, &*ended.stderr), (Some(1), says));
}

#[test]
fn a_server_that_is_not_there_is_told_with_an_exit_code() {
    // Nobody listens there any more.
    let address = Script::new().address;
    let mut anna = anna(&address);
    anna.wait_until("why", |screen| {
        let told = screen.contents().replace('\n', "");
        told.contains(&format!("chat_client: cannot connect to {address}: "))
    });
    assert_eq!(anna.end(), Some(1));
}

#[test]
fn what_a_server_says_that_is_no_reply_is_told_and_passed_over() {
    let script = Script::new();
    let anna = anna(&script.address);
    let mut line = script.welcome("anna");
    line.says("what?");
    anna.shows("from the server: expected value at line 1 column 1");
    line.says(r#"{"Direct":{"from":"ben","message":"hello","time":0,"mood":"good"}}"#);
    anna.shows("ben \u{2192} anna: hello");
}

#[test]
fn an_account_waits_for_its_name_instead_of_taking_another_one() {
    let script = Script::new();
    let anna = Terminal::start_with(
        &[&script.address, "--name", "anna"],
        &[("CHAT_CLIENT_PASSWORD", "swordfish")],
    );
    drop(script.welcome("anna"));
    let mut line = script.accept();
    line.hears();
    line.says(r#"{"Error":{"code":"name_taken","text":"the name anna is taken","about":"anna"}}"#);
    let _line = script.welcome("anna");
    anna.shows("connected again, as anna");
}

#[test]
fn a_server_that_is_full_is_told_and_not_asked_for_another_name() {
    let script = Script::new();
    let mut anna = anna(&script.address);
    let mut line = script.accept();
    line.hears();
    line.says(r#"{"Error":{"code":"limit","text":"there is no room","about":"clients"}}"#);
    anna.shows("chat_client: there is no room");
    assert_eq!(anna.end(), Some(1));
}

#[test]
fn what_a_server_without_names_cannot_do_is_not_tried() {
    let script = Script::new();
    let mut anna = anna(&script.address);
    script.accept().hears();
    let mut line = script.accept();
    anna.type_in("/join g\r");
    assert_eq!(line.hears(), "{\"Join\":{\"group_name\":\"g\"}}\n");
    anna.line_is("g> ");
    for typed in ["/leave", "/create crew", "/groups", "/name berta"] {
        anna.type_in(&format!("{typed}\r"));
        anna.line_is("g> ");
    }
    anna.type_in("still here\r");
    assert_eq!(
        line.hears(),
        "{\"Post\":{\"group_name\":\"g\",\"message\":\"still here\"}}\n"
    );
    anna.wait_until("four times that it cannot", |screen| {
        let seen = rows(screen);
        let told = seen
            .iter()
            .filter(|row| *row == "this server cannot do that");
        told.count() == 4
    });
}

#[test]
fn what_the_server_kept_before_it_stopped_is_shown_once_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let start = |address: &str| {
        let mut command = Command::new(example("chat_server"));
        command.args([address, "--history"]).arg(folder.path());
        let server = Program::start(&mut command);
        let address = address_in(&server.line());
        (server, address)
    };
    let (server, address) = start("127.0.0.1:0");
    let mut anna = anna(&address.to_string());
    anna.type_in("/join g\r");
    anna.line_is("g> ");
    let mut ben = Client::connect(address);
    ben.join("g");
    for number in 1..=3 {
        ben.post("g", &format!("number {number}"));
        ben.line();
    }
    anna.shows("somebody: number 3");
    anna.type_in("half a li");
    // Then all of it is on the disk.
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code, Some(0));
    anna.shows("connecting again ..");

    let (_server, _) = start(&address.to_string());
    let mut ben = Client::connect(address);
    ben.post("g", "number 4");
    ben.post("no such group", "");
    ben.line();
    anna.shows("connected again, as anna");
    anna.shows("somebody: number 4");
    anna.line_is("g> half a li");
    let seen = anna.rows();
    for number in 1..=4 {
        let text = format!("somebody: number {number}");
        let times = seen.iter().filter(|row| row.ends_with(&text)).count();
        assert_eq!(times, 1, "{text} in {seen:#?}");
    }
    // And somebody new is shown all of it.
    let mut berta = Terminal::start(&[&address.to_string(), "--name", "berta"]);
    berta.type_in("/join g\r");
    berta.shows("somebody: number 1");
    berta.shows("somebody: number 4");
}
