//! Private groups: who comes in, who does not, and what those outside can find out.

mod chat_support;

use std::sync::Arc;
use std::time::Instant;

use chat_support::memory_history::MemoryHistory;
use chat_support::{Client, GUARD, Server, delivery};
use parklet::chat::server::{Builder, Metrics};
use parklet::chat::{Access, Limits, Secret, Users};

fn server_with(change: impl FnOnce(&mut Limits)) -> Server {
    let mut limits = Limits::default();
    change(&mut limits);
    Server::start_built(Builder::new().limits(limits), |listener| listener)
}

fn welcomed(server: &Server, name: &str) -> Client {
    let mut client = server.connect();
    client.hello(name, "");
    client
}

/// Asks for something to which there is no answer unless it is refused.
#[track_caller]
fn done(client: &mut Client, request: &str) {
    assert_eq!(answer(client, request), PONG, "{request}");
}

/// The first line that comes after a request.
fn answer(client: &mut Client, request: &str) -> String {
    client.send(format!("{request}\n{{\"Ping\":{{}}}}\n"));
    let first = client.line();
    if first != PONG {
        assert_eq!(client.line(), PONG, "after {first}");
    }
    first
}

/// A request is answered by an error with this code.
#[track_caller]
fn refused(client: &mut Client, request: &str, code: &str) {
    let answer = answer(client, request);
    let begin = format!("{{\"Error\":{{\"code\":\"{code}\",");
    assert!(answer.starts_with(&begin), "{request}: {answer}");
}

const PONG: &str = "{\"Pong\":{}}\n";
const CREATE: &str = "{\"Create\":{\"group_name\":\"crew\"}}";
const CREATE_AHOY: &str = "{\"Create\":{\"group_name\":\"crew\",\"password\":\"ahoy\"}}";
const JOIN: &str = "{\"Join\":{\"group_name\":\"crew\"}}";
const JOIN_AHOY: &str = "{\"Join\":{\"group_name\":\"crew\",\"password\":\"ahoy\"}}";
const LEAVE: &str = "{\"Leave\":{\"group_name\":\"crew\"}}";
const POST: &str = "{\"Post\":{\"group_name\":\"crew\",\"message\":\"m\"}}";
const MEMBERS: &str = "{\"Members\":{\"group_name\":\"crew\"}}";
const GROUPS: &str = "{\"Groups\":{}}";
const NO_GROUPS: &str = "{\"Groups\":{\"groups\":[],\"total\":0}}\n";

fn invite(name: &str) -> String {
    format!("{{\"Invite\":{{\"group_name\":\"crew\",\"name\":\"{name}\"}}}}")
}

fn join_with(password: &str) -> String {
    format!("{{\"Join\":{{\"group_name\":\"crew\",\"password\":\"{password}\"}}}}")
}

#[test]
fn a_password_lets_in_and_no_other_does() {
    let server = Server::start();
    let (mut anna, mut ben) = (welcomed(&server, "anna"), welcomed(&server, "ben"));
    done(&mut anna, CREATE_AHOY);
    refused(&mut ben, JOIN, "private");
    for password in ["", "a", "aho", "ahoyy", "Ahoy", "ahoy\\u0000", "yoha"] {
        refused(&mut ben, &join_with(password), "private");
    }
    done(&mut ben, JOIN_AHOY);
    // And once more is nothing.
    done(&mut ben, JOIN);
    ben.send(format!("{POST}\n"));
    for client in [&mut anna, &mut ben] {
        assert!(client.line().contains("\"from\":\"ben\",\"id\":1,"));
    }
}

#[test]
fn without_a_password_nothing_but_an_invitation_lets_in() {
    let server = Server::start();
    let (mut anna, mut ben) = (welcomed(&server, "anna"), welcomed(&server, "ben"));
    let mut carl = welcomed(&server, "carl");
    // An empty password is none.
    done(
        &mut anna,
        "{\"Create\":{\"group_name\":\"crew\",\"password\":\"\"}}",
    );
    refused(&mut ben, &join_with(""), "private");
    refused(&mut ben, JOIN_AHOY, "private");
    refused(&mut ben, JOIN, "private");
    done(&mut anna, &invite("BEN"));
    let invited = "{\"Invited\":{\"group_name\":\"crew\",\"by\":\"anna\"}}\n";
    assert_eq!(ben.line(), invited);
    // It is his, and nobody else's.
    refused(&mut carl, JOIN, "private");
    done(&mut ben, JOIN);
    // Who is in may invite, and come again.
    done(&mut ben, &invite("carl"));
    assert!(carl.line().contains("\"by\":\"ben\""));
    done(&mut ben, LEAVE);
    done(&mut ben, JOIN);
    done(&mut anna, LEAVE);
    done(&mut anna, JOIN);
    // An invitation makes a wrong password right.
    done(&mut carl, &join_with("hello"));
    assert!(answer(&mut carl, MEMBERS).contains("[\"anna\",\"ben\",\"carl\"]"));
}

#[test]
fn from_outside_there_is_no_such_group() {
    let server = Server::start();
    let (mut anna, mut ben) = (welcomed(&server, "anna"), welcomed(&server, "ben"));
    done(&mut anna, CREATE_AHOY);
    for request in [POST, MEMBERS, &invite("anna"), &invite("nobody")] {
        refused(&mut ben, request, "no_such_group");
    }
    refused(
        &mut ben,
        "{\"History\":{\"group_name\":\"crew\"}}",
        "not_a_member",
    );
    refused(&mut ben, LEAVE, "not_a_member");
    assert_eq!(answer(&mut ben, GROUPS), NO_GROUPS);
    let own = "{\"Groups\":{\"groups\":[{\"group_name\":\"crew\",\"members\":1}],\"total\":1}}\n";
    assert_eq!(answer(&mut anna, GROUPS), own);
    // Next to a public one.
    done(&mut ben, "{\"Join\":{\"group_name\":\"rust\"}}");
    assert!(answer(&mut ben, GROUPS).ends_with("\"rust\",\"members\":1}],\"total\":1}}\n"));
    assert!(answer(&mut anna, GROUPS).ends_with("\"total\":2}}\n"));
    // Nor does it hear anything from there: this is the first message.
    anna.send(format!("{POST}\n"));
    assert!(anna.line().contains("\"id\":1,"));
    // The base protocol has no way in.
    let mut base = server.connect();
    for join in [JOIN, JOIN_AHOY] {
        base.send(format!("{join}\n"));
        assert_eq!(
            base.line(),
            "{\"Error\":\"the group crew is private: it takes its password or an invitation\"}\n"
        );
    }
    base.send(format!("{POST}\n"));
    assert_eq!(base.line(), "{\"Error\":\"Group 'crew' does not exist\"}\n");
    base.sync();
}

#[test]
fn a_name_is_of_one_group_and_a_password_of_a_private_one() {
    let server = Server::start();
    let (mut anna, mut ben) = (welcomed(&server, "anna"), welcomed(&server, "ben"));
    refused(&mut anna, JOIN_AHOY, "no_such_group");
    done(&mut anna, JOIN);
    for client in [&mut anna, &mut ben] {
        refused(client, CREATE, "group_exists");
        refused(client, &invite("ben"), "not_private");
    }
    refused(&mut ben, JOIN_AHOY, "not_private");
    done(&mut anna, LEAVE);
    done(&mut anna, CREATE_AHOY);
    refused(&mut ben, CREATE, "group_exists");
    // With its last member it ends, password and invitations and all.
    done(&mut anna, &invite("ben"));
    ben.line();
    done(&mut anna, LEAVE);
    refused(&mut ben, JOIN_AHOY, "no_such_group");
    done(&mut ben, CREATE);
    refused(&mut anna, JOIN_AHOY, "private");
    done(&mut ben, LEAVE);
    done(&mut anna, JOIN);
    let mut base = server.connect();
    base.join("crew");
    base.send(format!("{POST}\n"));
    assert_eq!(base.line(), delivery("crew", "m"));
}

#[test]
fn it_ends_with_the_connection_of_its_last_member_and_is_counted_out() {
    let metrics = Arc::new(Metrics::default());
    let builder = Builder::new().metrics(metrics.clone());
    let server = Server::start_built(builder, |listener| listener);
    let mut ben = welcomed(&server, "ben");
    for number in 0..50 {
        let mut anna = welcomed(&server, &format!("anna{number}"));
        done(&mut anna, CREATE_AHOY);
        if number % 2 == 0 {
            anna.half_close();
            anna.end();
        } else {
            anna.reset();
        }
        let start = Instant::now();
        while answer(&mut ben, JOIN_AHOY).contains("throttled") || metrics.read().groups > 0 {
            let _ = answer(&mut ben, LEAVE);
            assert!(start.elapsed() < GUARD, "it is still there");
        }
    }
    assert_eq!(answer(&mut ben, GROUPS), NO_GROUPS);
}

#[test]
fn an_invitation_is_not_for_the_next_who_has_the_name() {
    let server = Server::start();
    let mut anna = welcomed(&server, "anna");
    let mut ben = welcomed(&server, "ben");
    done(&mut anna, CREATE);
    done(&mut anna, &invite("ben"));
    ben.line();
    ben.half_close();
    ben.end();
    let mut thief = welcomed(&server, "ben");
    refused(&mut thief, JOIN, "private");
}

/// Everybody has an account.
struct Everybody;

impl Users for Everybody {
    fn access(&self) -> Access {
        Access::Accounts
    }

    fn verify(&self, name: &str, _: &Secret) -> Option<String> {
        Some(name.to_string())
    }
}

#[test]
fn with_an_account_an_invitation_is_for_who_has_it() {
    let builder = Builder::new().users(Everybody);
    let server = Server::start_built(builder, |listener| listener);
    let login = |name: &str| {
        let mut client = server.connect();
        client.send(format!(
            "{{\"Hello\":{{\"name\":\"{name}\",\"token\":\"\",\"features\":[]}}}}\n"
        ));
        assert!(client.line().starts_with("{\"Welcome\""));
        client
    };
    let (mut anna, mut ben) = (login("anna"), login("ben"));
    done(&mut anna, CREATE);
    done(&mut anna, &invite("ben"));
    ben.line();
    // Both lose their connection, one after the other.
    ben.half_close();
    ben.end();
    let mut ben = login("BEN");
    done(&mut ben, JOIN);
    anna.half_close();
    anna.end();
    let mut anna = login("anna");
    done(&mut anna, JOIN);
    refused(&mut login("carl"), JOIN, "private");
}

#[test]
fn invitations_per_group() {
    let server = server_with(|limits| limits.invitations_per_group = 3);
    let mut anna = welcomed(&server, "anna");
    done(&mut anna, CREATE);
    // She is the first of the three.
    let mut invited: Vec<Client> = ["b", "c"].map(|name| welcomed(&server, name)).into();
    for (client, name) in invited.iter_mut().zip(["b", "c"]) {
        for _ in 0..2 {
            done(&mut anna, &invite(name));
            client.line();
        }
    }
    let mut dora = welcomed(&server, "dora");
    assert_eq!(
        answer(&mut anna, &invite("dora")),
        "{\"Error\":{\"code\":\"limit\",\"text\":\"3 are invited already (invitations_per_group)\",\"about\":\"invitations_per_group\"}}\n"
    );
    refused(&mut dora, JOIN, "private");
    // Whoever has gone makes room.
    let mut gone = invited.pop().unwrap();
    gone.half_close();
    gone.end();
    done(&mut anna, &invite("dora"));
    assert!(dora.line().starts_with("{\"Invited\""));
    done(&mut dora, JOIN);
}

#[test]
fn invitations_count_as_posts_and_need_somebody_who_reads_them() {
    let server = server_with(|limits| {
        limits.posts_per_second = Some(1);
        limits.posts_burst = 2;
    });
    let (mut anna, mut ben) = (welcomed(&server, "anna"), welcomed(&server, "ben"));
    done(&mut anna, CREATE);
    refused(&mut anna, &invite("nobody"), "no_such_client");
    let start = Instant::now();
    let answers: Vec<String> = (0..10).map(|_| answer(&mut anna, &invite("ben"))).collect();
    let sent = answers.iter().filter(|answer| **answer == PONG).count();
    let more = usize::try_from(start.elapsed().as_secs()).unwrap() + 1;
    assert!((1..=1 + more).contains(&sent), "{answers:?}");
    for _ in 0..sent {
        assert!(ben.line().starts_with("{\"Invited\""));
    }
    done(&mut ben, JOIN);
}

#[test]
fn passwords_cannot_be_tried_for_ever_and_a_new_connection_changes_nothing() {
    let server = server_with(|limits| {
        limits.failed_logins = 5;
        limits.failed_logins_per_minute = 1;
    });
    let mut anna = welcomed(&server, "anna");
    done(&mut anna, CREATE_AHOY);
    // Who knows it uses nothing up.
    let mut ben = welcomed(&server, "ben");
    for _ in 0..20 {
        done(&mut ben, JOIN_AHOY);
        done(&mut ben, LEAVE);
    }
    let start = Instant::now();
    let mut looked_at = 0;
    for number in 0..200 {
        let mut thief = welcomed(&server, &format!("thief{number}"));
        let answer = answer(&mut thief, &join_with("hello"));
        if answer.contains("\"code\":\"private\"") {
            looked_at += 1;
        } else {
            assert!(answer.contains("\"code\":\"login_throttled\""), "{answer}");
        }
        thief.half_close();
        thief.end();
    }
    let more = usize::try_from(start.elapsed().as_secs() / 60).unwrap();
    assert!((5..=5 + more).contains(&looked_at), "{looked_at}");
    // Now the right one is not looked at either, and who is in notices nothing.
    refused(&mut ben, JOIN_AHOY, "login_throttled");
    anna.send(format!("{POST}\n"));
    assert!(anna.line().starts_with("{\"Message\""));
}

#[test]
fn limits_of_groups_hold_for_private_ones_and_their_passwords() {
    let server = server_with(|limits| {
        limits.group_length = 5;
        limits.groups_per_client = 2;
    });
    let mut anna = welcomed(&server, "anna");
    let create = |name: &str, password: &str| {
        format!("{{\"Create\":{{\"group_name\":\"{name}\",\"password\":\"{password}\"}}}}")
    };
    let limit = |text: &str, name: &str| {
        format!(
            "{{\"Error\":{{\"code\":\"limit\",\"text\":\"{text} ({name})\",\"about\":\"{name}\"}}}}\n"
        )
    };
    let long = limit("a group's name has at most 5 bytes", "group_length");
    assert_eq!(answer(&mut anna, &create("abcdef", "x")), long);
    let long = limit("a group's password has at most 5 bytes", "group_length");
    assert_eq!(answer(&mut anna, &create("abcde", "abcdef")), long);
    done(&mut anna, &create("a", "x"));
    done(&mut anna, &create("b", "x"));
    let many = limit("you are in 2 groups already", "groups_per_client");
    assert_eq!(answer(&mut anna, &create("c", "x")), many);
    // What was refused made nothing.
    refused(
        &mut welcomed(&server, "ben"),
        "{\"Join\":{\"group_name\":\"c\",\"password\":\"x\"}}",
        "no_such_group",
    );
}

#[test]
fn members_are_noticed_by_members_and_a_gap_is_told() {
    let server = Server::start();
    let mut anna = server.connect();
    anna.hello("anna", "\"notices\"");
    let mut ben = welcomed(&server, "ben");
    anna.send(format!("{CREATE_AHOY}\n"));
    let joined =
        |name: &str| format!("{{\"Joined\":{{\"group_name\":\"crew\",\"name\":\"{name}\"}}}}\n");
    assert_eq!(anna.line(), joined("anna"));
    done(&mut ben, JOIN_AHOY);
    assert_eq!(anna.line(), joined("ben"));
    for _ in 0..3 {
        anna.send(format!("{POST}\n"));
        anna.line();
        ben.line();
    }
    done(&mut ben, LEAVE);
    anna.line();
    for _ in 0..2 {
        anna.send(format!("{POST}\n"));
        anna.line();
    }
    let again = "{\"Join\":{\"group_name\":\"crew\",\"password\":\"ahoy\",\"after\":3}}";
    let lagged = "{\"Lagged\":{\"group_name\":\"crew\",\"dropped\":2}}\n";
    assert_eq!(answer(&mut ben, again), lagged);
    refused(
        &mut ben,
        "{\"History\":{\"group_name\":\"crew\"}}",
        "no_history",
    );
}

#[test]
fn nothing_of_it_is_kept() {
    let history = MemoryHistory::default();
    let builder = Builder::new().history(history.shared());
    let server = Server::start_built(builder, |listener| listener);
    let (mut anna, mut ben) = (welcomed(&server, "anna"), welcomed(&server, "ben"));
    done(&mut anna, CREATE_AHOY);
    anna.send(format!("{POST}\n"));
    assert!(anna.line().contains("\"id\":1,"));
    // Not for those who come, nor for those who ask.
    done(&mut ben, JOIN_AHOY);
    let ask = "{\"History\":{\"group_name\":\"crew\"}}";
    refused(&mut anna, ask, "no_history");
    done(&mut ben, LEAVE);
    done(&mut anna, LEAVE);
    // And the next group of its name has no past.
    done(&mut anna, JOIN);
    assert_eq!(
        answer(&mut anna, ask),
        "{\"History\":{\"group_name\":\"crew\",\"messages\":[],\"more\":false}}\n"
    );
    anna.send(format!("{POST}\n"));
    assert!(anna.line().contains("\"id\":1,"));
    done(&mut anna, LEAVE);
    // Of a public one something is: so its name is taken, though nobody is there.
    refused(&mut ben, CREATE_AHOY, "group_exists");
    refused(&mut ben, JOIN_AHOY, "not_private");
}
