//! A borrowed path.
//!
//! It is std's path under another name and of the same layout, so a reference to one is a reference to the other. The
//! casts between them are the annex's only unsafe code, and all of them are here.

#![allow(
    unsafe_code,
    reason = "a reference to an unsized wrapper can only be had from a cast"
)]

use super::{Ancestors, Components, Display, Iter, PathBuf, StripPrefixError};
use crate::{fs, io};
use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

/// A slice of a path, as `std::path::Path`.
#[derive(PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub struct Path {
    /// std's.
    inner: std::path::Path,
}

impl Path {
    /// A string as a path.
    pub fn new<S: AsRef<OsStr> + ?Sized>(s: &S) -> &Path {
        Path::of_std(std::path::Path::new(s))
    }

    /// std's path as ours.
    pub(super) fn of_std(path: &std::path::Path) -> &Path {
        // SAFETY: `Path` is a transparent wrapper around std's path, so the two have one layout and one pointer metadata.
        unsafe { &*(std::ptr::from_ref(path) as *const Path) }
    }

    /// Ours as std's.
    pub(super) fn as_std(&self) -> &std::path::Path {
        &self.inner
    }

    /// The path as a string of the system.
    pub fn as_os_str(&self) -> &OsStr {
        self.inner.as_os_str()
    }

    /// The path as text, if it is text.
    pub fn to_str(&self) -> Option<&str> {
        self.inner.to_str()
    }

    /// The path as text, with U+FFFD for what is none.
    pub fn to_string_lossy(&self) -> Cow<'_, str> {
        self.inner.to_string_lossy()
    }

    /// The path as an owned one.
    pub fn to_path_buf(&self) -> PathBuf {
        PathBuf::from(self.inner.to_path_buf())
    }

    /// Whether it begins at the root.
    pub fn is_absolute(&self) -> bool {
        self.inner.is_absolute()
    }

    /// Whether it begins where the process is.
    pub fn is_relative(&self) -> bool {
        self.inner.is_relative()
    }

    /// Whether it has a root.
    pub fn has_root(&self) -> bool {
        self.inner.has_root()
    }

    /// The path without its last component.
    pub fn parent(&self) -> Option<&Path> {
        self.inner.parent().map(Path::of_std)
    }

    /// The path, its parent, the parent's parent, and so on.
    pub fn ancestors(&self) -> Ancestors<'_> {
        Ancestors { next: Some(self) }
    }

    /// The last component, if it is a name.
    pub fn file_name(&self) -> Option<&OsStr> {
        self.inner.file_name()
    }

    /// The path that leads here from `base`.
    ///
    /// # Errors
    ///
    /// If the path does not begin with `base`.
    pub fn strip_prefix<P: AsRef<Path>>(&self, base: P) -> Result<&Path, StripPrefixError> {
        self.inner
            .strip_prefix(base.as_ref().as_std())
            .map(Path::of_std)
    }

    /// Whether the first components are those of `base`.
    pub fn starts_with<P: AsRef<Path>>(&self, base: P) -> bool {
        self.inner.starts_with(base.as_ref().as_std())
    }

    /// Whether the last components are those of `child`.
    pub fn ends_with<P: AsRef<Path>>(&self, child: P) -> bool {
        self.inner.ends_with(child.as_ref().as_std())
    }

    /// The file name without its extension.
    pub fn file_stem(&self) -> Option<&OsStr> {
        self.inner.file_stem()
    }

    /// What follows the last dot of the file name.
    pub fn extension(&self) -> Option<&OsStr> {
        self.inner.extension()
    }

    /// The path with another one behind it; an absolute one takes its place.
    pub fn join<P: AsRef<Path>>(&self, path: P) -> PathBuf {
        self.inner.join(path.as_ref().as_std()).into()
    }

    /// The path with another file name.
    pub fn with_file_name<S: AsRef<OsStr>>(&self, file_name: S) -> PathBuf {
        self.inner.with_file_name(file_name).into()
    }

    /// The path with another extension.
    pub fn with_extension<S: AsRef<OsStr>>(&self, extension: S) -> PathBuf {
        self.inner.with_extension(extension).into()
    }

    /// The components one by one.
    pub fn components(&self) -> Components<'_> {
        Components {
            inner: self.inner.components(),
        }
    }

    /// The components one by one, as strings.
    pub fn iter(&self) -> Iter<'_> {
        Iter {
            components: self.components(),
        }
    }

    /// The path as something that can be printed.
    pub fn display(&self) -> Display<'_> {
        self.inner.display()
    }

    /// What is known about the file, through symbolic links.
    ///
    /// # Errors
    ///
    /// As [`fs::metadata`].
    pub async fn metadata(&self) -> io::Result<fs::Metadata> {
        fs::metadata(self).await
    }

    /// What is known about the file, or about the symbolic link itself.
    ///
    /// # Errors
    ///
    /// As [`fs::symlink_metadata`].
    pub async fn symlink_metadata(&self) -> io::Result<fs::Metadata> {
        fs::symlink_metadata(self).await
    }

    /// The absolute path without links and dots.
    ///
    /// # Errors
    ///
    /// As [`fs::canonicalize`].
    pub async fn canonicalize(&self) -> io::Result<PathBuf> {
        fs::canonicalize(self).await
    }

    /// Where the symbolic link leads.
    ///
    /// # Errors
    ///
    /// As [`fs::read_link`].
    pub async fn read_link(&self) -> io::Result<PathBuf> {
        fs::read_link(self).await
    }

    /// A stream of what is in the directory.
    ///
    /// # Errors
    ///
    /// As [`fs::read_dir`].
    pub async fn read_dir(&self) -> io::Result<fs::ReadDir> {
        fs::read_dir(self).await
    }

    /// Whether there is something, as far as can be seen.
    pub async fn exists(&self) -> bool {
        fs::metadata(self).await.is_ok()
    }

    /// Whether there is a file.
    pub async fn is_file(&self) -> bool {
        fs::metadata(self).await.is_ok_and(|found| found.is_file())
    }

    /// Whether there is a directory.
    pub async fn is_dir(&self) -> bool {
        fs::metadata(self).await.is_ok_and(|found| found.is_dir())
    }

    /// The owned path, without a copy.
    pub fn into_path_buf(self: Box<Path>) -> PathBuf {
        let raw = Box::into_raw(self) as *mut std::path::Path;
        // SAFETY: the pointer comes from a box, and the two types have one layout.
        let path = unsafe { Box::from_raw(raw) };
        path.into_path_buf().into()
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl From<&Path> for Box<Path> {
    fn from(path: &Path) -> Box<Path> {
        let raw = Box::into_raw(Box::<std::path::Path>::from(path.as_std())) as *mut Path;
        // SAFETY: the pointer comes from a box, and the two types have one layout.
        unsafe { Box::from_raw(raw) }
    }
}

impl From<&Path> for Arc<Path> {
    fn from(path: &Path) -> Arc<Path> {
        let raw = Arc::into_raw(Arc::<std::path::Path>::from(path.as_std())) as *const Path;
        // SAFETY: the pointer comes from an `Arc`, and the two types have one layout.
        unsafe { Arc::from_raw(raw) }
    }
}

impl From<&Path> for Rc<Path> {
    fn from(path: &Path) -> Rc<Path> {
        let raw = Rc::into_raw(Rc::<std::path::Path>::from(path.as_std())) as *const Path;
        // SAFETY: the pointer comes from an `Rc`, and the two types have one layout.
        unsafe { Rc::from_raw(raw) }
    }
}
