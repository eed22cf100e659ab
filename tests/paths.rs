//! The functions of `fs` on paths: each does what std's does, in one hop to the blocking pool.

use parklet::fs;
use parklet::io::{ErrorKind, Result};
use parklet::task::{block_on, spawn};
use std::error::Error as _;
use std::future::poll_fn;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::pin::pin;

/// Awaits a call that should take one hop: it is polled when it begins, and once more when the pool has done it.
#[track_caller]
fn in_one_hop<T>(call: impl Future<Output = T> + Send) -> T {
    let mut polls = 0;
    let mut call = pin!(call);
    let output = block_on(poll_fn(|cx| {
        polls += 1;
        call.as_mut().poll(cx)
    }));
    assert!(polls <= 2, "it went to the pool {} times", polls - 1);
    output
}

/// A folder, and a path in it.
fn folder() -> (tempfile::TempDir, impl Fn(&str) -> PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    (folder, move |name: &str| path.join(name))
}

#[test]
fn a_file_is_written_read_copied_renamed_and_removed() {
    let (_folder, at) = folder();
    in_one_hop(fs::write(at("one"), "first, longer")).unwrap();
    in_one_hop(fs::write(at("one"), vec![b'o'; 3])).unwrap();
    assert_eq!(in_one_hop(fs::read(at("one"))).unwrap(), b"ooo");
    assert_eq!(in_one_hop(fs::read_to_string(at("one"))).unwrap(), "ooo");

    std::fs::set_permissions(at("one"), PermissionsExt::from_mode(0o640)).unwrap();
    std::fs::write(at("two"), "to be overwritten").unwrap();
    assert_eq!(in_one_hop(fs::copy(at("one"), at("two"))).unwrap(), 3);
    assert_eq!(std::fs::read(at("two")).unwrap(), b"ooo");
    let metadata = in_one_hop(fs::metadata(at("two"))).unwrap();
    assert_eq!((metadata.len(), metadata.mode() & 0o777), (3, 0o640));

    in_one_hop(fs::rename(at("two"), at("three"))).unwrap();
    assert!(!at("two").exists() && at("three").exists());
    in_one_hop(fs::remove_file(at("three"))).unwrap();
    assert!(!at("three").exists() && at("one").exists());
}

#[test]
fn large_contents_are_still_one_hop() {
    let (_folder, at) = folder();
    let contents = vec![7; 5_000_000];
    in_one_hop(fs::write(at("large"), &contents)).unwrap();
    assert!(in_one_hop(fs::read(at("large"))).unwrap() == contents);
    assert_eq!(
        in_one_hop(fs::copy(at("large"), at("copy"))).unwrap(),
        5_000_000
    );
    assert!(std::fs::read(at("copy")).unwrap() == contents);
}

#[test]
fn directories_are_created_and_removed_with_all_above_and_below() {
    let (_folder, at) = folder();
    in_one_hop(fs::create_dir(at("one"))).unwrap();
    assert!(at("one").is_dir());
    in_one_hop(fs::remove_dir(at("one"))).unwrap();
    assert!(!at("one").exists());

    in_one_hop(fs::create_dir_all(at("a/b/c"))).unwrap();
    in_one_hop(fs::create_dir_all(at("a/b/c"))).unwrap();
    std::fs::write(at("a/b/file"), "").unwrap();
    std::fs::write(at("outside"), "").unwrap();
    symlink(at("outside"), at("a/link")).unwrap();
    in_one_hop(fs::remove_dir_all(at("a"))).unwrap();
    assert!(!at("a").exists() && at("outside").exists());
}

#[test]
fn links_are_followed_or_not_as_in_std() {
    let (_folder, at) = folder();
    std::fs::write(at("file"), "four").unwrap();
    symlink("file", at("link")).unwrap();
    assert!(in_one_hop(fs::metadata(at("link"))).unwrap().is_file());
    let link = in_one_hop(fs::symlink_metadata(at("link"))).unwrap();
    assert!(link.is_symlink());
    let leads_to = in_one_hop(fs::read_link(at("link"))).unwrap();
    assert_eq!(leads_to, Path::new("file"));
    let file = in_one_hop(fs::canonicalize(at("./link"))).unwrap();
    assert_eq!(file, at("file").canonicalize().unwrap());

    in_one_hop(fs::hard_link(at("file"), at("name"))).unwrap();
    let is_same = |name| std::fs::metadata(at(name)).unwrap().ino();
    assert_eq!(is_same("file"), is_same("name"));

    let mut permissions = in_one_hop(fs::metadata(at("link"))).unwrap().permissions();
    permissions.set_mode(0o600);
    in_one_hop(fs::set_permissions(at("link"), permissions)).unwrap();
    assert_eq!(std::fs::metadata(at("file")).unwrap().mode() & 0o777, 0o600);
}

#[test]
fn errors_name_the_attempt_and_the_paths_and_keep_the_kind() {
    #[track_caller]
    fn fails<T>(call: impl Future<Output = Result<T>> + Send, kind: ErrorKind, attempt: &str) {
        let Err(error) = in_one_hop(call) else {
            panic!("{attempt:?} worked");
        };
        let cause = error.source().expect("the cause is kept");
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(error.to_string(), format!("{attempt}: {cause}"));
    }
    let (_folder, at) = folder();
    std::fs::write(at("file"), b"\xff").unwrap();
    std::fs::create_dir_all(at("full/of")).unwrap();
    let named = |attempt: &str, path: &str| format!("cannot {attempt} {:?}", at(path));
    let both = |attempt: &str, from: &str, to: &str| {
        format!("cannot {attempt} {:?} to {:?}", at(from), at(to))
    };
    use ErrorKind::{
        AlreadyExists, DirectoryNotEmpty, InvalidData, InvalidInput, IsADirectory, NotADirectory,
        NotFound,
    };
    let no = || at("no");
    fails(
        fs::canonicalize(no()),
        NotFound,
        &named("canonicalize", "no"),
    );
    fails(
        fs::canonicalize(at("file/x")),
        NotADirectory,
        &named("canonicalize", "file/x"),
    );
    fails(
        fs::copy(no(), at("to")),
        NotFound,
        &both("copy", "no", "to"),
    );
    fails(
        fs::copy(at("full"), at("to")),
        InvalidInput,
        &both("copy", "full", "to"),
    );
    fails(
        fs::create_dir(at("file")),
        AlreadyExists,
        &named("create directory", "file"),
    );
    fails(
        fs::create_dir(at("no/x")),
        NotFound,
        &named("create directory", "no/x"),
    );
    fails(
        fs::create_dir_all(at("file")),
        AlreadyExists,
        &named("create directory", "file"),
    );
    fails(
        fs::create_dir_all(at("file/x")),
        NotADirectory,
        &named("create directory", "file/x"),
    );
    fails(
        fs::hard_link(no(), at("to")),
        NotFound,
        &both("link", "no", "to"),
    );
    fails(
        fs::hard_link(at("file"), at("full")),
        AlreadyExists,
        &both("link", "file", "full"),
    );
    fails(
        fs::metadata(no()),
        NotFound,
        &named("get the metadata of", "no"),
    );
    fails(
        fs::symlink_metadata(no()),
        NotFound,
        &named("get the metadata of", "no"),
    );
    fails(fs::read(no()), NotFound, &named("read file", "no"));
    fails(
        fs::read(at("full")),
        IsADirectory,
        &named("read file", "full"),
    );
    fails(
        fs::read_to_string(no()),
        NotFound,
        &named("read file", "no"),
    );
    fails(
        fs::read_to_string(at("file")),
        InvalidData,
        &named("read file", "file"),
    );
    fails(
        fs::read_link(at("file")),
        InvalidInput,
        &named("read link", "file"),
    );
    fails(
        fs::remove_dir(no()),
        NotFound,
        &named("remove directory", "no"),
    );
    fails(
        fs::remove_dir(at("file")),
        NotADirectory,
        &named("remove directory", "file"),
    );
    fails(
        fs::remove_dir(at("full")),
        DirectoryNotEmpty,
        &named("remove directory", "full"),
    );
    fails(
        fs::remove_dir_all(no()),
        NotFound,
        &named("remove directory", "no"),
    );
    fails(fs::remove_file(no()), NotFound, &named("remove file", "no"));
    fails(
        fs::remove_file(at("full")),
        IsADirectory,
        &named("remove file", "full"),
    );
    fails(
        fs::rename(no(), at("to")),
        NotFound,
        &both("rename", "no", "to"),
    );
    fails(
        fs::rename(at("file"), at("full")),
        IsADirectory,
        &both("rename", "file", "full"),
    );
    let open_to_all = || PermissionsExt::from_mode(0o777);
    fails(
        fs::set_permissions(no(), open_to_all()),
        NotFound,
        &named("set the permissions of", "no"),
    );
    fails(
        fs::write(at("full"), ""),
        IsADirectory,
        &named("write file", "full"),
    );
    fails(
        fs::write(at("no/x"), ""),
        NotFound,
        &named("write file", "no/x"),
    );
}

#[test]
fn a_path_with_a_nul_in_it_is_invalid_input() {
    let nul = "with\0nul";
    let kinds = block_on(async {
        [
            fs::canonicalize(nul).await.map(drop),
            fs::copy(nul, "to").await.map(drop),
            fs::copy("Cargo.toml", nul).await.map(drop),
            fs::create_dir(nul).await,
            fs::create_dir_all(nul).await,
            fs::hard_link("Cargo.toml", nul).await,
            fs::metadata(nul).await.map(drop),
            fs::read(nul).await.map(drop),
            fs::read_link(nul).await.map(drop),
            fs::read_to_string(nul).await.map(drop),
            fs::remove_dir(nul).await,
            fs::remove_dir_all(nul).await,
            fs::remove_file(nul).await,
            fs::rename("Cargo.toml", nul).await,
            fs::symlink_metadata(nul).await.map(drop),
            fs::write(nul, "").await,
        ]
    });
    for result in kinds {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains("\"with\\0nul\""), "{error}");
    }
    let (_folder, at) = folder();
    assert_eq!(
        block_on(fs::read("")).unwrap_err().kind(),
        ErrorKind::NotFound
    );
    assert!(!at("nothing").exists());
}

#[test]
fn a_call_that_is_dropped_midway_is_done_all_the_same() {
    let (_folder, at) = folder();
    block_on(async {
        drop(futures_lite::future::poll_once(fs::write(at("file"), "text")).await);
        while std::fs::read(at("file")).unwrap_or_default() != b"text" {
            parklet::task::yield_now().await;
        }
    });
    // One that was never polled is never begun.
    drop(fs::remove_file(at("file")));
    assert!(at("file").exists());
}

#[test]
fn calls_work_on_any_task_with_any_kind_of_path() {
    let (_folder, at) = folder();
    let path = at("file");
    block_on(async {
        let text = spawn(async move {
            let name: &str = path.to_str().unwrap();
            fs::write(name, "a").await?;
            fs::write(&name.to_owned(), "ab").await?;
            fs::write(&path, "abc".to_owned()).await?;
            fs::read_to_string(path).await
        });
        assert_eq!(text.await.unwrap(), "abc");
    });
}
