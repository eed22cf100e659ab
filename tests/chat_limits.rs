//! Every limit: exceeded through a socket, answered by an error that names it, and no matter to anybody else.

mod chat_support;

use std::time::{Duration, Instant};

use chat_support::{Client, GUARD, Server, delivery};
use parklet::chat::extended::Reply;
use parklet::chat::protocol::MAX_LINE_LENGTH;
use parklet::chat::server::Builder;
use parklet::chat::{LagPolicy, Limits};

/// A server with one limit changed.
fn server_with(change: impl FnOnce(&mut Limits)) -> Server {
    start(change, LagPolicy::Skip)
}

fn start(change: impl FnOnce(&mut Limits), policy: LagPolicy) -> Server {
    let mut limits = Limits::default();
    change(&mut limits);
    // Who is slow here is to get all there is.
    let builder = Builder::new().limits(limits).lag_policy(policy);
    let builder = builder.farewell(GUARD);
    Server::start_built(builder, |listener| listener)
}

fn welcomed(server: &Server, name: &str) -> Client {
    let mut client = server.connect();
    client.hello(name, "");
    client
}

/// The error of a limit, for a client that said `Hello`.
fn limit_error(name: &str, text: &str) -> String {
    format!("{{\"Error\":{{\"code\":\"limit\",\"text\":\"{text}\",\"about\":\"{name}\"}}}}\n")
}

/// The error of a limit, for a client of the base protocol.
fn base_error(text: &str) -> String {
    format!("{{\"Error\":\"{text}\"}}\n")
}

/// The client is served: nothing else waits for it.
fn ping(client: &mut Client) {
    client.send("{\"Ping\":{}}\n");
    assert_eq!(client.line(), "{\"Pong\":{}}\n");
}

#[test]
fn line_length() {
    let server = server_with(|limits| limits.line_length = 100);
    let mut client = welcomed(&server, "anna");
    client.send([&[b'x'; 101][..], b"\n"].concat());
    let text = "line 2 is longer than 100 bytes";
    assert_eq!(client.line(), limit_error("line_length", text));
    client.end();
}

#[test]
fn message_length() {
    let server = server_with(|limits| limits.message_length = 5);
    let text = "a message has at most 5 bytes (message_length)";
    let mut base = server.connect();
    base.send("{\"Join\":{\"group_name\":\"g\"}}\n");
    base.post("g", "123456");
    assert_eq!(base.line(), base_error(text));
    base.post("g", "12345");
    assert_eq!(base.line(), delivery("g", "12345"));

    let mut anna = welcomed(&server, "anna");
    anna.post("g", "\\u00e4\\u00e4\\u00e4");
    assert_eq!(anna.line(), limit_error("message_length", text));
    anna.send("{\"Direct\":{\"to\":\"anna\",\"message\":\"123456\"}}\n");
    assert_eq!(anna.line(), limit_error("message_length", text));
    ping(&mut anna);
}

#[test]
fn name_length() {
    let server = server_with(|limits| limits.name_length = 4);
    let mut client = server.connect();
    client.send("{\"Hello\":{\"name\":\"annas\"}}\n");
    let text = "a name has at most 4 bytes (name_length)";
    assert_eq!(client.line(), limit_error("name_length", text));
    client.hello("anna", "");
}

#[test]
fn group_length() {
    let server = server_with(|limits| limits.group_length = 4);
    let text = "a group's name has at most 4 bytes (group_length)";
    let mut base = server.connect();
    base.send("{\"Join\":{\"group_name\":\"12345\"}}\n");
    assert_eq!(base.line(), base_error(text));
    base.join("1234");
    let mut anna = welcomed(&server, "anna");
    anna.send("{\"Join\":{\"group_name\":\"12345\"}}\n");
    assert_eq!(anna.line(), limit_error("group_length", text));
    ping(&mut anna);
}

#[test]
fn groups_per_client() {
    let server = server_with(|limits| limits.groups_per_client = 2);
    let text = "you are in 2 groups already (groups_per_client)";
    let mut base = server.connect();
    base.join("a");
    base.join("b");
    base.join("a");
    base.send("{\"Join\":{\"group_name\":\"c\"}}\n");
    assert_eq!(base.line(), base_error(text));

    let mut anna = welcomed(&server, "anna");
    for group in ["a", "b"] {
        anna.send(format!("{{\"Join\":{{\"group_name\":\"{group}\"}}}}\n"));
    }
    anna.send("{\"Join\":{\"group_name\":\"c\"}}\n");
    assert_eq!(anna.line(), limit_error("groups_per_client", text));
    anna.send("{\"Leave\":{\"group_name\":\"a\"}}\n{\"Join\":{\"group_name\":\"c\"}}\n");
    ping(&mut anna);
    anna.post("c", "there is room again");
    assert!(
        anna.line()
            .starts_with("{\"Message\":{\"group_name\":\"c\",")
    );
}

#[test]
fn a_hundred_thousand_joins_of_one_client_make_a_hundred_groups() {
    let server = Server::start();
    let mut greedy = server.connect();
    let mut reader = greedy.socket.try_clone().unwrap();
    let drain = std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
    for number in 0..100_000 {
        greedy.send(format!("{{\"Join\":{{\"group_name\":\"{number}\"}}}}\n"));
    }
    let mut anna = welcomed(&server, "anna");
    // All joins have been seen to when the connection has ended, and until then there are never more groups.
    greedy.half_close();
    let start = Instant::now();
    loop {
        anna.send("{\"Groups\":{}}\n");
        let list = anna.line();
        let total = list.rsplit_once("\"total\":").unwrap().1;
        let total: usize = total.trim_end_matches("}}\n").parse().unwrap();
        assert!(total <= 100, "{total} groups");
        if total == 0 && drain.is_finished() {
            break;
        }
        assert!(start.elapsed() < GUARD, "{total} groups are left");
    }
}

#[test]
fn a_list_of_groups_is_a_line_that_a_client_takes() {
    const GROUPS: usize = 400;
    let server = server_with(|limits| limits.groups_per_client = GROUPS);
    let mut anna = welcomed(&server, "anna");
    for number in 0..GROUPS {
        anna.send(format!(
            "{{\"Join\":{{\"group_name\":\"{number:0250}\"}}}}\n"
        ));
    }
    anna.send("{\"Groups\":{}}\n");
    let line = anna.line();
    assert!(line.len() <= MAX_LINE_LENGTH, "{}", line.len());
    let Ok(Reply::Groups { groups, total }) = serde_json::from_str(&line) else {
        panic!("{line}")
    };
    assert_eq!(total, GROUPS);
    // Each has 250 bytes of name, and 30 around it.
    assert!(
        groups.len() > MAX_LINE_LENGTH / 280 - 20,
        "{}",
        groups.len()
    );
}

/// One more client is told `text` and disconnected.
fn is_turned_away(server: &Server, text: &str) {
    let mut client = server.connect();
    assert_eq!(client.line(), base_error(text));
    client.end();
}

/// Connects until there is room, and gets it.
fn is_let_in(server: &Server, text: &str) -> Client {
    let start = Instant::now();
    loop {
        let mut client = server.connect();
        client.send("{\"Post\":{\"group_name\":\"g\",\"message\":\"\"}}\n");
        let answer = client.line();
        if answer == base_error("Group 'g' does not exist") {
            return client;
        }
        assert_eq!(answer, base_error(text));
        assert!(start.elapsed() < GUARD, "there is never room");
    }
}

#[test]
fn clients() {
    let server = server_with(|limits| limits.clients = 2);
    let mut first = server.connect();
    first.sync();
    let mut second = server.connect();
    second.sync();
    let text = "there are 2 clients already (clients)";
    is_turned_away(&server, text);
    drop(second);
    is_let_in(&server, text);
    first.sync();
}

#[test]
fn clients_per_address() {
    let server = server_with(|limits| limits.clients_per_address = 2);
    let mut first = server.connect();
    first.sync();
    let mut second = server.connect();
    second.sync();
    let text = "there are 2 clients of your address already (clients_per_address)";
    is_turned_away(&server, text);
    second.reset();
    is_let_in(&server, text);
    first.sync();
}

#[test]
fn posts_per_second() {
    let server = server_with(|limits| {
        limits.posts_per_second = Some(1);
        limits.posts_burst = 3;
    });
    let text = "you post more than 1 messages in a second (posts_per_second)";
    for is_base in [true, false] {
        let mut client = server.connect();
        let refused = if is_base {
            base_error(text)
        } else {
            client.hello("anna", "");
            limit_error("posts_per_second", text)
        };
        let group = format!("g{is_base}");
        client.send(format!("{{\"Join\":{{\"group_name\":\"{group}\"}}}}\n"));
        let start = Instant::now();
        client.send(
            format!("{{\"Post\":{{\"group_name\":\"{group}\",\"message\":\"m\"}}}}\n").repeat(50),
        );
        let answers: Vec<String> = (0..50).map(|_| client.line()).collect();
        let delivered = answers
            .iter()
            .filter(|line| line.starts_with("{\"Message\""))
            .count();
        assert!(
            answers
                .iter()
                .all(|line| line.starts_with("{\"Message\"") || *line == refused)
        );
        // The burst, and one for each second that the server was kept from doing them all.
        let more = usize::try_from(start.elapsed().as_secs()).unwrap() + 1;
        assert!(
            (3..=3 + more).contains(&delivered),
            "{delivered} were delivered"
        );
    }
}

#[test]
fn joining_and_leaving_is_no_way_around_posts_per_second() {
    let server = server_with(|limits| {
        limits.posts_per_second = Some(1);
        limits.groups_per_client = 5;
    });
    let refused = limit_error(
        "posts_per_second",
        "you join and leave more than 1 groups in a second (posts_per_second)",
    );
    let mut client = server.connect();
    client.hello("anna", "\"notices\"");
    let start = Instant::now();
    client
        .send("{\"Join\":{\"group_name\":\"g\"}}\n{\"Leave\":{\"group_name\":\"g\"}}\n".repeat(50));
    client.send("{\"Ping\":{}}\n");
    let mut done = 0;
    let mut refusals = 0;
    loop {
        match client.line() {
            line if line.starts_with("{\"Joined\"") => done += 1,
            line if line == refused => refusals += 1,
            line if line == "{\"Pong\":{}}\n" => break,
            // Who was not let in cannot leave, and who was not let go is there already.
            _ => {}
        }
    }
    // Five times in and out at once, and one for each second that the server was kept from doing them all.
    let more = usize::try_from(start.elapsed().as_secs()).unwrap() + 1;
    assert!(done <= 5 + more, "{done} joined");
    assert!(refusals > 0);
}

/// A message that fills sockets quickly.
const LARGE: usize = 60_000;

/// A member that does not read, and a poster that has posted until the group's ring is long overrun.
fn overrun(server: &Server, hello: bool) -> (Client, Client) {
    let mut slow = server.connect();
    // Not the 32 MB that a kernel may give by itself.
    rustix::net::sockopt::set_socket_recv_buffer_size(&slow.socket, 128 * 1024).unwrap();
    if hello {
        slow.hello("slow", "");
        slow.send("{\"Join\":{\"group_name\":\"g\"}}\n");
        ping(&mut slow);
    } else {
        slow.join("g");
    }
    let mut poster = server.connect();
    let message = "x".repeat(LARGE);
    for _ in 0..300 {
        poster.post("g", &message);
    }
    for last in ["", "the last one"] {
        poster.post("g", last);
        poster.post("no such group", "");
        // The group may have lost its only member by then.
        while !poster.line().contains("'no such group'") {}
    }
    (slow, poster)
}

#[test]
fn outbox_messages_and_lag_is_counted() {
    let server = server_with(|limits| limits.outbox_messages = 10);
    let (mut slow, _poster) = overrun(&server, true);
    let (mut seen, mut dropped) = (0, 0);
    loop {
        let line = slow.line();
        let lagged = line.strip_prefix("{\"Lagged\":{\"group_name\":\"g\",\"dropped\":");
        if let Some(count) = lagged {
            let count: u64 = count.trim_end_matches("}}\n").parse().unwrap();
            assert!(count > 0);
            seen += count;
            dropped += count;
            continue;
        }
        assert!(line.starts_with("{\"Message\":"), "{line}");
        seen += 1;
        assert!(
            line.contains(&format!(",\"id\":{seen},")),
            "{seen}: {}",
            &line[LARGE.min(line.len())..]
        );
        if line.contains("the last one") {
            break;
        }
    }
    assert_eq!(seen, 302);
    assert!(dropped > 0);
    ping(&mut slow);
}

#[test]
fn who_lags_is_disconnected_where_that_is_the_policy() {
    for hello in [true, false] {
        let server = start(|limits| limits.outbox_messages = 10, LagPolicy::Disconnect);
        let (mut slow, mut poster) = overrun(&server, hello);
        let reason = loop {
            let line = slow.line();
            if line.starts_with("{\"Error\":") {
                break line;
            }
        };
        if hello {
            assert!(
                reason.starts_with("{\"Error\":{\"code\":\"lagged\",\"text\":\"Dropped "),
                "{reason}"
            );
            assert!(
                reason.ends_with(" messages from g.\",\"about\":\"g\"}}\n"),
                "{reason}"
            );
        } else {
            assert!(reason.starts_with("{\"Error\":\"Dropped "), "{reason}");
        }
        slow.end();
        poster.sync();
    }
}

#[test]
fn a_client_that_does_not_read_its_direct_messages_is_busy() {
    let server = server_with(|limits| limits.outbox_messages = 10);
    let mut slow = welcomed(&server, "slow");
    let mut anna = welcomed(&server, "anna");
    let direct = format!(
        "{{\"Direct\":{{\"to\":\"slow\",\"message\":\"{}\"}}}}\n",
        "x".repeat(LARGE)
    );
    let busy = "{\"Error\":{\"code\":\"busy\",\"text\":\"too much waits for slow already\",\"about\":\"slow\"}}\n";
    let mut sent = 0;
    // Sockets take some megabytes before.
    while sent < 5000 {
        anna.send(&direct);
        anna.send("{\"Ping\":{}}\n");
        let answer = anna.line();
        if answer == busy {
            assert_eq!(anna.line(), "{\"Pong\":{}}\n");
            break;
        }
        assert_eq!(answer, "{\"Pong\":{}}\n");
        sent += 1;
    }
    assert!((10..5000).contains(&sent), "{sent} were taken");
    // All that was taken arrives.
    for _ in 0..sent {
        assert!(slow.line().starts_with("{\"Direct\":{\"from\":\"anna\","));
    }
    ping(&mut slow);
}

#[test]
fn a_flood_of_direct_messages_holds_up_no_group() {
    let server = server_with(|limits| limits.outbox_messages = 100);
    let mut slow = server.connect();
    rustix::net::sockopt::set_socket_recv_buffer_size(&slow.socket, 128 * 1024).unwrap();
    slow.hello("slow", "");
    slow.send("{\"Join\":{\"group_name\":\"g\"}}\n");
    ping(&mut slow);
    let mut anna = welcomed(&server, "anna");
    let direct = format!(
        "{{\"Direct\":{{\"to\":\"slow\",\"message\":\"{}\"}}}}\n",
        "x".repeat(LARGE)
    );
    // Until a hundred wait.
    let mut sent = 0;
    loop {
        anna.send(&direct);
        anna.send("{\"Ping\":{}}\n");
        if anna.line() != "{\"Pong\":{}}\n" {
            break;
        }
        sent += 1;
        assert!(sent < 5000, "all were taken");
    }
    anna.line();
    anna.post("g", "hear me");
    ping(&mut anna);
    let mut before = 0;
    while !slow.line().contains("hear me") {
        before += 1;
    }
    assert!(before + 50 < sent, "{before} of {sent} came before");
    for _ in before..sent {
        assert!(slow.line().starts_with("{\"Direct\":{\"from\":\"anna\","));
    }
    ping(&mut slow);
}

#[test]
fn who_was_sent_the_end_can_be_sent_nothing_more() {
    let server = server_with(|limits| limits.line_length = 100);
    let mut gone = welcomed(&server, "gone");
    let mut anna = welcomed(&server, "anna");
    gone.send([&[b'x'; 101][..], b"\n"].concat());
    gone.line();
    gone.end();
    // Its connection is still there: the server waits for it to be closed from there.
    anna.send("{\"Direct\":{\"to\":\"gone\",\"message\":\"m\"}}\n");
    assert_eq!(
        anna.line(),
        "{\"Error\":{\"code\":\"no_such_client\",\"text\":\"there is no client gone\",\"about\":\"gone\"}}\n"
    );
}

#[test]
fn what_was_taken_for_a_client_is_sent_though_the_server_stops() {
    let server = server_with(|limits| limits.outbox_messages = 1000);
    let mut slow = server.connect();
    rustix::net::sockopt::set_socket_recv_buffer_size(&slow.socket, 128 * 1024).unwrap();
    slow.hello("slow", "");
    let mut anna = welcomed(&server, "anna");
    // Many of them, so that more wait than are sent in one go.
    let direct = format!(
        "{{\"Direct\":{{\"to\":\"slow\",\"message\":\"{}\"}}}}\n",
        "x".repeat(20)
    );
    let (mut taken, mut is_busy) = (0, false);
    while !is_busy {
        anna.send(direct.repeat(100));
        anna.send("{\"Ping\":{}}\n");
        taken += 100;
        while anna.line() != "{\"Pong\":{}}\n" {
            is_busy = true;
            taken -= 1;
        }
        assert!(taken < 1_000_000, "all were taken");
    }
    let stopped = std::thread::spawn(move || server.stop());
    anna.end();
    for _ in 0..taken {
        assert!(slow.line().starts_with("{\"Direct\":{\"from\":\"anna\","));
    }
    slow.end();
    drop((slow, anna));
    assert_eq!(stopped.join().unwrap(), [""; 0]);
}

#[test]
fn a_million_bad_lines_wait_for_their_errors_to_be_read() {
    let server = Server::start();
    let mut rude = server.connect();
    rude.socket.set_nonblocking(true).unwrap();
    let start = Instant::now();
    let chunk = b"x\n".repeat(32 * 1024);
    let mut sent = 0;
    // Until the server takes no more, or until all were taken.
    let mut refused_since = None;
    while sent < 2_000_000 && start.elapsed() < GUARD {
        match std::io::Write::write(&mut rude.socket, &chunk) {
            Ok(length) => (sent, refused_since) = (sent + length, None),
            Err(_) => {
                let since = *refused_since.get_or_insert_with(Instant::now);
                if since.elapsed() > Duration::from_millis(500) {
                    break;
                }
                std::thread::yield_now();
            }
        }
    }
    // Whatever it does, the others chat on.
    let mut other = server.connect();
    other.join("g");
    other.post("g", "all is well");
    assert_eq!(other.line(), delivery("g", "all is well"));
}

#[test]
fn first_line() {
    let server = server_with(|limits| limits.first_line = Duration::from_millis(100));
    let text = "a client has 100ms to open the conversation (first_line_ms)";
    let mut silent = server.connect();
    assert_eq!(silent.line(), base_error(text));
    silent.end();

    let mut half = server.connect();
    half.send("{\"Join\":{\"group_");
    assert_eq!(half.line(), base_error(text));
    half.end();
}

#[test]
fn who_has_said_its_first_line_may_be_silent_for_longer() {
    let server = server_with(|limits| limits.first_line = Duration::from_secs(2));
    let mut base = server.connect();
    base.join("g");
    let mut anna = welcomed(&server, "anna");
    // One that is late says when the time is over.
    let mut silent = server.connect();
    silent.line();
    silent.end();
    base.sync();
    ping(&mut anna);
}

#[test]
fn ping_after() {
    let server = server_with(|limits| limits.ping_after = Duration::from_millis(100));
    let mut base = server.connect();
    base.join("g");
    let mut silent = welcomed(&server, "anna");
    assert_eq!(silent.line(), "{\"Ping\":{}}\n");
    assert_eq!(silent.line(), "{\"Ping\":{}}\n");
    assert_eq!(
        silent.line(),
        "{\"Error\":{\"code\":\"silent\",\"text\":\"you left 2 pings unanswered\",\"about\":\"ping_after_ms\"}}\n"
    );
    silent.end();
    // Nobody asks a client that does not know the question.
    base.sync();
}

#[test]
fn who_answers_pings_stays() {
    let server = server_with(|limits| limits.ping_after = Duration::from_millis(300));
    let mut anna = welcomed(&server, "anna");
    for _ in 0..4 {
        assert_eq!(anna.line(), "{\"Ping\":{}}\n");
        anna.send("{\"Pong\":{}}\n");
    }
    anna.send("{\"Ping\":{}}\n");
    // It may have been asked once more in the meantime.
    let answer = loop {
        let line = anna.line();
        if line != "{\"Ping\":{}}\n" {
            break line;
        }
    };
    assert_eq!(answer, "{\"Pong\":{}}\n");
}
