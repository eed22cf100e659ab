//! Files and paths: what async-std says of them, and its words for what goes wrong.

use async_std::fs::{self, DirBuilder, File, OpenOptions};
use async_std::io::prelude::*;
use async_std::io::{self, SeekFrom};
use async_std::path::{Path, PathBuf};
use async_std::prelude::*;
use async_std::task::block_on;
use std::error::Error;

/// A directory of a test's own, as a path of async-std's.
fn directory() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = PathBuf::from(directory.path().to_path_buf());
    (directory, path)
}

#[test]
fn a_file_is_written_and_read_with_one_cursor() {
    block_on(async {
        let (_directory, path) = directory();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        let mut file = options.open(path.join("a")).await?;
        file.write_all(b"hello world").await?;
        file.seek(SeekFrom::Start(6)).await?;
        let mut text = String::new();
        file.read_to_string(&mut text).await?;
        assert_eq!(text, "world");

        let mut clone = file.clone();
        clone.seek(SeekFrom::Start(0)).await?;
        let mut begin = [0; 5];
        (&file).read_exact(&mut begin).await?;
        assert_eq!(&begin, b"hello");

        file.set_len(7).await?;
        file.sync_all().await?;
        file.sync_data().await?;
        assert_eq!(file.metadata().await?.len(), 7);
        io::Result::Ok(())
    })
    .unwrap();
}

#[test]
fn the_functions_do_what_they_say() {
    block_on(async {
        let (_directory, path) = directory();
        let (a, b, c) = (path.join("a"), path.join("b"), path.join("c"));
        fs::write(&a, "text").await?;
        assert_eq!(fs::copy(&a, &b).await?, 4);
        fs::rename(&b, &c).await?;
        assert_eq!(fs::read(&c).await?, b"text");
        assert_eq!(fs::read_to_string(&c).await?, "text");
        fs::hard_link(&c, &b).await?;
        async_std::os::unix::fs::symlink(&c, path.join("link")).await?;
        assert_eq!(fs::read_link(path.join("link")).await?, c);
        assert_eq!(
            fs::canonicalize(path.join("link")).await?,
            fs::canonicalize(&c).await?
        );
        assert!(
            fs::symlink_metadata(path.join("link"))
                .await?
                .file_type()
                .is_symlink()
        );
        assert!(fs::metadata(path.join("link")).await?.is_file());

        let mut permissions = fs::metadata(&c).await?.permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&c, permissions).await?;
        assert!(fs::metadata(&c).await?.permissions().readonly());
        fs::remove_file(&c).await?;

        fs::create_dir(path.join("one")).await?;
        fs::create_dir_all(path.join("one/two/three")).await?;
        DirBuilder::new()
            .recursive(true)
            .create(path.join("one/two/four"))
            .await?;
        fs::remove_dir(path.join("one/two/three")).await?;
        fs::remove_dir_all(path.join("one")).await?;
        assert!(!path.join("one").exists().await);
        io::Result::Ok(())
    })
    .unwrap();
}

#[test]
fn a_directory_is_a_stream_of_entries() {
    block_on(async {
        let (_directory, path) = directory();
        fs::write(path.join("file"), "").await?;
        fs::create_dir(path.join("folder")).await?;
        let mut entries: fs::ReadDir = fs::read_dir(&path).await?;
        let mut found = Vec::new();
        while let Some(entry) = entries.next().await {
            let entry: fs::DirEntry = entry?;
            assert_eq!(entry.path(), path.join(entry.file_name()));
            let kind: fs::FileType = entry.file_type().await?;
            assert_eq!(kind.is_dir(), entry.metadata().await?.is_dir());
            found.push((entry.file_name().into_string().unwrap(), kind.is_dir()));
        }
        found.sort();
        assert_eq!(
            found,
            [("file".to_string(), false), ("folder".to_string(), true)]
        );
        io::Result::Ok(())
    })
    .unwrap();
}

/// The message, and the number of the system's error behind it.
fn explained(error: &io::Error) -> (String, Option<i32>) {
    assert_eq!(error.raw_os_error(), None);
    let source = error.source().unwrap().downcast_ref::<io::Error>().unwrap();
    assert_eq!(source.kind(), error.kind());
    (error.to_string(), source.raw_os_error())
}

#[test]
fn errors_name_the_attempt_in_async_stds_words() {
    const NOT_FOUND: Option<i32> = Some(2);
    block_on(async {
        let none = "no/such";
        let message = |what: &str| (what.to_string(), NOT_FOUND);
        assert_eq!(
            explained(&File::open(none).await.unwrap_err()),
            message("could not open `no/such`")
        );
        assert_eq!(
            explained(&fs::read(none).await.unwrap_err()),
            message("could not read file `no/such`")
        );
        assert_eq!(
            explained(&fs::read_to_string(none).await.unwrap_err()),
            message("could not read file `no/such`")
        );
        assert_eq!(
            explained(&fs::write(none, "").await.unwrap_err()),
            message("could not write to file `no/such`")
        );
        assert_eq!(
            explained(&fs::canonicalize(none).await.unwrap_err()),
            message("could not canonicalize `no/such`")
        );
        assert_eq!(
            explained(&fs::create_dir(none).await.unwrap_err()),
            message("could not create directory `no/such`")
        );
        assert_eq!(
            explained(&fs::read_link(none).await.unwrap_err()),
            message("could not read link `no/such`")
        );
        assert_eq!(
            explained(&fs::remove_dir(none).await.unwrap_err()),
            message("could not remove directory `no/such`")
        );
        assert_eq!(
            explained(&fs::remove_dir_all(none).await.unwrap_err()),
            message("could not remove directory `no/such`")
        );
        assert_eq!(
            explained(&fs::remove_file(none).await.unwrap_err()),
            message("could not remove file `no/such`")
        );
        assert_eq!(
            explained(&fs::read_dir(none).await.unwrap_err()),
            message("could not read directory `no/such`")
        );
        assert_eq!(
            explained(&fs::copy(none, "b").await.unwrap_err()),
            message("could not copy `no/such` to `b`")
        );
        assert_eq!(
            explained(&fs::rename(none, "b").await.unwrap_err()),
            message("could not rename `no/such` to `b`")
        );
        assert_eq!(
            explained(&fs::hard_link(none, "b").await.unwrap_err()),
            message("could not create a hard link from `no/such` to `b`")
        );
        let error = fs::create_dir_all("/proc/no/such").await.unwrap_err();
        assert_eq!(
            explained(&error).0,
            "could not create directory path `/proc/no/such`"
        );
    });
}

#[test]
fn where_async_std_adds_nothing_the_error_is_the_systems() {
    block_on(async {
        let none = "no/such";
        let errors = [
            File::create(none).await.unwrap_err(),
            OpenOptions::new().read(true).open(none).await.unwrap_err(),
            DirBuilder::new().create(none).await.unwrap_err(),
            fs::metadata(none).await.unwrap_err(),
            fs::symlink_metadata(none).await.unwrap_err(),
            async_std::os::unix::fs::symlink("a", none)
                .await
                .unwrap_err(),
            Path::new(none).metadata().await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.raw_os_error(), Some(2), "{error}");
        }
    });
}

#[test]
fn a_path_that_the_system_cannot_take_is_an_error() {
    block_on(async {
        let error = File::open("a\0b").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert!(
            error.to_string().starts_with("could not open `a"),
            "{error}"
        );
        assert!(error.source().is_some());
        assert_eq!(
            fs::metadata("a\0b").await.unwrap_err().kind(),
            io::ErrorKind::InvalidInput
        );
    });
}

#[test]
fn the_future_of_an_open_does_not_borrow_the_options() {
    let (_directory, path) = directory();
    let opened = {
        let mut options = OpenOptions::new();
        options.write(true).create(true);
        options.open(path.join("a"))
    };
    assert!(block_on(async_std::task::spawn(opened)).is_ok());
}
