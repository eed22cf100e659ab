//! Directories: created, and read in batches.

use futures_lite::future::poll_once;
use parklet::fs::{self, DirBuilder, ReadDir};
use parklet::io::{ErrorKind, Result};
use parklet::os::unix::fs::{
    DirBuilderExt, DirEntryExt, FileTypeExt, MetadataExt, PermissionsExt, symlink,
};
use parklet::prelude::*;
use parklet::task::{block_on, spawn, yield_now};
use std::error::Error as _;
use std::future::poll_fn;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::pin::pin;

/// A folder with so many files, and its path.
fn folder_of(files: usize) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    for file in 0..files {
        std::fs::write(folder.path().join(format!("file {file:04}")), "").unwrap();
    }
    let path = folder.path().to_owned();
    (folder, path)
}

/// The names, sorted.
async fn names(mut entries: ReadDir) -> Result<Vec<String>> {
    let mut names = Vec::new();
    while let Some(entry) = entries.next().await {
        names.push(entry?.file_name().into_string().unwrap());
    }
    assert!(entries.next().await.is_none());
    names.sort();
    Ok(names)
}

#[test]
fn each_entry_comes_once_and_many_in_one_hop() {
    for (files, most_hops) in [(0, 1), (1, 1), (250, 1), (1000, 4)] {
        let (_folder, path) = folder_of(files);
        let mut polls = 0;
        let mut all = pin!(async { names(fs::read_dir(&path).await?).await });
        let found = block_on(poll_fn(|cx| {
            polls += 1;
            all.as_mut().poll(cx)
        }));
        let expected: Vec<_> = (0..files).map(|file| format!("file {file:04}")).collect();
        assert_eq!(found.unwrap(), expected);
        assert!(polls <= 1 + most_hops, "{files} files took {polls} polls");
    }
}

#[test]
fn a_next_that_is_dropped_midway_loses_nothing() {
    let (_folder, path) = folder_of(1000);
    block_on(async {
        // The pool may be quicker than the task each time, but not for ever.
        let mut dropped = 0;
        while dropped == 0 {
            let mut entries = fs::read_dir(&path).await.unwrap();
            let mut found = 0;
            loop {
                match poll_once(entries.next()).await {
                    Some(Some(entry)) => {
                        entry.unwrap();
                        found += 1;
                    }
                    Some(None) => break,
                    None => {
                        dropped += 1;
                        yield_now().await;
                    }
                }
            }
            assert_eq!(found, 1000);
        }
        // Begun in the middle, and dropped with a batch under way.
        let mut entries = fs::read_dir(&path).await.unwrap();
        while let Some(Some(_)) = poll_once(entries.next()).await {}
    });
}

#[test]
fn an_entry_says_what_it_is() {
    let (_folder, path) = folder_of(1);
    std::fs::create_dir(path.join("directory")).unwrap();
    let _listener = UnixListener::bind(path.join("socket")).unwrap();
    block_on(async {
        symlink("file 0000", path.join("link")).await.unwrap();
        let entries: Vec<_> = fs::read_dir(&path).await.unwrap().collect().await;
        assert_eq!(entries.len(), 4);
        for entry in entries {
            let entry = entry.unwrap().clone();
            let is_known = poll_once(entry.file_type()).await;
            let file_type = is_known.expect("no hop is needed").unwrap();
            let metadata = spawn({
                let entry = entry.clone();
                async move { entry.metadata().await.unwrap() }
            })
            .await;
            assert_eq!(file_type, metadata.file_type());
            assert_eq!(entry.ino(), metadata.ino());
            assert_eq!(entry.path(), path.join(entry.file_name()));
            assert!(format!("{entry:?}").contains(entry.file_name().to_str().unwrap()));
            match entry.file_name().to_str().unwrap() {
                "file 0000" => assert!(file_type.is_file()),
                "directory" => assert!(file_type.is_dir()),
                "link" => assert!(file_type.is_symlink()),
                "socket" => assert!(file_type.is_socket()),
                other => panic!("{other:?} was not there"),
            }
        }
    });
}

#[test]
fn an_entry_that_has_gone_is_not_found() {
    let (folder, path) = folder_of(1);
    block_on(async {
        let mut entries = fs::read_dir(&path).await.unwrap();
        drop(folder);
        let entry = entries.next().await.unwrap().unwrap();
        assert!(entry.file_type().await.unwrap().is_file());
        let error = entry.metadata().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let attempt = format!("cannot get the metadata of {:?}", path.join("file 0000"));
        let cause = error.source().unwrap();
        assert_eq!(error.to_string(), format!("{attempt}: {cause}"));
    });
}

#[test]
fn what_is_no_directory_cannot_be_read() {
    let (_folder, path) = folder_of(1);
    let cases = [
        (path.join("no"), ErrorKind::NotFound),
        (path.join("file 0000"), ErrorKind::NotADirectory),
        ("with\0nul".into(), ErrorKind::InvalidInput),
        ("".into(), ErrorKind::NotFound),
    ];
    for (path, kind) in cases {
        let error = block_on(fs::read_dir(&path)).unwrap_err();
        assert_eq!(error.kind(), kind);
        let cause = error.source().unwrap();
        let expected = format!("cannot read directory {path:?}: {cause}");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_builder_creates_what_it_was_told() {
    let (_folder, path) = folder_of(0);
    block_on(async {
        let deep = path.join("a/b");
        let mut builder = DirBuilder::new();
        let error = builder.create(&deep).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let begin = format!("cannot create directory {deep:?}: ");
        assert!(error.to_string().starts_with(&begin), "{error}");

        builder.recursive(true).mode(0o700);
        for _ in 0..2 {
            builder.create(&deep).await.unwrap();
        }
        let mode = deep.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);

        // The future is on its own: what is told to the builder now is for the next one.
        let create = builder.create(path.join("c/d"));
        builder.recursive(false);
        create.await.unwrap();
        let error = builder.create(path.join("c/d")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        let error = builder.create("with\0nul").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn a_link_that_is_there_already_is_not_replaced() {
    let (_folder, path) = folder_of(0);
    block_on(async {
        let link = path.join("link");
        symlink("one", &link).await.unwrap();
        let error = symlink("two", &link).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        let begin = format!("cannot link \"two\" to {link:?}: ");
        assert!(error.to_string().starts_with(&begin), "{error}");
        assert_eq!(link.read_link().unwrap().to_str(), Some("one"));
    });
}
