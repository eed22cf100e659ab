//! `unsafe` lives in the files that ARCHITECTURE.md lists, and in no other.

use crate::source::{code_only, has_word};
use crate::{code_spans, expect_none, read, rust_files, section};

/// The list in ARCHITECTURE.md.
fn homes() -> Vec<String> {
    let document = read("ARCHITECTURE.md");
    let spans = code_spans(section(&document, "## Homes of unsafe"));
    let is_file = |span: &&str| span.contains('/') && span.ends_with(".rs");
    let homes: Vec<String> = spans
        .into_iter()
        .filter(is_file)
        .map(str::to_owned)
        .collect();
    assert!(!homes.is_empty(), "the list is not found any more");
    homes
}

/// The Rust files of the package, wherever they are.
fn all_files() -> Vec<String> {
    ["src", "tests", "examples", "benches"]
        .into_iter()
        .filter(|folder| crate::root().join(folder).exists())
        .flat_map(rust_files)
        .collect()
}

#[test]
fn unsafe_code_stays_at_home() {
    let homes = homes();
    let strays: Vec<_> = all_files()
        .into_iter()
        .filter(|file| !homes.contains(file))
        .filter(|file| has_word(&code_only(&read(file)), "unsafe"))
        .collect();
    expect_none("unsafe, but not in ARCHITECTURE.md", &strays);
}

#[test]
fn only_homes_are_allowed_unsafe_code() {
    let homes = homes();
    let lifted: Vec<_> = all_files()
        .into_iter()
        .filter(|file| !homes.contains(file))
        .filter(|file| has_word(&code_only(&read(file)), "unsafe_code"))
        .collect();
    expect_none("the lint is lifted outside the homes", &lifted);
}

#[test]
fn every_home_has_unsafe_code_and_says_why() {
    let is_wrong = |home: &String| {
        let source = read(home);
        let code = code_only(&source);
        let allows = code.contains("#![allow(")
            && has_word(&code, "unsafe_code")
            && has_word(&code, "reason");
        !allows || !has_word(&code, "unsafe")
    };
    let empty: Vec<_> = homes().into_iter().filter(is_wrong).collect();
    expect_none(
        "listed in ARCHITECTURE.md, but without need or reason",
        &empty,
    );
}
