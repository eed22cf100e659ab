//! The load tool finds nothing wrong with a server that is right, and says what is wrong with one that is not.

mod chat_support;

// Cargo runs no tests of an example's own, so they run here.
#[allow(dead_code, reason = "only the tests are wanted")]
#[path = "../examples/chat_load/account.rs"]
mod account;
#[allow(dead_code, reason = "only the tests are wanted")]
#[path = "../examples/chat_load/latency.rs"]
mod latency;
#[allow(dead_code, reason = "only the tests are wanted")]
#[path = "../examples/chat_load/lines.rs"]
mod lines;
#[allow(dead_code, reason = "only the tests are wanted")]
#[path = "../examples/chat_load/numbers.rs"]
mod numbers;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use chat_support::{Ended, GUARD, Program, Server, address_in, example};

fn load(arguments: &[&str]) -> Ended {
    Program::start(Command::new(example("chat_load")).args(arguments)).wait()
}

#[test]
fn a_server_that_is_right_is_found_right() {
    let folder = tempfile::tempdir().unwrap();
    let svg = folder.path().join("latency.svg");
    let picture = svg.to_str().unwrap();
    for protocol in [&["--rate", "max"][..], &["--base", "--rate", "400"]] {
        let few = ["--clients", "20", "--groups", "3", "--duration", "0.3"];
        let some = ["--slow", "2", "--churn", "20", "--svg", picture];
        let ended = load(&[&few[..], &some, protocol].concat());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let last = ended.stdout.lines().last();
        assert_eq!(
            last,
            Some("in order, nothing twice, nothing lost"),
            "{ended:?}"
        );
        assert!(ended.stdout.contains("6 clients came"), "{ended:?}");
        assert!(std::fs::read_to_string(&svg).unwrap().ends_with("</svg>\n"));
    }
}

/// A number on the page with the server's metrics.
fn metric(page: &str, name: &str) -> u64 {
    let mut stream = TcpStream::connect(page).unwrap();
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {page}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let name = format!("parklet_chat_{name} ");
    let mut lines = answer.lines();
    let number = lines.find_map(|line| line.strip_prefix(&name));
    number.expect(&answer).parse().unwrap()
}

/// What the tool says of posts, deliveries and dropped messages, all in all.
fn totals(ended: &Ended) -> [u64; 3] {
    let mut lines = ended.stdout.lines();
    let line =
        lines.find_map(|line| line.strip_prefix("with those that came later, and all clients: "));
    let numbers = line.expect(&ended.stdout).split(", ").map(|part| {
        let number = part.split(' ').next().unwrap();
        number.replace(',', "").parse().expect(part)
    });
    numbers.collect::<Vec<u64>>().try_into().unwrap()
}

#[test]
fn after_a_day_of_use_the_server_is_what_it_was_and_has_counted_what_the_load_has() {
    let arguments = ["127.0.0.1:0", "--metrics", "127.0.0.1:0"];
    let server = Program::start(Command::new(example("chat_server")).args(arguments));
    let address = address_in(&server.line()).to_string();
    let line = server.line();
    let page = line.strip_prefix("metrics on http://").expect(&line);
    let page = page.strip_suffix("/metrics\n").expect(&line);
    let process = format!("/proc/{}", server.id());
    let descriptors = || fs::read_dir(format!("{process}/fd")).unwrap().count();
    let memory = || {
        let rollup = fs::read_to_string(format!("{process}/smaps_rollup")).unwrap();
        let line = rollup
            .lines()
            .find_map(|line| line.strip_prefix("Anonymous:"));
        let kibibytes: u64 = line
            .unwrap()
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .unwrap();
        kibibytes * 1024
    };

    let before = descriptors();
    let (mut counted, mut used) = ([0; 3], Vec::new());
    for protocol in [
        "--base",
        "--size=64",
        "--base",
        "--size=64",
        "--base",
        "--size=64",
    ] {
        let crowd = [
            "--clients",
            "200",
            "--groups",
            "20",
            "--slow",
            "5",
            "--churn",
            "100",
        ];
        let pace = ["--rate", "2000", "--duration", "0.5"];
        let ended = load(&[&[&*address, protocol][..], &crowd, &pace].concat());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        for (sum, number) in counted.iter_mut().zip(totals(&ended)) {
            *sum += number;
        }
        let start = Instant::now();
        while metric(page, "connections") + metric(page, "groups") > 0 || descriptors() > before {
            assert!(
                start.elapsed() < GUARD,
                "{} descriptors, {before} before",
                descriptors()
            );
        }
        used.push(memory());
    }
    let [posts, deliveries, dropped] = counted;
    assert_eq!(metric(page, "posts_total"), posts);
    // Who goes leaves behind what was sent to it.
    assert!(metric(page, "deliveries_total") >= deliveries);
    assert!(metric(page, "dropped_total") >= dropped);
    // What is taken once, for as many clients, is kept by the allocator.
    let most = used[0] + used[0] / 2 + (1 << 20);
    assert!(used[5] <= most, "{used:?}");
}

/// Between a server and its clients: what `change` makes of the messages, which have their number on each connection.
fn between(server: SocketAddr, change: fn(usize, &str) -> String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = move |client: TcpStream| {
        let above = Arc::new(TcpStream::connect(server).unwrap());
        let (up, mut from_client) = (above.clone(), client.try_clone().unwrap());
        thread::spawn(move || {
            let _ = std::io::copy(&mut from_client, &mut &*up);
            let _ = up.shutdown(Shutdown::Write);
        });
        let mut messages = 0;
        for line in BufReader::new(&*above).lines().map_while(Result::ok) {
            let mut text = format!("{line}\n");
            if line.starts_with("{\"Message\"") {
                messages += 1;
                text = change(messages, &text);
            }
            if (&client).write_all(text.as_bytes()).is_err() {
                break;
            }
        }
    };
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || serve(client));
        }
    });
    address
}

#[test]
fn what_is_lost_or_comes_twice_is_found() {
    let server = Server::start();
    let lost = |number: usize, line: &str| match number {
        5 => String::new(),
        _ => line.to_string(),
    };
    let twice = |number: usize, line: &str| line.repeat(1 + usize::from(number == 5));
    for change in [lost, twice] {
        for protocol in ["--base", "--size=64"] {
            let address = between(server.address, change).to_string();
            let few = [
                "--clients",
                "4",
                "--groups",
                "2",
                "--rate",
                "200",
                "--duration",
                "0.3",
            ];
            let ended = load(&[&[&*address, protocol][..], &few].concat());
            assert_eq!(ended.code, Some(1), "{protocol}: {ended:?}");
            assert!(
                ended.stdout.contains("WRONG: client "),
                "{protocol}: {ended:?}"
            );
        }
    }
    server.stop();
}

#[test]
fn wrong_options_are_told() {
    for (arguments, text) in [
        (
            &["--clients", "none"][..],
            "--clients: expected a number from 1, found \"none\"",
        ),
        (&["--size", "4"], "--size: expected a number from 48"),
        (
            &["--clients", "3", "--slow", "3"],
            "--slow: somebody has to post",
        ),
        (&["--colour"], "--colour"),
    ] {
        let ended = load(arguments);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(text), "{ended:?}");
    }
}
