//! The chat programs over TLS: who gets in, who does not, and what is said about it.

mod chat_support;

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;

use chat_support::{Client, GUARD, Program, address_in, example};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustix::process::Signal;
use tempfile::TempDir;

/// A certificate for `localhost` that stands up for itself, and its key, in files.
struct Certificate {
    folder: TempDir,
}

impl Certificate {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificate = Self { folder };
        certificate.renew();
        certificate
    }

    /// Puts another one into the same files.
    fn renew(&self) {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(self.file("cert.pem"), cert.pem()).unwrap();
        fs::write(self.file("key.pem"), signing_key.serialize_pem()).unwrap();
    }

    /// A copy of the certificate as it is now, for clients to trust.
    fn keep_as(&self, name: &str) -> String {
        fs::copy(self.file("cert.pem"), self.file(name)).unwrap();
        self.text(name)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.file(name).to_str().unwrap().to_owned()
    }

    /// The server with this certificate.
    fn server(&self, arguments: &[&str]) -> (Program, SocketAddr) {
        let mut command = Command::new(example("chat_server"));
        command.args(["127.0.0.1:0", "--tls-cert", &self.text("cert.pem")]);
        command.args(["--tls-key", &self.text("key.pem")]);
        let server = Program::start(command.args(arguments));
        let address = address_in(&server.line());
        (server, address)
    }
}

/// A client that trusts the certificates in a file.
fn client(server: &str, authorities: &str) -> Program {
    let mut command = Command::new(example("chat_client"));
    Program::start(command.args([server, "--tls-ca", authorities]))
}

fn localhost(address: SocketAddr) -> String {
    format!("localhost:{}", address.port())
}

/// A client gets in and hears itself, alone in `group`.
#[track_caller]
fn talks(address: SocketAddr, authorities: &str, group: &str) -> Program {
    let mut client = client(&localhost(address), authorities);
    client.type_in(format!("join {group}\npost {group} hello\n"));
    assert_eq!(client.line(), format!("message posted to {group}: hello\n"));
    client
}

/// A client does not get in.
#[track_caller]
fn refused(server: &str, authorities: &str, cause: &str) {
    let ended = client(server, authorities).wait();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    let says = format!("chat_client: cannot talk TLS to {server}: {cause}");
    assert!(ended.stderr.starts_with(&says), "{}", ended.stderr);
}

#[test]
fn two_clients_chat_and_the_signal_that_stops_a_service_ends_all() {
    let certificate = Certificate::new();
    let (server, address) = certificate.server(&[]);
    let authorities = certificate.text("cert.pem");
    let mut anna = talks(address, &authorities, "g");
    let mut ben = client(&localhost(address), &authorities);
    anna.type_in("join rust\npost rust hello from anna\n");
    assert_eq!(anna.line(), "message posted to rust: hello from anna\n");
    // Longer than what TLS takes into one record.
    let long = "x".repeat(40_000);
    ben.type_in(format!("join rust\npost rust {long}\n"));
    let line = format!("message posted to rust: {long}\n");
    assert_eq!(ben.line(), line);
    assert_eq!(anna.line(), line);

    // One leaves by itself, the other hears of the server's end.
    let ended = ben.wait();
    assert_eq!(ended.stderr, "chat_client: no more commands\n");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""));
    server.signal(Signal::TERM);
    let end = "chat_client: the server closed the connection\n";
    assert_eq!(anna.error_line(), end);
    assert_eq!(anna.wait().code, Some(0));
    let ended = server.wait();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_server_that_nobody_stands_up_for_is_not_talked_to() {
    let certificate = Certificate::new();
    let (_server, address) = certificate.server(&[]);
    let stranger = Certificate::new();
    refused(
        &localhost(address),
        &stranger.text("cert.pem"),
        "invalid peer certificate: ",
    );
    // The right one, but for another host.
    refused(
        &address.to_string(),
        &certificate.text("cert.pem"),
        "invalid peer certificate: certificate not valid for name",
    );
}

#[test]
fn plain_text_to_a_server_that_speaks_tls_is_logged_and_disturbs_nobody() {
    let certificate = Certificate::new();
    let (server, address) = certificate.server(&[]);
    let authorities = certificate.text("cert.pem");
    let mut before = talks(address, &authorities, "g");
    let bad = [
        &b"{\"Join\":{\"group_name\":\"g\"}}\n"[..],
        b"GET / HTTP/1.1\r\n\r\n",
        &[0; 100],
        &[0x16, 3, 1, 0xff, 0xff, 1, 2, 3],
    ];
    for bytes in bad {
        let mut socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(GUARD)).unwrap();
        socket.write_all(bytes).unwrap();
        socket.shutdown(Shutdown::Write).unwrap();
        // An alert, if it arrives before the end; but never a line.
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer);
        assert!(!answer.contains(&b'{'), "{answer:?}");
        let line = server.error_line();
        assert!(
            line.starts_with("chat_server: connection from 127.0.0.1:")
                && line.contains(" ended: TLS handshake failed: "),
            "{line}"
        );
    }
    before.type_in("post g still here\n");
    assert_eq!(before.line(), "message posted to g: still here\n");
}

#[test]
fn tls_to_a_server_that_speaks_plain_text_ends_the_client() {
    let certificate = Certificate::new();
    let mut command = Command::new(example("chat_server"));
    let server = Program::start(command.arg("127.0.0.1:0"));
    let address = address_in(&server.line());
    refused(
        &localhost(address),
        &certificate.text("cert.pem"),
        "received corrupt message",
    );
    Client::connect(address).join("g");
}

#[test]
fn who_never_begins_the_handshake_holds_up_nobody() {
    let certificate = Certificate::new();
    let (server, address) = certificate.server(&[]);
    let silent: Vec<TcpStream> = (0..20)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    drop(talks(address, &certificate.text("cert.pem"), "g"));
    // Nor the end.
    server.signal(Signal::TERM);
    for mut socket in silent {
        socket.set_read_timeout(Some(GUARD)).unwrap();
        assert_eq!(socket.read(&mut [0]).unwrap(), 0);
    }
    assert_eq!(server.wait().code, Some(0));
}

#[test]
fn a_hangup_makes_the_server_read_its_certificate_again() {
    let certificate = Certificate::new();
    let old = certificate.keep_as("old.pem");
    let (server, address) = certificate.server(&["--log-level", "info"]);
    assert!(server.error_line().contains(" listening on "));
    let mut before = talks(address, &old, "old");

    certificate.renew();
    server.signal(Signal::HUP);
    assert_eq!(
        server.error_line(),
        "chat_server: the certificate was read again\n"
    );
    let new = certificate.keep_as("new.pem");
    drop(talks(address, &new, "new"));
    refused(&localhost(address), &old, "invalid peer certificate: ");
    // Who was there is still there.
    before.type_in("post old still here\n");
    assert_eq!(before.line(), "message posted to old: still here\n");

    // The refused and the killed client may have been logged, so it is this line that is waited for.
    fs::write(certificate.file("key.pem"), "no key").unwrap();
    server.signal(Signal::HUP);
    let problem = format!(
        "chat_server: cannot use the key in {}: no items found; clients are shown the one from before\n",
        certificate.text("key.pem")
    );
    while server.error_line() != problem {}
    drop(talks(address, &new, "newer"));
}

#[test]
fn files_that_are_no_good_are_told_without_what_is_in_them() {
    let certificate = Certificate::new();
    let other = Certificate::new();
    let (chain, key) = (certificate.text("cert.pem"), certificate.text("key.pem"));
    let missing = certificate.text("missing.pem");
    let no_such_file = "I/O error: No such file or directory (os error 2)";
    let of_both = |chain: &str, key: &str, problem: &str| {
        for check in [true, false] {
            let mut command = Command::new(example("chat_server"));
            command.args(["127.0.0.1:0", "--tls-cert", chain, "--tls-key", key]);
            if check {
                command.arg("--check-config");
            }
            let ended = Program::start(&mut command).wait();
            assert_eq!(ended.code, Some(2), "{ended:?}");
            assert_eq!(ended.stderr, format!("chat_server: {problem}\n"));
        }
    };
    of_both(
        &missing,
        &key,
        &format!("cannot use the certificate in {missing}: {no_such_file}"),
    );
    of_both(
        &chain,
        &missing,
        &format!("cannot use the key in {missing}: {no_such_file}"),
    );
    of_both(
        &chain,
        &chain,
        &format!("cannot use the key in {chain}: no items found"),
    );
    of_both(
        &chain,
        &other.text("key.pem"),
        &format!("cannot use the certificate in {chain}: keys may not be consistent: KeyMismatch"),
    );
    of_both("", &key, "tls-key is set, but not tls-cert");
    of_both(&chain, "", "tls-cert is set, but not tls-key");

    let mut command = Command::new(example("chat_client"));
    let ended = Program::start(command.args(["127.0.0.1:1", "--tls-ca", &key])).wait();
    assert_eq!(ended.code, Some(1));
    assert_eq!(
        ended.stderr,
        format!("chat_client: cannot use the certificates in {key}: there are none\n")
    );
}

#[test]
fn a_script_talks_over_tls_too_and_only_to_whom_it_trusts() {
    let certificate = Certificate::new();
    let (_server, address) = certificate.server(&[]);
    let other = Certificate::new();
    let script = |authorities: &str| {
        let mut command = Command::new(example("chat_client"));
        command.args([&localhost(address), "--json", "--name", "anna"]);
        Program::start(command.args(["--tls-ca", authorities]))
    };
    let anna = script(&certificate.text("cert.pem"));
    assert!(anna.line().starts_with("{\"Welcome\":{\"name\":\"anna\""));
    assert_eq!(anna.wait().code, Some(0));
    let refused = script(&other.text("cert.pem")).wait();
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""));
    assert!(
        refused.stderr.contains("cannot talk TLS to"),
        "{}",
        refused.stderr
    );
}
