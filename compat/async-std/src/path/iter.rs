//! The parts of a path.

use super::{Component, Path, PathBuf};
use std::ffi::OsStr;
use std::fmt;
use std::iter::FusedIterator;

/// A path, its parent, the parent's parent, and so on: [`Path::ancestors`].
#[derive(Clone, Copy, Debug)]
pub struct Ancestors<'a> {
    /// The next one.
    pub(super) next: Option<&'a Path>,
}

impl<'a> Iterator for Ancestors<'a> {
    type Item = &'a Path;

    fn next(&mut self) -> Option<&'a Path> {
        let next = self.next;
        self.next = next.and_then(Path::parent);
        next
    }
}

impl FusedIterator for Ancestors<'_> {}

/// The components of a path: [`Path::components`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Components<'a> {
    /// std's.
    pub(super) inner: std::path::Components<'a>,
}

impl<'a> Components<'a> {
    /// What is left of the path.
    pub fn as_path(&self) -> &'a Path {
        Path::of_std(self.inner.as_path())
    }
}

impl<'a> Iterator for Components<'a> {
    type Item = Component<'a>;

    fn next(&mut self) -> Option<Component<'a>> {
        self.inner.next()
    }
}

impl<'a> DoubleEndedIterator for Components<'a> {
    fn next_back(&mut self) -> Option<Component<'a>> {
        self.inner.next_back()
    }
}

impl FusedIterator for Components<'_> {}

/// The components of a path as strings: [`Path::iter`].
#[derive(Clone)]
pub struct Iter<'a> {
    /// As components.
    pub(super) components: Components<'a>,
}

impl<'a> Iter<'a> {
    /// What is left of the path.
    pub fn as_path(&self) -> &'a Path {
        self.components.as_path()
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = &'a OsStr;

    fn next(&mut self) -> Option<&'a OsStr> {
        self.components.next().map(Component::as_os_str)
    }
}

impl<'a> DoubleEndedIterator for Iter<'a> {
    fn next_back(&mut self) -> Option<&'a OsStr> {
        self.components.next_back().map(Component::as_os_str)
    }
}

impl FusedIterator for Iter<'_> {}

impl fmt::Debug for Iter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

impl<'a> IntoIterator for &'a Path {
    type Item = &'a OsStr;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for &'a PathBuf {
    type Item = &'a OsStr;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}
