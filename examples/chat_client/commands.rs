//! What somebody at the terminal types: commands that begin with `/`, and everything else, which is said to the group that
//! they are in.

/// What `/help` says.
pub(crate) const HELP: &str = "\
TEXT                  says it to the group in the prompt; //TEXT if it begins with a /
/join GROUP           joins a group, or goes to one that you are in, and shows what is unread
/leave [GROUP]        leaves it
/post GROUP TEXT      says something to another group
/direct NAME TEXT     says something to one person
/groups               lists the groups
/members [GROUP]      lists who is in it
/history [NUMBER]     shows the last messages that the server has kept
/create GROUP         makes a private group
/invite NAME          lets somebody into the private group in the prompt
/name NAME            takes another name
/login                logs in with another password
/help                 lists this
/quit                 ends; so do ctrl-D and ctrl-C on an empty line
Names with spaces stand in quotes: /join \"the pub\". The tab key completes commands, groups and names.";

/// The commands, for completion.
pub(crate) const NAMES: [&str; 13] = [
    "/create", "/direct", "/groups", "/help", "/history", "/invite", "/join", "/leave", "/login",
    "/members", "/name", "/post", "/quit",
];

/// How many messages `/history` shows if it is not said.
const HISTORY: usize = 20;

/// What is typed.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Typed {
    Nothing,
    /// Something to be said to the present group.
    Say(String),
    Join(String),
    /// Without a name, the present group.
    Leave(Option<String>),
    Post {
        group_name: String,
        message: String,
    },
    Direct {
        to: String,
        message: String,
    },
    Groups,
    /// Without a name, the present group.
    Members(Option<String>),
    /// So many of the last messages of the present group.
    History(usize),
    Create(String),
    /// Into the present group.
    Invite(String),
    Name(String),
    LogIn,
    Help,
    Quit,
}

/// Reads a line.
///
/// # Errors
///
/// What is wrong with it.
pub(crate) fn parse(line: &str) -> Result<Typed, String> {
    let line = line.trim();
    if let Some(text) = line.strip_prefix("//") {
        return Ok(Typed::Say(format!("/{text}")));
    }
    let Some(command) = line.strip_prefix('/') else {
        return Ok(match line {
            "" => Typed::Nothing,
            text => Typed::Say(text.to_owned()),
        });
    };
    let (verb, rest) = command
        .split_once(char::is_whitespace)
        .unwrap_or((command, ""));
    let rest = rest.trim_start();
    let (word, text) = split_name(rest)?;
    let one = |what: &str| match (word, text) {
        ("", _) => Err(format!("/{verb} needs the name of a {what}")),
        (name, "") => Ok(name.to_owned()),
        (name, more) => Err(format!(
            "/{verb} takes one name, found {more:?} after {name:?}; one with spaces stands in quotes"
        )),
    };
    let at_most_one = || match word {
        "" => Ok(None),
        _ => one("group").map(Some),
    };
    let with_text = |what: &str| match text {
        "" => Err(format!("/{verb} needs the name of a {what}, and a text")),
        text => Ok((word.to_owned(), text.to_owned())),
    };
    let none = |typed: Typed| match rest {
        "" => Ok(typed),
        more => Err(format!("/{verb} stands alone, found {more:?} after it")),
    };
    match verb {
        "join" => one("group").map(Typed::Join),
        "leave" => at_most_one().map(Typed::Leave),
        "post" => with_text("group").map(|(group_name, message)| Typed::Post {
            group_name,
            message,
        }),
        "direct" => with_text("person").map(|(to, message)| Typed::Direct { to, message }),
        "groups" => none(Typed::Groups),
        "members" => at_most_one().map(Typed::Members),
        "history" => match rest {
            "" => Ok(Typed::History(HISTORY)),
            number => number
                .parse()
                .map(Typed::History)
                .map_err(|_| format!("/history takes a number, found {number:?}")),
        },
        "create" => one("group").map(Typed::Create),
        "invite" => one("person").map(Typed::Invite),
        "login" => none(Typed::LogIn),
        "name" => match rest {
            "" => Err("/name needs a name".to_owned()),
            name => Ok(Typed::Name(name.to_owned())),
        },
        "help" => none(Typed::Help),
        "quit" => none(Typed::Quit),
        _ => Err(format!(
            "there is no command /{verb}; /help lists what there is"
        )),
    }
}

/// The first name in `text`, and what comes after it.
fn split_name(text: &str) -> Result<(&str, &str), String> {
    let (name, rest) = match text.strip_prefix('"') {
        Some(quoted) => quoted
            .split_once('"')
            .ok_or_else(|| format!("found no second quote in {text}"))?,
        None => text.split_once(char::is_whitespace).unwrap_or((text, "")),
    };
    Ok((name, rest.trim_start()))
}

/// A name as it is typed.
pub(crate) fn quote(name: &str) -> String {
    if name.contains(char::is_whitespace) {
        format!("\"{name}\"")
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_with_a_slash_is_a_command_and_the_rest_is_said() {
        let say = |text: &str| Ok(Typed::Say(text.to_owned()));
        assert_eq!(parse("  "), Ok(Typed::Nothing));
        assert_eq!(parse(" hello,  you "), say("hello,  you"));
        assert_eq!(parse("//join g"), say("/join g"));
        assert_eq!(parse("/join  g "), Ok(Typed::Join("g".to_owned())));
        let pub_ = "the pub".to_owned();
        assert_eq!(parse("/join \"the pub\""), Ok(Typed::Join(pub_.clone())));
        let post = Typed::Post {
            group_name: pub_,
            message: "a  b".to_owned(),
        };
        assert_eq!(parse("/post \"the pub\"  a  b"), Ok(post));
        assert_eq!(parse("/leave"), Ok(Typed::Leave(None)));
        assert_eq!(parse("/history"), Ok(Typed::History(HISTORY)));
        assert_eq!(parse("/history 7"), Ok(Typed::History(7)));
        assert_eq!(
            parse("/name Anna B."),
            Ok(Typed::Name("Anna B.".to_owned()))
        );
    }

    #[test]
    fn a_wrong_command_is_told_what_is_wrong_with_it() {
        let problem = |line: &str| parse(line).unwrap_err();
        assert_eq!(problem("/join"), "/join needs the name of a group");
        assert_eq!(
            problem("/join a b"),
            "/join takes one name, found \"b\" after \"a\"; one with spaces stands in quotes"
        );
        assert_eq!(problem("/join \"a"), "found no second quote in \"a");
        assert_eq!(
            problem("/direct ben"),
            "/direct needs the name of a person, and a text"
        );
        assert_eq!(
            problem("/quit now"),
            "/quit stands alone, found \"now\" after it"
        );
        assert_eq!(
            problem("/history all"),
            "/history takes a number, found \"all\""
        );
        assert_eq!(
            problem("/"),
            "there is no command /; /help lists what there is"
        );
    }

    #[test]
    fn every_command_is_completed_and_in_the_help() {
        for name in NAMES {
            assert!(HELP.contains(&format!("\n{name} ")), "{name}");
            let problem = parse(name).err().unwrap_or_default();
            assert!(!problem.contains("there is no command"), "{name}");
        }
    }
}
