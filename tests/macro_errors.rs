//! What the attributes say of code that they are not for: the compiler's whole answer, line by line.
//!
//! A package of its own, with one program for each case and the attributes alone to depend on, is checked once, offline.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// A case: its name, its source, what the compiler says; `LINE:COLUMN: error` before each.
const CASES: &[(&str, &str, &[&str])] = &[
    (
        "not_async",
        "#[parklet::main]\nfn main() {}\n",
        &[
            "2:1: error: #[parklet::main] is for an `async fn`: add `async`, or remove the attribute",
        ],
    ),
    (
        "no_function",
        "#[parklet::test]\nstruct Main;\nfn main() {}\n",
        &["2:1: error: #[parklet::test] is for an `async fn`, and this is none"],
    ),
    (
        "type_of_functions",
        "#[parklet::test]\ntype Main = fn();\nfn main() {}\n",
        &["2:1: error: #[parklet::test] is for an `async fn`, and this is none"],
    ),
    (
        "not_main",
        "#[parklet::main]\nasync fn start() {}\nfn main() {}\n",
        &[
            "2:10: error: #[parklet::main] is for `main`, and this is `start`; call `task::block_on` in a plain `fn` instead",
        ],
    ),
    (
        "with_parameters",
        "#[parklet::main]\nasync fn main(arguments: Vec<String>) {}\n",
        &["2:14: error: `main` has no parameters: nobody could pass them"],
    ),
    (
        "test_with_parameters",
        "#[parklet::test]\nasync fn test(number: u8) {}\nfn main() {}\n",
        &["2:14: error: a test has no parameters: nobody could pass them"],
    ),
    (
        "generic",
        "#[parklet::test]\nasync fn test<T>() {}\nfn main() {}\n",
        &["2:14: error: a test has no generic parameters"],
    ),
    (
        "with_unsafe",
        "#[parklet::test]\nasync unsafe fn test() {}\nfn main() {}\n",
        &["2:7: error: a test cannot be `unsafe`: #[parklet::test] is for a plain `async fn`"],
    ),
    (
        "test_twice",
        "#[parklet::test]\n#[test]\nasync fn test() {}\nfn main() {}\n",
        &["2:2: error: `#[test]` beside #[parklet::test], which takes its place: remove it"],
    ),
    (
        "unknown_argument",
        "#[parklet::main(threads = 2)]\nasync fn main() {}\n",
        &[
            "1:17: error: #[parklet::main] has no argument `threads`; it knows `crate = \"path\"` alone",
        ],
    ),
    (
        "no_value",
        "#[parklet::main(crate)]\nasync fn main() {}\n",
        &["1:17: error: expected `#[parklet::main]` with `(crate = \"path\")`, a path in quotes"],
    ),
    (
        "no_path",
        "#[parklet::main(crate = \"a b\")]\nasync fn main() {}\n",
        &["1:25: error: expected `#[parklet::main]` with `(crate = \"path\")`, a path in quotes"],
    ),
    (
        "one_argument_more",
        "#[parklet::main(crate = \"parklet\", threads = 2)]\nasync fn main() {}\n",
        &["1:36: error: #[parklet::main] has one argument, and this is another"],
    ),
    (
        "nobody_there",
        "#[parklet::main(crate = \"nobody\")]\nasync fn main() {}\n",
        &["1:25: error[E0433]"],
    ),
    // What is wrong inside is reported where it is, as without the attribute.
    (
        "wrong_type",
        "#[parklet::main(crate = \"crate::stand_in\")]\nasync fn main() -> Result<(), String> {\n    7\n}\n",
        &["3:5: error[E0308]: mismatched types"],
    ),
    (
        "wrong_question",
        "#[parklet::main(crate = \"crate::stand_in\")]\nasync fn main() {\n    Err::<(), ()>(())?;\n}\n",
        &["3:22: error[E0277]"],
    ),
];

/// In the place of parklet, so that nothing else has to be built.
const STAND_IN: &str = "
#[allow(dead_code)]
mod stand_in {
    pub mod task {
        pub fn block_on<F: Future>(_: F) -> F::Output {
            loop {}
        }
    }
}
";

#[test]
fn every_mistake_is_named_at_its_place() {
    let package = tempfile::tempdir().unwrap();
    let programs = package.path().join("src/bin");
    fs::create_dir_all(&programs).unwrap();
    let macros = Path::new(env!("CARGO_MANIFEST_DIR")).join("macros");
    let manifest = format!(
        "[workspace]\n[package]\nname = \"mistakes\"\nedition = \"2024\"\n[dependencies]\nparklet = {{ package = \"parklet-macros\", path = {macros:?} }}\n"
    );
    fs::write(package.path().join("Cargo.toml"), manifest).unwrap();
    for (name, source, _) in CASES {
        let program = programs.join(format!("{name}.rs"));
        fs::write(program, format!("{source}{STAND_IN}")).unwrap();
    }

    let cargo = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--keep-going", "--bins"])
        .args(["--message-format", "short"])
        .env("CARGO_TARGET_DIR", package.path().join("target"))
        .env("CARGO_TERM_COLOR", "never")
        .env_remove("RUSTFLAGS")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .current_dir(package.path())
        .output()
        .unwrap();
    assert!(!cargo.status.success());
    let said = String::from_utf8(cargo.stderr).unwrap();
    let mut errors: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in said.lines() {
        let Some(place) = line.strip_prefix("src/bin/") else {
            continue;
        };
        let (name, error) = place.split_once(".rs:").unwrap();
        if !error.contains(": warning: ") {
            errors.entry(name).or_default().push(error);
        }
    }
    for (name, source, expected) in CASES {
        let found = errors.remove(name).unwrap_or_default();
        let fits = found.len() == expected.len()
            && found.iter().zip(*expected).all(|(found, expected)| {
                // Of rustc's own errors the beginning is enough: their words change.
                found == expected || (expected.contains("error[E") && found.starts_with(expected))
            });
        assert!(
            fits,
            "{source}\nexpected {expected:#?}\nfound {found:#?}\nin\n{said}"
        );
    }
}
