//! The chat server as its operator sees it: what it logs, and how it ends.

mod chat_support;

use std::io::{BufRead, BufReader, ErrorKind, pipe};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

use chat_support::{Client, Program, address_in, delivery, example};
use rustix::process::Signal;
use serde_json::Value;

/// The server with these arguments, on a port of its own choice.
fn server(arguments: &[&str]) -> (Program, SocketAddr) {
    let mut command = Command::new(example("chat_server"));
    let server = Program::start(command.arg("127.0.0.1:0").args(arguments));
    let address = address_in(&server.line());
    (server, address)
}

/// A line that is too long, which the server logs, and the end that this client sees of it.
fn offend(address: SocketAddr) {
    let mut client = Client::connect(address);
    client.send([b'x'; 64 * 1024 + 1]);
    assert_eq!(
        client.line(),
        "{\"Error\":\"line 1 is longer than 65536 bytes\"}\n"
    );
    client.end();
}

#[test]
fn a_plain_line_is_the_programs_name_and_what_there_is_to_say() {
    let (server, address) = server(&[]);
    offend(address);
    let line = server.error_line();
    assert!(
        line.starts_with("chat_server: connection from 127.0.0.1:")
            && line.ends_with(" ended: line 1 is longer than 65536 bytes\n"),
        "{line}"
    );
}

#[test]
fn a_text_line_has_the_time_and_the_level_too() {
    let (server, address) = server(&["--log-format", "text"]);
    offend(address);
    let line = server.error_line();
    let words: Vec<&str> = line.split_whitespace().collect();
    // 2026-11-20T16:00:00.000000Z
    assert_eq!((words[0].len(), &words[0][10..11]), (27, "T"), "{line}");
    assert_eq!(words[1..4], ["WARN", "connection", "from"], "{line}");
}

#[test]
fn a_json_line_is_an_object_with_the_same() {
    let (server, address) = server(&["--log-format", "json", "--log-level", "info"]);
    let line: Value = serde_json::from_str(&server.error_line()).unwrap();
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["message"], format!("listening on {address}"));
    assert!(line["timestamp"].is_string(), "{line}");
    offend(address);
    let line: Value = serde_json::from_str(&server.error_line()).unwrap();
    assert_eq!(line["level"], "WARN");
    let message = line["message"].as_str().unwrap();
    assert!(message.ends_with("is longer than 65536 bytes"), "{line}");
}

#[test]
fn the_level_says_how_much_is_logged() {
    let end = |level: &str| {
        let (server, address) = server(&["--log-level", level]);
        offend(address);
        server.signal(Signal::TERM);
        let ended = server.wait();
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""));
        let lines = ended.stderr.lines();
        let mut words: Vec<_> = lines
            .map(|line| line.split(' ').nth(1).unwrap().to_owned())
            .collect();
        // The connection's end and the server's are told by two tasks.
        words.sort();
        words
    };
    assert_eq!(end("off"), [""; 0]);
    assert_eq!(end("error"), [""; 0]);
    assert_eq!(end("warn"), ["connection"]);
    let info = ["connection", "listening", "stopped", "stopping;"];
    assert_eq!(end("info"), info);
    let debug = [
        "connection",
        "connection",
        "listening",
        "stopped",
        "stopping;",
    ];
    assert_eq!(end("debug"), debug);
}

#[test]
fn what_clients_say_is_in_no_log() {
    let (server, address) = server(&["--log-level", "debug"]);
    let mut client = Client::connect(address);
    client.send("{\"Hello\":{\"name\":\"anna\",\"token\":\"hush\",\"features\":[]}}\n");
    assert!(
        client
            .line()
            .starts_with("{\"Welcome\":{\"name\":\"anna\",")
    );
    client.send("{\"Join\":{\"group_name\":\"hush\"}}\n");
    client.post("hush", "hush");
    let delivered = client.line();
    let message = "{\"Message\":{\"group_name\":\"hush\",\"message\":\"hush\",\"from\":\"anna\",";
    assert!(delivered.starts_with(message), "{delivered}");
    client.post("no hush", "hush");
    client.line();
    client.send("hush\n");
    client.line();
    client.send("hush".repeat(16 * 1024 + 1));
    client.line();
    client.end();
    drop(client);
    server.signal(Signal::TERM);
    let log = server.wait().stderr;
    assert!(log.contains("connection from 127.0.0.1:"), "{log}");
    assert!(log.contains("is longer than"), "{log}");
    assert!(!log.contains("hush") && !log.contains("anna"), "{log}");
}

#[test]
fn nor_is_a_group_that_a_client_fell_behind() {
    let (server, address) = server(&["--lag=disconnect", "--outbox-messages=1", "--drain=60"]);
    let (mut slow, mut poster) = (Client::connect(address), Client::connect(address));
    // The line break would forge a line of the log.
    slow.join("hush\\nchat_server: hush");
    let message = "x".repeat(8 * 1024);
    // More than the sockets hold between them.
    for _ in 0..4000 {
        poster.post("hush\\nchat_server: hush", &message);
    }
    poster.post("no such group", "");
    while !poster.line().contains("'no such group'") {}
    while slow.line_or_end().is_some() {}
    drop((slow, poster));
    server.signal(Signal::TERM);
    let log = server.wait().stderr;
    assert!(log.ends_with(" ended: it fell behind a group\n"), "{log}");
    assert!(!log.contains("hush") && log.lines().count() == 1, "{log}");
}

#[test]
fn sighup_ends_no_server() {
    let (server, address) = server(&[]);
    let mut client = Client::connect(address);
    for _ in 0..2 {
        server.signal(Signal::HUP);
        client.sync();
    }
    drop(client);
    server.signal(Signal::TERM);
    let ended = server.wait();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

/// A child that is killed when the test is through with it.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_log_that_nobody_reads_any_more_stops_nobody() {
    let (reader, writer) = pipe().unwrap();
    let server = Command::new(example("chat_server"))
        .args(["127.0.0.1:0", "--log-level", "debug"])
        .stdout(Stdio::piped())
        .stderr(writer)
        .spawn();
    let mut server = Killed(server.unwrap());
    let mut greeting = String::new();
    let mut stdout = BufReader::new(server.0.stdout.take().unwrap());
    stdout.read_line(&mut greeting).unwrap();
    drop(reader);
    let address = address_in(&greeting);
    for _ in 0..10 {
        offend(address);
    }
    let mut client = Client::connect(address);
    client.join("g");
    client.post("g", "still here");
    assert_eq!(client.line(), delivery("g", "still here"));
}

#[test]
fn who_is_there_when_the_server_is_stopped_gets_all_that_was_posted_and_nobody_else_comes_in() {
    let (server, address) = server(&[]);
    let (mut anna, mut ben) = (Client::connect(address), Client::connect(address));
    ben.join("g");
    for number in 0..500 {
        anna.post("g", &number.to_string());
    }
    anna.sync();
    server.signal(Signal::TERM);
    for number in 0..500 {
        assert_eq!(ben.line(), delivery("g", &number.to_string()));
    }
    ben.end();
    anna.end();
    let refused = TcpStream::connect(address).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    drop((anna, ben));
    let ended = server.wait();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_client_that_does_not_go_is_waited_for_as_long_as_the_operator_says() {
    let (server, address) = server(&["--drain", "0.1"]);
    let mut client = Client::connect(address);
    client.join("g");
    server.signal(Signal::TERM);
    let ended = server.wait();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    client.end();
}

#[test]
fn a_second_signal_ends_the_server_at_once() {
    for (first, second, code) in [
        (Signal::TERM, Signal::TERM, 143),
        (Signal::INT, Signal::INT, 130),
        (Signal::TERM, Signal::INT, 130),
    ] {
        let (server, address) = server(&["--log-level", "info", "--drain", "3600"]);
        let mut client = Client::connect(address);
        client.join("g");
        server.signal(first);
        client.end();
        // It has seen the end, but does not go: the server waits for it.
        server.signal(second);
        let ended = server.wait();
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.stderr.contains(" stopping; "), "{ended:?}");
        assert!(!ended.stderr.contains(" stopped"), "{ended:?}");
    }
}
