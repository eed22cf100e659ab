//! From one kind of path to the other, and to what else names a file.

use super::{Component, Components, Iter, Path, PathBuf};
use std::borrow::{Borrow, Cow};
use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::ops::Deref;
use std::rc::Rc;
use std::str::FromStr;
use std::sync::Arc;

/// What can be used as a path: a type and how its string is had.
macro_rules! impl_as_path {
    ($($type:ty)*) => {$(
        impl AsRef<Path> for $type {
            fn as_ref(&self) -> &Path {
                Path::new(self)
            }
        }
    )*};
}

impl_as_path!(OsStr OsString Cow<'_, OsStr> str String std::path::Path std::path::PathBuf);

impl AsRef<Path> for Path {
    fn as_ref(&self) -> &Path {
        self
    }
}

impl AsRef<Path> for PathBuf {
    fn as_ref(&self) -> &Path {
        self
    }
}

impl AsRef<Path> for Component<'_> {
    fn as_ref(&self) -> &Path {
        Path::new(self.as_os_str())
    }
}

impl AsRef<Path> for Components<'_> {
    fn as_ref(&self) -> &Path {
        self.as_path()
    }
}

impl AsRef<Path> for Iter<'_> {
    fn as_ref(&self) -> &Path {
        self.as_path()
    }
}

/// What a path of ours can be used as.
macro_rules! impl_as_ref {
    ($($type:ty)*) => {$(
        impl AsRef<OsStr> for $type {
            fn as_ref(&self) -> &OsStr {
                AsRef::<Path>::as_ref(self).as_os_str()
            }
        }
    )*};
}

impl_as_ref!(Path PathBuf Components<'_> Iter<'_>);

impl AsRef<std::path::Path> for Path {
    fn as_ref(&self) -> &std::path::Path {
        self.as_std()
    }
}

impl AsRef<std::path::Path> for PathBuf {
    fn as_ref(&self) -> &std::path::Path {
        &self.inner
    }
}

impl<'a> From<&'a std::path::Path> for &'a Path {
    fn from(path: &'a std::path::Path) -> &'a Path {
        Path::of_std(path)
    }
}

impl<'a> From<&'a Path> for &'a std::path::Path {
    fn from(path: &'a Path) -> &'a std::path::Path {
        path.as_std()
    }
}

impl From<std::path::PathBuf> for PathBuf {
    fn from(inner: std::path::PathBuf) -> PathBuf {
        PathBuf { inner }
    }
}

impl From<PathBuf> for std::path::PathBuf {
    fn from(path: PathBuf) -> std::path::PathBuf {
        path.inner
    }
}

impl Deref for PathBuf {
    type Target = Path;

    fn deref(&self) -> &Path {
        self.as_path()
    }
}

impl Borrow<Path> for PathBuf {
    fn borrow(&self) -> &Path {
        self
    }
}

impl ToOwned for Path {
    type Owned = PathBuf;

    fn to_owned(&self) -> PathBuf {
        self.to_path_buf()
    }
}

impl Clone for Box<Path> {
    fn clone(&self) -> Box<Path> {
        Box::from(&**self)
    }
}

impl From<Box<Path>> for PathBuf {
    fn from(path: Box<Path>) -> PathBuf {
        path.into_path_buf()
    }
}

impl From<PathBuf> for Box<Path> {
    fn from(path: PathBuf) -> Box<Path> {
        path.into_boxed_path()
    }
}

impl From<PathBuf> for Arc<Path> {
    fn from(path: PathBuf) -> Arc<Path> {
        path.as_path().into()
    }
}

impl From<PathBuf> for Rc<Path> {
    fn from(path: PathBuf) -> Rc<Path> {
        path.as_path().into()
    }
}

impl<T: AsRef<OsStr> + ?Sized> From<&T> for PathBuf {
    fn from(text: &T) -> PathBuf {
        PathBuf::from(text.as_ref().to_os_string())
    }
}

impl From<OsString> for PathBuf {
    fn from(text: OsString) -> PathBuf {
        PathBuf { inner: text.into() }
    }
}

impl From<String> for PathBuf {
    fn from(text: String) -> PathBuf {
        PathBuf { inner: text.into() }
    }
}

impl From<PathBuf> for OsString {
    fn from(path: PathBuf) -> OsString {
        path.into_os_string()
    }
}

impl FromStr for PathBuf {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<PathBuf, Infallible> {
        Ok(PathBuf::from(text))
    }
}

impl<'a> From<&'a Path> for Cow<'a, Path> {
    fn from(path: &'a Path) -> Cow<'a, Path> {
        Cow::Borrowed(path)
    }
}

impl<'a> From<&'a PathBuf> for Cow<'a, Path> {
    fn from(path: &'a PathBuf) -> Cow<'a, Path> {
        Cow::Borrowed(path)
    }
}

impl From<PathBuf> for Cow<'_, Path> {
    fn from(path: PathBuf) -> Self {
        Cow::Owned(path)
    }
}

impl From<Cow<'_, Path>> for PathBuf {
    fn from(path: Cow<'_, Path>) -> PathBuf {
        path.into_owned()
    }
}
