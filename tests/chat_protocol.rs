//! The conversations in `docs/PROTOCOL.md`, had with a server: every line of them, and no other.

mod chat_support;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use chat_support::memory_history::MemoryHistory;
use chat_support::{Client, Server};
use parklet::chat::server::Builder;
use parklet::chat::{Access, Secret, Users};

/// The conversations of the document, each with the number of its first line, whom its server serves, and whether it
/// keeps messages.
fn conversations() -> Vec<(usize, Access, bool, Vec<&'static str>)> {
    let mut conversations = Vec::new();
    let mut lines = include_str!("../docs/PROTOCOL.md").lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if let Some(access) = line.strip_prefix("```chat") {
            let access = match access {
                "" | " history" => Access::Anyone,
                " accounts" => Access::Accounts,
                " guests" => Access::AccountsAndGuests,
                other => panic!("what is a conversation of{other}?"),
            };
            let conversation = lines.by_ref().map(|(_, line)| line);
            let conversation = conversation.take_while(|line| *line != "```").collect();
            let has_history = line.ends_with("history");
            conversations.push((number + 2, access, has_history, conversation));
        }
    }
    conversations
}

/// Anna has an account.
struct Anna(Access);

impl Users for Anna {
    fn access(&self) -> Access {
        self.0
    }

    fn verify(&self, name: &str, token: &Secret) -> Option<String> {
        let is_anna = self.canonical(name) == "anna" && *token == Secret::from("swordfish");
        is_anna.then(|| "Anna".to_string())
    }
}

/// A line with what the document cannot know in the form that it has there.
fn as_documented(line: &str, documented: &str) -> String {
    let mut line = line.trim_end_matches('\n').to_string();
    let mut rest = 0;
    while let Some(at) = line[rest..].find("\"time\":") {
        let digits = rest + at + "\"time\":".len();
        let end = line[digits..].find(|char: char| !char.is_ascii_digit());
        line.replace_range(digits..digits + end.unwrap(), "1700000000000");
        rest = digits;
    }
    // Once they stand in full.
    if documented.contains("\"limits\":{..}")
        && let Some(at) = line.find("\"limits\":{")
    {
        line.replace_range(at.., "\"limits\":{..}}}");
    }
    line
}

#[test]
fn the_conversations_of_the_document_are_had_as_they_stand_there() {
    let conversations = conversations();
    assert!(conversations.len() >= 7, "{}", conversations.len());
    for (first, access, has_history, conversation) in conversations {
        let mut builder = Builder::new().name("the harbour").users(Anna(access));
        if has_history {
            builder = builder.history(MemoryHistory::default().shared());
        }
        let server = Server::start_built(builder, |listener| listener);
        let mut clients = BTreeMap::<&str, (Client, bool)>::new();
        for (number, line) in conversation.iter().enumerate() {
            let place = format!("docs/PROTOCOL.md:{}", first + number);
            if let Some(name) = line.strip_suffix('.') {
                clients.remove(name).expect(&place).0.end();
                continue;
            }
            let (head, text) = line.split_once(' ').expect(&place);
            let (name, direction) = head.split_at(head.len() - 1);
            let (client, _) = match clients.entry(name) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => {
                    entry.insert((server.connect(), text.starts_with("{\"Hello\"")))
                }
            };
            match direction {
                ">" => client.send(format!("{text}\n")),
                "<" => assert_eq!(as_documented(&client.line(), text), text, "{place}"),
                _ => panic!("{place}: neither > nor <"),
            }
        }
        // And nothing else came, to nobody.
        for (name, (client, is_new)) in &mut clients {
            if *is_new {
                client.send("{\"Ping\":{}}\n");
                let answer = client.line();
                let is_pong = answer == "{\"Pong\":{}}\n" || answer.contains("hello_first");
                assert!(is_pong, "to {name} of docs/PROTOCOL.md:{first}: {answer}");
            } else {
                client.sync();
            }
        }
        drop(clients);
        server.stop();
    }
}

#[test]
fn a_list_is_no_hello() {
    let server = Server::start();
    let mut client = server.connect();
    client.send("[\"Hello\"]\n");
    assert!(client.line().starts_with("{\"Error\":\"line 1, column "));
    client.sync();
}

#[test]
fn who_did_not_open_with_hello_cannot_say_it_later() {
    let server = Server::start();
    let mut client = server.connect();
    client.join("g");
    client.send("{\"Hello\":{\"name\":\"anna\"}}\n");
    assert_eq!(
        client.line(),
        "{\"Error\":\"line 3, column 8: unknown variant `Hello`, expected `Join` or `Post`\"}\n"
    );
    client.sync();
}

#[test]
fn a_name_is_free_again_when_its_client_has_gone() {
    let server = Server::start();
    let mut witness = server.connect();
    witness.hello("witness", "\"notices\"");
    witness.send("{\"Join\":{\"group_name\":\"g\"}}\n");
    witness.line();
    for _ in 0..3 {
        let mut anna = server.connect();
        anna.hello("anna", "");
        anna.send("{\"Join\":{\"group_name\":\"g\"}}\n");
        let joined = "{\"Joined\":{\"group_name\":\"g\",\"name\":\"anna\"}}\n";
        assert_eq!(witness.line(), joined);
        anna.half_close();
        anna.end();
        let left = "{\"Left\":{\"group_name\":\"g\",\"name\":\"anna\"}}\n";
        assert_eq!(witness.line(), left);
        // The connection ends after its memberships, and the name with the connection.
        wait_until_free(&server, "anna");
    }
}

/// Takes and gives up a name as soon as nobody has it.
fn wait_until_free(server: &Server, name: &str) {
    let start = std::time::Instant::now();
    let mut client = server.connect();
    loop {
        client.send(format!("{{\"Hello\":{{\"name\":\"{name}\"}}}}\n"));
        let answer = client.line();
        if answer.starts_with("{\"Welcome\"") {
            break;
        }
        assert!(answer.contains("name_taken"), "{answer}");
        assert!(start.elapsed() < chat_support::GUARD);
    }
    client.half_close();
    client.end();
    // Seen from outside: a direct message has nobody to go to.
    let mut other = server.connect();
    other.hello("somebody else", "");
    loop {
        other.send(format!(
            "{{\"Direct\":{{\"to\":\"{name}\",\"message\":\"\"}}}}\n{{\"Ping\":{{}}}}\n"
        ));
        let answer = other.line();
        if answer.contains("no_such_client") {
            assert_eq!(other.line(), "{\"Pong\":{}}\n");
            break;
        }
        assert_eq!(answer, "{\"Pong\":{}}\n");
        assert!(start.elapsed() < chat_support::GUARD);
    }
}
