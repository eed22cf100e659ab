//! The chat that the README shows goes as it shows it.

mod chat_support;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use chat_support::{Program, address_in, example};

/// What a client says to somebody at a terminal; a test is nobody.
const HINT: &str = "join GROUP, post GROUP MESSAGE...; ctrl-D ends";

/// What one terminal of the README shows: the name of the example that runs there with its arguments, then what is typed and
/// printed.
struct Terminal {
    example: String,
    arguments: Vec<String>,
    lines: Vec<String>,
}

/// A file of the repository.
fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

/// The terminals of the README: the server's, then one a client.
fn terminals() -> Vec<Terminal> {
    let readme = read("README.md");
    let blocks = readme.split("```console\n").skip(1);
    blocks
        .map(|block| {
            let block = block.split("```").next().expect("split gives at least one");
            let mut lines = block.lines().map(str::to_owned);
            let command = lines.next().expect("a terminal begins with a command");
            let command = command.strip_prefix("$ cargo run --example ");
            let command = command.expect("a command runs an example");
            let (example, arguments) = command.split_once(" -- ").unwrap_or((command, ""));
            Terminal {
                example: example.to_owned(),
                arguments: arguments.split_whitespace().map(str::to_owned).collect(),
                lines: lines.filter(|line| line != HINT).collect(),
            }
        })
        .collect()
}

fn start(terminal: &Terminal, address: &str) -> Program {
    let mut command = Command::new(example(&terminal.example));
    Program::start(command.arg(address).args(&terminal.arguments))
}

/// Does what the person at this terminal does: types the commands, and sees the rest.
fn go_through(lines: &[String], program: &mut Program) {
    for line in lines {
        if line.starts_with("join ") || line.starts_with("post ") {
            program.type_in(format!("{line}\n"));
        } else {
            assert_eq!(program.line(), format!("{line}\n"));
        }
    }
}

#[test]
fn the_chat_goes_as_the_readme_shows_it() {
    let terminals = terminals();
    let [server, first, second] = &terminals[..] else {
        panic!(
            "expected a server and two clients, found {} terminals",
            terminals.len()
        )
    };
    let [greeting] = &server.lines[..] else {
        panic!(
            "expected one line from the server, found {:?}",
            server.lines
        )
    };
    let shown: SocketAddr = address_in(greeting);
    let settings = Command::new(example("chat_server"))
        .arg("--check-config")
        .output();
    let settings = String::from_utf8(settings.unwrap().stdout).unwrap();
    assert!(
        settings.contains(&format!("listen = \"{shown}\"  # default\n")),
        "the default address: {settings}"
    );

    let server = start(server, "127.0.0.1:0");
    let address = address_in(&server.line()).to_string();
    // What the first client sees at the end is the second one's post.
    let (answer, before) = first.lines.split_last().expect("a chat has lines");
    let mut one = start(first, &address);
    go_through(before, &mut one);
    let mut other = start(second, &address);
    go_through(&second.lines, &mut other);
    go_through(std::slice::from_ref(answer), &mut one);
}

#[test]
fn the_hint_is_the_one_that_the_readme_shows() {
    assert!(read("README.md").contains(HINT));
    assert!(read("examples/chat_client/main.rs").contains(HINT));
}
