//! The chat server's own history: what is on disk outlives the server, whatever ends it; and where there can be none, the
//! chat goes on without and says so.

mod chat_support;

use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use chat_support::watched::Watched;
use chat_support::{Client, GUARD, Program, example};
use parklet::chat::extended::{ErrorCode, Reply};
use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};
use tempfile::TempDir;

/// Longer than any test: what is written with this is written because something else wants it.
const NEVER: &str = "3600";

/// A directory for a history, and the server that uses it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn name(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("history.redb")
    }

    fn start(&self, arguments: &[&str]) -> Watched {
        let history = ["--history", self.name()];
        Watched::start(&[&history, arguments].concat())
    }
}

/// Ends a server in good order.
fn stop(server: Watched) {
    server.program.signal(Signal::TERM);
    let ended = server.program.wait();
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{ended:?}");
}

/// Ends it as a power cut or an administrator in a hurry does.
fn kill(server: Watched) {
    server.program.signal(Signal::KILL);
    assert_eq!(server.program.wait().code, None);
}

/// Waits until all that was posted is on disk.
fn wait_until_written(server: &Watched) {
    server.wait_for("history_queued_bytes", 0);
}

fn guest(server: &Watched, name: &str) -> Client {
    let mut client = Client::connect(server.address);
    client.hello(name, "");
    client
}

fn reply(client: &mut Client) -> Reply {
    let line = client.line();
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// Joins, and returns the messages that are replayed; nothing may be missing among them.
fn replayed(client: &mut Client, group: &str, after: Option<u64>) -> Vec<(u64, String)> {
    let after = after.map_or(String::new(), |id| format!(",\"after\":{id}"));
    client.send(format!(
        "{{\"Join\":{{\"group_name\":\"{group}\"{after}}}}}\n{{\"Ping\":{{}}}}\n"
    ));
    let mut messages = Vec::new();
    loop {
        match reply(client) {
            Reply::Message { id, message, .. } => messages.push((id, message)),
            Reply::Pong {} => return messages,
            other => panic!("{other:?}"),
        }
    }
}

/// Posts these to a group that the client is in, and returns their ids.
fn post(client: &mut Client, group: &str, messages: &[String]) -> Vec<u64> {
    for message in messages {
        client.post(group, message);
    }
    let ids = messages.iter().map(|expected| match reply(client) {
        Reply::Message { id, message, .. } if message == *expected => id,
        other => panic!("{other:?}"),
    });
    ids.collect()
}

fn texts(numbers: std::ops::RangeInclusive<u64>) -> Vec<String> {
    numbers.map(|number| format!("m{number}")).collect()
}

fn numbered(numbers: std::ops::RangeInclusive<u64>) -> Vec<(u64, String)> {
    numbers.clone().zip(texts(numbers)).collect()
}

/// The ids in the answer to `History`, and whether there is more.
fn asked(client: &mut Client, fields: &str) -> (Vec<u64>, bool) {
    client.send(format!(
        "{{\"History\":{{\"group_name\":\"g\"{fields}}}}}\n"
    ));
    match reply(client) {
        Reply::History { messages, more, .. } => {
            for kept in &messages {
                assert_eq!(kept.message, format!("m{}", kept.id));
            }
            (messages.iter().map(|kept| kept.id).collect(), more)
        }
        other => panic!("{other:?}"),
    }
}

/// The server has no history, as the client and the page see it, but the chat is as it was.
fn is_without_history(server: &Watched, failures: u64) {
    let numbers = server.wait_for("history_up", 0);
    assert_eq!(numbers.get("history_failures_total"), failures);
    let mut anna = guest(server, "anna");
    anna.send("{\"Join\":{\"group_name\":\"new\"}}\n{\"Ping\":{}}\n");
    assert_eq!(anna.line(), "{\"Pong\":{}}\n");
    assert_eq!(post(&mut anna, "new", &texts(1..=1)), [1]);
    anna.send("{\"History\":{\"group_name\":\"new\"}}\n");
    let Reply::Error { code, about, .. } = reply(&mut anna) else {
        panic!("there is an answer")
    };
    assert_eq!(
        (code, about.as_deref()),
        (ErrorCode::NoHistory, Some("new"))
    );
}

#[test]
fn a_restart_loses_nothing_and_ids_go_on() {
    let place = Place::new();
    let server = place.start(&["--history-flush", NEVER]);
    let mut anna = guest(&server, "anna");
    assert_eq!(replayed(&mut anna, "g", None), []);
    assert_eq!(
        post(&mut anna, "g", &texts(1..=100)),
        Vec::from_iter(1..=100)
    );
    // Base clients' messages are kept as well, and so is what is posted where nobody is.
    anna.send("{\"Leave\":{\"group_name\":\"g\"}}\n{\"Ping\":{}}\n");
    assert_eq!(anna.line(), "{\"Pong\":{}}\n");
    let mut carl = Client::connect(server.address);
    carl.post("g", "m101");
    carl.sync();
    drop((anna, carl));
    stop(server);

    let server = place.start(&["--history-flush", NEVER]);
    let mut anna = guest(&server, "anna");
    assert_eq!(replayed(&mut anna, "g", Some(0)), numbered(1..=101));
    let texts = texts(102..=150);
    assert_eq!(post(&mut anna, "g", &texts), Vec::from_iter(102..=150));
    // Part of that is on disk and part in memory.
    let ids = |ids: std::ops::RangeInclusive<u64>| ids.collect::<Vec<_>>();
    assert_eq!(asked(&mut anna, ""), (ids(51..=150), true));
    assert_eq!(asked(&mut anna, ",\"limit\":10"), (ids(141..=150), true));
    assert_eq!(
        asked(&mut anna, ",\"before\":140,\"limit\":100"),
        (ids(40..=139), true)
    );
    assert_eq!(
        asked(&mut anna, ",\"before\":100,\"limit\":99"),
        (ids(1..=99), false)
    );
    assert_eq!(
        asked(&mut anna, ",\"after\":90,\"limit\":20"),
        (ids(91..=110), true)
    );
    assert_eq!(asked(&mut anna, ",\"after\":100"), (ids(101..=150), false));
    assert_eq!(
        asked(&mut anna, ",\"after\":120,\"limit\":30"),
        (ids(121..=150), false)
    );
    assert_eq!(asked(&mut anna, ",\"before\":1"), (vec![], false));
    for (name, after, expected) in [
        ("ben", None, 101..=150),
        ("carl", Some(10), 11..=150),
        ("dora", Some(101), 102..=150),
        ("emil", Some(140), 141..=150),
    ] {
        assert_eq!(
            replayed(&mut guest(&server, name), "g", after),
            numbered(expected)
        );
    }
    assert_eq!(server.numbers().get("history_messages"), 150);
    drop(anna);
    stop(server);
}

#[test]
fn a_stop_in_the_middle_of_a_write_loses_nothing() {
    let place = Place::new();
    for round in 0..5 {
        let server = place.start(&["--history-flush", "0"]);
        assert_eq!(server.numbers().get("history_messages"), round * 500);
        let mut anna = guest(&server, "anna");
        replayed(&mut anna, "g", Some(round * 500));
        for hundred in 0..5 {
            let first = round * 500 + hundred * 100 + 1;
            post(&mut anna, "g", &texts(first..=first + 99));
        }
        drop(anna);
        stop(server);
    }
}

#[test]
fn nothing_is_lost_and_nothing_doubled_between_disk_and_queue_and_ring() {
    const POSTS: u64 = 2000;
    let place = Place::new();
    let server = place.start(&["--history-flush", "0.005"]);
    let address = server.address;
    let mut anna = guest(&server, "anna");
    replayed(&mut anna, "g", None);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|number| {
                scope.spawn(move || {
                    let mut client = Client::connect(address);
                    client.hello(&format!("reader {number}"), "");
                    let (mut seen, mut joins) = (0, 0);
                    // Comes and goes, and each time says what it has seen.
                    while seen < POSTS {
                        client.send(format!(
                            "{{\"Join\":{{\"group_name\":\"g\",\"after\":{seen}}}}}\n{{\"Ping\":{{}}}}\n{{\"Leave\":{{\"group_name\":\"g\"}}}}\n"
                        ));
                        joins += 1;
                        loop {
                            match reply(&mut client) {
                                Reply::Message { id, .. } => {
                                    assert_eq!(id, seen + 1);
                                    seen = id;
                                }
                                Reply::Pong {} => break,
                                other => panic!("{other:?}"),
                            }
                        }
                    }
                    joins
                })
            })
            .collect();
        for ten in 0..POSTS / 10 {
            let first = ten * 10 + 1;
            post(&mut anna, "g", &texts(first..=first + 9));
            if ten % 20 == 0 {
                // Not all of it in one write.
                wait_until_written(&server);
            }
        }
        let joins: Vec<i32> = readers.into_iter().map(|it| it.join().unwrap()).collect();
        assert!(joins.iter().all(|joins| *joins > 3), "{joins:?}");
    });
    assert!(server.numbers().get("history_flushes_total") > 3);
}

#[test]
fn a_kill_loses_nothing_that_is_on_disk_and_no_id_is_given_twice() {
    let place = Place::new();
    let mut last = 0;
    let mut kept = Vec::new();
    for round in 1..=3 {
        let server = place.start(&["--history-messages", "100000"]);
        let mut anna = guest(&server, "anna");
        // Anna reconnects and misses nothing that is kept: it has seen all of it.
        assert_eq!(replayed(&mut anna, "g", Some(last)), []);
        let mut ben = guest(&server, "ben");
        assert_eq!(replayed(&mut ben, "g", Some(0)), kept);
        let texts: Vec<String> = (0..500).map(|number| format!("{round} {number}")).collect();
        let ids = post(&mut anna, "g", &texts);
        assert!(ids[0] > last, "{} after {last}", ids[0]);
        assert!(ids.is_sorted());
        wait_until_written(&server);
        // Many messages take few writes.
        let flushes = server.numbers().get("history_flushes_total");
        assert!((1..=50).contains(&flushes), "{flushes}");
        kept.extend(ids.into_iter().zip(texts));
        // This may be lost, but its id is gone.
        let lost = post(&mut anna, "g", &["lost".to_string()]);
        last = lost[0];
        kill(server);

        // What was written in this moment may be there after all.
        let server = place.start(&["--history-messages", "100000"]);
        let mut carl = guest(&server, "carl");
        let found = replayed(&mut carl, "g", Some(kept.last().unwrap().0));
        match &found[..] {
            [] => {}
            [(id, text)] if *id == last && text == "lost" => kept.extend(found),
            other => panic!("{other:?}"),
        }
        kill(server);
    }
}

#[test]
fn no_id_is_given_twice_in_a_group_that_a_kill_took_before_it_was_written() {
    let place = Place::new();
    let server = place.start(&["--history-flush", NEVER]);
    let mut anna = guest(&server, "anna");
    replayed(&mut anna, "g", None);
    let last = post(&mut anna, "g", &texts(1..=2))[1];
    kill(server);

    let server = place.start(&[]);
    let mut ben = guest(&server, "ben");
    assert_eq!(replayed(&mut ben, "g", Some(0)), []);
    let ids = post(&mut ben, "g", &texts(3..=4));
    assert!(ids[0] > last, "{} after {last}", ids[0]);
    wait_until_written(&server);
    let missed: Vec<_> = ids.into_iter().zip(texts(3..=4)).collect();
    let mut anna = guest(&server, "anna");
    assert_eq!(replayed(&mut anna, "g", Some(last)), missed);
    // Nor is anything of it told as missed after the next start.
    stop(server);
    let server = place.start(&[]);
    assert_eq!(
        replayed(&mut guest(&server, "anna"), "g", Some(last)),
        missed
    );
    stop(server);
}

#[test]
fn what_a_kill_loses_is_no_older_than_the_flush_interval() {
    let place = Place::new();
    // All of it, if the interval is long; of this one nothing is ever written but for what fills the queue.
    let server = place.start(&["--history-flush", NEVER]);
    let mut anna = guest(&server, "anna");
    replayed(&mut anna, "g", None);
    post(&mut anna, "g", &texts(1..=50));
    assert_eq!(server.numbers().get("history_flushes_total"), 0);
    kill(server);
    let server = place.start(&[]);
    assert_eq!(replayed(&mut guest(&server, "anna"), "g", Some(0)), []);
    kill(server);

    // With the default, what was posted a while ago is there, though posting goes on.
    let server = place.start(&[]);
    let mut anna = guest(&server, "anna");
    replayed(&mut anna, "g", None);
    let mut posted = Vec::new();
    let start = Instant::now();
    while server.numbers().get("history_flushes_total") < 10 {
        let text = format!("m{}", posted.len());
        let at = Instant::now();
        posted.push((post(&mut anna, "g", std::slice::from_ref(&text))[0], at));
        assert!(start.elapsed() < GUARD);
    }
    let written = Instant::now();
    kill(server);
    let server = place.start(&[]);
    let found = replayed(&mut guest(&server, "anna"), "g", None);
    let last_found = found.last().unwrap().0;
    // The tenth write had all that was posted before it began. Nobody knows how long a write takes on this machine, but
    // ten of them and ten intervals were no longer than all of this.
    let a_tenth = (written - start) / 10;
    let allowed = 2 * a_tenth.max(std::time::Duration::from_millis(200));
    for (id, at) in posted {
        let age = written - at;
        assert!(
            id <= last_found || age <= allowed,
            "{id} was posted {age:?} before, last {last_found}"
        );
    }
    kill(server);
}

#[test]
fn a_group_has_no_more_messages_than_it_may_have() {
    let place = Place::new();
    let server = place.start(&["--history-messages", "10", "--history-flush", "0"]);
    let mut anna = guest(&server, "anna");
    replayed(&mut anna, "g", None);
    for number in 1..=25 {
        post(&mut anna, "g", &texts(number..=number));
        wait_until_written(&server);
    }
    assert_eq!(asked(&mut anna, ""), (Vec::from_iter(16..=25), false));
    assert_eq!(server.numbers().get("history_messages"), 10);
    // Who asks for what is gone is told how much that is.
    let mut ben = guest(&server, "ben");
    ben.send("{\"Join\":{\"group_name\":\"g\",\"after\":3}}\n");
    assert_eq!(
        ben.line(),
        "{\"Lagged\":{\"group_name\":\"g\",\"dropped\":12}}\n"
    );
    assert!(ben.line().contains("\"m16\""));
}

#[test]
fn what_is_too_old_is_forgotten_and_the_group_with_it() {
    let place = Place::new();
    let server = place.start(&["--history-age", "1", "--history-flush", "0"]);
    let mut anna = guest(&server, "anna");
    replayed(&mut anna, "g", None);
    post(&mut anna, "g", &texts(1..=3));
    anna.send("{\"Leave\":{\"group_name\":\"g\"}}\n{\"Ping\":{}}\n");
    assert_eq!(anna.line(), "{\"Pong\":{}}\n");
    assert_eq!(server.numbers().get("groups"), 1);
    server.wait_for("groups", 0);
    assert_eq!(server.numbers().get("history_messages"), 0);
    assert_eq!(replayed(&mut anna, "g", Some(0)), []);
    // It stays forgotten.
    stop(server);
    let server = place.start(&[]);
    assert_eq!(server.numbers().get("groups"), 0);
    stop(server);
}

#[test]
fn messages_of_more_groups_than_there_may_be_are_not_kept() {
    let place = Place::new();
    let server = place.start(&["--history-groups", "2", "--history-flush", "0"]);
    let mut anna = guest(&server, "anna");
    for group in ["a", "b", "c"] {
        replayed(&mut anna, group, None);
        post(&mut anna, group, &texts(1..=2));
        wait_until_written(&server);
    }
    post(&mut anna, "a", &texts(3..=3));
    let said = "chat_server: 2 messages were not kept: the history has 2 groups\n";
    assert_eq!(server.program.error_line(), said);
    let numbers = server.wait_for("history_dropped_total", 2);
    assert_eq!(numbers.get("history_messages"), 5);
    drop(anna);
    server.wait_for("groups", 2);
}

#[test]
fn what_the_disk_is_too_slow_for_is_delivered_and_counted() {
    const MESSAGES: u64 = 400;
    let place = Place::new();
    // The queue takes one of these messages and a half; the next one comes before the first is on disk.
    let server = place.start(&["--history-queue", "65536", "--history-flush", "0"]);
    let mut anna = guest(&server, "anna");
    replayed(&mut anna, "g", None);
    let text = "x".repeat(40_000);
    let line = format!("{{\"Post\":{{\"group_name\":\"g\",\"message\":\"{text}\"}}}}\n");
    let mut sending = anna.socket.try_clone().unwrap();
    let sender = std::thread::spawn(move || {
        (0..MESSAGES).for_each(|_| sending.write_all(line.as_bytes()).unwrap());
    });
    for expected in 1..=MESSAGES {
        assert!(matches!(reply(&mut anna), Reply::Message { id, .. } if id == expected));
    }
    sender.join().unwrap();
    wait_until_written(&server);
    let numbers = server.numbers();
    let (kept, dropped) = (
        numbers.get("history_messages"),
        numbers.get("history_dropped_total"),
    );
    assert!(dropped > 0 && kept > 0, "{numbers:?}");
    assert_eq!(kept + dropped, MESSAGES);
    let said = server.program.error_line();
    assert!(
        said.ends_with("not kept: the disk is slower than the chat\n"),
        "{said}"
    );
    // Who joins is told what is missing, each time in its place.
    let mut ben = guest(&server, "ben");
    ben.send("{\"Join\":{\"group_name\":\"g\",\"after\":0}}\n{\"Ping\":{}}\n");
    let (mut seen, mut found, mut missed) = (0, 0, 0);
    loop {
        match reply(&mut ben) {
            Reply::Message { id, .. } => {
                assert_eq!(id, seen + 1);
                seen = id;
                found += 1;
            }
            Reply::Lagged { dropped, .. } => {
                seen += dropped;
                missed += dropped;
            }
            Reply::Pong {} => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((found, missed, seen), (kept, dropped, MESSAGES));
}

#[test]
fn a_directory_that_cannot_be_used_is_told_and_the_chat_goes_on_without() {
    let place = Place::new();
    let missing = format!("{}/missing", place.name());
    let file = format!("{}/file", place.name());
    fs::write(&file, "").unwrap();
    for (directory, cause) in [
        (&missing, "No such file or directory (os error 2)"),
        (&file, &*format!("{file} is no directory")),
    ] {
        let server = Watched::start(&["--history", directory]);
        let said = format!(
            "chat_server: cannot open the history {directory}/history.redb: {cause}; the chat goes on without history until it is started again\n"
        );
        assert_eq!(server.program.error_line(), said);
        is_without_history(&server, 1);
        // It is found out before, too.
        let mut check = Command::new(example("chat_server"));
        let checked = Program::start(check.args(["--history", directory, "--check-config"])).wait();
        assert_eq!(checked.code, Some(2));
        let expected = format!("chat_server: cannot use the directory {directory}: ");
        assert!(checked.stderr.starts_with(&expected), "{}", checked.stderr);
    }
}

#[test]
fn a_directory_without_rights_is_told() {
    let place = Place::new();
    fs::set_permissions(place.0.path(), fs::Permissions::from_mode(0o500)).unwrap();
    let mut command = Command::new(example("chat_server"));
    command.args(["--history", place.name()]);
    if rustix::process::getuid().is_root() {
        // The rights of others are none of root's.
        command.uid(65534).gid(65534);
    }
    let server = Watched::run(&mut command);
    let said = server.program.error_line();
    let cause = "Permission denied (os error 13); the chat goes on without history";
    assert!(said.contains(cause), "{said}");
    is_without_history(&server, 1);
}

#[test]
fn a_second_server_does_not_touch_the_history_of_the_first() {
    let place = Place::new();
    let first = place.start(&[]);
    let second = place.start(&[]);
    let said = second.program.error_line();
    assert!(said.contains("another server has it open"), "{said}");
    is_without_history(&second, 1);
    let mut anna = guest(&first, "anna");
    replayed(&mut anna, "g", None);
    assert_eq!(post(&mut anna, "g", &texts(1..=3)), [1, 2, 3]);
    stop(second);
    drop(anna);
    stop(first);
    let server = place.start(&[]);
    assert_eq!(
        replayed(&mut guest(&server, "anna"), "g", None),
        numbered(1..=3)
    );
}

/// Writes over the file from here on.
fn damage(place: &Place, from: u64) {
    let mut file = OpenOptions::new().write(true).open(place.file()).unwrap();
    let length = file.metadata().unwrap().len();
    file.seek(SeekFrom::Start(from)).unwrap();
    let rubbish = vec![0xa5; usize::try_from(length - from).unwrap()];
    file.write_all(&rubbish).unwrap();
}

#[test]
fn a_file_that_is_no_history_is_told_and_left_alone() {
    let place = Place::new();
    stop(place.start(&[]));
    damage(&place, 0);
    let before = fs::read(place.file()).unwrap();
    let server = place.start(&[]);
    let said = server.program.error_line();
    let expected = format!(
        "chat_server: cannot open the history {}/history.redb: ",
        place.name()
    );
    assert!(said.starts_with(&expected), "{said}");
    is_without_history(&server, 1);
    stop(server);
    assert_eq!(fs::read(place.file()).unwrap(), before);
}

#[test]
fn a_damaged_file_is_told_and_the_chat_goes_on_without() {
    let place = Place::new();
    let server = place.start(&["--history-flush", "0"]);
    let mut anna = guest(&server, "anna");
    replayed(&mut anna, "g", None);
    for hundred in 0..20 {
        post(
            &mut anna,
            "g",
            &texts(hundred * 100 + 1..=hundred * 100 + 100),
        );
    }
    drop(anna);
    stop(server);
    // All but the header: what a disk makes of a file on a bad day.
    damage(&place, 4096);
    let server = place.start(&[]);
    loop {
        let said = server.program.error_line();
        if said.starts_with("chat_server: cannot ") {
            assert!(
                said.contains("; the chat goes on without history"),
                "{said}"
            );
            break;
        }
    }
    is_without_history(&server, 1);
}

#[test]
fn a_damage_that_shows_only_when_it_is_read_is_told_too() {
    let place = Place::new();
    let server = place.start(&["--history-flush", "0"]);
    let mut anna = guest(&server, "anna");
    replayed(&mut anna, "g", None);
    for hundred in 0..20 {
        post(
            &mut anna,
            "g",
            &texts(hundred * 100 + 1..=hundred * 100 + 100),
        );
    }
    drop(anna);
    stop(server);
    // The pages with a few messages in the middle.
    let mut file = fs::read(place.file()).unwrap();
    let mut pages = file.chunks_mut(4096);
    let mut damaged = 0;
    while let Some(page) = pages.find(|page| page.windows(4).any(|bytes| bytes == b"m100")) {
        page.fill(0xa5);
        damaged += 1;
    }
    assert!(damaged > 0);
    fs::write(place.file(), file).unwrap();

    let server = place.start(&[]);
    let mut anna = guest(&server, "anna");
    anna.send("{\"Join\":{\"group_name\":\"g\",\"after\":0}}\n{\"Ping\":{}}\n");
    let mut found = 0;
    let error = loop {
        match reply(&mut anna) {
            Reply::Message { id, .. } => {
                assert_eq!(id, found + 1);
                found = id;
            }
            Reply::Error { code, about, .. } => break (code, about),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(error, (ErrorCode::NoHistory, Some("g".to_string())));
    assert_eq!(anna.line(), "{\"Pong\":{}}\n");
    let said = server.program.error_line();
    let expected = format!(
        "chat_server: cannot read the history {}/history.redb: ",
        place.name()
    );
    assert!(said.starts_with(&expected), "{said}");
    // Before it tries again.
    let numbers = server.numbers();
    assert_eq!(
        (
            numbers.get("history_up"),
            numbers.get("history_failures_total")
        ),
        (0, 1)
    );
    assert_eq!(post(&mut anna, "g", &texts(1..=1)), [2001]);
}

#[test]
fn a_full_disk_is_told_and_the_chat_goes_on_without() {
    let place = Place::new();
    // The file may have sixteen megabytes, as if there were no more on the disk.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -S -f 32768; exec \"$@\"", "sh"]);
    command.arg(example("chat_server"));
    let settings = ["--history-flush", "0", "--history-messages", "1000000"];
    command.args(["--history", place.name()]).args(settings);
    let server = Watched::run(&mut command);
    let mut anna = guest(&server, "anna");
    replayed(&mut anna, "g", None);
    let text = vec!["x".repeat(10_000)];
    let start = Instant::now();
    let mut last = 0;
    while server.numbers().get("history_up") == 1 {
        for _ in 0..20 {
            let id = post(&mut anna, "g", &text)[0];
            assert_eq!(id, last + 1);
            last = id;
        }
        // So that none is dropped since the disk is slow.
        wait_until_written(&server);
        assert!(start.elapsed() < GUARD);
    }
    let said = server.program.error_line();
    let expected = format!(
        "chat_server: cannot write to the history {}/history.redb: ",
        place.name()
    );
    assert!(said.starts_with(&expected), "{said}");
    assert!(said.contains("File too large (os error 27)"), "{said}");
    assert!(
        said.contains("; the chat goes on without history"),
        "{said}"
    );
    // The chat goes on.
    assert_eq!(post(&mut anna, "g", &text), [last + 1]);
    anna.send("{\"History\":{\"group_name\":\"g\"}}\n");
    assert!(anna.line().contains("\"no_history\""));
    let numbers = server.numbers();
    let lost = numbers.get("history_dropped_total");
    let kept = numbers.get("history_messages");
    assert!(lost > 0 && kept >= 20, "{numbers:?}");
    // When there is room again, so is the history; and what was not kept is missed by those who ask for it.
    let id = Pid::from_raw(server.program.id().try_into().unwrap());
    let unlimited = Rlimit {
        current: None,
        maximum: None,
    };
    prlimit(id, Resource::Fsize, unlimited).unwrap();
    server.wait_for("history_up", 1);
    assert_eq!(
        server.program.error_line(),
        "chat_server: messages are kept again\n"
    );
    assert_eq!(post(&mut anna, "g", &texts(1..=1)), [last + 2]);
    wait_until_written(&server);
    let numbers = server.numbers();
    assert_eq!(numbers.get("history_messages"), kept + 1);
    assert_eq!(numbers.get("history_dropped_total"), lost);
    kill(server);

    let server = place.start(&[]);
    assert_eq!(server.numbers().get("history_messages"), kept + 1);
    let mut ben = guest(&server, "ben");
    ben.send(format!(
        "{{\"Join\":{{\"group_name\":\"g\",\"after\":{kept}}}}}\n"
    ));
    let dropped = format!("{{\"Lagged\":{{\"group_name\":\"g\",\"dropped\":{lost}}}}}\n");
    assert_eq!(ben.line(), dropped);
    assert!(matches!(reply(&mut ben), Reply::Message { id, .. } if id == last + 2));
}
