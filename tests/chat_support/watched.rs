//! The chat server in a process of its own, with the page on which it says what it has counted.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::Instant;

use super::{GUARD, Program, address_in, example};

/// A server with its page.
pub(crate) struct Watched {
    pub(crate) program: Program,
    pub(crate) address: SocketAddr,
    pub(crate) page: SocketAddr,
}

impl Watched {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::run(Command::new(example("chat_server")).args(arguments))
    }

    /// Starts a command that is a server, or becomes one.
    pub(crate) fn run(command: &mut Command) -> Self {
        command.args(["--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]);
        let program = Program::start(command);
        let address = address_in(&program.line());
        let line = program.line();
        let page = line
            .strip_prefix("metrics on http://")
            .and_then(|line| line.strip_suffix("/metrics\n"));
        let page = page.expect(&line).parse().expect(&line);
        Self {
            program,
            address,
            page,
        }
    }

    pub(crate) fn numbers(&self) -> Numbers {
        let (head, text) = get(self.page, "/metrics");
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        Numbers::parse(&text)
    }

    /// Asks until `number` is what it is expected to be: counters may be behind what a client sees by a moment.
    pub(crate) fn wait_for(&self, name: &str, number: u64) -> Numbers {
        let start = Instant::now();
        loop {
            let numbers = self.numbers();
            if numbers.get(name) == number {
                return numbers;
            }
            assert!(
                start.elapsed() < GUARD,
                "waiting for {name} {number}: {numbers:?}"
            );
        }
    }
}

/// What the page says.
#[derive(Debug)]
pub(crate) struct Numbers {
    pub(crate) of_chat: HashMap<String, u64>,
    pub(crate) of_runtime: HashMap<String, u64>,
}

impl Numbers {
    /// Every number must come after its type, as Prometheus has it. Of a histogram the number is the count.
    fn parse(text: &str) -> Self {
        let (mut of_chat, mut of_runtime) = (HashMap::new(), HashMap::new());
        let mut kind = None;
        let mut bucket = 0;
        for line in text.lines() {
            if let Some(typed) = line.strip_prefix("# TYPE ") {
                kind = typed.split_once(' ');
            } else if let Some((of, "histogram")) = kind {
                let (part, number) = line.split_once(' ').expect(line);
                let part = part.strip_prefix(of).expect(line);
                if part == "_sum" {
                    number.parse::<f64>().expect(line);
                    continue;
                }
                // Each bucket has those before it, too, and the last one has all.
                let number: u64 = number.parse().expect(line);
                assert!(number >= bucket, "{line}");
                bucket = number;
                if part == "_count" {
                    let name = of.strip_prefix("parklet_chat_").expect(line);
                    of_chat.insert(name.to_owned(), number);
                    kind = None;
                } else {
                    assert!(part.starts_with("_bucket{le=\""), "{line}");
                }
            } else if !line.starts_with("# HELP ") {
                let (name, number) = line.split_once(' ').expect(line);
                let (of, kind) = kind.take().expect(line);
                assert_eq!(of, name);
                let expected = if name.ends_with("_total") {
                    "counter"
                } else {
                    "gauge"
                };
                assert_eq!(kind, expected, "{line}");
                let (of, name) = match name.strip_prefix("parklet_chat_") {
                    Some(name) => (&mut of_chat, name),
                    None => (
                        &mut of_runtime,
                        name.strip_prefix("parklet_runtime_").expect(line),
                    ),
                };
                of.insert(name.to_owned(), number.parse().expect(line));
            }
        }
        Self {
            of_chat,
            of_runtime,
        }
    }

    pub(crate) fn get(&self, name: &str) -> u64 {
        self.of_chat[name]
    }
}

/// Sends `request`, and returns the head and the text of the answer.
pub(crate) fn ask(page: SocketAddr, request: impl AsRef<[u8]>) -> (String, String) {
    let mut stream = TcpStream::connect(page).unwrap();
    stream.set_read_timeout(Some(GUARD)).unwrap();
    stream.write_all(request.as_ref()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, text) = answer.split_once("\r\n\r\n").expect(&answer);
    (head.to_owned() + "\r\n", text.to_owned())
}

pub(crate) fn get(page: SocketAddr, path: &str) -> (String, String) {
    ask(page, format!("GET {path} HTTP/1.1\r\nHost: {page}\r\n\r\n"))
}
