//! Opening files with options.

use super::File;
use crate::context::Context;
use crate::io;
use crate::os::unix::fs::OpenOptionsExt;
use crate::path::Path;
use std::future::Future;

/// How a file is opened.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    /// parklet's.
    inner: parklet::fs::OpenOptions,
}

/// A method per option, all of them off at first.
macro_rules! options {
    ($(#[doc = $what:literal] $option:ident;)*) => {
        impl OpenOptions {$(
            #[doc = $what]
            pub fn $option(&mut self, $option: bool) -> &mut OpenOptions {
                self.inner.$option($option);
                self
            }
        )*}
    };
}

options! {
    /// Whether it can be read.
    read;
    /// Whether it can be written.
    write;
    /// Whether what is written goes to the end.
    append;
    /// Whether what is in it goes away.
    truncate;
    /// Whether it is made if it is not there.
    create;
    /// Whether it must not be there, and is made.
    create_new;
}

impl OpenOptions {
    /// Without any option: at least one of reading, writing and appending has to follow.
    pub fn new() -> OpenOptions {
        OpenOptions::default()
    }

    /// Opens the file.
    ///
    /// # Errors
    ///
    /// The system's, as it is.
    pub fn open<P: AsRef<Path>>(&self, path: P) -> impl Future<Output = io::Result<File>> + use<P> {
        let opened = self.inner.open(path.as_ref().to_path_buf());
        async move { opened.await.map(File::new).bare() }
    }
}

impl OpenOptionsExt for OpenOptions {
    fn mode(&mut self, mode: u32) -> &mut Self {
        self.inner.mode(mode);
        self
    }

    fn custom_flags(&mut self, flags: i32) -> &mut Self {
        self.inner.custom_flags(flags);
        self
    }
}
