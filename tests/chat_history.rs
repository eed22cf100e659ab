//! What was posted before: who is sent it, in which order, and that it fits together with what is posted now. The history
//! is one in memory here; `tests/chat_history_on_disk.rs` has the program's own.

mod chat_support;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use chat_support::memory_history::MemoryHistory;
use chat_support::{Client, GUARD, Server, delivery};
use parklet::chat::Limits;
use parklet::chat::extended::{ErrorCode, Reply};
use parklet::chat::server::Builder;

fn start(history: &MemoryHistory) -> Server {
    start_with(history, |_| {})
}

/// Starts a server with this history, and these changes to its limits.
fn start_with(history: &MemoryHistory, change: impl FnOnce(&mut Limits)) -> Server {
    let mut limits = Limits::default();
    change(&mut limits);
    let builder = Builder::new().limits(limits).history(history.shared());
    Server::start_built(builder, |listener| listener)
}

/// What the server says next.
fn reply(client: &mut Client) -> Reply {
    let line = client.line();
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// The ids of the messages, and the numbers of those told as dropped, that come before the `Pong`.
fn heard(client: &mut Client) -> Vec<Heard> {
    client.send("{\"Ping\":{}}\n");
    let mut heard = Vec::new();
    loop {
        match reply(client) {
            Reply::Message { id, message, .. } => {
                assert_eq!(message, format!("m{id}"));
                heard.push(Heard::Message(id));
            }
            Reply::Lagged { dropped, .. } => heard.push(Heard::Dropped(dropped)),
            Reply::Pong {} => return heard,
            other => panic!("{other:?}"),
        }
    }
}

/// The id of the message that is posted now, or the number told as dropped before.
fn next(client: &mut Client) -> Heard {
    match reply(client) {
        Reply::Message { id, .. } => Heard::Message(id),
        Reply::Lagged { dropped, .. } => Heard::Dropped(dropped),
        other => panic!("{other:?}"),
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Heard {
    Message(u64),
    Dropped(u64),
}

/// These messages and nothing else.
fn messages(ids: impl IntoIterator<Item = u64>) -> Vec<Heard> {
    ids.into_iter().map(Heard::Message).collect()
}

/// A client with a name.
fn guest(server: &Server, name: &str) -> Client {
    let mut client = server.connect();
    client.hello(name, "");
    client
}

fn join_after(client: &mut Client, group: &str, after: u64) {
    client.send(format!(
        "{{\"Join\":{{\"group_name\":\"{group}\",\"after\":{after}}}}}\n"
    ));
}

fn join(client: &mut Client, group: &str) {
    client.send(format!("{{\"Join\":{{\"group_name\":\"{group}\"}}}}\n"));
}

/// Somebody comes, posts `m1` and so on to `group`, and goes when all of that has been done.
fn post_and_go(server: &Server, group: &str, ids: impl IntoIterator<Item = u64>) {
    let mut poster = server.connect();
    poster.send(format!("{{\"Join\":{{\"group_name\":\"{group}\"}}}}\n"));
    for id in ids {
        poster.post(group, &format!("m{id}"));
        assert_eq!(poster.line(), delivery(group, &format!("m{id}")));
    }
    poster.half_close();
    poster.end();
}

#[test]
fn who_joins_is_sent_the_last_messages_and_then_what_is_posted() {
    let history = MemoryHistory::default();
    let server = start_with(&history, |limits| limits.replay_messages = 3);
    let (mut anna, mut ben) = (guest(&server, "anna"), guest(&server, "ben"));
    join(&mut anna, "g");
    for id in 1..=5 {
        anna.post("g", &format!("m{id}"));
    }
    let lines: Vec<String> = (1..=5).map(|_| anna.line()).collect();
    join(&mut ben, "g");
    anna.send("{\"Ping\":{}}\n");
    anna.line();
    // The same bytes that came when it was posted: sender, id and time.
    for line in &lines[2..] {
        assert_eq!(&ben.line(), line);
    }
    anna.post("g", "m6");
    assert_eq!(next(&mut ben), Heard::Message(6));
    // To join once more is nothing.
    join_after(&mut ben, "g", 0);
    assert_eq!(heard(&mut ben), []);
}

#[test]
fn messages_are_replayed_only_while_they_are_young() {
    let history = MemoryHistory::default();
    let server = start_with(&history, |limits| {
        limits.replay_age = Duration::from_secs(3600);
    });
    post_and_go(&server, "g", 1..=5);
    for kept in &mut history.kept().groups.get_mut("g").unwrap()[..3] {
        kept.time -= 3601 * 1000;
    }
    let mut anna = guest(&server, "anna");
    join(&mut anna, "g");
    assert_eq!(heard(&mut anna), messages([4, 5]));
    // Who knows what it has seen is sent all the rest.
    let mut ben = guest(&server, "ben");
    join_after(&mut ben, "g", 1);
    assert_eq!(heard(&mut ben), messages(2..=5));
}

#[test]
fn who_says_what_it_has_seen_is_sent_the_rest_however_much_it_is() {
    let history = MemoryHistory::default();
    // So that it takes many pages, of one kilobyte each.
    let server = start_with(&history, |limits| limits.outbox_bytes = 1024);
    post_and_go(&server, "g", 1..=3000);
    for after in [0, 1, 1500, 2999, 3000] {
        let mut anna = guest(&server, "anna");
        join_after(&mut anna, "g", after);
        assert_eq!(heard(&mut anna), messages(after + 1..=3000));
        anna.half_close();
        anna.end();
    }
    // That was in another life of the group.
    let mut anna = guest(&server, "ben");
    join_after(&mut anna, "g", 3001);
    assert_eq!(heard(&mut anna), messages(2951..=3000));
}

#[test]
fn a_client_of_the_book_sees_the_books_lines_only() {
    let history = MemoryHistory::default();
    let server = start(&history);
    post_and_go(&server, "g", 1..=5);
    let mut client = server.connect();
    client.send("{\"Join\":{\"group_name\":\"g\",\"after\":0}}\n");
    client.post("g", "m6");
    assert_eq!(client.line(), delivery("g", "m6"));
    client.sync();
    client.send("{\"History\":{\"group_name\":\"g\"}}\n");
    let line = client.line();
    assert!(line.contains("unknown variant `History`"), "{line}");
}

#[test]
fn a_group_of_which_something_is_kept_stays_and_its_ids_go_on() {
    let history = MemoryHistory::default();
    let server = start(&history);
    post_and_go(&server, "g", 1..=2);
    // Nobody is there, and yet this is no error.
    let mut outsider = server.connect();
    outsider.post("g", "m3");
    outsider.sync();
    let mut anna = guest(&server, "anna");
    anna.send("{\"Groups\":{}}\n{\"Members\":{\"group_name\":\"g\"}}\n");
    assert_eq!(
        anna.line(),
        "{\"Groups\":{\"groups\":[{\"group_name\":\"g\",\"members\":0}],\"total\":1}}\n"
    );
    assert_eq!(
        anna.line(),
        "{\"Members\":{\"group_name\":\"g\",\"names\":[],\"total\":0}}\n"
    );
    drop((outsider, anna));
    server.stop();

    let server = start(&history);
    let mut anna = guest(&server, "anna");
    anna.post("g", "m4");
    join_after(&mut anna, "g", 1);
    assert_eq!(heard(&mut anna), messages(2..=4));
    anna.post("g", "m5");
    assert_eq!(next(&mut anna), Heard::Message(5));
    // A group that was joined and never posted to goes with its last member.
    join(&mut anna, "empty");
    anna.send("{\"Leave\":{\"group_name\":\"empty\"}}\n{\"Post\":{\"group_name\":\"empty\",\"message\":\"m\"}}\n");
    assert!(anna.line().contains("no_such_group"));
}

#[test]
fn a_group_that_was_forgotten_goes_when_it_has_no_members() {
    let history = MemoryHistory::default();
    let server = start(&history);
    post_and_go(&server, "deserted", 1..=2);
    post_and_go(&server, "g", 1..=2);
    let mut anna = guest(&server, "anna");
    join_after(&mut anna, "g", 2);
    assert_eq!(heard(&mut anna), []);
    history.forget("deserted");
    history.forget("g");
    // To post to it would be to have it kept again.
    let start = Instant::now();
    let mut groups = String::new();
    while groups != "{\"Groups\":{\"groups\":[{\"group_name\":\"g\",\"members\":1}],\"total\":1}}\n"
    {
        anna.send("{\"Groups\":{}}\n");
        groups = anna.line();
        assert!(start.elapsed() < GUARD, "{groups}");
    }
    // This one goes on where it was.
    anna.post("g", "m3");
    assert_eq!(next(&mut anna), Heard::Message(3));
}

#[test]
fn what_is_kept_no_longer_is_told_as_dropped_in_its_place() {
    let history = MemoryHistory::default();
    let server = start(&history);
    post_and_go(&server, "g", 1..=20);
    let group = |ids: &[u64]| {
        let mut kept = history.kept();
        let group = kept.groups.get_mut("g").unwrap();
        group.retain(|kept| ids.contains(&kept.id));
    };
    group(&[4, 5, 8, 9, 15]);
    let replayed = |name: &str, after: u64| {
        let mut client = guest(&server, name);
        join_after(&mut client, "g", after);
        heard(&mut client)
    };
    let dropped = |number| vec![Heard::Dropped(number)];
    let end = [
        dropped(2),
        messages([8, 9]),
        dropped(5),
        messages([15]),
        dropped(5),
    ]
    .concat();
    let after_1 = [dropped(2), messages([4, 5]), end.clone()].concat();
    assert_eq!(replayed("anna", 1), after_1);
    assert_eq!(replayed("ben", 3), [messages([4, 5]), end.clone()].concat());
    assert_eq!(replayed("carl", 5), end);
    assert_eq!(replayed("dora", 17), dropped(3));
    // Ids that no message ever had are missed by nobody.
    history.kept().left_out = vec![6..8, 10..15, 16..21];
    assert_eq!(replayed("emil", 4), messages([5, 8, 9, 15]));
}

#[test]
fn a_message_that_cannot_be_kept_is_sent_all_the_same() {
    let history = MemoryHistory::default();
    let server = start(&history);
    let mut anna = guest(&server, "anna");
    join(&mut anna, "g");
    for id in 1..=3 {
        history.kept().is_full = id == 2;
        anna.post("g", &format!("m{id}"));
        assert_eq!(next(&mut anna), Heard::Message(id));
    }
    let mut ben = guest(&server, "ben");
    join_after(&mut ben, "g", 0);
    let dropped = Heard::Dropped(1);
    assert_eq!(
        heard(&mut ben),
        [Heard::Message(1), dropped, Heard::Message(3)]
    );
    // Where nobody would get it, and nobody keeps it, there is nobody to post to.
    history.kept().is_full = true;
    anna.send("{\"Leave\":{\"group_name\":\"g\"}}\n");
    ben.send("{\"Leave\":{\"group_name\":\"g\"}}\n{\"Ping\":{}}\n");
    assert_eq!(ben.line(), "{\"Pong\":{}}\n");
    anna.post("g", "m4");
    assert!(anna.line().contains("no_such_group"));
}

/// The ids of the messages in the answer to this, and whether there is more.
fn asked(client: &mut Client, fields: &str) -> (Vec<u64>, bool) {
    client.send(format!(
        "{{\"History\":{{\"group_name\":\"g\"{fields}}}}}\n"
    ));
    match reply(client) {
        Reply::History {
            group_name,
            messages,
            more,
        } => {
            assert_eq!(group_name, "g");
            (messages.iter().map(|message| message.id).collect(), more)
        }
        other => panic!("{other:?}"),
    }
}

/// The code of the error that is the answer to this.
fn refused(client: &mut Client, request: &str) -> ErrorCode {
    client.send(format!("{request}\n"));
    match reply(client) {
        Reply::Error { code, .. } => code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_member_can_leaf_through_what_is_kept() {
    let history = MemoryHistory::default();
    let server = start(&history);
    post_and_go(&server, "g", 1..=250);
    let mut anna = guest(&server, "anna");
    join_after(&mut anna, "g", 250);
    let ids = |ids: std::ops::RangeInclusive<u64>| ids.collect::<Vec<_>>();
    assert_eq!(asked(&mut anna, ""), (ids(151..=250), true));
    assert_eq!(asked(&mut anna, ",\"limit\":2"), (ids(249..=250), true));
    assert_eq!(asked(&mut anna, ",\"before\":151"), (ids(51..=150), true));
    assert_eq!(
        asked(&mut anna, ",\"before\":51,\"limit\":50"),
        (ids(1..=50), false)
    );
    assert_eq!(asked(&mut anna, ",\"before\":1"), (vec![], false));
    assert_eq!(
        asked(&mut anna, ",\"after\":10,\"limit\":5"),
        (ids(11..=15), true)
    );
    assert_eq!(asked(&mut anna, ",\"after\":245"), (ids(246..=250), false));
    assert_eq!(asked(&mut anna, ",\"after\":250"), (vec![], false));
    assert_eq!(asked(&mut anna, ",\"limit\":100000"), (ids(1..=250), false));
    assert_eq!(asked(&mut anna, ",\"limit\":0"), (vec![], true));
    let both = "{\"History\":{\"group_name\":\"g\",\"before\":2,\"after\":1}}";
    assert_eq!(refused(&mut anna, both), ErrorCode::BadRequest);
    let other = "{\"History\":{\"group_name\":\"other\"}}";
    assert_eq!(refused(&mut anna, other), ErrorCode::NotAMember);
}

#[test]
fn an_answer_is_a_line_that_a_client_takes() {
    let history = MemoryHistory::default();
    let server = start(&history);
    let mut anna = guest(&server, "anna");
    join(&mut anna, "g");
    let message = "x".repeat(10_000);
    for _ in 0..20 {
        anna.post("g", &message);
        anna.line();
    }
    for (fields, first, more) in [
        ("", 15, true),
        (",\"after\":0", 1, true),
        (",\"after\":16", 17, false),
    ] {
        anna.send(format!(
            "{{\"History\":{{\"group_name\":\"g\"{fields}}}}}\n"
        ));
        let line = anna.line();
        assert!(
            line.len() <= parklet::chat::protocol::MAX_LINE_LENGTH,
            "{}",
            line.len()
        );
        let Ok(Reply::History {
            messages,
            more: said,
            ..
        }) = serde_json::from_str(&line)
        else {
            panic!("{line}")
        };
        assert_eq!((messages[0].id, said), (first, more), "{fields}");
        assert!(!more || messages.len() == 6, "{}", messages.len());
    }
}

#[test]
fn a_server_without_history_says_so() {
    let server = Server::start();
    let mut anna = server.connect();
    anna.send("{\"Hello\":{\"name\":\"anna\",\"features\":[\"history\"]}}\n");
    assert!(anna.line().contains("\"features\":[],"));
    join_after(&mut anna, "g", 7);
    anna.post("g", "m1");
    assert_eq!(next(&mut anna), Heard::Message(1));
    let request = "{\"History\":{\"group_name\":\"g\"}}";
    assert_eq!(refused(&mut anna, request), ErrorCode::NoHistory);

    let server = start(&MemoryHistory::default());
    let mut anna = server.connect();
    anna.send("{\"Hello\":{\"name\":\"anna\",\"features\":[\"history\"]}}\n");
    assert!(anna.line().contains("\"features\":[\"history\"],"));
}

#[test]
fn who_waits_for_what_is_kept_holds_up_nobody_and_keeps_its_order() {
    let history = MemoryHistory::default();
    let server = start(&history);
    post_and_go(&server, "g", 1..=2);
    let (mut anna, mut ben) = (guest(&server, "anna"), guest(&server, "ben"));
    join(&mut anna, "other");
    anna.send("{\"Ping\":{}}\n");
    assert_eq!(anna.line(), "{\"Pong\":{}}\n");

    let key = history.close();
    // More than is done in one turn, so that what waits would show if it were done.
    anna.send("{\"Join\":{\"group_name\":\"g\"}}\n{\"History\":{\"group_name\":\"g\",\"limit\":1}}\n{\"Ping\":{}}\n");
    anna.send("{\"Leave\":{\"group_name\":\"nowhere\"}}\n".repeat(100));
    join_after(&mut ben, "g", 2);
    join_after(&mut ben, "other", 0);
    ben.send("{\"Ping\":{}}\n");
    // Ben does not wait: there was nothing to be replayed to him.
    assert_eq!(ben.line(), "{\"Pong\":{}}\n");
    ben.post("g", "m3");
    ben.post("other", "while you wait");
    for message in ["m3", "while you wait"] {
        assert!(ben.line().contains(message));
    }
    // Nor does anna, for what others post to her other group.
    assert!(anna.line().contains("while you wait"));

    drop(key);
    for id in 1..=3 {
        assert!(matches!(reply(&mut anna), Reply::Message { id: it, .. } if it == id));
    }
    let Reply::History { messages, more, .. } = reply(&mut anna) else {
        panic!("not the answer")
    };
    assert_eq!((messages.len(), messages[0].id, more), (1, 3, true));
    assert_eq!(anna.line(), "{\"Pong\":{}}\n");
    for _ in 0..100 {
        assert!(anna.line().contains("not_a_member"));
    }
}

#[test]
fn what_cannot_be_read_is_told_and_the_chat_goes_on() {
    let history = MemoryHistory::default();
    let server = start(&history);
    post_and_go(&server, "g", 1..=2);
    history.kept().failure = Some("the disk has failed".to_string());
    let mut anna = guest(&server, "anna");
    join_after(&mut anna, "g", 1);
    let error =
        "{\"Error\":{\"code\":\"no_history\",\"text\":\"the disk has failed\",\"about\":\"g\"}}\n";
    assert_eq!(anna.line(), error);
    anna.post("g", "m3");
    assert_eq!(next(&mut anna), Heard::Message(3));
    anna.send("{\"History\":{\"group_name\":\"g\"}}\n");
    assert_eq!(anna.line(), error);
}

#[test]
fn a_server_that_stops_does_not_wait_for_a_disk() {
    let history = MemoryHistory::default();
    let builder = Builder::new().history(history.shared());
    let builder = builder.farewell(Duration::from_millis(50));
    let server = Server::start_built(builder, |listener| listener);
    post_and_go(&server, "g", 1..=2);
    let _key = history.close();
    let mut anna = guest(&server, "anna");
    join(&mut anna, "g");
    anna.send("{\"Ping\":{}}\n");
    server.stop();
    assert_eq!(anna.line_or_end(), None);
}

#[test]
fn what_is_posted_during_a_long_replay_is_replayed_too() {
    let history = MemoryHistory::default();
    let server = start_with(&history, |limits| limits.outbox_messages = 10);
    post_and_go(&server, "g", 1..=20);
    let key = history.close();
    let mut anna = guest(&server, "anna");
    join_after(&mut anna, "g", 0);
    // Far more than the ring holds; the second half of it through a member who reads.
    let mut ben = guest(&server, "ben");
    join_after(&mut ben, "g", 20);
    for id in 21..=500 {
        ben.post("g", &format!("m{id}"));
        ben.line();
    }
    drop(key);
    assert_eq!(heard(&mut anna), messages(1..=500));
    ben.post("g", "m501");
    ben.line();
    assert_eq!(next(&mut anna), Heard::Message(501));
}

#[test]
fn nothing_is_lost_and_nothing_doubled_between_replay_and_ring() {
    const POSTERS: u64 = 3;
    const POSTS: u64 = 400;
    let history = MemoryHistory::default();
    let server = start_with(&history, |limits| limits.outbox_messages = 10_000);
    let address = server.address;
    post_and_go(&server, "g", 1..=1);
    let is_over = AtomicBool::new(false);
    let joined = AtomicU64::new(0);
    thread::scope(|scope| {
        let readers: Vec<_> = (0..4)
            .map(|number| {
                let (is_over, joined) = (&is_over, &joined);
                scope.spawn(move || {
                    let mut seen = 0;
                    let mut client = Client::connect(address);
                    client.hello(&format!("reader {number}"), "");
                    // Comes and goes, and each time says what it has seen.
                    while !(is_over.load(Ordering::SeqCst) && seen == POSTERS * POSTS + 1) {
                        join_after(&mut client, "g", seen);
                        client.send("{\"Ping\":{}}\n");
                        joined.fetch_add(1, Ordering::SeqCst);
                        let mut pongs = 0;
                        while pongs < 2 {
                            match reply(&mut client) {
                                Reply::Message { id, .. } => {
                                    assert_eq!(id, seen + 1);
                                    seen = id;
                                }
                                Reply::Pong {} if pongs == 0 => {
                                    pongs = 1;
                                    client.send(
                                        "{\"Leave\":{\"group_name\":\"g\"}}\n{\"Ping\":{}}\n",
                                    );
                                }
                                Reply::Pong {} => pongs = 2,
                                other => panic!("{other:?}"),
                            }
                        }
                    }
                })
            })
            .collect();
        let posters: Vec<_> = (0..POSTERS)
            .map(|_| {
                let joined = &joined;
                scope.spawn(move || {
                    let mut client = Client::connect(address);
                    for post in 0..POSTS {
                        client.post("g", "m");
                        if post % 20 == 0 {
                            // Not all of it before somebody joins.
                            client.sync();
                            let (before, start) = (joined.load(Ordering::SeqCst), Instant::now());
                            while joined.load(Ordering::SeqCst) == before {
                                assert!(start.elapsed() < GUARD, "nobody joins");
                                thread::yield_now();
                            }
                        }
                    }
                    client.sync();
                })
            })
            .collect();
        for poster in posters {
            poster.join().unwrap();
        }
        is_over.store(true, Ordering::SeqCst);
        let start = Instant::now();
        for reader in readers {
            reader.join().unwrap();
        }
        assert!(start.elapsed() < GUARD);
    });
    let ids: Vec<u64> = history.kept().groups["g"]
        .iter()
        .map(|kept| kept.id)
        .collect();
    assert_eq!(ids, (1..=POSTERS * POSTS + 1).collect::<Vec<_>>());
}
