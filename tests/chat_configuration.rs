//! The chat server's settings: where they come from, who wins, and what is said of a wrong one.

mod chat_support;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::Command;

use chat_support::{Client, Ended, Program, address_in, example};
use tempfile::TempDir;

/// A folder with one file in it.
struct ConfigFile {
    _folder: TempDir,
    path: PathBuf,
}

impl ConfigFile {
    fn new(text: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chat.toml");
        fs::write(&path, text).unwrap();
        Self {
            _folder: folder,
            path,
        }
    }

    fn name(&self) -> &str {
        self.path.to_str().unwrap()
    }
}

/// The server, with no settings in its environment.
fn server() -> Command {
    let mut command = Command::new(example("chat_server"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PARKLET_CHAT_") {
            command.env_remove(name);
        }
    }
    command
}

fn run(command: &mut Command) -> Ended {
    Program::start(command).wait()
}

/// The server must refuse to start with these lines on its standard error, and with the exit code 2.
#[track_caller]
fn refused(command: &mut Command, problems: &[&str]) {
    let ended = run(command);
    let expected: String = problems
        .iter()
        .map(|problem| format!("chat_server: {problem}\n"))
        .collect();
    assert_eq!(ended.stderr, expected);
    assert_eq!(ended.stdout, "");
    assert_eq!(ended.code, Some(2));
}

/// The line of `--check-config` for the setting `name`.
#[track_caller]
fn checked(command: &mut Command, name: &str) -> String {
    let ended = run(command.arg("--check-config"));
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let mut lines = ended.stdout.lines();
    let line = lines.find(|line| line.starts_with(&format!("{name} = ")));
    line.unwrap_or_else(|| panic!("no {name} in {}", ended.stdout))
        .to_owned()
}

#[test]
fn a_flag_wins_over_a_variable_a_variable_over_the_file_and_the_file_over_the_default() {
    let file = ConfigFile::new("# limits\nmax-line = 1001\n");
    let in_file = format!("max-line = 1001  # {}, line 2", file.name());
    let (variable, of_file) = ("PARKLET_CHAT_MAX_LINE", ["--config", file.name()]);

    assert_eq!(
        checked(&mut server(), "max-line"),
        "max-line = 65536  # default"
    );
    assert_eq!(checked(server().args(of_file), "max-line"), in_file);
    assert_eq!(
        checked(server().args(of_file).env(variable, "1002"), "max-line"),
        "max-line = 1002  # PARKLET_CHAT_MAX_LINE"
    );
    assert_eq!(
        checked(
            server()
                .args(of_file)
                .env(variable, "1002")
                .arg("--max-line=1003"),
            "max-line"
        ),
        "max-line = 1003  # --max-line"
    );
    // The file itself, too, and what is empty is not set.
    assert_eq!(
        checked(
            server()
                .env("PARKLET_CHAT_CONFIG", file.name())
                .env(variable, ""),
            "max-line"
        ),
        in_file
    );
    let other = ConfigFile::new("max-line = 0x400");
    assert_eq!(
        checked(
            server()
                .env("PARKLET_CHAT_CONFIG", file.name())
                .args(["--config", other.name()]),
            "max-line"
        ),
        format!("max-line = 1024  # {}, line 1", other.name())
    );
}

#[test]
fn what_is_checked_can_be_used_as_a_file() {
    let shown = run(server()
        .args(["--check-config", "127.0.0.1:0", "--max-line", "777"])
        .args(["--drain=0.5", "--metrics=[::1]:0", "--log-format=json"]))
    .stdout;
    let file = ConfigFile::new(&shown);
    let again = run(server().args(["--check-config", "--config", file.name()])).stdout;
    let values = |text: &str| -> Vec<String> {
        let lines = text.lines();
        lines
            .map(|line| line.split("  # ").next().unwrap().to_owned())
            .collect()
    };
    assert_eq!(values(&again), values(&shown));
    for value in [
        "max-line = 777",
        "drain = 0.5",
        "metrics = \"[::1]:0\"",
        "log-format = \"json\"",
    ] {
        assert!(values(&shown).contains(&value.to_owned()), "{shown}");
    }
}

#[test]
fn settings_take_effect() {
    let file = ConfigFile::new("listen = \"127.0.0.1:0\"\nmax-line = 300\n");
    let server = Program::start(server().args(["--config", file.name()]));
    let mut client = Client::connect(address_in(&server.line()));
    client.send([b'x'; 301]);
    assert_eq!(
        client.line(),
        "{\"Error\":\"line 1 is longer than 300 bytes\"}\n"
    );
}

#[test]
fn every_limit_reaches_the_server() {
    let limits = [
        ("max-line", "1001", "line_length", 1001),
        ("max-message", "1002", "message_length", 1002),
        ("max-name", "103", "name_length", 103),
        ("max-group-name", "104", "group_length", 104),
        ("groups-per-client", "105", "groups_per_client", 105),
        ("invitations-per-group", "116", "invitations_per_group", 116),
        ("max-clients", "106", "clients", 106),
        ("clients-per-address", "107", "clients_per_address", 107),
        ("posts-per-second", "108", "posts_per_second", 108),
        ("posts-burst", "109", "posts_burst", 109),
        ("failed-logins", "14", "failed_logins", 14),
        (
            "failed-logins-per-minute",
            "15",
            "failed_logins_per_minute",
            15,
        ),
        ("outbox-messages", "110", "outbox_messages", 110),
        ("outbox-bytes", "1111", "outbox_bytes", 1111),
        ("history-messages", "16", "history_messages", 16),
        ("history-age", "17", "history_age_ms", 17_000),
        ("replay-messages", "18", "replay_messages", 18),
        ("replay-age", "19.5", "replay_age_ms", 19_500),
        ("first-line", "112.5", "first_line_ms", 112_500),
        ("ping-after", "113", "ping_after_ms", 113_000),
    ];
    let mut command = server();
    command.arg("127.0.0.1:0");
    for (name, value, _, _) in limits {
        command.arg(format!("--{name}={value}"));
    }
    let shown = run(command.arg("--check-config")).stdout;
    let file = ConfigFile::new(shown);
    let server = Program::start(server().args(["--config", file.name()]));
    let mut client = Client::connect(address_in(&server.line()));
    client.send("{\"Hello\":{\"name\":\"anna\",\"features\":[]}}\n");
    let welcome: serde_json::Value = serde_json::from_str(&client.line()).unwrap();
    let told = welcome["Welcome"]["limits"].as_object().unwrap();
    for (name, _, field, number) in limits {
        assert_eq!(told[field], number, "{name}: {welcome}");
    }
    assert_eq!(told.len(), limits.len(), "{welcome}");
}

#[test]
fn a_member_who_falls_behind_is_disconnected_where_the_operator_says_so() {
    let arguments = ["127.0.0.1:0", "--lag=disconnect", "--outbox-messages=1"];
    // The farewell runs while the poster is still at it.
    let server = Program::start(server().args(arguments).arg("--drain=60"));
    let address = address_in(&server.line());
    let (mut slow, mut poster) = (Client::connect(address), Client::connect(address));
    slow.join("g");
    // More than the sockets hold between them.
    let message = "x".repeat(8 * 1024);
    for _ in 0..4000 {
        poster.post("g", &message);
    }
    poster.post("no such group", "");
    // The group may have lost its only member before the last post.
    while !poster.line().contains("'no such group'") {}
    let mut last = slow.line();
    while let Some(line) = slow.line_or_end() {
        last = line;
    }
    assert!(last.starts_with("{\"Error\":\"Dropped "), "{last}");
}

#[test]
fn a_bad_value_is_told_with_its_place() {
    let expected = "expected a number of bytes from 256 to 16777216";
    refused(
        server().args(["--max-line", "abc"]),
        &[&format!("--max-line \"abc\": {expected}")],
    );
    refused(
        server().env("PARKLET_CHAT_MAX_LINE", "-1"),
        &[&format!("PARKLET_CHAT_MAX_LINE \"-1\": {expected}")],
    );
    refused(
        server().env("PARKLET_CHAT_MAX_LINE", OsStr::from_bytes(b"\xff")),
        &["PARKLET_CHAT_MAX_LINE \"\\xFF\": expected UTF-8"],
    );
    let file = ConfigFile::new("\nmax-line = 99999999999999999999\n");
    refused(
        server().args(["--config", file.name()]),
        &[&format!(
            "{}, line 2: max-line \"99999999999999999999\": {expected}",
            file.name()
        )],
    );
    let file = ConfigFile::new("max-line = 255");
    refused(
        server().args(["--config", file.name()]),
        &[&format!(
            "{}, line 1: max-line \"255\": {expected}",
            file.name()
        )],
    );
    for (name, value, expected) in [
        ("drain", "-1", "expected a number of seconds from 0 to 3600"),
        (
            "drain",
            "NaN",
            "expected a number of seconds from 0 to 3600",
        ),
        (
            "drain",
            "3601",
            "expected a number of seconds from 0 to 3600",
        ),
        (
            "log-level",
            "loud",
            "expected off, error, warn, info or debug",
        ),
        ("log-format", "xml", "expected plain, text or json"),
        (
            "first-line",
            "0",
            "expected a number of seconds from 1 to 86400",
        ),
        ("max-name", "0", "expected a number of bytes from 1 to 1024"),
        (
            "max-clients",
            "many",
            "expected a number of clients from 1 to 10000000",
        ),
        (
            "posts-per-second",
            "-1",
            "expected a number of posts from 0 to 1000000",
        ),
        (
            "posts-burst",
            "0",
            "expected a number of posts from 1 to 1000000",
        ),
        (
            "failed-logins",
            "0",
            "expected a number of logins from 1 to 1000000",
        ),
        ("lag", "wait", "expected skip or disconnect"),
    ] {
        refused(
            server().arg(format!("--{name}={value}")),
            &[&format!("--{name} \"{value}\": {expected}")],
        );
    }
    refused(
        server().arg("--max-line"),
        &["missing argument for option '--max-line'; --help lists what there is"],
    );
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let file = ConfigFile::new("max_line = 1\nlisten = [8080]\n\n[tls]\nkey = \"secret\"\n");
    let name = file.name();
    refused(
        server()
            .args(["--config", name, "--max-line", "1k"])
            .env("PARKLET_CHAT_MAX_LINE", "none"),
        &[
            &format!("{name}, line 1: unknown key \"max_line\"; --help lists the settings"),
            &format!(
                "{name}, line 2: listen: expected a text, a number, true or false, found array"
            ),
            &format!("{name}, line 4: unknown key \"tls\"; --help lists the settings"),
            "PARKLET_CHAT_MAX_LINE \"none\": expected a number of bytes from 256 to 16777216",
            "--max-line \"1k\": expected a number of bytes from 256 to 16777216",
        ],
    );
}

#[test]
fn a_file_that_cannot_be_used_is_told() {
    let file = ConfigFile::new("");
    let missing = file.path.with_file_name("chat.yaml");
    let missing = missing.to_str().unwrap();
    refused(
        server().args(["--config", missing]),
        &[&format!(
            "cannot read {missing}: No such file or directory (os error 2)"
        )],
    );
    let folder = file.path.parent().unwrap().to_str().unwrap();
    refused(
        server().env("PARKLET_CHAT_CONFIG", folder),
        &[&format!(
            "cannot read {folder}: Is a directory (os error 21)"
        )],
    );
    fs::write(&file.path, b"max-line = \"\xff\"").unwrap();
    refused(
        server().args(["--config", file.name()]),
        &[&format!(
            "cannot read {}: stream did not contain valid UTF-8",
            file.name()
        )],
    );
    for (text, line) in [
        ("listen = 1\nmax-line =\n", 2),
        ("max-line = 1\nmax-line = 2\n", 2),
        ("listen", 1),
        ("\n\n= 5", 3),
    ] {
        fs::write(&file.path, text).unwrap();
        let ended = run(server().args(["--config", file.name()]));
        let place = format!("chat_server: {}, line {line}: ", file.name());
        assert!(ended.stderr.starts_with(&place), "{text:?}: {ended:?}");
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
    }
}

#[test]
fn an_address_that_does_not_resolve_is_found_by_the_check() {
    for setting in ["--listen", "--metrics"] {
        let ended = run(server().args(["--check-config", setting, "nonsense"]));
        assert_eq!(ended.code, Some(2));
        assert_eq!(
            ended.stderr,
            "chat_server: could not resolve address \"nonsense\": no port (expected HOST:PORT)\n"
        );
    }
}

#[test]
fn a_variable_that_is_no_setting_is_remarked_upon_and_does_no_harm() {
    // This one is what Kubernetes gives to every container beside a service called `parklet-chat`.
    let mut command = server();
    command.env("PARKLET_CHAT_PORT", "tcp://10.0.0.1:8080");
    let server = Program::start(command.arg("127.0.0.1:0"));
    assert_eq!(
        server.error_line(),
        "chat_server: PARKLET_CHAT_PORT is no setting of this server; --help lists them\n"
    );
    Client::connect(address_in(&server.line())).join("g");
}

#[test]
fn the_help_and_the_guide_name_every_setting() {
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/OPERATING.md");
    let guide = fs::read_to_string(guide).unwrap();
    let help = run(server().arg("--help")).stdout;
    let settings = run(server().arg("--check-config")).stdout;
    assert!(settings.lines().count() >= 2, "{settings}");
    for line in settings.lines() {
        let name = line.split(' ').next().unwrap();
        assert!(help.contains(&format!("  --{name} ")), "{name} in {help}");
        let in_guide = [
            format!("`{name}`"),
            format!("`--{name}`"),
            format!("--{name} "),
        ];
        assert!(in_guide.iter().any(|name| guide.contains(name)), "{name}");
    }
}

#[test]
fn what_stands_in_deploy_is_accepted() {
    let deploy = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("deploy");
    let read = |name: &str| fs::read_to_string(deploy.join(name)).unwrap();

    let unit = read("parklet-chat.service");
    let start = unit
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/chat_server "));
    let settings = deploy.join("parklet-chat.toml");
    let arguments = start.unwrap().split(' ').map(|argument| match argument {
        "/etc/parklet-chat.toml" => settings.to_str().unwrap(),
        other => other,
    });
    let ended = run(server().args(arguments).arg("--check-config"));
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(ended.stdout.contains("parklet-chat.toml, line "));
    // It is this exit code with which the program refuses settings; it is not heeded where the program is not the service.
    assert!(unit.contains("\nRestartPreventExitStatus=2\n") && !unit.contains("ExecStartPre"));

    let container = read("Containerfile");
    let variables = container
        .lines()
        .filter_map(|line| line.strip_prefix("ENV ")?.split_once('='));
    let ended = run(server().envs(variables).arg("--check-config"));
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(
        ended.stdout.contains("\"  # PARKLET_CHAT_LISTEN\n"),
        "{}",
        ended.stdout
    );
}
