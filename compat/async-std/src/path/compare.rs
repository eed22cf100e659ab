//! Paths of all kinds can be compared with each other.

use super::{Path, PathBuf};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::ffi::{OsStr, OsString};

/// Comparisons of two types, both ways round, as paths.
macro_rules! impl_comparisons {
    ($($left:ty, $right:ty;)*) => {$(
        impl<'a, 'b> PartialEq<$right> for $left {
            fn eq(&self, other: &$right) -> bool {
                AsRef::<Path>::as_ref(self).eq(AsRef::<Path>::as_ref(other))
            }
        }

        impl<'a, 'b> PartialEq<$left> for $right {
            fn eq(&self, other: &$left) -> bool {
                other == self
            }
        }

        impl<'a, 'b> PartialOrd<$right> for $left {
            fn partial_cmp(&self, other: &$right) -> Option<Ordering> {
                AsRef::<Path>::as_ref(self).partial_cmp(AsRef::<Path>::as_ref(other))
            }
        }

        impl<'a, 'b> PartialOrd<$left> for $right {
            fn partial_cmp(&self, other: &$left) -> Option<Ordering> {
                other.partial_cmp(self).map(Ordering::reverse)
            }
        }
    )*};
}

impl_comparisons! {
    PathBuf, Path;
    PathBuf, &'a Path;
    Cow<'a, Path>, Path;
    Cow<'a, Path>, &'b Path;
    Cow<'a, Path>, PathBuf;
    PathBuf, OsStr;
    PathBuf, &'a OsStr;
    PathBuf, Cow<'a, OsStr>;
    PathBuf, OsString;
    Path, OsStr;
    Path, &'a OsStr;
    Path, Cow<'a, OsStr>;
    Path, OsString;
    &'a Path, OsStr;
    &'a Path, Cow<'b, OsStr>;
    &'a Path, OsString;
}
