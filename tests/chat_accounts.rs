//! The chat server's file of accounts: made by its own tool, read when it starts and at each SIGHUP, and never shown.

mod chat_support;
mod own_process;

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use chat_support::{Client, Ended, GUARD, Program, address_in, example};
use own_process::processor_ticks_in;
use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use tempfile::TempDir;

/// A hash of `swordfish` that is cheap, so that tests are quick, and as good in all else.
const SWORDFISH: &str = "$argon2id$v=19$m=8,t=1,p=1$cGFya2xldC1zYWx0$";

/// A file of accounts.
struct Book {
    folder: TempDir,
}

impl Book {
    fn new(text: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let book = Self { folder };
        book.write(text);
        book
    }

    fn write(&self, text: impl AsRef<[u8]>) {
        fs::write(self.file(), text).unwrap();
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("users")
    }

    fn name(&self) -> String {
        self.file().to_str().unwrap().to_owned()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(example("chat_server"));
        command.args(["127.0.0.1:0", "--users", &self.name()]);
        command.args(arguments);
        command
    }

    /// The server with these accounts.
    fn server(&self, arguments: &[&str]) -> (Program, SocketAddr) {
        let server = Program::start(&mut self.command(arguments));
        let address = address_in(&server.line());
        (server, address)
    }
}

/// What `hash-password` makes of this input.
fn hash_password(name: &str, input: &str) -> Ended {
    let mut command = Command::new(example("chat_server"));
    let mut program = Program::start(command.args(["hash-password", name]));
    program.type_in(input);
    program.wait()
}

/// A line for the file, with this password.
fn line(name: &str, password: &str) -> String {
    let ended = hash_password(name, password);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    ended.stdout
}

fn hello(address: SocketAddr, name: &str, token: &str) -> Client {
    let mut client = Client::connect(address);
    client.send(format!(
        "{{\"Hello\":{{\"name\":\"{name}\",\"token\":\"{token}\"}}}}\n"
    ));
    client
}

#[track_caller]
fn welcomed(address: SocketAddr, name: &str, token: &str) -> Client {
    let mut client = hello(address, name, token);
    let welcome = client.line();
    assert!(welcome.starts_with("{\"Welcome\":{\"name\":"), "{welcome}");
    client
}

#[track_caller]
fn refused(address: SocketAddr, name: &str, token: &str) {
    let mut client = hello(address, name, token);
    let answer = client.line();
    assert!(answer.contains("\"code\":\"bad_login\""), "{answer}");
    client.end();
}

#[track_caller]
fn ping(client: &mut Client) {
    client.send("{\"Ping\":{}}\n");
    assert_eq!(client.line(), "{\"Pong\":{}}\n");
}

#[test]
fn the_line_that_is_made_for_a_password_lets_in_who_knows_it() {
    let lines = line("anna", "swordfish\n") + &line("Ben: the 2nd", "pass word\r\nnot this");
    assert!(
        lines.starts_with("anna:$argon2id$v=19$m=19456,t=2,p=1$"),
        "{lines}"
    );
    assert!(!lines.contains("swordfish"), "{lines}");
    // Twice the same is never the same.
    assert_ne!(line("anna", "swordfish\n"), line("anna", "swordfish\n"));
    let book = Book::new(format!("# The crew.\n\n{lines}"));
    let (server, address) = book.server(&[]);
    let mut anna = welcomed(address, "anna", "swordfish");
    ping(&mut anna);
    let mut ben = hello(address, "ben: THE 2nd", "pass word");
    assert!(
        ben.line()
            .starts_with("{\"Welcome\":{\"name\":\"Ben: the 2nd\",")
    );
    refused(address, "anna", "swordfish\\n");
    refused(address, "anna", "Swordfish");
    refused(address, "carl", "swordfish");
    let mut base = Client::connect(address);
    base.send("{\"Join\":{\"group_name\":\"g\"}}\n");
    assert!(
        base.line()
            .starts_with("{\"Error\":\"this server needs an account")
    );
    base.end();
    drop((anna, ben, base));
    server.signal(Signal::TERM);
    let ended = server.wait();
    assert_eq!(ended.code, Some(0));
    let lines = ended.stderr.lines();
    let mut ends: Vec<&str> = lines
        .map(|line| line.rsplit_once(": ").unwrap().1)
        .collect();
    // Each is told by a task of its own.
    ends.sort_unstable();
    let failed = "login failed";
    assert_eq!(ends, ["it has no account", failed, failed, failed]);
}

#[test]
fn a_password_is_taken_from_nowhere_else_and_not_any_one() {
    let run = |arguments: &[&str]| {
        let ended = Program::start(Command::new(example("chat_server")).args(arguments)).wait();
        assert_eq!(ended.stdout, "", "{arguments:?}");
        (ended.code, ended.stderr)
    };
    let usage = "chat_server: expected hash-password NAME; the password is typed when it is asked for, or comes through a pipe\n";
    let usage = (Some(2), usage.to_owned());
    assert_eq!(run(&["hash-password"]), usage);
    // And what stands there is not said again.
    assert_eq!(run(&["hash-password", "anna", "hunter2"]), usage);

    let problem = |name: &str, input: &str| {
        let ended = hash_password(name, input);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
        ended.stderr
    };
    let empty = "chat_server: an empty password is none\n";
    assert_eq!(problem("anna", ""), empty);
    assert_eq!(problem("anna", "\n"), empty);
    assert_eq!(
        problem("anna", &"x".repeat(1025)),
        "chat_server: cannot read a password: it is longer than 1024 bytes\n"
    );
    let unseen = "chat_server: a name has to be visible, and without white space around it\n";
    for name in ["", " anna", "an\u{200b}na", "an\nna"] {
        // It does not wait for a password that it cannot use.
        assert_eq!(problem(name, ""), unseen);
    }
    assert_eq!(
        problem("Guest-7", ""),
        "chat_server: guests have such names\n"
    );
    assert_eq!(
        problem("#anna", ""),
        "chat_server: a name cannot begin with #, as a remark does\n"
    );
}

#[test]
fn a_password_that_is_typed_is_not_seen() {
    let open = || {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).map(File::from);
        let terminal = terminal.unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        let name = ptsname(&terminal, Vec::new())
            .unwrap()
            .into_string()
            .unwrap();
        (terminal, name)
    };
    for (again, code) in [("swordfish", 0), ("swordfisch", 1)] {
        let (mut terminal, name) = open();
        let stream = || Stdio::from(File::options().read(true).write(true).open(&name).unwrap());
        // The terminal has to be the program's own, to be asked for a password.
        let mut child = Command::new("setsid")
            .args(["--wait", "--ctty"])
            .arg(example("chat_server"))
            .args(["hash-password", "anna"])
            .stdin(stream())
            .stdout(stream())
            .stderr(stream())
            .spawn()
            .unwrap();
        let mut screen = String::new();
        let mut wait_for = |terminal: &mut File, text: &str| {
            while !screen.contains(text) {
                let mut bytes = [0; 1024];
                let length = terminal.read(&mut bytes).unwrap_or_default();
                assert_ne!(length, 0, "{text:?} never came: {screen}");
                screen += &String::from_utf8_lossy(&bytes[..length]);
            }
        };
        // A person is not so quick as to type between the question and this.
        let wait_until_unseen = |terminal: &File| {
            let start = Instant::now();
            let modes = || tcgetattr(terminal).unwrap().local_modes;
            while modes().contains(LocalModes::ECHO) {
                assert!(start.elapsed() < GUARD, "what is typed is seen");
                std::thread::yield_now();
            }
        };
        wait_for(&mut terminal, "password: ");
        wait_until_unseen(&terminal);
        terminal.write_all(b"swordfish\n").unwrap();
        wait_for(&mut terminal, "once more: ");
        wait_until_unseen(&terminal);
        terminal.write_all(again.as_bytes()).unwrap();
        terminal.write_all(b"\n").unwrap();
        if code == 0 {
            wait_for(&mut terminal, "anna:$argon2id$");
        } else {
            wait_for(
                &mut terminal,
                "cannot read a password: these were two different ones",
            );
        }
        assert!(!screen.contains("swordfis"), "{screen}");
        assert_eq!(child.wait().unwrap().code(), Some(code));
    }
}

#[test]
fn what_is_wrong_with_a_file_is_told_by_the_line_and_without_what_is_on_it() {
    let good = line("anna", "swordfish");
    let hash = good.trim_end().split_once(':').unwrap().1;
    let text = format!(
        "{good}ben:hunter2\n{hash}\n# fine\n\nANNA:{hash}\n :{hash}\nan\u{7}a:{hash}\ncarl:{SWORDFISH}\n\
         dora:$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E\n\
         emil:{}\n",
        hash.replace("m=19456", "m=0")
    );
    let book = Book::new(text);
    let file = book.name();
    let problems = [
        format!("{file}, line 2: expected a hash in PHC form, $argon2id$.."),
        format!("{file}, line 3: expected name:hash"),
        format!("{file}, line 6: this name is on line 1 already"),
        format!("{file}, line 7: a name has to be visible, and without white space around it"),
        format!("{file}, line 8: a name has to be visible, and without white space around it"),
        format!("{file}, line 9: expected a hash in PHC form, $argon2id$.."),
        format!("{file}, line 10: expected a hash of argon2"),
        format!("{file}, line 11: argon2 cannot use the hash: "),
    ];
    for check in [&["--check-config"][..], &[]] {
        let ended = Program::start(&mut book.command(check)).wait();
        assert_eq!(ended.code, Some(2), "{ended:?}");
        let told: Vec<&str> = ended.stderr.lines().collect();
        assert_eq!(told.len(), problems.len(), "{told:#?}");
        for (line, problem) in told.iter().zip(&problems) {
            assert!(
                line.starts_with(&format!("chat_server: {problem}")),
                "{told:#?}"
            );
        }
        assert!(!ended.stderr.contains("hunter2") && !ended.stderr.contains("ben"));
        assert!(!ended.stdout.contains("argon2id"));
    }
    // Not a thousand lines for a file that is another one.
    let book = Book::new("secret\n".repeat(1000));
    let ended = Program::start(&mut book.command(&[])).wait();
    assert_eq!(ended.stderr.lines().count(), 11);
    assert!(
        ended.stderr.ends_with(": 990 more lines are wrong\n"),
        "{}",
        ended.stderr
    );

    let book = Book::new(b"anna:\xff\n");
    let told = |book: &Book| {
        let ended = Program::start(&mut book.command(&[])).wait();
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
        ended.stderr
    };
    let file = book.name();
    let begin = format!("chat_server: cannot use the accounts in {file}: ");
    assert_eq!(told(&book), format!("{begin}it is not UTF-8\n"));
    fs::remove_file(book.file()).unwrap();
    assert_eq!(
        told(&book),
        format!("{begin}No such file or directory (os error 2)\n")
    );
}

#[test]
fn guests_come_in_where_that_is_set() {
    let book = Book::new(line("anna", "swordfish"));
    let guest = |address| {
        let mut guest = Client::connect(address);
        guest.send("{\"Hello\":{\"name\":\"anna\"}}\n");
        guest.line()
    };
    for allow in [&["--allow-guests"][..], &["--allow-guests=true"]] {
        let (_server, address) = book.server(allow);
        assert!(guest(address).starts_with("{\"Welcome\":{\"name\":\"guest-1\","));
        Client::connect(address).join("g");
        refused(address, "anna", "hunter2");
    }
    for deny in [&["--allow-guests=false"][..], &[]] {
        let (_server, address) = book.server(deny);
        assert!(guest(address).contains("\"account_needed\""));
    }
    let config = book.folder.path().join("chat.toml");
    fs::write(
        &config,
        format!("users = {:?}\nallow-guests = true\n", book.name()),
    )
    .unwrap();
    let mut command = Command::new(example("chat_server"));
    let server = Program::start(command.args(["127.0.0.1:0", "--config"]).arg(&config));
    assert!(guest(address_in(&server.line())).contains("guest-1"));

    let ended = |arguments: &[&str]| {
        Program::start(Command::new(example("chat_server")).args(arguments)).wait()
    };
    let problem = "chat_server: allow-guests is set, but not users\n";
    assert_eq!(ended(&["--allow-guests"]).stderr, problem);
    let problem = "chat_server: --allow-guests \"maybe\": expected true or false\n";
    assert_eq!(ended(&["--allow-guests=maybe"]).stderr, problem);
}

#[test]
fn a_hangup_makes_the_server_read_its_accounts_again_unless_they_are_no_good() {
    let (anna, ben) = (line("anna", "swordfish"), line("ben", "hunter2"));
    let book = Book::new(&anna);
    let (server, address) = book.server(&["--log-level", "info"]);
    let mut here = welcomed(address, "anna", "swordfish");
    refused(address, "ben", "hunter2");
    let says = |expected: &str| while server.error_line() != expected {};

    book.write(&ben);
    server.signal(Signal::HUP);
    says("chat_server: the accounts were read again, 1 of them\n");
    drop(welcomed(address, "ben", "hunter2"));
    refused(address, "anna", "swordfish");
    // Who is there stays there.
    ping(&mut here);

    // A file that is wrong, and one that has vanished, change nothing.
    book.write(format!("{anna}oops\n"));
    server.signal(Signal::HUP);
    let file = book.name();
    let kept = "; the accounts are those from before\n";
    says(&format!(
        "chat_server: {file}, line 2: expected name:hash{kept}"
    ));
    refused(address, "anna", "swordfish");
    fs::remove_file(book.file()).unwrap();
    server.signal(Signal::HUP);
    says(&format!(
        "chat_server: cannot use the accounts in {file}: No such file or directory (os error 2){kept}"
    ));
    while !hello(address, "ben", "hunter2")
        .line()
        .starts_with("{\"Welcome\"")
    {}
}

#[test]
fn names_that_look_the_same_are_the_same_whatever_bytes_they_are() {
    let book = Book::new(line("Ren\u{e9}e Stra\u{df}e", "x"));
    let (_server, address) = book.server(&[]);
    let forms = [
        "Ren\u{e9}e Stra\u{df}e",
        "Rene\u{301}e Strasse",
        "RENE\u{301}E STRASSE",
        "ren\u{e9}e \u{a0} stra\u{1e9e}e",
        "\u{ff32}ene\u{301}e\u{3000}Strasse",
    ];
    for form in forms {
        let mut client = hello(address, form, "x");
        let welcome = client.line();
        assert!(
            welcome.starts_with("{\"Welcome\":{\"name\":\"Ren\u{e9}e Stra\u{df}e\","),
            "{form:?}: {welcome}"
        );
        let mut second = hello(address, forms[1], "x");
        assert!(second.line().contains("\"name_taken\""));
        client.half_close();
        client.end();
    }
    refused(address, "Renee Strasse", "x");

    // Also where names are free.
    let server = Program::start(Command::new(example("chat_server")).arg("127.0.0.1:0"));
    let address = address_in(&server.line());
    let mut first = Client::connect(address);
    first.hello("\u{fb01}n Ren\u{e9}e", "");
    let mut second = Client::connect(address);
    second.send("{\"Hello\":{\"name\":\"FIN Rene\u{301}e\"}}\n");
    assert!(second.line().contains("\"name_taken\""));
    second.hello("fin renee", "");
    second.send("{\"Direct\":{\"to\":\"FIN RENE\u{301}E\",\"message\":\"m\"}}\n");
    assert!(
        first
            .line()
            .starts_with("{\"Direct\":{\"from\":\"fin renee\",")
    );
}

#[test]
fn an_unknown_name_takes_as_long_as_a_wrong_password() {
    let book = Book::new(line("anna", "swordfish"));
    let (server, address) = book.server(&["--failed-logins", "1000"]);
    // What the server's processor does, which other programs do not make longer, as they do the time on the clock.
    let mut stat = File::open(format!("/proc/{}/stat", server.id())).unwrap();
    let mut work = |name: &str| {
        let before = processor_ticks_in(&mut stat);
        for number in 0..20 {
            refused(address, &name.replace('N', &number.to_string()), "hunter2");
        }
        processor_ticks_in(&mut stat) - before
    };
    let (known, unknown) = (work("anna"), work("unknown N"));
    assert!(known >= 5, "{known} ticks are too few to tell");
    assert!(
        (known..=known * 4).contains(&(unknown * 2)),
        "{known} and {unknown} ticks"
    );
}

#[test]
fn no_secret_is_in_anything_the_server_says() {
    let anna = line("anna", "swordfish");
    let hash = anna.trim_end().rsplit_once('$').unwrap().1.to_owned();
    let book = Book::new(&anna);
    let arguments = [
        "--log-level=debug",
        "--metrics=127.0.0.1:0",
        "--failed-logins=2",
    ];
    let (server, address) = book.server(&arguments);
    let page = server.line();
    let page: SocketAddr = {
        let page = page.trim_end().strip_prefix("metrics on http://").unwrap();
        page.strip_suffix("/metrics").unwrap().parse().unwrap()
    };
    let mut client = welcomed(address, "anna", "swordfish");
    // To the wrong place, in the wrong form, in the wrong order.
    client.send("{\"Hello\":{\"name\":\"anna\",\"token\":\"swordfish\"}}\n");
    client.send("{\"Hello\":{\"name\":\"anna\",\"token\":[\"swordfish\"]}}\n");
    client.send("{\"swordfish\":{}}\nswordfish\n");
    client.send("{\"Join\":{\"group_name\":\"g\",\"password\":\"swordfish\"}}\n");
    client.send("{\"Create\":{\"group_name\":\"swordfish\",\"password\":\"swordfish\"}}\n");
    client.send("{\"Invite\":{\"group_name\":\"swordfish\",\"name\":\"swordfish\"}}\n");
    ping_at_last(&mut client);
    for _ in 0..5 {
        let mut client = hello(address, "anna", "swordfish2");
        client.line();
        client.end();
    }
    for line in ["{\"token\":\"swordfish\"}\n", "swordfish\n"] {
        let mut client = Client::connect(address);
        client.send(line);
        client.line();
        client.end();
    }
    let mut long = hello(address, "anna", &"swordfish".repeat(10_000));
    long.line();
    long.end();
    server.signal(Signal::HUP);
    book.write(format!("anna:swordfish\n{hash}\n"));
    server.signal(Signal::HUP);
    let mut metrics = String::new();
    let mut stream = TcpStream::connect(page).unwrap();
    stream.set_read_timeout(Some(GUARD)).unwrap();
    stream
        .write_all(b"GET /metrics?swordfish HTTP/1.1\r\n\r\n")
        .unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    stream.read_to_string(&mut metrics).unwrap();
    assert!(
        metrics.contains("parklet_chat_failed_logins_total 5\n"),
        "{metrics}"
    );
    drop((client, long));
    server.signal(Signal::TERM);
    let ended = server.wait();
    assert_eq!(ended.code, Some(0));
    assert!(ended.stderr.contains("login failed"), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("too many logins have failed"),
        "{}",
        ended.stderr
    );
    let all = ended.stderr + &ended.stdout + &metrics;
    for secret in ["swordfish", hash.as_str(), "anna", "argon2id$v"] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
}

/// The client is served, whatever it was told before.
fn ping_at_last(client: &mut Client) {
    client.send("{\"Ping\":{}}\n");
    while client.line() != "{\"Pong\":{}}\n" {}
}
