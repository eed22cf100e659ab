//! Paths: std's meaning under async-std's name, from and to everything that names a file.

use async_std::path::{Ancestors, Component, Components, Iter, Path, PathBuf, StripPrefixError};
use async_std::task::block_on;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::rc::Rc;
use std::sync::Arc;

#[test]
fn a_path_is_taken_apart_as_stds() {
    let path = Path::new("/usr/lib/a.tar.gz");
    assert_eq!(path.file_name(), Some(OsStr::new("a.tar.gz")));
    assert_eq!(path.file_stem(), Some(OsStr::new("a.tar")));
    assert_eq!(path.extension(), Some(OsStr::new("gz")));
    assert_eq!(path.parent(), Some(Path::new("/usr/lib")));
    assert!(path.is_absolute() && path.has_root() && !path.is_relative());
    assert!(path.starts_with("/usr") && path.ends_with("lib/a.tar.gz"));
    assert_eq!(path.strip_prefix("/usr"), Ok(Path::new("lib/a.tar.gz")));
    let _: StripPrefixError = path.strip_prefix("/etc").unwrap_err();
    assert_eq!(path.with_extension("xz"), Path::new("/usr/lib/a.tar.xz"));
    assert_eq!(path.with_file_name("b"), Path::new("/usr/lib/b"));
    assert_eq!(
        (path.to_str(), path.to_string_lossy()),
        (Some("/usr/lib/a.tar.gz"), Cow::from("/usr/lib/a.tar.gz"))
    );
    assert_eq!(
        (path.display().to_string(), format!("{path:?}")),
        ("/usr/lib/a.tar.gz".into(), "\"/usr/lib/a.tar.gz\"".into())
    );

    let ancestors: Ancestors<'_> = Path::new("/a/b").ancestors();
    assert_eq!(
        ancestors.collect::<Vec<_>>(),
        ["/a/b", "/a", "/"].map(Path::new)
    );
    let mut components: Components<'_> = Path::new("/a/../b").components();
    assert_eq!(components.next(), Some(Component::RootDir));
    assert_eq!(
        components.next_back(),
        Some(Component::Normal(OsStr::new("b")))
    );
    assert_eq!(components.as_path(), Path::new("a/.."));
    let iter: Iter<'_> = Path::new("a/b").iter();
    assert_eq!(iter.collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!((&PathBuf::from("a/b")).into_iter().count(), 2);
}

#[test]
fn an_owned_path_grows_and_shrinks() {
    let mut path = PathBuf::from("a");
    path.push("b");
    path.set_extension("txt");
    assert_eq!(path, Path::new("a/b.txt"));
    path.set_file_name("c");
    assert!(path.pop());
    assert_eq!(path, Path::new("a"));
    path.extend(["d", "e"]);
    assert_eq!(["a", "d", "e"].iter().collect::<PathBuf>(), path);
    path.push("/b");
    assert_eq!(path.as_path(), Path::new("/b"));
    assert_eq!(path.into_os_string(), "/b");
}

#[test]
fn paths_convert_both_ways() {
    let std_path = std::path::Path::new("a/b");
    let path: &Path = std_path.into();
    let back: &std::path::Path = path.into();
    assert_eq!(back, std_path);
    let owned: PathBuf = std_path.to_path_buf().into();
    let back: std::path::PathBuf = owned.clone().into();
    assert_eq!(back, std_path);

    fn as_std(path: impl AsRef<std::path::Path>) -> std::path::PathBuf {
        path.as_ref().to_path_buf()
    }
    fn as_ours(path: impl AsRef<Path>) -> PathBuf {
        path.as_ref().to_path_buf()
    }
    assert_eq!((as_std(path), as_std(&owned)), (back.clone(), back.clone()));
    let all = [
        as_ours("a/b"),
        as_ours(String::from("a/b")),
        as_ours(OsStr::new("a/b")),
        as_ours(OsString::from("a/b")),
        as_ours(std_path),
        as_ours(&back),
        as_ours(path),
        as_ours(&owned),
        as_ours(path.components()),
        as_ours(path.iter()),
        as_ours(Cow::Borrowed(OsStr::new("a/b"))),
        "a/b".parse().unwrap(),
        PathBuf::from(OsString::from("a/b")),
        PathBuf::from(Cow::Borrowed(path)),
        PathBuf::from(Box::<Path>::from(path)),
        PathBuf::from(Box::<Path>::from(owned.clone()).clone()),
        Arc::<Path>::from(path).to_path_buf(),
        Rc::<Path>::from(owned.clone()).to_path_buf(),
        Arc::<Path>::from(owned.clone()).to_path_buf(),
        Rc::<Path>::from(path).to_path_buf(),
    ];
    for one in all {
        assert_eq!(one, owned);
    }
    assert_eq!(as_ours(Component::ParentDir), Path::new(".."));
}

#[test]
fn paths_compare_with_each_other_and_with_strings() {
    let owned = PathBuf::from("b");
    assert!(owned == *Path::new("b") && *Path::new("b") == owned && owned == Path::new("b"));
    assert!(owned == *OsStr::new("b") && *OsStr::new("b") == owned && owned == OsString::from("b"));
    assert!(Cow::Borrowed(Path::new("b")) == owned && *Path::new("b") == OsString::from("b"));
    assert!(
        owned > *Path::new("a")
            && *Path::new("a") < owned
            && owned < OsString::from("c")
            && OsString::from("c") > owned
    );
}

#[test]
fn paths_are_keys_and_looked_up_borrowed() {
    let map = HashMap::from([(PathBuf::from("a"), 1)]);
    assert_eq!(map.get(Path::new("a")), Some(&1));
    let set = BTreeSet::from([PathBuf::from("a")]);
    assert!(set.contains(Path::new("a")));
}

#[test]
fn the_file_system_is_asked_asynchronously() {
    let directory = tempfile::tempdir().unwrap();
    let path = Path::new(directory.path());
    block_on(async {
        assert!(path.exists().await && path.is_dir().await && !path.is_file().await);
        assert!(
            path.metadata().await.unwrap().is_dir()
                && path.symlink_metadata().await.unwrap().is_dir()
        );
        assert!(path.canonicalize().await.unwrap().is_absolute());
        assert!(path.read_dir().await.is_ok() && path.read_link().await.is_err());
        assert!(!path.join("none").exists().await);
    });
}
