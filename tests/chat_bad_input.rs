//! Bad input, row by row, through real sockets and real programs. In every case the next client notices nothing.

mod chat_support;

use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use chat_support::{Client, Program, Server, address_in, delivery, example, wait_until_deserted};

/// Both programs must refuse `address` with one line that goes on with `cause`, and with the exit code 1.
fn refused_by_both(address: &str, cause: &str) {
    for program in ["chat_server", "chat_client"] {
        let ended = Program::start(Command::new(example(program)).arg(address)).wait();
        let says = format!("{program}: could not resolve address \"{address}\": {cause}");
        assert!(ended.stderr.starts_with(&says), "{}", ended.stderr);
        assert_eq!(ended.stderr.find('\n'), Some(ended.stderr.len() - 1));
        assert_eq!(ended.stdout, "");
        assert_eq!(ended.code, Some(1));
    }
}

#[test]
fn an_address_that_does_not_parse_is_one_line_and_exit_code_1() {
    refused_by_both("nonsense", "no port (expected HOST:PORT)\n");
    refused_by_both(
        "127.0.0.1:80800",
        "bad port (expected HOST:PORT, PORT from 0 to 65535)\n",
    );
}

#[test]
fn an_address_that_does_not_resolve_is_one_line_and_exit_code_1() {
    // A name that no resolver can know; what it says differs from system to system, and from one time to the next.
    refused_by_both("no-such-host.invalid:80", "");
}

#[test]
fn an_address_that_is_taken_is_one_line_and_exit_code_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let ended =
        Program::start(Command::new(example("chat_server")).arg(address.to_string())).wait();
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.stdout, "");
    assert_eq!(
        ended.stderr,
        format!("chat_server: cannot bind {address}: Address already in use (os error 98)\n")
    );
}

#[test]
fn a_server_that_is_not_there_is_one_line_and_exit_code_1() {
    // Bound, so that nobody else gets the port, but not listening.
    let socket = rustix::net::socket(
        rustix::net::AddressFamily::INET,
        rustix::net::SocketType::STREAM,
        None,
    )
    .unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    rustix::net::bind(&socket, &any).unwrap();
    let address = SocketAddr::try_from(rustix::net::getsockname(&socket).unwrap()).unwrap();

    let ended =
        Program::start(Command::new(example("chat_client")).arg(address.to_string())).wait();
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.stdout, "");
    assert_eq!(
        ended.stderr,
        format!("chat_client: cannot connect to {address}: Connection refused (os error 111)\n")
    );
}

#[test]
fn wrong_usage_is_exit_code_2() {
    for program in ["chat_server", "chat_client"] {
        for (arguments, cause) in [
            (&["127.0.0.1:0", "more"][..], "unexpected argument \"more\""),
            (&["--port"], "invalid option '--port'"),
            (&["-x"], "invalid option '-x'"),
        ] {
            let ended = Program::start(Command::new(example(program)).args(arguments)).wait();
            assert_eq!(
                ended.stderr,
                format!("{program}: {cause}; --help lists what there is\n")
            );
            assert_eq!(ended.stdout, "");
            assert_eq!(ended.code, Some(2), "{arguments:?}");
        }
    }
}

#[test]
fn a_bad_line_is_answered_with_what_and_where_and_the_next_one_is_done() {
    let server = Server::start();
    let mut client = server.connect();
    client.join("g");
    // The first two lines were the join and its proof.
    let cases: &[(&[u8], &str)] = &[
        (b"hello", "line 3, column 1: expected value"),
        (b"", "line 4, column 1: EOF while parsing a value"),
        (
            b"{\"Jion\":{\"group_name\":\"g\"}}",
            "line 5, column 7: unknown variant `Jion`, expected `Join` or `Post`",
        ),
        (
            b"{\"Join\":{\"group_name\":5}}",
            "line 6, column 23: invalid type: integer `5`, expected a string",
        ),
        (
            b"{\"Join\":\"g\"}",
            "line 7, column 11: invalid type: string \\\"g\\\", expected struct variant FromClient::Join",
        ),
        (
            b"{\"Post\":{\"group_name\":\"g\"}}",
            "line 8, column 26: missing field `message`",
        ),
        (
            b"{\"Post\":{\"group_name\":\"g\",\"message\":\"m\"}} and more",
            "line 9, column 43: trailing characters",
        ),
        (
            b"{\"Post\":{\"group_name\":\"g\",\"message\":\"m",
            "line 10, column 38: EOF while parsing a string",
        ),
        (
            b"{\"Post\":{\"group_name\":\"g\",\"message\":\"\xff\"}}",
            "line 11, column 38: invalid UTF-8",
        ),
        (b"\x00\x80\xfe\xff", "line 12, column 2: invalid UTF-8"),
        (
            b"{\"Post\":{\"group_name\":\"g\",\"message\":\"\\ud800\"}}",
            "line 13, column 44: unexpected end of hex escape",
        ),
        (
            b"\"Join\"",
            "line 14, column 1: invalid type: unit variant, expected struct variant",
        ),
    ];
    for (line, answer) in cases {
        client.send(line);
        client.send(b"\n");
        assert_eq!(client.line(), format!("{{\"Error\":\"{answer}\"}}\n"));
    }
    client.post("g", "still here");
    assert_eq!(client.line(), delivery("g", "still here"));
    assert_eq!(server.stop(), [""; 0]);
}

#[test]
fn a_deeply_nested_value_is_a_bad_line() {
    let server = Server::start();
    let mut client = server.connect();
    client.send([&[b'['; 50_000][..], b"\n"].concat());
    assert!(client.line().starts_with("{\"Error\":\"line 1, column "));
    client.send(
        [
            &b"{\"Join\":{\"group_name\":\"g\",\"x\":"[..],
            &[b'['; 50_000],
            b"\n",
        ]
        .concat(),
    );
    assert!(client.line().starts_with("{\"Error\":\"line 2, column "));
    client.sync();
}

#[test]
fn a_line_as_long_as_the_limit_is_taken_and_one_byte_more_ends_the_connection() {
    let server = Server::start();
    let mut client = server.connect();
    client.join("g");
    let frame = "{\"Post\":{\"group_name\":\"g\",\"message\":\"\"}}".len();
    let longest = "x".repeat(64 * 1024 - frame);
    client.post("g", &longest);
    assert_eq!(client.line(), delivery("g", &longest));

    client.post("g", &(longest + "x"));
    assert_eq!(
        client.line(),
        "{\"Error\":\"line 4 is longer than 65536 bytes\"}\n"
    );
    client.end();
    wait_until_deserted(server.address, "g");
    drop(client);
    let log = server.stop();
    assert_eq!(log.len(), 1, "{log:?}");
    assert!(
        log[0].ends_with(" ended: line 4 is longer than 65536 bytes"),
        "{log:?}"
    );
}

#[test]
fn a_line_without_end_is_told_the_limit_and_costs_no_memory() {
    // Each client is parted from while it still sends.
    let server =
        Program::start(Command::new(example("chat_server")).args(["127.0.0.1:0", "--drain", "60"]));
    let address = address_in(&server.line());
    let mut before = Client::connect(address);
    before.join("g");
    let memory_before = peak_memory(&server);

    // Eight at a time, each sends until the server will have no more of it.
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut client = Client::connect(address);
                let mut writer = client.socket.try_clone().unwrap();
                let chunk = [b'x'; 64 * 1024];
                let sent = (0..1024).take_while(|_| writer.write_all(&chunk).is_ok());
                let sent = sent.count() * chunk.len();
                assert!(sent >= 8 * 1024 * 1024, "closed after {sent} bytes");
                assert_eq!(
                    client.line(),
                    "{\"Error\":\"line 1 is longer than 65536 bytes\"}\n"
                );
            });
        }
    });

    let grown = peak_memory(&server) - memory_before;
    assert!(grown < 4 * 1024, "the server grew by {grown} KiB");
    before.post("g", "all is well");
    assert_eq!(before.line(), delivery("g", "all is well"));
}

/// The most memory a program has had so far, in KiB.
fn peak_memory(program: &Program) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", program.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.unwrap().trim().trim_end_matches(" kB");
    peak.parse().unwrap()
}

#[test]
fn clients_that_go_at_any_moment_leave_their_groups_and_nobody_else_notices() {
    let server = Server::start();
    let mut witness = server.connect();
    witness.join("of all this");

    let moments: [fn(&mut Client); 4] = [
        |_| {},
        |client| client.send(b"{\"Post\":{\"group_na"),
        |client| client.send(b"hello\nhello\nhello\n"),
        |client| client.post("g", "I shall not read this"),
    ];
    let ways_to_go: [fn(Client); 3] = [drop, Client::reset, |mut client| {
        client.half_close();
        // It is the server that closes then: the half is enough for it.
        while client.line_or_end().is_some() {}
    }];
    for moment in moments {
        for go in ways_to_go {
            let mut client = server.connect();
            client.join("g");
            moment(&mut client);
            go(client);
            wait_until_deserted(server.address, "g");
        }
    }
    witness.post("of all this", "what was that?");
    assert_eq!(witness.line(), delivery("of all this", "what was that?"));

    let gone = moments.len() * ways_to_go.len();
    drop(witness);
    let log = server.stop();
    assert!(
        log.len() <= gone,
        "more than a line for a connection: {log:?}"
    );
}

#[test]
fn without_descriptors_the_server_waits_and_the_connected_chat_on() {
    // A shell sets the limit, since the server raises what can be raised.
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 40; exec \"$0\" 127.0.0.1:0"]);
    let server = Program::start(command.arg(example("chat_server")));
    let address = address_in(&server.line());
    assert_eq!(
        server.error_line(),
        "chat_server: only 40 open files are allowed (see ulimit -Hn), and each client takes one\n"
    );

    // More than can be accepted; the kernel takes the others in and lets them wait.
    let mut clients: Vec<Client> = (0..60).map(|_| Client::connect(address)).collect();
    assert_eq!(
        server.error_line(),
        "chat_server: cannot accept clients for now: Too many open files (os error 24)\n"
    );
    clients[0].join("g");
    clients[1].join("g");
    let (start, cpu_before) = (Instant::now(), cpu_time(&server));
    while start.elapsed() < Duration::from_millis(500) {
        clients[0].post("g", "are we alone?");
        assert_eq!(clients[0].line(), delivery("g", "are we alone?"));
        assert_eq!(clients[1].line(), delivery("g", "are we alone?"));
        thread::sleep(Duration::from_millis(10));
    }
    let busy = cpu_time(&server) - cpu_before;
    assert!(busy <= Duration::from_millis(200), "{busy:?} of 500 ms");

    // Room for all: those who waited are served.
    let mut waiting = clients.split_off(40);
    drop(clients);
    for client in &mut waiting {
        client.join("h");
    }
    waiting[0].post("h", "at last");
    for client in &mut waiting {
        assert_eq!(client.line(), delivery("h", "at last"));
    }
}

/// The processor time a program has used so far.
fn cpu_time(program: &Program) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{}/stat", program.id())).unwrap();
    let after_name = &stat[stat.rfind(')').unwrap()..];
    let ticks = after_name.split(' ').skip(12).take(2);
    let ticks: u64 = ticks.map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}
