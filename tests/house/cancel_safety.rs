//! Every public function that has to be awaited says in its docs what is lost when it is dropped midway.

use crate::source::{Function, blocks, code_only, first_word, functions, has_word};
use crate::{expect_none, read, rust_files};
use std::collections::BTreeSet;

/// Below it stands what a reader wants to know.
const HEADING: &str = "# Cancel safety";

/// Types of ours that are futures.
struct FutureTypes {
    /// Their names.
    names: BTreeSet<String>,
    /// Those whose own docs have the heading, so that functions which return them need not repeat it.
    documented: BTreeSet<String>,
}

impl FutureTypes {
    fn of(sources: &[String]) -> FutureTypes {
        let mut names = BTreeSet::new();
        for source in sources {
            for block in blocks(&code_only(source)) {
                if let Some((_, owner)) = block.header.split_once(" Future for ") {
                    names.insert(first_word(owner).to_owned());
                }
            }
        }
        let speaks = |name: &&String| {
            let speaks_in = |source: &String| type_docs(source, name).contains(&HEADING);
            sources.iter().any(speaks_in)
        };
        let documented = names.iter().filter(speaks).cloned().collect();
        FutureTypes { names, documented }
    }

    /// Whether a function that returns this has to say something: a future whose type says nothing.
    fn is_silent(&self, output: &str) -> bool {
        let path_end = output.rsplit("::").next().unwrap_or(output);
        let name = first_word(path_end);
        let is_opaque = output.starts_with("impl ") && has_word(output, "Future");
        is_opaque || (self.names.contains(name) && !self.documented.contains(name))
    }

    /// The public functions of a file that hand out a future without a word on it.
    fn silent_functions(&self, source: &str) -> Vec<Function> {
        let is_wrong = |function: &Function| {
            let is_awaited = function.is_async() || self.is_silent(function.output());
            function.is_public && is_awaited && !says_so(function)
        };
        functions(source).into_iter().filter(is_wrong).collect()
    }
}

/// The doc lines of a public type, if it is in this file.
fn type_docs<'a>(source: &'a str, name: &str) -> Vec<&'a str> {
    let head = format!("pub struct {name}");
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let is_head = |line: &str| line.starts_with(&head) && has_word(line, name);
    let Some(at) = lines.iter().position(|line| is_head(line)) else {
        return Vec::new();
    };
    let above = lines[..at].iter().rev();
    above
        .take_while(|line| !line.is_empty() && !line.ends_with('}'))
        .filter_map(|line| line.strip_prefix("///").map(str::trim))
        .collect()
}

/// Whether the docs have the heading, and something below it.
fn says_so(function: &Function) -> bool {
    let from_heading = function.docs.iter().skip_while(|line| *line != HEADING);
    from_heading
        .skip(1)
        .find(|line| !line.is_empty())
        .is_some_and(|line| !line.starts_with('#'))
}

#[test]
fn every_public_async_fn_says_whether_it_is_cancel_safe() {
    let files = rust_files("src");
    let sources: Vec<_> = files.iter().map(|file| read(file)).collect();
    let futures = FutureTypes::of(&sources);
    assert!(
        futures.names.contains("JoinHandle"),
        "the futures are not found any more"
    );
    let found = sources.iter().flat_map(|source| functions(source));
    let found = found.filter(|function| function.is_public && function.is_async());
    assert!(found.count() > 20, "the functions are not found any more");

    let mut wrong = Vec::new();
    for (file, source) in files.iter().zip(&sources) {
        let silent = futures.silent_functions(source);
        wrong.extend(
            silent
                .iter()
                .map(|function| format!("{file}:{}: {}", function.line, function.name())),
        );
    }
    expect_none(&format!("without {HEADING:?} in their docs"), &wrong);
}

#[test]
fn a_silent_async_fn_does_not_pass() {
    let types = "/// Sleeps.\npub struct Sleep;\n\n/// Waits.\n///\n/// # Cancel safety\npub struct Wait<T> {\n}\n\nimpl Future for Sleep {}\nimpl<T> Future for Wait<T> {}\n";
    let futures = FutureTypes::of(&[types.to_owned()]);
    let names = |source: &str| -> Vec<String> {
        let silent = futures.silent_functions(source);
        silent
            .iter()
            .map(|function| function.name().to_owned())
            .collect()
    };
    let said = "/// Reads.\n///\n/// # Cancel safety\n///\n/// Cancel safe.\n#[must_use]\npub async fn read(\n    from: u8,\n) -> u8 {\n";
    assert!(names(said).is_empty());
    assert_eq!(names("/// Reads.\npub async fn read() {\n"), ["read"]);
    assert_eq!(
        names("/// # Cancel safety\n///\n/// # Examples\npub async fn read() {\n"),
        ["read"]
    );
    assert_eq!(
        names("pub fn read() -> impl Future<Output = ()> + Send {\n"),
        ["read"]
    );
    assert_eq!(
        names("pub fn sleep() -> Sleep {\npub fn wait() -> super::Wait<u8> {\n"),
        ["sleep"]
    );
    assert_eq!(
        names("pub trait Read {\n    /// Reads.\n    async fn read();\n}\nfn other() -> Sleep {\n"),
        ["read"]
    );
    assert!(names("pub(crate) async fn read() {\nasync fn read() {\n").is_empty());
}
