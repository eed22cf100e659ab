//! The house keeps its word: what its documents name is there, and what its rules ask for is done.
//!
//! These tests read the repository and run nothing of it.

mod architecture;
mod cancel_safety;
mod readme;
mod source;
mod unsafe_homes;

use std::fs;
use std::path::{Path, PathBuf};

/// The repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the repository.
fn read(path: &str) -> String {
    fs::read_to_string(root().join(path))
        .unwrap_or_else(|error| panic!("cannot read {path}: {error}"))
}

/// Every Rust file below a folder, from the root of the repository, in order.
fn rust_files(folder: &str) -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("cannot list {}: {error}", folder.display()));
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(from_root(&path));
            }
        }
    }
    files.sort();
    files
}

/// A path as the documents write it.
fn from_root(path: &Path) -> String {
    let inside: PathBuf = path
        .strip_prefix(root())
        .expect("the path is below the root")
        .into();
    inside
        .to_str()
        .expect("the repository's names are UTF-8")
        .to_owned()
}

/// Fails with the list, if there is anything in it.
#[track_caller]
fn expect_none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}\n", found.join("\n  "));
}

/// A part of a Markdown document: what stands below the heading, up to the next one of the same level or a higher one.
fn section<'a>(document: &'a str, heading: &str) -> &'a str {
    let level = heading.chars().take_while(|&char| char == '#').count();
    let mut offset = 0;
    let mut begin = None;
    for line in document.split_inclusive('\n') {
        let here = offset;
        offset += line.len();
        let depth = line.chars().take_while(|&char| char == '#').count();
        match begin {
            None if line.trim_end() == heading => begin = Some(offset),
            Some(begin) if (1..=level).contains(&depth) => return &document[begin..here],
            _ => {}
        }
    }
    let begin = begin.unwrap_or_else(|| panic!("there is no heading {heading:?}"));
    &document[begin..]
}

/// The lines of the fenced blocks in a part of a document whose fence is marked with `language`.
fn fenced<'a>(document: &'a str, language: &str) -> Vec<&'a str> {
    let mut inside = None;
    let mut lines = Vec::new();
    for line in document.lines() {
        match (line.strip_prefix("```"), inside) {
            (Some(mark), None) => inside = Some(mark.trim()),
            (Some(_), Some(_)) => inside = None,
            (None, Some(mark)) if mark == language => lines.push(line),
            _ => {}
        }
    }
    lines
}

/// What stands between backticks in the running text of a document, fenced blocks left out.
fn code_spans(document: &str) -> Vec<&str> {
    let mut is_fenced = false;
    let mut spans = Vec::new();
    for line in document.lines() {
        if line.starts_with("```") {
            is_fenced = !is_fenced;
        } else if !is_fenced {
            spans.extend(line.split('`').skip(1).step_by(2));
        }
    }
    spans
}
