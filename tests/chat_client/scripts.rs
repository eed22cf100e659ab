//! The client in the hands of a script: `--json`.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use parklet::chat::server::Builder;
use rustix::process::Signal;

use crate::chat_support::memory_history::MemoryHistory;
use crate::chat_support::{
    Client, Ended, GUARD, Program, Server, address_in, example, server_program,
};

fn client(address: &str, name: &str) -> Program {
    Program::start(Command::new(example("chat_client")).args([address, "--json", "--name", name]))
}

/// The line without what is different each time.
fn without_time(line: &str) -> String {
    let mut value: serde_json::Value = serde_json::from_str(line).expect(line);
    for (_, fields) in value.as_object_mut().expect(line) {
        let fields = fields.as_object_mut().expect(line);
        fields.remove("time");
        fields.remove("limits");
    }
    value.to_string()
}

#[test]
fn requests_go_in_and_replies_come_out() {
    let server = Server::start();
    let mut anna = client(&server.address.to_string(), "anna");
    let welcome = anna.line();
    assert!(
        welcome.starts_with("{\"Welcome\":{\"name\":\"anna\",\"server\":\""),
        "{welcome}"
    );
    anna.type_in("{\"Join\":{\"group_name\":\"g\"}}\n\n");
    assert_eq!(
        anna.line(),
        "{\"Joined\":{\"group_name\":\"g\",\"name\":\"anna\"}}\n"
    );
    anna.type_in("{\"Post\":{\"group_name\":\"g\",\"message\":\"hi\"}}\nnonsense\n");
    let (mut said, mut complained, mut lines) = (false, false, Vec::new());
    for _ in 0..2 {
        let line = anna.line();
        said |= without_time(&line)
            == r#"{"Message":{"from":"anna","group_name":"g","id":1,"message":"hi"}}"#;
        complained |= line
            == "{\"BadRequest\":{\"line\":4,\"text\":\"expected value at line 1 column 1\"}}\n";
        lines.push(line);
    }
    assert!(said && complained, "{lines:#?}");
    anna.type_in("{\"Post\":{\"group_name\":\"h\",\"message\":\"hi\"}}\n");
    assert_eq!(
        anna.line(),
        "{\"Error\":{\"code\":\"no_such_group\",\"text\":\"Group 'h' does not exist\",\"about\":\"h\"}}\n"
    );
    let Ended {
        code,
        stdout,
        stderr,
    } = anna.wait();
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (Some(0), "", ""));
    assert_eq!(server.stop(), [""; 0]);
}

#[test]
fn all_requests_may_come_at_once_and_all_replies_are_waited_for() {
    let server = Server::start();
    let mut anna = client(&server.address.to_string(), "anna");
    let mut requests = "{\"Join\":{\"group_name\":\"g\"}}\n".to_owned();
    for number in 0..500 {
        requests += &format!("{{\"Post\":{{\"group_name\":\"g\",\"message\":\"{number}\"}}}}\n");
    }
    anna.type_in(requests);
    let ended = anna.wait();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let lines: Vec<_> = ended.stdout.lines().skip(2).map(without_time).collect();
    let expected: Vec<_> = (0..500)
        .map(|number| {
            format!(
                r#"{{"Message":{{"from":"anna","group_name":"g","id":{},"message":"{number}"}}}}"#,
                number + 1
            )
        })
        .collect();
    assert_eq!(lines, expected);
}

#[test]
fn a_lost_connection_is_a_line_and_groups_are_joined_again() {
    let (server, address) = server_program();
    let mut anna = client(&address.to_string(), "anna");
    anna.line();
    anna.type_in("{\"Join\":{\"group_name\":\"g\"}}\n");
    assert!(anna.line().starts_with("{\"Joined\""));
    server.signal(Signal::KILL);
    drop(server);
    assert!(anna.line().starts_with("{\"Lost\":{\"why\":\""));
    let again = Program::start(Command::new(example("chat_server")).arg(address.to_string()));
    assert_eq!(address_in(&again.line()), address);
    let mut line = anna.line();
    while line.starts_with("{\"Lost\"") {
        line = anna.line();
    }
    assert!(
        line.starts_with("{\"Welcome\":{\"name\":\"anna\""),
        "{line}"
    );
    assert!(anna.line().starts_with("{\"Joined\""));
    let mut ben = Client::connect(address);
    ben.post("g", "hello");
    let line = without_time(&anna.line());
    assert_eq!(
        line,
        r#"{"Message":{"group_name":"g","id":1,"message":"hello"}}"#
    );
}

#[test]
fn a_script_goes_on_after_the_last_message_of_its_earlier_run() {
    let history = MemoryHistory::default();
    let builder = Builder::new().history(history.shared());
    let server = Server::start_built(builder, |listener| listener);
    let mut ben = server.connect();
    ben.join("g");
    for number in 1..=4 {
        ben.post("g", &format!("number {number}"));
        ben.line();
    }
    let mut anna = client(&server.address.to_string(), "anna");
    anna.line();
    anna.type_in("{\"Join\":{\"group_name\":\"g\",\"after\":2}}\n");
    let lines: Vec<String> = anna.wait().stdout.lines().map(without_time).collect();
    let [three, four, joined] = &lines[..] else {
        panic!("{lines:#?}");
    };
    assert!(joined.starts_with("{\"Joined\""), "{joined}");
    assert!(three.contains("\"message\":\"number 3\""), "{three}");
    assert!(four.contains("\"message\":\"number 4\""), "{four}");
}

#[test]
fn a_name_that_is_taken_ends_a_script() {
    let server = Server::start();
    let mut other = server.connect();
    other.hello("anna", "");
    let ended = client(&server.address.to_string(), "anna").wait_with_input();
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.stderr, "chat_client: the name anna is taken\n");
}

#[test]
fn an_output_that_nobody_reads_ends_a_script_in_silence() {
    let server = Server::start();
    let mut command = Command::new("sh");
    command.args(["-c", "\"$0\" \"$1\" --json --name anna | head -n 1"]);
    command
        .arg(example("chat_client"))
        .arg(server.address.to_string());
    let mut pipeline = Program::start(&mut command);
    assert!(pipeline.line().starts_with("{\"Welcome\""));
    pipeline.type_in("{\"Join\":{\"group_name\":\"g\"}}\n");
    // The input stays open: it is the output that ends the client. `head` may have said its line before it closes its
    // input, so there has to be more output until then.
    let start = Instant::now();
    while pipeline.type_if_it_listens("{\"Post\":{\"group_name\":\"g\",\"message\":\"more\"}}\n") {
        assert!(start.elapsed() < GUARD, "the client does not end");
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(pipeline.wait_with_input().stderr, "");
}

#[test]
fn json_cannot_steer_a_terminal_either() {
    let server = Server::start();
    let mut anna = client(&server.address.to_string(), "anna");
    anna.line();
    anna.type_in("{\"Join\":{\"group_name\":\"g\"}}\n");
    anna.line();
    let mut ben = server.connect();
    ben.post("g", "\\u001b[2J \\u009b \\u202e ä");
    let line = anna.line();
    assert!(
        line.contains("\"message\":\"\\u001b[2J \\u009b \\u202e ä\""),
        "{line}"
    );
}

#[test]
fn a_wrong_command_line_is_told() {
    for (arguments, says) in [
        (
            &["--dance"][..],
            "invalid option '--dance'; --help lists what there is",
        ),
        (
            &["--json", "--plain"],
            "--json and --plain exclude each other",
        ),
        (
            &["--name"],
            "missing argument for option '--name'; --help lists what there is",
        ),
        (
            &["--name", "anna"],
            "--name, --login: in a pipe, and with --plain, clients have no names; --json has them",
        ),
    ] {
        let ended = Program::start(Command::new(example("chat_client")).args(arguments)).wait();
        assert_eq!(ended.code, Some(2));
        assert_eq!(ended.stderr, format!("chat_client: {says}\n"));
    }
}
