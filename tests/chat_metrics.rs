//! The chat server's metrics page: its numbers are true, and nobody who knocks at its port can hurt it.

mod chat_support;

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;

use chat_support::watched::{Watched, ask, get};
use chat_support::{Client, GUARD, Program, delivery, example};
use rustix::process::Signal;

#[test]
fn the_runtime_s_numbers_are_on_the_page() {
    let server = Watched::start(&[]);
    let before = server.numbers().of_runtime;
    assert!(before["workers"] >= 1 && before["polls_total"] >= 1);
    assert!(before["busy_workers"] <= before["workers"]);
    let after = server.numbers().of_runtime;
    // The page itself is served by a task.
    assert!(after["polls_total"] > before["polls_total"]);
    assert_eq!(after["workers"], before["workers"]);
    assert_eq!(after.len(), 9, "{after:?}");
}

#[test]
fn the_numbers_are_what_the_clients_have_seen() {
    let server = Watched::start(&[]);
    assert!(server.numbers().of_chat.values().all(|number| *number == 0));

    let mut clients: Vec<Client> = (0..3).map(|_| Client::connect(server.address)).collect();
    let (mut sent, mut received) = (0, 0);
    let mut say = |client: &mut Client, line: String| {
        sent += line.len();
        client.send(line);
    };
    for client in &mut clients {
        say(client, "{\"Join\":{\"group_name\":\"g\"}}\n".to_owned());
        say(client, "hello\n".to_owned());
        received += client.line().len();
    }
    let post = |message: usize| {
        format!("{{\"Post\":{{\"group_name\":\"g\",\"message\":\"{message}\"}}}}\n")
    };
    for message in 0..10 {
        say(&mut clients[message % 2], post(message));
        for client in &mut clients {
            let line = delivery("g", &message.to_string());
            assert_eq!(client.line(), line);
            received += line.len();
        }
    }
    server.wait_for("sent_bytes_total", received as u64);
    let expected = [
        ("connections", 3),
        ("accepted_total", 3),
        ("received_bytes_total", sent as u64),
        ("groups", 1),
        ("posts_total", 10),
        ("deliveries_total", 30),
        ("delivery_seconds", 30),
        ("dropped_total", 0),
        ("lags_total", 0),
        ("failed_logins_total", 0),
    ];
    for (name, number) in expected {
        server.wait_for(name, number);
    }

    drop(clients);
    server.wait_for("connections", 0);
    let numbers = server.wait_for("groups", 0);
    assert_eq!(numbers.get("accepted_total"), 3);
}

#[test]
fn every_number_is_in_the_operators_guide() {
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/OPERATING.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let numbers = Watched::start(&[]).numbers();
    assert!(numbers.of_chat.len() >= 9, "{numbers:?}");
    let of_chat = numbers.of_chat.keys().map(|name| ("chat", name));
    let of_runtime = numbers.of_runtime.keys().map(|name| ("runtime", name));
    for (of, name) in of_chat.chain(of_runtime) {
        let name = format!("`parklet_{of}_{name}`");
        assert!(guide.contains(&name), "{name}");
    }
}

#[test]
fn what_a_slow_member_loses_is_counted_as_it_is_told() {
    let server = Watched::start(&[]);
    let (mut slow, mut poster) = (
        Client::connect(server.address),
        Client::connect(server.address),
    );
    slow.join("g");
    // More than its socket and the group's ring hold.
    let (posts, message) = (4000, "x".repeat(8 * 1024));
    for _ in 0..posts {
        poster.post("g", &message);
    }
    poster.sync();
    let (mut dropped, mut lags, mut messages) = (0, 0, 0);
    while dropped + messages < posts {
        let line = slow.line();
        if line.starts_with("{\"Message\"") {
            messages += 1;
        } else {
            let notice = line.strip_prefix("{\"Error\":\"Dropped ").expect(&line);
            let number = notice.strip_suffix(" messages from g.\"}\n").expect(&line);
            dropped += number.parse::<u64>().unwrap();
            lags += 1;
        }
    }
    assert!(dropped > 0, "nothing was dropped");
    server.wait_for("deliveries_total", messages);
    server.wait_for("posts_total", posts);
    server.wait_for("dropped_total", dropped);
    server.wait_for("lags_total", lags);
}

#[test]
fn health_is_ok_until_the_server_is_stopped() {
    let server = Watched::start(&["--drain", "60"]);
    let health = || get(server.page, "/health");
    assert_eq!(health().1, "ok\n");
    let mut client = Client::connect(server.address);
    client.join("g");
    server.program.signal(Signal::TERM);
    client.end();
    // The server waits for the client to go, and says so.
    let (head, text) = health();
    assert!(
        head.starts_with("HTTP/1.1 503 Service Unavailable\r\n"),
        "{head}"
    );
    assert_eq!(text, "stopping\n");
    drop(client);
    assert_eq!(server.program.wait().code, Some(0));
}

#[test]
fn a_request_is_answered_by_its_path_and_method() {
    let page = Watched::start(&[]);
    let (program, page) = (page.program, page.page);
    for (request, status) in [
        ("GET /metrics?x=1 HTTP/1.0\r\n\r\n", "200 OK"),
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "404 Not Found"),
        ("GET /metrics/../etc HTTP/1.1\r\n\r\n", "404 Not Found"),
        (
            "POST /metrics HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi",
            "405 Method Not Allowed",
        ),
        ("hello\r\n\r\n", "400 Bad Request"),
        ("\x16\x03\x01\x02", "400 Bad Request"),
        ("{\"Join\":{\"group_name\":\"g\"}}\n", "400 Bad Request"),
        ("GET /metrics HTTP/9.9\r\n\r\n", "400 Bad Request"),
    ] {
        let (head, text) = ask(page, request);
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status}\r\n")),
            "{request:?}: {head}"
        );
        assert!(
            head.contains(&format!("\r\nContent-Length: {}\r\n", text.len())),
            "{request:?}: {head}"
        );
    }
    let (head, text) = ask(page, "HEAD /health HTTP/1.1\r\n\r\n");
    assert!(head.contains("\r\nContent-Length: 3\r\n"), "{head}");
    assert_eq!(text, "");
    drop(program);
}

#[test]
fn a_request_without_end_is_refused() {
    let server = Watched::start(&[]);
    for request in [
        "GET /".to_owned() + &"x".repeat(1024 * 1024) + " HTTP/1.1\r\n\r\n",
        "GET /metrics HTTP/1.1\r\n".to_owned() + &"a: b\r\n".repeat(100_000) + "\r\n",
    ] {
        let mut stream = TcpStream::connect(server.page).unwrap();
        stream.set_read_timeout(Some(GUARD)).unwrap();
        // All of it is taken, so that the answer arrives.
        stream.write_all(request.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"),
            "{answer}"
        );
    }
    server.numbers();
}

#[test]
fn whoever_only_holds_on_to_the_page_stops_neither_it_nor_the_chat() {
    let server = Watched::start(&[]);
    // More than are served at once; each has begun a request that never ends.
    let mut holders: Vec<TcpStream> = (0..40)
        .map(|_| {
            let mut stream = TcpStream::connect(server.page).unwrap();
            stream.write_all(b"GET /metrics HTTP/1.1\r\nx: ").unwrap();
            stream.set_read_timeout(Some(GUARD)).unwrap();
            stream
        })
        .collect();
    let mut client = Client::connect(server.address);
    client.join("g");
    client.post("g", "all is well");
    assert_eq!(client.line(), delivery("g", "all is well"));
    server.wait_for("deliveries_total", 1);
    // Those before us were sent away, without an answer.
    match holders[0].read(&mut [0; 1]) {
        Ok(read) => assert_eq!(read, 0),
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
}

#[test]
fn a_taken_metrics_address_is_one_line_and_exit_code_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = Command::new(example("chat_server"));
    let ended = Program::start(command.args(["127.0.0.1:0", "--metrics", &address])).wait();
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.stdout, "");
    assert_eq!(
        ended.stderr,
        format!("chat_server: cannot bind {address}: Address already in use (os error 98)\n")
    );
}
