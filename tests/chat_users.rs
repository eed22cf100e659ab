//! Accounts: who gets in, who does not, what that costs the others, and what a stranger can try. Where it matters that a
//! password is looked at slowly, the test decides for how long.

mod chat_support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use chat_support::{Client, GUARD, Server, delivery};
use parklet::chat::extended::Request;
use parklet::chat::server::{Builder, Metrics};
use parklet::chat::{Access, Limits, Secret, Users};

/// Accounts whose password is their name, backwards: anna, ben, Zoë.
struct Accounts {
    access: Access,
    desk: Arc<Desk>,
}

/// What the verifying threads and the test have in common.
#[derive(Default)]
struct Desk {
    /// Nobody is verified while it is closed.
    is_closed: Mutex<bool>,
    opened: Condvar,
    /// How many have been asked for.
    asked: AtomicUsize,
    /// How many are being verified, and the most there were at once.
    inside: AtomicUsize,
    most: AtomicUsize,
}

impl Desk {
    fn close(&self) {
        *self.is_closed.lock().unwrap() = true;
    }

    fn open(&self) {
        *self.is_closed.lock().unwrap() = false;
        self.opened.notify_all();
    }

    fn wait_until_asked(&self, times: usize) {
        let start = Instant::now();
        while self.asked.load(Ordering::SeqCst) < times {
            assert!(start.elapsed() < GUARD, "nobody was asked");
            std::thread::yield_now();
        }
    }
}

impl Users for Accounts {
    fn access(&self) -> Access {
        self.access
    }

    fn verify(&self, name: &str, token: &Secret) -> Option<String> {
        assert_ne!(name, "panic", "somebody has an account that is none");
        self.desk.asked.fetch_add(1, Ordering::SeqCst);
        let inside = self.desk.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.desk.most.fetch_max(inside, Ordering::SeqCst);
        let mut is_closed = self.desk.is_closed.lock().unwrap();
        while *is_closed {
            is_closed = self.desk.opened.wait(is_closed).unwrap();
        }
        drop(is_closed);
        self.desk.inside.fetch_sub(1, Ordering::SeqCst);
        let mut accounts = ["anna", "ben", "Zoë"].into_iter();
        let account = accounts.find(|account| account.to_lowercase() == name.to_lowercase())?;
        let password: String = account.chars().rev().collect();
        (*token == Secret::from(password)).then(|| account.to_string())
    }
}

struct Place {
    server: Server,
    desk: Arc<Desk>,
    metrics: Arc<Metrics>,
}

/// A server that serves `access`, with some limit changed.
fn place(access: Access, change: impl FnOnce(&mut Limits)) -> Place {
    let (desk, metrics) = (Arc::new(Desk::default()), Arc::new(Metrics::default()));
    let mut limits = Limits::default();
    change(&mut limits);
    let desk_of_users = desk.clone();
    let builder = Builder::new().limits(limits).metrics(metrics.clone());
    let builder = builder.farewell(GUARD).users(Accounts {
        access,
        desk: desk_of_users,
    });
    let server = Server::start_built(builder, |listener| listener);
    Place {
        server,
        desk,
        metrics,
    }
}

fn accounts() -> Place {
    place(Access::Accounts, |_| {})
}

impl Place {
    /// A client that has said `Hello` like this.
    fn hello(&self, name: &str, token: &str) -> Client {
        let mut client = self.server.connect();
        client.send(hello(name, token));
        client
    }

    /// One that has been welcomed.
    #[track_caller]
    fn welcomed(&self, name: &str, token: &str) -> Client {
        let mut client = self.hello(name, token);
        let welcome = client.line();
        assert!(welcome.starts_with("{\"Welcome\":{\"name\":"), "{welcome}");
        client
    }

    /// The answer to a `Hello` after which there is only the end.
    #[track_caller]
    fn refused(&self, name: &str, token: &str) -> String {
        let mut client = self.hello(name, token);
        let answer = client.line();
        client.end();
        answer
    }
}

fn hello(name: &str, token: &str) -> String {
    format!("{{\"Hello\":{{\"name\":\"{name}\",\"token\":\"{token}\"}}}}\n")
}

const BAD_LOGIN: &str = "{\"Error\":{\"code\":\"bad_login\",\"text\":\"there is no such account, or its password is another one\"}}\n";
const PING: &str = "{\"Ping\":{}}\n";
const PONG: &str = "{\"Pong\":{}}\n";

/// The client is served: nothing else waits for it.
#[track_caller]
fn ping(client: &mut Client) {
    client.send(PING);
    assert_eq!(client.line(), PONG);
}

#[test]
fn a_wrong_password_and_an_unknown_name_are_told_the_same_and_logged_without_what_they_said() {
    let place = accounts();
    let mut anna = place.welcomed("anna", "anna");
    ping(&mut anna);
    assert_eq!(place.refused("ben", "hunter2"), BAD_LOGIN);
    assert_eq!(place.refused("carl", "hunter2"), BAD_LOGIN);
    assert_eq!(place.refused("anna", ""), BAD_LOGIN);
    // As much was asked for each of them.
    assert_eq!(place.desk.asked.load(Ordering::SeqCst), 4);
    assert_eq!(place.metrics.read().failed_logins, 3);
    drop(anna);
    let log = place.server.stop();
    assert_eq!(log.len(), 3, "{log:?}");
    for line in log {
        assert!(line.ends_with(" ended: login failed"), "{line}");
    }
}

#[test]
fn who_says_nothing_of_an_account_is_told_so_and_disconnected() {
    let place = accounts();
    let text = "this server needs an account: open with Hello, its name and its token";
    for line in ["{\"Join\":{\"group_name\":\"g\"}}\n", "hello?\n", "\n"] {
        let mut base = place.server.connect();
        base.send(line);
        assert_eq!(base.line(), format!("{{\"Error\":\"{text}\"}}\n"));
        base.end();
    }
    let mut nameless = place.server.connect();
    nameless.send("{\"Hello\":{\"name\":\"anna\"}}\n");
    let error = format!("{{\"Error\":{{\"code\":\"account_needed\",\"text\":\"{text}\"}}}}\n");
    assert_eq!(nameless.line(), error);
    nameless.end();
    assert_eq!(place.desk.asked.load(Ordering::SeqCst), 0);
}

#[test]
fn a_slow_login_holds_up_nobody_else_and_keeps_the_order_of_its_client() {
    let place = accounts();
    let mut anna = place.welcomed("anna", "anna");
    place.desk.close();
    let mut ben = place.hello("ben", "neb");
    ben.send("{\"Join\":{\"group_name\":\"g\"}}\n");
    ben.post("g", "me first");
    ben.send("{\"Dance\":{}}\n");
    ben.send(PING);
    ben.half_close();
    place.desk.wait_until_asked(2);
    anna.send("{\"Join\":{\"group_name\":\"g\"}}\n");
    for _ in 0..100 {
        ping(&mut anna);
    }
    place.desk.open();
    assert!(ben.line().starts_with("{\"Welcome\":{\"name\":\"ben\","));
    let order = [
        "{\"Error\":{\"code\":\"bad_request\"",
        "{\"Pong\"",
        "{\"Message\"",
    ];
    let mut lines: Vec<String> = (0..3).map(|_| ben.line()).collect();
    // A message comes through its group, as soon as it can.
    lines.sort_by_key(|line| line.starts_with(order[2]));
    for (line, begin) in lines.iter().zip(order) {
        assert!(line.starts_with(begin), "{lines:?}");
    }
    ben.end();
    assert!(anna.line().contains("me first"));
}

#[test]
fn logins_are_verified_few_at_a_time_and_all_in_the_end() {
    let place = place(Access::Accounts, |limits| limits.failed_logins = 1000);
    place.desk.close();
    let mut clients: Vec<Client> = (0..100).map(|_| place.hello("ben", "hunter2")).collect();
    // A client that does not log in is served all the while.
    let mut base = place.server.connect();
    base.send("?\n");
    base.line();
    base.end();
    let at_once = std::thread::available_parallelism()
        .unwrap()
        .get()
        .div_ceil(2);
    place.desk.wait_until_asked(at_once);
    place.desk.open();
    for client in &mut clients {
        assert_eq!(client.line(), BAD_LOGIN);
        client.end();
    }
    assert_eq!(place.desk.asked.load(Ordering::SeqCst), 100);
    let most = place.desk.most.load(Ordering::SeqCst);
    assert!((1..=at_once).contains(&most), "{most}");
}

#[test]
fn a_flood_of_attempts_is_looked_at_ten_times_and_a_new_connection_changes_nothing() {
    let place = place(Access::Accounts, |limits| {
        limits.failed_logins_per_minute = 1;
    });
    let mut anna = place.welcomed("anna", "anna");
    // Who gets in does not use anything up.
    for _ in 0..20 {
        let mut ben = place.welcomed("ben", "neb");
        ben.half_close();
        ben.end();
    }
    let before = place.desk.asked.load(Ordering::SeqCst);
    let start = Instant::now();
    let throttled = "{\"Error\":{\"code\":\"login_throttled\",\"text\":\"too many logins have failed; the next one may be tried in ";
    let mut counts = [0; 2];
    for number in 0..1000 {
        let name = ["ben", "carl", &format!("n{number}")][number % 3].to_owned();
        let answer = place.refused(&name, "hunter2");
        let is_throttled = answer.starts_with(throttled);
        assert!(is_throttled || answer == BAD_LOGIN, "{answer}");
        counts[usize::from(is_throttled)] += 1;
    }
    let asked = place.desk.asked.load(Ordering::SeqCst) - before;
    assert_eq!(asked, counts[0]);
    let more = usize::try_from(start.elapsed().as_secs() / 60).unwrap();
    assert!((10..=10 + more).contains(&asked), "{asked}");
    // The right password makes no difference any more, and the answer says for how long.
    let answer = place.refused("ben", "neb");
    let error: serde_json::Value = serde_json::from_str(&answer).unwrap();
    let seconds: u64 = error["Error"]["about"].as_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{answer}");
    ping(&mut anna);
    assert_eq!(place.metrics.read().failed_logins, 1001);
}

#[test]
fn a_name_can_be_had_once_however_it_is_written() {
    let place = accounts();
    let mut anna = place.welcomed("AnNa", "anna");
    let mut again = place.hello(" anna\\u0000 ", "anna");
    let taken = "{\"Error\":{\"code\":\"name_taken\",\"text\":\"the name anna is taken\",\"about\":\"anna\"}}\n";
    assert_eq!(again.line(), taken);
    // The connection stays, and another account may be tried.
    again.send(hello("ZOË", "ëoZ"));
    let welcome = again.line();
    assert!(
        welcome.starts_with("{\"Welcome\":{\"name\":\"Zoë\","),
        "{welcome}"
    );
    anna.send("{\"Direct\":{\"to\":\"zoë\",\"message\":\"m\"}}\n");
    assert!(again.line().starts_with("{\"Direct\":{\"from\":\"anna\","));
    // Who does not know the password does not learn that somebody is there.
    assert_eq!(place.refused("anna", "hunter2"), BAD_LOGIN);
    // And when she has gone, it is free again.
    anna.half_close();
    anna.end();
    ping(&mut place.welcomed("anna", "anna"));
}

#[test]
fn an_old_hello_that_is_sent_again_gets_nobody_in_beside_its_client() {
    let place = accounts();
    let mut anna = place.welcomed("anna", "anna");
    anna.send(hello("anna", "anna"));
    anna.send(hello("ben", "neb"));
    let second = "{\"Error\":{\"code\":\"second_hello\",\"text\":\"you are anna already\",\"about\":\"anna\"}}\n";
    assert_eq!(anna.line(), second);
    assert_eq!(anna.line(), second);
    let mut thief = place.hello("anna", "anna");
    assert!(thief.line().contains("\"name_taken\""));
    thief.send("{\"Groups\":{}}\n");
    assert!(thief.line().contains("\"hello_first\""));
    // Two in one write: the second one finds a name.
    let mut ben = place.hello(
        "ben",
        "neb\"}}\n{\"Hello\":{\"name\":\"anna\",\"token\":\"anna",
    );
    assert!(ben.line().starts_with("{\"Welcome\":{\"name\":\"ben\","));
    assert!(ben.line().contains("you are ben already"));
    ping(&mut ben);
}

#[test]
fn guests_get_names_that_nobody_has_and_take_none() {
    let place = place(Access::AccountsAndGuests, |_| {});
    let mut guest = place.server.connect();
    guest.send("{\"Hello\":{\"name\":\"anna\"}}\n");
    assert!(
        guest
            .line()
            .starts_with("{\"Welcome\":{\"name\":\"guest-1\",")
    );
    let mut base = place.server.connect();
    base.join("g");
    guest.send("{\"Join\":{\"group_name\":\"g\"}}\n");
    ping(&mut guest);
    base.post("g", "m");
    assert_eq!(base.line(), delivery("g", "m"));
    assert!(guest.line().contains("\"from\":\"guest-2\""));
    let mut anna = place.welcomed("anna", "anna");
    anna.send("{\"Direct\":{\"to\":\"GUEST-1\",\"message\":\"m\"}}\n");
    assert!(guest.line().starts_with("{\"Direct\":{\"from\":\"anna\","));
    anna.send("{\"Direct\":{\"to\":\"guest-2\",\"message\":\"m\"}}\n");
    assert!(anna.line().contains("\"no_such_client\""));
    // A wrong password makes no guest.
    assert_eq!(place.refused("anna", "hunter2"), BAD_LOGIN);
    base.half_close();
    base.end();
}

#[test]
fn bad_tokens_and_bad_names_are_told_what_is_wrong() {
    let place = place(Access::Accounts, |limits| {
        limits.line_length = 2 * 1024 * 1024;
    });
    assert_eq!(place.refused("anna", &"x".repeat(1024 * 1024)), BAD_LOGIN);
    assert_eq!(place.refused("anna", "an\\u0000na"), BAD_LOGIN);
    let mut client = place.server.connect();
    for (line, code) in [
        (
            "{\"Hello\":{\"name\":\"anna\",\"token\":7}}\n",
            "bad_request",
        ),
        (
            "{\"Hello\":{\"name\":\"\\u0000\",\"token\":\"x\"}}\n",
            "bad_name",
        ),
        ("{\"Hello\":{\"token\":\"x\"}}\n", "bad_request"),
        ("{\"Join\":{\"group_name\":\"g\"}}\n", "hello_first"),
    ] {
        client.send(line);
        let answer = client.line();
        assert!(
            answer.starts_with(&format!("{{\"Error\":{{\"code\":\"{code}\"")),
            "{answer}"
        );
    }
    client.send(hello(&"n".repeat(1024 * 1024), "x"));
    assert!(client.line().contains("\"name_length\""));
    client.send(hello("ben", "neb"));
    assert!(client.line().starts_with("{\"Welcome\""));

    let short = accounts();
    let mut client = short.hello("anna", &"x".repeat(1024 * 1024));
    let text = "line 1 is longer than 65536 bytes";
    assert_eq!(client.line(), format!("{{\"Error\":\"{text}\"}}\n"));
    client.end();
}

#[test]
fn who_waits_too_long_for_its_login_is_told_so() {
    let place = place(Access::Accounts, |limits| {
        limits.first_line = Duration::from_millis(100);
    });
    place.desk.close();
    let mut anna = place.hello("anna", "anna");
    let answer = anna.line();
    assert!(answer.contains("\"about\":\"first_line_ms\""), "{answer}");
    anna.end();
    place.desk.open();
}

#[test]
fn a_server_that_stops_waits_for_no_login() {
    let Place { server, desk, .. } = accounts();
    desk.close();
    let mut anna = server.connect();
    anna.send(hello("anna", "anna"));
    desk.wait_until_asked(1);
    let stopping = std::thread::spawn(move || server.stop());
    anna.end();
    drop(anna);
    assert_eq!(stopping.join().unwrap(), [""; 0]);
    desk.open();
}

#[test]
fn who_goes_while_it_is_verified_leaves_nothing_behind() {
    let place = accounts();
    place.desk.close();
    for _ in 0..3 {
        place.hello("anna", "anna").reset();
    }
    place.desk.wait_until_asked(1);
    place.desk.open();
    let start = Instant::now();
    loop {
        let mut anna = place.hello("anna", "anna");
        let answer = anna.line();
        if answer.starts_with("{\"Welcome\"") {
            break;
        }
        assert!(answer.contains("\"name_taken\""), "{answer}");
        assert!(start.elapsed() < GUARD);
    }
}

#[test]
fn a_panic_of_the_accounts_ends_one_connection() {
    let place = accounts();
    let mut anna = place.welcomed("anna", "anna");
    for _ in 0..5 {
        let mut client = place.hello("panic", "x");
        assert_eq!(client.line_or_end(), None);
    }
    ping(&mut anna);
    ping(&mut place.welcomed("ben", "neb"));
}

#[test]
fn a_token_is_in_no_debug_output() {
    let request: Request = serde_json::from_str(&hello("anna", "hush")).unwrap();
    assert_eq!(
        format!("{request:?}"),
        "Hello { name: \"anna\", token: Some(Secret(..)), features: [] }"
    );
    assert_eq!(
        serde_json::to_string(&request).unwrap() + "\n",
        hello("anna", "hush")
    );
}

#[test]
fn clients_that_are_turned_away_are_told_why_as_long_as_they_are_few() {
    let place = place(Access::Anyone, |limits| limits.clients = 1);
    let mut only = place.server.connect();
    only.sync();
    let why = "{\"Error\":\"there are 1 clients already (clients)\"}\n";
    // They have been told, and do not go.
    let mut told: Vec<Client> = (0..256).map(|_| place.server.connect()).collect();
    for client in &mut told {
        assert_eq!(client.line(), why);
        client.end();
    }
    for _ in 0..50 {
        assert_eq!(place.server.connect().line_or_end(), None);
    }
    // One goes, and there is room for another one.
    told.pop();
    let start = Instant::now();
    loop {
        match place.server.connect().line_or_end() {
            Some(line) => break assert_eq!(line, why),
            None => assert!(start.elapsed() < GUARD),
        }
    }
    only.sync();
    drop((told, only));
    let log = place.server.stop();
    let silent = "clients are turned away without a word: 256 are just being told why";
    let silent = log.iter().filter(|line| *line == silent).count();
    assert!((1..=3).contains(&silent), "{silent}");
}
