//! README.md leads to files, examples and benches that are there.

use crate::{expect_none, fenced, read, root};

/// The targets of the links in a document that stay inside the repository.
fn local_links(document: &str) -> Vec<&str> {
    let after_text = document.split("](").skip(1);
    after_text
        .filter_map(|link| link.split(')').next())
        .filter(|target| !target.contains("://") && !target.starts_with('#'))
        .map(|target| target.split('#').next().unwrap_or(target))
        .collect()
}

#[test]
fn every_file_that_a_document_links_to_exists() {
    for document in [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
    ] {
        let text = read(document);
        let dead: Vec<_> = local_links(&text)
            .into_iter()
            .filter(|target| !root().join(target).exists())
            .map(str::to_owned)
            .collect();
        expect_none(&format!("{document} links to what is not there"), &dead);
    }
    assert!(
        local_links(&read("README.md")).len() > 20,
        "the links are not found any more"
    );
}

#[test]
fn every_command_of_the_readme_names_a_target_that_exists() {
    let readme = read("README.md");
    let commands = fenced(&readme, "sh");
    assert!(
        commands.contains(&"cargo test"),
        "CI runs the README's test command"
    );
    let mut wrong = Vec::new();
    for command in commands {
        let mut words = command.split_whitespace();
        while let Some(word) = words.next() {
            let folder = match word {
                "--example" => "examples",
                "--bench" => "benches",
                "--test" => "tests",
                _ => continue,
            };
            let name = words.next().unwrap_or_default();
            let places = [
                format!("{folder}/{name}.rs"),
                format!("{folder}/{name}/main.rs"),
            ];
            if !places.iter().any(|place| root().join(place).exists()) {
                wrong.push(format!("{command}: there is no {folder}/{name}.rs"));
            }
        }
    }
    expect_none("README.md", &wrong);
}
