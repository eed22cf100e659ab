//! The chat that the README shows goes as it shows it.

#![cfg(feature = "chat")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// Far longer than a line takes on a busy machine; a test that waits for so long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a client says to somebody at a terminal; a test is nobody.
const HINT: &str = "join GROUP, post GROUP MESSAGE...; ctrl-D ends";

/// What one terminal of the README shows: the command, then what is typed and printed.
struct Terminal {
    command: String,
    lines: Vec<String>,
}

/// The terminals of the README: the server's, then one a client.
fn terminals() -> Vec<Terminal> {
    let readme = &read("README.md");
    let blocks = readme.split("```console\n").skip(1);
    blocks
        .map(|block| {
            let block = block.split("```").next().expect("split gives at least one");
            let mut lines = block.lines().map(str::to_owned);
            let command = lines.next().expect("a terminal begins with a command");
            Terminal {
                command,
                lines: lines.filter(|line| line != HINT).collect(),
            }
        })
        .collect()
}

/// A file of the repository.
fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

/// A program of the README.
struct Program {
    process: Child,
    /// What is typed goes here.
    input: Option<ChildStdin>,
    /// What it prints, line by line.
    output: Receiver<String>,
}

impl Program {
    fn start(command: &str, address: &str) -> Program {
        let name = command
            .strip_prefix("$ cargo run --example ")
            .unwrap_or_else(|| {
                panic!("expected a command that runs an example, found {command:?}")
            });
        let mut process = Command::new(example(name))
            .arg(address)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        let (sender, output) = channel();
        let printed = BufReader::new(process.stdout.take().expect("it is piped"));
        thread::spawn(move || {
            printed
                .lines()
                .try_for_each(|line| sender.send(line.unwrap()))
        });
        Program {
            input: process.stdin.take(),
            process,
            output,
        }
    }

    /// Does what a person at this terminal does: types the commands, and sees the rest.
    fn go_through(&mut self, lines: &[String]) {
        for line in lines {
            if line.starts_with("join ") || line.starts_with("post ") {
                let input = self.input.as_mut().expect("it has not been closed");
                writeln!(input, "{line}").unwrap();
            } else {
                assert_eq!(&self.next_line(), line);
            }
        }
    }

    fn next_line(&self) -> String {
        let line = self.output.recv_timeout(PATIENCE);
        line.unwrap_or_else(|error| panic!("nothing was printed: {error}"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An example's program, which stands beside the folder of the tests'.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the test knows its program");
    let folder = test.ancestors().nth(2).expect("target/PROFILE/deps/TEST");
    let program = folder.join("examples").join(name);
    assert!(
        program.exists(),
        "{} is not built: run `cargo build --example {name}` (with --release for the release profile)",
        program.display()
    );
    program
}

#[test]
fn the_chat_goes_as_the_readme_shows_it() {
    let [server, first, second] = terminals().try_into().unwrap_or_else(|found: Vec<_>| {
        panic!(
            "expected a server and two clients, found {} terminals",
            found.len()
        )
    });

    let [greeting] = &server.lines[..] else {
        panic!(
            "expected one line from the server, found {:?}",
            server.lines
        )
    };
    let (greeting, port) = greeting.rsplit_once(':').expect("it ends with a port");
    assert!(
        read("examples/chat_server.rs").contains(&format!("127.0.0.1:{port}")),
        "the default address"
    );
    let server = Program::start(&server.command, "127.0.0.1:0");
    let said = server.next_line();
    let address = said.strip_prefix("listening on ").unwrap_or_default();
    assert_eq!(
        said.rsplit_once(':').map(|(greeting, _)| greeting),
        Some(greeting)
    );

    // The first client's last line is the second one's post.
    let (answer, own) = first.lines.split_last().expect("a chat has lines");
    let mut one = Program::start(&first.command, address);
    one.go_through(own);
    let mut other = Program::start(&second.command, address);
    other.go_through(&second.lines);
    one.go_through(std::slice::from_ref(answer));
}

#[test]
fn the_hint_is_the_one_that_the_readme_shows() {
    assert!(read("README.md").contains(HINT));
    assert!(read("examples/chat_client.rs").contains(HINT));
}

#[test]
fn ctrl_d_ends_a_client() {
    let server = Program::start("$ cargo run --example chat_server", "127.0.0.1:0");
    let said = server.next_line();
    let address = said.strip_prefix("listening on ").unwrap_or_default();
    let mut client = Program::start("$ cargo run --example chat_client", address);
    drop(client.input.take());
    assert!(client.process.wait().unwrap().success());
}
