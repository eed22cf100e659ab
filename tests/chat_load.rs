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

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::thread;

use chat_support::{Ended, Program, Server, example};

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
