//! ARCHITECTURE.md names files and functions; each of them is there, and no file is left out.

use crate::source::{code_only, has_function, has_method};
use crate::{code_spans, expect_none, fenced, read, root, rust_files, section};
use std::collections::{BTreeMap, BTreeSet};

const DOCUMENT: &str = "ARCHITECTURE.md";

/// What the document's notation says that is not so.
///
/// A path in backticks is a file or a folder; `Type::method` and `function()` stand in the file that was named last.
fn wrong_names(document: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut file = "";
    let mut code = String::new();
    for span in code_spans(document) {
        let is_path = !span.contains([' ', ':', '(', '*', '<']) && span.contains('/');
        if is_path {
            if !root().join(span).exists() {
                wrong.push(format!("{span}: there is no such file"));
            }
            if span.ends_with(".rs") {
                file = span;
                code = std::fs::read_to_string(root().join(span))
                    .map(|source| code_only(&source))
                    .unwrap_or_default();
            }
        } else if let Some(is_there) = named_function(span, &code)
            && !is_there
        {
            wrong.push(format!("{span}: there is no such function in {file:?}"));
        }
    }
    wrong
}

/// Whether the function is in the code, if the span names one.
fn named_function(span: &str, code: &str) -> Option<bool> {
    let is_name = |name: &str, first: fn(char) -> bool| {
        name.starts_with(first)
            && name
                .chars()
                .all(|char| char.is_alphanumeric() || char == '_')
    };
    let starts_small = |name| is_name(name, |char| char.is_lowercase() || char == '_');
    if let Some((owner, name)) = span.split_once("::") {
        let is_method = is_name(owner, char::is_uppercase) && starts_small(name);
        return is_method.then(|| has_method(code, owner, name));
    }
    let name = span.strip_suffix("()")?;
    starts_small(name).then(|| has_function(code, name))
}

/// The files that the code map names: a tree, each line a few names, then at least two spaces, then words.
fn mapped_files(map: &[&str]) -> Vec<String> {
    let mut files = Vec::new();
    let mut folders: Vec<(usize, String)> = Vec::new();
    for line in map {
        let depth = line.len() - line.trim_start().len();
        folders.retain(|&(of, _)| of < depth);
        let parent = folders.last().map_or("", |(_, path)| path);
        let names = line.trim_start().split("  ").next().unwrap_or_default();
        let mut opened = None;
        for name in names.split_whitespace() {
            let path = format!("{parent}{name}");
            if name.ends_with('/') {
                opened = Some((depth, path.clone()));
            }
            files.push(path);
        }
        folders.extend(opened);
    }
    files
}

/// The rooms that a room may use, as the document says: `room: other rooms`.
fn allowed_uses(lines: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let rule = |line: &&str| {
        let (room, uses) = line.split_once(':')?;
        let uses = uses.split_whitespace().map(str::to_owned).collect();
        Some((room.trim().to_owned(), uses))
    };
    lines.iter().filter_map(rule).collect()
}

/// The rooms that a file uses outside its tests.
fn rooms_used(source: &str) -> BTreeSet<String> {
    let code = code_only(source);
    let code = code.split("#[cfg(test)]").next().unwrap_or_default();
    let code = code.split("#[cfg(all(test").next().unwrap_or_default();
    code.split("crate::")
        .skip(1)
        .map(|after| {
            let is_word = |char: char| char.is_alphanumeric() || char == '_';
            let end = after.find(|char| !is_word(char)).unwrap_or(after.len());
            after[..end].to_owned()
        })
        // What is no room is an item in `lib.rs`, or a macro.
        .filter(|room| {
            let places = [format!("src/{room}.rs"), format!("src/{room}/mod.rs")];
            places.iter().any(|place| root().join(place).exists())
        })
        .collect()
}

#[test]
fn every_file_and_function_that_the_architecture_names_exists() {
    let document = read(DOCUMENT);
    let names = code_spans(&document);
    let functions = names
        .iter()
        .filter(|name| named_function(name, "").is_some());
    assert!(functions.count() > 20, "the notation is not found any more");
    expect_none("ARCHITECTURE.md names", &wrong_names(&document));
}

#[test]
fn a_wrong_name_does_not_pass() {
    let right = "`src/lib.rs` begins; `src/executor/worker.rs` has `Worker::find` and `run()`, and `Duration::MAX` is std's.";
    expect_none("right, but refused", &wrong_names(right));
    for wrong in [
        "`src/no_such_file.rs`",
        "`src/executor/worker.rs` `Worker::find_nothing`",
        "`src/executor/worker.rs` `Idle::find`",
        "`src/executor/worker.rs` `no_such_function()`",
        "`Worker::find` before any file",
    ] {
        assert_eq!(wrong_names(wrong).len(), 1, "{wrong}");
    }
}

#[test]
fn the_code_map_has_every_file_once_and_no_other() {
    let document = read(DOCUMENT);
    let map = fenced(section(&document, "## Code map"), "text");
    let mapped = mapped_files(&map);
    let is_missing = |path: &&String| !root().join(path).exists();
    let missing: Vec<_> = mapped.iter().filter(is_missing).cloned().collect();
    expect_none("in the code map, but not in the tree", &missing);

    let mut seen = BTreeSet::new();
    let twice: Vec<_> = mapped
        .iter()
        .filter(|path| !seen.insert(*path))
        .cloned()
        .collect();
    expect_none("in the code map more than once", &twice);

    let left_out: Vec<_> = rust_files("src")
        .into_iter()
        .filter(|file| !seen.contains(file))
        .collect();
    expect_none("in the tree, but not in the code map", &left_out);
}

#[test]
fn the_rooms_use_one_another_as_the_architecture_says() {
    let document = read(DOCUMENT);
    let allowed = allowed_uses(&fenced(section(&document, "## Rooms"), "text"));
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    for file in rust_files("src") {
        let room = file.trim_start_matches("src/").trim_end_matches(".rs");
        let room = room.split('/').next().unwrap_or_default();
        // `lib.rs` is the front door, and models and tests may see all.
        if ["lib", "loom_models"].contains(&room) || file.ends_with("/tests.rs") {
            continue;
        }
        for other in rooms_used(&read(&file)) {
            // Under loom a few types have stand-ins, which are the models'.
            if other == room || other == "loom_models" {
                continue;
            }
            if allowed.get(room).is_some_and(|uses| uses.contains(&other)) {
                used.insert((room.to_owned(), other));
            } else {
                wrong.push(format!("{file} uses {other}"));
            }
        }
    }
    expect_none("ARCHITECTURE.md does not allow this", &wrong);

    let unused: Vec<_> = allowed
        .iter()
        .flat_map(|(room, uses)| uses.iter().map(move |other| (room.clone(), other.clone())))
        .filter(|pair| !used.contains(pair))
        .map(|(room, other)| format!("{room} uses {other}"))
        .collect();
    expect_none("ARCHITECTURE.md says this, but it is not so", &unused);
}

#[test]
fn the_table_of_costs_has_the_figures_that_were_counted() {
    let document = read(DOCUMENT);
    let costs = section(&document, "## What operations cost");
    let figures = read("benches/instructions/figures.txt");
    let figures: Vec<_> = figures
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .collect();
    assert!(figures.len() > 10, "the figures are not found any more");
    let outdated: Vec<_> = figures
        .iter()
        .map(|figure| format!("`{}` {} |", figure[0], figure[1]))
        .filter(|cell| !costs.contains(cell))
        .collect();
    expect_none("counted, but not in ARCHITECTURE.md", &outdated);
}

#[test]
fn the_rules_of_each_file_are_as_many_as_the_architecture_says() {
    let document = read(DOCUMENT);
    let mut counted = 0;
    for line in section(&document, "## Invariants").lines() {
        let Some((file, rules)) = line
            .strip_prefix("| `")
            .and_then(|row| row.split_once("` | "))
        else {
            continue;
        };
        let rules = rules.split(' ').next().unwrap_or_default();
        let last: usize = rules
            .parse()
            .unwrap_or_else(|_| panic!("expected a number of rules, found {rules:?} in {line:?}"));
        let source = read(file);
        let has_rule = |rule: usize| source.contains(&format!("\n//! {rule}. "));
        assert!((1..=last).all(has_rule), "{file} has not {last} rules");
        assert!(!has_rule(last + 1), "{file} has more than {last} rules");
        counted += 1;
    }
    assert!(counted > 5, "the table is not found any more");
}
