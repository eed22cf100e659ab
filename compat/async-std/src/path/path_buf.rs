//! An owned path.

use super::Path;
use std::ffi::{OsStr, OsString};
use std::fmt;

/// An owned path that can grow, as `std::path::PathBuf`.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathBuf {
    /// std's.
    pub(super) inner: std::path::PathBuf,
}

impl PathBuf {
    /// An empty path.
    pub fn new() -> PathBuf {
        PathBuf::default()
    }

    /// The path as a borrowed one.
    pub fn as_path(&self) -> &Path {
        Path::of_std(&self.inner)
    }

    /// Puts another path behind it; an absolute one takes its place.
    pub fn push<P: AsRef<Path>>(&mut self, path: P) {
        self.inner.push(path.as_ref().as_std());
    }

    /// Takes the last component off; `false` if there is none to take.
    pub fn pop(&mut self) -> bool {
        self.inner.pop()
    }

    /// Changes the file name, or adds one.
    pub fn set_file_name<S: AsRef<OsStr>>(&mut self, file_name: S) {
        self.inner.set_file_name(file_name);
    }

    /// Changes the extension, or adds one; `false` if there is no file name.
    pub fn set_extension<S: AsRef<OsStr>>(&mut self, extension: S) -> bool {
        self.inner.set_extension(extension)
    }

    /// The path as a string of the system.
    pub fn into_os_string(self) -> OsString {
        self.inner.into_os_string()
    }

    /// The path in a box.
    pub fn into_boxed_path(self) -> Box<Path> {
        self.as_path().into()
    }
}

impl fmt::Debug for PathBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<P: AsRef<Path>> FromIterator<P> for PathBuf {
    fn from_iter<I: IntoIterator<Item = P>>(iter: I) -> PathBuf {
        let mut path = PathBuf::new();
        path.extend(iter);
        path
    }
}

impl<P: AsRef<Path>> Extend<P> for PathBuf {
    fn extend<I: IntoIterator<Item = P>>(&mut self, iter: I) {
        iter.into_iter().for_each(|part| self.push(part));
    }
}
