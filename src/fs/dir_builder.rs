//! How a directory is to be created.

use super::hop::on_path;
use crate::io::Result;
use std::future::Future;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// Creates directories, if wanted with those above them, and with other permissions than the usual ones.
///
/// std's `DirBuilder` with a `create` that waits. For unix's mode there is std's own
/// [`DirBuilderExt`](std::os::unix::fs::DirBuilderExt).
///
/// # Examples
///
/// ```
/// use parklet::fs::DirBuilder;
///
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("a/b/c");
/// parklet::task::block_on(DirBuilder::new().recursive(true).create(&path))?;
/// assert!(path.is_dir());
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug, Default)]
pub struct DirBuilder {
    /// Whether those above are created, too.
    recursive: bool,
    /// Who may do what there.
    mode: Option<u32>,
}

impl DirBuilder {
    /// One directory at a time, with the usual permissions.
    pub fn new() -> DirBuilder {
        DirBuilder::default()
    }

    /// Whether those above that are not there are created, too; then it is fine if it is there already.
    pub fn recursive(&mut self, recursive: bool) -> &mut DirBuilder {
        self.recursive = recursive;
        self
    }

    /// Creates the directory at `path` so.
    ///
    /// # Errors
    ///
    /// `cannot create directory "PATH": CAUSE`, with the cause's kind: `AlreadyExists`, `NotFound` without its parent,
    /// `InvalidInput` for a path with a NUL in it.
    ///
    /// # Cancel safety
    ///
    /// Once begun, it is done all the same.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::fs::DirBuilder;
    /// use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("secret");
    /// parklet::task::block_on(DirBuilder::new().mode(0o700).create(&path))?;
    /// assert_eq!(path.metadata()?.permissions().mode() & 0o777, 0o700);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn create<P: AsRef<Path>>(&self, path: P) -> impl Future<Output = Result<()>> + use<P> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(self.recursive);
        if let Some(mode) = self.mode {
            builder.mode(mode);
        }
        async move {
            let create = move |path: &Path| builder.create(path);
            on_path("create directory", path.as_ref(), create).await
        }
    }
}

impl DirBuilderExt for DirBuilder {
    fn mode(&mut self, mode: u32) -> &mut DirBuilder {
        self.mode = Some(mode);
        self
    }
}
