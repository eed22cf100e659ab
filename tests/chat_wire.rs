//! The bytes on the wire: whole lines, from either side, compared with those of the book's program.

mod chat_support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener};
use std::sync::Mutex;
use std::thread;

use chat_support::{Client, Server, delivery};
use parklet::channel;
use parklet::chat::client::{self, End};
use parklet::chat::server;
use parklet::io::Cursor;
use parklet::net::TcpStream;
use parklet::os::unix::net::{UnixListener, UnixStream};
use parklet::task;

#[test]
fn a_post_reaches_every_member_and_the_poster_as_the_books_line() {
    let server = Server::start();
    let (mut anna, mut ben) = (server.connect(), server.connect());
    anna.join("rust");
    ben.join("rust");
    anna.send(b"{\"Post\":{\"group_name\":\"rust\",\"message\":\"hello\"}}\n");

    let line = "{\"Message\":{\"group_name\":\"rust\",\"message\":\"hello\"}}\n";
    assert_eq!(anna.line(), line);
    assert_eq!(ben.line(), line);
    assert_eq!(server.stop(), [""; 0]);
}

#[test]
fn a_post_to_a_group_that_nobody_joined_is_answered_with_the_books_error() {
    let server = Server::start();
    let mut client = server.connect();
    client.send(b"{\"Post\":{\"group_name\":\"g\",\"message\":\"m\"}}\n");
    assert_eq!(client.line(), "{\"Error\":\"Group 'g' does not exist\"}\n");
}

#[test]
fn text_is_escaped_as_little_as_json_allows() {
    let server = Server::start();
    let mut client = server.connect();
    client.join("gr\\u00fc\\u00dfe \\\"'");
    client.post("grüße \\\"'", "\\u0041\\/\\n\\u0000\\ud83e\\udd80");
    assert_eq!(
        client.line(),
        "{\"Message\":{\"group_name\":\"grüße \\\"'\",\"message\":\"A/\\n\\u0000🦀\"}}\n"
    );
}

#[test]
fn requests_may_come_in_any_pieces() {
    let server = Server::start();
    let mut client = server.connect();
    let requests = "{\"Join\":{\"group_name\":\"g\"}}\r\n {\"Post\": {\"message\":\"1\", \"group_name\":\"g\"} } \n{\"Post\":{\"group_name\":\"g\",\"message\":\"2\"}}\n";
    for byte in requests.as_bytes() {
        client.send([*byte]);
    }
    client.send(requests);
    for message in ["1", "2", "1", "2"] {
        assert_eq!(client.line(), delivery("g", message));
    }
}

#[test]
fn a_last_line_without_a_line_break_is_a_request() {
    let server = Server::start();
    let mut client = server.connect();
    client.join("g");
    client.send(b"{\"Post\":{\"group_name\":\"g\",\"message\":\"m\"}}");
    client.half_close();
    assert_eq!(client.line(), delivery("g", "m"));
    client.end();
}

#[test]
fn who_has_no_more_requests_still_gets_what_was_posted_before() {
    let server = Server::start();
    let mut client = server.connect();
    client.join("g");
    for number in 0..500 {
        client.post("g", &number.to_string());
    }
    client.half_close();
    for number in 0..500 {
        assert_eq!(client.line(), delivery("g", &number.to_string()));
    }
    client.end();
    assert_eq!(server.stop(), [""; 0]);
}

#[test]
fn stopping_the_server_gives_everybody_what_was_posted_and_the_end() {
    let server = Server::start();
    let mut clients: Vec<Client> = (0..10).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.join("g");
    }
    for number in 0..100 {
        clients[0].post("g", &number.to_string());
    }
    clients[0].post("no such group", "");
    // Without this the server might stop before it has read the posts.
    let mut first = Vec::new();
    while first.len() < 101 {
        first.push(clients[0].line());
    }
    let stopped = thread::spawn(|| server.stop());
    clients[0].end();
    for client in &mut clients[1..] {
        for number in 0..100 {
            assert_eq!(client.line(), delivery("g", &number.to_string()));
        }
        client.end();
    }
    drop(clients);
    assert_eq!(stopped.join().unwrap(), [""; 0]);
}

#[test]
fn a_unix_socket_serves_as_well() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("chat");
    task::block_on(async {
        let listener = UnixListener::bind(&path).await.unwrap();
        let (stop, stopped) = channel::bounded::<()>(1);
        let server = task::spawn(server::run(listener, async move { stopped.recv().await }));

        let socket = UnixStream::connect(&path).await.unwrap();
        let commands = &b"join g\npost g hello\n"[..];
        let mut output = Vec::new();
        let end = client::run(socket, commands, &mut output, |text| panic!("{text}")).await;
        assert_eq!(end.unwrap(), End::Commands);
        assert_eq!(output, b"message posted to g: hello\n");

        drop(stop);
        server.await;
    });
}

/// Runs the client with these commands against a server made of a thread and a socket of std's: `serve` gets the
/// connection and plays the server. Returns why the client ended, what it showed, and its complaints.
fn client_against(
    commands: &[u8],
    serve: impl FnOnce(std::net::TcpStream) + Send,
) -> (Result<End, String>, String, Vec<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let complaints = Mutex::new(Vec::new());
    let mut output = Cursor::new(Vec::new());
    let end = thread::scope(|scope| {
        scope.spawn(|| {
            let (socket, _) = listener.accept().unwrap();
            socket.set_read_timeout(Some(chat_support::GUARD)).unwrap();
            serve(socket);
        });
        task::block_on(async {
            let server = TcpStream::connect(address).await.unwrap();
            let complain = |text: &str| complaints.lock().unwrap().push(text.to_string());
            client::run(server, commands, &mut output, complain).await
        })
    });
    let shown = String::from_utf8(output.into_inner()).unwrap();
    let end = end.map_err(|error| error.to_string());
    (end, shown, complaints.into_inner().unwrap())
}

/// All that comes until the end.
fn all(mut socket: &std::net::TcpStream) -> String {
    let mut text = String::new();
    socket.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn the_client_sends_the_books_lines_and_then_the_end() {
    let commands = b"join rust\n\npost rust \"hello\",  everybody\npost rust gr\xc3\xbc\xc3\x9fe";
    let (end, shown, complaints) = client_against(commands, |socket| {
        assert_eq!(
            all(&socket),
            "{\"Join\":{\"group_name\":\"rust\"}}\n\
             {\"Post\":{\"group_name\":\"rust\",\"message\":\"\\\"hello\\\",  everybody\"}}\n\
             {\"Post\":{\"group_name\":\"rust\",\"message\":\"grüße\"}}\n"
        );
    });
    assert_eq!(end, Ok(End::Commands));
    assert_eq!(shown, "");
    assert_eq!(complaints, [""; 0]);
}

#[test]
fn the_client_shows_what_arrives_also_after_its_last_command() {
    let (end, shown, complaints) = client_against(b"join g\n", |mut socket| {
        let mut requests = BufReader::new(socket.try_clone().unwrap());
        let mut request = String::new();
        requests.read_line(&mut request).unwrap();
        assert_eq!(request, "{\"Join\":{\"group_name\":\"g\"}}\n");
        assert_eq!(requests.read(&mut [0]).unwrap(), 0);
        let lines = "{\"Message\":{\"group_name\":\"g\",\"message\":\"1\"}}\n\
             hello?\n\
             {\"Error\":\"Dropped 5 messages from g.\"}\n\
             {\"Message\":{\"group_name\":\"g\",\"message\":\"2\"}}\n";
        socket.write_all(lines.as_bytes()).unwrap();
    });
    assert_eq!(end, Ok(End::Commands));
    assert_eq!(
        shown,
        "message posted to g: 1\n\
         error from server: Dropped 5 messages from g.\n\
         message posted to g: 2\n"
    );
    assert_eq!(
        complaints,
        ["from the server: line 2, column 1: expected value"]
    );
}

#[test]
fn the_client_tells_which_command_was_wrong_and_goes_on() {
    let commands = b"join g\npost\njion g\n\xff\npost g m\n";
    let (end, _, complaints) = client_against(commands, |socket| {
        assert_eq!(
            all(&socket),
            "{\"Join\":{\"group_name\":\"g\"}}\n\
             {\"Post\":{\"group_name\":\"g\",\"message\":\"m\"}}\n"
        );
    });
    assert_eq!(end, Ok(End::Commands));
    assert_eq!(
        complaints,
        [
            "command 2: \"post\" needs the name of a group",
            "command 3: expected \"join\" or \"post\", found \"jion\"",
            "command 4: invalid utf-8 sequence of 1 bytes from index 0",
        ]
    );
}

#[test]
fn the_client_does_not_wait_for_ever_for_a_server_that_leaves_the_connection_open() {
    // The book's server does, after a join.
    let held_open = Mutex::new(None);
    let (end, shown, _) = client_against(b"join g\n", |mut socket| {
        all(&socket);
        socket.write_all(b"{\"Error\":\"not yet\"}\n").unwrap();
        *held_open.lock().unwrap() = Some(socket);
    });
    assert_eq!(end, Ok(End::Commands));
    assert_eq!(shown, "error from server: not yet\n");
}

#[test]
fn the_client_ends_when_the_server_does() {
    // The commands never end, and nobody has to wait for one.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        socket.write_all(b"{\"Error\":\"closing time\"}\n").unwrap();
        socket.shutdown(Shutdown::Write).unwrap();
        socket
    });
    let (commands, _never) = UnixStream::pair().unwrap();
    let mut output = Vec::new();
    let end = task::block_on(async {
        let commands = parklet::io::BufReader::new(commands);
        let server = TcpStream::connect(address).await.unwrap();
        client::run(server, commands, &mut output, |text| panic!("{text}")).await
    });
    assert_eq!(end.unwrap(), End::Server);
    assert_eq!(output, b"error from server: closing time\n");
    server.join().unwrap();
}
