//! Somebody types, while others say something.

use rustix::process::Signal;
use rustix::termios::LocalModes;

use crate::chat_support::{Client, Server};
use crate::terminal::{Terminal, cursor_line, rows};

/// A server, with Anna at a terminal and Ben at a socket, both in the group `rust`.
fn anna_and_ben() -> (Server, Terminal, Client) {
    let server = Server::start();
    let mut anna = Terminal::start(&[&server.address.to_string(), "--name", "anna"]);
    anna.shows("as anna; /help lists the commands");
    anna.type_in("/join rust\r");
    anna.line_is("rust> ");
    let mut ben = server.connect();
    ben.hello("ben", "");
    ben.send("{\"Join\":{\"group_name\":\"rust\"}}\n{\"Ping\":{}}\n");
    assert_eq!(ben.line(), "{\"Pong\":{}}\n");
    (server, anna, ben)
}

/// The text of the next message that comes to Ben.
fn heard(client: &mut Client) -> String {
    let line: serde_json::Value = serde_json::from_str(&client.line()).unwrap();
    line["Message"]["message"]
        .as_str()
        .expect("a message")
        .to_owned()
}

#[test]
fn a_message_stands_above_the_half_typed_line() {
    let (_server, mut anna, mut ben) = anna_and_ben();
    anna.type_in("what are y");
    anna.line_is("rust> what are y");
    ben.post("rust", "hello");
    anna.shows("ben: hello");
    anna.line_is("rust> what are y");
    let seen = anna.rows();
    assert!(seen[seen.len() - 2].ends_with(" ben: hello"), "{seen:#?}");

    anna.type_in("ou doing\r");
    assert_eq!(heard(&mut ben), "hello");
    assert_eq!(heard(&mut ben), "what are you doing");
    anna.shows("anna: what are you doing");
    anna.line_is("rust> ");
    // What was typed is not there twice.
    let seen = anna.rows();
    let times = seen.iter().filter(|row| row.contains("what are you"));
    assert_eq!(times.count(), 1, "{seen:#?}");
}

#[test]
fn the_cursor_stays_where_it_was_in_the_line() {
    let (_server, mut anna, mut ben) = anna_and_ben();
    // Twice to the left.
    anna.type_in("abcd\x1b[D\x1b[D");
    let is_between = |screen: &vt100::Screen| {
        rows(screen).last().is_some_and(|row| row == "rust> abcd")
            && screen.cursor_position().1 == 8
    };
    anna.wait_until("the cursor between b and c", is_between);
    ben.post("rust", "hello");
    anna.shows("ben: hello");
    anna.wait_until("the same again", is_between);
    anna.type_in("-\r");
    assert_eq!(heard(&mut ben), "hello");
    assert_eq!(heard(&mut ben), "ab-cd");
}

#[test]
fn a_flood_of_messages_does_not_damage_what_is_typed() {
    let (_server, mut anna, mut ben) = anna_and_ben();
    let text = "the quick brown fox jumps over the lazy dog";
    for (number, char) in text.chars().enumerate() {
        for part in 0..10 {
            ben.post("rust", &format!("message {number}.{part}"));
        }
        anna.type_in(&char.to_string());
    }
    let last = format!("ben: message {}.9", text.len() - 1);
    anna.shows(&last);
    anna.line_is(&format!("rust> {text}"));
    anna.look(|screen| {
        let seen = rows(screen);
        let whole = seen[..seen.len() - 1]
            .iter()
            .all(|row| row.contains(" ben: message "));
        assert!(whole, "{seen:#?}");
    });
    anna.type_in("\r");
    anna.shows(&format!("anna: {text}"));
}

#[test]
fn lines_that_are_typed_ahead_are_not_lost_and_not_mixed_with_what_comes() {
    let (_server, mut anna, mut ben) = anna_and_ben();
    for number in 0..50 {
        ben.post("rust", &format!("from ben {number}"));
        anna.type_in(&format!("from anna {number}\r"));
    }
    let mut said = Vec::new();
    while said.len() < 100 {
        said.push(heard(&mut ben));
    }
    let of_anna: Vec<_> = said.iter().filter(|text| text.contains("anna")).collect();
    let expected: Vec<_> = (0..50)
        .map(|number| format!("from anna {number}"))
        .collect();
    assert_eq!(of_anna, expected.iter().collect::<Vec<_>>());
    anna.shows("anna: from anna 49");
    anna.line_is("rust> ");
    for row in anna.rows() {
        let is_whole = row == "rust>"
            || ["anna: from anna ", "ben: from ben "].iter().any(|said| {
                row.split_once(said)
                    .is_some_and(|(_, number)| number.parse::<u32>().is_ok())
            });
        assert!(is_whole, "{row:?}");
    }
}

#[test]
fn a_long_message_wraps_and_the_prompt_stands_below() {
    let (_server, mut anna, mut ben) = anna_and_ben();
    anna.type_in("ha");
    anna.line_is("rust> ha");
    let long = "word ".repeat(100);
    ben.post("rust", &long);
    anna.wait_until("seven rows of words", |screen| {
        let words: usize = rows(screen)
            .iter()
            .map(|row| row.matches("wor").count())
            .sum();
        words >= 100
    });
    anna.line_is("rust> ha");
    // Longer than the terminal.
    ben.post("rust", &"x".repeat(30_000));
    anna.wait_until("a terminal full of it", |screen| {
        let seen = rows(screen);
        seen.len() == 24 && seen[..22].iter().all(|row| *row == "x".repeat(80))
    });
    anna.line_is("rust> ha");
}

#[test]
fn strangers_cannot_steer_the_terminal() {
    let (_server, anna, mut ben) = anna_and_ben();
    ben.post(
        "rust",
        "clear \\u001b[2J\\u001b[H home \\r\\u0007 \\u009b2J \\u202e turned \\u0000",
    );
    anna.shows("ben: clear \\u{1b}[2J\\u{1b}[H home \\r\\u{7} \\u{9b}2J \\u{202e} turned \\u{0}");
    ben.post("rust", "one\\ntwo");
    anna.shows("ben: one");
    // Under the beginning of the first line, not where a line of somebody else's would be.
    anna.wait_until("the second line", |screen| {
        rows(screen).contains(&"      two".to_owned())
    });
    anna.line_is("rust> ");
    // Nor can a group.
    ben.send("{\"Join\":{\"group_name\":\"\\u001b[2Jgroup\"}}\n{\"Ping\":{}}\n");
    let mut anna = anna;
    anna.type_in("/groups\r");
    anna.shows("  \\u{1b}[2Jgroup: 1 member");
    anna.shows("  rust: 2 members");
}

#[test]
fn a_tab_completes_commands_groups_and_names() {
    let (_server, mut anna, mut ben) = anna_and_ben();
    anna.type_in("/di\t");
    anna.line_is("rust> /direct ");
    ben.post("rust", "hello");
    anna.shows("ben: hello");
    anna.type_in("b\t");
    anna.line_is("rust> /direct ben ");
    anna.type_in("psst\r");
    assert_eq!(heard(&mut ben), "hello");
    assert!(
        ben.line()
            .starts_with("{\"Direct\":{\"from\":\"anna\",\"message\":\"psst\"")
    );
    anna.shows("anna \u{2192} ben: psst");
    anna.type_in("/leave r\t");
    anna.line_is("rust> /leave rust ");
    anna.type_in("\r");
    anna.line_is("> ");
}

#[test]
fn what_comes_while_completions_are_listed_is_shown_afterwards() {
    let (_server, mut anna, mut ben) = anna_and_ben();
    // The first tab waits for a second one.
    anna.type_in("/\t");
    anna.line_is("rust> /");
    for number in 0..10 {
        ben.post("rust", &format!("message {number}"));
    }
    anna.type_in("\t");
    anna.shows("ben: message 9");
    anna.line_is("rust> /");
    let seen = anna.rows();
    assert!(seen.iter().any(|row| row.contains("/direct")), "{seen:#?}");
    let messages = seen.iter().filter(|row| row.contains("ben: message"));
    assert_eq!(messages.count(), 10, "{seen:#?}");
}

#[test]
fn what_is_said_in_another_group_is_counted_and_shown_there() {
    let (_server, mut anna, mut ben) = anna_and_ben();
    anna.type_in("/join go\r");
    anna.line_is("go> ");
    ben.post("rust", "one");
    anna.shows("(unread in rust; /join rust shows it)");
    ben.post("rust", "two");
    ben.send("{\"Join\":{\"group_name\":\"go\"}}\n");
    ben.post("go", "three");
    anna.shows("ben: three");
    // The prompt is made anew with each line.
    anna.type_in("\r");
    anna.line_is("go [rust 2]> ");
    anna.type_in("/join rust\r");
    anna.shows("ben: one");
    anna.shows("ben: two");
    anna.line_is("rust> ");
}

#[test]
fn who_comes_and_who_goes_is_told() {
    let (server, anna, _ben) = anna_and_ben();
    anna.shows("(ben joined)");
    let mut carl = server.connect();
    carl.hello("carl", "");
    carl.send("{\"Join\":{\"group_name\":\"rust\"}}\n{\"Leave\":{\"group_name\":\"rust\"}}\n");
    anna.shows("(carl joined)");
    anna.shows("(carl left)");
    anna.line_is("rust> ");
}

#[test]
fn the_arrow_up_brings_back_what_was_typed_before() {
    let (_server, mut anna, mut ben) = anna_and_ben();
    anna.type_in("hello\r");
    assert_eq!(heard(&mut ben), "hello");
    anna.line_is("rust> ");
    anna.type_in("\x1b[A");
    anna.line_is("rust> hello");
    anna.type_in(" again\r");
    assert_eq!(heard(&mut ben), "hello again");
}

#[test]
fn a_pasted_text_is_one_message() {
    let (_server, mut anna, mut ben) = anna_and_ben();
    anna.type_in("\x1b[200~one\r/quit\rthree\x1b[201~");
    anna.line_is("three");
    anna.type_in("\r");
    assert_eq!(heard(&mut ben), "one\n/quit\nthree");
}

#[test]
fn problems_are_told_and_change_nothing() {
    let (_server, mut anna, _ben) = anna_and_ben();
    for (typed, told) in [
        (
            "/dance",
            "there is no command /dance; /help lists what there is",
        ),
        ("/post nobody hello", "Group 'nobody' does not exist"),
        ("/direct nobody hello", "there is no client nobody"),
        ("/members nowhere", "Group 'nowhere' does not exist"),
        ("/leave nowhere", "you are not in nowhere"),
        ("/post", "/post needs the name of a group, and a text"),
    ] {
        anna.type_in(&format!("{typed}\r"));
        anna.shows(told);
        anna.line_is("rust> ");
    }
    anna.type_in(&format!("/join {}\r", "g".repeat(300)));
    anna.shows("a group's name has at most 256 bytes (group_length)");
    anna.type_in("\r");
    anna.line_is("> ");
}

#[test]
fn names_have_colours_unless_the_environment_says_no() {
    let server = Server::start();
    let address = server.address.to_string();
    for (value, has_colours) in [("", true), ("1", false)] {
        let environment = [("NO_COLOR", value)];
        let mut anna = Terminal::start_with(&[&address, "--name", "anna"], &environment);
        anna.type_in("/join g\r");
        anna.line_is("g> ");
        anna.type_in("hello\r");
        anna.shows("anna: hello");
        let is_coloured = anna.look(|screen| {
            let row = screen
                .rows(0, 80)
                .position(|row| row.contains("anna: hello"));
            let row = u16::try_from(row.unwrap()).unwrap();
            let cells = (0..80).filter_map(|column| screen.cell(row, column));
            let mut colours = cells.map(vt100::Cell::fgcolor);
            colours.any(|colour| colour != vt100::Color::Default)
        });
        assert_eq!(is_coloured, has_colours);
        anna.type_in("/quit\r");
        assert_eq!(anna.end(), Some(0));
    }
}

/// What is typed ends the client with this exit code, and the terminal is as it was.
#[track_caller]
fn ends_with(typed: &str, code: i32) {
    let server = Server::start();
    let mut anna = Terminal::start(&[&server.address.to_string(), "--name", "anna"]);
    anna.line_is("> ");
    assert!(!anna.modes().local_modes.contains(LocalModes::ECHO));
    anna.type_in(typed);
    assert_eq!(anna.end(), Some(code));
    assert!(
        anna.modes()
            .local_modes
            .contains(LocalModes::ECHO | LocalModes::ICANON)
    );
    assert_eq!(server.stop(), [""; 0]);
}

#[test]
fn ctrl_d_ends_the_client() {
    ends_with("\x04", 0);
}

#[test]
fn ctrl_c_ends_the_client() {
    ends_with("\x03", 130);
}

#[test]
fn the_command_to_quit_ends_the_client() {
    ends_with("/quit\r", 0);
}

#[test]
fn ctrl_c_throws_away_what_was_typed_first() {
    let (_server, mut anna, mut ben) = anna_and_ben();
    anna.type_in("nonsense");
    anna.line_is("rust> nonsense");
    anna.type_in("\x03");
    anna.line_is("rust> ");
    anna.type_in("sense\r");
    assert_eq!(heard(&mut ben), "sense");
    // Shown above a line that is being edited: before that, ctrl-C is the terminal's.
    anna.shows("anna: sense");
    anna.line_is("rust> ");
    anna.type_in("\x03");
    assert_eq!(anna.end(), Some(130));
}

#[test]
fn a_signal_in_the_middle_of_a_line_gives_the_terminal_back() {
    let (_server, mut anna, _ben) = anna_and_ben();
    anna.type_in("half a li");
    anna.line_is("rust> half a li");
    anna.signal(Signal::TERM);
    assert_eq!(anna.end(), Some(143));
    assert!(
        anna.modes()
            .local_modes
            .contains(LocalModes::ECHO | LocalModes::ICANON)
    );
    anna.wait_until("a row of its own for the shell", |screen| {
        cursor_line(screen).is_empty()
    });
}

#[test]
fn the_last_thing_said_before_the_end_reaches_the_others() {
    let (_server, mut anna, mut ben) = anna_and_ben();
    anna.type_in("goodbye\r/quit\r");
    assert_eq!(heard(&mut ben), "goodbye");
    assert_eq!(anna.end(), Some(0));
}
