//! Every example does what its header says.

mod chat_support;

use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use chat_support::{Client, Ended, GUARD, Program, delivery, example, lines_of, server_program};
use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

fn client_program(server: SocketAddr) -> Program {
    Program::start(Command::new(example("chat_client")).arg(server.to_string()))
}

#[track_caller]
fn assert_ended(ended: &Ended, code: i32, stdout: &str, stderr: &str) {
    assert_eq!(
        (ended.code, ended.stdout.as_str(), ended.stderr.as_str()),
        (Some(code), stdout, stderr)
    );
}

#[test]
fn two_clients_chat_and_ctrl_c_ends_the_server() {
    let (server, address) = server_program();
    let (mut anna, mut ben) = (client_program(address), client_program(address));
    anna.type_in("join rust\npost rust hello from anna\n");
    assert_eq!(anna.line(), "message posted to rust: hello from anna\n");
    ben.type_in("join rust\npost rust  hello from ben\n");
    assert_eq!(ben.line(), "message posted to rust: hello from ben\n");
    assert_eq!(anna.line(), "message posted to rust: hello from ben\n");
    ben.type_in("post nobody hello?\n");
    assert_eq!(
        ben.line(),
        "error from server: Group 'nobody' does not exist\n"
    );

    assert_ended(&ben.wait(), 0, "", "chat_client: no more commands\n");
    server.signal(Signal::INT);
    let end = "chat_client: the server closed the connection\n";
    assert_eq!(anna.error_line(), end);
    assert_ended(&anna.wait(), 0, "", "");
    assert_ended(&server.wait(), 0, "", "");
}

#[test]
fn the_signal_that_stops_a_service_ends_the_server_too() {
    let (server, address) = server_program();
    let mut client = Client::connect(address);
    client.join("g");
    server.signal(Signal::TERM);
    client.end();
    drop(client);
    assert_ended(&server.wait(), 0, "", "");
}

#[test]
fn a_pipe_may_bring_all_commands_at_once() {
    let (_server, address) = server_program();
    let mut listener = Client::connect(address);
    listener.join("g");

    let mut client = client_program(address);
    client.type_in("join g\n\njion g\npost g one\npost g two");
    let ended = client.wait();
    assert_ended(
        &ended,
        0,
        "message posted to g: one\nmessage posted to g: two\n",
        "command 3: expected \"join\" or \"post\", found \"jion\"\nchat_client: no more commands\n",
    );
    assert_eq!(listener.line(), delivery("g", "one"));
    assert_eq!(listener.line(), delivery("g", "two"));
}

#[test]
fn the_commands_may_come_from_a_file() {
    let (_server, address) = server_program();
    let mut listener = Client::connect(address);
    listener.join("g");
    let mut commands = tempfile::NamedTempFile::new().unwrap();
    let posts: String = (0..900)
        .map(|number| format!("post g {number}\n"))
        .collect();
    commands.write_all(posts.as_bytes()).unwrap();

    let output = Command::new(example("chat_client"))
        .arg(address.to_string())
        .stdin(File::open(commands.path()).unwrap())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    for number in 0..900 {
        assert_eq!(listener.line(), delivery("g", &number.to_string()));
    }
}

#[test]
fn an_output_that_nobody_reads_ends_the_client_in_silence() {
    let (_server, address) = server_program();
    let mut command = Command::new("sh");
    command.args(["-c", "\"$0\" \"$1\" | head -n 1"]);
    command.arg(example("chat_client")).arg(address.to_string());
    let mut pipeline = Program::start(&mut command);
    pipeline.type_in("join g\npost g one\n");
    assert_eq!(pipeline.line(), "message posted to g: one\n");
    // The input stays open: it is the output that ends the client. `head` may have said its line before it closes its
    // input, so there has to be more output until then, and an end to it.
    let start = Instant::now();
    while pipeline.type_if_it_listens("post g more\n") {
        assert!(start.elapsed() < GUARD, "the client does not end");
        thread::sleep(Duration::from_millis(10));
    }
    let ended = pipeline.wait_with_input();
    assert_eq!(ended.stderr, "");
}

#[test]
fn a_plain_terminal_is_greeted_and_ctrl_d_ends_the_client() {
    let (_server, address) = server_program();
    let mut terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)
        .map(File::from)
        .unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new())
        .unwrap()
        .into_string()
        .unwrap();
    let open = || Stdio::from(File::options().read(true).write(true).open(&name).unwrap());
    let mut child = Command::new(example("chat_client"))
        .args([&address.to_string(), "--plain"])
        .stdin(open())
        .stdout(open())
        .stderr(open())
        .spawn()
        .unwrap();
    let lines = lines_of(terminal.try_clone().unwrap());
    let shown = |text: &str| {
        // The terminal shows what is typed as well.
        while lines.recv_timeout(GUARD).expect(text).trim_end() != text {}
    };

    shown("join GROUP, post GROUP MESSAGE...; ctrl-D ends");
    terminal.write_all(b"join g\npost g hello\n").unwrap();
    shown("message posted to g: hello");
    terminal.write_all(b"\x04").unwrap();
    shown("chat_client: no more commands");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn help_is_given() {
    for program in ["chat_server", "chat_client", "chat_load"] {
        for flag in ["--help", "-h"] {
            let ended = Program::start(Command::new(example(program)).arg(flag)).wait();
            assert!(
                ended
                    .stdout
                    .starts_with(&format!("usage: {program} [ADDRESS]"))
            );
            assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        }
    }
}

#[test]
fn the_version_is_given() {
    for program in ["chat_server", "chat_client", "chat_load"] {
        for flag in ["--version", "-V"] {
            let ended = Program::start(Command::new(example(program)).arg(flag)).wait();
            let version = concat!(" ", env!("CARGO_PKG_VERSION"), "\n");
            assert_ended(&ended, 0, &format!("{program}{version}"), "");
        }
    }
}

#[test]
fn cheapo_request_shows_the_whole_reply() {
    let ended = Program::start(&mut Command::new(example("cheapo_request"))).wait();
    assert_ended(
        &ended,
        0,
        "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\nContent-Length: 33\r\n\r\n<p>You asked for /rust.html.</p>\n",
        "",
    );
}

#[test]
fn many_requests_take_as_long_as_one_when_they_wait_together() {
    let ended = Program::start(&mut Command::new(example("many_requests"))).wait();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let lines: Vec<&str> = ended.stdout.lines().collect();
    let ways = ["one after the other:", "with spawn_local:", "with spawn:"];
    assert_eq!(lines.len(), ways.len(), "{lines:?}");
    let mut times = Vec::new();
    for (line, way) in lines.iter().zip(ways) {
        let time = line.strip_prefix(way).expect(line).trim_start();
        let time = time
            .strip_prefix("10 replies in ")
            .and_then(|time| time.strip_suffix(" ms"));
        times.push(time.expect(line).parse::<u32>().unwrap());
    }
    assert!(times[0] >= 1000, "{times:?}");
    assert!(times[1].max(times[2]) < times[0] / 2, "{times:?}");
}
