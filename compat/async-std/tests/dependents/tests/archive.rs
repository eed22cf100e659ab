//! async-tar: archives, packed and unpacked, and read by the system's `tar`.

use async_std::fs::{self, File};
use async_std::io::prelude::*;
use async_std::path::{Path, PathBuf};
use async_std::prelude::*;
use async_tar::{Archive, Builder};
use std::process::Command;

/// A folder with files in it, one of them large, and a link.
async fn fill(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder.join("deep/er")).await?;
    fs::write(folder.join("small.txt"), "hello").await?;
    let large: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    fs::write(folder.join("deep/er/large.bin"), large).await?;
    async_std::os::unix::fs::symlink("small.txt", folder.join("link")).await
}

#[async_std::test]
async fn what_is_packed_is_unpacked_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let home = PathBuf::from(directory.path().to_path_buf());
    let (from, archive, to) = (home.join("from"), home.join("a.tar"), home.join("to"));
    fill(&from).await.unwrap();

    let mut builder = Builder::new(File::create(&archive).await.unwrap());
    builder.follow_symlinks(false);
    builder.append_dir_all("top", &from).await.unwrap();
    builder
        .into_inner()
        .await
        .unwrap()
        .sync_all()
        .await
        .unwrap();
    Archive::new(File::open(&archive).await.unwrap())
        .unpack(&to)
        .await
        .unwrap();

    for file in ["small.txt", "deep/er/large.bin"] {
        let (before, after) = (from.join(file), to.join("top").join(file));
        assert!(
            fs::read(before).await.unwrap() == fs::read(after).await.unwrap(),
            "{file}"
        );
    }
    assert_eq!(
        fs::read_link(to.join("top/link")).await.unwrap(),
        Path::new("small.txt")
    );

    let listed = Command::new("tar")
        .arg("tf")
        .arg(std::path::Path::new(&archive))
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains("top/deep/er/large.bin"), "{listed}");
}

#[async_std::test]
async fn an_archive_of_the_systems_tar_is_read_entry_by_entry() {
    let directory = tempfile::tempdir().unwrap();
    let home = PathBuf::from(directory.path().to_path_buf());
    fill(&home.join("from")).await.unwrap();
    let packed = Command::new("tar")
        .args(["cf", "a.tar", "from"])
        .current_dir(directory.path())
        .status();
    assert!(packed.unwrap().success());

    let archive = Archive::new(File::open(home.join("a.tar")).await.unwrap());
    let mut entries = archive.entries().unwrap();
    let mut text = String::new();
    while let Some(entry) = entries.next().await {
        let mut entry = entry.unwrap();
        if entry.path().unwrap().ends_with("small.txt") {
            entry.read_to_string(&mut text).await.unwrap();
        }
    }
    assert_eq!(text, "hello");
}
