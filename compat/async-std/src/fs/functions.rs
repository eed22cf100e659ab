//! The free functions on paths: parklet's, each with async-std's text for an error, or with none where async-std has none.

use super::{Metadata, Permissions};
use crate::context::Context;
use crate::io;
use crate::path::{Path, PathBuf};

/// A function on one path: its result, what it does, and what its error says if it says anything.
macro_rules! functions_on_a_path {
    ($(
        #[doc = $what:literal]
        $name:ident -> $result:ty $(, $attempt:literal)?;
    )*) => {$(
        #[doc = $what]
        ///
        /// # Errors
        ///
        /// The system's; where async-std names the path in it, so does this.
        pub async fn $name<P: AsRef<Path>>(path: P) -> io::Result<$result> {
            let path = path.as_ref();
            let result = parklet::fs::$name(path).await.map(Into::into);
            named!(result, path $(, $attempt)?)
        }
    )*};
}

/// A result whose error names the attempt, or is the system's own.
macro_rules! named {
    ($result:expr, $path:ident) => {
        $result.bare()
    };
    ($result:expr, $path:ident, $attempt:literal) => {
        $result.context(|| format!(concat!($attempt, " `{}`"), $path.display()))
    };
}

functions_on_a_path! {
    /// The absolute path without links and dots.
    canonicalize -> PathBuf, "could not canonicalize";
    /// Makes an empty directory.
    create_dir -> (), "could not create directory";
    /// Makes an empty directory, and those it lies in.
    create_dir_all -> (), "could not create directory path";
    /// What is known about a file, through symbolic links.
    metadata -> Metadata;
    /// The whole of a file.
    read -> Vec<u8>, "could not read file";
    /// Where a symbolic link leads.
    read_link -> PathBuf, "could not read link";
    /// The whole of a file, as text.
    read_to_string -> String, "could not read file";
    /// Removes an empty directory.
    remove_dir -> (), "could not remove directory";
    /// Removes a directory and all that is in it.
    remove_dir_all -> (), "could not remove directory";
    /// Removes a file.
    remove_file -> (), "could not remove file";
    /// What is known about a file, or about a symbolic link itself.
    symlink_metadata -> Metadata;
}

/// Copies a file with its permissions, and gives the number of bytes.
///
/// # Errors
///
/// The system's, with both paths.
pub async fn copy<P: AsRef<Path>, Q: AsRef<Path>>(from: P, to: Q) -> io::Result<u64> {
    let (from, to) = (from.as_ref(), to.as_ref());
    parklet::fs::copy(from, to)
        .await
        .context(|| format!("could not copy `{}` to `{}`", from.display(), to.display()))
}

/// Makes another name of a file.
///
/// # Errors
///
/// The system's, with both paths.
pub async fn hard_link<P: AsRef<Path>, Q: AsRef<Path>>(from: P, to: Q) -> io::Result<()> {
    let (from, to) = (from.as_ref(), to.as_ref());
    parklet::fs::hard_link(from, to).await.context(|| {
        let (from, to) = (from.display(), to.display());
        format!("could not create a hard link from `{from}` to `{to}`")
    })
}

/// Gives a file another name; what has that name already is replaced.
///
/// # Errors
///
/// The system's, with both paths.
pub async fn rename<P: AsRef<Path>, Q: AsRef<Path>>(from: P, to: Q) -> io::Result<()> {
    let (from, to) = (from.as_ref(), to.as_ref());
    parklet::fs::rename(from, to).await.context(|| {
        format!(
            "could not rename `{}` to `{}`",
            from.display(),
            to.display()
        )
    })
}

/// Changes a file's permissions.
///
/// # Errors
///
/// The system's, as it is.
pub async fn set_permissions<P: AsRef<Path>>(path: P, perm: Permissions) -> io::Result<()> {
    parklet::fs::set_permissions(path.as_ref(), perm)
        .await
        .bare()
}

/// Writes a whole file; what was in it is gone.
///
/// # Errors
///
/// The system's, with the path.
pub async fn write<P: AsRef<Path>, C: AsRef<[u8]>>(path: P, contents: C) -> io::Result<()> {
    let path = path.as_ref();
    parklet::fs::write(path, contents)
        .await
        .context(|| format!("could not write to file `{}`", path.display()))
}
