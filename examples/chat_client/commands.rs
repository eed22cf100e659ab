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
/name NAME            takes another name
/help                 lists this
/quit                 ends; so do ctrl-D and ctrl-C on an empty line
Names with spaces stand in quotes: /join \"the pub\". The tab key completes commands, groups and names.";

/// The commands, for completion.
pub(crate) const NAMES: [&str; 9] = [
    "/direct", "/groups", "/help", "/join", "/leave", "/members", "/name", "/post", "/quit",
];

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
    Name(String),
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
