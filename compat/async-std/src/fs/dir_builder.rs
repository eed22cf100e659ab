//! Making directories with options.

use crate::context::Context;
use crate::io;
use crate::os::unix::fs::DirBuilderExt;
use crate::path::Path;
use std::future::Future;

/// How a directory is made.
#[derive(Debug, Default)]
pub struct DirBuilder {
    /// parklet's.
    inner: parklet::fs::DirBuilder,
}

impl DirBuilder {
    /// One directory, with the permissions that are usual.
    pub fn new() -> DirBuilder {
        DirBuilder::default()
    }

    /// Whether those it lies in are made too, and one that is there already is no error.
    pub fn recursive(&mut self, recursive: bool) -> &mut Self {
        self.inner.recursive(recursive);
        self
    }

    /// Makes the directory.
    ///
    /// # Errors
    ///
    /// The system's, as it is.
    pub fn create<P: AsRef<Path>>(&self, path: P) -> impl Future<Output = io::Result<()>> + use<P> {
        let created = self.inner.create(path.as_ref().to_path_buf());
        async move { created.await.bare() }
    }
}

impl DirBuilderExt for DirBuilder {
    fn mode(&mut self, mode: u32) -> &mut Self {
        self.inner.mode(mode);
        self
    }
}
